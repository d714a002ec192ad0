"""The LV2's window: in a host of our own, worked by a real pointer and keyboard, and in jalv."""

import os
import shutil
import subprocess
import sys

import pytest

from forestage.host import plugin_path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("xvfb-run") is None, reason="needs xvfb-run (Debian: xvfb xauth)"),
    pytest.mark.skipif(shutil.which("xdotool") is None, reason="needs xdotool (Debian: xdotool)"),
]
XVFB = ["xvfb-run", "-a", "-s", "-screen 0 1960x1280x24 -noreset"]  # also when the last window closes

# Places at 100 %, where a new user's window opens.
SCRIPT = """
import numpy as np
from forestage import PARAMS, Renderer, load_preset
from forestage.host import plugin_path, plugin_state
from headphone_eqs import parametric
from lv2_host import LV2, PORTS_AFTER_AUDIO, Lv2Plugin
from lv2_window import Lv2Window

REFERENCE, NEXT, AMOUNT, SPEAKER = (404, 383), (497, 25), (74, 500), (92, 178)
COPY, CLEAR = (644, 25), (430, 602)
CHANGED = [LV2 + "ext/state#StateChanged"]
x = np.random.default_rng(6).uniform(-0.1, 0.1, (2, 4800)).astype(np.float32)

def port(name):
    return 2 + plugin.outputs + PORTS_AFTER_AUDIO.index(name)

def heard(*renderer):
    for _ in range(150):  # what was loaded or chosen has warmed up, and pans of before are forgotten
        y, expected = plugin.process(x), renderer[0].process(x)
    return float(np.abs(y - expected).max())

def check(is_right, what):
    if not is_right:
        print("WRONG:", what)

def said():
    plugin.process(x)
    return plugin.said

plugin = Lv2Plugin(plugin_path("lv2"))
check(said() == [], "a change that nobody made")
window = Lv2Window(plugin)
window.idle()
check(window.is_open and window.size() == (980, 640), window.size())
check(window.asked_size == (980, 640), "the host is not asked for room")
check(len(window.colours()) > 20, "the window is empty")

window.click(*REFERENCE)
check(window.written == [(port("monitor"), 3.0)], window.written)
check(window.touched == [(port("monitor"), True), (port("monitor"), False)], window.touched)
check(heard(Renderer("smart-speaker", monitor="Headphones Reference")) < 1e-6, "the Reference is not heard")
window.work("key", "2")
check(plugin.value("monitor") == 1.0, "the key 2 does not bring the headphones back")

window.written.clear()
window.work("mousemove", *AMOUNT, "mousedown", 1, "mousemove_relative", "--", 0, 60, "mouseup", 1)
amount = plugin.value("amount")
check(said() == [], "what a port tells is told twice")
check(0 < amount < 90 and all(number == port("amount") for number, _ in window.written), window.written)
check(heard(Renderer("smart-speaker", b="laptop", amount=amount)) < 1e-6, "the amount is not heard")
window.work("key", "ctrl+z")
check(plugin.value("amount") == 100.0, "one drag is not one step of undo")

width = plugin.value("stage_width_deg")
window.work("mousemove", *SPEAKER, "mousedown", 1, "mousemove_relative", "--", -40, 60, "mouseup", 1)
check(plugin.value("stage_width_deg") > width + 5, "a loudspeaker cannot be dragged")
window.work("key", "ctrl+z")

window.click(*NEXT)
check(plugin.value("preset") == 1.0, "the host does not hear of the preset")
laptop = load_preset("laptop")
check(all(abs(plugin.value(name) - value) < 1e-4 for name, value in laptop.parameters.items()), "its knobs stay")
check(heard(Renderer("laptop")) < 1e-6, "the next preset is not heard")
plugin.controls["preset"].value = 0.0  # chosen by the host
check(plugin.process(x) is not None, "")
window.idle(1.0)
check(heard(Renderer("smart-speaker")) < 1e-6, "after the window the host's own choice is not heard")

window.work("key", "x")
check(plugin.value("slot") == 1.0, "the key x does not toggle the slot")
window.work("key", "x")

plugin.state = plugin_state("smart-speaker", b="laptop", headphone_eq=parametric()).encode()
said()
check(said() == [], "what the host did is told to it")
window.idle()
window.click(*CLEAR)
check(said() == CHANGED, "the host does not hear that the equaliser is gone")
check(said() == [], "the host hears of it twice")
check(heard(Renderer("smart-speaker")) < 1e-6, "the equaliser is still heard")
window.click(*COPY)
check(said() == CHANGED, "the host does not hear of a slot that does not play")
window.work("key", "ctrl+z")
check(said() == CHANGED, "the host does not hear that it is undone")
window.resize(1470, 960)
check(window.size() == (1470, 960), window.size())
window.resize(1470, 640)
check(window.size() == (980, 640), "more than the host has room for: " + str(window.size()))
window.resize(10, 10)
check(window.size() == (735, 480), window.size())
window.resize(8000, 8000)
check(window.size() == (1960, 1280), window.size())
window.close()

for _ in range(5):
    again = Lv2Window(plugin)
    again.idle(0.1)
    check(again.size() == (1960, 1280), "its size is forgotten")
    plugin.process(x)
    again.close()
check(heard(Renderer("smart-speaker")) < 1e-6, "opening and closing changes the sound")
check(not Lv2Window(plugin, has_instance=False).is_open, "a window without a plugin")
print("done")
"""


def test_window_in_a_host_is_worked_by_pointer_and_keyboard(tmp_path):
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("XDG_DATA_HOME", None)
    done = subprocess.run(
        [*XVFB, sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False, timeout=120, env=environment
    )
    assert done.stdout == "done\n", done.stdout + done.stderr
    assert "needs the plugin in the same process" in done.stderr


# Clicks, wheels, drags and keys at random, but where files are chosen and trials begin, while audio runs.
RANDOM = """
import random, threading, time
import numpy as np
from forestage import Renderer
from forestage.host import plugin_path
from lv2_host import Lv2Plugin
from lv2_window import Lv2Window

MENU, BLIND, LOAD = (512, 0, 608, 50), (872, 0, 942, 50), (300, 574, 390, 640)
dice = random.Random(5)
x = np.random.default_rng(6).uniform(-0.1, 0.1, (2, 512)).astype(np.float32)
plugin = Lv2Plugin(plugin_path("lv2"))
before, is_over, sounds = plugin.state, threading.Event(), []

def play():
    while not is_over.is_set():
        sounds.append(float(np.abs(plugin.process(x)).max()))
        time.sleep(0.01)  # as a sound card would

def somewhere():
    while True:
        at = dice.randrange(980), dice.randrange(640)
        if not any(x0 <= at[0] < x1 and y0 <= at[1] < y1 for x0, y0, x1, y1 in (MENU, BLIND, LOAD)):
            return at

def act():
    kind = dice.choice(["click"] * 5 + ["drag", "wheel", "key", "key"])
    if kind == "key":
        return ["key", dice.choice(["x", "1", "2", "3", "4", "r", "ctrl+z", "ctrl+shift+z", "Tab", "Escape"])]
    if kind == "drag":
        return ["mousemove", *somewhere(), "mousedown", 1, "mousemove", *somewhere(), "mouseup", 1]
    return ["mousemove", *somewhere(), "click", 1 if kind == "click" else dice.choice([4, 5])]

audio = threading.Thread(target=play)
audio.start()
written = 0
for _ in range(4):
    window = Lv2Window(plugin)
    window.idle(0.2)
    window.work_at_once([word for _ in range(50) for word in [*act(), "sleep", 0.03]])
    window.work_at_once(["key", "Escape"])
    written += len(window.written)
    window.close()
is_over.set()
audio.join()
print("acted" if written > 20 else f"only {written} values", "sound" if np.isfinite(sounds).all() else "no sound")
plugin.state = before
for name in ("monitor", "slot", "room", "solo", "bypass"):
    plugin.controls[name].value = float(name == "monitor")
renderer = Renderer("smart-speaker", b="laptop")
for _ in range(300):
    y, expected = plugin.process(x), renderer.process(x)
print("as before" if np.abs(y - expected).max() < 1e-6 else "not as before")
"""


def test_anything_at_random_leaves_the_plugin_as_it_can_be_set(tmp_path):
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("XDG_DATA_HOME", None)
    done = subprocess.run(
        [*XVFB, sys.executable, "-c", RANDOM], capture_output=True, text=True, check=False, timeout=180, env=environment
    )
    assert done.stdout == "acted sound\nas before\n", done.stdout + done.stderr


def test_bundle_says_that_there_is_a_window():
    manifest = (plugin_path("lv2") / "manifest.ttl").read_text(encoding="utf-8")
    described = (plugin_path("lv2") / "forestage.ttl").read_text(encoding="utf-8")
    assert "<urn:forestage:forestage:window>\n\ta ui:X11UI ;" in manifest
    assert described.count("ui:ui <urn:forestage:forestage:window>") == 6  # of every layout


JALV = """
import subprocess, time
from PIL import ImageGrab

with (
    subprocess.Popen(["jackd", "-n", "forestage", "-d", "dummy"]) as server,
    subprocess.Popen(["jalv.gtk3", "urn:forestage:forestage"]) as host,
):
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            time.sleep(0.5)
            pixels = ImageGrab.grab().convert("RGB").getcolors(1 << 24)
            if dict((colour, count) for count, colour in pixels).get((0x15, 0x19, 0x1E), 0) > 20_000:
                print("the window is there")
                break
    finally:
        host.terminate()
        host.wait()
        server.terminate()
"""


def test_jalv_shows_the_window(tmp_path):
    for tool, package in (("jalv.gtk3", "jalv"), ("jackd", "jackd2")):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool} (Debian: {package})")
    environment = os.environ | {
        "HOME": str(tmp_path),
        "LV2_PATH": f"{tmp_path}/.lv2",
        "JACK_DEFAULT_SERVER": "forestage",
    }
    subprocess.run(
        [sys.executable, "-m", "forestage", "install-plugin"], check=True, capture_output=True, env=environment
    )
    done = subprocess.run(
        [*XVFB, sys.executable, "-c", JALV], capture_output=True, text=True, check=False, timeout=60, env=environment
    )
    assert "the window is there\n" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
