"""From drivers to pressure: at points in the free field, and at the ears of a listener.

Pressures are relative to a point source of the same volume acceleration at 1 m, so that a small driver is flat. A cap
piston on a sphere has an analytic exterior field; a head in that field scatters it once (what the device scatters back
is left out): the incident pressure p and its radial derivative on the head sphere are expanded in spherical harmonics,
``a_nm = (p_nm + (j/k) dp_nm) / (j_n + j j_n')``, and the rigid sphere turns each order into surface pressure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline
from scipy.special import spherical_jn
from threadpoolctl import threadpool_limits

from forestage.acoustics.device import Device, Driver
from forestage.acoustics.head import (
    SPEED_OF_SOUND_M_S,
    ComplexArray,
    FloatArray,
    ears_from_point,
    hankel_quotients,
    legendre,
    log_derivatives,
    order_for,
)

GRID_STEP_HZ = 100.0
HIGHEST_HZ = 24_000.0


@dataclass(frozen=True)
class Plant:
    """Responses from every driver to two ears, with the common delay taken out.

    Parameters
    ----------
    frequency_hz : ndarray, shape (n,)
        Grid on which ``response`` is known.
    response : ndarray of complex, shape (2, drivers, n)
        Pressure at the (left, right) ear, times ``exp(2 pi j f delay_s)``.
    delay_s : float
        The delay that was taken out.
    stereo : list of int
        Indices of the left and the right driver.
    """

    frequency_hz: FloatArray
    response: ComplexArray
    delay_s: float
    stereo: list[int]

    def at(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Response at other frequencies, shape (2, drivers, n); above the grid its last value is held."""
        frequency = np.minimum(np.asarray(frequency_hz, dtype=np.float64), self.frequency_hz[-1])
        return CubicSpline(self.frequency_hz, self.response, axis=-1)(frequency)


# Many small matrices: threads only cost time.
@threadpool_limits.wrap(limits=1, user_api="blas")
def plant(device: Device, *, head_position_m: ArrayLike | None = None, step_hz: float = GRID_STEP_HZ) -> Plant:
    """Responses from the drivers of a device to the ears of its listener.

    Parameters
    ----------
    device : Device
        The device and the size of the listener's head.
    head_position_m : array_like, shape (3,), optional
        Centre of the head; the listener's seat by default. The head keeps facing -x.
    step_hz : float
        Spacing of the frequency grid.

    Returns
    -------
    Plant
        Both ears, all drivers, 0 Hz to 24 kHz.
    """
    head = device.listener.head
    centre = np.array([device.listener.distance_m, 0.0, 0.0])
    if head_position_m is not None:
        centre = np.asarray(head_position_m, dtype=np.float64)
    frequency = np.arange(0.0, HIGHEST_HZ + step_hz / 2, step_hz)
    if device.body is None:
        response = np.stack(
            [ears_from_point(frequency, head=head, position_m=_position(driver) - centre) for driver in device.drivers],
            axis=1,
        )
        distance = float(np.mean([np.linalg.norm(_position(driver) - centre) for driver in device.drivers]))
    else:
        response = _ears_from_caps(device, frequency, centre)
        distance = float(np.linalg.norm(centre))
    response *= np.exp(1j * _wave_number(frequency) * distance)
    response[..., 0] = response[..., 0].real
    return Plant(frequency, response, distance / SPEED_OF_SOUND_M_S, device.stereo)


def directivity(
    device: Device, frequency_hz: ArrayLike, azimuth_deg: ArrayLike, *, distance_m: float | None = None
) -> ComplexArray:
    """Pressure on a horizontal circle around the device, without a head, shape (drivers, azimuths, frequencies).

    Parameters
    ----------
    device : Device
        The device.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    azimuth_deg : array_like, shape (k,)
        Azimuths in degrees, 0 to the listener, positive to the listener's left.
    distance_m : float, optional
        Radius of the circle; the listener's distance by default. The delay over it is taken out.
    """
    distance = device.listener.distance_m if distance_m is None else distance_m
    azimuth = np.deg2rad(np.atleast_1d(np.asarray(azimuth_deg, dtype=np.float64)))
    frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
    k = _wave_number(frequency)
    points = distance * np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=-1)
    delayed = np.exp(1j * k * distance)
    if device.body is None:
        distances = np.array([np.linalg.norm(points - _position(driver), axis=-1) for driver in device.drivers])
        return np.exp(-1j * k * distances[..., None]) / distances[..., None] * delayed
    radius = device.body.radius_m
    order = order_for(float(k.max()) * radius, ratio=radius / distance)
    growth = _growth(k * radius, k * distance, order) * np.exp(-1j * k * (distance - radius)) * radius / distance
    fields = [
        legendre(points @ driver.axis / distance, order).T @ (_cap_terms(driver, radius, k, order) * growth)
        for driver in device.drivers
    ]
    return np.stack(fields) * delayed


def _wave_number(frequency_hz: FloatArray) -> FloatArray:
    """Wave number in rad/m; below 1 Hz every response stands at its static limit."""
    return 2 * np.pi * np.maximum(frequency_hz, 1.0) / SPEED_OF_SOUND_M_S


def _position(driver: Driver) -> FloatArray:
    assert driver.position_m is not None
    return np.array(driver.position_m)


def _cap_terms(driver: Driver, radius_m: float, k: FloatArray, order: int) -> ComplexArray:
    """Pressure on the sphere per order for a cap of unit volume acceleration (times 4 pi), shape (order + 1, n)."""
    assert driver.cap_half_angle_deg is not None
    cosine = np.cos(np.deg2rad(driver.cap_half_angle_deg))
    polynomials = legendre(cosine, order + 1)
    velocity = np.empty(order + 1)
    velocity[0] = (1.0 - cosine) / 2
    velocity[1:] = (polynomials[:-2] - polynomials[2:]) / 2
    scale = -2.0 / (k * radius_m**2 * (1.0 - cosine))
    return scale * velocity[:, None] / log_derivatives(k * radius_m, order)


def _growth(near: FloatArray, far: FloatArray, order: int) -> ComplexArray:
    """``h_m(far) / h_m(near)`` over the same for m = 0, for m = 0..order on the first axis."""
    quotients = hankel_quotients(far, order) / hankel_quotients(near, order)
    return np.concatenate([np.ones((1, *quotients.shape[1:])), np.cumprod(quotients, axis=0)])


@dataclass(frozen=True)
class _HeadGrid:
    """Quadrature over the head sphere: rings around the line to the device, so that a ring has one distance.

    Attributes
    ----------
    distance, outward : ndarray, shape (rings,)
        Distance from the device's origin, and cosine between the ray from there and the head's normal.
    basis : ndarray, shape (drivers, rings, 2 (body order + 1), points)
        Legendre polynomials around each driver's axis, then their derivatives along the head's normal.
    to_ears : ndarray, shape (2, order + 1, rings * points)
        ``(2n+1)/(4 pi) w_q P_n(cos angle to the ear)``.
    """

    distance: FloatArray
    outward: FloatArray
    basis: FloatArray
    to_ears: FloatArray

    @property
    def order(self) -> int:
        return self.to_ears.shape[1] - 1


def _head_grid(device: Device, centre: FloatArray, order: int, body_order: int) -> _HeadGrid:
    head = device.listener.head
    nodes, weights = np.polynomial.legendre.leggauss(order + 1)
    turns = 2 * np.pi * np.arange(2 * order + 2) / (2 * order + 2)
    frame = np.linalg.qr(np.column_stack([centre, np.eye(3)[:, np.argsort(np.abs(centre))[:2]]]))[0]
    frame[:, 0] = centre / np.linalg.norm(centre)
    polar = np.sqrt(1.0 - nodes**2)[:, None]
    rings = np.stack([np.tile(nodes[:, None], len(turns)), polar * np.cos(turns), polar * np.sin(turns)], axis=-1)
    normals = rings @ frame.T
    points = centre + head.radius_m * normals
    distance = np.linalg.norm(points[:, 0], axis=-1)
    rays = points / distance[:, None, None]
    outward = np.sum(rays[:, 0] * normals[:, 0], axis=-1)
    axes = np.array([driver.axis for driver in device.drivers])
    cosines = np.clip(np.einsum("rpx,dx->drp", rays, axes), -1.0, 1.0)
    polynomials = legendre(cosines, body_order)
    slopes = np.zeros_like(polynomials)
    slopes[1] = 1.0
    for m in range(1, body_order):
        slopes[m + 1] = slopes[m - 1] + (2 * m + 1) * polynomials[m]
    slopes *= (np.einsum("rpx,dx->drp", normals, axes) - cosines * outward[:, None]) / distance[:, None]
    to_ears = legendre(np.clip(head.ear_directions() @ normals.reshape(-1, 3).T, -1.0, 1.0), order)
    to_ears *= (2 * np.arange(order + 1) + 1)[:, None, None] / (4 * np.pi)
    to_ears *= np.repeat(weights * 2 * np.pi / len(turns), len(turns))
    basis = np.concatenate([polynomials, slopes]).transpose(1, 2, 0, 3)
    return _HeadGrid(distance, outward, np.ascontiguousarray(basis), np.ascontiguousarray(to_ears.transpose(1, 0, 2)))


def _ears_from_caps(device: Device, frequency: FloatArray, centre: FloatArray) -> ComplexArray:
    assert device.body is not None
    radius, head_radius = device.body.radius_m, device.listener.head.radius_m
    nearest = float(np.linalg.norm(centre)) - head_radius
    if nearest <= radius:
        raise ValueError(f"head_position_m = {centre.tolist()}: the head and the body of the device overlap")
    k = _wave_number(frequency)
    response = np.empty((2, len(device.drivers), len(k)), dtype=np.complex128)
    edges = np.linspace(0.0, k[-1], 9)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = np.flatnonzero((k > low) & (k <= high))
        body_order = order_for(high * radius, ratio=radius / nearest)
        grid = _head_grid(device, centre, order_for(high * head_radius), body_order)
        terms = np.stack([_cap_terms(driver, radius, k[inside], body_order) for driver in device.drivers])
        for column, index in enumerate(inside):
            response[:, :, index] = _ears_at(grid, k[index], terms[:, :, column], radius, head_radius)
    return response


def _ears_at(grid: _HeadGrid, k: float, terms: ComplexArray, radius: float, head_radius: float) -> ComplexArray:
    """Pressure at both ears, shape (2, drivers), at one wave number."""
    drivers, orders = terms.shape
    near, far = np.float64(k * radius), k * grid.distance
    quotients = hankel_quotients(far, orders)
    growth = np.ones((orders, len(far)), dtype=np.complex128)
    np.cumprod(quotients[:-1] / hankel_quotients(near, orders - 1)[:, None], axis=0, out=growth[1:])
    growth *= np.exp(-1j * k * (grid.distance - radius)) * (radius / grid.distance)
    outwards = (np.arange(orders)[:, None] / far - quotients) * (k * grid.outward)  # h'/h along the head's normal
    weighted = (terms[:, :, None] * growth).transpose(0, 2, 1)
    # p + (j/k) dp/dr, as real rows so that one real matrix product serves
    rows = np.concatenate([weighted * (1.0 + 1j / k * outwards.T), weighted * (1j / k)], axis=-1)
    field = np.stack([rows.real, rows.imag], axis=2) @ grid.basis
    field = field.transpose(2, 0, 1, 3).reshape(2, drivers, -1)
    per_order = grid.to_ears.reshape(-1, grid.to_ears.shape[-1]) @ (field[0] + 1j * field[1]).T
    per_order = per_order.reshape(2, grid.order + 1, drivers)
    return np.einsum("n,end->ed", _surface_gain(k * head_radius, grid.order), per_order)


def _surface_gain(size: float, order: int) -> ComplexArray:
    """Total pressure on a rigid sphere per unit of p_n + (j/k) dp_n of the incident wave, per order."""
    n = np.arange(order + 1)
    incident = spherical_jn(n, size) + 1j * spherical_jn(n, size, derivative=True)
    # h_n' = h_n (n/x - Q_(n+1)); h_n grows with n, so it is built up from its logarithm
    quotients = hankel_quotients(np.float64(size), order + 1)
    hankel = np.concatenate([[1.0], np.cumprod(quotients[:-1])]) * 1j * np.exp(-1j * size) / size
    outgoing = hankel * (n / size - quotients)
    return -1j / (size**2 * outgoing * incident)
