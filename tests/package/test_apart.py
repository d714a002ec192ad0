"""What runs in a process of its own: its value, its errors, its crashes, and what is left of it."""

import os
import signal
from pathlib import Path

import pytest

from forestage.apart import call_apart
from forestage.files import written_whole


@pytest.fixture(autouse=True)
def helpers(monkeypatch):
    """The other process finds what this file hands over."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))


def doubles(file, *, number, progress, at):
    at("doubling")
    progress(0.5)
    file.write(b"done")
    return 2 * number


def crashes_midway(file, *, kind, progress, at):
    at("Warm (before[0])")
    at("")
    at("Fuzz (after[1])")
    file.write(b"half")
    file.flush()
    os.kill(os.getpid(), kind)


def leaves(file, *, progress, at):
    os._exit(3)


def complains(file, *, error, progress, at):
    raise error


def call(folder, function, progress=None, **arguments):
    with written_whole(folder / "out") as file:
        return call_apart(function, file, arguments, name="song.wav", progress=progress)


def test_value_progress_and_file_come_back(tmp_path):
    told = []
    assert call(tmp_path, doubles, number=21, progress=told.append) == 42
    assert (told, (tmp_path / "out").read_bytes()) == ([0.5], b"done")


@pytest.mark.parametrize("kind", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_crash_midway_is_named_by_what_played_and_leaves_no_file(tmp_path, kind):
    with pytest.raises(RuntimeError, match=rf"song.wav: Fuzz \(after\[1\]\) crashed \({kind.name}\)"):
        call(tmp_path, crashes_midway, kind=kind)
    assert list(tmp_path.iterdir()) == []


def test_a_process_that_leaves_is_an_error(tmp_path):
    with pytest.raises(RuntimeError, match=r"song.wav: the process that plays it crashed \(exit status 3\)"):
        call(tmp_path, leaves)


@pytest.mark.parametrize("error", [ValueError("wrong"), FileNotFoundError("gone"), MemoryError("much")])
def test_errors_keep_their_kind_and_get_the_name_of_the_job(tmp_path, error):
    with pytest.raises(type(error), match=f"song.wav: {error}"):
        call(tmp_path, complains, error=error)


def test_an_end_of_who_asks_ends_the_process(tmp_path):
    def interrupt(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(tmp_path, doubles, number=1, progress=interrupt)
    assert list(tmp_path.iterdir()) == []
