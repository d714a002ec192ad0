"""The phantom and the flat beam of the centre: which of them plays, their mix, and that resting changes nothing."""

import json

import numpy as np
import pytest

from forestage import Renderer, factory_presets
from make_preset import fir_text, taps_of
from signals import in_blocks, noise, play_tone, splash_db

SETTINGS = {"monitor": "Speakers", "solo": "Center", "safe_headroom": False, "level_match": False}


def with_phantom(name="smart-speaker", *, phantom=True, beam=True):
    """A factory preset whose phantom is its beam, later and softer."""
    preset = json.loads(factory_presets()[name].read_text())
    for filters in preset["filters"]:
        firs = [taps_of(text) for text in filters["beam"]]
        filters["phantom"] = [fir_text(0.5 * np.roll(fir, 9)) for fir in firs] if phantom else []
        if not beam:
            filters["beam"] = []
    return preset


def mono(frames=24_000):
    return np.tile(noise(channels=1, frames=frames), (2, 1))


def played(preset, x, **settings):
    return Renderer(preset, **SETTINGS | settings).process(x)


def test_without_a_phantom_presence_changes_nothing():
    preset = with_phantom(phantom=False)
    np.testing.assert_array_equal(
        played(preset, mono(), center_presence=0), played(preset, mono(), center_presence=100)
    )


def test_either_end_plays_one_beam_to_the_bit():
    flat = played(with_phantom(phantom=False), mono())
    np.testing.assert_array_equal(played(with_phantom(), mono(), center_presence=100), flat)
    phantom = with_phantom()
    for filters in phantom["filters"]:
        filters["beam"], filters["phantom"] = filters["phantom"], []
    np.testing.assert_array_equal(played(with_phantom(), mono(), center_presence=0), played(phantom, mono()))
    assert np.abs(flat).max() > 1.5 * np.abs(played(phantom, mono())).max()


def test_the_phantom_is_the_default():
    np.testing.assert_array_equal(played(with_phantom(), mono()), played(with_phantom(), mono(), center_presence=0))


@pytest.mark.parametrize("focus", [100, 40])
def test_in_between_is_the_mix_of_both(focus):
    at = {
        presence: played(with_phantom(), mono(), center_presence=presence, center_focus=focus)
        for presence in (0, 25, 100)
    }
    np.testing.assert_allclose(at[25], 0.75 * at[0] + 0.25 * at[100], atol=1e-6)


def test_a_device_without_a_beam_has_a_phantom_and_the_plain_mix():
    preset = with_phantom(beam=False)
    plain = played(preset, mono(), center_focus=0)
    np.testing.assert_allclose(played(preset, mono(), center_presence=100), plain, atol=1e-7)
    assert np.abs(played(preset, mono()) - plain).max() > 0.1 * np.abs(plain).max()


def test_what_rests_wakes_up_and_falls_asleep_alike_in_all_block_sizes():
    """Presence moves away from the phantom and back, twice; the flat beam sleeps in between."""
    x = mono(48_000)

    def play(sizes):
        renderer = Renderer(with_phantom(), **SETTINGS)

        def process(block, state={"frame": 0}):  # noqa: B006
            renderer.set(center_presence=60 if state["frame"] % 24_000 >= 12_000 else 0)
            state["frame"] += block.shape[1]
            return renderer.process(block)

        return in_blocks(process, x, sizes)

    once, often = play([12_000]), play([48, 96, 16, 160, 80, 80])
    assert np.abs(once).max() > 0.01
    np.testing.assert_allclose(often, once, atol=2e-6)


def test_presence_jumps_do_not_click():
    renderer = Renderer(with_phantom(), monitor="Headphones", safe_headroom=False)
    events = {60 + 30 * k: lambda v=value: renderer.set(center_presence=v) for k, value in enumerate((100, 0, 50, 0))}
    assert splash_db(play_tone(renderer, events), 9600) <= -90


def test_presence_100_is_louder_where_the_phantom_is_soft():
    soft, loud = (np.std(played(with_phantom(), mono(), center_presence=value)) for value in (0, 100))
    assert loud / soft == pytest.approx(2.0, rel=0.01)
