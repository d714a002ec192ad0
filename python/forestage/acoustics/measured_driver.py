"""Measured drivers: sound fields from directivity files (SOFA) or from impulse responses at given positions (WAV).

Around the driver's position, the pressure of each measured direction, times its distance and without its delay, is
fitted by spherical harmonics. A full set of directions at one distance is carried to other distances as the spherical
waves that it consists of, each order by its own law; inwards, where high orders would grow without bounds, they are
faded out. A few positions tell the field in their own neighbourhood alone, where it follows 1/r.

Directions tell a directivity as long as they are closer than the chord over which it stays alike, which the fit finds
at each frequency. Above the highest frequency where they do, the directivity is held, and the level follows the power.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from forestage.acoustics.covariance import regress
from forestage.acoustics.direction_gaps import AROUND, apart_deg, gap_deg
from forestage.acoustics.fields import growth, wave_number
from forestage.acoustics.measured_file import (
    LONGEST_IMPULSE_S,
    MOST_IMPULSES,
    SAMPLE_RATES_HZ,
    MeasuredFile,
    measured_file,
)
from forestage.acoustics.sofa import MeasurementWarning, SofaFile
from forestage.acoustics.spherical_harmonics import fibonacci_quadrature, order_of, real_sh
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.files import no_file
from forestage.short_repr import ShortRepr
from forestage.whole_file import check_whole

ORDER = 20
LEAST_DIRECTIONS = 4
MOST_DIRECTIONS = 2**16
MOST_FREQUENCIES = 2**16
HIGHEST_HZ = SAMPLE_RATES_HZ[1] / 2
# Of a microphone from the driver
DISTANCES_M = (0.01, 100.0)
# From so many on, at distances that differ by less than this share, the measurement tells spherical waves
DIRECTIONS_OF_WAVES = 30
DISTANCES_OF_WAVES = 0.05
# Chords over which the field stays alike, over the distance of directions, from which on what is between them is known
# to 1 dB (found with caps on spheres of 5 and 9 cm); and the share of the power below which differences do not matter
LEAST_LIKENESS = 1.8
LEAST_DIFFERENCE = 3e-3
LEAST_TRUSTED_HZ = 1000.0
# What a directivity should tell, for designs to need no word about it
USUAL_TRUSTED_HZ = 8000.0
WIDEST_GAP_DEG = 60.0
MOST_GROWTH = 10.0
EXTENT_M = 0.1
IMPULSE_S = 20e-3
HIGHEST_SHARE = 0.45
LEVEL_BAND_HZ = (200.0, 4000.0)
# So many frequencies are worked on at a time
BLOCK = 1024
LATENCIES_S = np.arange(-5e-3, 50e-3, 20e-6)


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredDirectivity(ShortRepr):
    """What a driver radiates around its own position, in its own frame: x ahead, y to the listener's left, z up.

    Parameters
    ----------
    frequency_hz : ndarray, shape (m,)
        Frequencies at which it is known; beyond them, the nearest one holds.
    coefficients : ndarray of complex, shape ((order + 1)^2, m)
        Real spherical harmonics of pressure times distance, at ``distance_m``, without the delay over it.
    distance_m : float
        Distance of the measurement.
    is_wave : bool
        Whether orders are carried as spherical waves; else all of them follow 1/r.
    axis : tuple of float
        Unit vector of the direction in which its level is taken.
    delay_s, gain : float
        What comes on top of the above.
    origin : Mapping
        The keys of a device file that name what it was read from.
    directions : ndarray, shape (count, 3)
        Where it was measured, as unit vectors.
    highest_hz : float
        Up to where the directions tell the directivity; above, it is held.
    files : tuple of MeasuredFile
        What it was read from, in the order of ``origin``.
    """

    frequency_hz: FloatArray = field(repr=False)
    coefficients: ComplexArray = field(repr=False)
    distance_m: float
    is_wave: bool
    axis: tuple[float, float, float] = (1.0, 0.0, 0.0)
    delay_s: float = 0.0
    gain: float = 1.0
    origin: Mapping[str, Any] = field(default_factory=dict)
    directions: FloatArray = field(default_factory=lambda: np.zeros((0, 3)), repr=False)
    highest_hz: float = np.inf
    files: tuple[MeasuredFile, ...] = field(default=(), repr=False)

    def gap_deg(self, points_m: ArrayLike) -> FloatArray:
        """Width of the gap between measured directions around points (k, 3) of the driver's frame, shape (k,)."""
        points = np.asarray(points_m, dtype=np.float64)
        return gap_deg(self.directions, points / np.linalg.norm(points, axis=-1, keepdims=True))

    def pressure(self, frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
        """Pressure at points (k, 3) of the driver's frame, shape (k, n)."""
        frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
        points = np.asarray(points_m, dtype=np.float64)
        distance = np.linalg.norm(points, axis=-1)
        held = np.clip(frequency, self.frequency_hz[0], self.frequency_hz[-1])
        coefficients = CubicSpline(self.frequency_hz, self.coefficients, axis=-1)(held)
        order = order_of(coefficients)
        harmonics = real_sh(points / distance[:, None], order)
        if self.is_wave:
            shape = np.zeros((len(points), len(frequency)), dtype=np.complex128)
            for degree, carried in enumerate(self._carried(frequency, distance, order)):
                own = slice(degree**2, (degree + 1) ** 2)
                shape += carried * (harmonics[:, own] @ coefficients[own])
        else:
            shape = harmonics @ coefficients
        late_s = distance[:, None] / SPEED_OF_SOUND_M_S + self.delay_s
        return self.gain * shape * np.exp(-2j * np.pi * frequency * late_s) / distance[:, None]

    def _carried(self, frequency: FloatArray, distance: FloatArray, order: int) -> ComplexArray:
        """Growth of every order from the measured distance to others, beside 1/r, shape (order + 1, k, n)."""
        k = wave_number(frequency)
        ratios = growth(k * self.distance_m, np.outer(distance, k), order)
        # 1 for order 0; inwards, what would grow by more than the limit is noise
        return ratios / (1.0 + (np.abs(ratios) / MOST_GROWTH) ** 2) * (1.0 + 1.0 / MOST_GROWTH**2)


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredField(ShortRepr):
    """A measured driver at its place: a `Field`.

    Parameters
    ----------
    directivity : MeasuredDirectivity
        What it radiates.
    position_m : tuple of float
        Where the origin of its measurement is, in the device's frame.
    azimuth_deg, elevation_deg : float
        Where it aims.
    """

    directivity: MeasuredDirectivity
    position_m: tuple[float, float, float]
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    extent_m: float = EXTENT_M

    @property
    def centre_m(self) -> FloatArray:
        """Where the origin of its measurement is."""
        return np.array(self.position_m)

    def field(self, frequency_hz: ArrayLike, points_m: ArrayLike) -> ComplexArray:
        """Pressure at points of the device's frame, shape (k, n)."""
        return self.directivity.pressure(frequency_hz, self.seen(points_m))

    def seen(self, points_m: ArrayLike) -> FloatArray:
        """Points of the device's frame in that of the driver, shape (k, 3)."""
        azimuth, elevation = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        ahead = [np.cos(azimuth) * np.cos(elevation), np.sin(azimuth) * np.cos(elevation), np.sin(elevation)]
        aside = [-np.sin(azimuth), np.cos(azimuth), 0.0]
        above = [-np.cos(azimuth) * np.sin(elevation), -np.sin(azimuth) * np.sin(elevation), np.cos(elevation)]
        return (np.asarray(points_m, dtype=np.float64) - self.centre_m) @ np.array([ahead, aside, above]).T


def load_directivity(path: str | Path) -> MeasuredDirectivity:
    """Read the directivity of a driver from a SOFA file of the convention FreeFieldDirectivityTF.

    The file's source looks along x, y to its own left; which is to the right of a listener whom it faces.
    """
    with SofaFile(path, convention="FreeFieldDirectivityTF") as file:
        frequency, values, points = read_directivity(file)
    directivity = _fitted(frequency, values, points * [1.0, -1.0, 1.0], is_all_around=True)
    _check_cover(file, directivity)
    return replace(directivity, origin={"directivity_sofa": str(path)}, files=(measured_file(path),))


def load_impulse_responses(
    files: Sequence[tuple[Path, tuple[float, float, float]]], *, position_m: tuple[float, float, float]
) -> MeasuredDirectivity:
    """Read impulse responses of a driver from WAV files.

    Parameters
    ----------
    files : sequence of (Path, position)
        Mono files, and where in the device's frame the microphone was. The first 20 ms after the first arrival count.
    position_m : tuple of float
        Position of the driver.
    """
    if not LEAST_DIRECTIONS <= len(files) <= MOST_IMPULSES:
        raise ValueError(f"{len(files)} of them; must be at least {LEAST_DIRECTIONS} and at most {MOST_IMPULSES}")
    points = np.array([position for _, position in files]) - position_m
    if fault := _fault_of(points):
        raise ValueError(f"position_m = {list(position_m)}: a microphone is {fault}")
    impulses = [read_impulse(path) for path, _ in files]
    highest = HIGHEST_SHARE * min(sample_rate for _, sample_rate in impulses)
    frequency = np.arange(0.0, highest, 1.0 / IMPULSE_S)
    values = np.stack([_response(impulse, sample_rate, frequency) for impulse, sample_rate in impulses])
    directivity = _fitted(frequency, values, points)
    x, y, z = (points.mean(axis=0) / np.linalg.norm(points.mean(axis=0))).tolist()
    entries = [{"file": str(path), "position_m": list(position)} for path, position in files]
    return replace(
        directivity,
        axis=(x, y, z),
        origin={"impulse_responses": entries},
        files=tuple(measured_file(path) for path, _ in files),
    )


def at_common_level(drivers: Sequence[MeasuredDirectivity]) -> list[MeasuredDirectivity]:
    """Measured drivers of one device with the loudest at 0 dB on its axis, 200 Hz - 4 kHz, and the earliest at time 0.

    Differences of level and time between them stay.
    """
    band = np.geomspace(*LEVEL_BAND_HZ, 60)
    on_axis = [driver.pressure(band, [driver.axis]) for driver in drivers]
    levels = [np.exp(np.mean(np.log(np.abs(pressure)))) for driver, pressure in zip(drivers, on_axis, strict=True)]
    gain, early_s = 1.0 / max(levels), min(driver.delay_s for driver in drivers)
    return [replace(driver, gain=gain * driver.gain, delay_s=driver.delay_s - early_s) for driver in drivers]


def read_directivity(file: SofaFile) -> tuple[FloatArray, ComplexArray, FloatArray]:
    """Frequencies (m,), values (count, m) and where they were measured (count, 3), in the file's frame."""
    frequency = _frequencies(file)
    shape = file.shape("Data_Real", dimensions=3)
    if file.shape("Data_Imag", dimensions=3) != shape:
        raise file.error("Data_Imag", f"has another shape than Data_Real, {shape}")
    if shape[2] != len(frequency):
        raise file.error("Data_Real", f"has the shape {shape}, for {len(frequency)} frequencies")
    measurements, receivers, _ = shape
    if measurements * receivers > MOST_DIRECTIONS:
        raise file.error("Data_Real", f"tells {measurements * receivers} directions: must be at most {MOST_DIRECTIONS}")
    values = file.values("Data_Real", dimensions=3) + 1j * file.values("Data_Imag", dimensions=3)
    points = _measured_points(file, (measurements, receivers))
    if not values.any():
        raise file.error("Data_Real", "is silent")
    if not values.imag.any():
        raise file.error("Data_Imag", "is 0 throughout: levels without phases do not tell a sound field")
    return frequency, values.reshape(len(points), -1), points


def _frequencies(file: SofaFile) -> FloatArray:
    (count,) = file.shape("N", dimensions=1)
    if not 2 <= count <= MOST_FREQUENCIES:
        raise file.error("N", f"has {count} frequencies: must be two or more, and at most {MOST_FREQUENCIES}")
    frequency = file.values("N", dimensions=1)
    if frequency[0] < 0.0 or frequency[-1] > HIGHEST_HZ or np.any(np.diff(frequency) <= 0.0):
        raise file.error("N", f"must be rising frequencies within 0..{HIGHEST_HZ:g} Hz")
    return frequency


def _fault_of(points: FloatArray) -> str:
    """What is wrong with where microphones are, seen from the driver; empty for nothing."""
    nearest_m, farthest_m = DISTANCES_M
    distance = np.linalg.norm(points, axis=-1)
    if not np.all(distance > nearest_m):
        return "at the driver itself"
    if not np.all(distance <= farthest_m):
        return f"{distance.max():g} m away: must be at most {farthest_m:g} m"
    return ""


def _measured_points(file: SofaFile, shape: tuple[int, int]) -> FloatArray:
    """Where it was measured, seen from the source, of all measurements and receivers, shape (count, 3)."""
    receivers, emitters = file.local_positions("ReceiverPosition"), file.local_positions("EmitterPosition")
    if len(emitters) != 1:
        raise file.error("EmitterPosition", f"tells of {len(emitters)} emitters: a driver is one")
    if shape[1] != len(receivers):
        raise file.error("Data_Real", f"has the shape {shape} x frequencies, for {len(receivers)} receivers")
    count = shape[0]
    middle = file.positions("ListenerPosition", count) - file.positions("SourcePosition", count)
    away = receivers @ file.frames("Listener", count) + middle[:, None]
    points = away @ file.frames("Source", count).swapaxes(1, 2)
    if len(points) != count:
        raise file.error("Data_Real", f"has {count} measurements of one arrangement: which one counts?")
    points = points.reshape(-1, 3)
    if fault := _fault_of(points):
        raise file.error("ReceiverPosition", f"puts a receiver {fault}")
    if len(points) < LEAST_DIRECTIONS:
        raise file.error("ReceiverPosition", f"gives {len(points)} directions: must be at least {LEAST_DIRECTIONS}")
    return points


def read_impulse(path: Path) -> tuple[FloatArray, int]:
    """Samples of an impulse response, and their rate in Hz."""
    if not path.is_file():
        raise ValueError(no_file(path))
    try:
        with soundfile.SoundFile(path) as file:
            _check_impulse(path, file)
            check_whole(file, path)
            audio, sample_rate = file.read(dtype="float64", always_2d=True), file.samplerate
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path}: not a readable audio file ({error})") from error
    if not np.isfinite(audio).all():
        raise ValueError(f"{path}: sample {int(np.argmax(~np.isfinite(audio[:, 0])))} is not finite")
    if not audio.any():
        raise ValueError(f"{path}: is silent")
    return audio[:, 0], sample_rate


def _check_impulse(path: Path, file: soundfile.SoundFile) -> None:
    """Check what a header says, before it sizes anything."""
    if file.channels != 1:
        raise ValueError(f"{path}: has {file.channels} channels; an impulse response has one")
    low, high = SAMPLE_RATES_HZ
    if not low <= file.samplerate <= high:
        raise ValueError(f"{path}: its sample rate is {file.samplerate} Hz; must be within {low:g}..{high:g} Hz")
    if file.frames > LONGEST_IMPULSE_S * file.samplerate:
        raise ValueError(f"{path}: has {file.frames} frames; an impulse response has at most {LONGEST_IMPULSE_S:g} s")


def _response(impulse: FloatArray, sample_rate: int, frequency: FloatArray) -> ComplexArray:
    """Response from `IMPULSE_S` around the first arrival, at any frequencies."""
    peak = int(np.argmax(np.abs(impulse)))
    first = max(peak - round(0.1 * IMPULSE_S * sample_rate), 0)
    cut = impulse[first : first + round(IMPULSE_S * sample_rate)]
    tail = min(len(cut), round(0.25 * IMPULSE_S * sample_rate))
    cut[len(cut) - tail :] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(tail) + 0.5) / tail)
    return np.exp(-2j * np.pi * np.outer(frequency, first + np.arange(len(cut))) / sample_rate) @ cut


# One thread, so that the sums do not depend on the number of cores.
@one_thread
def _fitted(
    frequency: FloatArray, values: ComplexArray, points: FloatArray, *, is_all_around: bool = False
) -> MeasuredDirectivity:
    """Directivity of responses (count, m) at points (count, 3) of the driver's frame."""
    distance = np.linalg.norm(points, axis=-1)
    shape = values * distance[:, None] * np.exp(1j * wave_number(frequency) * distance[:, None])
    delay_s = _latency_s(frequency, shape)
    shape *= np.exp(2j * np.pi * frequency * delay_s)
    directions = points / distance[:, None]
    fit = regress(directions, shape, order=ORDER)
    coefficients, highest_hz = fit.coefficients, np.inf
    if is_all_around:
        known = _known(directions, shape, fit.length_scale)
        highest_hz = float(frequency[known - 1]) if known else 0.0
        power = np.sqrt(np.mean(np.abs(shape) ** 2, axis=0))
        edge = max(known - 1, 0)
        coefficients[:, known:] = coefficients[:, edge : edge + 1] * power[known:] / max(power[edge], 1e-300)
    is_even = np.ptp(distance) < DISTANCES_OF_WAVES * distance.mean()
    return MeasuredDirectivity(
        frequency,
        coefficients,
        float(distance.mean()),
        is_wave=bool(is_even and len(points) >= DIRECTIONS_OF_WAVES),
        delay_s=delay_s,
        directions=directions,
        highest_hz=highest_hz,
    )


def _known(directions: FloatArray, shape: ComplexArray, length_scale: FloatArray) -> int:
    """Number of frequencies, from the lowest on, at which directions are close enough to tell a directivity."""
    is_close = length_scale >= LEAST_LIKENESS * np.deg2rad(apart_deg(directions))
    is_close |= np.var(shape, axis=0) <= LEAST_DIFFERENCE * np.mean(np.abs(shape) ** 2, axis=0)
    # Where one value after the other may err, the step that fits them best
    return int(np.argmax(np.concatenate([[0], np.cumsum(np.where(is_close, 1, -1))])))


def _check_cover(file: SofaFile, directivity: MeasuredDirectivity) -> None:
    """Refuse directions that tell next to nothing, and warn of gaps and of what they do not tell."""
    count, step_deg = len(directivity.directions), apart_deg(directivity.directions)
    tells = (
        f"gives {count} directions, about {step_deg:.0f} degrees apart, which tell the directivity up to "
        f"{directivity.highest_hz:.0f} Hz"
    )
    highest_hz, measured_hz = directivity.highest_hz, float(directivity.frequency_hz[-1])
    if highest_hz < min(LEAST_TRUSTED_HZ, measured_hz):
        raise file.error("ReceiverPosition", f"{tells}: must be close enough for {LEAST_TRUSTED_HZ:.0f} Hz")
    said = []
    if highest_hz < min(USUAL_TRUSTED_HZ, measured_hz):
        said.append(f"{tells}; above, it is held")
    around = fibonacci_quadrature(AROUND).directions
    gaps_deg = gap_deg(directivity.directions, around)
    if gaps_deg.max() > WIDEST_GAP_DEG:
        x, y, z = around[gaps_deg.argmax()] * [1.0, -1.0, 1.0]
        said.append(
            f"leaves a gap of {gaps_deg.max():.0f} degrees around azimuth {np.rad2deg(np.arctan2(y, x)):.0f}, "
            f"elevation {np.rad2deg(np.arcsin(z)):.0f} degrees: what is radiated there is not known"
        )
    for text in said:
        warnings.warn(f"{file.path}: ReceiverPosition {text}", MeasurementWarning, stacklevel=3)


def _latency_s(frequency: FloatArray, shape: ComplexArray) -> float:
    """Delay that all responses have in common: the one under which neighbouring frequencies agree best."""
    steps = np.diff(frequency)
    turns = np.sum(shape[:, 1:] * shape[:, :-1].conj(), axis=0)
    latencies = LATENCIES_S[np.abs(LATENCIES_S) <= 0.5 / steps.min()]
    agreement = np.zeros(len(latencies), dtype=np.complex128)
    for start in range(0, len(steps), BLOCK):
        part = slice(start, start + BLOCK)
        agreement += np.exp(2j * np.pi * np.outer(latencies, steps[part])) @ turns[part]
    return float(latencies[np.argmax(agreement.real)])
