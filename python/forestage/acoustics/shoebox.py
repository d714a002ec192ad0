"""Shoebox rooms: dimensions, what each wall absorbs, and the named rooms that figures are given for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.field_check import shown
from forestage.arrays import FloatArray
from forestage.choices import pick
from forestage.constants import SPEED_OF_SOUND_M_S

OCTAVES_HZ = (125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)
WALLS = ("west", "east", "south", "north", "floor", "ceiling")
"""At x = 0 and x = length, y = 0 and y = width, z = 0 and z = height."""

# Absorption in the octaves of OCTAVES_HZ; Vorländer, "Auralization" (Springer 2008), annex. A sofa is counted as the
# upholstered chairs of the same area.
MATERIALS = {
    "hard wall": (0.02, 0.02, 0.03, 0.03, 0.04, 0.05, 0.05),
    "plasterboard": (0.15, 0.10, 0.06, 0.04, 0.04, 0.05, 0.05),
    "window": (0.10, 0.05, 0.04, 0.03, 0.03, 0.03, 0.03),
    "door": (0.14, 0.10, 0.06, 0.08, 0.10, 0.10, 0.10),
    "curtain": (0.30, 0.45, 0.65, 0.56, 0.59, 0.71, 0.71),
    "tiles": (0.01, 0.01, 0.01, 0.02, 0.02, 0.02, 0.02),
    "wood": (0.18, 0.12, 0.10, 0.09, 0.08, 0.07, 0.07),
    "carpet": (0.03, 0.09, 0.25, 0.31, 0.33, 0.44, 0.44),
    "thick carpet": (0.08, 0.08, 0.30, 0.60, 0.75, 0.80, 0.80),
    "upholstery": (0.44, 0.60, 0.77, 0.89, 0.82, 0.70, 0.70),
}


@dataclass(frozen=True)
class Room:
    """A rectangular room with one corner at the origin.

    Parameters
    ----------
    name : str
        What it is called.
    dimensions_m : tuple of float
        Length along x, width along y, height along z.
    absorption : array_like
        Share of the energy that a wall takes, 0..1: one number for all, shape (7,) for all walls per octave
        (`OCTAVES_HZ`), or shape (6, 7) for each wall in the order of `WALLS`. Kept as an array of shape (6, 7).

    Examples
    --------
    >>> room = Room("Box", (5.0, 4.0, 2.6), 0.3)
    >>> room.volume_m3, room.absorption.shape
    (52.0, (6, 7))
    >>> float(room.eyring_s()[0].round(2))
    0.27
    """

    name: str
    dimensions_m: tuple[float, float, float]
    absorption: FloatArray = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.dimensions_m) != 3:
            raise ValueError(f"dimensions_m = {list(self.dimensions_m)}: must be three, along x, y and z")
        for axis, value in zip("xyz", self.dimensions_m, strict=True):
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"dimensions_m = {list(self.dimensions_m)}: must be above 0, also along {axis}")
        object.__setattr__(self, "absorption", _checked_absorption(self.absorption))

    @property
    def volume_m3(self) -> float:
        """Volume in cubic metres."""
        return math.prod(self.dimensions_m)

    @property
    def wall_areas_m2(self) -> FloatArray:
        """Area of each wall in square metres, shape (6,)."""
        x, y, z = self.dimensions_m
        return np.repeat([y * z, x * z, x * y], 2)

    @property
    def mean_absorption(self) -> FloatArray:
        """Absorption per octave, averaged over the area of the walls, shape (7,)."""
        return self.wall_areas_m2 @ self.absorption / self.wall_areas_m2.sum()

    def eyring_s(self) -> FloatArray:
        """Reverberation time per octave in seconds after Eyring, shape (7,); infinite when nothing is absorbed."""
        with np.errstate(divide="ignore"):
            return self._decay_s / -np.log1p(-self.mean_absorption)

    @property
    def _decay_s(self) -> float:
        """Reverberation time times absorption exponent: 60 dB over the energy lost at a mean free path of 4 V / S."""
        return 24.0 * math.log(10.0) / SPEED_OF_SOUND_M_S * self.volume_m3 / float(self.wall_areas_m2.sum())

    def check_inside(self, position_m: ArrayLike, where: str) -> FloatArray:
        """Return a position as an array of shape (3,), or say why nothing can stand there."""
        position = np.asarray(position_m, dtype=np.float64)
        if position.shape != (3,) or not np.isfinite(position).all():
            raise ValueError(f"{where} = {position.tolist()}: must be three finite numbers (x, y, z)")
        if not ((position > 0.0) & (position < self.dimensions_m)).all():
            is_outside = ((position < 0.0) | (position > self.dimensions_m)).any()
            raise ValueError(
                f"{where} = {position.tolist()}: {'outside the room' if is_outside else 'in a wall'}; must be between "
                f"[0, 0, 0] and {list(self.dimensions_m)}"
            )
        return position


def _checked_absorption(absorption: ArrayLike) -> FloatArray:
    values = np.asarray(absorption, dtype=np.float64)
    shape = (len(WALLS), len(OCTAVES_HZ))
    if values.shape not in ((), shape[1:], shape):
        raise ValueError(f"absorption: shape {values.shape}; must be one number, {shape[1:]} per octave or {shape}")
    table = np.broadcast_to(values, shape).copy()
    wrong = np.argwhere(~((table >= 0.0) & (table <= 1.0)))
    if len(wrong):
        wall, band = wrong[0]
        where = f"absorption, {WALLS[wall]}, {OCTAVES_HZ[band]:g} Hz"
        raise ValueError(f"{where} = {table[wall, band]}: must be within 0..1")
    return table


def cover(**shares: Mapping[str, float]) -> FloatArray:
    """Absorption of walls that are covered by materials.

    Parameters
    ----------
    **shares : mapping from str to float
        For each wall of `WALLS`, the share of its area that each of `MATERIALS` covers; the shares add up to 1.

    Returns
    -------
    ndarray, shape (6, 7)
        For `Room`.
    """
    rows = []
    for wall in WALLS:
        share = shares[wall]
        if not math.isclose(sum(share.values()), 1.0):
            raise ValueError(f"{wall} = {dict(share)}: the shares must add up to 1, not {sum(share.values()):g}")
        rows.append(sum(part * np.array(MATERIALS[material]) for material, part in share.items()))
    return np.array(rows)


ROOMS = {
    "living-room": Room(
        "Dry living room",
        (5.2, 4.1, 2.5),
        cover(
            west={"hard wall": 0.7, "curtain": 0.3},
            east={"hard wall": 0.45, "upholstery": 0.25, "plasterboard": 0.3},
            south={"curtain": 0.4, "window": 0.2, "hard wall": 0.4},
            north={"plasterboard": 0.9, "door": 0.1},
            floor={"thick carpet": 0.45, "wood": 0.4, "upholstery": 0.15},
            ceiling={"plasterboard": 1.0},
        ),
    ),
    "lively-living-room": Room(
        "Lively living room",
        (6.0, 4.4, 2.6),
        cover(
            west={"hard wall": 0.7, "window": 0.15, "curtain": 0.15},
            east={"hard wall": 0.6, "wood": 0.2, "upholstery": 0.2},
            south={"window": 0.4, "plasterboard": 0.4, "curtain": 0.2},
            north={"hard wall": 0.7, "wood": 0.2, "door": 0.1},
            floor={"wood": 0.55, "carpet": 0.3, "upholstery": 0.15},
            ceiling={"plasterboard": 1.0},
        ),
    ),
    "kitchen": Room(
        "Kitchen",
        (4.2, 3.2, 2.5),
        cover(
            west={"tiles": 0.2, "wood": 0.6, "hard wall": 0.2},
            east={"wood": 0.4, "plasterboard": 0.3, "curtain": 0.3},
            south={"window": 0.5, "tiles": 0.1, "curtain": 0.4},
            north={"wood": 0.6, "door": 0.2, "hard wall": 0.2},
            floor={"tiles": 0.7, "carpet": 0.3},
            ceiling={"plasterboard": 1.0},
        ),
    ),
}


def named_room(room: Room | str, where: str = "room") -> Room:
    """Room that is meant by itself or by a key of `ROOMS`, in any case, with spaces or hyphens.

    Examples
    --------
    >>> named_room("Living Room").name
    'Dry living room'
    """
    if isinstance(room, Room):
        return room
    key = pick(room, ROOMS) if isinstance(room, str) else None
    if key is None:
        raise ValueError(f"{where} = {shown(room)}: must be a Room, or one of {', '.join(ROOMS)}")
    return ROOMS[key]
