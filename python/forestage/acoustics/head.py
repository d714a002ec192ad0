"""Rigid-sphere head: pressure at its two ears for a point source.

Duda and Martens (1998), "Range dependence of the response of a spherical head model", in the ``exp(+j w t)``
convention of the FFT, where a delay is ``exp(-j w tau)`` and outgoing waves are spherical Hankel functions of the
second kind. Hankel functions are never evaluated themselves: their ratios follow a stable upward recursion, so that no
order and no frequency overflows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

SPEED_OF_SOUND_M_S = 343.0

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True)
class Head:
    """A rigid sphere with two ears on it.

    Parameters
    ----------
    radius_m : float
        Radius of the sphere in metres.
    ear_azimuth_deg : float
        Angle between the nose and each ear in degrees; 90 is on the interaural axis.
    """

    radius_m: float = 0.0875
    ear_azimuth_deg: float = 90.0

    def ear_directions(self) -> FloatArray:
        """Unit vectors to the (left, right) ear of a head that faces -x, shape (2, 3)."""
        angle = np.deg2rad(self.ear_azimuth_deg)
        left = [-np.cos(angle), np.sin(angle), 0.0]
        right = [-np.cos(angle), -np.sin(angle), 0.0]
        return np.array([left, right])


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
    quotients[0] = 1.0 / x + 1j
    for m in range(1, order):
        quotients[m] = (2 * m + 1) / x - 1.0 / quotients[m - 1]
    return quotients


def log_derivatives(argument: ArrayLike, order: int) -> ComplexArray:
    """``h'_m / h_m`` of spherical Hankel functions of the second kind, m = 0..order, on the first axis."""
    x = np.asarray(argument, dtype=np.float64)
    quotients = hankel_quotients(x, order + 1)
    m = np.arange(order + 1).reshape((-1,) + (1,) * x.ndim)
    return m / x - quotients


def legendre(cosine: ArrayLike, order: int) -> FloatArray:
    """Legendre polynomials P_0..P_order of ``cosine``, on the first axis."""
    x = np.asarray(cosine, dtype=np.float64)
    values = np.empty((order + 1, *x.shape))
    values[0] = 1.0
    if order > 0:
        values[1] = x
    for m in range(1, order):
        values[m + 1] = ((2 * m + 1) * x * values[m] - m * values[m - 1]) / (m + 1)
    return values


def sphere_response(
    frequency_hz: ArrayLike, *, radius_m: float, distance_m: float, incidence_rad: ArrayLike
) -> ComplexArray:
    """Pressure on a rigid sphere over the free-field pressure at its centre, for a point source.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, 0 included (the value there is 1).
    radius_m, distance_m : float
        Radius of the sphere and distance of the source from its centre, in metres.
    incidence_rad : array_like, shape (k,)
        Angles between the source and the points on the sphere, as seen from its centre.

    Returns
    -------
    ndarray of complex, shape (k, n)
        The response. The delay from the source to the centre is divided out.

    Examples
    --------
    >>> near, far = sphere_response([100.0], radius_m=0.0875, distance_m=2.0, incidence_rad=[0.0, 3.14159])[:, 0]
    >>> bool(abs(near) > abs(far))
    True
    """
    frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
    angles = np.atleast_1d(np.asarray(incidence_rad, dtype=np.float64))
    if distance_m <= radius_m:
        raise ValueError(f"distance_m = {distance_m}: the source must be outside the sphere of radius {radius_m} m")
    # Below 1 Hz the series is at its static limit.
    k = 2 * np.pi * np.maximum(frequency, 1.0) / SPEED_OF_SOUND_M_S
    near, far = k * radius_m, k * distance_m
    order = order_for(float(near.max()), ratio=radius_m / distance_m)
    quotients_near = hankel_quotients(near, order + 1)
    # Each term is h_m(kr) / h'_m(ka) relative to h_0(kr) / h_0(ka), which carries the whole delay r - a.
    ratios = np.ones((order + 1, len(k)), dtype=np.complex128)
    np.cumprod(hankel_quotients(far, order) / quotients_near[:order], axis=0, out=ratios[1:])
    m = np.arange(order + 1)[:, None]
    derivatives = m / near - quotients_near
    terms = (2 * m + 1) * ratios / derivatives
    polynomials = legendre(np.cos(angles), order)
    series = polynomials.T @ terms
    # -(j / (k a)) h_0(kr)/h_0(ka) over exp(-j k r)/r, with h_0(x) = j exp(-j x)/x
    return -(1.0 / (near * radius_m)) * radius_m * np.exp(1j * near) * series


def ears_from_point(frequency_hz: ArrayLike, *, head: Head, position_m: ArrayLike) -> ComplexArray:
    """Pressure at both ears for a point source, relative to 1 m in the free field.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    head : Head
        The head, at the origin, facing -x.
    position_m : array_like, shape (3,)
        Where the source stands, seen from the centre of the head.

    Returns
    -------
    ndarray of complex, shape (2, n)
        ``exp(-j k r) / r`` times the response of the sphere, at the (left, right) ear.
    """
    frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
    position = np.asarray(position_m, dtype=np.float64)
    distance = float(np.linalg.norm(position))
    cosines = np.clip(head.ear_directions() @ position / distance, -1.0, 1.0)
    response = sphere_response(frequency, radius_m=head.radius_m, distance_m=distance, incidence_rad=np.arccos(cosines))
    return response * np.exp(-2j * np.pi * frequency * distance / SPEED_OF_SOUND_M_S) / distance
