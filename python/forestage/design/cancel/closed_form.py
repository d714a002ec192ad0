"""Crosstalk cancellation in closed form: reach a target separation at the ears, within a drive cap.

The channel of one side drives its own (near) driver and, through the ratio ``w = -beta G_far,near / G_far,far``, the
other driver. With ``q`` the product of both natural far-to-near ratios,

    near ear = G_near (1 - beta q)      far ear = G_far (1 - beta)      drive^2 = |p + w p'|^2 / |p|^2 / |1 - beta q|^2

with w times beta, and p and p' what drives the device from this and from the other channel: ``1 + |w|^2`` above for one
driver each. The common equaliser ``1 / (1 - beta q)`` gives the near ear the response of the plain driver back.
``beta`` runs from 0 (plain stereo) to 1 (an exact null); per frequency it goes as far as the target or the drive cap is
met. Both conditions are quadratics in ``beta``. With noise, a share n of every path, far over near power is
``((1 - beta)^2 + n^2 (1 + beta^2)) / |1 - beta q|^2`` in the mean, and beta goes no further than where that is least.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.cancel.problem import CancelProblem
from forestage.short_repr import ShortRepr


@dataclass(frozen=True, repr=False)
class Cancellation(ShortRepr):
    """Closed-form solution on a frequency grid; first axis = channel (left, right).

    Attributes
    ----------
    near, far : ndarray of complex, shape (2, n)
        Filters of the channel's own and of the other driver.
    beta, separation_db, drive_db : ndarray, shape (2, n)
        How much of the exact null is used, separation reached, and drive.
    """

    near: ComplexArray
    far: ComplexArray
    beta: FloatArray
    separation_db: FloatArray
    drive_db: FloatArray


def cancel(
    plant: ArrayLike,
    *,
    target_db: ArrayLike,
    drive_cap_db: ArrayLike,
    gains: ArrayLike | None = None,
    noise: ArrayLike = 0.0,
) -> Cancellation:
    """Solve for both channels.

    Parameters
    ----------
    plant : array_like of complex, shape (2, 2, n)
        Response [ear, driver], left before right.
    target_db : array_like, shape (n,)
        Wanted separation in dB. Where the plain device separates more, nothing is cancelled.
    drive_cap_db : array_like, scalar or shape (n,) or (2, n)
        Cap of the drive.
    gains : array_like of complex, shape (drivers, 2, n), optional
        What the two channels drive, if it is not one driver each.
    noise : array_like, scalar or shape (n,)
        Noise in the plant, as a ratio.

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
    with np.errstate(divide="ignore"):
        natural = np.abs(own) / np.abs(leak)
    goal = 10.0 ** (np.broadcast_to(target_db, natural.shape) / 20)
    cap = 10.0 ** (np.broadcast_to(drive_cap_db, natural.shape) / 10)
    channels = np.eye(2)[:, :, None] if gains is None else np.asarray(gains)
    power = np.sum(np.abs(channels) ** 2, axis=0)
    other = np.abs(ratio) ** 2 * power[::-1] / power
    shared = 2.0 * (ratio * np.sum(channels.conj() * channels[:, ::-1], axis=0)).real / power
    beta = np.where(natural >= goal, 0.0, np.minimum(_to_target(q, goal / natural), _to_cap(q, shared, other, cap)))
    beta = np.minimum(beta, _to_noise(q, np.square(noise)))
    open_path = 1.0 - beta * q
    with np.errstate(divide="ignore"):
        separation_db = 20 * np.log10(natural * np.abs(open_path) / (1.0 - beta))
    drive_db = 10 * np.log10((1.0 + beta * shared + beta**2 * other) / np.abs(open_path) ** 2)
    return Cancellation(1.0 / open_path, beta * ratio / open_path, beta, separation_db, drive_db)


def closed_form(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of one channel from the closed form on the plain channels, shape (drivers, n)."""
    solved = cancel(
        problem.pair,
        target_db=problem.target_db,
        drive_cap_db=problem.drive_cap_db,
        gains=problem.plain,
        noise=problem.noise[0],
    )
    return problem.plain[:, channel] * solved.near[channel] + problem.plain[:, 1 - channel] * solved.far[channel]


def _to_target(q: ComplexArray, gain: FloatArray) -> FloatArray:
    """Beta at which |1 - beta q| = gain (1 - beta)."""
    return first_root(np.abs(q) ** 2 - gain**2, 2 * gain**2 - 2 * q.real, 1.0 - gain**2)


def _to_cap(q: ComplexArray, shared: FloatArray, other: FloatArray, cap: FloatArray) -> FloatArray:
    """Beta at which 1 + beta shared + beta^2 other = cap |1 - beta q|^2."""
    return first_root(other - cap * np.abs(q) ** 2, shared + 2 * cap * q.real, 1.0 - cap)


def _to_noise(q: ComplexArray, error: FloatArray) -> FloatArray:
    """Beta at which ((1 - beta)^2 + error (1 + beta^2)) / |1 - beta q|^2 is least."""
    power, start = np.abs(q) ** 2, (1.0 + error) * q.real - 1.0
    least = first_root(power - (1.0 + error) * q.real, (1.0 + error) * (1.0 - power), start)
    return np.where(error > 0.0, np.where(start < 0.0, least, 0.0), 1.0)


def first_root(a: FloatArray, b: FloatArray, c: FloatArray) -> FloatArray:
    """Smallest root of ``a x^2 + b x + c`` in 0..1; 1 where there is none."""
    discriminant = b**2 - 4 * a * c
    root = np.sqrt(np.maximum(discriminant, 0.0))
    stable = -(b + np.copysign(root, b)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.stack([stable / a, c / stable])
    inside = np.isfinite(roots) & (roots >= 0.0) & (roots <= 1.0) & (discriminant >= 0.0)
    return np.min(np.where(inside, roots, 1.0), axis=0)
