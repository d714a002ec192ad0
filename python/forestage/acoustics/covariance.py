"""Fits of functions on the sphere to values in few directions, by the covariance that nearby directions share.

A stationary covariance is a kernel ``k(d)`` of the chord ``d = |v - w|``, 0..2, between two directions. It is zonal, so
spherical harmonics diagonalise it: a random function with that covariance has independent coefficients of variance
``lambda_l`` in degree l, the kernel's Funk-Hecke eigenvalues. A fit is then the regression

    values = mean + Y c + noise,    c_lm ~ N(0, a lambda_l),    noise ~ N(0, a eta),

whose answer is the posterior mean ``c = lambda Y' (Y lambda Y' + eta)^-1 (values - mean)`` (kriging, or Gaussian
process regression). What the kernel holds beyond the fitted order counts as noise. Mean and amplitude a have closed
forms; length scale and noise eta are searched, at each frequency, for the highest marginal likelihood, times weak
priors that only few directions feel. The Tikhonov fit is the same regression with ``lambda_l = 1 / (l (l + 1))``.

After Y. Luo, "Spherical harmonic covariance and magnitude function encodings for beamformer design", EURASIP J. Audio,
Speech, Music Process. 2021:41; C. E. Rasmussen and C. K. I. Williams, "Gaussian Processes for Machine Learning", 2006.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ive, spherical_jn

from forestage.acoustics.spherical_harmonics import funk_hecke, per_coefficient, real_sh
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.short_repr import ShortRepr

Kernel = Literal["squared-exponential", "matern-5/2", "matern-3/2", "exponential", "sinc"]

# Each as a function of the chord over the length scale.
_PROFILES: dict[Kernel, Callable[[FloatArray], FloatArray]] = {
    "squared-exponential": lambda r: np.exp(-(r**2) / 2),
    "matern-5/2": lambda r: (1 + math.sqrt(5) * r + 5 * r**2 / 3) * np.exp(-math.sqrt(5) * r),
    "matern-3/2": lambda r: (1 + math.sqrt(3) * r) * np.exp(-math.sqrt(3) * r),
    "exponential": lambda r: np.exp(-r),
    "sinc": lambda r: np.sinc(r / np.pi),
}
KERNELS: tuple[Kernel, ...] = tuple(_PROFILES)

LENGTH_SCALES = np.geomspace(0.1, 3.0, 18)
NOISES = 10.0 ** np.arange(-8.0, 2.01, 1 / 3)
BLOCK = 2048
# Where the likelihood of a few directions is nearly flat, these settle it: median and spread of the length scale (the
# spread in nepers), and of the noise relative to the mean power (both in dB).
_LIKELY_LENGTH_SCALE = (0.7, 0.7)
_LIKELY_NOISE_DB = (-40.0, 10.0)


def covariance(kernel: Kernel, chord: ArrayLike, *, length_scale: float) -> FloatArray:
    """Covariance of unit variance at chords 0..2.

    Examples
    --------
    >>> covariance("exponential", [0.0, 1.0, 2.0], length_scale=1.0).round(3)
    array([1.   , 0.368, 0.135])
    """
    _check_kernel(kernel, length_scale)
    return _PROFILES[kernel](np.asarray(chord, dtype=np.float64) / length_scale)


def eigenvalues(kernel: Kernel, *, length_scale: float, order: int) -> FloatArray:
    """Funk-Hecke eigenvalues of a covariance, degrees 0..order.

    The squared exponential of a chord is a von Mises-Fisher density of concentration ``z = 1 / length_scale^2``, hence
    ``4 pi exp(-z) i_l(z)`` with the modified spherical Bessel function; the sinc is the coherence of a diffuse field on
    a sphere, ``4 pi j_l(1 / length_scale)^2``. The others are integrated.
    """
    _check_kernel(kernel, length_scale)
    degrees = np.arange(order + 1)
    if kernel == "squared-exponential":
        z = length_scale**-2
        return 4 * np.pi * np.sqrt(np.pi / (2 * z)) * ive(degrees + 0.5, z)
    if kernel == "sinc":
        return 4 * np.pi * spherical_jn(degrees, 1 / length_scale) ** 2
    profile = _PROFILES[kernel]
    return funk_hecke(lambda cosine: profile(np.sqrt(np.maximum(2 - 2 * cosine, 0.0)) / length_scale), order=order)


def kernel_coefficients(kernel: Kernel, directions: ArrayLike, *, length_scale: float, order: int) -> FloatArray:
    """Coefficients of the functions ``k(|v - w|)`` around the directions w, shape ((order + 1)^2, n)."""
    spectrum = per_coefficient(eigenvalues(kernel, length_scale=length_scale, order=order))
    return spectrum[:, None] * real_sh(directions, order).T


def truncation_error_db(kernel: Kernel, *, length_scale: float, order: int) -> float:
    """Power of a kernel's degrees above ``order`` over its whole power, in dB."""
    degrees = np.arange(4 * order + 300)
    powers = (2 * degrees + 1) * eigenvalues(kernel, length_scale=length_scale, order=int(degrees[-1])) ** 2
    return float(10 * np.log10(powers[order + 1 :].sum() / powers.sum()))


@dataclass(frozen=True, repr=False)
class Regression(ShortRepr):
    """A fit, and what it found out about the data.

    Parameters
    ----------
    coefficients : ndarray of complex, shape ((order + 1)^2, f)
        Coefficients of real spherical harmonics.
    length_scale : ndarray, shape (f,)
        The most likely chord over which values stay alike.
    noise_db : ndarray, shape (f,)
        The most likely power of the noise, relative to the mean power of the values.
    """

    coefficients: ComplexArray
    length_scale: FloatArray
    noise_db: FloatArray


def fit_directivity(
    directions: ArrayLike, values: ArrayLike, *, order: int, kernel: Kernel = "squared-exponential"
) -> ComplexArray:
    """Spherical harmonic coefficients of a response that was measured in some directions; see `regress`.

    Examples
    --------
    A cardioid, from six directions:

    >>> directions = np.concatenate([np.eye(3), -np.eye(3)])
    >>> coefficients = fit_directivity(directions, 0.5 + 0.5 * directions[:, :1], order=3)
    >>> aside = np.array([[0.6, 0.8, 0.0]])
    >>> (real_sh(aside, 3) @ coefficients).real.round(2)
    array([[0.8]])
    """
    return regress(directions, values, order=order, kernel=kernel).coefficients


def regress(
    directions: ArrayLike,
    values: ArrayLike,
    *,
    order: int,
    kernel: Kernel = "squared-exponential",
    length_scale: float | None = None,
    noise: float | None = None,
) -> Regression:
    """Covariance regression of complex values, at many frequencies at once.

    Directions may be few, noisy, uneven and with gaps: far from all of them the fit falls back to the mean. Expand a
    driver about its own position: the smoother its phase over direction, the fewer directions tell it.

    Parameters
    ----------
    directions : array_like, shape (n, 3)
        Unit vectors, at least two.
    values : array_like of complex, shape (n, f)
        Values there, one column a frequency.
    order : int
        Order of the coefficients.
    kernel : Kernel
        The covariance.
    length_scale : float, optional
        Chord over which values stay alike; the most likely of `LENGTH_SCALES` by default.
    noise : float, optional
        Variance of the noise over that of the function; the most likely of `NOISES` by default.

    Returns
    -------
    Regression
        The coefficients, and the length scale and noise of each frequency.
    """
    scales = LENGTH_SCALES if length_scale is None else np.array([_above_zero(length_scale, "length_scale")])
    noises = NOISES if noise is None else np.array([_above_zero(noise, "noise")])
    expectations = (_expectation(kernel, scale, order) for scale in scales)
    coefficients, chosen, noise_db = _most_likely(_samples(directions, values, order), expectations, noises)
    return Regression(coefficients, scales[chosen], noise_db)


def fit_tikhonov(directions: ArrayLike, values: ArrayLike, *, order: int, weight: float | None = None) -> ComplexArray:
    """Least squares that keeps ``weight * sum of l (l + 1) |c_lm|^2`` small, shape ((order + 1)^2, f).

    Parameters are those of `regress`; the default ``weight`` is the most likely of `NOISES`.
    """
    degrees = np.arange(1, order + 1)
    spectrum = np.concatenate([[0.0], 1.0 / (degrees * (degrees + 1))])
    noises = NOISES if weight is None else np.array([_above_zero(weight, "weight")])
    return _most_likely(_samples(directions, values, order), [_Expectation(spectrum)], noises)[0]


def fit_least_squares(directions: ArrayLike, values: ArrayLike, *, order: int) -> ComplexArray:
    """Plain least squares, of least norm where the directions leave a choice, shape ((order + 1)^2, f)."""
    coefficients = np.linalg.lstsq(real_sh(directions, order), _finite(directions, values), rcond=None)[0]
    return np.asarray(coefficients, dtype=np.complex128)


@dataclass(frozen=True)
class _Expectation:
    """What a fit expects before it sees data.

    Parameters
    ----------
    spectrum : ndarray, shape (order + 1,)
        Variance of the coefficients of each degree.
    beyond : float
        Variance of the values by degrees above the order.
    log_prior : float
        Logarithm of how likely this expectation is.
    """

    spectrum: FloatArray
    beyond: float = 0.0
    log_prior: float = 0.0


def _expectation(kernel: Kernel, length_scale: float, order: int) -> _Expectation:
    spectrum = eigenvalues(kernel, length_scale=length_scale, order=order)
    median, spread = _LIKELY_LENGTH_SCALE
    beyond = 1.0 - per_coefficient(spectrum).sum() / (4 * np.pi)
    return _Expectation(spectrum, max(beyond, 0.0), -((math.log(length_scale / median) / spread) ** 2) / 2)


@dataclass(frozen=True)
class _Samples:
    """Values of unit power without their mean. More of them than coefficients are turned (QR) into as many, and a rest.

    Parameters
    ----------
    harmonics : ndarray, shape (k, (order + 1)^2)
        What each coefficient adds to each value.
    values : ndarray of complex, shape (k, f)
        The values.
    ones : ndarray, shape (k,)
        What a constant adds to each value.
    rest : ndarray, shape (f,)
        Sum of squares that no coefficient explains.
    count : int
        How many values were measured, at least k.
    mean, level : ndarray, shape (f,)
        The mean that was taken out, and the root mean square that the values were divided by.
    """

    harmonics: FloatArray
    values: ComplexArray
    ones: FloatArray
    rest: FloatArray
    count: int
    mean: ComplexArray
    level: FloatArray


def _samples(directions: ArrayLike, values: ArrayLike, order: int) -> _Samples:
    directions, data = np.asarray(directions, dtype=np.float64), _finite(directions, values)
    count, coefficients = len(directions), (order + 1) ** 2
    mean = data.mean(axis=0)
    level = np.sqrt(np.mean(np.abs(data) ** 2, axis=0))
    level[level == 0.0] = 1.0
    ones = np.ones(count)
    if count <= coefficients:
        return _Samples(
            real_sh(directions, order), (data - mean) / level, ones, np.zeros(len(level)), count, mean, level
        )
    # Block by block, so that memory does not grow with directions: what came before is its triangle.
    triangle, turned_ones = np.empty((0, coefficients)), np.empty(0)
    turned = np.empty((0, len(level)), dtype=np.complex128)
    power = np.zeros(len(level))
    for start in range(0, count, BLOCK):
        rows = slice(start, start + BLOCK)
        block = (data[rows] - mean) / level
        power += np.sum(np.abs(block) ** 2, axis=0)
        basis, triangle = np.linalg.qr(np.concatenate([triangle, real_sh(directions[rows], order)]))
        turned = basis.T @ np.concatenate([turned, block])
        turned_ones = basis.T @ np.concatenate([turned_ones, ones[rows]])
    rest = np.maximum(power - np.sum(np.abs(turned) ** 2, axis=0), 0.0)
    return _Samples(triangle, turned, turned_ones, rest, count, mean, level)


# Middling matrices: threads cost more time than they save.
@one_thread
def _most_likely(
    samples: _Samples, expectations: Iterable[_Expectation], noises: FloatArray
) -> tuple[ComplexArray, NDArray[np.intp], FloatArray]:
    """Fit under the likeliest pair of expectation and noise: coefficients, index of the expectation, noise in dB."""
    frequencies = samples.values.shape[1]
    coefficients = np.zeros((samples.harmonics.shape[1], frequencies), dtype=np.complex128)
    best = np.full(frequencies, -np.inf)
    chosen, noise_db = np.zeros(frequencies, dtype=np.intp), np.zeros(frequencies)
    for index, expectation in enumerate(expectations):
        model = _Model(samples, expectation)
        score, level_db = model.likelihood(noises)
        likeliest = np.argmax(score, axis=0)
        better = np.flatnonzero(np.max(score, axis=0) > best)
        cells = likeliest[better], better
        best[better], noise_db[better], chosen[better] = score[cells], level_db[cells], index
        coefficients[:, better] = model.posterior(noises[cells[0]], better)
    coefficients *= samples.level
    coefficients[0] += math.sqrt(4 * np.pi) * samples.mean
    return coefficients, chosen, noise_db


class _Model:
    """The regression under one expectation, in the eigenvectors of its covariance matrix, where noise is a mere sum."""

    def __init__(self, samples: _Samples, expectation: _Expectation) -> None:
        spectrum = per_coefficient(expectation.spectrum)
        gram = (samples.harmonics * spectrum) @ samples.harmonics.T
        variances, vectors = np.linalg.eigh(gram)
        self.variances = np.maximum(variances, 0.0)
        self.to_coefficients = spectrum[:, None] * (samples.harmonics.T @ vectors)
        self.values = vectors.T @ samples.values
        self.ones = vectors.T @ samples.ones
        self.samples = samples
        self.expectation = expectation

    def likelihood(self, noises: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Logarithm of the marginal likelihood times the priors, and the noise in dB, both of shape (noises, f).

        The mean is integrated over (flat prior), the amplitude takes its best value ``misfit / freedom``.
        """
        freedom = self.samples.count - 1
        spare = self.samples.count - len(self.values)
        floor = noises[:, None] + self.expectation.beyond
        precision = 1.0 / (self.variances + floor)
        certainty = precision @ self.ones[:, None] ** 2
        mean = precision @ (self.ones[:, None] * self.values) / certainty
        misfit = precision @ np.abs(self.values) ** 2 - certainty * np.abs(mean) ** 2 + self.samples.rest / floor
        misfit = np.maximum(misfit, 1e-200)
        noise_db = 10 * np.log10(noises[:, None] * misfit / freedom)
        determinant = np.sum(np.log(precision), axis=1, keepdims=True) - spare * np.log(floor) - np.log(certainty)
        median, spread = _LIKELY_NOISE_DB
        log_prior = self.expectation.log_prior - ((noise_db - median) / spread) ** 2 / 2
        return log_prior + determinant - freedom * np.log(misfit), noise_db

    def posterior(self, noise: FloatArray, columns: NDArray[np.intp]) -> ComplexArray:
        """Most likely coefficients of some columns of the values, each under its noise."""
        precision = 1.0 / (self.variances[:, None] + noise + self.expectation.beyond)
        values, ones = self.values[:, columns], self.ones[:, None]
        mean = np.sum(precision * ones * values, axis=0) / np.sum(precision * ones**2, axis=0)
        coefficients = self.to_coefficients @ (precision * (values - ones * mean))
        coefficients[0] += math.sqrt(4 * np.pi) * mean
        return coefficients


def _finite(directions: ArrayLike, values: ArrayLike) -> ComplexArray:
    count = len(np.asarray(directions))
    data = np.asarray(values, dtype=np.complex128)
    if data.ndim != 2 or len(data) != count:
        raise ValueError(f"values: shape {data.shape}; must be ({count}, frequencies), as there are {count} directions")
    if count < 2:
        raise ValueError(f"directions: {count} of them; must be at least 2")
    wrong = np.argwhere(~np.isfinite(data))
    if len(wrong):
        row, column = wrong[0]
        raise ValueError(f"values[{row}, {column}] = {data[row, column]}: must be finite")
    return data


def _check_kernel(kernel: str, length_scale: float) -> None:
    if kernel not in _PROFILES:
        raise ValueError(f'kernel = "{kernel}": must be one of {", ".join(KERNELS)}')
    _above_zero(length_scale, "length_scale")


def _above_zero(value: float, name: str) -> float:
    if not value > 0.0:
        raise ValueError(f"{name} = {value}: must be above 0")
    return value
