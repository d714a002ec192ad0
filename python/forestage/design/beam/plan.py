"""The plan of a centre beam: the gains of the drivers, the level and the timing.

Gains are smooth curves: all drivers alike at 0 Hz, the beam in its band, and above only those that play on. The beam
has a flat magnitude on axis, at the level of plain stereo in the bass, and the phase of the plain stereo drivers there,
shifted to arrive at each ear together with the near side of plain stereo.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.driver_response import room_db
from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.array import BeamArray
from forestage.design.beam.curves import BeamCurves
from forestage.design.beam.target import BeamTarget
from forestage.design.shortfall import Shortfall
from forestage.design.skew import aligned_plain
from forestage.short_repr import ShortRepr

LEVEL_HZ = 100.0
HIGHEST_HZ = 20_000.0
MAX_GAIN = 4.0


@dataclass(frozen=True, repr=False)
class BeamPlan(ShortRepr):
    """Beam of one device; see `plan_beam`.

    Attributes
    ----------
    array : BeamArray
        The device.
    target : BeamTarget
        What was aimed at.
    plant : Plant
        From its drivers to the listener.
    curves : BeamCurves
        Gains of the groups; their ratios to the middle shape the pattern.
    lead_s : float
        How much earlier the middle reaches the listener than plain stereo.
    near_lead_s : float
        How much earlier plain stereo reaches the near ears than the middle of the head.
    shortfall : tuple of Shortfall
        Where the exported filters miss the target, and by how much.
    """

    array: BeamArray
    target: BeamTarget
    plant: Plant
    curves: BeamCurves
    lead_s: float
    near_lead_s: float = 0.0
    shortfall: tuple[Shortfall, ...] = ()

    def align_frames(self, sample_rate: int) -> tuple[int, int]:
        """Extra delay of the (cancel, beam) path in frames; one of them is 0."""
        frames = round(self.lead_s * sample_rate)
        return max(-frames, 0), max(frames, 0)

    def advance_s(self, sample_rate: int) -> float:
        """What the filters are early by because of the alignment delays, in seconds."""
        cancel_frames, beam_frames = self.align_frames(sample_rate)
        return (beam_frames - cancel_frames) / sample_rate

    @cached_property
    def level(self) -> float:
        """Level on axis."""
        return plain_level(self.array, self.plant)

    def wanted_on_axis(self, frequency_hz: FloatArray) -> ComplexArray:
        """Pressure wanted on axis, so that the beam arrives with the near side of plain stereo, shape (n,)."""
        drivers, references = self.array.device.drivers, self.plant.references
        # Tweeters and woofers take over from the references; what plays beside them would make a comb
        bands = [(driver.low_hz, driver.high_hz) for driver in drivers]
        heard = [
            k
            for k, driver in enumerate(drivers)
            if k in references or (driver.channel == "both" and bands[k] != bands[references[0]])
        ]
        plain = plain_on_axis(self.array, self.plant, frequency_hz, heard)
        return self.level * np.exp(1j * (np.angle(plain) + 2 * np.pi * frequency_hz * self.near_lead_s))

    def carrier(self, frequency_hz: FloatArray) -> ComplexArray:
        """Responses of the groups for gains of 1: aligned, at the level and the phase wanted on axis."""
        first = np.angle(self.array.on_axis(frequency_hz)[self.array.groups[0][0]])
        return self.array.alignment(frequency_hz) * self.wanted_on_axis(frequency_hz) * np.exp(-1j * first)

    def above(self, frequency_hz: FloatArray) -> ComplexArray:
        """Responses of the groups that are there without any gain: of those that play on, flat on axis."""
        playing = self.curves.above(frequency_hz) * self.carrier(frequency_hz)
        pressure = np.sum(self.array.summed(self.array.on_axis(frequency_hz)) * playing, axis=0)
        gain = self.level / np.maximum(np.abs(pressure), 1e-9 * self.level)
        # Soft limit: drivers that hardly reach the axis, say in the treble, are not forced to
        gain /= (1.0 + (gain * np.abs(playing).max(axis=0) / MAX_GAIN) ** 24) ** (1.0 / 24.0)
        return self.curves.faded(frequency_hz) * gain * playing

    def responses(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Filters of all groups, without modelling delay, shape (groups, n).

        At each ear they arrive together with the near side of plain stereo; no alignment delay is assumed beside them.
        Where a driver has a limit of its own, all give way alike: the pattern stays.
        """
        # Above 20 kHz the response is held
        frequency = np.minimum(np.asarray(frequency_hz, dtype=np.float64), HIGHEST_HZ)
        in_band = self.curves.gain @ self.curves.basis(frequency).T
        return self._within_limits(self.carrier(frequency) * in_band + self.above(frequency), frequency)

    def _within_limits(self, responses: ComplexArray, frequency_hz: FloatArray) -> ComplexArray:
        drivers = self.array.device.drivers
        if not any(driver.is_limited for driver in drivers):
            return responses
        most_db = [np.min([room_db(drivers[k], frequency_hz) for k in group], axis=0) for group in self.array.groups]
        most = 10.0 ** (np.stack(most_db) / 20)
        return responses * np.minimum(1.0, (most / np.maximum(np.abs(responses), 1e-30)).min(axis=0))


def plain_on_axis(array: BeamArray, plant: Plant, frequency_hz: FloatArray, drivers: list[int]) -> ComplexArray:
    """Pressure on axis of some drivers when plain stereo plays a mono programme, shape (n,)."""
    gains = aligned_plain(plant, frequency_hz).sum(axis=1)
    return np.sum((gains * array.on_axis(frequency_hz))[drivers], axis=0)


def plain_level(array: BeamArray, plant: Plant) -> float:
    """Level of plain stereo on axis in the bass, but well inside the band of its reference drivers."""
    drivers = array.device.drivers
    frequency = np.array([max([LEVEL_HZ, *(2.0 * (drivers[k].low_hz or 0.0) for k in plant.references)])])
    sides = [k for k, driver in enumerate(drivers) if driver.channel in ("left", "right")]
    return float(np.abs(plain_on_axis(array, plant, frequency, sides))[0])
