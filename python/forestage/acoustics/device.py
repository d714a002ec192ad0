"""What a device is: drivers, the body that carries them, and where its listener sits."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.device_check import (
    CROSSOVER_RANGE_HZ,
    MAX_LEVEL_DB,
    check_device,
    check_order,
    distance,
    drivers,
    half_angle,
    head,
    one_line,
    response,
)
from forestage.acoustics.field_check import (
    above_zero,
    flag,
    instance_of,
    line,
    number,
    numbers,
    one_of,
    optional,
    settle,
    within,
)
from forestage.acoustics.fields import CapPiston, Field, PointSource
from forestage.acoustics.head import ComplexArray, FloatArray, Head
from forestage.acoustics.measured_driver import MeasuredDirectivity, MeasuredField
from forestage.acoustics.measured_head import MeasuredHead
from forestage.short_repr import ShortRepr

Channel = Literal["left", "right", "center", "both"]
Side = Literal["left", "right"]
Vector = tuple[float, float, float]

# Gains of the (left, right) channel of plain stereo
# Between a head and anything that sounds
CLEARANCE_M = 0.01
PLAIN_GAINS: dict[Channel, tuple[float, float]] = {
    "left": (1.0, 0.0),
    "right": (0.0, 1.0),
    "center": (0.0, 0.0),
    "both": (1.0, 1.0),
}


@dataclass(frozen=True, repr=False)
class Driver(ShortRepr):
    """One driver: a point in the free field, measured, a cap piston on the spherical body, or a headphone capsule.

    Parameters
    ----------
    name : str
        Unique name.
    channel : {"left", "right", "center", "both"}
        What it plays of plain stereo: one side, nothing, or both sides. All take part in the designed filters.
    position_m : tuple of float, optional
        (x, y, z) from the device's origin: x to the listener, y to the listener's left, z up.
    azimuth_deg, elevation_deg : float
        Axis of a cap piston, or where a measured driver aims.
    cap_half_angle_deg : float, optional
        Half opening angle of a cap piston on the body.
    response_db : tuple of (float, float)
        Measured deviation from flat as (Hz, dB) breakpoints, to be equalised; empty for none.
    low_hz, high_hz : float, optional
        Edges of its crossover: fourth-order Linkwitz-Riley, -6 dB there; none by default.
    level_db, delay_ms, inverted : float, float, bool
        How it deviates from the others: louder, later, with the opposite polarity. Its equaliser makes up for it.
    directivity : MeasuredDirectivity, optional
        What it was measured to radiate around ``position_m``; a point source by default.
    is_reference : bool
        The driver of its side that filters are relative to; one is chosen where none is given.
    ear : {"left", "right"}, optional
        A headphone capsule: it reaches this ear alone.
    """

    name: str
    channel: Channel
    position_m: Vector | None = None
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    cap_half_angle_deg: float | None = None
    response_db: tuple[tuple[float, float], ...] = ()
    low_hz: float | None = None
    high_hz: float | None = None
    level_db: float = 0.0
    delay_ms: float = 0.0
    inverted: bool = False
    directivity: MeasuredDirectivity | None = None
    is_reference: bool = False
    ear: Side | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            name=line,
            channel=one_of(*PLAIN_GAINS),
            position_m=optional(numbers(3)),
            azimuth_deg=within(-360.0, 360.0),
            elevation_deg=within(-90.0, 90.0),
            cap_half_angle_deg=optional(half_angle),
            response_db=response,
            low_hz=optional(within(*CROSSOVER_RANGE_HZ)),
            high_hz=optional(within(*CROSSOVER_RANGE_HZ)),
            level_db=within(-MAX_LEVEL_DB, MAX_LEVEL_DB),
            delay_ms=number,
            inverted=flag,
            directivity=optional(instance_of(MeasuredDirectivity)),
            is_reference=flag,
            ear=optional(one_of(*get_args(Side))),
        )
        check_order(self)

    @property
    def y_position(self) -> float:
        """How far to the listener's left: metres for a point, share of the body's radius for a cap."""
        return self.position_m[1] if self.position_m is not None else float(self.axis[1])

    @property
    def axis(self) -> FloatArray:
        """Unit vector of where it aims, shape (3,)."""
        azimuth, elevation = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        level = np.cos(elevation)
        return np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])

    @property
    def octaves(self) -> float:
        """Width of the band that its crossover leaves."""
        low, high = CROSSOVER_RANGE_HZ
        return math.log2((self.high_hz or high) / (self.low_hz or low))


@dataclass(frozen=True)
class Body:
    """A rigid sphere around the device's origin."""

    radius_m: float

    def __post_init__(self) -> None:
        settle(self, radius_m=above_zero)


@dataclass(frozen=True, repr=False)
class Seat(ShortRepr):
    """A head somewhere in front of the device.

    Parameters
    ----------
    position_m : tuple of float
        Centre of the head in the device's frame.
    yaw_deg : float
        How far the head is turned to its own left; at 0 it faces -x.
    head : Head or MeasuredHead
        The head.
    """

    position_m: Vector
    yaw_deg: float = 0.0
    head: Head | MeasuredHead = Head()

    def __post_init__(self) -> None:
        settle(self, position_m=numbers(3), yaw_deg=number, head=head)

    @property
    def axes(self) -> FloatArray:
        """Axes (nose, left ear, up) of the head in the device's frame, as columns, shape (3, 3)."""
        return replace(self, position_m=(0.0, 0.0, 0.0)).in_head(np.eye(3))

    def in_head(self, points_m: ArrayLike) -> FloatArray:
        """Points of the device's frame in the head's: x along the nose, y to the left ear, z up, shape (k, 3).

        Examples
        --------
        >>> Seat((2.0, 0.0, 0.0), yaw_deg=90.0).in_head([[0.0, 0.0, 0.0]]).round(6).tolist()
        [[0.0, -2.0, 0.0]]
        """
        x, y, z = np.moveaxis(np.asarray(points_m, dtype=np.float64) - self.position_m, -1, 0)
        sine, cosine = np.sin(np.deg2rad(self.yaw_deg)), np.cos(np.deg2rad(self.yaw_deg))
        return np.stack([-x * cosine + y * sine, x * sine + y * cosine, z], axis=-1)

    def ears(self, frequency_hz: ArrayLike, source_m: ArrayLike) -> ComplexArray:
        """Pressure at the (left, right) ear for point sources at (k, 3) in the device's frame, shape (2, k, n)."""
        return self.head.ears(frequency_hz, self.in_head(source_m))


@dataclass(frozen=True, repr=False)
class Listener(ShortRepr):
    """A listener in front of the device, at (distance_m, 0, 0), who faces it."""

    distance_m: float
    head: Head | MeasuredHead = Head()

    def __post_init__(self) -> None:
        settle(self, distance_m=distance, head=head)

    @property
    def seat(self) -> Seat:
        """Where the head is."""
        return Seat((self.distance_m, 0.0, 0.0), head=self.head)


@dataclass(frozen=True, repr=False)
class Device(ShortRepr):
    """A loudspeaker and its listener.

    Examples
    --------
    >>> drivers = (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (0.0, -0.1, 0.0)))
    >>> device = Device("Pair", drivers, Listener(1.0))
    >>> device.slug, device.stereo, device.has_center
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
            drivers=drivers,
            listener=instance_of(Listener),
            body=optional(instance_of(Body)),
            text=one_line,
        )
        for index, driver in enumerate(self.drivers):
            instance_of(Driver)(driver, f"driver[{index}]")
        check_device(self)

    @property
    def slug(self) -> str:
        """Name in lower case with hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "device"

    @property
    def has_center(self) -> bool:
        """Whether a third driver makes a centre beam possible."""
        return any(driver.channel == "center" for driver in self.drivers)

    @property
    def is_headphones(self) -> bool:
        """Whether every driver reaches one ear alone."""
        return any(driver.ear is not None for driver in self.drivers)

    @property
    def stereo(self) -> list[int]:
        """Positions in ``drivers`` of the left and the right reference driver.

        Those that say so; else the one with the widest band, the outermost of these.
        """
        return [self._reference("left"), self._reference("right")]

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
