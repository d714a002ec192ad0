"""A served session and a browser that listens to it, by Playwright and Debian's Chromium."""

import base64
import contextlib
import re
import subprocess
import sys

import numpy as np
import pytest

from browser import CHROMIUM

OPTIONS = ("--no-sandbox", "--autoplay-policy=no-user-gesture-required")
PATIENCE_S = 120  # for what hangs; a busy machine takes its time


class Served:
    """``forestage audition serve`` in a process of its own, that may be killed and started again."""

    def __init__(self, folder):
        self.folder = folder
        self.process = None
        self.start()

    def start(self):
        command = [sys.executable, "-u", "-m", "forestage", "audition", "serve", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.address = re.search(r"http://\S+", line)[0]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def served(folder):
    server = Served(folder)
    try:
        yield server
    finally:
        server.kill()


@contextlib.contextmanager
def browser():
    """A browser; pages of it fail the test when their scripts fail."""
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    sync_api = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            yield chromium
        finally:
            chromium.close()


@contextlib.contextmanager
def page_of(browser, address, **options):
    """A page whose scripts must not fail; ``bypass_csp=True`` lets a test run some of its own."""
    context = browser.new_context(**{"viewport": {"width": 1100, "height": 900}} | options)
    page = context.new_page()
    page.set_default_timeout(1000 * PATIENCE_S)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    assert errors == []


def begin(page, name):
    """Type a name and go."""
    page.locator("#name").wait_for()
    page.keyboard.type(name)
    page.keyboard.press("Enter")


def ready(page, trial):
    """Wait until a trial can be played."""
    page.get_by_role("heading", name=f"Trial {trial} of").wait_for()
    page.locator("#play:not([disabled])").wait_for()


def floats(page, script, argument=None):
    """What a script returns as Float32Array, shape (2, frames): the channels of an AudioBuffer."""
    code = f"""async argument => {{
      const buffer = await ({script})(argument);
      const text = new Uint8Array(8 * buffer.length);
      const floats = new Float32Array(text.buffer);
      for (const side of [0, 1]) floats.set(buffer.getChannelData(side), side * buffer.length);
      let binary = "";
      for (let at = 0; at < text.length; at += 32768) binary += String.fromCharCode(...text.subarray(at, at + 32768));
      return btoa(binary);
    }}"""
    return np.frombuffer(base64.b64decode(page.evaluate(code, argument)), np.float32).reshape(2, -1)
