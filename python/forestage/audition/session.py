"""What a session consists of: songs, the versions of each, and how they are compared. Kept as ``session.json``."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from forestage.files import read_text, written_whole

VERSION = 1
FILE = "session.json"
RESULTS = "results.sqlite"
SOUNDS = "sounds"
LONGEST_NAME = 80
PRESET, PLAIN, REFERENCE, LOW_ANCHOR, MID_ANCHOR = "preset", "plain", "reference", "low anchor", "mid anchor"


@dataclass(frozen=True)
class Version:
    """One of what is compared, in all songs.

    Attributes
    ----------
    id : str
        What results call it.
    label : str
        What people call it.
    kind : str
        "preset", "plain", "reference", "low anchor" or "mid anchor".
    """

    id: str
    label: str
    kind: str


@dataclass(frozen=True)
class Sound:
    """One version of one song, as a file in ``sounds``.

    Attributes
    ----------
    id : str
        Name of the file, which tells nothing.
    lufs, peak_dbfs : float
        Of the file.
    gain_db : float
        What it was turned by to be as loud as the others.
    shift_frames : int
        What it was moved by to be aligned with the others.
    """

    id: str
    lufs: float
    peak_dbfs: float
    gain_db: float
    shift_frames: int


@dataclass(frozen=True)
class Song:
    """A song, or an excerpt of one, with its sounds by the id of their version."""

    name: str
    sample_rate: int
    frames: int
    sounds: Mapping[str, Sound]


@dataclass(frozen=True)
class Session:
    """A listening test.

    Attributes
    ----------
    id : str
        Tells it from all others.
    method : str
        "preference", "abx" or "mushra".
    trials : int
        How many each listener has.
    made_of : mapping
        What it was made of, to know whether it is asked for again.
    """

    id: str
    method: str
    trials: int
    versions: tuple[Version, ...]
    songs: tuple[Song, ...]
    made_of: Mapping[str, Any]

    @property
    def candidates(self) -> tuple[Version, ...]:
        """What is judged against each other: all but references and anchors."""
        return tuple(version for version in self.versions if version.kind in (PRESET, PLAIN))

    @property
    def cells(self) -> list[tuple[int, tuple[str, ...]]]:
        """What a trial may be about: index of a song, and ids of the versions in it."""
        if self.method == "mushra":
            return [(song, tuple(version.id for version in self.versions)) for song in range(len(self.songs))]
        pairs = list(combinations([version.id for version in self.candidates], 2))
        return [(song, pair) for song in range(len(self.songs)) for pair in pairs]

    def label(self, version_id: str) -> str:
        """What people call a version."""
        return next(version.label for version in self.versions if version.id == version_id)

    def version_of(self, song: int, sound_id: str) -> str:
        """Id of the version that a sound of a song is.

        Raises
        ------
        ValueError
            When the session has no such sound.
        """
        of_song = self.songs[song].sounds if 0 <= song < len(self.songs) else {}
        for version, sound in of_song.items():
            if sound.id == sound_id:
                return version
        raise ValueError(f"song {song}: no sound {sound_id!r} in this session")

    def save(self, folder: Path) -> None:
        """Write it as a file of the folder."""
        with written_whole(folder / FILE) as file:
            file.write(json.dumps({"forestage_session": VERSION} | asdict(self), indent=1).encode())


def load_session(folder: str | Path) -> Session:
    """Read the session of a folder.

    Raises
    ------
    FileNotFoundError
        When there is none.
    ValueError
        When it is of another version, or damaged.
    """
    path = Path(folder) / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder}: no session: there is no {FILE} in it; `forestage audition` makes one")
    try:
        form = json.loads(read_text(path))
        version = form.pop("forestage_session")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ValueError(f"{path}: not a session file that can be read; nothing was changed") from None
    if version != VERSION:
        raise ValueError(
            f"{path}: a session of version {version!r}; this Forestage reads version {VERSION}: make a new one with "
            "it, or use the Forestage that made this one"
        )
    try:
        songs = (
            Song(**song | {"sounds": {key: Sound(**sound) for key, sound in song["sounds"].items()}})
            for song in form["songs"]
        )
        return Session(
            **form | {"versions": tuple(Version(**each) for each in form["versions"]), "songs": tuple(songs)}
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"{path}: not a session file that can be read ({error}); nothing was changed") from None


def listener_name(text: object) -> str:
    """A listener's name as it is kept: any text of a line, as data.

    Raises
    ------
    ValueError
        When it is empty, too long, or no text of a line.
    """
    name = unicodedata.normalize("NFC", text).strip() if isinstance(text, str) else ""
    if not 0 < len(name) <= LONGEST_NAME or any(unicodedata.category(letter).startswith("C") for letter in name):
        raise ValueError(f"name {str(text)[:100]!r}: a line of 1 to {LONGEST_NAME} characters would be right")
    return name
