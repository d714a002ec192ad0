"""A plant that was measured at the ears: from every driver to both ears of a head, at one place or several.

It comes as impulse responses, in WAV files of two channels (left and right ear, a driver and a place each) or in a SOFA
file. What counts of each is its beginning; latency and level of all are not known, and what differs between drivers and
ears is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import ArrayLike

from forestage.acoustics.measured_file import (
    LONGEST_IMPULSE_S,
    MOST_IMPULSES,
    SAMPLE_RATES_HZ,
    MeasuredFile,
    measured_file,
)
from forestage.acoustics.sofa import SofaFile
from forestage.arrays import ComplexArray, FloatArray
from forestage.files import no_file
from forestage.short_repr import ShortRepr
from forestage.whole_file import check_whole

Points = tuple[tuple[float, ...], ...]

CONVENTIONS = ("SingleRoomMIMOSRIR", "MultiSpeakerBRIR", "GeneralFIR-E")
# Of a response before its arrival, and after it unless told otherwise
AHEAD_S, LENGTH_S = 1e-3, 8e-3
# What may be told, in ms
WINDOW_MS = (1.0, 30.0)
# Of the widest grid on which responses of a length can be known, what is taken
GRID_SHARE = 0.45
FADE_SHARE = 0.25
# Of a response's energy, which its effective length holds all but
LEFT_ENERGY = 1e-4
HIGHEST_SHARE = 0.45
NEAREST_M = 0.1


@dataclass(frozen=True)
class EarPlace:
    """Where a head was: its middle in the device's frame, and how far it was turned to its own left."""

    position_m: tuple[float, float, float]
    yaw_deg: float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class MeasuredEars(ShortRepr):
    """Impulse responses from drivers to ears.

    Parameters
    ----------
    places : tuple of EarPlace
        Where the head was.
    impulses : ndarray, shape (places, 2 ears, drivers, frames)
        Impulse responses, left ear first, drivers in the order of the device.
    sample_rate : float
        In Hz.
    snr_db : tuple of tuple of (float, float)
        Signal over noise as (Hz, dB) points, of each place or of all, which designs keep to; empty where noise does not
        matter.
    origin : Mapping
        The keys of a device file that name what it was read from.
    files : tuple of MeasuredFile
        What it was read from, in the order of ``origin``.
    window_s : float
        How much of each response counts after its arrival.
    """

    places: tuple[EarPlace, ...]
    impulses: FloatArray = field(repr=False)
    sample_rate: float
    snr_db: tuple[Points, ...] = ()
    origin: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[MeasuredFile, ...] = field(default=(), repr=False)
    window_s: float = LENGTH_S

    def __post_init__(self) -> None:
        if self.impulses.ndim != 4 or self.impulses.shape[:2] != (len(self.places), 2):
            raise ValueError(f"impulses: shape {self.impulses.shape}; must be (places, 2 ears, drivers, frames)")
        if len(self.snr_db) not in (0, 1, len(self.places)):
            raise ValueError(f"snr_db: of {len(self.snr_db)} places; must be one for all, or of {len(self.places)}")
        if not np.isfinite(self.impulses).all():
            raise ValueError("impulses: must be finite")
        for index, part in np.ndenumerate(np.abs(self.impulses).max(axis=-1)):
            if part == 0.0:
                place, ear, driver = index
                raise ValueError(
                    f"impulses of driver {driver + 1} at the {('left', 'right')[ear]} ear, place {place + 1}: silent"
                )

    @property
    def drivers(self) -> int:
        """How many drivers it has."""
        return int(self.impulses.shape[2])

    @property
    def highest_hz(self) -> float:
        """Up to where it is known."""
        return HIGHEST_SHARE * self.sample_rate

    @property
    def lowest_hz(self) -> float:
        """From where on responses are long enough to tell."""
        return 1.0 / min(self.window_s, self._length_s())

    @property
    def step_hz(self) -> float:
        """Spacing of frequencies between which responses of this length are still known, reflections and all."""
        return GRID_SHARE / (AHEAD_S + self.window_s)

    def responses(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Responses without the latency that a place has in common, shape (places, 2, drivers, n)."""
        frequency = np.asarray(frequency_hz, dtype=np.float64)
        cut, first = self._cut()
        turns = np.exp(-2j * np.pi * np.outer(np.arange(cut.shape[-1]), frequency) / self.sample_rate)
        late = np.exp(-2j * np.pi * first[..., None] / self.sample_rate * frequency)
        return (cut @ turns) * late

    def noise(self, frequency_hz: ArrayLike) -> FloatArray:
        """Noise over signal as a ratio, shape (places, n)."""
        frequency = np.asarray(frequency_hz, dtype=np.float64)
        if not self.snr_db:
            return np.zeros((len(self.places), *frequency.shape))
        at = np.log(np.maximum(frequency, 1.0))
        level_db = [np.interp(at, np.log(hz), db) for hz, db in (np.array(points).T for points in self.snr_db)]
        ratios: FloatArray = 10.0 ** (-np.array(level_db) / 20)
        return np.broadcast_to(ratios, (len(self.places), *frequency.shape))

    def _cut(self) -> tuple[FloatArray, FloatArray]:
        """What counts of responses, and the frame it begins at after the first one of its place."""
        rate = self.sample_rate
        peaks = np.argmax(np.abs(self.impulses), axis=-1)
        # Both ears of a driver are cut alike
        first = np.maximum(peaks.min(axis=1, keepdims=True) - round(AHEAD_S * rate), 0).repeat(2, axis=1)
        frames = round((AHEAD_S + self.window_s) * rate)
        padded = np.concatenate([self.impulses, np.zeros((*self.impulses.shape[:-1], frames))], axis=-1)
        cut = np.take_along_axis(padded, first[..., None] + np.arange(frames), axis=-1)
        tail = round(FADE_SHARE * frames)
        cut[..., frames - tail :] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(tail) + 0.5) / tail)
        return cut, (first - first.min(axis=(1, 2), keepdims=True)).astype(np.float64)

    def _length_s(self) -> float:
        """How long the shortest response goes on."""
        cut, _ = self._cut()
        energy = np.cumsum(cut[..., ::-1] ** 2, axis=-1)[..., ::-1]
        ends = np.sum(energy > LEFT_ENERGY * energy[..., :1], axis=-1)
        return max(float(ends.min()) / self.sample_rate - AHEAD_S, AHEAD_S)


def load_ear_responses(
    rows: Sequence[tuple[Path, int, EarPlace]], *, drivers: int, snr_db: tuple[Points, ...] = ()
) -> MeasuredEars:
    """Read impulse responses from WAV files of two channels, left ear first.

    Parameters
    ----------
    rows : sequence of (Path, driver, place)
        Files, the positions of their drivers in the device, and where the head was.
    drivers : int
        Drivers of the device, each of which is needed at every place.
    snr_db : tuple of tuple of (float, float)
        Signal over noise as (Hz, dB) points, of each place in the order of its first file, or of all.
    """
    if not 1 <= len(rows) <= MOST_IMPULSES:
        raise ValueError(f"{len(rows)} of them; must be at least 1 and at most {MOST_IMPULSES}")
    places = list(dict.fromkeys(place for _, _, place in rows))
    found: dict[tuple[int, int], tuple[FloatArray, int]] = {}
    for path, driver, place in rows:
        found[places.index(place), driver] = _read_two_ears(path)
    for index, place in enumerate(places):
        for driver in range(drivers):
            if (index, driver) not in found:
                raise ValueError(
                    f"driver {driver + 1} has none at {list(place.position_m)}: every place needs all drivers"
                )
    rates = {rate for _, rate in found.values()}
    if len(rates) > 1:
        raise ValueError(f"files have sample rates of {sorted(rates)} Hz; must be one")
    frames = max(len(audio) for audio, _ in found.values())
    impulses = np.zeros((len(places), 2, drivers, frames))
    for (index, driver), (audio, _) in found.items():
        impulses[index, :, driver, : len(audio)] = audio.T
    return MeasuredEars(
        tuple(places), impulses, float(rates.pop()), snr_db, files=tuple(measured_file(path) for path, _, _ in rows)
    )


def _read_two_ears(path: Path) -> tuple[FloatArray, int]:
    if not path.is_file():
        raise ValueError(no_file(path))
    try:
        with soundfile.SoundFile(path) as file:
            if file.channels != 2:
                raise ValueError(f"{path}: has {file.channels} channels; must have two, left and right ear")
            low, high = SAMPLE_RATES_HZ
            if not low <= file.samplerate <= high or not 0 < file.frames <= LONGEST_IMPULSE_S * file.samplerate:
                raise ValueError(
                    f"{path}: {file.frames} frames at {file.samplerate} Hz; must be at most {LONGEST_IMPULSE_S:g} s at "
                    f"{low:g}..{high:g} Hz"
                )
            check_whole(file, path)
            return file.read(dtype="float64", always_2d=True), file.samplerate
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path}: not a readable audio file ({error})") from error


def load_ears_sofa(path: str | Path, *, snr_db: tuple[Points, ...] = ()) -> MeasuredEars:
    """Read a SOFA file of a convention in `CONVENTIONS`: its emitters are the drivers, its two receivers the ears.

    Its source is the device, which looks along SourceView, or to the listener where the file does not say; its listener
    looks at the device where the file does not say otherwise.
    """
    with SofaFile(path, convention=CONVENTIONS) as file:
        impulses = _sofa_impulses(file)
        places = _sofa_places(file, len(impulses))
        rate = float(file.values("Data_SamplingRate", dimensions=1)[0])
        low, high = SAMPLE_RATES_HZ
        if not low <= rate <= high:
            raise file.error("Data_SamplingRate", f"= {rate:g}: must be within {low:g}..{high:g}")
        if len(file.local_positions("ReceiverPosition")) == 2:
            left, right = file.local_positions("ReceiverPosition")[:, 1]
            if left < right:  # y is to the listener's left
                impulses = impulses[:, ::-1]
        return MeasuredEars(
            places, impulses, rate, snr_db, origin={"ears_sofa": str(path)}, files=(measured_file(path),)
        )


def _sofa_impulses(file: SofaFile) -> FloatArray:
    """Impulse responses, shape (places, 2, drivers, frames)."""
    values = file.values("Data_IR", dimensions=4)
    is_old = file.text("GLOBAL_DataType") == "FIRE"  # measurements, receivers, emitters, samples
    impulses = values if is_old else values.swapaxes(2, 3)
    if impulses.shape[1] != 2:
        raise file.error("Data_IR", f"has {impulses.shape[1]} receivers: two ears are needed")
    if file.has("Data_Delay"):
        delay = file.values("Data_Delay", dimensions=3)
        if delay.any():
            raise file.error("Data_Delay", "is not 0: write the delays into the impulse responses")
    return impulses


def _sofa_places(file: SofaFile, count: int) -> tuple[EarPlace, ...]:
    """Where the heads were, seen from the device."""
    away = np.broadcast_to(
        file.positions("ListenerPosition", count) - file.positions("SourcePosition", count), (count, 3)
    )
    if np.linalg.norm(away, axis=1).min() < NEAREST_M:
        raise file.error(
            "ListenerPosition", "is where SourcePosition is: must say where heads were, in metres from the device"
        )
    if file.has("SourceView"):
        frames = np.broadcast_to(file.frames("Source", count), (count, 3, 3))
    else:
        ahead = away.mean(axis=0) * [1.0, 1.0, 0.0]
        ahead /= max(float(np.linalg.norm(ahead)), 1e-9)
        frames = np.broadcast_to([ahead, [-ahead[1], ahead[0], 0.0], [0.0, 0.0, 1.0]], (count, 3, 3))
    seen = np.einsum("pij,pj->pi", frames, away) * [1.0, -1.0, 1.0]
    yaw_deg = np.zeros(count)
    if file.has("ListenerView"):
        looks = np.broadcast_to(file.frames("Listener", count), (count, 3, 3))[:, 0]
        nose = np.einsum("pij,pj->pi", frames, looks) * [1.0, -1.0, 1.0]
        yaw_deg = np.rad2deg(np.arctan2(nose[:, 1], -nose[:, 0]))
    rounded = zip(seen.round(6).tolist(), yaw_deg.round(3).tolist(), strict=True)
    return tuple(EarPlace((x, y, z), yaw) for (x, y, z), yaw in rounded)
