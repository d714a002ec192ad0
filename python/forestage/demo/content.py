"""What the demo consists of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from forestage.acoustics.shoebox import ROOMS
from forestage.catalogue import EXCERPT
from forestage.design.result import Design
from forestage.short_repr import ShortRepr

from .measure import Facts
from .sound import Levels

ROOM = "living-room"


@dataclass(frozen=True, repr=False)
class Track(ShortRepr):
    """One file of the demo.

    Attributes
    ----------
    monitor : str
        Empty for the original.
    levels : Levels
        Of the file as it lies on the disk.
    gain_db : float
        What the file was turned up by.
    script : Path or None
        The same sound for the page's player; None for what is not for headphones.
    in_room : bool
        For headphones in the room.
    """

    path: Path
    monitor: str
    levels: Levels
    gain_db: float = 0.0
    script: Path | None = None
    status: str = "OK"
    in_room: bool = False


@dataclass(frozen=True, repr=False)
class DeviceDemo(ShortRepr):
    """One design with its preset, files by monitor in the free field and in the room, and measurements."""

    design: Design
    preset: Path
    tracks: dict[str, Track]
    room_tracks: dict[str, Track]
    facts: Facts


@dataclass(frozen=True, repr=False)
class Demo(ShortRepr):
    """Everything the page shows.

    Attributes
    ----------
    source : Path
        The music.
    render_speed : float
        Seconds of music rendered per second, over all files.
    paths : dict of Track
        What the upmix finds, by name: left, right and centre in high quality, centre with low latency; and what that is
        compared with: the centre of a published rule, and mid.
    """

    page: Path
    source: Path
    sample_rate: int
    seconds: float
    render_speed: float
    original: Track
    paths: dict[str, Track]
    devices: tuple[DeviceDemo, ...]

    @property
    def room(self) -> str:
        """The room that the devices are heard in."""
        return ROOMS[ROOM].name

    @property
    def is_excerpt(self) -> bool:
        """Whether the music is the one that comes with the package."""
        return self.source == EXCERPT
