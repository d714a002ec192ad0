"""In PipeWire, without a desktop: what `forestage export` writes plays into a null sink of eight channels."""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.signal
import soundfile as sf

from forestage import Renderer, load_device
from forestage.export import export_pipewire
from forestage.host import plugin_path
from forestage.measure.clock import find_clock
from forestage.measure.plan import Plan
from forestage.measure.recording import read_recording

NULL_DB = -90
SEGMENT = 24_000  # 0.5 s
CHANNELS = "AUX0,AUX1,AUX2,AUX3,AUX4,AUX5,AUX6,AUX7"
POSITION = f"[ {CHANNELS.replace(',', ' ')} ]"
LIBRARIES = (
    "context.spa-libs = { audio.convert.* = audioconvert/libspa-audioconvert support.* = support/libspa-support }\n"
)
MODULES = "context.modules = [\n" + "".join(
    f"  {{ name = libpipewire-module-{name} }}\n" for name in ("protocol-native", "client-node", "adapter")
)
DAEMON = f"""
context.properties = {{
  core.daemon = true core.name = pipewire-0 support.dbus = false mem.allow-mlock = false
  default.clock.quantum = 8192 default.clock.max-quantum = 8192
}}
{LIBRARIES}{MODULES}
  {{ name = libpipewire-module-metadata }}
  {{ name = libpipewire-module-spa-node-factory }}
  {{ name = libpipewire-module-access }}
  {{ name = libpipewire-module-link-factory }}
  {{ name = libpipewire-module-session-manager }}
]
context.objects = [
  {{ factory = adapter args = {{
    factory.name = support.null-audio-sink node.name = card media.class = Audio/Sink object.linger = true
    audio.channels = 8 audio.position = {POSITION} monitor.channel-volumes = false
  }} }}
]
"""
PROGRAM = f"""
{LIBRARIES}{MODULES}]
"""


@pytest.fixture
def environment(tmp_path):
    for tool in ("pipewire", "wireplumber", "pw-play", "pw-record", "pw-link", "dbus-run-session"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: pipewire pipewire-bin wireplumber dbus)")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    own = {
        "XDG_RUNTIME_DIR": runtime,
        "XDG_CONFIG_HOME": tmp_path / "config",
        "HOME": tmp_path,
        "LV2_PATH": plugin_path("lv2").parent,
    }
    return os.environ | {name: str(value) for name, value in own.items()}


@contextlib.contextmanager
def running(*command, environment):
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process
        process.terminate()


def wait_for(text: str, *command: str, environment) -> None:
    end = time.monotonic() + 60
    while text not in subprocess.run(command, env=environment, capture_output=True, text=True).stdout:
        assert time.monotonic() < end, f"{text} does not come"
        time.sleep(0.1)


@pytest.fixture
def start(environment, tmp_path):
    """PipeWire with a card of eight channels, and what starts a program beside it."""
    (tmp_path / "daemon.conf").write_text(DAEMON)
    with contextlib.ExitStack() as stack:

        def begin(*command):
            return stack.enter_context(running(*command, environment=environment))

        begin("pipewire", "-c", tmp_path / "daemon.conf")
        time.sleep(1)
        begin("dbus-run-session", "--", "wireplumber")
        wait_for("card:", "pw-link", "-i", environment=environment)
        yield begin


def start_chain(start, environment, tmp_path, **options):
    """As users do: a file for a folder of PipeWire's, here that of a program with nothing else in it."""
    folder = tmp_path / "config" / "pipewire" / "chain.conf.d"
    folder.mkdir(parents=True)
    (folder.parent / "chain.conf").write_text(PROGRAM)
    export_pipewire("soundbar-7", folder, card="card", **options)
    start("pipewire", "-c", "chain.conf")
    wait_for("forestage.out:output_AUX6", "pw-link", "-l", environment=environment)


def capture(start, environment, played, recorded) -> np.ndarray:
    recorder = start(
        "pw-record", "--target", "card", "-P", "{ stream.capture.sink = true stream.dont-remix = true }",
        "--format", "f32", "--rate", "48000", "--channels", "8", "--channel-map", CHANNELS, recorded,
    )  # fmt: skip
    wait_for("pw-record:input", "pw-link", "-l", environment=environment)
    subprocess.run(["pw-play", "--target", "forestage", "--format", "f32", played], env=environment, check=True)
    time.sleep(0.5)
    recorder.terminate()
    recorder.wait()
    raw = recorded.read_bytes()
    data = raw[raw.index(b"data") + 8 :]  # the recorder is ended, so the length in its header may be 0
    return np.frombuffer(data[: len(data) // 32 * 32], "<f4").reshape(-1, 8).T


def difference_db(heard: np.ndarray, right: np.ndarray) -> float:
    """Of the largest difference, where `right` is found in what was heard, against its largest value."""
    shift = scipy.signal.correlate(heard[0], right[0], "valid", "fft").argmax()
    there = heard[:, shift : shift + right.shape[1]]
    return 20 * np.log10(np.abs(there - right).max() / np.abs(right).max() + 1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"upmix": 0}, {"convolvers": True}], ids=["plugin", "convolvers"])
def test_what_comes_out_is_what_the_renderer_plays(options, start, environment, tmp_path):
    """A busy machine drops some of it, here and in any system. So half a second without a gap is sought: all channels
    have to be right there. It is played again when there is none, and the filters are linear without the upmix, so
    that it does not matter when the music begins."""
    start_chain(start, environment, tmp_path, **options)
    x = np.random.default_rng(6).uniform(-0.1, 0.1, (2, 6 * SEGMENT)).astype(np.float32)
    sf.write(tmp_path / "in.wav", x.T, 48_000, subtype="FLOAT")
    expected = Renderer("soundbar-7", b="laptop", monitor="Speakers", upmix=0).process(x)
    segments = [expected[:, begin : begin + SEGMENT] for begin in range(0, x.shape[1], SEGMENT)]
    found = []
    for turn in range(3):
        heard = capture(start, environment, tmp_path / "in.wav", tmp_path / f"out{turn}.wav")
        found += [difference_db(heard[: len(expected)], segment) for segment in segments]
        if min(found) <= NULL_DB:
            assert not heard[len(expected) :].any(), "a channel plays that no driver is connected to"
            return
    pytest.fail(f"no half second is right; the best differs by {min(found):.1f} dB")


LIVE = """
from itertools import count
from pathlib import Path
from forestage import load_device
from forestage.measure.live import record
from forestage.measure.plan import Plan

plan = Plan(load_device("laptop"), ((0.5, 0.0, 0.0),), is_ears=True, length_s=0.5)
turns = count()
card = "card, JACK"
record(plan, Path("."), ready=print, again=lambda place, text: next(turns) < 5, output=card, source=card)
"""


@pytest.mark.slow
def test_sweeps_are_played_and_recorded_through_a_card(start, environment, tmp_path):
    """By PortAudio, as JACK: each driver comes back in a channel of its own, to the sample, and nothing else does."""
    if shutil.which("pw-jack") is None or importlib.util.find_spec("sounddevice") is None:
        pytest.skip("pw-jack or sounddevice is not installed (Debian: pipewire-jack libportaudio2)")
    command = ["pw-jack", sys.executable, "-c", LIVE]
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if "PortAudio library not found" in result.stderr:
        pytest.skip("PortAudio is not installed (Debian: libportaudio2)")
    assert result.returncode == 0, result.stderr
    plan = Plan(load_device("laptop"), ((0.5, 0.0, 0.0),), is_ears=True, length_s=0.5)
    heard = read_recording(tmp_path / "place-1.wav", plan, frames=plan.frames([0, 1]))
    assert abs(find_clock(heard[0], plan, [0, 1]).drift_ppm) < 0.01
    assert difference_db(heard, plan.audio([0, 1])[:, 100:-100]) < NULL_DB
