"""The editor opens, says what is wrong and closes, on a screen that nobody sees; which files it loads is for people."""

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import ctypes, json, threading
from forestage import load_plugin, vst3
from forestage.host import plugin_state
from headphone_eqs import parametric

# pedalboard's side of the editor asks for the window that has the focus, where there is none
handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda display, error: 0)
x11 = ctypes.CDLL("libX11.so.6")
x11.XSetErrorHandler(handler)
x11.XOpenDisplay.restype = x11.XDefaultRootWindow.restype = x11.XGetImage.restype = ctypes.c_void_p
x11.XGetPixel.restype = ctypes.c_ulong
ORANGE, WIDTH, HEIGHT = 0xFFA500, 1024, 200

def orange_pixels():
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    root = ctypes.c_void_p(x11.XDefaultRootWindow(display))
    image = ctypes.c_void_p(x11.XGetImage(display, root, 0, 0, WIDTH, HEIGHT, ctypes.c_ulong(0xFFFFFF), 2))
    return sum(x11.XGetPixel(image, x, y) & 0xFFFFFF == ORANGE for y in range(HEIGHT) for x in range(WIDTH))

def orange_when_open():
    found, close = [], threading.Event()
    def look():
        found.append(orange_pixels())
        close.set()
    threading.Timer(1.5, look).start()
    plugin.show_editor(close)
    return found[0]

plugin = load_plugin("laptop", headphone_eq=parametric())
usual = orange_when_open()
later = json.loads(plugin_state("laptop"))
later["slots"]["a"]["schema"] = 2
plugin.preset_data = vst3.vstpreset(json.dumps(later))
print("without a word" if usual == 0 else usual, "says so" if orange_when_open() > 20 else "is silent")
"""


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run (Debian: xvfb xauth)")
def test_editor_opens_and_closes_again_and_says_what_of_a_session_cannot_be_read():
    result = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1024x768x24", sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert result.stdout == "without a word says so\n", result.stderr
