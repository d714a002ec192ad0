"""One batch at a time in a folder: who holds it is written there."""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .store import Place

NAME = ".forestage-batch.lock"
BEAT_S = 20.0
STALE_S = 4 * BEAT_S  # on an object store: a holder that says nothing for so long is gone


class HeldError(RuntimeError):
    """Another batch is at work in the folder."""


@contextmanager
def held(folder: Place) -> Iterator[None]:
    """Hold a folder, until the end or the death of the process.

    Raises
    ------
    HeldError
        When another one holds it; the message says who.
    """
    if folder.is_local:
        with _locked(Path(folder.path) / NAME, folder.address):
            yield
    else:
        with _marked(folder / NAME, folder.address):
            yield


def _who() -> dict[str, Any]:
    return {"user": getpass.getuser(), "host": socket.gethostname(), "process": os.getpid(), "since": time.time()}


def _refusal(address: str, text: str) -> HeldError:
    try:
        who = json.loads(text)
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(who["since"]))
        name = f"process {who['process']} of {who['user']} on {who['host']}, since {since}"
    except (ValueError, KeyError, TypeError):
        name = "another process"
    return HeldError(f"{address}: {name} is at work here; wait for it, end it, or choose another folder")


@contextmanager
def _locked(path: Path, address: str) -> Iterator[None]:
    """By the kernel, which lets go when the process dies."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise _refusal(address, file.read()) from None
        file.truncate(0)
        file.write(json.dumps(_who()))
        file.flush()
        yield
        file.truncate(0)


@contextmanager
def _marked(place: Place, address: str) -> Iterator[None]:
    """By an object that its holder renews; stores have no locks."""
    place.fs.invalidate_cache()
    own = _who()
    if place.fs.exists(place.path):
        text = place.fs.cat_file(place.path).decode(errors="replace")
        if time.time() - _beat(text) < STALE_S:
            raise _refusal(address, text)
    is_over = threading.Event()

    def beat() -> None:
        while not is_over.wait(BEAT_S):
            place.fs.pipe_file(place.path, json.dumps(own | {"beat": time.time()}).encode())

    place.fs.pipe_file(place.path, json.dumps(own | {"beat": time.time()}).encode())
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()
        place.fs.rm_file(place.path)


def _beat(text: str) -> float:
    try:
        return float(json.loads(text)["beat"])
    except (ValueError, KeyError, TypeError):
        return 0.0
