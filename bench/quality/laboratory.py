"""A laboratory without walls: a device, a room, a microphone, a player and a recorder, built on formulas alone.

Drivers are points with second-order bass, a resonance and a polynomial for their distortion; sound takes r / c and
falls as 1 / r; reflections come from mirrored drivers; ears are those of a rigid sphere. The recorder starts when it
likes, has a clock of its own, adds noise, may lose samples and clip. Nothing of `forestage.measure` is used here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile
from scipy.interpolate import CubicSpline

from forestage.acoustics.head import Head
from forestage.acoustics.seat import Seat
from forestage.constants import SPEED_OF_SOUND_M_S

FINER = 4  # so much finer than the player's rate, sound is between the samples


@dataclass(frozen=True)
class LabDriver:
    """A point that radiates: level, delay and polarity, a bass corner and a resonance, and how it bends its feed."""

    position_m: tuple[float, float, float]
    gain_db: float = 0.0
    late_s: float = 0.0
    is_inverted: bool = False
    corner_hz: float = 120.0
    resonance: tuple[float, float, float] = (2500.0, 3.0, 2.0)  # Hz, dB, Q
    second: float = 0.0  # x + second x^2 + third x^3
    third: float = 0.0

    def response(self, frequency_hz: np.ndarray) -> np.ndarray:
        s = 1j * np.maximum(frequency_hz, 1e-3)
        high_pass = s**2 / (s**2 + np.sqrt(2.0) * self.corner_hz * s + self.corner_hz**2)
        hz, db, q = self.resonance
        gain = 10 ** (db / 40)
        peak = (s**2 + s * hz * gain / q + hz**2) / (s**2 + s * hz / (gain * q) + hz**2)
        sign = -1.0 if self.is_inverted else 1.0
        late = np.exp(-2j * np.pi * frequency_hz * self.late_s)
        return sign * 10 ** (self.gain_db / 20) * high_pass * peak * late

    def bent(self, feed: np.ndarray) -> np.ndarray:
        return feed + self.second * feed**2 + self.third * feed**3


@dataclass(frozen=True)
class Recorder:
    """How sound is recorded."""

    drift_ppm: float = 0.0
    late_s: float = 0.3  # silence before the player starts
    noise_dbfs: float = -80.0
    gain: float = 0.1
    lost: tuple[float, float] | None = None  # at which time, for how long, in seconds
    clips_at: float | None = None
    seed: int = 1


@dataclass(frozen=True)
class Laboratory:
    """Drivers in a room whose walls are planes (axis, place, factor)."""

    drivers: Sequence[LabDriver]
    walls: Sequence[tuple[int, float, float]] = ()
    recorder: Recorder = field(default_factory=Recorder)
    head: Head = field(default_factory=Head)

    def paths(self, driver: LabDriver) -> list[tuple[np.ndarray, float]]:
        """Places that a driver is heard from, and factors: itself first, then its mirrors."""
        position = np.array(driver.position_m)
        found = [(position, 1.0)]
        for axis, place, factor in self.walls:
            mirrored = position.copy()
            mirrored[axis] = 2 * place - mirrored[axis]
            found.append((mirrored, factor))
        return found

    def response(self, driver: LabDriver, point_m, frequency_hz: np.ndarray, *, is_direct: bool = False) -> np.ndarray:
        """From the feed of a driver to the pressure at a point."""
        total = np.zeros(len(frequency_hz), complex)
        for position, factor in self.paths(driver)[: 1 if is_direct else None]:
            distance = np.linalg.norm(np.asarray(point_m) - position)
            total += factor * np.exp(-2j * np.pi * frequency_hz * distance / SPEED_OF_SOUND_M_S) / distance
        return total * driver.response(frequency_hz)

    def ears(self, driver: LabDriver, seat_m, frequency_hz: np.ndarray, *, is_direct: bool = False) -> np.ndarray:
        """From the feed of a driver to the ears of a head that faces the device, shape (2, n)."""
        seat = Seat(tuple(map(float, seat_m)), head=self.head)
        total = np.zeros((2, len(frequency_hz)), complex)
        for position, factor in self.paths(driver)[: 1 if is_direct else None]:
            distance = np.linalg.norm(np.asarray(seat_m) - position)
            turn = 2j * np.pi * distance / SPEED_OF_SOUND_M_S
            coarse = np.arange(0.0, frequency_hz[-1] + 200.0, 100.0)
            smooth = seat.ears(np.maximum(coarse, 1.0), position[None])[:, 0] * np.exp(turn * coarse)
            total += factor * CubicSpline(coarse, smooth, axis=-1)(frequency_hz) * np.exp(-turn * frequency_hz)
        return total * driver.response(frequency_hz)

    def heard(self, audio: np.ndarray, sample_rate: int, points_m, *, is_ears: bool = False) -> list[np.ndarray]:
        """Sound at every point, shape (1 or 2 ears, FINER x frames), of what the drivers play (drivers, frames)."""
        frames = audio.shape[1] + round(0.2 * sample_rate)
        fine = FINER * frames
        frequency = np.fft.rfftfreq(fine, 1 / (FINER * sample_rate))
        audible = int(np.searchsorted(frequency, 0.5 * sample_rate))
        spectra = []
        for feed, driver in zip(audio, self.drivers, strict=True):
            smooth = np.fft.irfft(np.fft.rfft(feed, frames) * FINER, fine)
            spectra.append(np.fft.rfft(driver.bent(smooth))[:audible])
        found = []
        for point in points_m:
            total = np.zeros((2 if is_ears else 1, len(frequency)), complex)
            for spectrum, driver in zip(spectra, self.drivers, strict=True):
                path = (self.ears if is_ears else self.response)(driver, point, frequency[:audible])
                total[:, :audible] += path * spectrum
            found.append(np.fft.irfft(total, fine))
        return found

    def record(self, audio: np.ndarray, sample_rate: int, points_m, *, is_ears: bool = False) -> list[np.ndarray]:
        """Recordings at every point, shape (1 or 2 ears, frames), by a recorder of its own."""
        recorder = self.recorder
        recordings = []
        for index, sound in enumerate(self.heard(audio, sample_rate, points_m, is_ears=is_ears)):
            rng = np.random.default_rng([recorder.seed, index])
            late_s = recorder.late_s + 0.2 * rng.random()
            rate = sample_rate * (1 + recorder.drift_ppm * 1e-6)
            time_s = np.arange(round(rate * (late_s + sound.shape[1] / (FINER * sample_rate)))) / rate - late_s
            at = time_s * FINER * sample_rate
            inside = (at >= 0) & (at <= sound.shape[1] - 1)
            heard = np.zeros((len(sound), len(at)))
            heard[:, inside] = CubicSpline(np.arange(sound.shape[1]), sound, axis=1)(at[inside])
            heard *= recorder.gain
            heard += 10 ** (recorder.noise_dbfs / 20) * rng.standard_normal(heard.shape)
            if recorder.lost is not None:
                begin, length = (round(each * sample_rate) for each in recorder.lost)
                heard = np.delete(heard, slice(begin, begin + length), axis=1)
            if recorder.clips_at is not None:
                heard = np.clip(heard, -recorder.clips_at, recorder.clips_at)
            recordings.append(heard)
        return recordings


def record_all(folder: Path, laboratory: Laboratory, *, off_m=None, name: str = "", is_ears: bool = False) -> Path:
    """Play the sweeps of ``folder`` in the laboratory and write what is recorded beside them; returns its folder.

    Parameters
    ----------
    folder : Path
        Of sweeps; recordings go to a folder beside it.
    off_m : mapping of int to (x, y, z), optional
        How far from its place the microphone is, by the place's number from 1 on.
    name : str
        Driver whose file is played; that of all by default.
    """
    plan = json.loads((folder / "plan.json").read_text())
    played = next(folder.glob(f"*-{name or 'all'}.wav"))
    audio, sample_rate = soundfile.read(played)
    points = np.array(plan["places_m"])
    for place, off in (off_m or {}).items():
        points[place - 1] += off
    recordings = folder.parent / "recordings"
    recordings.mkdir(exist_ok=True)
    for index, sound in enumerate(laboratory.record(audio.T, sample_rate, points, is_ears=is_ears), 1):
        target = recordings / f"place-{index}{'-' + name if name else ''}.wav"
        soundfile.write(target, sound.T, sample_rate, subtype="PCM_24")
    return recordings
