"""The parameter `room`: the headphones monitors in the room of a preset, or in the free field, without a click."""

import numpy as np
import pytest

from forestage import Renderer
from kinds import HEADPHONES, first_fast
from make_preset import with_room
from signals import noise, peak_db, play_tone, splash_db

headphones = pytest.mark.parametrize("monitor", first_fast(HEADPHONES))


@pytest.fixture(scope="module")
def preset():
    return with_room("smart-speaker")


@pytest.fixture(scope="module")
def only_free(preset):
    return {key: value for key, value in preset.items() if key != "room"}


@pytest.fixture(scope="module")
def only_room(preset):
    """What the preset is in its room, as one that knows nothing else."""
    return {key: value for key, value in preset.items() if key != "room"} | {
        key: preset["room"][key] for key in ("ears", "loudness")
    }


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", [44_100, 48_000])
@pytest.mark.parametrize("settings", [{}, {"amount": 30}, {"level_match": False, "output_trim_db": -3}], ids=str)
@headphones
def test_each_place_plays_as_if_it_were_the_only_one(preset, only_free, only_room, monitor, settings, sample_rate):
    x = noise(frames=40_000)
    for room, alone in (("Off", only_free), ("On", only_room)):
        options = {"monitor": monitor, "sample_rate": sample_rate, "safe_headroom": "Off"} | settings
        renderer, expected = Renderer(preset, room=room, **options), Renderer(alone, **options)
        assert renderer.latency_frames == expected.latency_frames
        assert peak_db(renderer.process(x) - expected.process(x)) <= -120


def test_driver_feeds_know_no_room(preset):
    x = noise(frames=20_000)
    feeds = [Renderer(preset, monitor="Speakers", room=room).process(x) for room in ("Off", "On")]
    np.testing.assert_array_equal(*feeds)


@headphones
def test_room_switches_without_clicks(preset, monitor):
    renderer = Renderer(preset, monitor=monitor)
    y = play_tone(renderer, {60: lambda: renderer.set(room="On"), 160: lambda: renderer.set(room="Off")})
    assert splash_db(y, 9600) <= -90


@pytest.mark.parametrize("first", HEADPHONES)
@pytest.mark.parametrize("second", HEADPHONES)
def test_monitors_switch_in_a_room_without_clicks(preset, first, second):
    renderer = Renderer(preset, monitor=first, room="On")
    y = play_tone(renderer, {80: lambda: renderer.set(monitor=second), 150: lambda: renderer.set(monitor=first)})
    assert splash_db(y, 30_000) <= -90  # once the room has filled


@pytest.mark.parametrize("room", ["Off", "On"])
def test_switching_arrives_at_what_always_played(preset, room):
    """From the other place, and no later than its responses are long: the free field does not wait for a room."""
    x = noise(frames=48_000)
    renderer = Renderer(preset, room="On" if room == "Off" else "Off")
    renderer.process(x)
    renderer.set(room=room)
    switched = renderer.process(x)
    expected = Renderer(preset, room=room)
    expected.process(x)
    settled = {"Off": 3_000, "On": 27_000}[room]
    assert peak_db((switched - expected.process(x))[:, settled:]) <= -100


def test_who_changes_their_mind_does_not_wait_for_what_they_left(preset):
    """Nothing was heard of the second monitor, so the third takes its place and is heard as if chosen at once."""
    x = noise(frames=48_000)
    renderer = Renderer(preset, monitor="Headphones", room="On")
    renderer.process(x)
    renderer.set(monitor="Headphones Plain")
    renderer.process(x[:, :960])
    renderer.set(monitor="Headphones Reference")
    switched = renderer.process(x)
    expected = Renderer(preset, monitor="Headphones Reference", room="On")
    expected.process(x)
    expected.process(x[:, :960])
    assert peak_db((switched - expected.process(x))[:, 27_000:]) <= -100


def test_who_comes_back_hears_what_never_stopped(preset):
    x = noise(frames=20_000)
    renderer, steady = (Renderer(preset, room="On") for _ in range(2))
    renderer.process(x)
    renderer.set(room="Off")
    renderer.process(x[:, :100])
    renderer.set(room="On")
    steady.process(x)
    steady.process(x[:, :100])
    np.testing.assert_array_equal(renderer.process(x), steady.process(x))


def test_slots_in_the_free_field_change_as_fast_as_without_a_room(preset, only_free):
    x = noise(frames=40_000)
    heard = []
    for slot_b in (preset, only_free):
        renderer = Renderer("laptop", slot_b, upmix=0)
        renderer.process(x)
        renderer.set(slot="B")
        heard.append(renderer.process(x))
    assert peak_db(heard[0] - heard[1]) <= -120


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({"room": "On"}, "Preset Has No Room: Playing The Free Field"),
        ({"room": "Off"}, "OK"),
        ({"room": "On", "monitor": "Speakers"}, "OK"),
        (
            {"room": "On", "monitor": "Speakers", "output_channels": 2},
            "Too Few Outputs For Speakers: Playing Headphones",
        ),
    ],
)
def test_preset_without_a_room_plays_the_free_field_and_says_so(only_free, settings, status):
    assert Renderer(only_free, **settings).status == status


def test_preset_with_a_room_has_nothing_to_say(preset):
    assert Renderer(preset, room="On").status == "OK"
