"""Functions on the sphere, as coefficients of real orthonormal spherical harmonics.

A function of the direction v is the sum of ``c[i] Y[i](v)``. The harmonic of degree l and order m, -l <= m <= l, has
the index ``i = l*l + l + m``, so that a function of order L (degrees 0..L) has (L + 1)^2 coefficients:

    Y_lm(v) = P_l|m|(z) * { cos(m phi) for m >= 0, sin(|m| phi) for m < 0 }

with P so normalised that the integral of ``Y_i Y_j`` over the sphere is 1 for i = j, else 0, and without the sign of
Condon and Shortley: Y_11 is positive along x. Coefficients may be complex (a pressure) and may have further axes behind
the first. Directions are unit vectors (x, y, z), shape (n, 3).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import block_diag
from scipy.special import roots_legendre

from forestage import _core
from forestage.arrays import FloatArray
from forestage.short_repr import ShortRepr

Coefficients = NDArray[Any]  # real or complex


@dataclass(frozen=True, repr=False)
class Quadrature(ShortRepr):
    """Directions and weights: an integral over the sphere is the weighted sum of the values there.

    Parameters
    ----------
    directions : ndarray, shape (n, 3)
        Unit vectors.
    weights : ndarray, shape (n,)
        Solid angles in steradians; their sum is 4 pi.
    """

    directions: FloatArray
    weights: FloatArray


def real_sh(directions: ArrayLike, order: int) -> FloatArray:
    """Real orthonormal spherical harmonics of degrees 0..order.

    The sine of the polar angle is kept out of the Legendre functions and left to ``(x + j y)^m``, so that the poles are
    no special case. The three-term recursion over the degree, at fixed m, is stable.

    Parameters
    ----------
    directions : array_like, shape (n, 3)
        Unit vectors.
    order : int
        Highest degree L.

    Returns
    -------
    ndarray, shape (n, (L + 1)^2)
        The harmonics, at index ``l*l + l + m``.

    Examples
    --------
    >>> (real_sh([[1.0, 0.0, 0.0]], 1) * np.sqrt(4 * np.pi)).round(3)
    array([[1.   , 0.   , 0.   , 1.732]])
    """
    x, y, z = _unit_vectors(directions).T
    turns = (x + 1j * y) ** np.arange(order + 1)[:, None]
    harmonics = np.empty(((order + 1) ** 2, len(z)))
    below = np.zeros((1, len(z)))
    here = np.full((1, len(z)), 1 / math.sqrt(4 * math.pi))
    for degree in range(order + 1):
        centre = degree * (degree + 1)
        harmonics[centre : centre + degree + 1] = here * turns.real[: degree + 1]
        harmonics[centre - degree : centre] = (here[1:] * turns.imag[1 : degree + 1])[::-1]
        here, below = _next_degree(degree + 1, z, here, below), here
    return harmonics.T


def _next_degree(degree: int, z: FloatArray, here: FloatArray, below: FloatArray) -> FloatArray:
    """Legendre functions over ``sin^m`` of a degree, m = 0..degree on the first axis, from the two degrees below."""
    m = np.arange(degree)[:, None]
    up = np.sqrt((4 * degree**2 - 1) / (degree**2 - m**2))
    back = np.sqrt(np.maximum((degree - 1) ** 2 - m**2, 0) / max(4 * (degree - 1) ** 2 - 1, 1))
    rows = up * z * here
    rows[: len(below)] -= (up * back)[: len(below)] * below
    # cos and sin of m > 0 have half the power of the constant, hence the extra sqrt(2) at the step from m = 0
    diagonal = math.sqrt((2 * degree + 1) / (2 * degree) * (2 if degree == 1 else 1)) * here[-1]
    return np.concatenate([rows, diagonal[None]])


def _unit_vectors(directions: ArrayLike) -> FloatArray:
    vectors = np.asarray(directions, dtype=np.float64)
    if vectors.ndim != 2 or vectors.shape[1] != 3:
        raise ValueError(f"directions: shape {vectors.shape}; must be (n, 3), unit vectors (x, y, z)")
    wrong = np.flatnonzero(~(np.abs(np.linalg.norm(vectors, axis=1) - 1.0) < 1e-6))
    if len(wrong):
        raise ValueError(f"directions[{wrong[0]}] = {vectors[wrong[0]].tolist()}: must be a unit vector")
    return vectors


def order_of(coefficients: Coefficients) -> int:
    """Order L of a function that is given by (L + 1)^2 coefficients on the first axis.

    Examples
    --------
    >>> order_of(np.zeros(16))
    3
    """
    order = math.isqrt(len(coefficients)) - 1
    if order < 0 or (order + 1) ** 2 != len(coefficients):
        raise ValueError(f"coefficients: {len(coefficients)} of them; must be (order + 1)^2: 1, 4, 9, 16, ...")
    return order


def per_coefficient(per_degree: ArrayLike) -> FloatArray:
    """Repeat one value a degree, shape (L + 1,), for each of its 2 l + 1 coefficients, shape ((L + 1)^2,)."""
    values = np.asarray(per_degree, dtype=np.float64)
    return np.repeat(values, 2 * np.arange(len(values)) + 1)


def evaluate(coefficients: Coefficients, directions: ArrayLike) -> Coefficients:
    """Values of a function at directions, shape (n, ...), from its coefficients, shape ((L + 1)^2, ...)."""
    return np.tensordot(real_sh(directions, order_of(coefficients)), coefficients, axes=1)


def transform(values: ArrayLike, *, order: int, quadrature: Quadrature) -> Coefficients:
    """Coefficients of a function from its values at the directions of a quadrature.

    Parameters
    ----------
    values : array_like, shape (n, ...)
        Values at ``quadrature.directions``.
    order : int
        Order of the result; higher degrees are cut off.
    quadrature : Quadrature
        Exact when the function's own order and ``order`` are at most that of `product_quadrature`.

    Returns
    -------
    ndarray, shape ((order + 1)^2, ...)
        The coefficients.
    """
    harmonics = real_sh(quadrature.directions, order) * quadrature.weights[:, None]
    return np.tensordot(harmonics.T, np.asarray(values), axes=1)


def product_quadrature(order: int) -> Quadrature:
    """Gauss-Legendre in z times uniform in azimuth: exact for products of two functions of ``order``.

    The directions go ring by ring, ``order + 1`` rings from below of ``2 order + 1`` directions each.
    """
    z, ring_weights = roots_legendre(order + 1)
    azimuth = 2 * np.pi * np.arange(2 * order + 1) / (2 * order + 1)
    radius = np.sqrt(1.0 - z**2)[:, None]
    rings = [radius * np.cos(azimuth), radius * np.sin(azimuth), np.broadcast_to(z[:, None], (len(z), len(azimuth)))]
    weights = np.repeat(ring_weights * 2 * np.pi / len(azimuth), len(azimuth))
    return Quadrature(np.stack(rings, axis=-1).reshape(-1, 3), weights)


def fibonacci_quadrature(count: int) -> Quadrature:
    """Nearly uniform directions with equal weights: a spiral that turns by the golden angle at equal steps of z."""
    step = np.arange(count) + 0.5
    z = 1.0 - 2.0 * step / count
    azimuth = np.pi * (3.0 - math.sqrt(5.0)) * step
    radius = np.sqrt(1.0 - z**2)
    directions = np.stack([radius * np.cos(azimuth), radius * np.sin(azimuth), z], axis=-1)
    return Quadrature(directions, np.full(count, 4 * np.pi / count))


def rotation(order: int, matrix: ArrayLike) -> FloatArray:
    """Matrix that turns the coefficients of f(v) into those of f(matrix^-1 v).

    A degree goes to itself, so the blocks ``<Y_i(v), Y_j(matrix^-1 v)>`` are integrals of products of one degree, which
    the product quadrature gives exactly; reflections are no special case.

    Parameters
    ----------
    order : int
        Order of the functions.
    matrix : array_like, shape (3, 3)
        A rotation or reflection (orthogonal).

    Returns
    -------
    ndarray, shape ((order + 1)^2, (order + 1)^2)
        Block-diagonal and orthogonal.

    Examples
    --------
    A peak along x, turned by 90 degrees about z, is a peak along y:

    >>> turn = rotation(3, [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    >>> x, y = real_sh(np.eye(3)[:2], 3)
    >>> np.allclose(turn @ x, y)
    True
    """
    return block_diag(*rotation_blocks(order, matrix))


def rotation_blocks(order: int, matrix: ArrayLike) -> tuple[FloatArray, ...]:
    """Blocks of `rotation`, one a degree, each of shape (2 l + 1, 2 l + 1); not to be written to."""
    turn = np.asarray(matrix, dtype=np.float64)
    if turn.shape != (3, 3) or not np.allclose(turn @ turn.T, np.eye(3), atol=1e-9):
        raise ValueError(f"matrix = {turn.tolist()}: must be a rotation or reflection (3 x 3, orthogonal)")
    return _rotation_blocks(order, tuple(turn.ravel().tolist()))


@lru_cache(maxsize=16)
def _rotation_blocks(order: int, entries: tuple[float, ...]) -> tuple[FloatArray, ...]:
    quadrature = product_quadrature(order)
    turned = quadrature.directions @ np.array(entries).reshape(3, 3)
    before = _core.spherical_harmonics(turned, order)
    after = _core.spherical_harmonics(quadrature.directions, order) * quadrature.weights[:, None]
    degrees = [slice(degree**2, (degree + 1) ** 2) for degree in range(order + 1)]
    blocks = tuple(after[:, own].T @ before[:, own] for own in degrees)
    for block in blocks:
        block.flags.writeable = False
    return blocks


def funk_hecke(kernel: Callable[[FloatArray], FloatArray], *, order: int) -> FloatArray:
    """Eigenvalues of a zonal kernel: what convolution with it does to each degree.

    ``lambda_l = 2 pi * integral of k(x) P_l(x) over x = -1..1`` (Funk and Hecke); ``k(v.w)`` has the coefficients
    ``lambda_l Y_lm(w)``. Gauss-Legendre nodes are spread over the chord ``d = sqrt(2 - 2x)`` instead of x, in which
    kernels with a kink at d = 0, such as exp(-d), are smooth too.

    Parameters
    ----------
    kernel : callable
        Takes cosines, shape (n,), and returns the kernel's values; smooth in the chord d.
    order : int
        Highest degree.

    Returns
    -------
    ndarray, shape (order + 1,)
        The eigenvalues, degree 0 first.

    Examples
    --------
    >>> (funk_hecke(lambda x: 3 * x / (4 * np.pi), order=2)).round(12) + 0.0
    array([0., 1., 0.])
    """
    nodes, weights = roots_legendre(256 + 2 * order)
    chord = nodes + 1.0
    cosine = 1.0 - chord**2 / 2
    return 2 * np.pi * (kernel(cosine) * weights * chord) @ legvander(cosine, order)


def product(a: Coefficients, b: Coefficients) -> Coefficients:
    """Coefficients of the product of two functions, order(a) + order(b), without loss."""
    order = order_of(a) + order_of(b)
    quadrature = product_quadrature(order)
    values = evaluate(a, quadrature.directions) * evaluate(b, quadrature.directions)
    return transform(values, order=order, quadrature=quadrature)
