"""What the plugin does to one impulse, as curves: everything the page draws and says about a device."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forestage.arrays import FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.result import Design
from forestage.firs import response_of
from forestage.metrics.directivity import AZIMUTH_DEG, on_off_db, pattern
from forestage.metrics.separation import ear_responses, separation_db
from forestage.params import Value
from forestage.short_repr import ShortRepr

from .sound import Audio, Probe

FREQUENCY_HZ = np.geomspace(50.0, 20_000.0, 260)
PATTERN_HZ = np.geomspace(100.0, 10_000.0, 160)
OCTAVES_HZ = (250, 500, 1000, 2000, 4000, 8000)
BEAM_BAND_HZ = (300.0, 1250.0)
JUDGED_BAND_HZ = (200.0, 8000.0)
DEPTH_BAND_HZ = (250.0, 1000.0)
ROOM_FRAMES = 32_768  # longer than any room response
DELAY_BAND_HZ = (100.0, 1500.0)  # where the ears compare times
EARS = ("Headphones", "Headphones Plain", "Headphones Reference")
LEFT, RIGHT, BOTH = (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)
NO_GAINS: Mapping[str, Value] = {"monitor": "Speakers", "level_match": 0, "safe_headroom": 0}


@dataclass(frozen=True, repr=False)
class Beam(ShortRepr):
    """Pattern of the centre: level in dB relative to the axis, shape (azimuths, PATTERN_HZ), and front over sides."""

    beam_db: FloatArray
    plain_db: FloatArray
    beam_on_off_db: FloatArray
    plain_on_off_db: FloatArray

    def in_band(self, curve: FloatArray) -> FloatArray:
        """Part of an on-off curve within BEAM_BAND_HZ."""
        return curve[_inside(PATTERN_HZ, BEAM_BAND_HZ)]


@dataclass(frozen=True, repr=False)
class Facts(ShortRepr):
    """Measurements of one design, on FREQUENCY_HZ.

    Attributes
    ----------
    separation : dict
        "plain", "processed", "target" and "allowed" (the target within the cap on driver power): near over far ear in
        dB, mean of both channels.
    side_filters, center_filters : dict
        Level at each driver in dB, from the left channel and from the centre.
    stage : dict
        Left ear over right ear in dB for a sound on the left, in third-octave bands, by headphones monitor.
    ear_delay_us : dict
        How much later that sound reaches the right ear, in microseconds, within DELAY_BAND_HZ, by headphones monitor.
    beam : Beam or None
        For a device with a centre driver.
    latency_frames, arrival_frames : int
        Reported, and where the impulse of plain stereo comes out.
    headroom_db : float
        Gain of ``safe_headroom``.
    room_drr_db : dict
        Direct over reverberant sound of the centre at the listener's ears in the room, within DEPTH_BAND_HZ: "beam" and
        "plain".
    """

    separation: dict[str, FloatArray]
    side_filters: dict[str, FloatArray]
    center_filters: dict[str, FloatArray]
    stage: dict[str, FloatArray]
    ear_delay_us: dict[str, float]
    beam: Beam | None
    latency_frames: int
    arrival_frames: int
    headroom_db: float
    room_drr_db: dict[str, float]

    def octave(self, which: str, centre_hz: float) -> float:
        """Mean separation in dB over the octave around a frequency."""
        inside = np.abs(np.log2(FREQUENCY_HZ / centre_hz)) <= 0.5
        return float(np.mean(self.separation[which][inside]))

    @property
    def separation_error_db(self) -> float:
        """Root mean square of processed minus allowed separation within JUDGED_BAND_HZ."""
        error = (self.separation["processed"] - self.separation["allowed"])[_inside(FREQUENCY_HZ, JUDGED_BAND_HZ)]
        return float(np.sqrt(np.mean(error**2)))

    def stage_error_db(self, monitor: str) -> float:
        """Mean distance of a monitor's ear difference from the reference pair's, within JUDGED_BAND_HZ."""
        error = (self.stage[monitor] - self.stage["Headphones Reference"])[_inside(FREQUENCY_HZ, JUDGED_BAND_HZ)]
        return float(np.mean(np.abs(error)))


def measure_design(preset: Path, design: Design) -> Facts:
    """Measure a design through the plugin that plays its preset."""
    probe = Probe(preset, sample_rate=SAMPLE_RATE)
    processed, plain = _filters(probe), _filters(probe, amount=0)
    separation = {
        name: separation_db(ear_responses(design.plant, firs, FREQUENCY_HZ, sample_rate=SAMPLE_RATE)).mean(axis=0)
        for name, firs in (("plain", plain), ("processed", processed))
    }
    separation["target"] = design.target.curve_db(FREQUENCY_HZ)
    separation["allowed"] = design.cancellation.separation_db(FREQUENCY_HZ).mean(axis=0)
    names = [driver.name for driver in design.device.drivers]
    center = probe.responses(BOTH, solo="Center", **NO_GAINS)
    ears = {monitor: probe.responses(LEFT, monitor=monitor) for monitor in EARS}
    guarded, open_wide = (
        probe.responses(LEFT, monitor="Speakers", safe_headroom=value) for value in ("Programme", "Off")
    )
    return Facts(
        separation,
        dict(zip(names, _level_db(processed[:, 0]), strict=True)),
        dict(zip(names, _level_db(center), strict=True)),
        {monitor: _ear_difference_db(firs) for monitor, firs in ears.items()},
        {monitor: _ear_delay_us(firs) for monitor, firs in ears.items()},
        _beam(probe, design) if design.device.can_beam else None,
        probe.latency_frames,
        int(np.argmax(np.abs(plain[design.plant.references[0], 0]))),
        20 * float(np.log10(np.linalg.norm(guarded) / np.linalg.norm(open_wide))),
        {"beam": _room_drr_db(probe, center_presence=100), "plain": _room_drr_db(probe, center_focus=0)},
    )


def _room_drr_db(probe: Probe, **params: Value) -> float:
    """Direct sound is what the free field brings, reverberant all that the room adds to it."""
    alone: dict[str, Value] = {"monitor": "Headphones", "solo": "Center", "level_match": 0, **params}
    free, room = (probe.responses(BOTH, ROOM_FRAMES, room=place, **alone) for place in ("Off", "On"))
    direct = free * 10 ** ((probe.ears_gain_db(in_room=True) - probe.ears_gain_db(in_room=False)) / 20)
    inside = _inside(np.fft.rfftfreq(ROOM_FRAMES, 1 / SAMPLE_RATE).astype(np.float64), DEPTH_BAND_HZ)
    energies = [np.sum(np.abs(np.fft.rfft(x)[:, inside]) ** 2) for x in (direct, room - direct)]
    return 10 * float(np.log10(energies[0] / energies[1]))


def _filters(probe: Probe, **params: Value) -> FloatArray:
    """Filters from the (left, right) channel to the drivers alone, shape (drivers, 2, taps)."""
    alone: dict[str, Value] = {**NO_GAINS, "upmix": 0, "stage_crosstalk": 0, **params}
    return np.stack([probe.responses(gains, **alone) for gains in (LEFT, RIGHT)], axis=1).astype(np.float64)


def _level_db(firs: ArrayLike, floor_db: float = -80.0) -> FloatArray:
    level = np.abs(response_of(firs, FREQUENCY_HZ, sample_rate=SAMPLE_RATE))
    return 20 * np.log10(np.maximum(level, 10 ** (floor_db / 20)))


def _ear_difference_db(ears: Audio) -> FloatArray:
    left, right = 10 * np.log10(_third_octave_power(ears))
    return left - right


def _ear_delay_us(ears: Audio) -> float:
    """Delay at which the ears' signals are most alike."""
    frames, finer = 2 * ears.shape[1], 16
    frequency = np.fft.rfftfreq(frames, 1 / SAMPLE_RATE).astype(np.float64)
    left, right = np.fft.rfft(ears, frames) * _inside(frequency, DELAY_BAND_HZ)
    likeness = np.fft.irfft(right * np.conj(left), finer * frames)
    best = int(np.argmax(np.abs(likeness)))
    return 1e6 * (best - len(likeness) * (best > len(likeness) // 2)) / (finer * SAMPLE_RATE)


def _third_octave_power(firs: Audio) -> FloatArray:
    """Mean power in the third of an octave around each of FREQUENCY_HZ, shape (..., n)."""
    power = np.abs(np.fft.rfft(np.asarray(firs, dtype=np.float64), axis=-1)) ** 2
    total = np.concatenate([np.zeros((*power.shape[:-1], 1)), np.cumsum(power, axis=-1)], axis=-1)
    bin_hz = SAMPLE_RATE / np.shape(firs)[-1]
    first = np.round(FREQUENCY_HZ * 2 ** (-1 / 6) / bin_hz).astype(int)
    end = np.minimum(np.round(FREQUENCY_HZ * 2 ** (1 / 6) / bin_hz).astype(int) + 1, power.shape[-1])
    return (total[..., end] - total[..., first]) / (end - first)


def _inside(frequency_hz: FloatArray, band_hz: tuple[float, float]) -> NDArray[np.bool_]:
    low_hz, high_hz = band_hz
    return (low_hz <= frequency_hz) & (frequency_hz <= high_hz)


def _beam(probe: Probe, design: Design) -> Beam:
    """The beam by itself, which a centre of full presence is; in a room, what is heard by default gives of it."""
    beam, plain = (
        probe.responses(BOTH, solo="Center", center_presence=presence, center_focus=focus, **NO_GAINS)
        for presence, focus in ((100, 100), (0, 0))
    )
    levels, on_off = [], []
    for firs in (beam, plain):
        pressure = pattern(design.device, firs, PATTERN_HZ, sample_rate=SAMPLE_RATE)
        level = 20 * np.log10(np.maximum(np.abs(pressure), 1e-9))
        levels.append(level - level[np.argmin(np.abs(AZIMUTH_DEG))])
        on_off.append(on_off_db(pressure))
    return Beam(levels[0], levels[1], on_off[0], on_off[1])
