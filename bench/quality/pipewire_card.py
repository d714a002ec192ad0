"""PipeWire without a desktop, with a null sink of eight channels for a card, and what plays into it and records it."""

import contextlib
import os
import shutil
import subprocess
import time

import numpy as np
import scipy.signal

from forestage.export import export_pipewire
from forestage.host import plugin_path

TOOLS = ("pipewire", "wireplumber", "pw-play", "pw-record", "pw-link", "dbus-run-session")
RATE = 48_000
SEGMENT = RATE // 2
NULL_DB = -90.0
CHANNELS = "AUX0,AUX1,AUX2,AUX3,AUX4,AUX5,AUX6,AUX7"
POSITION = f"[ {CHANNELS.replace(',', ' ')} ]"
LIBRARIES = (
    "context.spa-libs = { audio.convert.* = audioconvert/libspa-audioconvert support.* = support/libspa-support }\n"
)
# As on a desktop, sound comes before all else, where the system lets it
MODULES = "context.modules = [\n" + "".join(
    f"  {{ name = libpipewire-module-{name} }}\n" for name in ("rt", "protocol-native", "client-node", "adapter")
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


def missing_tools():
    """Programs that are needed and not installed."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


class Card:
    """A running PipeWire in a folder of its own; made by `card`."""

    def __init__(self, folder, stack):
        self.folder, self._stack = folder, stack
        (folder / "run").mkdir(mode=0o700)
        own = {
            "XDG_RUNTIME_DIR": folder / "run",
            "XDG_CONFIG_HOME": folder / "config",
            "HOME": folder,
            "LV2_PATH": plugin_path("lv2").parent,
        }
        self.environment = os.environ | {name: str(value) for name, value in own.items()}

    def start(self, *command):
        """Start a program that ends with the card."""
        return self._stack.enter_context(_running(*command, environment=self.environment))

    def wait_for(self, text, *command):
        """Wait until a program says something."""
        end = time.monotonic() + 60
        while text not in subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout:
            assert time.monotonic() < end, f"{text} does not come"
            time.sleep(0.1)

    def start_chain(self, preset, **options):
        """As users do: a file for a folder of PipeWire's, here that of a program with nothing else in it."""
        folder = self.folder / "config" / "pipewire" / "chain.conf.d"
        folder.mkdir(parents=True)
        (folder.parent / "chain.conf").write_text(PROGRAM)
        export_pipewire(preset, folder, card="card", **options)
        self.start("pipewire", "-c", "chain.conf")
        self.wait_for("forestage.out:output_AUX6", "pw-link", "-l")

    def capture(self, played, recorded):
        """What arrives at the card while a file is played, shape (8, frames)."""
        recorder = self.start(
            "pw-record", "--target", "card", "-P", "{ stream.capture.sink = true stream.dont-remix = true }",
            "--format", "f32", "--rate", str(RATE), "--channels", "8", "--channel-map", CHANNELS, recorded,
        )  # fmt: skip
        self.wait_for("pw-record:input", "pw-link", "-l")
        subprocess.run(
            ["pw-play", "--target", "forestage", "--format", "f32", played], env=self.environment, check=True
        )
        time.sleep(0.5)
        recorder.terminate()
        recorder.wait()
        raw = recorded.read_bytes()
        data = raw[raw.index(b"data") + 8 :]  # the recorder is ended, so the length in its header may be 0
        return np.frombuffer(data[: len(data) // 32 * 32], "<f4").reshape(-1, 8).T


@contextlib.contextmanager
def card(folder):
    """PipeWire with a card of eight channels."""
    with contextlib.ExitStack() as stack:
        made = Card(folder, stack)
        (folder / "daemon.conf").write_text(DAEMON)
        made.start("pipewire", "-c", folder / "daemon.conf")
        time.sleep(1)
        made.start("dbus-run-session", "--", "wireplumber")
        made.wait_for("card:", "pw-link", "-i")
        yield made


@contextlib.contextmanager
def _running(*command, environment):
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield process
        process.terminate()


def place_of(heard, right):
    """Frame at which the first channel of `right` is found in what was heard."""
    return int(scipy.signal.correlate(heard[0], right[0], "valid", "fft").argmax())


def off_db(there, right):
    """Largest difference against the largest value that is right."""
    if there.shape != right.shape:
        return 0.0
    return float(20 * np.log10(np.abs(there - right).max() / np.abs(right).max() + 1e-12))


def difference_db(heard, right):
    """Of what is right, wherever it is found in what was heard."""
    shift = place_of(heard, right)
    return off_db(heard[:, shift : shift + right.shape[1]], right)


def drop_outs(heard, right):
    """Half seconds that are wrong or out of place, of how many, and what the others are off by at most, in dB."""
    starts = range(0, right.shape[1] - SEGMENT + 1, SEGMENT)
    at, wrong, worst_db = place_of(heard, right[:, :SEGMENT]), 0, -np.inf
    for start in starts:
        part = right[:, start : start + SEGMENT]
        off = off_db(heard[:, at : at + SEGMENT], part)
        if off <= NULL_DB:
            worst_db = max(worst_db, off)
        else:
            wrong += 1
            at = place_of(heard, part)
        at += SEGMENT
    return wrong, len(starts), worst_db
