"""What is to be done: songs by presets, each with a target of its own."""

from __future__ import annotations

import csv
import hashlib
import json
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from forestage._core import __version__
from forestage.presets import PresetLike, load_preset

from .store import Place, stamp

SOUNDS = {".aif", ".aiff", ".caf", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".rf64", ".w64", ".wav"}
LISTS = {".csv", ".txt"}


@dataclass(frozen=True)
class Job:
    """One song by one preset, with the settings of all.

    Attributes
    ----------
    source, target : str
        Addresses.
    source_stamp : str
        What tells the song from the same one after a change, without reading it.
    source_bytes : int
        Its size.
    preset : str
        Its name, as in the path of the target.
    preset_sha256, settings : str
        Content of the preset, and settings as JSON: with the song's content, what the sound is made of.
    """

    source: str
    target: str
    source_stamp: str
    source_bytes: int
    preset: str
    preset_sha256: str
    settings: str

    @property
    def made_of(self) -> tuple[str, str, str, str, str]:
        """What a row of an earlier run must agree in for the job to be done."""
        return self.source, self.source_stamp, self.preset_sha256, self.settings, __version__

    def row(self) -> dict[str, Any]:
        """What its row says of it before it is done."""
        return {name: value for name, value in asdict(self).items() if name != "source_bytes"} | {
            "forestage": __version__
        }

    def key(self, source_sha256: str) -> str:
        """Name of what the job makes: hash of the song's content, the preset, the settings and the version."""
        parts = (source_sha256, self.preset_sha256, self.settings, __version__)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class NamedPreset:
    """A preset as it travels: its text, with a name for folders."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def named_presets(presets: Sequence[PresetLike]) -> list[NamedPreset]:
    """Read all presets once; what happens to their files afterwards does not matter.

    Raises
    ------
    ValueError
        When there is none, or two have one name.
    """
    if not presets:
        raise ValueError("no presets; at least one would be right, such as laptop")
    found: dict[str, NamedPreset] = {}
    for preset in presets:
        loaded = load_preset(preset)
        name = Path(preset).stem if isinstance(preset, str | Path) else loaded.name
        name = name.lower().replace("/", "-").replace(" ", "-")
        if name in found:
            raise ValueError(f"{preset}: a second preset called {name}; each needs a name of its own")
        found[name] = NamedPreset(name, loaded.to_json())
    return list(found.values())


def found_songs(sources: Iterable[str | Path]) -> dict[str, tuple[str, Mapping[str, Any]]]:
    """Songs of folders, patterns, lists and files: by address, a path relative to where it was looked for, and facts.

    Raises
    ------
    FileNotFoundError
        For a source with no song in it.
    """
    found: dict[str, tuple[str, Mapping[str, Any]]] = {}
    for source in sources:
        songs = list(_songs(str(source)))
        if not songs:
            kinds = ", ".join(sorted(SOUNDS))
            raise FileNotFoundError(f"{source}: no song there; a folder, pattern, list (.csv, .txt) or file of {kinds}")
        for place, relative, info in songs:
            found.setdefault(place.address, (relative, info))
    return found


def _songs(source: str) -> Iterable[tuple[Place, str, Mapping[str, Any]]]:
    place = Place.of(source)
    place.fs.invalidate_cache()
    if any(sign in place.path for sign in "*?["):
        root = posixpath.dirname(place.path[: min(place.path.find(sign) for sign in "*?[" if sign in place.path)])
        for path, info in sorted(place.fs.glob(place.path, detail=True).items()):
            if info["type"] == "file" and _is_sound(path):
                yield Place(place.fs, path), posixpath.relpath(path, root), info
    elif place.fs.isdir(place.path):
        for path, info in sorted(place.files().items()):
            if _is_sound(path) and not posixpath.basename(path).startswith("."):
                yield Place(place.fs, path), posixpath.relpath(path, place.path), info
    elif posixpath.splitext(place.path)[1].lower() in LISTS:
        yield from _listed(place)
    elif place.fs.isfile(place.path):
        yield place, posixpath.basename(place.path), place.fs.info(place.path)


def _listed(place: Place) -> Iterable[tuple[Place, str, Mapping[str, Any]]]:
    """Songs of a list, one a line, or in the column ``source`` of a table; relative ones beside the list.

    A song that is not there is one all the same: its job says so.
    """
    lines = place.fs.cat_file(place.path).decode("utf-8-sig").splitlines()
    rows = list(csv.reader(lines)) if place.path.lower().endswith(".csv") else [[line] for line in lines]
    rows = [row for row in rows if row and row[0].strip() and not row[0].startswith("#")]
    column = 0
    if rows and "source" in rows[0]:
        column = rows.pop(0).index("source")
    for row in rows:
        text = row[column].strip()
        is_whole = "://" in text or text.startswith("/")
        song = Place.of(text) if is_whole else Place(place.fs, posixpath.join(posixpath.dirname(place.path), text))
        try:
            info = song.fs.info(song.path)
        except FileNotFoundError:
            info = {"size": 0, "type": "file"}
        relative = song.path.lstrip("/") if is_whole else posixpath.normpath(text)
        yield song, relative.replace("../", ""), info


def _is_sound(path: str) -> bool:
    return posixpath.splitext(path)[1].lower() in SOUNDS


def jobs_of(
    songs: Mapping[str, tuple[str, Mapping[str, Any]]],
    presets: Sequence[NamedPreset],
    output: Place,
    settings: Mapping[str, Any],
) -> list[Job]:
    """All jobs, song by song; the target of each is ``preset/path of the song.wav`` below the output."""
    text = json.dumps(settings, sort_keys=True, default=str)
    stems: dict[str, int] = {}
    for relative, _ in songs.values():
        stem = posixpath.splitext(relative)[0]
        stems[stem] = stems.get(stem, 0) + 1
    jobs = []
    hashes = {preset.name: preset.sha256 for preset in presets}
    for address, (relative, info) in songs.items():
        stem = posixpath.splitext(relative)[0]
        name = stem if stems[stem] == 1 else relative  # a.flac and a.wav
        for preset in presets:
            target = output / f"{preset.name}/{name}.wav"
            jobs.append(
                Job(address, target.address, stamp(info), int(info.get("size") or 0), preset.name,
                    hashes[preset.name], text)
            )  # fmt: skip
    targets = [job.target for job in jobs]
    if len(set(targets)) < len(targets):
        twice = next(target for target in targets if targets.count(target) > 1)
        two = [job.source for job in jobs if job.target == twice]
        raise ValueError(f"{two[0]}, {two[1]}: both would become {twice}; they need names, or folders, of their own")
    return jobs
