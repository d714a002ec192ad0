"""A session as a folder that any web server, or a browser without one, can play."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from random import SystemRandom

from .draw import trials
from .results import FILE_KIND, VERSION
from .server import page_file, public_form
from .session import SOUNDS, Session

PLANS = 200  # of which each listener draws one


def write_static(folder: Path, session: Session, target: Path) -> Path:
    """Write the folder; returns the page.

    Sounds are scripts, because a page on a disk may not fetch. Results leave the page as a file that
    `forestage audition merge` takes.

    Raises
    ------
    FileExistsError
        When the folder is there, and not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target}: is not empty; a new folder would be right")
    (target / SOUNDS).mkdir(parents=True)
    random = SystemRandom()
    plans = [[trial.form() for trial in trials(session, random)] for _ in range(PLANS)]
    form = public_form(session) | {"plans": plans, "kind": FILE_KIND, "version": VERSION}
    text = json.dumps(form).replace("<", "\\u003c")  # names of songs are data, whoever reads this file
    (target / "static.js").write_text(f"const STATIC = {text};\n", encoding="utf-8")
    for song in session.songs:
        for sound in song.sounds.values():
            data = base64.b64encode((folder / SOUNDS / f"{sound.id}.flac").read_bytes()).decode()
            (target / SOUNDS / f"{sound.id}.js").write_text(f'sounds["{sound.id}"] = "{data}";\n', encoding="utf-8")
    for name in ("page.js", "player.js", "fade.js", "page.css"):
        (target / name).write_bytes(page_file(name))
    player = '<script src="player.js"'
    page = page_file("page.html").decode().replace(player, f'<script src="static.js"></script>\n{player}')
    path = target / "index.html"
    path.write_text(page, encoding="utf-8")
    return path
