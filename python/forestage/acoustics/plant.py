"""From the feeds of a device to pressure: at points in the free field, and at the ears of a listener."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from forestage.acoustics.crossover import bass_routes
from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import feed_responses, of_feeds
from forestage.acoustics.ears_over_model import place_ratios, shares
from forestage.acoustics.fields import CapPiston, PointSource, ears, growth, pressures, wave_number
from forestage.acoustics.head import order_for
from forestage.acoustics.patterns import FAR_M
from forestage.acoustics.seat import Seat
from forestage.acoustics.spherical_harmonics import product_quadrature
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.short_repr import ShortRepr

GRID_STEP_HZ = 100.0
GRID_LOWEST_HZ = 20.0
GRID_PER_OCTAVE = 12
HIGHEST_HZ = 24_000.0
# Distances of drivers that differ by no more turn slowly enough over the grid
SHALLOW_M = 0.25


@dataclass(frozen=True, repr=False)
class Plant(ShortRepr):
    """Responses from every driver to two ears, with the common delay taken out.

    Parameters
    ----------
    frequency_hz : ndarray, shape (n,)
        Grid on which ``response`` is known.
    response : ndarray of complex, shape (2, drivers, n)
        Pressure at the (left, right) ear, times ``exp(2 pi j f delay_s)``.
    delay_s : float
        The delay that was taken out.
    references : list of int
        Indices of the left and the right reference driver.
    plain : ndarray, shape (drivers, 2)
        Gains from the (left, right) channel in plain stereo.
    late_s : ndarray, shape (drivers,), optional
        How much later than the common delay each driver arrives, where that is too much to interpolate over.
    """

    frequency_hz: FloatArray
    response: ComplexArray
    delay_s: float
    references: list[int]
    plain: FloatArray
    late_s: FloatArray | None = None

    def at(self, frequency_hz: ArrayLike) -> ComplexArray:
        """Response at other frequencies, shape (2, drivers, n); above the grid its last value is held."""
        frequency = np.minimum(np.asarray(frequency_hz, dtype=np.float64), self.frequency_hz[-1])
        if self.late_s is None:
            return CubicSpline(self.frequency_hz, self.response, axis=-1)(frequency)
        turns = 2j * np.pi * self.late_s[:, None]
        early = self.response * np.exp(turns * self.frequency_hz)
        return CubicSpline(self.frequency_hz, early, axis=-1)(frequency) * np.exp(-turns * frequency)


def plant(device: Device, seat: Seat | None = None, *, step_hz: float = GRID_STEP_HZ) -> Plant:
    """Responses from the equalised feeds of a device to the ears of a listener.

    Parameters
    ----------
    device : Device
        The device.
    seat : Seat, optional
        A head somewhere; the device's own listener by default.
    step_hz : float
        Spacing of the frequency grid; it is finer in the bass.

    Returns
    -------
    Plant
        Both ears, all drivers, 0 Hz to 24 kHz: geometry, crossovers, and what the equalisers leave of the drivers.
    """
    bare = geometry(device, seat, step_hz=step_hz)
    return replace(bare, response=of_feeds(device, bare.response, bare.frequency_hz))


def geometry(device: Device, seat: Seat | None = None, *, step_hz: float = GRID_STEP_HZ) -> Plant:
    """Like `plant`, for flat drivers without crossovers. The last ones are kept; their arrays cannot be written to.

    Where ears were measured, the grid is as fine as what counts of their responses is long.
    """
    if device.listener.ears is not None:
        step_hz = min(step_hz, device.listener.ears.step_hz)
    return _geometry(device, seat or device.listener.seat, step_hz)


# Many small matrices: threads only cost time. Designs, ears and figures in rooms ask for the same seats again.
@lru_cache(maxsize=8)
@one_thread
def _geometry(device: Device, seat: Seat, step_hz: float) -> Plant:
    frequency = _grid(step_hz)
    if device.is_headphones:
        reaches = [[driver.ear == side for driver in device.drivers] for side in ("left", "right")]
        response = np.array(reaches, dtype=np.complex128)[..., None] * np.ones(len(frequency))
        return Plant(frequency, response, 0.0, device.references, device.plain_gains)
    centres = np.array([field.centre_m for field in device.fields])
    distances = np.linalg.norm(centres - seat.position_m, axis=-1)
    distance = float(distances.mean())
    response = ears(device.fields, seat, frequency) * np.exp(1j * wave_number(frequency) * distance)
    if device.listener.ears is not None:
        response *= np.tensordot(shares(device.listener.ears, seat), _ratios(device, step_hz), 1)
    response[..., 0] = response[..., 0].real
    response.flags.writeable = False
    late_s = (distances - distance) / SPEED_OF_SOUND_M_S if np.ptp(distances) > SHALLOW_M else None
    return Plant(frequency, response, distance / SPEED_OF_SOUND_M_S, device.references, device.plain_gains, late_s)


@lru_cache(maxsize=4)
def _ratios(device: Device, step_hz: float) -> ComplexArray:
    """What was measured at the ears over the model, where it was measured, shape (places, 2, drivers, n)."""
    assert device.listener.ears is not None

    def model(seat: Seat, frequency: FloatArray) -> ComplexArray:
        distance_m = float(np.linalg.norm(seat.position_m))
        return ears(device.fields, seat, frequency) * np.exp(1j * wave_number(frequency) * distance_m)

    return place_ratios(device.listener.ears, device.listener.seat, model, _grid(step_hz))


def _grid(step_hz: float) -> FloatArray:
    """0 Hz, then twelfths of an octave as long as they are finer than the step, then steps."""
    widest = 2.0 ** (1.0 / GRID_PER_OCTAVE)
    turn = max(step_hz / (widest - 1.0), GRID_LOWEST_HZ)
    count = int(np.log(turn / GRID_LOWEST_HZ) / np.log(widest))
    bass = GRID_LOWEST_HZ * widest ** np.arange(count + 1)
    first = step_hz * (np.floor(bass[-1] / step_hz) + 1)
    return np.concatenate([[0.0], bass[bass < HIGHEST_HZ], np.arange(first, HIGHEST_HZ + step_hz / 2, step_hz)])


def directivity(
    device: Device,
    frequency_hz: ArrayLike,
    azimuth_deg: ArrayLike,
    *,
    distance_m: float | None = None,
    elevation_deg: float = 0.0,
) -> ComplexArray:
    """Pressure on a circle around the device, without a head, shape (drivers, azimuths, frequencies).

    Like `plant`, it is per unit of the equalised feeds.

    Parameters
    ----------
    device : Device
        The device.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    azimuth_deg : array_like, shape (k,)
        Azimuths in degrees, 0 to the listener, positive to the listener's left.
    distance_m : float, optional
        Distance of all points; the listener's by default. The delay over it is taken out.
    elevation_deg : float
        Where the circle is: 0 in the horizontal plane, 90 overhead.
    """
    if device.is_headphones:
        raise ValueError(f'device "{device.name}": headphones have no directivity')
    distance = device.listener.distance_m if distance_m is None else distance_m
    azimuth, elevation = np.deg2rad(np.atleast_1d(azimuth_deg).astype(np.float64)), np.deg2rad(elevation_deg)
    frequency = np.atleast_1d(np.asarray(frequency_hz, dtype=np.float64))
    level = np.cos(elevation)
    height = np.full_like(azimuth, np.sin(elevation))
    points = distance * np.stack([level * np.cos(azimuth), level * np.sin(azimuth), height], axis=-1)
    pressure = pressures(device.fields, frequency, points)
    late = pressure * np.exp(1j * wave_number(frequency) * distance)
    return of_feeds(device, late.swapaxes(0, 1), frequency).swapaxes(0, 1)


def mean_power(device: Device, frequency_hz: ArrayLike) -> ComplexArray:
    """Matrices K of the mean power in all directions, far away, times the distance squared.

    Parameters
    ----------
    device : Device
        The device; not headphones.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.

    Returns
    -------
    ndarray of complex, shape (n, drivers, drivers)
        Filters w of the drivers radiate ``w^H K w``.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    k = wave_number(frequency)
    caps = [field for field in device.fields if isinstance(field, CapPiston)]
    centres = np.array([field.centre_m for field in device.fields])
    if len(caps) == len(centres):
        bare = _mean_power_of_caps(caps, k)
    elif all(isinstance(field, PointSource) for field in device.fields):
        apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
        bare = np.sinc(k[:, None, None] * apart / np.pi).astype(np.complex128)
    else:
        bare = np.zeros((len(k), len(centres), len(centres)), dtype=np.complex128)
        # The order grows with frequency, and the directions with its square: octaves are summed each with their own
        octave = np.floor(np.log2(np.maximum(frequency, 1.0)))
        for each in np.unique(octave):
            bare[octave == each] = _mean_power(device, frequency[octave == each])
    if not bass_routes(device):
        feeds = feed_responses(device, frequency).T
        return feeds.conj()[:, :, None] * bare * feeds[:, None, :]
    by_feed = of_feeds(device, bare.transpose(1, 2, 0), frequency)
    power: ComplexArray = of_feeds(device, by_feed.conj().swapaxes(0, 1), frequency).conj().swapaxes(0, 1)
    return power.transpose(2, 0, 1)


def _mean_power_of_caps(caps: Sequence[CapPiston], k: FloatArray) -> ComplexArray:
    """Order by order, as Legendre polynomials around different axes are orthogonal but for their angle."""
    radius = caps[0].radius_m
    order = order_for(float(k.max()) * radius)
    carried = radius * growth(k * radius, k * FAR_M, order)
    terms = np.stack([carried * cap.surface_terms(k, order) for cap in caps])
    axes = np.array([cap.axis for cap in caps])
    shared = legvander(np.clip(axes @ axes.T, -1.0, 1.0), order) / (2.0 * np.arange(order + 1) + 1.0)
    power: ComplexArray = np.einsum("dmf,emf,dem->fde", terms.conj(), terms, shared)
    return power


def _mean_power(device: Device, frequency: FloatArray) -> ComplexArray:
    # Order of the pressure; its power has twice that
    order = order_for(float(wave_number(frequency.max())) * _reach_m(device))
    quadrature = product_quadrature(order)
    power = np.zeros((len(frequency), len(device.drivers), len(device.drivers)), dtype=np.complex128)
    rings = len(quadrature.weights) // (2 * order + 1)
    for part, weights in zip(
        np.split(quadrature.directions, rings), np.split(quadrature.weights / (4 * np.pi), rings), strict=True
    ):
        by_frequency = FAR_M * pressures(device.fields, frequency, FAR_M * part).transpose(2, 0, 1)
        power += weights[0] * (by_frequency.conj() @ by_frequency.swapaxes(1, 2))
    return power


def _reach_m(device: Device) -> float:
    """Radius of the sphere around the origin that holds all that radiates."""
    reach = device.body.radius_m if device.body is not None else 0.0
    for driver in device.drivers:
        if driver.position_m is not None:
            reach = max(reach, float(np.linalg.norm(driver.position_m)))
    return reach
