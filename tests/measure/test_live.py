"""`forestage measure run` with a card that is a laboratory."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from laboratory import LabDriver, Laboratory, Recorder

from command_line import run
from forestage import load_device

pytestmark = pytest.mark.slow  # recordings of a whole laboratory

LAB = Laboratory(
    [LabDriver((0.0, 0.14, 0.0)), LabDriver((0.0, -0.14, 0.0), gain_db=-3.0)],
    recorder=Recorder(late_s=0.02, gain=0.05),
)
PLACES = [(0.5, y, 0.0) for y in (0.2, 0.2 / 3, -0.2 / 3, -0.2)]
COMMAND = ("measure", "run", "laptop", "-o", "laptop", "--length", "0.5", "--places", "4", "--wait", "0")


class Card:
    """What `sounddevice` is to a program, with a laboratory behind it."""

    class PortAudioError(Exception):
        """As PortAudio's."""

    def __init__(self, laboratory=LAB, outputs=2, inputs=1, is_there=True, fails=False):
        self.laboratory, self.outputs, self.inputs = laboratory, outputs, inputs
        self.is_there, self.fails, self.takes = is_there, fails, 0

    def query_devices(self, device=None, kind=None):
        if not self.is_there:
            if kind is None:
                return []
            raise self.PortAudioError("Error querying device -1")
        told = {"name": "Lab", "index": 3, "max_output_channels": self.outputs, "max_input_channels": self.inputs}
        if device not in (None, 3, "Lab"):
            raise ValueError(f"No {kind} device matching {device!r}")
        return told if kind else [told]

    def playrec(self, data, samplerate, *, channels, dtype, device, blocking):
        assert (channels, dtype, device, blocking) == (1, "float32", (3, 3), True)
        if self.fails:
            raise self.PortAudioError("Invalid sample rate")
        place = PLACES[self.takes]
        self.takes += 1
        (heard,) = self.laboratory.record(data.T, samplerate, [place])
        return heard[:, : len(data)].T.astype(np.float32)


@pytest.fixture
def card(monkeypatch):
    def use(**options):
        made = Card(**options)
        module = SimpleNamespace(
            query_devices=made.query_devices, playrec=made.playrec, PortAudioError=Card.PortAudioError
        )
        monkeypatch.setitem(sys.modules, "sounddevice", module)
        return made

    return use


def test_a_device_is_measured_through_the_card(card, tmp_path):
    made = card()
    result = run(*COMMAND, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert made.takes == 4
    assert "place 4 of 4: microphone 50.0 cm ahead, 20.0 cm to the right as the listener has it" in result.stdout
    device = load_device(tmp_path / "laptop" / "device.toml")
    assert np.subtract(*[driver.level_db for driver in device.drivers]) == pytest.approx(3.0, abs=0.1)
    assert (tmp_path / "laptop" / "recorded-place-1.wav").is_file()


@pytest.mark.parametrize(
    ("options", "arguments", "message"),
    [
        ({"is_there": False}, (), "no card for output (Error querying device -1); there are: none. --output"),
        ({"outputs": 1}, (), 'card "Lab" has 1 output channels for 2 drivers; choose another with --output'),
        ({"inputs": 0}, (), 'card "Lab" has 0 input channels for 1 microphones'),
        ({}, ("--output-card", "Nothing"), "No output device matching 'Nothing'); there are: Lab."),
        ({"fails": True}, (), "the card does not play and record 48000 Hz (Invalid sample rate); another rate"),
        ({"laboratory": replace(LAB, recorder=Recorder(gain=0.0, noise_dbfs=-120.0))}, (), "place-1.wav: is silent"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_written(card, tmp_path, options, arguments, message):
    card(**options)
    result = run(*COMMAND, *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


def test_without_sounddevice_the_way_to_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = run(*COMMAND, cwd=tmp_path)
    assert result.returncode == 1
    assert "sounddevice is not installed: pip install 'forestage[live]'" in result.stderr
