"""Pictures of the demo's page, of an audition and of the plugin's window.

``./run update --screenshot`` makes what is in them, and then them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

from forestage.catalogue import EXCERPT

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "demo" / "index.html"
IMAGES = ROOT / "docs" / "images"
SIZE = (1200, 1040)
COLOURS = 128  # a third of the bytes, and no eye sees it
WINDOW = {
    "separation": "window",
    "compared": "window-compared",
    "beam": "window-beam",
    "light": "window-light",
    "blind": "window-blind",
}
AUDITIONS = (
    ("audition", {"width": 900, "height": 620}, "light"),
    ("audition-telephone", {"width": 390, "height": 760}, "dark"),
)


def picture_of_page(folder):
    browser = shutil.which("chromium")
    if browser is None:
        raise SystemExit("a picture of the page needs Debian's chromium")
    shot = folder / "page.png"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
    place = [f"--user-data-dir={folder}", f"--screenshot={shot}", "--window-size={},{}".format(*SIZE)]
    subprocess.run([browser, *options, *place, PAGE.as_uri()], check=True, capture_output=True)
    return shot


def pictures_of_window(folder):
    (program,) = ROOT.glob("build/*/plugin/window/window_pictures")
    new_user = os.environ | {"HOME": str(folder)}
    subprocess.run(["xvfb-run", "-a", program, folder], check=True, capture_output=True, env=new_user)


def pictures_of_audition(folder):
    """A trial of the session that docs/audition.md makes, as its listener sees it, on a desk and on a telephone."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-u", "-m", "forestage", "audition"]
    presets = ["--presets", "smart-speaker", "laptop", "-o", folder / "evening"]
    with (
        subprocess.Popen([*command, EXCERPT, *presets], stdout=subprocess.PIPE, text=True) as server,
        sync_playwright() as play,
    ):
        address = next(line.split()[1] for line in server.stdout if line.startswith("Open "))
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, size, scheme in AUDITIONS:
            page = browser.new_page(viewport=size, color_scheme=scheme, bypass_csp=True)
            page.goto(address)
            page.locator("#name").fill("Ann")
            page.keyboard.press("Enter")
            page.locator("#play:not([disabled])").wait_for()
            page.keyboard.press("Space")
            page.keyboard.press("2")
            page.evaluate("setLoop(4, 9.5)")
            page.wait_for_timeout(1500)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()
        server.terminate()


def keep(shot, name):
    Image.open(shot).convert("RGB").quantize(COLOURS).save(IMAGES / f"{name}.png", optimize=True)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep(picture_of_page(folder), "demo")
        pictures_of_audition(folder)
        for name, *_ in AUDITIONS:
            keep(folder / f"{name}.png", name)
        pictures_of_window(folder)
        for shot, picture in WINDOW.items():
            keep(folder / f"{shot}.png", picture)


if __name__ == "__main__":
    main()
