"""Rigid-sphere head: pressure at its two ears for a point source.

Duda and Martens (1998), "Range dependence of the response of a spherical head model", in the ``exp(+j w t)``
convention of the FFT, where a delay is ``exp(-j w tau)`` and outgoing waves are spherical Hankel functions of the
second kind. Hankel functions are never evaluated themselves: their ratios follow a stable upward recursion, so that no
order and no frequency overflows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import ArrayLike, NDArray

from forestage.acoustics.field_check import number, settle
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import HEAD_RADIUS_M, SPEED_OF_SOUND_M_S


class HeadModel(Protocol):
    """What every head can do, a sphere or a measured one."""

    @property
    def radius_m(self) -> float:
        """Radius of the head, or of the sphere that comes closest, in metres."""
        ...

    def ears(self, frequency_hz: ArrayLike, source_m: ArrayLike) -> ComplexArray:
        """Pressure at the ears for point sources, shape (2, sources, n); see `Head.ears`."""
        ...


@dataclass(frozen=True)
class Head:
    """A rigid sphere with two ears on it.

    Its frame has the origin at the centre, x along the nose, y through the left ear's side, z up.

    Parameters
    ----------
    radius_m : float
        Radius of the sphere in metres.
    ear_azimuth_deg : float
        Angle between the nose and each ear in degrees; 90 is on the interaural axis.
    ear_elevation_deg : float
        Angle of the ears above the horizontal plane in degrees.
    """

    radius_m: float = HEAD_RADIUS_M
    ear_azimuth_deg: float = 90.0
    ear_elevation_deg: float = 0.0

    def __post_init__(self) -> None:
        settle(self, radius_m=number, ear_azimuth_deg=number, ear_elevation_deg=number)

    def ear_directions(self) -> FloatArray:
        """Unit vectors to the (left, right) ear in the head's frame, shape (2, 3)."""
        azimuth, elevation = np.deg2rad([self.ear_azimuth_deg, self.ear_elevation_deg])
        level = np.cos(elevation)
        left = [level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)]
        return np.array([left, left]) * [[1.0, 1.0, 1.0], [1.0, -1.0, 1.0]]

    def ears(self, frequency_hz: ArrayLike, source_m: ArrayLike) -> ComplexArray:
        """Pressure at both ears for point sources, relative to 1 m in the free field.

        Parameters
        ----------
        frequency_hz : array_like, shape (n,)
            Frequencies in Hz.
        source_m : array_like, shape (k, 3)
            Where the sources stand, in the head's frame.

        Returns
        -------
        ndarray of complex, shape (2, k, n)
            ``exp(-j k r) / r`` times the response of the sphere, at the (left, right) ear.

        Examples
        --------
        >>> left, right = Head().ears([500.0], [[0.0, 2.0, 0.0]])[:, 0, 0]
        >>> bool(abs(left) > abs(right))
        True
        """
        frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
        source = np.asarray(source_m, dtype=np.float64)
        distance = np.linalg.norm(source, axis=-1)
        cosines = np.clip(source @ self.ear_directions().T / distance[:, None], -1.0, 1.0)
        reaches, which = shared_distances(distance)
        terms = _sphere_terms(frequency, radius_m=self.radius_m, distance_m=reaches)
        terms *= (np.exp(-2j * np.pi * reaches[:, None] * frequency / SPEED_OF_SOUND_M_S) / reaches[:, None])[:, None]
        polynomials = legvander(cosines, terms.shape[1] - 1)
        response = np.empty((2, len(source), len(frequency)), dtype=np.complex128)
        for index, each in enumerate(terms):
            here = which == index
            response[:, here] = (polynomials[here].swapaxes(0, 1) @ each.view(np.float64)).view(np.complex128)
        return response


def shared_distances(distance_m: FloatArray) -> tuple[FloatArray, NDArray[np.intp]]:
    """Distances that differ by more than rounding, shape (k,), and which of them each is; what depends on it is shared.

    Examples
    --------
    >>> reaches, which = shared_distances(np.array([2.0, 1.0, 2.0]))
    >>> reaches.tolist(), which.tolist()
    ([1.0, 2.0], [1, 0, 1])
    """
    furthest = float(distance_m.max())
    shares, which = np.unique((distance_m / furthest).round(12), return_inverse=True)
    return shares * furthest, which


def order_for(size_ka: float, *, ratio: float = 0.0) -> int:
    """Highest order that a series on a sphere of ``ka`` needs.

    Parameters
    ----------
    size_ka : float
        Wave number times radius.
    ratio : float
        Radius over the distance of the source; a source nearby needs more orders than ``ka`` alone.

    Examples
    --------
    >>> order_for(0.0) < order_for(10.0) < order_for(40.0)
    True
    """
    far = size_ka + 2.5 * np.cbrt(size_ka) + 4.0
    near = np.log(1e-8) / np.log(ratio) if ratio > 0.0 else 0.0
    return int(np.ceil(min(max(far, near), 2000.0)))


def hankel_quotients(argument: ArrayLike, order: int) -> ComplexArray:
    """Quotients ``h_m / h_(m-1)`` of spherical Hankel functions of the second kind, m = 1..order, on the first axis."""
    x = np.asarray(argument, dtype=np.float64)
    quotients = np.empty((order, *x.shape), dtype=np.complex128)
    inverse = 1.0 / x
    real, imaginary = inverse, np.ones_like(x)
    for m in range(order):
        if m:  # (2 m + 1) / x less the inverse of the last quotient, in parts: several times as fast
            power = real**2 + imaginary**2
            real, imaginary = (2 * m + 1) * inverse - real / power, imaginary / power
        quotients[m].real, quotients[m].imag = real, imaginary
    return quotients


def log_derivatives(argument: ArrayLike, order: int) -> ComplexArray:
    """``h'_m / h_m`` of spherical Hankel functions of the second kind, m = 0..order, on the first axis."""
    x = np.asarray(argument, dtype=np.float64)
    quotients = hankel_quotients(x, order + 1)
    m = np.arange(order + 1).reshape((-1,) + (1,) * x.ndim)
    return m / x - quotients


def sphere_response(
    frequency_hz: ArrayLike, *, radius_m: float, distance_m: ArrayLike, incidence_rad: ArrayLike
) -> ComplexArray:
    """Pressure on a rigid sphere over the free-field pressure at its centre, for point sources.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, 0 included (the value there is 1).
    radius_m : float
        Radius of the sphere in metres.
    distance_m : array_like, shape (...)
        Distances of the sources from its centre, in metres.
    incidence_rad : array_like, shape (..., k)
        Angles between each source and its points on the sphere, as seen from the centre.

    Returns
    -------
    ndarray of complex, shape (..., k, n)
        The response. The delay from the source to the centre is divided out.

    Examples
    --------
    >>> near, far = sphere_response([100.0], radius_m=0.0875, distance_m=2.0, incidence_rad=[0.0, 3.14159])[:, 0]
    >>> bool(abs(near) > abs(far))
    True
    """
    frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
    distance = np.asarray(distance_m, dtype=np.float64)
    angles = np.atleast_1d(np.asarray(incidence_rad, dtype=np.float64))
    nearest = float(distance.min())
    if nearest <= radius_m:
        raise ValueError(f"distance_m = {nearest:g}: the source must be outside the sphere of radius {radius_m} m")
    terms = _sphere_terms(frequency, radius_m=radius_m, distance_m=distance)
    return legvander(np.cos(angles), terms.shape[-2] - 1) @ terms


def _sphere_terms(frequency: FloatArray, *, radius_m: float, distance_m: FloatArray) -> ComplexArray:
    """What each Legendre polynomial of the incidence counts for in `sphere_response`, shape (..., order + 1, n)."""
    # Below 1 Hz the series is at its static limit.
    k = 2 * np.pi * np.maximum(frequency, 1.0) / SPEED_OF_SOUND_M_S
    near, far = k * radius_m, k * distance_m[..., None]
    order = order_for(float(near.max()), ratio=radius_m / float(distance_m.min()))
    quotients_near = hankel_quotients(near, order + 1)
    m = np.arange(order + 1)[:, None]
    derivatives = m / near - quotients_near
    # Each term is h_m(kr) / h'_m(ka) relative to h_0(kr) / h_0(ka), which carries the whole delay r - a.
    growth = hankel_quotients(far, order)
    growth *= 1.0 / quotients_near[:order].reshape(order, *(1,) * distance_m.ndim, -1)
    terms = np.ones((*distance_m.shape, order + 1, len(k)), dtype=np.complex128)
    np.cumprod(np.moveaxis(growth, 0, -2), axis=-2, out=terms[..., 1:, :])
    # -(j / (k a)) h_0(kr)/h_0(ka) over exp(-j k r)/r, with h_0(x) = j exp(-j x)/x
    terms *= -np.exp(1j * near) / near * (2 * m + 1) / derivatives
    return terms
