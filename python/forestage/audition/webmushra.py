"""A session as configuration and files of webMUSHRA (github.com/audiolabs/webMUSHRA), for laboratories that run it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import soundfile
from scipy.signal import resample_poly

from .session import PRESET, REFERENCE, SOUNDS, Session, Version

SAMPLE_RATE = 48_000  # webMUSHRA takes files at the rate of the browser alone, which mostly is this one
BUFFER = 2048


def check_method(method: str) -> None:
    """Refuse what webMUSHRA cannot ask.

    Raises
    ------
    ValueError
        For preferences: its pages of pairs show which of the two is the reference, and ask for that one.
    """
    if method == "preference":
        raise ValueError("webMUSHRA has no preference without a reference; --method abx or mushra would be right")


def write_webmushra(folder: Path, session: Session, target: Path) -> Path:
    """Write ``forestage.yaml`` and WAV files beside it; returns the configuration.

    The folder goes into ``configs`` of webMUSHRA, and opens as ``?config=FOLDER/forestage.yaml``.

    Raises
    ------
    FileExistsError
        When the folder is there, and not empty.
    ValueError
        When webMUSHRA has no pages for the method of the session.
    """
    check_method(session.method)
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target}: is not empty; a new folder would be right")
    names = {version.id: _name(version) for version in session.versions}
    for index, song in enumerate(session.songs):
        (target / "wav" / str(index)).mkdir(parents=True)
        for version, sound in song.sounds.items():
            audio, rate = soundfile.read(folder / SOUNDS / f"{sound.id}.flac")
            if rate != SAMPLE_RATE:
                shared = math.gcd(rate, SAMPLE_RATE)
                audio = resample_poly(audio, SAMPLE_RATE // shared, rate // shared, axis=0)
            soundfile.write(target / "wav" / str(index) / f"{names[version]}.wav", audio, SAMPLE_RATE, subtype="PCM_24")
    base = f"configs/{quote(target.name)}/wav"  # from the folder of webMUSHRA
    make_pages = _mushra_pages if session.method == "mushra" else _abx_pages
    form = {
        "testname": "Forestage",
        "testId": f"forestage-{session.id}",
        "bufferSize": BUFFER,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            {"type": "generic", "id": "begin", "name": "Forestage", "content": "Put your headphones on."},
            ["random", *make_pages(session, names, base)],
            {
                "type": "finish",
                "name": "Thank you",
                "content": "Your ratings are sent when you press the button.",
                "showResults": False,
                "writeResults": True,
                "questionnaire": [{"type": "text", "label": "Name", "name": "name"}],
            },
        ],
    }
    path = target / "forestage.yaml"
    path.write_text("".join(f"{line}\n" for line in _yaml(form)), encoding="ascii")
    return path


def _name(version: Version) -> str:
    """What results call it: its id, and of a preset the label as far as it is no markup, path or syntax of anything."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", version.label).strip("-")
    return f"{version.id}-{readable}" if version.kind == PRESET and readable else version.id


def _page(kind: str, page: str, song: int, reference: str, stimuli: dict[str, str]) -> dict[str, Any]:
    return {
        "type": kind,
        "id": page,
        "name": f"Song {song + 1}",
        "content": "",
        "enableLooping": True,
        "showWaveform": True,
        "reference": reference,
        "stimuli": stimuli,
    }


def _mushra_pages(session: Session, names: dict[str, str], base: str) -> Iterator[dict[str, Any]]:
    """Every song with its open reference; webMUSHRA hides it among the others once more."""
    own = {
        "strict": False,  # excerpts may be longer than 12 s
        "createAnchor35": False,
        "createAnchor70": False,
        "randomize": True,
        "showConditionNames": False,
    }
    open_one = next(version.id for version in session.versions if version.kind == REFERENCE)
    for song, versions in session.cells:
        wav = {names[version]: f"{base}/{song}/{names[version]}.wav" for version in versions}
        yield _page("mushra", f"song-{song + 1}", song, wav.pop(names[open_one]), wav) | own


def _abx_pages(session: Session, names: dict[str, str], base: str) -> Iterator[dict[str, Any]]:
    """As many pages as a listener has trials: which of two sounds is the third, and each of the two is it in turn."""
    cells = session.cells
    for trial in range(session.trials):
        song, pair = cells[trial % len(cells)]
        reference, other = pair if trial // len(cells) % 2 == 0 else pair[::-1]
        wav = {version: f"{base}/{song}/{names[version]}.wav" for version in pair}
        page = f"trial-{trial + 1}-{names[reference]}"
        yield _page("paired_comparison", page, song, wav[reference], {names[other]: wav[other]})


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """Lines of mappings and lists: webMUSHRA's parser of YAML takes no JSON of several lines."""
    items = [(f"{key}:", item) for key, item in value.items()] if isinstance(value, dict) else [("-", x) for x in value]
    for lead, item in items:
        if isinstance(item, dict | list):
            yield f"{indent}{lead}"
            yield from _yaml(item, f"{indent}  ")
        else:
            yield f"{indent}{lead} {json.dumps(item)}"
