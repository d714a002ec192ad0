"""The editor opens and closes, on a screen that nobody sees; which files it loads is for people to try."""

import os
import shutil
import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, threading
from forestage import load_plugin
from headphone_eqs import parametric

# pedalboard's side of the editor asks for the window that has the focus, where there is none
handler = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(lambda display, error: 0)
ctypes.CDLL("libX11.so.6").XSetErrorHandler(handler)
plugin = load_plugin("laptop", headphone_eq=parametric())
for _ in range(2):
    close = threading.Event()
    threading.Timer(0.7, close.set).start()
    plugin.show_editor(close)
print("closed")
"""


@pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run (Debian: xvfb xauth)")
def test_editor_opens_and_closes_again():
    result = subprocess.run(
        ["xvfb-run", "-a", "-s", "-screen 0 1024x768x24", sys.executable, "-c", SCRIPT],
        capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert result.stdout == "closed\n", result.stderr
