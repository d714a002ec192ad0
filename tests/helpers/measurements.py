"""Measurements of analytic heads and drivers, written as the files that a laboratory would hand over."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import sofar
import soundfile

from forestage.acoustics.fields import Field
from forestage.acoustics.head import Head
from forestage.constants import SPEED_OF_SOUND_M_S


def grid_directions(step_deg: float, lowest_deg: float = -90.0) -> np.ndarray:
    """Unit vectors on rings of equal latitude, without the poles, shape (n, 3)."""
    elevation, azimuth = np.meshgrid(
        np.deg2rad(np.arange(max(lowest_deg, -90.0 + step_deg / 2), 90.0, step_deg)),
        np.deg2rad(np.arange(0.0, 360.0, step_deg)),
        indexing="ij",
    )
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1).reshape(-1, 3)


def ring_directions(step_deg: float) -> np.ndarray:
    """Unit vectors in the horizontal plane, shape (n, 3)."""
    azimuth = np.deg2rad(np.arange(0.0, 360.0, step_deg))
    return np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=-1)


def spherical_deg(points_m: np.ndarray) -> np.ndarray:
    """Azimuth and elevation in degrees and distance in metres."""
    distance = np.linalg.norm(points_m, axis=-1)
    azimuth = np.rad2deg(np.arctan2(points_m[..., 1], points_m[..., 0])) % 360.0
    return np.stack([azimuth, np.rad2deg(np.arcsin(points_m[..., 2] / distance)), distance], axis=-1)


def impulses_of(response, *, sample_rate: float, frames: int, delay_s: float) -> np.ndarray:
    """Band-limited impulse responses of ``response(frequency_hz) -> (..., n)``."""
    # Twice as long, so that what rings around the end does not come back at the beginning
    frequency = np.fft.rfftfreq(2 * frames, 1 / sample_rate)
    edge = 0.5 + 0.5 * np.cos(np.pi * np.clip(frequency / sample_rate * 20 - 9, 0.0, 1.0))
    return np.fft.irfft(response(frequency) * edge * np.exp(-2j * np.pi * frequency * delay_s))[..., :frames]


def sphere_head(directions: np.ndarray, *, distance_m: float = 1.4, sample_rate: float = 48_000) -> sofar.Sofa:
    """A rigid sphere as SimpleFreeFieldHRIR, with the flight to its middle taken out but for 1 ms."""

    def response(frequency):
        away = np.exp(2j * np.pi * frequency * distance_m / SPEED_OF_SOUND_M_S) * distance_m
        return Head().ears(frequency, distance_m * directions).swapaxes(0, 1) * away

    sofa = sofar.Sofa("SimpleFreeFieldHRIR")
    sofa.Data_IR = impulses_of(response, sample_rate=sample_rate, frames=256, delay_s=1e-3)
    sofa.Data_SamplingRate = float(sample_rate)
    sofa.SourcePosition = spherical_deg(distance_m * directions)
    return sofa


def directivity(
    field: Field,
    directions: np.ndarray,
    *,
    azimuth_deg: float,
    distance_m: float = 1.5,
    frequency_hz: np.ndarray | None = None,
    delay_s: float = 7e-3,
    gain: float = 3.0,
    noise_db: float = -60.0,
) -> sofar.Sofa:
    """A field around the device's origin as FreeFieldDirectivityTF, ahead being ``azimuth_deg``.

    The file's y is to the left of the device, which is to the right of a listener in front of it.
    """
    frequency = np.arange(50.0, 20_001.0, 50.0) if frequency_hz is None else frequency_hz
    azimuth = np.deg2rad(azimuth_deg)
    ahead, listeners_left = [np.cos(azimuth), np.sin(azimuth), 0.0], [-np.sin(azimuth), np.cos(azimuth), 0.0]
    points = distance_m * (directions * [1.0, -1.0, 1.0]) @ np.array([ahead, listeners_left, [0.0, 0.0, 1.0]])
    pressure = gain * field.field(frequency, points) * np.exp(-2j * np.pi * frequency * delay_s)
    rng = np.random.default_rng(5)
    noise = rng.standard_normal(pressure.shape) + 1j * rng.standard_normal(pressure.shape)
    pressure += 10 ** (noise_db / 20) * np.sqrt(np.mean(np.abs(pressure) ** 2) / 2) * noise
    sofa = sofar.Sofa("FreeFieldDirectivityTF")
    sofa.Data_Real, sofa.Data_Imag, sofa.N = pressure.real[None], pressure.imag[None], frequency
    sofa.ReceiverPosition = spherical_deg(distance_m * directions)
    return sofa


def write_sofa(path: Path, sofa: sofar.Sofa) -> Path:
    """Write a SOFA file."""
    for name in ("Description", "EmitterDescriptions", "ReceiverDescriptions"):
        # Lists of texts, which this library can only write with some versions of netCDF
        if hasattr(sofa, name):
            sofa.delete(name)
    sofar.write_sofa(path, sofa)
    return path


def copy_sofa(path: Path, source: Path, *, leave: str = "", **changes: tuple[tuple[str, ...], object]) -> Path:
    """Copy a file as no library would write it: without a variable, or with others of (dimensions, values)."""
    with netCDF4.Dataset(source) as old, netCDF4.Dataset(path, "w") as new:
        old.set_auto_mask(False)
        new.setncatts({name: old.getncattr(name) for name in old.ncattrs()})
        for name, size in old.dimensions.items():
            new.createDimension(name, len(size))
        for name, variable in old.variables.items():
            if name == leave:
                continue
            dimensions, values = changes.get(name, (variable.dimensions, variable[...]))
            new.createVariable(name, variable.dtype, dimensions)[...] = values
            new[name].setncatts({key: variable.getncattr(key) for key in variable.ncattrs()})
    return path


def change_sofa(path: Path, **changes) -> Path:
    """Change texts (by their SOFA name, as SourcePosition_Units) and values of a file, whatever the convention says.

    None removes a text; a value keeps its shape.
    """
    with netCDF4.Dataset(path, "a") as file:
        file.set_auto_mask(False)
        for name, value in changes.items():
            variable, _, attribute = name.rpartition("_")
            if name in file.variables or name.replace("_", ".", 1) in file.variables:
                file[name.replace("_", ".", 1) if name not in file.variables else name][...] = value
                continue
            owner = file if variable == "GLOBAL" else file[variable.replace("_", ".", 1)]
            if value is None:
                owner.delncattr(attribute)
            else:
                owner.setncattr(attribute, value)
    return path


def write_impulses(
    folder: Path,
    name: str,
    field: Field,
    points_m: np.ndarray,
    *,
    sample_rate: int = 44_100,
    delay_s: float = 4e-3,
    gain: float = 0.2,
    noise_db: float = -60.0,
) -> list[dict]:
    """Write WAV files of a field at points of the device's frame, and return the entries of a device file."""
    impulses = gain * impulses_of(
        lambda frequency: field.field(frequency, points_m), sample_rate=sample_rate, frames=2048, delay_s=delay_s
    )
    # As loud in all as the noise below the peak of the response
    noise = np.random.default_rng(6).standard_normal(impulses.shape) / np.sqrt(impulses.shape[1])
    impulses += 10 ** (noise_db / 20) * np.linalg.norm(impulses, axis=-1, keepdims=True) * noise
    entries = []
    for index, (impulse, point) in enumerate(zip(impulses, points_m, strict=True)):
        file = f"{name}-{index}.wav"
        soundfile.write(folder / file, impulse, sample_rate, subtype="FLOAT")
        entries.append({"file": file, "position_m": [float(value) for value in point]})
    return entries
