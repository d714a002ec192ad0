"""Crosstalk cancellation in closed form: reach a target separation at the ears, within a drive cap.

The channel of one side drives its own (near) driver and, through the ratio ``w = -beta G_far,near / G_far,far``, the
other driver. With ``q`` the product of both natural far-to-near ratios,

    near ear = G_near (1 - beta q)      far ear = G_far (1 - beta)      drive^2 = (1 + |w|^2) / |1 - beta q|^2

where the common equaliser ``1 / (1 - beta q)`` gives the near ear the response of the plain driver back. ``beta`` runs
from 0 (plain stereo) to 1 (an exact null); per frequency it goes as far as the target or the drive cap is met. Both
conditions are quadratics in ``beta``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from forestage.acoustics.head import ComplexArray, FloatArray
from forestage.acoustics.plant import Plant
from forestage.design.filters import (
    CROSSTALK_DELAY_S,
    CROSSTALK_LENGTH_S,
    MASTER_RATE,
    delay_for,
    fit_firs,
    grid_for,
    log_fade,
    taps_for,
)
from forestage.metrics.separation import drive_db

DEFAULT_CURVE = ((150.0, 0.0), (300.0, 4.0), (500.0, 12.0), (6000.0, 12.0), (9500.0, 0.0))


@dataclass(frozen=True)
class CancelTarget:
    """What the cancellation aims at.

    Parameters
    ----------
    separation_db : tuple of (float, float)
        Near over far ear as (Hz, dB) points, smooth in the logarithm of frequency between them and held outside.
    drive_cap_db : float
        Most power the drivers may get, over one driver alone with the same near ear.
    drive_rise_hz : tuple of float
        The cap rises from 0 dB at the first frequency to its full value at the second, smooth in the logarithm of
        frequency: in the bass much drive buys next to no separation.

    Examples
    --------
    >>> CancelTarget().curve_db([100.0, 300.0, 1000.0, 12000.0]).round(2).tolist()
    [0.0, 4.0, 12.0, 0.0]
    """

    separation_db: tuple[tuple[float, float], ...] = DEFAULT_CURVE
    drive_cap_db: float = 9.0
    drive_rise_hz: tuple[float, float] = (150.0, 400.0)

    def __post_init__(self) -> None:
        points = np.array(self.separation_db, dtype=np.float64)
        if points.ndim != 2 or points.shape[0] < 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"separation_db = {self.separation_db}: must be two or more finite (Hz, dB) points")
        if points[0, 0] <= 0.0 or np.any(np.diff(points[:, 0]) <= 0.0):
            raise ValueError(f"separation_db = {self.separation_db}: frequencies must be above 0 and rising")
        if not 0.0 <= self.drive_cap_db <= 40.0:
            raise ValueError(f"drive_cap_db = {self.drive_cap_db}: must be within 0..40")
        if not 0.0 < self.drive_rise_hz[0] < self.drive_rise_hz[1]:
            raise ValueError(f"drive_rise_hz = {self.drive_rise_hz}: must be above 0 and rising")

    def curve_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """Target separation in dB, shape (n,)."""
        points = np.array(self.separation_db, dtype=np.float64)
        octaves = np.log2(np.clip(np.asarray(frequency_hz, dtype=np.float64), points[0, 0], points[-1, 0]))
        return PchipInterpolator(np.log2(points[:, 0]), points[:, 1])(octaves)

    def cap_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """Drive cap in dB, shape (n,)."""
        return self.drive_cap_db * log_fade(frequency_hz, *self.drive_rise_hz)


@dataclass(frozen=True)
class Cancellation:
    """Closed-form solution on a frequency grid; first axis = channel (left, right).

    Attributes
    ----------
    near, far : ndarray of complex, shape (2, n)
        Filters of the channel's own and of the other driver.
    beta, separation_db, natural_db, drive_db : ndarray, shape (2, n)
        How much of the exact null is used, separation reached and without cancellation, and drive.
    """

    near: ComplexArray
    far: ComplexArray
    beta: FloatArray
    separation_db: FloatArray
    natural_db: FloatArray
    drive_db: FloatArray


def cancel(plant: ArrayLike, *, target_db: ArrayLike, drive_cap_db: ArrayLike) -> Cancellation:
    """Solve for both channels.

    Parameters
    ----------
    plant : array_like of complex, shape (2, 2, n)
        Response [ear, driver], left before right.
    target_db : array_like, shape (n,)
        Wanted separation in dB. Where the plain device separates more, nothing is cancelled.
    drive_cap_db : array_like, scalar or shape (n,) or (2, n)
        Cap of the drive.

    Returns
    -------
    Cancellation
        Filters and figures per channel.
    """
    g = np.asarray(plant, dtype=np.complex128)
    own = np.stack([g[0, 0], g[1, 1]])
    leak = np.stack([g[1, 0], g[0, 1]])  # each driver at the other side's ear
    ratio = -leak / own[::-1]
    q = leak * leak[::-1] / (own * own[::-1])
    natural = np.abs(own / leak)
    goal = 10.0 ** (np.broadcast_to(target_db, natural.shape) / 20)
    cap = 10.0 ** (np.broadcast_to(drive_cap_db, natural.shape) / 10)
    beta = np.where(natural >= goal, 0.0, np.minimum(_to_target(q, goal / natural), _to_cap(q, ratio, cap)))
    open_path = 1.0 - beta * q
    with np.errstate(divide="ignore"):
        separation_db = 20 * np.log10(natural * np.abs(open_path) / (1.0 - beta))
    drive_db = 10 * np.log10((1.0 + np.abs(beta * ratio) ** 2) / np.abs(open_path) ** 2)
    return Cancellation(
        1.0 / open_path, beta * ratio / open_path, beta, separation_db, 20 * np.log10(natural), drive_db
    )


def cancel_curve(plant: Plant, frequency_hz: ArrayLike, *, target: CancelTarget) -> Cancellation:
    """Closed-form solution for a device at any frequencies."""
    response = plant.at(frequency_hz)[:, plant.stereo]
    return cancel(response, target_db=target.curve_db(frequency_hz), drive_cap_db=target.cap_db(frequency_hz))


def cancel_firs(
    plant: Plant, *, target: CancelTarget, guard_db: ArrayLike = 0.0, sample_rate: int = MASTER_RATE
) -> FloatArray:
    """Fitted filters.

    Parameters
    ----------
    plant : Plant
        Device and listener.
    target : CancelTarget
        What to aim at.
    guard_db : array_like, shape (2, n)
        What to stay below the cap by, from `guard`.
    sample_rate : int
        In Hz; see `sample_firs` for others.

    Returns
    -------
    ndarray, shape (2, 2, taps)
        From channel (left, right) to (left, right) driver, indexed [driver, channel].
    """
    frequency = grid_for(sample_rate)
    grid = _guard_grid()
    less = np.stack([np.interp(frequency, grid, row) for row in np.broadcast_to(guard_db, (2, len(grid)))])
    response = plant.at(frequency)[:, plant.stereo]
    cap_db = np.maximum(target.cap_db(frequency) - less, 0.0)
    solved = cancel(response, target_db=target.curve_db(frequency), drive_cap_db=cap_db)
    taps, delay = taps_for(sample_rate), delay_for(sample_rate)
    firs = np.empty((2, 2, taps))
    for channel in range(2):
        # What is left at the far ear is small, so an error weighs more there.
        weight = 10.0 ** (solved.separation_db[channel] / 10) / np.sqrt(np.clip(frequency, 100.0, 20_000.0))
        for driver, wanted in ((channel, solved.near), (1 - channel, solved.far)):
            firs[driver, channel] = fit_firs(
                wanted[None, channel], kernel=weight[None, None], taps=taps, delay_frames=delay
            )[0]
    return firs


def crosstalk_firs(plant: Plant, *, target: CancelTarget, sample_rate: int = MASTER_RATE) -> FloatArray:
    """Weight of the virtual crosstalk: the share of the natural crosstalk that the cancellation takes away.

    Virtual crosstalk on top of natural crosstalk that stays pulls the image to the middle, and in the bass past it.

    Returns
    -------
    ndarray, shape (2, taps)
        Zero-phase but for the modelling delay, for the (left, right) channel.
    """
    frequency = grid_for(sample_rate)
    solved = cancel_curve(plant, frequency, target=target)
    left_over = 10.0 ** (np.minimum(solved.natural_db - solved.separation_db, 0.0) / 20)
    weight = 1.0 / np.sqrt(np.clip(frequency, 60.0, 20_000.0))
    taps = taps_for(sample_rate, length_s=CROSSTALK_LENGTH_S)
    delay = delay_for(sample_rate, delay_s=CROSSTALK_DELAY_S)
    firs = [
        fit_firs(wanted[None], kernel=weight[None, None], taps=taps, delay_frames=delay)[0]
        for wanted in 1.0 - left_over
    ]
    return np.stack(firs)


def guard(plant: Plant, *, target: CancelTarget, sample_rate: int = 48_000) -> FloatArray:
    """How far below the cap to design, shape (2, n), so that the exported filters' drive stays within it.

    A FIR rounds the corner where the cap stops to matter, and would overshoot there by some tenths of a dB.
    """
    grid = _guard_grid()
    guard_db = np.zeros((2, len(grid)))
    octaves = np.log2(grid)
    spread = np.exp(-0.5 * ((octaves[:, None] - octaves) / 0.08) ** 2)
    for _ in range(8):
        firs = cancel_firs(plant, target=target, guard_db=guard_db, sample_rate=sample_rate)
        drive = drive_db(plant, scatter(plant, firs), grid, sample_rate=sample_rate)
        excess_db = drive - (target.drive_cap_db - 0.01)
        if np.all(excess_db <= 0.0):
            break
        guard_db += np.max(np.maximum(excess_db, 0.0)[:, None, :] * spread, axis=-1)
    return guard_db


def scatter(plant: Plant, firs: ArrayLike) -> FloatArray:
    """Filters of the two stereo drivers, shape (2, ...), as a row per driver of the device; the others are silent."""
    firs = np.asarray(firs, dtype=np.float64)
    rows = np.zeros((plant.response.shape[1], *firs.shape[1:]))
    rows[plant.stereo] = firs
    return rows


def _guard_grid() -> FloatArray:
    return np.geomspace(20.0, 20_000.0, 480)


def _to_target(q: ComplexArray, gain: FloatArray) -> FloatArray:
    """Beta at which |1 - beta q| = gain (1 - beta)."""
    return _first_root(np.abs(q) ** 2 - gain**2, 2 * gain**2 - 2 * q.real, 1.0 - gain**2)


def _to_cap(q: ComplexArray, ratio: ComplexArray, cap: FloatArray) -> FloatArray:
    """Beta at which 1 + beta^2 |ratio|^2 = cap |1 - beta q|^2."""
    return _first_root(np.abs(ratio) ** 2 - cap * np.abs(q) ** 2, 2 * cap * q.real, 1.0 - cap)


def _first_root(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Smallest root of a x^2 + b x + c in 0..1; 1 where there is none."""
    discriminant = b**2 - 4 * a * c
    root = np.sqrt(np.maximum(discriminant, 0.0))
    stable = -(b + np.copysign(root, b)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.stack([stable / a, c / stable])
    inside = np.isfinite(roots) & (roots >= 0.0) & (roots <= 1.0) & (discriminant >= 0.0)
    return np.min(np.where(inside, roots, 1.0), axis=0)
