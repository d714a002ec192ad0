"""From weights per frequency to the filters that are exported."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline, PchipInterpolator

from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.cancel.problem import ROUNDING, CancelProblem
from forestage.design.cancel.robust import within_cap
from forestage.design.filters import MASTER_RATE, delay_for, fit_firs, from_upper, grid_for, taps_for
from forestage.design.shortfall import Shortfall, shortfalls
from forestage.firs import response_of
from forestage.short_repr import ShortRepr

# Frequencies at which methods solve; in between the weights are smooth
SOLVE_HZ: FloatArray = np.geomspace(20.0, 20_000.0, 320)
GUARD_STEPS = 16
# Less than the cap by this much, as evening out the near ears moves the filters again
GUARD_MARGIN_DB = 0.05
# Drivers need not get less than plain stereo and this
LEAST_DRIVE_DB = 0.1
GUARD_SPREAD_OCTAVES = 0.08
# In the bass a filter turns no faster
GUARD_SPREAD_HZ = 60.0
GUARD_GAIN = 2.0
# Weights of errors at the near ear of the seat, and of the filters themselves, over those at the far ears
NEAR_SHARE = 0.3
OWN_SHARE = 0.05
# What both have besides where drivers may get no more than plain stereo
BASS_NEAR_SHARE = 3.25
BASS_OWN_SHARE = 0.1
# Least power of a side over that of the other one that errors are held against
QUIET_SHARE = 0.01


@dataclass(frozen=True, repr=False)
class Solution(ShortRepr):
    """Weights of all drivers on the grid of their problem.

    Attributes
    ----------
    problem : CancelProblem
        What was solved.
    weights : ndarray of complex, shape (drivers, 2, n)
        Filters from the (left, right) channel.
    """

    problem: CancelProblem
    weights: ComplexArray

    def at(self, frequency_hz: FloatArray) -> ComplexArray:
        """Weights at other frequencies, shape (drivers, 2, n); held outside the grid."""
        grid = self.problem.frequency_hz
        inside = np.log(np.clip(frequency_hz, grid[0], grid[-1]))
        return CubicSpline(np.log(grid), self.weights, axis=-1)(inside)

    def separation_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """Separation at the seat at other frequencies, for the (left, right) channel, shape (2, n)."""
        solved = self.problem.separation_db(self.weights)[0]
        inside = np.log(np.maximum(np.asarray(frequency_hz, dtype=np.float64), 1.0))
        return np.stack([np.interp(inside, np.log(self.problem.frequency_hz), row) for row in solved])

    def shortfall(self) -> tuple[Shortfall, ...]:
        """Where the separation over the zone stays short of the target, of the channel that has less."""
        reached_db = self.problem.zone_separation_db(self.weights).min(axis=0)
        return tuple(shortfalls("separation", self.problem.frequency_hz, self.problem.target_db - reached_db))


def cancel_firs(solution: Solution, *, sample_rate: int = MASTER_RATE, start: FloatArray | None = None) -> FloatArray:
    """Fitted filters, shape (drivers, 2, taps); see `sample_firs` for other rates.

    The filters of a channel are fitted together, to the pressure that they make at the ears of the zone; faster from a
    start that is near.
    """
    frequency = grid_for(sample_rate)
    wanted = solution.at(frequency)
    taps, delay = taps_for(sample_rate), delay_for(sample_rate)
    firs = np.zeros((*wanted.shape[:2], taps))
    images = solution.problem.images
    is_mirrored = images is not None and np.allclose(wanted[images, 0], wanted[:, 1], rtol=0.0, atol=ROUNDING)
    for channel in range(1 if is_mirrored else 2):
        used = np.flatnonzero(np.any(wanted[:, channel], axis=-1))
        kernel = _ear_kernel(solution, channel, frequency)[np.ix_(used, used)]
        firs[used, channel] = fit_firs(
            wanted[used, channel],
            kernel=kernel,
            taps=taps,
            delay_frames=delay,
            start=None if start is None else start[used, channel],
        )
    if is_mirrored:
        firs[:, 1] = firs[images, 0]
    return firs


def _ear_kernel(solution: Solution, channel: int, frequency: FloatArray) -> ComplexArray:
    """Weight of errors of the filters of a channel, shape (drivers, drivers, n); see `fit_firs`.

    Errors count by the power they make at the far ears of the zone and, less, at the near ear of the seat, and a little
    by themselves, more where the drive cap rises; all the more where little is to be left at the far ear.
    """
    problem = solution.problem
    far, near = problem.response[:, 1 - channel], problem.response[0, channel]
    kernel: ComplexArray = np.einsum("sdf,sef->def", far.conj(), far) / len(far)
    own = np.eye(len(kernel))[:, :, None]
    beside = np.einsum("df,ef->def", near.conj(), near) / heard_power(problem)[channel]
    kernel /= heard_power(problem)[channel]
    kernel += NEAR_SHARE * beside + OWN_SHARE * own
    kernel *= 10.0 ** (np.clip(problem.separation_db(solution.weights)[0, channel], 0.0, 30.0) / 10)
    held = 1.0 - problem.drive_cap_db / max(np.max(problem.drive_cap_db), 1e-9)
    kernel += held * (BASS_NEAR_SHARE * beside + BASS_OWN_SHARE * own)
    grid = problem.frequency_hz
    inside = np.log(np.clip(frequency, grid[0], grid[-1]))
    upper = kernel[np.triu_indices(len(kernel))]
    real, imaginary = (PchipInterpolator(np.log(grid), part, axis=-1)(inside) for part in (upper.real, upper.imag))
    between: ComplexArray = np.asarray(real + 1j * imaginary)
    return from_upper(between / np.sqrt(np.clip(frequency, 100.0, 20_000.0)))


def heard_power(problem: CancelProblem) -> FloatArray:
    """Power at the near ear that errors of the (left, right) channel count against, shape (2, n).

    Where a side hardly plays, nothing needs to be as quiet as it is.
    """
    power = np.abs(problem.wanted) ** 2
    return np.maximum(power, QUIET_SHARE * power[::-1])


def guarded(solution: Solution) -> Solution:
    """The solution, taken back towards plain stereo where the exported filters would pass the drive cap.

    A filter rounds the corners where the cap rises and where it stops to matter, and overshoots there.
    """
    problem = solution.problem
    frequency = problem.frequency_hz
    width_hz = np.maximum(np.log(2.0) * GUARD_SPREAD_OCTAVES * frequency, GUARD_SPREAD_HZ)
    spread = np.exp(-0.5 * ((frequency[:, None] - frequency) / width_hz) ** 2)
    allowed_db = np.maximum(problem.drive_cap_db - GUARD_MARGIN_DB, LEAST_DRIVE_DB)
    less_db = np.zeros((2, len(frequency)))
    safe, firs = solution, None
    for _ in range(GUARD_STEPS):
        firs = cancel_firs(safe, sample_rate=SAMPLE_RATE, start=firs)
        played = response_of(firs, frequency, sample_rate=SAMPLE_RATE, delay_frames=delay_for(SAMPLE_RATE))
        excess_db = problem.drive_db(played) - allowed_db
        if np.all(excess_db <= 0.0):
            break
        less_db += GUARD_GAIN * np.max(np.maximum(excess_db, 0.0)[:, None, :] * spread, axis=-1)
        lower_db = np.maximum(problem.drive_cap_db - less_db, 0.0)
        weights = [
            within_cap(problem, channel, solution.weights[:, channel], lower_db[channel]) for channel in range(2)
        ]
        safe = replace(solution, weights=np.stack(weights, axis=1))
    return safe
