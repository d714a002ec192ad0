"""Who hears what, in which order: drawn anew for each listener."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from .session import REFERENCE, Session

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Trial:
    """One question.

    Attributes
    ----------
    song : int
        Index of the song.
    sounds : dict
        Ids of sounds by the letter that the listener sees; "Reference" is the open reference.
    """

    song: int
    sounds: dict[str, str]

    def form(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def trials(session: Session, random: Random) -> list[Trial]:
    """Draw the trials of one listener.

    Songs and pairs come equally often, as nearly as the number of trials lets them, in any order. What stands behind a
    letter is drawn in each trial anew and depends on nothing else, which exact tests take for granted.
    """
    cells = session.cells
    whole, rest = divmod(session.trials, len(cells))
    chosen = cells * whole + random.sample(cells, rest)
    random.shuffle(chosen)
    return [Trial(song, _letters(session, song, versions, random)) for song, versions in chosen]


def _letters(session: Session, song: int, versions: tuple[str, ...], random: Random) -> dict[str, str]:
    order = random.sample(versions, len(versions))
    sounds = [session.songs[song].sounds[version].id for version in order]
    if session.method == "preference":
        return dict(zip("XY", sounds, strict=True))
    if session.method == "abx":
        return dict(zip("AB", sounds, strict=True)) | {"X": random.choice(sounds)}
    reference = next(version.id for version in session.versions if version.kind == REFERENCE)
    return {"Reference": session.songs[song].sounds[reference].id} | dict(zip(LETTERS, sounds, strict=False))
