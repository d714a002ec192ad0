"""In PipeWire, without a desktop: a filter-chain plays driver feeds into a null sink of eight channels."""

import contextlib
import os
import shutil
import subprocess
import time

import numpy as np
import pytest
import scipy.signal
import soundfile as sf

from forestage import Renderer, factory_presets
from forestage.host import plugin_path

NULL_DB = -90
SEGMENT = 24_000  # 0.5 s
FIRST = ["smart-speaker", "laptop"]
CHANNELS = "AUX0,AUX1,AUX2,AUX3,AUX4,AUX5,AUX6,AUX7"
POSITION = f"[ {CHANNELS.replace(',', ' ')} ]"
SOUNDBAR_7 = [*FIRST, *sorted(set(factory_presets()) - set(FIRST), key=lambda name: name + ".json")].index("soundbar-7")
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
CHAIN = f"""
{LIBRARIES}{MODULES}
  {{ name = libpipewire-module-filter-chain
    args = {{
      filter.graph = {{
        nodes = [ {{
          type = lv2 name = forestage plugin = "urn:forestage:forestage:drivers8"
          control = {{ preset = {SOUNDBAR_7} monitor = 0 upmix = 0 }}
        }} ]
        inputs = [ "forestage:audio_in_1" "forestage:audio_in_2" ]
        outputs = [ {" ".join(f'"forestage:audio_out_{i}"' for i in range(1, 9))} ]
      }}
      capture.props = {{ node.name = forestage media.class = Audio/Sink audio.channels = 2 audio.position = [ FL FR ] }}
      playback.props = {{
        node.name = forestage.out audio.channels = 8 audio.position = {POSITION}
        stream.dont-remix = true target.object = card node.target = card
      }}
    }}
  }}
]
"""


@pytest.fixture
def environment(tmp_path):
    for tool in ("pipewire", "wireplumber", "pw-play", "pw-record", "pw-link", "dbus-run-session"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed (Debian: pipewire pipewire-bin wireplumber dbus)")
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    own = {"XDG_RUNTIME_DIR": runtime, "HOME": tmp_path, "LV2_PATH": plugin_path("lv2").parent}
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
    """PipeWire with a card of eight channels and the filter-chain, and what starts a program beside them."""
    (tmp_path / "daemon.conf").write_text(DAEMON)
    (tmp_path / "chain.conf").write_text(CHAIN)
    with contextlib.ExitStack() as stack:

        def begin(*command):
            return stack.enter_context(running(*command, environment=environment))

        begin("pipewire", "-c", tmp_path / "daemon.conf")
        time.sleep(1)
        begin("dbus-run-session", "--", "wireplumber")
        wait_for("card:", "pw-link", "-i", environment=environment)
        begin("pipewire", "-c", tmp_path / "chain.conf")
        wait_for("forestage.out:output_AUX7", "pw-link", "-l", environment=environment)
        yield begin


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
def test_what_comes_out_is_what_the_renderer_plays(start, environment, tmp_path):
    """A busy machine drops some of it, here and in any system. So half a second without a gap is sought: all eight
    channels have to be right there. It is played again when there is none, and the filters are linear without the
    upmix, so that it does not matter when the music begins."""
    x = np.random.default_rng(6).uniform(-0.1, 0.1, (2, 6 * SEGMENT)).astype(np.float32)
    sf.write(tmp_path / "in.wav", x.T, 48_000, subtype="FLOAT")
    expected = Renderer("soundbar-7", b="laptop", monitor="Speakers", upmix=0, output_channels=8).process(x)
    segments = [expected[:, begin : begin + SEGMENT] for begin in range(0, x.shape[1], SEGMENT)]
    found = []
    for turn in range(3):
        heard = capture(start, environment, tmp_path / "in.wav", tmp_path / f"out{turn}.wav")
        found += [difference_db(heard, segment) for segment in segments]
        if min(found) <= NULL_DB:
            return
    pytest.fail(f"no half second is right; the best differs by {min(found):.1f} dB")
