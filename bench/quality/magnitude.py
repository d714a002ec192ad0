"""Functions on the sphere that are never negative: power patterns and densities.

Cut off at an order, a non-negative function ripples below zero. The squared magnitude ``D = |C|^2`` of any function C
of half the order cannot, and is exactly of the order; nor can a sum of such squares. So a pattern x is kept as squares,
and it is met, by free amplitudes or by the pressure ``C = B w`` of drivers, in least squares of power:

    min of the integral of (sum of |C|^2 - x)^2 over the sphere,    with w^H w <= drive limit.

After Y. Luo, "Spherical harmonic covariance and magnitude function encodings for beamformer design", EURASIP J. Audio,
Speech, Music Process. 2021:41.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import NonlinearConstraint, minimize

from forestage.acoustics.covariance import kernel_coefficients
from forestage.acoustics.spherical_harmonics import (
    Coefficients,
    evaluate,
    order_of,
    product,
    product_quadrature,
    real_sh,
    transform,
)
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread


def square(amplitude: Coefficients) -> FloatArray:
    """Coefficients of the squared magnitude of a function, of twice its order: never negative, nothing cut off.

    Examples
    --------
    >>> square(np.array([1j, 0.0, 0.0, 0.0])).round(3)[:2] + 0.0
    array([0.282, 0.   ])
    """
    return product(amplitude, np.conj(amplitude)).real


def squared_exponential_density(direction: ArrayLike, *, length_scale: float, order: int) -> FloatArray:
    """A bump ``exp(-d^2 / (2 length_scale^2))`` around a direction, with integral 1 and no negative value.

    Its root is the same bump of ``sqrt(2)`` the length scale, which is cut off at half the order and squared.

    Parameters
    ----------
    direction : array_like, shape (3,)
        Unit vector to the top of the bump.
    length_scale : float
        Width, as a chord.
    order : int
        Order of the density, even.

    Returns
    -------
    ndarray, shape ((order + 1)^2,)
        Coefficients.
    """
    top, width = np.reshape(direction, (1, 3)), math.sqrt(2) * length_scale
    root = kernel_coefficients("squared-exponential", top, length_scale=width, order=_half(order))[:, 0]
    return square(root / np.linalg.norm(root))


def null_pattern(nulls: ArrayLike, *, length_scale: float, order: int) -> FloatArray:
    """The power pattern ``(1 - bumps)^2``: zero towards the nulls, one elsewhere.

    The bumps are squared exponentials of such heights that every null is exact; their length scale is its width.

    Parameters
    ----------
    nulls : array_like, shape (n, 3)
        Unit vectors to the nulls.
    length_scale : float
        Width of each null, as a chord.
    order : int
        Order of the pattern, even.

    Returns
    -------
    ndarray, shape ((order + 1)^2,)
        Coefficients.
    """
    bumps = kernel_coefficients("squared-exponential", nulls, length_scale=length_scale, order=_half(order))
    heights = np.linalg.solve(evaluate(bumps, nulls), np.ones(bumps.shape[1]))
    amplitude = -bumps @ heights
    amplitude[0] += math.sqrt(4 * np.pi)
    return square(amplitude)


@one_thread
def non_negative(power: FloatArray, *, order: int) -> FloatArray:
    """The nearest function of ``order`` that is a sum of squares, in least squares over the sphere.

    One square of a real function cannot follow most patterns. The sum has four: on all patterns tried more did no
    better, and with fewer the search was caught in false minima.

    Parameters
    ----------
    power : ndarray, shape ((any order + 1)^2,)
        Coefficients of a power pattern that is not negative in earnest.
    order : int
        Order of the result, even.

    Returns
    -------
    ndarray, shape ((order + 1)^2,)
        Coefficients.
    """
    half = _half(order)
    quadrature = product_quadrature(max(order, order_of(power)))
    wanted = evaluate(power, quadrature.directions)
    unit = _peak(wanted)
    harmonics = real_sh(quadrature.directions, half)
    root = transform(np.sqrt(np.maximum(wanted / unit, 0.0)), order=half, quadrature=quadrature)
    # The root of the pattern and three small functions: a search never leaves a zero.
    start = np.random.default_rng(0).standard_normal((len(root), 4)) * 0.05 * np.linalg.norm(root) / (half + 1)
    start[:, 0] += root

    def error(parts: FloatArray) -> tuple[float, FloatArray]:
        amplitudes = harmonics @ parts.reshape(start.shape)
        value, slopes = _power_error(amplitudes, wanted / unit, quadrature.weights)
        return value, np.ravel(harmonics.T @ slopes)

    result = minimize(
        error,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 3000, "maxfun": 10_000, "ftol": 1e-13, "gtol": 1e-8},
    )
    return unit * np.sum([square(amplitude) for amplitude in result.x.reshape(start.shape).T], axis=0)


# Many small matrices: threads only cost time.
@one_thread
def fit_power(
    drivers: ComplexArray,
    target: FloatArray,
    *,
    importance: FloatArray | None = None,
    drive_limit: float | None = None,
) -> ComplexArray:
    """Driver weights whose power pattern is nearest to a target, at one frequency.

    There are several minima; the search starts from every eigenvector of the power that goes to the target, and the
    best is taken. Power says nothing of the common phase: the mean pressure over the target is made real and positive.

    Parameters
    ----------
    drivers : ndarray of complex, shape ((any order + 1)^2, n)
        Coefficients of the response of each driver.
    target : ndarray, shape ((any order + 1)^2,)
        Coefficients of the wanted power pattern.
    importance : ndarray, shape ((any order + 1)^2,), optional
        Coefficients of a density that weighs the error, such as `squared_exponential_density`; uniform by default.
    drive_limit : float, optional
        Bound on the sum of the squared magnitudes of the weights.

    Returns
    -------
    ndarray of complex, shape (n,)
        The weights.
    """
    if drive_limit is not None and not drive_limit > 0.0:
        raise ValueError(f"drive_limit = {drive_limit}: must be above 0")
    importance = np.ones(1) if importance is None else importance
    quadrature = product_quadrature(max(2 * order_of(drivers), order_of(target)) + order_of(importance) // 2 + 1)
    weights = quadrature.weights * np.maximum(evaluate(importance, quadrature.directions), 0.0)
    power, pressure = evaluate(target, quadrature.directions), evaluate(drivers, quadrature.directions)
    unit = _peak(power)
    # Modes: combinations of drivers that are orthonormal on the sphere; those that nobody hears are left alone.
    gains, vectors = np.linalg.eigh(pressure.conj().T @ (weights[:, None] * pressure))
    heard = gains > 1e-10 * gains[-1]
    to_weights = vectors[:, heard] / np.sqrt(gains[heard])
    modes = pressure @ to_weights
    costs = np.zeros(modes.shape[1]) if drive_limit is None else unit / (gains[heard] * drive_limit)
    match = _PowerMatch(modes, power / unit, weights, costs)
    starts = np.linalg.eigh(modes.conj().T @ ((weights * power)[:, None] * modes))[1].T
    _, best = min((match.descend(start) for start in starts), key=lambda found: found[0])
    mean = np.sum(weights * power * (modes @ best))
    return to_weights @ best * math.sqrt(unit) * np.exp(-1j * np.angle(mean))


@dataclass(frozen=True)
class _PowerMatch:
    """Least squares in power, over amplitudes of modes that are orthonormal on the sphere.

    Parameters
    ----------
    modes : ndarray of complex, shape (directions, n)
        Pressure of each mode.
    power : ndarray, shape (directions,)
        The target, 1 at most.
    weights : ndarray, shape (directions,)
        Of the quadrature.
    costs : ndarray, shape (n,)
        Share of the drive limit that a unit amplitude of each mode takes; zeros for no limit.
    """

    modes: ComplexArray
    power: FloatArray
    weights: FloatArray
    costs: FloatArray

    def error(self, parts: FloatArray) -> tuple[float, FloatArray]:
        """Squared error over the sphere, and its gradient, at the real and the imaginary parts of the amplitudes."""
        pressure = self.modes @ _complex(parts)
        value, slopes = _power_error(pressure[:, None], self.power, self.weights)
        gradient = self.modes.conj().T @ slopes[:, 0]
        return value, np.concatenate([gradient.real, gradient.imag])

    def descend(self, start: ComplexArray) -> tuple[float, ComplexArray]:
        """Error and amplitudes at the minimum that a start leads to; the start's level does not matter."""
        shape = np.abs(self.modes @ start) ** 2
        level = math.sqrt(max((self.weights * shape) @ self.power / ((self.weights * shape) @ shape), 1e-12))
        drive = level**2 * float(self.costs @ np.abs(start) ** 2)
        start = start * level / math.sqrt(max(drive, 1.0))
        costs = np.tile(self.costs, 2)
        limit = NonlinearConstraint(lambda p: costs @ p**2, -np.inf, 1.0, jac=lambda p: 2.0 * costs * p)
        result = minimize(
            self.error,
            np.concatenate([start.real, start.imag]),
            jac=True,
            method="SLSQP",
            constraints=[limit] if self.costs.any() else [],
            options={"maxiter": 500, "ftol": 1e-12},
        )
        return float(result.fun), _complex(result.x)


def _power_error(amplitudes: Coefficients, power: FloatArray, weights: FloatArray) -> tuple[float, Coefficients]:
    """Integrated squared error of the summed squares of amplitudes (directions, k), and its slope over each of them."""
    excess = np.sum(np.abs(amplitudes) ** 2, axis=1) - power
    return float(weights @ excess**2), 4 * (weights * excess)[:, None] * amplitudes


def _peak(power: FloatArray) -> float:
    peak = float(power.max())
    if not peak > 0.0:
        raise ValueError(f"power pattern: its highest value is {peak}; must be above 0 somewhere")
    return peak


def _complex(parts: FloatArray) -> ComplexArray:
    real, imaginary = np.split(parts, 2)
    return real + 1j * imaginary


def _half(order: int) -> int:
    if order < 0 or order % 2:
        raise ValueError(f"order = {order}: must be even, as a square has twice the order of its root")
    return order // 2
