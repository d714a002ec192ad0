"""Pictures of the demo's page and of the plugin's window: ``./run update --screenshot`` makes both, then this."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "demo" / "index.html"
IMAGES = ROOT / "docs" / "images"
SIZE = (1200, 1040)
COLOURS = 128  # a third of the bytes, and no eye sees it
WINDOW = {"separation": "window", "compared": "window-compared", "beam": "window-beam", "light": "window-light"}


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


def keep(shot, name):
    Image.open(shot).convert("RGB").quantize(COLOURS).save(IMAGES / f"{name}.png", optimize=True)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keep(picture_of_page(folder), "demo")
        pictures_of_window(folder)
        for shot, picture in WINDOW.items():
            keep(folder / f"{shot}.png", picture)


if __name__ == "__main__":
    main()
