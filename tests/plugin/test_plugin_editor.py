"""The window on a screen that nobody sees: worked as a person would, and opened by a host."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forestage.host import plugin_path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run (Debian: xvfb xauth)"),
]

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
RED, WIDTH, HEIGHT = 0xFF8A80, 1024, 200

def red_pixels():
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    root = ctypes.c_void_p(x11.XDefaultRootWindow(display))
    image = ctypes.c_void_p(x11.XGetImage(display, root, 0, 0, WIDTH, HEIGHT, ctypes.c_ulong(0xFFFFFF), 2))
    return sum(x11.XGetPixel(image, x, y) & 0xFFFFFF == RED for y in range(HEIGHT) for x in range(WIDTH))

def red_when_open():
    found, close = [], threading.Event()
    def look():
        found.append(red_pixels())
        close.set()
    threading.Timer(1.5, look).start()
    plugin.show_editor(close)
    return found[0]

plugin = load_plugin("laptop", headphone_eq=parametric())
usual = red_when_open()
later = json.loads(plugin_state("laptop"))
later["slots"]["a"]["schema"] = 3
plugin.preset_data = vst3.vstpreset(json.dumps(later))
print("without a word" if usual == 0 else usual, "says so" if red_when_open() > 20 else "is silent")
"""


ROOT = Path(__file__).resolve().parents[2]
XVFB = ["xvfb-run", "-a", "-s", "-screen 0 1024x768x24"]


@pytest.fixture
def new_user(tmp_path):
    """An environment in which nobody has changed the size or the looks of the window."""
    return os.environ | {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}


def leak_sanitizer():
    """The library that finds what nobody frees, put in front of a program as it is."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs gcc, which brings the leak sanitizer")
    name = subprocess.run(
        [compiler, "-print-file-name=liblsan.so"], capture_output=True, text=True, check=True
    ).stdout.strip()
    if not Path(name).is_absolute():
        pytest.skip("this gcc has no leak sanitizer")
    return ["env", f"LD_PRELOAD={name}"]


def test_window_works_as_a_person_expects_and_leaks_nothing(new_user, tmp_path):
    (program,) = ROOT.glob("build/*/plugin/window/check_window")  # ./run test builds it
    watched = leak_sanitizer()
    result = subprocess.run(
        [*XVFB, *watched, program], capture_output=True, text=True, check=False, timeout=240, env=new_user
    )
    assert (result.stdout, result.returncode) == ("all is as it should be\n", 0), result.stderr
    source = tmp_path / "leak.c"
    source.write_text("#include <stdlib.h>\nint main(void) { char* p = malloc(9999); *p = 1; p = 0; return 0; }\n")
    subprocess.run(["gcc", "-O0", source, "-o", tmp_path / "leak"], check=True)
    leaking = subprocess.run([*watched, tmp_path / "leak"], capture_output=True, check=False)
    assert leaking.returncode != 0  # or the sanitizer sees nothing here


STANDALONE = """
import subprocess, sys, time
from PIL import ImageGrab

with subprocess.Popen([sys.argv[1]]) as program:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        time.sleep(0.5)
        pixels = ImageGrab.grab().convert("RGB").getcolors(1 << 24)
        if dict((colour, count) for count, colour in pixels).get((0x15, 0x19, 0x1E), 0) > 20_000:
            print("the window is there")
            break
    program.kill()
"""


def test_standalone_shows_the_window(new_user):
    command = [*XVFB, sys.executable, "-c", STANDALONE, plugin_path("standalone")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=new_user)
    assert result.stdout == "the window is there\n", result.stderr


def test_editor_opens_and_closes_again_and_says_what_of_a_session_cannot_be_read(new_user):
    result = subprocess.run(
        [*XVFB, sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=60, env=new_user
    )
    assert result.stdout == "without a word says so\n", result.stderr
