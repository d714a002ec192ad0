"""Where a head is: a seat in front of a device, and the listener who has it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.field_check import above_zero, instance_of, number, numbers, optional, settle, shown, size_to
from forestage.acoustics.head import Head
from forestage.acoustics.measured_ears import MeasuredEars
from forestage.acoustics.measured_head import MeasuredHead
from forestage.arrays import ComplexArray, FloatArray
from forestage.short_repr import ShortRepr

Vector = tuple[float, float, float]

MOST_DISTANCE_M = 100.0
OMNI_M = 0.057  # critical distance in 1 m3 that reverberates for 1 s


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
        settle(self, position_m=numbers(3), yaw_deg=number, head=_head)

    @property
    def axes(self) -> FloatArray:
        """Axes (nose, left ear, up) of the head in the device's frame, as columns, shape (3, 3)."""
        return replace(self, position_m=(0.0, 0.0, 0.0)).in_head(np.eye(3))

    @property
    def mirrored(self) -> Seat:
        """The same on the other side of the device's middle."""
        x, y, z = self.position_m
        return replace(self, position_m=(x, -y, z), yaw_deg=-self.yaw_deg)

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
    """A listener in front of the device, at (distance_m, 0, 0), who faces it.

    Parameters
    ----------
    distance_m : float
        Distance of the middle of the head.
    head : Head or MeasuredHead
        Who listens.
    room_m3, room_rt60_s : float
        Volume and reverberation time of the room where the device is usually heard; a living room by default.
    ears : MeasuredEars, optional
        What the drivers were measured to do at the ears of this head; the model tells it elsewhere.
    """

    distance_m: float
    head: Head | MeasuredHead = Head()
    room_m3: float = 50.0
    room_rt60_s: float = 0.4
    ears: MeasuredEars | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            distance_m=size_to(MOST_DISTANCE_M),
            head=_head,
            room_m3=above_zero,
            room_rt60_s=above_zero,
            ears=optional(instance_of(MeasuredEars)),
        )

    @property
    def seat(self) -> Seat:
        """Where the head is."""
        return Seat((self.distance_m, 0.0, 0.0), head=self.head)

    @property
    def omni_critical_m(self) -> float:
        """Distance at which the direct and the reverberant sound of a point source are equally strong in the room.

        ``0.057 sqrt(V / T60)``, see Kuttruff, "Room Acoustics".

        Examples
        --------
        >>> round(Listener(2.0).omni_critical_m, 2)
        0.64
        """
        return OMNI_M * math.sqrt(self.room_m3 / self.room_rt60_s)


def _head(value: Any, where: str) -> Any:
    if not (hasattr(value, "ears") and hasattr(value, "radius_m")):
        raise ValueError(f"{where} = {shown(value)}: must be a Head, or what load_head returns")
    return value
