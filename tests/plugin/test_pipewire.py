"""In PipeWire, without a desktop: what `forestage export` writes plays into a null sink of eight channels."""

import importlib.util
import shutil
import subprocess
import sys

import numpy as np
import pipewire_card
import pytest
import soundfile as sf
from pipewire_card import difference_db, drop_outs

from forestage import Renderer, load_device
from forestage.measure.clock import find_clock
from forestage.measure.plan import Plan
from forestage.measure.recording import read_recording

NULL_DB = -90
SEGMENT = 24_000  # 0.5 s


@pytest.fixture
def card(tmp_path):
    if missing := pipewire_card.missing_tools():
        pytest.skip(f"{missing[0]} is not installed (Debian: pipewire pipewire-bin wireplumber dbus)")
    with pipewire_card.card(tmp_path) as made:
        yield made


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"upmix": 0}, {"convolvers": True}], ids=["plugin", "convolvers"])
def test_what_comes_out_is_what_the_renderer_plays(options, card, tmp_path):
    """A busy machine drops some of it, here and in any system. So half a second without a gap is sought: all channels
    have to be right there. It is played again when there is none, and the filters are linear without the upmix, so
    that it does not matter when the music begins."""
    card.start_chain("soundbar-7", **options)
    x = np.random.default_rng(6).uniform(-0.1, 0.1, (2, 6 * SEGMENT)).astype(np.float32)
    sf.write(tmp_path / "in.wav", x.T, 48_000, subtype="FLOAT")
    expected = Renderer("soundbar-7", b="laptop", monitor="Speakers", upmix=0).process(x)
    segments = [expected[:, begin : begin + SEGMENT] for begin in range(0, x.shape[1], SEGMENT)]
    found = []
    for turn in range(3):
        heard = card.capture(tmp_path / "in.wav", tmp_path / f"out{turn}.wav")
        found += [difference_db(heard[: len(expected)], segment) for segment in segments]
        if min(found) <= NULL_DB:
            assert not heard[len(expected) :].any(), "a channel plays that no driver is connected to"
            return
    pytest.fail(f"no half second is right; the best differs by {min(found):.1f} dB")


@pytest.mark.slow
def test_ten_seconds_have_no_drop_outs(card, tmp_path):
    """Where sound may come before all else, as on a desktop; `bench/dropouts.py` plays a minute. In one of three turns,
    as the machine of the tests may stop altogether."""
    if shutil.which("chrt") is None or subprocess.run(["chrt", "-f", "20", "true"], capture_output=True).returncode:
        pytest.skip("this system does not let a program of this user come before others (chrt -f)")
    card.start_chain("soundbar-7", upmix=0)
    x = np.random.default_rng(6).uniform(-0.1, 0.1, (2, 10 * 48_000)).astype(np.float32)
    sf.write(tmp_path / "in.wav", np.concatenate([x.T, np.zeros((48_000, 2))]), 48_000, subtype="FLOAT")
    expected = Renderer("soundbar-7", monitor="Speakers", upmix=0).process(x)
    for turn in range(3):
        heard = card.capture(tmp_path / "in.wav", tmp_path / f"out{turn}.wav")
        wrong, parts, _ = drop_outs(heard[: len(expected)], expected)
        if wrong == 0:
            break
    assert (wrong, parts) == (0, 20)


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
def test_sweeps_are_played_and_recorded_through_a_card(card, tmp_path):
    """By PortAudio, as JACK: each driver comes back in a channel of its own, to the sample, and nothing else does."""
    if shutil.which("pw-jack") is None or importlib.util.find_spec("sounddevice") is None:
        pytest.skip("pw-jack or sounddevice is not installed (Debian: pipewire-jack libportaudio2)")
    command = ["pw-jack", sys.executable, "-c", LIVE]
    result = subprocess.run(command, env=card.environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    if "PortAudio library not found" in result.stderr:
        pytest.skip("PortAudio is not installed (Debian: libportaudio2)")
    assert result.returncode == 0, result.stderr
    plan = Plan(load_device("laptop"), ((0.5, 0.0, 0.0),), is_ears=True, length_s=0.5)
    heard = read_recording(tmp_path / "place-1.wav", plan, frames=plan.frames([0, 1]))
    assert abs(find_clock(heard[0], plan, [0, 1]).drift_ppm) < 0.01
    assert difference_db(heard, plan.audio([0, 1])[:, 100:-100]) < NULL_DB
