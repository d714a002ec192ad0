"""Headless Chromium, to run the scripts of pages as they are."""

import json
import re
import shutil
import subprocess
import threading
from urllib.parse import unquote

import pytest

CHROMIUM = shutil.which("chromium")
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--autoplay-policy=no-user-gesture-required", "--enable-logging=stderr",
)  # fmt: skip
LONGEST_S = 60.0
# Of a page in a window of 390 pixels with all details open: how far it is too wide, and what of it is cut or broken
CUT_ON_A_TELEPHONE = """
for (const details of document.querySelectorAll("details")) details.open = true;
await new Promise(done => setTimeout(done, 300));
const isCut = each => each.scrollWidth > each.clientWidth + 1 || each.getBoundingClientRect().right > 390;
const isBroken = cell => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  const lines = new Set([...text.getClientRects()].map(line => Math.round(line.top)));
  const isNumber = /^[−+]?[0-9.]+$/.test(cell.textContent);
  return isNumber && (lines.size > 1 || text.getBoundingClientRect().width > cell.clientWidth);
};
const all = selector => [...document.querySelectorAll(selector)];
const boxes = all("body, .scroll, .card, .figure, .view, .chart, button");
const cut = [...boxes.filter(isCut), ...all("td").filter(isBroken)];
const page = document.documentElement;
return [page.scrollWidth - page.clientWidth, innerWidth, cut.map(each => each.outerHTML.slice(0, 200))];
"""
# Of a page with all details open: how far it is too wide, and what of it must be scrolled
WIDER_THAN_ITS_PLACE = """
for (const details of document.querySelectorAll("details")) details.open = true;
await new Promise(done => setTimeout(done, 300));
const wider = [...document.querySelectorAll(".scroll, pre")].filter(each => each.scrollWidth > each.clientWidth + 1);
const page = document.documentElement;
return [page.scrollWidth - page.clientWidth, wider.map(each => each.textContent.trim().slice(0, 40))];
"""


def evaluate(page, script, *, folder, size=(1200, 900)):
    """What the body of an asynchronous function returns in a page on the disk, as JSON holds it.

    A copy of the page that logs it is opened from the same folder, so that it finds what lies beside the original.
    A frame gives it the size, because no window is as narrow as a telephone.
    """
    tested, outer = (page.with_name(f"{page.stem}-{role}.html") for role in ("tested", "frame"))
    ending = f"""<script>
    addEventListener("load", () => (async () => {{ {script} }})().catch(error => "error: " + error).then(value =>
      console.log("result:" + encodeURIComponent(JSON.stringify(value ?? null)) + ":end")));
    </script>"""
    tested.write_text(page.read_text(encoding="utf-8") + ending, encoding="utf-8")
    width, height = size
    frame = f'<body style="margin: 0"><iframe src="{tested.name}" width="{width}" height="{height}" style="border: 0">'
    outer.write_text(frame, encoding="utf-8")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={folder / 'profile'}", outer.as_uri()]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as browser:
        watch = threading.Timer(LONGEST_S, browser.terminate)
        watch.start()
        try:
            found = next((seen for line in browser.stderr if (seen := re.search("result:(.*?):end", line))), None)
        finally:
            watch.cancel()
            browser.terminate()
    for path in (tested, outer):
        path.unlink()
    assert found, f"nothing came back from {page} within {LONGEST_S:g} s"
    return json.loads(unquote(found[1]))
