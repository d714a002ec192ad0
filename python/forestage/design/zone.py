"""The listening zone: heads, places and driver errors that a robust design must work for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.head import Head
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray
from forestage.short_repr import ShortRepr


@dataclass(frozen=True, repr=False)
class Zone(ShortRepr):
    """Where the listener's head may be, how large it is, and how far the drivers deviate.

    Parameters
    ----------
    distance_ratios : tuple of float
        Distances to cover, over the distance of the seat.
    lateral_m : float, optional
        How far to either side of the seat, at each distance; 3 % of the listener's distance by default, 2 cm at least.
    yaw_deg : float
        How far the head turns to either side, at the seat.
    head_radii_m : tuple of float
        Other spherical heads, at the seat and to either side of it.
    driver_error_db, driver_error_deg : float
        Errors of one driver at a time, in level and phase, with either sign.
    beside_ratios : tuple of float
        How far beside the seat, over its distance, the sides must not be exchanged.
    beside_db : float, optional
        How much louder the far ear may be there, in dB, as far as the worst head of the zone loses nothing by it; None
        leaves these places alone.
    beside_least_db, beside_cost_db : float
        Separation wanted at these places in the mean over octaves of the channel that has less, and the most that it
        may cost at the seat and in the mean over the zone.
    """

    distance_ratios: tuple[float, ...] = (0.7, 1.0, 1.3)
    lateral_m: float | None = None
    yaw_deg: float = 10.0
    head_radii_m: tuple[float, ...] = (0.082, 0.093)
    driver_error_db: float = 0.5
    driver_error_deg: float = 3.0
    beside_ratios: tuple[float, ...] = (0.06, 0.1, 0.125, 0.15, 0.175, 0.2)
    beside_db: float | None = 6.0
    beside_least_db: float = -2.0
    beside_cost_db: float = 1.0

    def __post_init__(self) -> None:
        if not self.distance_ratios or min(self.distance_ratios) <= 0.0:
            raise ValueError(f"distance_ratios = {self.distance_ratios}: must be one or more, all above 0")
        if self.head_radii_m and not (min(self.head_radii_m) >= 0.05 and max(self.head_radii_m) <= 0.15):
            raise ValueError(f"head_radii_m = {self.head_radii_m}: must be within 0.05..0.15")
        if not all(ratio > 0.0 for ratio in self.beside_ratios):
            raise ValueError(f"beside_ratios = {self.beside_ratios}: must all be above 0")
        if self.beside_db is not None and not np.isfinite(self.beside_db):
            raise ValueError(f"beside_db = {self.beside_db}: must be finite, or None")
        if not np.isfinite(self.beside_least_db):
            raise ValueError(f"beside_least_db = {self.beside_least_db}: must be finite")
        if self.yaw_deg > 180.0:
            raise ValueError(f"yaw_deg = {self.yaw_deg}: must be at most 180")
        for name in ("lateral_m", "yaw_deg", "driver_error_db", "driver_error_deg", "beside_cost_db"):
            value = getattr(self, name)
            if value is not None and not (np.isfinite(value) and value >= 0.0):
                raise ValueError(f"{name} = {value}: must be 0 or more")

    def seats(self, device: Device) -> tuple[Seat, ...]:
        """Every head of the zone that is clear of the device; the listener's own seat first."""
        seat = device.listener.seat
        x, y, z = seat.position_m
        lateral = max(0.03 * device.listener.distance_m, 0.02) if self.lateral_m is None else self.lateral_m
        sides = (-lateral, 0.0, lateral) if lateral else (0.0,)
        seats = [replace(seat, position_m=(ratio * x, y + side, z)) for ratio in self.distance_ratios for side in sides]
        if self.yaw_deg:
            seats += [replace(seat, yaw_deg=seat.yaw_deg + turn) for turn in (-self.yaw_deg, self.yaw_deg)]
        if isinstance(seat.head, Head):
            seats += [
                replace(seat, position_m=(x, y + side, z), head=replace(seat.head, radius_m=radius))
                for radius in self.head_radii_m
                for side in sides
            ]
        return (seat, *(other for other in seats if other != seat and device.is_clear(other)))

    def beside(self, device: Device) -> tuple[Seat, ...]:
        """Heads beside the zone, on both sides, that are clear of the device."""
        if self.beside_db is None or device.is_headphones:
            return ()
        seat, distance_m = device.listener.seat, device.listener.distance_m
        x, y, z = seat.position_m
        aside = [side * ratio * distance_m for ratio in self.beside_ratios for side in (-1.0, 1.0)]
        seats = [replace(seat, position_m=(x, y + offset, z)) for offset in aside]
        return tuple(each for each in seats if device.is_clear(each))

    def driver_errors(self) -> ComplexArray:
        """Gains of a driver in error, shape (k,)."""
        if not (self.driver_error_db or self.driver_error_deg):
            return np.zeros(0, dtype=np.complex128)
        gain = 10.0 ** (self.driver_error_db / 20)
        turn = np.exp(1j * np.deg2rad(self.driver_error_deg))
        return np.array([gain * turn, gain / turn, turn / gain, 1.0 / (gain * turn)])
