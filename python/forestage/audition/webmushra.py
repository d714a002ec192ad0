"""A session as configuration and files of webMUSHRA (github.com/audiolabs/webMUSHRA), for laboratories that run it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import soundfile
from scipy.signal import resample_poly

from .session import REFERENCE, SOUNDS, Session

SAMPLE_RATE = 48_000  # webMUSHRA takes files at the rate of the browser alone, which mostly is this one
BUFFER = 2048


def write_webmushra(folder: Path, session: Session, target: Path) -> Path:
    """Write ``forestage.yaml`` and WAV files beside it; returns the configuration.

    The folder goes into ``configs`` of webMUSHRA, and opens as ``?config=FOLDER/forestage.yaml``. YAML takes
    JSON for what it is, and so are names of songs data whatever is in them.

    Raises
    ------
    FileExistsError
        When the folder is there, and not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target}: is not empty; a new folder would be right")
    (target / "wav").mkdir(parents=True)
    base = f"configs/{target.name}/wav"  # from the folder of webMUSHRA
    pages = [_page(session, song, versions, f"{base}/{song}") for song, versions in session.cells]
    for index, song in enumerate(session.songs):
        (target / "wav" / str(index)).mkdir()
        for version, sound in song.sounds.items():
            audio, rate = soundfile.read(folder / SOUNDS / f"{sound.id}.flac")
            if rate != SAMPLE_RATE:
                shared = math.gcd(rate, SAMPLE_RATE)
                audio = resample_poly(audio, SAMPLE_RATE // shared, rate // shared, axis=0)
            soundfile.write(target / "wav" / str(index) / f"{version}.wav", audio, SAMPLE_RATE, subtype="PCM_24")
    form = {
        "testname": "Forestage",
        "testId": f"forestage-{session.id}",
        "bufferSize": BUFFER,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            {"type": "generic", "id": "begin", "name": "Forestage", "content": "Put your headphones on."},
            ["random", *pages],
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
    path.write_text(json.dumps(form, indent=1), encoding="utf-8")
    return path


def _page(session: Session, song: int, versions: tuple[str, ...], place: str) -> dict[str, Any]:
    """One page: all versions of a song, or a pair of them."""
    wav = {version: f"{place}/{version}.wav" for version in versions}
    open_one = versions[0]
    if session.method == "mushra":
        open_one = next(version.id for version in session.versions if version.kind == REFERENCE)
    page = {
        "type": "paired_comparison",
        "id": f"song-{song}-{'-'.join(versions)}",
        "name": f"Song {song + 1}",
        "content": "",
        "enableLooping": True,
        "showWaveform": True,
        "reference": wav.pop(open_one),
        "stimuli": wav,
    }
    if session.method != "mushra":
        return page
    own = {"createAnchor35": False, "createAnchor70": False, "randomize": True, "showConditionNames": False}
    return page | own | {"type": "mushra", "id": f"song-{song}", "strict": False}
