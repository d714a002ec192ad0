"""What a loudspeaker is made of: drivers, and the body that carries them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from forestage.acoustics.field_check import (
    flag,
    instance_of,
    line,
    number,
    numbers,
    one_of,
    optional,
    settle,
    shown,
    size_to,
    within,
)
from forestage.acoustics.measured_driver import MeasuredDirectivity
from forestage.acoustics.seat import Vector
from forestage.acoustics.thiele_small import ThieleSmall
from forestage.arrays import FloatArray
from forestage.short_repr import ShortRepr

Channel = Literal["left", "right", "center", "both"]
Side = Literal["left", "right"]

CROSSOVER_RANGE_HZ = (20.0, 16_000.0)
MAX_LEVEL_DB = 24.0
MOST_DELAY_MS = 1000.0
MOST_BODY_RADIUS_M = 1.0
# Of a measured response: points, frequency and deviation
MOST_POINTS = 10_000
MOST_HZ = 1e6
MOST_DEVIATION_DB = 100.0
# From where on bass of another driver can be played: so much below its edge, as a ratio of frequencies
BELOW_EDGE = 2.0**0.5
# Gains of the (left, right) channel of plain stereo
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
    bass_to : tuple of str, optional
        Drivers that play what is below its ``low_hz``, by their names; empty for none. By default those that can, where
        nobody plays it in plain stereo.
    max_db : tuple of (float, float)
        The most it may get as (Hz, dB) breakpoints, over what plain stereo gives a flat driver; empty for no limit.
    thiele_small : ThieleSmall, optional
        What tells its excursion, a limit besides.
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
    max_db: tuple[tuple[float, float], ...] = ()
    low_hz: float | None = None
    high_hz: float | None = None
    bass_to: tuple[str, ...] | None = None
    thiele_small: ThieleSmall | None = None
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
            cap_half_angle_deg=optional(_half_angle),
            response_db=points,
            max_db=points,
            low_hz=optional(within(*CROSSOVER_RANGE_HZ)),
            high_hz=optional(within(*CROSSOVER_RANGE_HZ)),
            bass_to=optional(_names),
            thiele_small=optional(instance_of(ThieleSmall)),
            level_db=within(-MAX_LEVEL_DB, MAX_LEVEL_DB),
            delay_ms=within(-MOST_DELAY_MS, MOST_DELAY_MS),
            inverted=flag,
            directivity=optional(instance_of(MeasuredDirectivity)),
            is_reference=flag,
            ear=optional(one_of(*get_args(Side))),
        )
        if self.octaves <= 0.0:
            raise ValueError(f"high_hz = {self.high_hz}: must be above low_hz = {self.low_hz}")
        if self.bass_to and self.low_hz is None:
            raise ValueError(f"bass_to = {list(self.bass_to)}: goes with low_hz, below which others play")

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

    @property
    def is_limited(self) -> bool:
        """Whether it has a limit of its own."""
        return bool(self.max_db) or self.thiele_small is not None

    def plays_below(self, other: Driver) -> bool:
        """Whether it goes on, by its crossover, where another one ends downwards."""
        if other.low_hz is None:
            return False
        return (self.low_hz or 0.0) <= other.low_hz / BELOW_EDGE and (self.high_hz or math.inf) >= other.low_hz


@dataclass(frozen=True)
class Body:
    """A rigid sphere around the device's origin."""

    radius_m: float

    def __post_init__(self) -> None:
        settle(self, radius_m=size_to(MOST_BODY_RADIUS_M))


def _names(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} = {shown(value)}: must be a list of names of drivers")
    return tuple(line(name, where) for name in value)


def _half_angle(value: Any, where: str) -> float:
    result = number(value, where)
    if not 0.0 < result <= 90.0:
        raise ValueError(f"{where} = {result}: must be above 0 and at most 90")
    return result


def points(value: Any, where: str) -> tuple[tuple[float, ...], ...]:
    """Check (Hz, dB) points of rising frequencies."""
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"{where} = {shown(value)}: must be a list of [hz, db] pairs")
    if len(value) > MOST_POINTS:
        raise ValueError(f"{where}: {len(value)} of them; must be at most {MOST_POINTS}")
    result = tuple(numbers(2)(pair, f"{where}[{index}]") for index, pair in enumerate(value))
    previous_hz = 0.0
    for index, (hz, db) in enumerate(result):
        if hz <= previous_hz:
            raise ValueError(f"{where}[{index}] = [{hz}, {db}]: frequencies must be above 0 and rising")
        if hz > MOST_HZ or abs(db) > MOST_DEVIATION_DB:
            raise ValueError(
                f"{where}[{index}] = [{hz}, {db}]: must be at most {MOST_HZ:g} Hz and within +-{MOST_DEVIATION_DB:g} dB"
            )
        previous_hz = hz
    return result
