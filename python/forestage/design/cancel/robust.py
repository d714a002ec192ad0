"""Designs for a zone instead of a point: least squares, Rayleigh quotient, null steering, and capped minimax.

All of them look for the weights ``w`` of any number of drivers that keep the near ear of the seat as plain stereo has
it, ``a . w = t``, and make little of the far ears over the zone, ``b_i . w``. Caps on the drive, on drivers that have
limits of their own and on the reverberation (`forestage.design.cancel.room`) are one ellipsoid, ``w^H M w <= 1``; with
``w = T (v_0 + Z u)``, where ``T^H M T`` is 1, ``v_0`` the least solution and ``Z`` spans the null space of the near
ear, the constraint is gone, and

    minimise  sum_i m_i (|b_i . w|^2 + w^H R w) / |near_i|^2    subject to    |v_0|^2 + |u|^2 <= 1

is a small least-squares problem per frequency, whose multiplier for the caps is found by bisection. R is the share of
the reverberation that counts as heard: what is gained at the far ear must not be lost in the room. Weights of a driver
are feeds before its crossover, so a driver out of its band hardly reaches an ear, and is left alone. Where paths were
measured with noise, what it leaves at the far ears in the mean is heard as well, a Tikhonov term; the minimax counts it
as an error of one driver at a time.

Least squares is this with equal m_i. The minimax solution is reached by Lawson's algorithm (1961): the m_i of heads
that hear the far ear too loud grow until the worst heads are equally bad. Null steering is least drive for an exact
power ratio over the zone: "minimum squared-norm, constant directivity" of Luo (arXiv 2407.01860) with ears in the place
of angular windows; it and the Rayleigh quotient know no room.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

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
    """Weights of least far-ear power over the zone within the caps, shape (drivers, n)."""
    setting = _Setting.of(problem, channel, driver_errors=False)
    v = setting.solve(np.ones_like(setting.plain_near_power) / setting.plain_near_power)
    return up_to_target(problem, channel, setting.weights(v))


def rayleigh(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of the greatest ratio of near to far power over the zone, shape (drivers, n), without a drive cap.

    The top generalised eigenvector, turned and scaled to the wanted near ear of the seat.
    """
    near, far = problem.rows(channel)
    accept = np.einsum("fsd,fse->fde", near.conj(), near)
    reject = np.einsum("fsd,fse->fde", far.conj(), far) + far.shape[1] * problem.unknown(channel)
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
    setting = _Setting.of(replace(problem, room=None), channel, driver_errors=False)
    near, far = problem.rows(channel)
    ratio = 10.0 ** (problem.target_db / 10)
    heard = np.einsum("fsd,fse->fde", far.conj(), far) + far.shape[1] * problem.unknown(channel)
    excess = ratio[:, None, None] * heard - np.einsum("fsd,fse->fde", near.conj(), near)
    return setting.weights(_least_drive(setting, excess))


def minimax(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights that make the worst head of the zone as good as possible within the caps, shape (drivers, n).

    Seats, turned and other heads, and every driver in error, one at a time, count as heads. Starts from what the closed
    form leaves at them. Heads beside the zone come in halfway: they count where their sides would be exchanged, so far
    as the worst head of the zone is left alone.
    """
    setting = _Setting.of(problem, channel, driver_errors=True)
    start = setting.of_weights(closed_form(problem, channel))
    plain = setting.of_weights(problem.plain[:, channel])
    if not len(problem.beside):
        return up_to_target(problem, channel, setting.weights(_lawson(setting, start, plain, MINIMAX_ITERATIONS)))
    inside = _lawson(setting, start, plain, MINIMAX_ITERATIONS // 2)
    setting = setting.with_beside(problem, channel, setting.ratio(inside).max(axis=1))
    found = _lawson(setting, inside, inside, MINIMAX_ITERATIONS // 2)
    return up_to_target(problem, channel, setting.weights(found))


def _lawson(setting: _Setting, start: ComplexArray, best: ComplexArray, iterations: int) -> ComplexArray:
    """Solution whose worst head is best, shape (n, drivers); ``best`` where nothing is better."""
    share, near_power = _shares(setting.ratio(start)), setting.near_power(best)
    best, best_worst = best.copy(), np.full(len(best), np.inf)
    for _ in range(iterations):
        v = setting.solve(share * setting.scale / near_power)
        near_power = setting.near_power(v)
        ratio = setting.scale * setting.heard(setting.far, v) / near_power
        worst = ratio.max(axis=1)
        better = worst < best_worst
        best[better], best_worst[better] = v[better], worst[better]
        share = _shares(share * np.sqrt(ratio))
    return best


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
class _Ears:
    """One ear of many heads, and the same ears with one driver in error at a time; first axis is frequency.

    A driver d in error moves the row b of an ear by ``e b_d`` at that driver alone, so that none of these rows need be
    there: all follow from the rows of drivers without error.

    Attributes
    ----------
    rows : ndarray of complex, shape (n, ears, drivers)
        From drivers to the ears.
    errors : ndarray of complex, shape (n, k)
        What is added to the gain of 1 of a driver in error; may be none.
    """

    rows: ComplexArray
    errors: ComplexArray

    @property
    def count(self) -> int:
        """How many ears there are with those of drivers in error."""
        return self.rows.shape[1] * (1 + self.rows.shape[2] * self.errors.shape[1])

    @cached_property
    def parts(self) -> FloatArray:
        """What ``|h + e p|^2`` has of ``|h|^2``, ``2 Re h* p``, ``2 Im h* p`` and ``|p|^2``, shape (n, k, 4)."""
        errors = self.errors
        return np.stack([np.ones(errors.shape), errors.real, -errors.imag, np.abs(errors) ** 2], axis=-1)

    def power(self, weights: ComplexArray) -> FloatArray:
        """Power at all ears for weights (n, drivers), shape (n, count): without errors first."""
        played = self.rows * weights[:, None]
        heard = played.sum(axis=2)
        cross = 2.0 * heard.conj()[..., None] * played
        own = heard.real**2 + heard.imag**2
        terms = [np.broadcast_to(own[..., None], played.shape), cross.real, cross.imag, np.abs(played) ** 2]
        off = self.parts @ np.stack(terms, axis=1).reshape(len(own), 4, -1)
        return np.concatenate([own, off.reshape(len(own), -1)], axis=1)

    def power_matrix(self, price: FloatArray) -> ComplexArray:
        """Matrices of the sum of the powers, each priced (n, count), shape (n, drivers, drivers)."""
        rows = self.rows
        count, ears, drivers = rows.shape
        off = price[:, ears:].reshape(count, -1, ears * drivers)
        summed, real, imaginary, square = np.moveaxis(
            (self.parts.swapaxes(1, 2) @ off).reshape(count, 4, ears, drivers), 1, 0
        )
        total = price[:, :ears] + summed.sum(axis=2)
        adjoint = rows.conj().swapaxes(1, 2)
        cross = ((real - 1j * imaginary) * rows).conj().swapaxes(1, 2) @ rows
        matrix = (adjoint * total[:, None]) @ rows + cross + cross.conj().swapaxes(1, 2)
        matrix[:, range(drivers), range(drivers)] += np.sum(square * np.abs(rows) ** 2, axis=1)
        return matrix


@dataclass(frozen=True)
class _Setting:
    """All heads, and the constraint taken out; first axis is frequency.

    Solutions are those ``v``; weights are ``T v``.

    Attributes
    ----------
    near, far : sequence of _Ears
        The near and the far ears of all heads.
    scale : ndarray, shape (n, heads)
        How much a far ear counts.
    turn : ndarray of complex, shape (n, drivers, drivers)
        The matrices T.
    least : ndarray of complex, shape (n, drivers)
        Solution of least power.
    free : ndarray of complex, shape (n, drivers, drivers - 1)
        Orthonormal basis of what leaves the near ear of the seat alone.
    room : ndarray, shape (n,)
        Power left under the caps for ``u``.
    plain_near_power : ndarray, shape (n, heads)
        Power at the near ears in plain stereo.
    reverberation : ndarray of complex, shape (n, drivers, drivers)
        ``v^H R v`` is heard at every ear.
    """

    near: tuple[_Ears, ...]
    far: tuple[_Ears, ...]
    scale: FloatArray
    turn: ComplexArray
    least: ComplexArray
    free: ComplexArray
    room: FloatArray
    plain_near_power: FloatArray
    reverberation: ComplexArray

    @classmethod
    def of(cls, problem: CancelProblem, channel: int, *, driver_errors: bool) -> _Setting:
        errors = problem.driver_errors if driver_errors else problem.driver_errors[:0]
        near, far = (_Ears(np.ascontiguousarray(rows), errors.T - 1.0) for rows in problem.rows(channel))
        turn = _turn(problem, channel)
        row = (near.rows[:, :1] @ turn)[:, 0]
        least = row.conj() * (problem.wanted[channel] / np.sum(np.abs(row) ** 2, axis=1))[:, None]
        room = np.maximum(1.0 - np.sum(np.abs(least) ** 2, axis=1), 0.0)
        free = np.linalg.svd(row[:, None, :])[2][:, 1:].conj().transpose(0, 2, 1)
        weighed = np.zeros_like(turn) if problem.room is None else problem.room.weighed
        if not driver_errors:
            weighed = weighed + problem.unknown(channel)
        reverberation = turn.conj().swapaxes(1, 2) @ weighed @ turn
        power = near.power(problem.plain[:, channel].T)
        return cls((near,), (far,), np.ones_like(power), turn, least, free, room, power, reverberation)

    def with_beside(self, problem: CancelProblem, channel: int, worst: FloatArray) -> _Setting:
        """Heads beside the zone too: what is bearable there is as bad as the worst head inside, shape (n,)."""
        rows = problem.rows_beside(channel)
        near, far = (_Ears(np.ascontiguousarray(each), np.zeros((len(each), 0), dtype=np.complex128)) for each in rows)
        scale = np.repeat(worst[:, None] / problem.beside_ratio, rows[0].shape[1], axis=1)
        return replace(
            self,
            near=(*self.near, near),
            far=(*self.far, far),
            scale=np.concatenate([self.scale, scale], axis=1),
        )

    def weights(self, v: ComplexArray) -> ComplexArray:
        """Weights of a solution, shape (drivers, n)."""
        return np.asarray((self.turn @ v[:, :, None])[..., 0].T, dtype=np.complex128)

    def of_weights(self, weights: ComplexArray) -> ComplexArray:
        """Solution that has these weights (drivers, n), shape (n, drivers)."""
        return np.asarray(np.linalg.solve(self.turn, weights.T[:, :, None])[..., 0], dtype=np.complex128)

    def heard(self, ears: Sequence[_Ears], v: ComplexArray) -> FloatArray:
        """Power at ears, reverberation and all, shape (n, heads)."""
        around = np.sum(v.conj() * (self.reverberation @ v[:, :, None])[..., 0], axis=1).real
        weights = (self.turn @ v[:, :, None])[..., 0]
        return np.concatenate([each.power(weights) for each in ears], axis=1) + around[:, None]

    def near_power(self, v: ComplexArray) -> FloatArray:
        return self.heard(self.near, v)

    def ratio(self, v: ComplexArray) -> FloatArray:
        """Far over near power at every head, as it counts, shape (n, heads)."""
        return self.scale * self.heard(self.far, v) / self.near_power(v)

    @cached_property
    def ways(self) -> tuple[ComplexArray, ComplexArray, ComplexArray]:
        """Weights of ``u``, their adjoint, those with the least solution as one more, and the reverberation of both."""
        both = np.concatenate([self.free, self.least[:, :, None]], axis=2)
        adjoint = (self.turn @ self.free).conj().swapaxes(1, 2)
        return adjoint, self.turn @ both, self.free.conj().swapaxes(1, 2) @ self.reverberation @ both

    def solve(self, price: FloatArray) -> ComplexArray:
        """Solution of least far power, priced per head, within the caps, shape (n, drivers)."""
        adjoint, both, around = self.ways
        prices = np.split(price, np.cumsum([each.count for each in self.far])[:-1], axis=1)
        power = sum(ears.power_matrix(each) for ears, each in zip(self.far, prices, strict=True))
        normal = adjoint @ power @ both + price.sum(axis=1)[:, None, None] * around
        values, vectors = np.linalg.eigh(normal[..., :-1])
        values = np.maximum(values, np.maximum(1e-12 * values[:, -1:], TINY))
        downhill = -normal[..., -1:]
        pull = (vectors.conj().swapaxes(1, 2) @ downhill)[..., 0]
        multiplier = self._multiplier(values, np.abs(pull) ** 2)
        u = vectors @ (pull / (values + multiplier[:, None]))[:, :, None]
        return self.least + (self.free @ u)[..., 0]

    def _multiplier(self, values: FloatArray, pull_power: FloatArray) -> FloatArray:
        """Least multiplier that keeps the power of u in the room there is, shape (n,); bisected over its logarithm."""
        low, high = 1e-10 * values[:, -1], 1e6 * values[:, -1]
        for _ in range(BISECTIONS):
            middle = np.sqrt(low * high)
            over = np.sum(pull_power / (values + middle[:, None]) ** 2, axis=1) > self.room
            low, high = np.where(over, middle, low), np.where(over, high, middle)
        return high


def _turn(problem: CancelProblem, channel: int) -> ComplexArray:
    """Matrices T of the caps, shape (n, drivers, drivers): ``T^H M T`` is 1.

    All caps as one are within each, and strict where several would be met at once.
    """
    plain = problem.plain[:, channel]
    drive = np.sum(np.abs(plain) ** 2, axis=0) * 10.0 ** (problem.drive_cap_db / 10)
    caps: ComplexArray = np.eye(len(plain), dtype=np.complex128) / drive[:, None, None]
    beyond = np.maximum(1.0 / problem.driver_most - 1.0 / drive, 0.0)  # what a driver's own limit asks for besides
    caps += beyond.T[:, :, None] * np.eye(len(plain))
    if problem.room is not None:
        most = problem.room.most(problem.plain, problem.wanted)[channel]
        caps += problem.room.power / most[:, None, None]
    return np.asarray(np.linalg.inv(np.linalg.cholesky(caps)).conj().swapaxes(1, 2), dtype=np.complex128)


def _least_drive(setting: _Setting, excess: ComplexArray) -> ComplexArray:
    """Minimum of ``|w|^2`` subject to ``a . w = t`` and ``w^H excess w <= 0``, within the cap, shape (n, drivers).

    Along its multiplier the solution runs from least power to the best ratio; the multiplier is found by bisection.
    """
    free, least = setting.free, setting.least
    excess = setting.turn.conj().swapaxes(1, 2) @ excess @ setting.turn
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
