"""The cancellation problem, in one form for all methods.

A channel c (left 0, right 1) has a near ear (its own) and a far ear (the other one). Weights w of the drivers, one
complex number per frequency, make ``near = a . w`` and ``far = b . w``, where a and b are rows of the plant. Every
method looks for w; the near ear of the seat is to get what a pair of loudspeakers gives it (`near_ear`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import room_db
from forestage.acoustics.ears_over_model import noise_at
from forestage.acoustics.pair import own_ears
from forestage.acoustics.plant import Plant, plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.design.cancel.room import Reverberation
from forestage.design.cancel.target import CancelTarget
from forestage.design.filters import log_fade
from forestage.design.near_ear import even_plain
from forestage.design.zone import Zone
from forestage.short_repr import ShortRepr

STEP_HZ = 200.0
# From where measurements end, as a ratio of frequencies: where nothing is cancelled any more
FADE_RATIO = 1.4
# Sides that differ by no more are mirror images
ROUNDING = 1e-6


@dataclass(frozen=True, repr=False)
class CancelProblem(ShortRepr):
    """Everything a method may use, on a frequency grid of its own.

    Attributes
    ----------
    frequency_hz : ndarray, shape (n,)
        The grid.
    response : ndarray of complex, shape (seats, 2, drivers, n)
        From drivers to the (left, right) ear; the listener's own seat first.
    plain : ndarray of complex, shape (drivers, 2, n)
        How the device is driven from the (left, right) channel without cancellation: plain stereo, left and right
        aligned in phase and level, with near ears as of a real pair.
    target_db, drive_cap_db : ndarray, shape (n,)
        Separation to go up to, and drive not to exceed.
    driver_most : ndarray, shape (drivers, n)
        Power that each driver may get, over that of plain stereo at 0 dB; infinite where the device has no limit.
    driver_errors : ndarray of complex, shape (k, n)
        Gains of a driver in error, one driver at a time: those of the zone, and the noise of a measurement.
    beside : ndarray of complex, shape (seats, 2, drivers, n)
        To the ears of heads beside the zone, where the sides must not be exchanged; may be empty.
    beside_ratio : float
        Power at the far over power at the near ear that is bearable there.
    beside_least_db, beside_cost_db : float
        Separation wanted there, and the most that it may cost inside, both in the mean over octaves.
    room : Reverberation, optional
        What the listener's room adds; None in the free field.
    noise : ndarray, shape (seats, n)
        Noise over signal of what was measured at the ears, as a ratio; 0 for what is known.
    """

    frequency_hz: FloatArray
    response: ComplexArray
    plain: ComplexArray
    target_db: FloatArray
    drive_cap_db: FloatArray
    driver_most: FloatArray
    driver_errors: ComplexArray
    beside: ComplexArray
    beside_ratio: float
    beside_least_db: float
    beside_cost_db: float
    room: Reverberation | None
    noise: FloatArray

    @property
    def wanted(self) -> ComplexArray:
        """Response wanted at the near ear of the (left, right) channel at the seat, shape (2, n)."""
        return own_ears(self.pair)

    @property
    def pair(self) -> ComplexArray:
        """Plant of the seat with the plain channels as if they were two drivers, shape (2 ears, 2 channels, n)."""
        return self.ears(self.plain, seat=0)

    @cached_property
    def images(self) -> NDArray[np.intp] | None:
        """Which driver is the mirror image of each, left for right, shape (drivers,); None where the sides differ."""
        left, right = self.response[0]
        is_image = (_apart(right[:, None], left) < ROUNDING) & (_apart(left[:, None], right) < ROUNDING)
        images = np.argmax(is_image, axis=1)
        if not is_image[range(len(images)), images].all() or np.any(images[images] != range(len(images))):
            return None
        for heads in (self.response, self.beside):
            for mirrored in heads[:, ::-1, images]:
                if not np.any(_apart(heads, mirrored).max(axis=(1, 2)) < ROUNDING):
                    return None
        power = np.ones((1, *2 * images.shape)) if self.room is None else self.room.power
        pairs = (
            (self.plain, self.plain[images, ::-1]),
            (power, power[:, images][:, :, images]),
            (self.driver_most, self.driver_most[images]),
        )
        is_known = not self.noise.any()
        return images if is_known and all(np.allclose(one, other, rtol=ROUNDING) for one, other in pairs) else None

    @property
    def limited_drivers(self) -> tuple[int, ...]:
        """Drivers that have limits of their own."""
        return tuple(np.flatnonzero(np.isfinite(self.driver_most).any(axis=1)).tolist())

    def rows(self, channel: int) -> tuple[ComplexArray, ComplexArray]:
        """Rows a (near ear) and b (far ear) of one channel, each of shape (n, seats, drivers)."""
        return _rows(self.response, channel)

    def unknown(self, channel: int) -> ComplexArray:
        """What noise adds at a far ear, ``w^H N w`` in the mean over the zone, shape (n, drivers, drivers).

        Paths that were measured with a share of noise are off by that share, each by itself, so that weights that count
        on them leave ``noise^2 |b_d w_d|^2`` of every driver where they wanted nothing.
        """
        _, far = self.rows(channel)
        power = np.mean(self.noise.T[..., None] ** 2 * np.abs(far) ** 2, axis=1)
        return np.asarray(power[:, :, None] * np.eye(power.shape[1]), dtype=np.complex128)

    def rows_beside(self, channel: int) -> tuple[ComplexArray, ComplexArray]:
        """The same for the heads beside the zone."""
        return _rows(self.beside, channel)

    def ears(self, weights: ComplexArray, *, seat: int) -> ComplexArray:
        """Pressure at the ears of one seat for weights (drivers, 2, n), shape (2 ears, 2 channels, n)."""
        return np.einsum("edf,dcf->ecf", self.response[seat], weights)

    def separation_db(self, weights: ComplexArray) -> FloatArray:
        """Near over far ear at every seat, shape (seats, 2 channels, n)."""
        power = np.abs(np.einsum("sedf,dcf->secf", self.response, weights)) ** 2
        power = np.maximum(power, 1e-30)
        return 10 * np.log10(np.stack([power[:, 0, 0] / power[:, 1, 0], power[:, 1, 1] / power[:, 0, 1]], axis=1))

    def zone_separation_db(self, weights: ComplexArray) -> FloatArray:
        """Power at the near over power at the far ears, in the mean over the zone, shape (2 channels, n)."""
        return -10 * np.log10(np.mean(10.0 ** (-self.separation_db(weights) / 10), axis=0))

    def drive_db(self, weights: ComplexArray) -> FloatArray:
        """Power of all drivers over that of plain stereo with the same near ear at the seat, shape (2, n)."""
        near = own_ears(self.ears(weights, seat=0))
        power = np.sum(np.abs(weights) ** 2, axis=0) / np.sum(np.abs(self.plain) ** 2, axis=0)
        return 10 * np.log10(power * np.abs(self.wanted / near) ** 2)


def cancel_problem(
    device: Device, seat: Plant, frequency_hz: ArrayLike, *, target: CancelTarget, zone: Sequence[Plant] | None = None
) -> CancelProblem:
    """Set the problem up for a device.

    Parameters
    ----------
    device : Device
        The device.
    seat : Plant
        Its plant at the listener's seat.
    frequency_hz : array_like, shape (n,)
        Frequencies to solve at, in Hz.
    target : CancelTarget
        What to aim at.
    zone : sequence of Plant, optional
        Plants at the other heads of the zone; computed for ``target.zone`` by default.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    if zone is None:
        zone = zone_plants(device, target)
    response = np.stack([each.at(frequency) for each in (seat, *zone)])
    noise = _noise(device, frequency, target.zone, seats=len(response))
    beside = [plant(device, each, step_hz=STEP_HZ).at(frequency) for each in target.zone.beside(device)]
    problem = CancelProblem(
        frequency,
        response,
        even_plain(device, seat, frequency),
        target.curve_db(frequency) * _share_known(device, frequency),
        target.cap_db(frequency),
        10.0 ** (np.stack([room_db(driver, frequency) for driver in device.drivers]) / 10),
        _driver_errors(target.zone, noise),
        np.stack(beside) if beside else response[:0],
        10.0 ** (target.zone.beside_db / 10) if target.zone.beside_db is not None else 1.0,
        target.zone.beside_least_db,
        target.zone.beside_cost_db,
        Reverberation.of(device, frequency, target.room)
        if target.room is not None and not device.is_headphones
        else None,
        noise,
    )
    return problem if problem.images is None else _mirrored(problem, problem.images)


def _mirrored(problem: CancelProblem, images: NDArray[np.intp]) -> CancelProblem:
    """The same with sides that are alike to the last digit, by which a search among equals would choose."""
    response, plain = problem.response.copy(), problem.plain.copy()
    in_middle = _apart(response, response[:, ::-1, images]).max(axis=(1, 2)) < ROUNDING
    response[in_middle, 1] = response[in_middle, 0][:, images]
    plain[:, 1] = plain[images, 0]
    return replace(problem, response=response, plain=plain)


def _apart(responses: ComplexArray, others: ComplexArray) -> FloatArray:
    """Largest difference over frequency, over the largest of the others, shape (...)."""
    difference: FloatArray = np.abs(responses - others).max(axis=-1) / np.abs(others).max()
    return difference


def _noise(device: Device, frequency: FloatArray, zone: Zone, *, seats: int) -> FloatArray:
    ears = device.listener.ears
    if ears is None:
        return np.zeros((seats, len(frequency)))
    return np.stack([noise_at(ears, each, frequency) for each in zone.seats(device)[:seats]])


def _driver_errors(zone: Zone, noise: FloatArray) -> ComplexArray:
    """Gains of a driver in error, as far off as errors and noise where it is most together are, shape (k, n)."""
    away = zone.driver_errors()[:, None] - np.ones(noise.shape[1])
    return 1.0 + away * np.sqrt(1.0 + (noise.max(axis=0) / np.abs(away)) ** 2)


def _share_known(device: Device, frequency: FloatArray) -> FloatArray:
    """Fades to 0 above what measurements of the drivers and the head tell."""
    lowest_hz = min(device.limits_hz.values(), default=np.inf)
    if lowest_hz == np.inf:
        return np.ones_like(frequency)
    return 1.0 - log_fade(frequency, lowest_hz, FADE_RATIO * lowest_hz)


def zone_plants(device: Device, target: CancelTarget) -> list[Plant]:
    """Plants at the heads of the zone but the listener's own seat, on a coarse grid."""
    if device.is_headphones:
        return []
    return [plant(device, seat, step_hz=STEP_HZ) for seat in target.zone.seats(device)[1:]]


def _rows(response: ComplexArray, channel: int) -> tuple[ComplexArray, ComplexArray]:
    rows = response.transpose(1, 3, 0, 2)
    return rows[channel], rows[1 - channel]
