"""Beams in closed form: each method from a problem to the weights of its voices, with 1 on axis.

Matrices K of power over azimuth give ``w^H K w``; a is the row of pressures on axis, ``a w = 1``.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh
from scipy.optimize import brentq

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.problem import BeamProblem

NULL_PRICE = 1e4
LOADING = 1e-3
SHAPED_DEG = 110.0
ALTERNATIONS = 60
LEAST_LOADING, MOST_LOADING, BISECTIONS = 1e-6, 1e3, 30


def plain_mix(problem: BeamProblem) -> ComplexArray:
    """All drivers play the same: what simple matrix mixing does."""
    return on_axis(problem, np.ones_like(problem.axis))


def lcmv(problem: BeamProblem) -> ComplexArray:
    """Nulls at given angles, and least power in all directions beside.

    ``w = Q^-1 a^H / (a Q^-1 a^H)`` with the power over the circle, some loading and a high price for the nulls in Q, so
    that more nulls than voices are no error.
    """
    target = problem.target
    nulls = np.stack(
        [
            problem.toward(angle, derivative=order)
            for angle in target.null_deg
            for order in range(target.null_derivatives + 1)
        ],
        axis=1,
    )
    matrix = power_matrix(problem.pattern) + NULL_PRICE * power_matrix(nulls) + _loading(problem)
    return _least(problem, matrix)


def rayleigh(problem: BeamProblem) -> ComplexArray:
    """Most power to the front over power to the sides: the highest eigenvector of the generalised Rayleigh quotient."""
    accept, reject = _accept(problem), _reject(problem)
    vectors = [eigh(*matrices)[1][:, -1] for matrices in zip(accept, reject, strict=True)]
    return on_axis(problem, np.stack(vectors, axis=1))


def exact_ratio(problem: BeamProblem) -> ComplexArray:
    """Least drive with exactly the wanted ratio of power to the front over power to the sides.

    min ``w^H w`` subject to ``w^H D w = 0``, ``a w = 1``, with D = A - tau R: Luo, "Constant Directivity Loudspeaker
    Beamforming" (EUSIPCO 2024). Where the ratio cannot be had, the closest one.
    """
    scale = 1.0 / np.sqrt(problem.cost)
    both = scale.T[:, :, None] * scale.T[:, None, :]
    accept, reject = _accept(problem) * both, _reject(problem) * both
    axis = (scale * problem.axis).T
    ratio = 10.0 ** (problem.on_off_db / 10)
    weights = [_with_ratio(*each) for each in zip(accept, reject, axis, ratio, strict=True)]
    return np.asarray(scale * np.stack(weights, axis=1), dtype=np.complex128)


def superdirective(problem: BeamProblem) -> ComplexArray:
    """Highest directivity index within the white noise gain: least power in all directions, with enough loading.

    ``w = (K + x I)^-1 a^H`` with the least x that the bound allows, by bisection: Cox, Zeskind and Owen.
    """
    loading = _diagonal(problem.cost * problem.strongest)
    low, high = np.full(len(loading), LEAST_LOADING), np.full(len(loading), MOST_LOADING)
    for _ in range(BISECTIONS):
        middle = np.sqrt(low * high)
        weights = _least(problem, problem.total + middle[:, None, None] * loading)
        is_bounded = problem.white_noise_gain_db(weights) >= problem.gain_db
        low, high = np.where(is_bounded, low, middle), np.where(is_bounded, middle, high)
    return _least(problem, problem.total + high[:, None, None] * loading)


def null_shape(problem: BeamProblem) -> ComplexArray:
    """Closest magnitude to 1 less a bell around each null; the length scale of the bells is the width of the nulls.

    Least squares of ``|B| - d`` over azimuth by turns: the phase of B is kept, then B is fitted to d with that phase.
    """
    inside = np.abs(problem.azimuth_deg) <= SHAPED_DEG
    shape = null_target(problem.azimuth_deg[inside], problem.target.null_deg, problem.target.null_width)
    pattern = problem.pattern[:, inside]
    matrix = power_matrix(pattern) + _loading(problem)
    weights = lcmv(problem)
    for _ in range(ALTERNATIONS):
        pressure = np.einsum("gaf,gf->af", pattern, weights)
        wanted = shape[:, None] * np.exp(1j * np.angle(pressure))
        pull = np.einsum("gaf,af->fg", pattern.conj(), wanted) / len(shape)
        weights = _solve(matrix, pull)
    return on_axis(problem, weights)


def null_target(azimuth_deg: FloatArray, null_deg: tuple[float, ...], width: float) -> FloatArray:
    """Magnitude over azimuth: 1 less a squared-exponential bell of the chord to each null, at least 0."""
    if width == 0.0:
        return np.ones_like(azimuth_deg)
    chord = 2 * np.sin(np.deg2rad(azimuth_deg[:, None] - np.array(null_deg)) / 2)
    return np.prod(1.0 - np.exp(-(chord**2) / (2 * width**2)), axis=1)


def on_axis(problem: BeamProblem, weights: ComplexArray) -> ComplexArray:
    """The same weights, scaled to 1 on axis; a beam without any pressure there stays finite."""
    pressure = np.sum(problem.axis * weights, axis=0)
    return weights / np.where(np.abs(pressure) > 1e-9, pressure, 1e-9)


def bounded(problem: BeamProblem, weights: ComplexArray) -> ComplexArray:
    """Weights with the white noise gain that the target asks for.

    Where it is less, the part of the weights that does not reach the axis is scaled down: the scaled projection of Cox,
    Zeskind and Owen (IEEE ASSP 35, 1987).
    """
    needed = problem.axis.conj() / problem.price
    needed = on_axis(problem, needed)
    rest = weights - needed

    def power(voices: ComplexArray) -> FloatArray:
        return np.sum(problem.price * np.abs(voices) ** 2, axis=0)

    allowed = 10.0 ** (-problem.gain_db / 10) / problem.strongest
    room = np.maximum(allowed - power(needed), 0.0) / np.maximum(power(rest), 1e-30)
    return needed + np.minimum(np.sqrt(room), 1.0) * rest


def carried(problem: BeamProblem, weights: ComplexArray) -> ComplexArray:
    """Weights with the directivity index that the problem asks for, as far as there are any.

    Where it is less, they are mixed with the superdirective ones, as little as will do: on the way to these, the power
    in all directions only falls.
    """
    best = superdirective(problem)
    low, high = np.zeros(len(problem.frequency_hz)), np.ones(len(problem.frequency_hz))
    high[problem.directivity_index_db(weights) >= problem.carry_db] = 0.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        carries = problem.directivity_index_db(weights + middle * (best - weights)) >= problem.carry_db
        low, high = np.where(carries, low, middle), np.where(carries, middle, high)
    return weights + high * (best - weights)


def power_matrix(pattern: ComplexArray) -> ComplexArray:
    """Matrix of the mean power over azimuth for a pattern (voices, azimuths, n), shape (n, voices, voices)."""
    return np.einsum("gaf,haf->fgh", pattern.conj(), pattern) / pattern.shape[1]


def _accept(problem: BeamProblem) -> ComplexArray:
    return power_matrix(problem.front)


def _reject(problem: BeamProblem) -> ComplexArray:
    return power_matrix(problem.sides) + _diagonal(problem.spread)


def _loading(problem: BeamProblem) -> ComplexArray:
    return _diagonal(LOADING * problem.cost * problem.loudest)


def _diagonal(values: FloatArray) -> ComplexArray:
    return np.einsum("gf,gh->fgh", values, np.eye(len(values)))


def _solve(matrix: ComplexArray, right: ComplexArray) -> ComplexArray:
    """Solutions for every frequency, from (n, voices, voices) and (n, voices) to (voices, n)."""
    return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0].T, dtype=np.complex128)


def _least(problem: BeamProblem, matrix: ComplexArray) -> ComplexArray:
    """Weights of least ``w^H matrix w`` with 1 on axis."""
    return on_axis(problem, _solve(matrix, problem.axis.T.conj()))


def _with_ratio(accept: ComplexArray, reject: ComplexArray, axis: ComplexArray, ratio: float) -> ComplexArray:
    """Solve at one frequency: w = (I - x D)^-1 a^H, scaled, at the root x nearest 0 of w^H D w.

    In the eigenvectors of D this is ``sum of |v_i^H a^H|^2 l_i / (1 - x l_i)^2``, which rises from -inf to inf between
    the poles 1/l. An eigenvector that does not reach the axis has no pole: it is left out (the antisymmetric ones of a
    symmetric device).
    """
    best = eigh(accept, reject, eigvals_only=True)[-1]
    values, vectors = np.linalg.eigh(accept - min(ratio, 0.999 * best) * reject)
    reach = vectors.T @ axis  # conjugate of v^H a^H
    kept = np.abs(reach) > 1e-7 * np.linalg.norm(axis)
    values, vectors, reach = values[kept], vectors[:, kept], reach[kept].conj()
    if values[0] >= 0.0 or values[-1] <= 0.0:
        root = 0.0
    else:
        margin = 1.0 - 1e-9
        root = brentq(
            lambda x: np.sum(np.abs(reach) ** 2 * values / (1 - x * values) ** 2),
            margin / values[0],
            margin / values[-1],
        )
    weights = vectors @ (reach / (1.0 - root * values))
    return weights / (axis @ weights)
