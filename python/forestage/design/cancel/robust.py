"""Designs for a zone instead of a point: least squares, Rayleigh quotient, null steering, and capped minimax.

All of them look for the weights ``w`` of any number of drivers that keep the near ear of the seat as plain stereo has
it, ``a . w = t``, and make little of the far ears over the zone, ``b_i . w``. With ``w = w_0 + Z u``, where ``w_0`` is
the solution of least power and ``Z`` spans the null space of ``a``, the constraint is gone, and

    minimise  sum_i m_i |b_i (w_0 + Z u)|^2 / |near_i|^2    subject to    |w_0|^2 + |u|^2 <= drive cap

is a small least-squares problem per frequency, whose multiplier for the cap is found by bisection. Weights of a driver
are feeds before its crossover, so a driver out of its band hardly reaches an ear, and is left alone.

Least squares is this with equal m_i. The minimax solution is reached by Lawson's algorithm (1961): the m_i of heads
that hear the far ear too loud grow until the worst heads are equally bad. Null steering is least drive for an exact
power ratio over the zone: "minimum squared-norm, constant directivity" of Luo (arXiv 2407.01860) with ears in the place
of angular windows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.cancel.closed_form import closed_form, first_root
from forestage.design.cancel.problem import CancelProblem

MINIMAX_ITERATIONS = 40
# Heads never lose their say altogether, so that they can come back
LEAST_SHARE = 1e-6
BISECTIONS = 36
TINY = 1e-30


def least_squares(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of least far-ear power over the zone within the drive cap, shape (drivers, n)."""
    setting = _Setting.of(problem, channel, driver_errors=False)
    w = setting.solve(np.ones_like(setting.plain_near_power) / setting.plain_near_power)
    return up_to_target(problem, channel, w.T)


def rayleigh(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of the greatest ratio of near to far power over the zone, shape (drivers, n), without a drive cap.

    The top generalised eigenvector, turned and scaled to the wanted near ear of the seat.
    """
    near, far = problem.rows(channel)
    accept = np.einsum("fsd,fse->fde", near.conj(), near)
    reject = np.einsum("fsd,fse->fde", far.conj(), far)
    load = 1e-6 * np.trace(reject, axis1=1, axis2=2).real / reject.shape[1]
    reject = reject + load[:, None, None] * np.eye(reject.shape[1])
    root = np.linalg.inv(np.linalg.cholesky(reject))
    top = np.linalg.eigh(root @ accept @ root.conj().transpose(0, 2, 1))[1][:, :, -1]
    w = np.einsum("fed,fe->fd", root.conj(), top)
    w *= (problem.wanted[channel] / np.einsum("fd,fd->f", near[:, 0], w))[:, None]
    return w.T


def null_steering(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of least drive whose power ratio over the zone is the target's, shape (drivers, n).

    ``min |w|^2`` subject to ``a . w = t`` and ``mean |far|^2 = mean |near|^2 / ratio``; within the drive cap as far as
    that goes.
    """
    setting = _Setting.of(problem, channel, driver_errors=False)
    near, far = problem.rows(channel)
    ratio = 10.0 ** (problem.target_db / 10)
    excess = np.einsum("fsd,f,fse->fde", far.conj(), ratio, far) - np.einsum("fsd,fse->fde", near.conj(), near)
    return _least_drive(setting, excess).T


def minimax(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights that make the worst head of the zone as good as possible within the drive cap, shape (drivers, n).

    Seats, turned and other heads, and every driver in error, one at a time, count as heads. Starts from what the closed
    form leaves at them.
    """
    setting = _Setting.of(problem, channel, driver_errors=True)
    seed = closed_form(problem, channel).T
    share = _shares(setting.ratio(seed))
    best, best_worst = problem.plain[:, channel].T.copy(), np.full(len(problem.frequency_hz), np.inf)
    near_power = setting.plain_near_power
    for _ in range(MINIMAX_ITERATIONS):
        w = setting.solve(share / near_power)
        near_power, ratio = setting.near_power(w), setting.ratio(w)
        worst = ratio.max(axis=1)
        better = worst < best_worst
        best[better], best_worst[better] = w[better], worst[better]
        share = _shares(share * np.sqrt(ratio))
    return up_to_target(problem, channel, best.T)


def _shares(values: FloatArray) -> FloatArray:
    """Shares of the heads in the price, shape (n, heads); equal ones where there is nothing to share."""
    total = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, total, out=np.full_like(values, 1.0 / values.shape[1]), where=total > 0.0)
    return np.maximum(shares, LEAST_SHARE)


def up_to_target(problem: CancelProblem, channel: int, weights: ComplexArray) -> ComplexArray:
    """From plain stereo towards ``weights``, shape (drivers, n), just as far as the target asks for over the zone.

    The way is a straight line, so the far ears' power over that of the near ears in plain stereo, in the mean over the
    heads, is a quadratic.
    """
    plain = problem.plain[:, channel]
    step = weights - plain
    near, far = problem.response[:, channel], problem.response[:, 1 - channel]
    level = np.abs(np.einsum("sdf,df->sf", near, plain))
    start, slope = (np.einsum("sdf,df->sf", far, part) / level for part in (plain, step))
    excess = np.mean(np.abs(start) ** 2, axis=0) - 10.0 ** (-problem.target_db / 10)
    way = first_root(np.mean(np.abs(slope) ** 2, axis=0), 2.0 * np.mean((start.conj() * slope).real, axis=0), excess)
    return plain + np.where(excess <= 0.0, 0.0, way) * step


def within_cap(problem: CancelProblem, channel: int, weights: ComplexArray, cap_db: FloatArray) -> ComplexArray:
    """From ``weights`` back towards plain stereo, shape (drivers, n), until the drive is within a lower cap."""
    plain = problem.plain[:, channel]
    step = weights - plain
    room = np.sum(np.abs(plain) ** 2, axis=0) * 10.0 ** (cap_db / 10)
    power = np.sum(np.abs(weights) ** 2, axis=0)
    cross = 2.0 * np.sum((plain.conj() * step).real, axis=0)
    # the last crossing on the way out: the first one on the way back
    back = first_root(np.sum(np.abs(step) ** 2, axis=0), -cross - 2.0 * np.sum(np.abs(step) ** 2, axis=0), power - room)
    return plain + np.where(power <= room, 1.0, 1.0 - back) * step


@dataclass(frozen=True)
class _Setting:
    """Rows of all heads, and the constraint taken out; first axis is frequency.

    Attributes
    ----------
    near, far : ndarray of complex, shape (n, heads, drivers)
        Rows to the near and the far ear of every head.
    least : ndarray of complex, shape (n, drivers)
        Solution of least power.
    free : ndarray of complex, shape (n, drivers, drivers - 1)
        Orthonormal basis of what leaves the near ear of the seat alone.
    room : ndarray, shape (n,)
        Power left under the cap for ``u``.
    plain_near_power : ndarray, shape (n, heads)
        Power at the near ears in plain stereo.
    """

    near: ComplexArray
    far: ComplexArray
    least: ComplexArray
    free: ComplexArray
    room: FloatArray
    plain_near_power: FloatArray

    @classmethod
    def of(cls, problem: CancelProblem, channel: int, *, driver_errors: bool) -> _Setting:
        near, far = problem.rows(channel)
        plain = problem.plain[:, channel].T
        row = near[:, 0]
        if driver_errors:
            near, far = (_with_errors(rows, problem.driver_errors) for rows in (near, far))
        least = row.conj() * (problem.wanted[channel] / np.sum(np.abs(row) ** 2, axis=1))[:, None]
        cap = np.sum(np.abs(plain) ** 2, axis=1) * 10.0 ** (problem.drive_cap_db / 10)
        room = np.maximum(cap - np.sum(np.abs(least) ** 2, axis=1), 0.0)
        free = np.linalg.svd(row[:, None, :])[2][:, 1:].conj().transpose(0, 2, 1)
        plain_near = np.abs(np.einsum("fhd,fd->fh", near, plain)) ** 2
        return cls(near, far, least, free, room, plain_near)

    def near_power(self, w: ComplexArray) -> FloatArray:
        return np.abs(np.einsum("fhd,fd->fh", self.near, w)) ** 2

    def ratio(self, w: ComplexArray) -> FloatArray:
        """Far over near power at every head, shape (n, heads)."""
        return np.abs(np.einsum("fhd,fd->fh", self.far, w)) ** 2 / self.near_power(w)

    def solve(self, price: FloatArray) -> ComplexArray:
        """Weights of least far power, priced per head, within the cap, shape (n, drivers)."""
        moved = self.far @ self.free
        still = np.einsum("fhd,fd->fh", self.far, self.least)
        priced = moved.conj() * price[:, :, None]
        values, vectors = np.linalg.eigh(np.einsum("fhj,fhk->fjk", priced, moved))
        values = np.maximum(values, np.maximum(1e-12 * values[:, -1:], TINY))
        pull = np.einsum("fji,fj->fi", vectors.conj(), -np.einsum("fhj,fh->fj", priced, still))
        multiplier = self._multiplier(values, np.abs(pull) ** 2)
        u = np.einsum("fij,fj->fi", vectors, pull / (values + multiplier[:, None]))
        return self.least + np.einsum("fdj,fj->fd", self.free, u)

    def _multiplier(self, values: FloatArray, pull_power: FloatArray) -> FloatArray:
        """Least multiplier that keeps the power of u in the room there is, shape (n,); bisected over its logarithm."""
        low, high = 1e-10 * values[:, -1], 1e6 * values[:, -1]
        for _ in range(BISECTIONS):
            middle = np.sqrt(low * high)
            over = np.sum(pull_power / (values + middle[:, None]) ** 2, axis=1) > self.room
            low, high = np.where(over, middle, low), np.where(over, high, middle)
        return high


def _with_errors(rows: ComplexArray, errors: ComplexArray) -> ComplexArray:
    """Rows of all heads, then the same with one driver in error at a time."""
    drivers = rows.shape[-1]
    changed = np.ones((1 + drivers * len(errors), drivers), dtype=np.complex128)
    for index in range(drivers):
        changed[1 + index * len(errors) : 1 + (index + 1) * len(errors), index] = errors
    return (rows[:, None] * changed[None, :, None, :]).reshape(len(rows), -1, drivers)


def _least_drive(setting: _Setting, excess: ComplexArray) -> ComplexArray:
    """Minimum of ``|w|^2`` subject to ``a . w = t`` and ``w^H excess w <= 0``, within the cap, shape (n, drivers).

    Along its multiplier the solution runs from least power to the best ratio; the multiplier is found by bisection.
    """
    free, least = setting.free, setting.least
    inner = np.einsum("fdj,fde,fek->fjk", free.conj(), excess, free)
    side = np.einsum("fdj,fde,fe->fj", free.conj(), excess, least)
    values, vectors = np.linalg.eigh(inner)
    pull = -np.einsum("fji,fj->fi", vectors.conj(), side)
    scale = np.maximum(np.abs(values).max(axis=1), TINY)
    # (1 + m values) must stay positive: the solution is a minimum only there
    limit = np.where(values[:, 0] < 0.0, -0.999 / np.minimum(values[:, 0], -TINY), 1e9 / scale)
    low, high = 1e-6 * np.minimum(limit, 1.0 / scale), limit

    def at(multiplier: FloatArray) -> tuple[ComplexArray, FloatArray, FloatArray]:
        m = multiplier[:, None]
        u = np.einsum("fij,fj->fi", vectors, m * pull / (1.0 + m * values))
        w = least + np.einsum("fdj,fj->fd", free, u)
        return w, np.einsum("fd,fde,fe->f", w.conj(), excess, w).real, np.sum(np.abs(u) ** 2, axis=1)

    for _ in range(2 * BISECTIONS):
        middle = np.sqrt(low * high)
        _, missing, power = at(middle)
        enough = (missing <= 0.0) | (power > setting.room)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return at(low)[0]
