"""How long an audition takes to be made and to be opened: ``python bench/audition.py``.

Three songs, four presets, 30 s each, cut from the music of the demo and played on; the page in Debian's Chromium by
Playwright, from the request to all sounds of a MUSHRA trial decoded.
"""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from forestage.audition.session import load_session
from forestage.catalogue import EXCERPT

PRESETS = ("smart-speaker", "laptop", "tv", "soundbar-7")
SECONDS = 30
FORESTAGE = (sys.executable, "-m", "forestage", "audition")


def songs(folder):
    """Three songs: the music, backwards, and with its channels swapped."""
    music, rate = soundfile.read(EXCERPT, always_2d=True)
    music = np.tile(music, (3, 1))[: SECONDS * rate]
    made = {"one": music, "two": music[::-1], "three": music[:, ::-1]}
    for name, audio in made.items():
        soundfile.write(folder / f"{name}.flac", audio, rate)
    return [folder / f"{name}.flac" for name in made]


def made_in_s(folder, files, method):
    """By the clock, and of all processors together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    command = [*FORESTAGE, *files, "--presets", *PRESETS, "-o", folder, "--no-serve", "--method", method]
    subprocess.run(command, check=True, capture_output=True)
    wall_s = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, sum(getattr(after, key) - getattr(before, key) for key in ("ru_utime", "ru_stime"))


def opened_in_s(folder):
    """Seconds until the page is there, and until all sounds of the first trial are."""
    from playwright.sync_api import sync_playwright

    with subprocess.Popen([*FORESTAGE, "serve", folder], stdout=subprocess.PIPE, text=True) as server:
        address = re.search(r"http://\S+", server.stdout.readline())[0]
        try:
            with sync_playwright() as play:
                browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
                page = browser.new_page()
                started = time.perf_counter()
                page.goto(address)
                page.locator("#name").wait_for()
                there = time.perf_counter() - started
                page.keyboard.type("Ann")
                started = time.perf_counter()
                page.keyboard.press("Enter")
                page.locator("#play:not([disabled])").wait_for()
                loaded = time.perf_counter() - started
                browser.close()
        finally:
            server.terminate()
    return there, loaded


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = songs(folder)
        for method in ("preference", "mushra"):
            ready_s, cpu_s = made_in_s(folder / method, files, method)
            session = load_session(folder / method)
            spread = max(np.ptp([sound.lufs for sound in song.sounds.values()]) for song in session.songs)
            count = sum(len(song.sounds) for song in session.songs)
            there_s, loaded_s = opened_in_s(folder / method)
            made = f"{count} sounds of {SECONDS} s ready in {ready_s:.1f} s ({cpu_s:.1f} s of processors)"
            opened = f"page in {there_s:.2f} s, sounds of a trial loaded and decoded in {loaded_s:.2f} s"
            sys.stdout.write(f"{method}: {made}, within {spread:.3f} LU; {opened}\n")


if __name__ == "__main__":
    main()
