"""What a device is: drivers, the body that carries them, where its listener sits, and what it must keep to."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from forestage._core import MAX_DRIVERS
from forestage.acoustics.driver import PLAIN_GAINS, Body, Channel, Driver, Side
from forestage.acoustics.field_check import instance_of, line, optional, settle, shown, size_to, text
from forestage.acoustics.fields import CapPiston, Field, PointSource
from forestage.acoustics.head import Head
from forestage.acoustics.measured_driver import WIDEST_GAP_DEG, MeasuredField
from forestage.acoustics.seat import MOST_DISTANCE_M, Listener, Seat
from forestage.arrays import FloatArray
from forestage.short_repr import ShortRepr

MAX_RELATIVE_DELAY_MS = 2.5
MOST_HEAD_RADIUS_M = 0.3
# Below, nothing is a beam
LOWEST_HZ = 200.0
# Between a head and anything that sounds
CLEARANCE_M = 0.01


@dataclass(frozen=True, repr=False)
class Device(ShortRepr):
    """A loudspeaker and its listener.

    Examples
    --------
    >>> drivers = (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (0.0, -0.1, 0.0)))
    >>> device = Device("Pair", drivers, Listener(1.0))
    >>> device.slug, device.references, device.can_beam
    ('pair', [0, 1], False)
    """

    name: str
    drivers: tuple[Driver, ...]
    listener: Listener
    body: Body | None = None
    text: str = ""

    def __post_init__(self) -> None:
        settle(
            self,
            name=line,
            drivers=_drivers,
            listener=instance_of(Listener),
            body=optional(instance_of(Body)),
            text=_one_line,
        )
        for index, driver in enumerate(self.drivers):
            instance_of(Driver)(driver, f"driver[{index}]")
        _check_device(self)

    @property
    def slug(self) -> str:
        """Name in lower case with hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "device"

    @property
    def has_center(self) -> bool:
        """Whether a driver is for the centre alone."""
        return any(driver.channel == "center" for driver in self.drivers)

    @property
    def can_beam(self) -> bool:
        """Whether the drivers can make a beam of the centre: with one for it, or where three play the same octave."""
        if self.is_headphones:
            return False
        bands = [(driver.low_hz or 0.0, driver.high_hz or math.inf) for driver in self.drivers]
        alike = [sum(low <= start and high >= 2.0 * max(start, LOWEST_HZ) for low, high in bands) for start, _ in bands]
        return self.has_center or max(alike) > 2

    @property
    def is_headphones(self) -> bool:
        """Whether every driver reaches one ear alone."""
        return any(driver.ear is not None for driver in self.drivers)

    @property
    def references(self) -> list[int]:
        """Positions in ``drivers`` of the left and the right reference driver.

        Those that say so; else the one with the widest band, the outermost of these.
        """
        return [self._reference("left"), self._reference("right")]

    @property
    def limits_hz(self) -> dict[str, float]:
        """Up to where measurements tell what they are of, by the driver's name or "head"; of those with a limit."""
        measured = {driver.name: driver.directivity for driver in self.drivers} | {"head": self.listener.head}
        limits = {name: float(getattr(each, "highest_hz", math.inf)) for name, each in measured.items()}
        return {name: limit for name, limit in limits.items() if math.isfinite(limit)}

    @property
    def plain_gains(self) -> FloatArray:
        """Gains from the (left, right) channel to every driver in plain stereo, shape (drivers, 2)."""
        return np.array([PLAIN_GAINS[driver.channel] for driver in self.drivers])

    @property
    def fields(self) -> list[Field]:
        """What every driver radiates, flat and without its crossover; not for headphones."""
        return [self._field(driver) for driver in self.drivers]

    def is_clear(self, seat: Seat) -> bool:
        """Whether a head is outside the body and the drivers."""
        if self.is_headphones:
            return True
        reach = seat.head.radius_m + CLEARANCE_M
        if self.body is not None and np.linalg.norm(seat.position_m) <= self.body.radius_m + reach:
            return False
        return all(np.linalg.norm(field.centre_m - seat.position_m) > field.extent_m + reach for field in self.fields)

    def index(self, channel: Channel) -> int:
        """Position in ``drivers`` of the first driver of a channel."""
        return [driver.channel for driver in self.drivers].index(channel)

    def _field(self, driver: Driver) -> Field:
        if driver.directivity is not None and driver.position_m is not None:
            return MeasuredField(driver.directivity, driver.position_m, driver.azimuth_deg, driver.elevation_deg)
        if driver.position_m is not None:
            return PointSource(driver.position_m)
        assert self.body is not None
        assert driver.cap_half_angle_deg is not None
        x, y, z = driver.axis.tolist()
        return CapPiston((x, y, z), driver.cap_half_angle_deg, self.body.radius_m)

    def _reference(self, side: Side) -> int:
        outward = 1.0 if side == "left" else -1.0

        def rank(index: int) -> tuple[bool, float, float]:
            driver = self.drivers[index]
            return driver.is_reference, round(driver.octaves, 3), outward * driver.y_position

        return max((index for index, driver in enumerate(self.drivers) if driver.channel == side), key=rank)


def _drivers(value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} = {shown(value)}: must be a tuple of Driver")
    return tuple(value)


def _one_line(value: Any, where: str) -> str:
    result = text(value, where)
    if len(result) > 1000 or not result.isprintable():
        raise ValueError(f"{where} = {result[:40]!r}...: must be one line of at most 1000 characters")
    return result


def _check_device(device: Device) -> None:
    """Refuse a device that cannot be, with a `ValueError` that names the field, its value and what would be right."""
    if not device.drivers:
        raise ValueError("driver = []: a device needs drivers")
    if len(device.drivers) > MAX_DRIVERS:
        raise ValueError(f"driver: {len(device.drivers)} of them; must be at most {MAX_DRIVERS}")
    _check_listener(device)
    names: set[str] = set()
    for index, driver in enumerate(device.drivers):
        where = f"driver[{index}]"
        if driver.name in names:
            raise ValueError(f'{where}.name = "{driver.name}": another driver has this name')
        names.add(driver.name)
        _check_place(device, driver, where)
    _check_bass(device)
    _check_delays(device)
    _check_sides(device)


def _check_listener(device: Device) -> None:
    listener, head, body = device.listener, device.listener.head, device.body
    size_to(MOST_HEAD_RADIUS_M)(head.radius_m, "listener.head_radius_m")
    if isinstance(head, Head) and not 0.0 < head.ear_azimuth_deg < 180.0:
        raise ValueError(f"listener.ear_azimuth_deg = {head.ear_azimuth_deg}: must be above 0 and below 180")
    if isinstance(head, Head) and not -90.0 < head.ear_elevation_deg < 90.0:
        raise ValueError(f"listener.ear_elevation_deg = {head.ear_elevation_deg}: must be within -90..90")
    measured = device.listener.ears
    if measured is not None and (measured.drivers != len(device.drivers) or device.is_headphones):
        raise ValueError(
            f"listener.ears: {measured.drivers} drivers were measured at the ears, the device has "
            f"{'headphones' if device.is_headphones else len(device.drivers)}; must be the same drivers, in this order"
        )
    reach = head.radius_m
    if body is not None:
        reach += body.radius_m
    if listener.distance_m <= reach:
        raise ValueError(
            f"listener.distance_m = {listener.distance_m}: the device would be inside the head; must be above {reach:g}"
        )


def _check_place(device: Device, driver: Driver, where: str) -> None:
    if driver.directivity is not None and driver.position_m is None:
        raise ValueError(f"{where}: needs position_m, where the origin of its measurement is")
    if driver.ear is not None:
        _check_capsule(device, driver, where)
    elif device.is_headphones:
        raise ValueError(f"{where}: has no ear, but other drivers do; headphones have nothing else")
    elif driver.position_m is not None:
        _check_point(device, driver, where)
    else:
        _check_cap(device, driver, where)


def _check_capsule(device: Device, driver: Driver, where: str) -> None:
    if driver.position_m is not None or driver.cap_half_angle_deg is not None or device.body is not None:
        raise ValueError(f'{where}.ear = "{driver.ear}": a headphone capsule has no position, cap or body')
    if driver.channel not in (driver.ear, "both"):
        raise ValueError(
            f'{where}.channel = "{driver.channel}": the capsule at the {driver.ear} ear plays {driver.ear} or both'
        )


def _check_point(device: Device, driver: Driver, where: str) -> None:
    position = driver.position_m
    assert position is not None
    if not all(abs(value) <= MOST_DISTANCE_M for value in position):
        raise ValueError(f"{where}.position_m = {list(position)}: must be within +-{MOST_DISTANCE_M:g} m")
    if device.body is not None:
        raise ValueError(f"{where}.position_m = {list(position)}: on a body drivers are caps (azimuth_deg, ...)")
    _check_gap(device, driver, where)
    centre = device.listener.seat.position_m
    if math.dist(position, centre) <= device.listener.head.radius_m:
        raise ValueError(
            f"{where}.position_m = {list(position)}: inside the listener's head "
            f"(radius {device.listener.head.radius_m} m at {list(centre)})"
        )
    for index, other in enumerate(device.drivers[: device.drivers.index(driver)]):
        if other.position_m == position and driver.directivity is None and other.directivity is None:
            raise ValueError(f"{where}.position_m = {list(position)}: driver[{index}] stands there too")


def _check_gap(device: Device, driver: Driver, where: str) -> None:
    """Refuse a driver that was not measured where its listener is."""
    if driver.directivity is None or not len(driver.directivity.directions):
        return
    field = MeasuredField(driver.directivity, driver.position_m or (0, 0, 0), driver.azimuth_deg, driver.elevation_deg)
    gap_deg = float(driver.directivity.gap_deg(field.seen([device.listener.seat.position_m]))[0])
    if gap_deg > WIDEST_GAP_DEG:
        raise ValueError(
            f"{where}.{next(iter(driver.directivity.origin), 'directivity')}: leaves a gap of {gap_deg:.0f} degrees "
            f"around the listener; must have a direction at least every {WIDEST_GAP_DEG:g} degrees there"
        )


def _check_cap(device: Device, driver: Driver, where: str) -> None:
    cap = driver.cap_half_angle_deg
    if cap is None:
        raise ValueError(f"{where}: needs position_m (a point) or cap_half_angle_deg (a cap on the body)")
    if device.body is None:
        raise ValueError(f"{where}.cap_half_angle_deg = {cap}: a cap needs a [body] with radius_m")
    for index, other in enumerate(device.drivers[: device.drivers.index(driver)]):
        if other.position_m is None and np.allclose(other.axis, driver.axis):
            raise ValueError(f"{where}.azimuth_deg = {driver.azimuth_deg}: driver[{index}] points there too")


def _check_bass(device: Device) -> None:
    """Refuse bass that goes where nobody plays it."""
    by_name = {driver.name: driver for driver in device.drivers}
    for index, driver in enumerate(device.drivers):
        where = f"driver[{index}].bass_to"
        if driver.bass_to and device.is_headphones:
            raise ValueError(f"{where} = {list(driver.bass_to)}: a headphone capsule reaches one ear alone")
        for name in driver.bass_to or ():
            if name == driver.name or name not in by_name:
                others = ", ".join(other for other in by_name if other != driver.name)
                raise ValueError(f'{where} = "{name}": must be one of {others}')
            if not by_name[name].plays_below(driver):
                raise ValueError(
                    f'{where} = "{name}": plays {by_name[name].low_hz or 0:g} to {by_name[name].high_hz or math.inf:g} '
                    f"Hz; must go on from half an octave below {driver.low_hz:g} Hz or deeper up to there"
                )


def _check_delays(device: Device) -> None:
    delays = [driver.delay_ms for driver in device.drivers]
    spread = max(delays) - min(delays)
    if spread > MAX_RELATIVE_DELAY_MS:
        raise ValueError(
            f"driver[].delay_ms = {delays}: {spread:g} ms apart; the equalisers make up for {MAX_RELATIVE_DELAY_MS} ms"
        )


def _check_sides(device: Device) -> None:
    middle: dict[str, float] = {}
    for side in ("left", "right"):
        drivers = [driver for driver in device.drivers if driver.channel == side]
        if not drivers:
            raise ValueError(f'driver[].channel = "{side}": a device needs at least one such driver, this has none')
        references = [driver.name for driver in drivers if driver.is_reference]
        if len(references) > 1:
            raise ValueError(f"driver[].is_reference: both {references[0]} and {references[1]}; a side has one at most")
        middle[side] = float(np.mean([driver.y_position for driver in drivers]))
    for index, driver in enumerate(device.drivers):
        if driver.is_reference and driver.channel not in middle:
            raise ValueError(f'driver[{index}].is_reference = true: only a "left" or "right" driver can be')
    # Measured drivers may all stand at the middle of their device, and differ by where they were measured to radiate.
    is_measured = any(driver.directivity is not None for driver in device.drivers)
    is_apart = middle["left"] > middle["right"] or (is_measured and middle["left"] == middle["right"])
    if not device.is_headphones and not is_apart:
        raise ValueError(
            f'driver[{device.index("left")}].channel = "left": stands to the right of the right driver, or above it; '
            "y and azimuth are positive to the listener's left"
        )
