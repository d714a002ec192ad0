"""A device as an array: its field around it, which drivers play the same, and when each arrives on axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from forestage.acoustics.crossover import crossover
from forestage.acoustics.device import Device
from forestage.acoustics.fields import phasors
from forestage.acoustics.plant import directivity, mean_power
from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.problem import BeamProblem, beam_problem
from forestage.design.beam.target import BeamTarget
from forestage.short_repr import ShortRepr

GRID_HZ = np.arange(0.0, 20_001.0, 50.0)
CIRCLE_DEG = np.arange(-180.0, 180.0, 5.0)
AXIS_DEG = np.zeros(1)
ALIKE_HZ = (100.0, 4000.0)
ALIKE_DB = -20.0
AUDIBLE_DB = -10.0
TIMED_HZ = (100.0, 8000.0)
DELAYS_S = np.arange(-3e-3, 3e-3, 2e-6)

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, repr=False)
class BeamArray(ShortRepr):
    """The drivers of a device in groups that play the same, the middle first.

    Attributes
    ----------
    device : Device
        The device.
    field : ndarray of complex, shape (drivers, len(CIRCLE_DEG), len(GRID_HZ))
        Pressure around it per driver.
    groups : tuple of tuples of int
        Indices of drivers: mirror images of each other, or one alone.
    delay_s : ndarray, shape (groups,)
        How much later than the middle each group arrives on axis.
    """

    device: Device
    field: ComplexArray
    groups: Groups
    delay_s: FloatArray

    def pattern(self, frequency_hz: ArrayLike, azimuth_deg: FloatArray = CIRCLE_DEG) -> ComplexArray:
        """Pressure per driver at azimuths of the circle, held above 20 kHz, shape (drivers, azimuths, n)."""
        return _between(self.field[:, np.isin(CIRCLE_DEG, azimuth_deg)], frequency_hz)

    def group_pattern(self, frequency_hz: ArrayLike, azimuth_deg: FloatArray = CIRCLE_DEG) -> ComplexArray:
        """The same per group, shape (groups, azimuths, n)."""
        return _between(self.summed(self.field[:, np.isin(CIRCLE_DEG, azimuth_deg)]), frequency_hz)

    def on_axis(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Pressure on axis per driver, shape (drivers, n)."""
        return self.pattern(frequency_hz, AXIS_DEG)[:, 0]

    def problem(
        self, frequency_hz: FloatArray, target: BeamTarget, *, plays_on: ArrayLike = True, edge_hz: float | None = None
    ) -> BeamProblem:
        """The beam problem of the groups; see `beam_problem`."""
        return beam_problem(
            frequency_hz,
            self.pattern(frequency_hz),
            CIRCLE_DEG,
            target=target,
            groups=self.groups,
            drive=np.stack([np.abs(crossover(driver, frequency_hz)) ** 2 for driver in self.device.drivers]),
            delay_s=self.delay_s,
            plays_on=plays_on,
            total=mean_power(self.device, frequency_hz) / self.device.listener.distance_m**2,
            edge_hz=edge_hz,
        )

    def alignment(self, frequency_hz: FloatArray) -> ComplexArray:
        """What lets all groups arrive on axis together with the middle, shape (groups, n)."""
        return np.exp(2j * np.pi * self.delay_s[:, None] * frequency_hz)

    def summed(self, drivers: ComplexArray) -> ComplexArray:
        """Sums over the drivers of each group, first axis groups."""
        return np.stack([drivers[list(group)].sum(axis=0) for group in self.groups])

    def to_groups(self, drivers: NDArray[Any]) -> NDArray[Any]:
        """Means over the drivers of each group, first axis groups."""
        return np.stack([drivers[list(group)].mean(axis=0) for group in self.groups])

    def to_drivers(self, groups: NDArray[Any]) -> NDArray[Any]:
        """What each group plays, for each driver, first axis drivers."""
        owner = np.empty(len(self.device.drivers), dtype=int)
        for index, group in enumerate(self.groups):
            owner[list(group)] = index
        return groups[owner]


def beam_array(device: Device, *, band_hz: tuple[float, float]) -> BeamArray:
    """Sample the field of a device and put its drivers into groups.

    Parameters
    ----------
    device : Device
        The device.
    band_hz : tuple of float
        Band in which the middle must be audible.
    """
    field = directivity(device, GRID_HZ, CIRCLE_DEG)
    groups = _mirror_groups(field)
    inside = _within(*band_hz)
    level_db = 10 * np.log10(np.mean(np.abs(field[..., inside]) ** 2, axis=(1, 2)))
    middle = _middle(device, groups, level_db >= level_db.max() + AUDIBLE_DB)
    groups = (groups[middle], *groups[:middle], *groups[middle + 1 :])
    axis = field[:, CIRCLE_DEG == AXIS_DEG][:, 0]
    delay_s = np.array([later_s(axis[group[0]], axis[groups[0][0]]) for group in groups])
    return BeamArray(device, field, groups, delay_s)


def _mirror_groups(field: ComplexArray) -> Groups:
    """Drivers whose fields are mirror images of each other, in the order of the first of each."""
    seen = field[..., _within(*ALIKE_HZ)]
    mirrored = seen[:, np.r_[0, len(CIRCLE_DEG) - 1 : 0 : -1]]
    groups: list[tuple[int, ...]] = []
    free = list(range(len(field)))
    while free:
        first = free.pop(0)
        allowed = 10 ** (ALIKE_DB / 10) * np.sum(np.abs(seen[first]) ** 2)
        twin = next((k for k in free if np.sum(np.abs(mirrored[k] - seen[first]) ** 2) < allowed), None)
        if twin is not None:
            free.remove(twin)
        groups.append((first,) if twin is None else (first, twin))
    return tuple(groups)


def _middle(device: Device, groups: Groups, is_audible: NDArray[np.bool_]) -> int:
    """The audible group closest to the plane of symmetry, of those with a centre driver if there are any."""

    def rank(index: int) -> tuple[bool, bool, float]:
        drivers = [device.drivers[k] for k in groups[index]]
        has_center = any(driver.channel == "center" for driver in drivers)
        offset = max(abs(driver.y_position) for driver in drivers)
        return not has_center, not is_audible[groups[index][0]], offset

    return min(range(len(groups)), key=rank)


def later_s(pressure: ComplexArray, reference: ComplexArray) -> float:
    """How much later one pressure is than another, where both are there: the peak of their correlation."""
    inside = _within(*TIMED_HZ)
    cross = (pressure * reference.conj())[inside]
    cross /= np.abs(pressure[inside]) ** 2 + np.abs(reference[inside]) ** 2
    return float(DELAYS_S[np.argmax(np.real(cross @ phasors(2 * np.pi * GRID_HZ[inside], -DELAYS_S)))])


def _within(low_hz: float, high_hz: float) -> NDArray[np.bool_]:
    return (low_hz <= GRID_HZ) & (high_hz >= GRID_HZ)


def _between(field: ComplexArray, frequency_hz: ArrayLike) -> ComplexArray:
    frequency = np.minimum(np.asarray(frequency_hz, dtype=np.float64), GRID_HZ[-1])
    return np.asarray(CubicSpline(GRID_HZ, field, axis=-1)(frequency), dtype=np.complex128)
