"""Picture of the demo's page for the README: ``./run update --screenshot`` makes the demo, then this."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "demo" / "index.html"
PICTURE = ROOT / "docs" / "images" / "demo.png"
SIZE = (1200, 1040)
COLOURS = 128  # a third of the bytes, and no eye sees it


def main():
    browser = shutil.which("chromium")
    if browser is None:
        raise SystemExit("a picture of the page needs Debian's chromium")
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "page.png"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        place = [f"--user-data-dir={folder}", f"--screenshot={shot}", "--window-size={},{}".format(*SIZE)]
        subprocess.run([browser, *options, *place, PAGE.as_uri()], check=True, capture_output=True)
        Image.open(shot).convert("RGB").quantize(COLOURS).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
