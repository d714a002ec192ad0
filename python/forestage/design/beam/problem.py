"""The beam problem, in one form for all methods.

Voices are drivers, or groups of drivers that play the same. Weights w of the voices, one complex number per frequency,
make the pressure ``B(azimuth) = sum of w_g P_g(azimuth)`` around the device. Methods look for w with B = 1 on axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.target import BeamTarget
from forestage.metrics.directivity import FRONT_DEG, SIDES_DEG
from forestage.short_repr import ShortRepr

LEAST_PASSED = 0.01
# What is never missed
NOTHING_DB = -100.0


@dataclass(frozen=True, repr=False)
class BeamProblem(ShortRepr):
    """Everything a method may use, on a frequency grid of its own; see `beam_problem`.

    Attributes
    ----------
    frequency_hz : ndarray, shape (n,)
        The grid.
    pattern : ndarray of complex, shape (voices, azimuths, n)
        Pressure around the device per voice; the first voice is the middle, which ratios are relative to.
    azimuth_deg : ndarray, shape (azimuths,)
        From -180 to below 180, rising.
    target : BeamTarget
        What to aim at.
    price : ndarray, shape (voices, 1)
        Drivers of each voice: the power they get for a weight of 1.
    outside : ndarray, shape (voices, n)
        Share of that power that their crossovers keep from them.
    strongest, loudest : ndarray, shape (n,)
        Most power of a single driver on axis, and on average to the sides.
    delay_s : ndarray, shape (voices,)
        How much later than the first voice each one arrives on axis.
    plays_on : ndarray of bool, shape (voices,)
        Which voices play above the band.
    total : ndarray of complex, shape (n, voices, voices)
        Matrices of the mean power in all directions.
    on_off_db, floor_db, gain_db, carry_db : ndarray, shape (n,)
        Front over sides, lowest level in the window, white noise gain, and directivity index, to be reached.
    edge_hz : float
        Upper edge of the band.
    wanted : ndarray of complex, shape (n,), optional
        Pressure to be reached on axis; any by default.
    """

    frequency_hz: FloatArray
    pattern: ComplexArray
    azimuth_deg: FloatArray
    target: BeamTarget
    price: FloatArray
    outside: FloatArray
    strongest: FloatArray
    loudest: FloatArray
    delay_s: FloatArray
    plays_on: NDArray[np.bool_]
    total: ComplexArray
    on_off_db: FloatArray
    floor_db: FloatArray
    gain_db: FloatArray
    carry_db: FloatArray
    edge_hz: float
    wanted: ComplexArray | None = None

    @cached_property
    def axis(self) -> ComplexArray:
        """Pressure on axis per voice, shape (voices, n)."""
        return self.toward(0.0)

    @cached_property
    def alignment(self) -> ComplexArray:
        """What lets all voices arrive on axis together with the first one, shape (voices, n)."""
        return np.exp(2j * np.pi * self.delay_s[:, None] * self.frequency_hz)

    @cached_property
    def carrier(self) -> ComplexArray:
        """The same with the phase of the first voice taken out, so that gains are mostly real, shape (voices, n)."""
        return self.alignment * np.exp(-1j * np.angle(self.axis[0]))

    @property
    def is_asked(self) -> NDArray[np.bool_]:
        """Where front over sides is asked for, shape (n,)."""
        return (self.frequency_hz >= self.target.band_hz[0]) & (self.frequency_hz <= self.edge_hz)

    @cached_property
    def front(self) -> ComplexArray:
        """Pressure within the window per voice, shape (voices, azimuths, n)."""
        return self.pattern[:, np.abs(self.azimuth_deg) <= FRONT_DEG]

    @cached_property
    def window(self) -> ComplexArray:
        """The same at every other azimuth and at its edges, enough to hold its level, shape (voices, azimuths, n)."""
        count = self.front.shape[1]
        return self.front[:, np.unique([0, *range(count // 2 % 2, count, 2), count - 1])]

    @cached_property
    def sides(self) -> ComplexArray:
        """Pressure to the sides per voice, shape (voices, azimuths, n)."""
        return self.pattern[:, is_side(self.azimuth_deg)]

    @cached_property
    def cost(self) -> FloatArray:
        """Drivers of each voice over what their crossovers let pass, so that none is pushed, shape (voices, n)."""
        return self.price / np.clip(1.0 - self.outside / self.price, LEAST_PASSED, 1.0)

    @cached_property
    def spread(self) -> FloatArray:
        """Mean power to the sides that the spread of the drivers adds for a weight of 1, shape (voices, n)."""
        return self.target.spread_power * self.price * self.loudest

    def toward(self, azimuth_deg: float, *, derivative: int = 0) -> ComplexArray:
        """Pressure per voice at any azimuth, or a derivative over azimuth in radians, shape (voices, n)."""
        angles = np.deg2rad(np.append(self.azimuth_deg, self.azimuth_deg[0] + 360.0))
        closed = np.concatenate([self.pattern, self.pattern[:, :1]], axis=1)
        return CubicSpline(angles, closed, axis=1, bc_type="periodic")(np.deg2rad(azimuth_deg), nu=derivative)

    def radiated(self, weights: ComplexArray) -> ComplexArray:
        """Pressure around the device, shape (azimuths, n)."""
        return np.einsum("gaf,gf->af", self.pattern, weights)

    def white_noise_gain_db(self, weights: ComplexArray) -> FloatArray:
        """Power on axis over driver power, relative to the strongest single driver, shape (n,)."""
        drive = np.sum(self.price * np.abs(weights) ** 2, axis=0)
        return 10 * np.log10(np.abs(np.sum(self.axis * weights, axis=0)) ** 2 / drive / self.strongest)

    def directivity_index_db(self, weights: ComplexArray) -> FloatArray:
        """Power on axis over mean power in all directions, shape (n,)."""
        power = np.einsum("gf,fgh,hf->f", weights.conj(), self.total, weights).real
        return 10 * np.log10(np.abs(np.sum(self.axis * weights, axis=0)) ** 2 / power)


def is_side(azimuth_deg: FloatArray) -> NDArray[np.bool_]:
    """Which azimuths are to the sides."""
    return (np.abs(azimuth_deg) >= SIDES_DEG[0]) & (np.abs(azimuth_deg) <= SIDES_DEG[1])


def beam_problem(
    frequency_hz: ArrayLike,
    pattern: ArrayLike,
    azimuth_deg: ArrayLike,
    *,
    target: BeamTarget | None = None,
    groups: Sequence[Sequence[int]] | None = None,
    drive: ArrayLike = 1.0,
    delay_s: ArrayLike = 0.0,
    plays_on: ArrayLike = True,
    total: ArrayLike | None = None,
    edge_hz: float | None = None,
) -> BeamProblem:
    """Set the problem up for a set of drivers.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies to solve at, in Hz.
    pattern : array_like of complex, shape (drivers, azimuths, n)
        Pressure around the device per driver.
    azimuth_deg : array_like, shape (azimuths,)
        From -180 to below 180, rising, with 0 among them.
    target : BeamTarget, optional
        What to aim at.
    groups : sequence of sequences of int, optional
        Drivers that play the same, the middle first; every driver on its own by default.
    drive : array_like, scalar or shape (drivers, n)
        Power gain of each driver's crossover.
    delay_s : array_like, scalar or shape (groups,)
        How much later than the first group each one arrives on axis.
    plays_on : sequence of bool, optional
        Which groups play above the band; all by default.
    total : array_like of complex, shape (n, drivers, drivers), optional
        Matrices of the mean power in all directions; in those of the azimuths by default.
    edge_hz : float, optional
        Upper edge of the band; the highest frequency by default.
    """
    frequency, azimuth = np.asarray(frequency_hz, dtype=np.float64), np.asarray(azimuth_deg, dtype=np.float64)
    drivers = np.asarray(pattern, dtype=np.complex128)
    groups = groups or [[index] for index in range(len(drivers))]
    target = target or BeamTarget()
    power = np.abs(drivers) ** 2
    total = np.einsum("daf,eaf->fde", drivers.conj(), drivers) / len(azimuth) if total is None else np.asarray(total)
    member = np.array([[float(index in group) for index in range(len(drivers))] for group in groups])
    outside = 1.0 - np.broadcast_to(drive, (len(drivers), len(frequency)))
    return BeamProblem(
        frequency,
        np.stack([drivers[list(group)].sum(axis=0) for group in groups]),
        azimuth,
        target,
        np.array([[float(len(group))] for group in groups]),
        np.stack([outside[list(group)].sum(axis=0) for group in groups]),
        power[:, np.argmin(np.abs(azimuth))].max(axis=0),
        power[:, is_side(azimuth)].mean(axis=1).max(axis=0),
        np.broadcast_to(np.asarray(delay_s, dtype=np.float64), len(groups)),
        np.broadcast_to(np.asarray(plays_on, dtype=np.bool_), len(groups)),
        member @ total @ member.T,
        np.full_like(frequency, target.on_off_db),
        np.full_like(frequency, target.window_db[0]),
        np.full_like(frequency, target.white_noise_gain_db),
        np.full_like(frequency, NOTHING_DB),
        float(frequency[-1]) if edge_hz is None else edge_hz,
    )
