"""The evaluator of responses against the engine that plays the same preset, for every parameter."""

import json

import numpy as np
import pytest

from forestage import Renderer
from forestage._core import ChainResponse, fir_responses, parse_preset
from forestage.firs import response_of
from forestage.params import BY_ID, raw_value
from kinds import first_fast
from make_preset import fir_text, make_preset
from signals import db, impulse

RATE = 48_000
FREQUENCY_HZ = np.geomspace(200.0, 16_000.0, 100)
PLAYED = {"upmix": 0, "monitor": "Speakers", "level_match": "Off", "safe_headroom": "Off"}
# What a response does not depend on: which of several sounds is heard, what follows the programme, what the engine says
ELSEWHERE = {"monitor", "slot", "room", "upmix", "upmix_quality", "safe_headroom", "blind_pair", "blind_trials"}
VALUES = [
    {},
    {"stage_width_deg": 0},
    {"stage_width_deg": 71.5},
    {"stage_crosstalk": 40},
    {"cancellation": 0},
    {"cancellation": 35},
    {"amount": 0},
    {"amount": 45},
    {"bypass": "On"},
    {"level_match": "Calibrated"},
    {"input_trim_db": -5},
    {"output_trim_db": 3},
    {"solo": "Left"},
    {"solo": "Right"},
    {"solo": "Center"},
    {"center_focus": 0},
    {"center_focus": 60},
    {"center_level_db": -7},
    {"center_presence": 100},
    {"center_presence": 30},
    {"amount": 80, "stage_width_deg": 50, "cancellation": 70, "center_focus": 30, "center_presence": 60},
]


def random_preset():
    """Three drivers, each filter of which is noise that fades from where it should stand."""
    rng = np.random.default_rng(3)
    document = make_preset(drivers=3)

    def noise(at, taps=96):
        fir = rng.standard_normal(taps) * np.exp(-np.abs(np.arange(taps) - at) / 6)
        return fir_text(fir / np.abs(fir).sum())

    for filters in document["filters"]:
        filters |= {"delay_frames": 30, "cancel_align_frames": 3, "crosstalk_delay_frames": 20}
        filters["crosstalk"] = [noise(20), noise(20)]
        filters["cancel"] = [[noise(30), noise(30)] for _ in range(3)]
        filters["beam"] = [noise(30) for _ in range(3)]
        filters["phantom"] = [noise(34) for _ in range(3)]
        filters["driver_eq"] = [noise(0, 32) for _ in range(3)]
        filters["bass"] = [["", "", noise(5, 40)], [noise(2, 40), "", ""], ["", "", ""]]
    return parse_preset(json.dumps(document))


@pytest.fixture(scope="module")
def preset():
    return random_preset()


@pytest.fixture(scope="module")
def chain(preset):
    gains = [[1 - driver % 2, driver % 2] for driver in range(3)]
    return ChainResponse(preset.filters(RATE), gains, FREQUENCY_HZ)


def played(preset, x, settings):
    renderer = Renderer(preset, sample_rate=RATE, **PLAYED | settings)
    feeds = renderer.process(x) / np.abs(x).max()
    return response_of(feeds, FREQUENCY_HZ, sample_rate=RATE, delay_frames=renderer.latency_frames)


def evaluated(chain, preset, settings):
    asked = {name: raw_value(name, value) for name, value in (PLAYED | settings).items() if name not in ELSEWHERE}
    return chain.feeds(preset.parameters | asked, processed_db=-1.25, equalised=True)


def difference_db(ours, theirs):
    return db(ours - theirs).max()


@pytest.mark.parametrize("settings", first_fast(VALUES, 8), ids=str)
@pytest.mark.parametrize("channel", [0, 1])
def test_sides_are_what_the_engine_plays(preset, chain, settings, channel):
    theirs = played(preset, impulse(frames=4096, channel=channel, level=1.0), settings)
    sides, _ = evaluated(chain, preset, settings)
    assert difference_db(sides[:, channel], theirs) < -80.0


@pytest.mark.parametrize("settings", first_fast(VALUES, 8), ids=str)
def test_center_is_what_the_engine_plays(preset, chain, settings):
    """Beside the plain mix of the same centre, so that what the upmix takes for it cancels out."""
    x = impulse(frames=8192, level=1.0)
    x[1] = x[0]
    alone = {"upmix": 100, "solo": "Center"}
    plain = played(preset, x, alone | {"amount": 0})
    ours_plain = evaluated(chain, preset, {"amount": 0})[1]
    taken = np.sum(plain * ours_plain.conj(), axis=0) / np.sum(np.abs(ours_plain) ** 2, axis=0)
    theirs = played(preset, x, alone | settings)
    _, center = evaluated(chain, preset, settings)
    assert difference_db(center * taken, theirs) < -80.0


def test_every_parameter_is_here_or_has_nothing_to_do_with_it():
    shown = {name for settings in VALUES for name in settings}
    settable = {row.id for row in BY_ID.values() if row.is_kept}
    assert shown | ELSEWHERE == settable
    assert not shown & ELSEWHERE


@pytest.mark.parametrize("taps", [1, 63, 64, 65, 1000])
@pytest.mark.parametrize("frequencies", [1, 16, 37])
def test_responses_are_the_sums_that_define_them(taps, frequencies):
    rng = np.random.default_rng(taps)
    firs = rng.standard_normal((3, taps))
    frequency_hz = rng.uniform(0.0, RATE, frequencies)
    expected = firs @ np.exp(-2j * np.pi * np.outer(np.arange(taps), frequency_hz) / RATE)
    np.testing.assert_allclose(fir_responses(firs, frequency_hz, sample_rate=RATE), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"plain_gains": [[1, 0]]}, r"cancel has 3 rows; 1 would be right"),
        ({"plain_gains": [1, 0, 1]}, r"plain_gains must have shape \(drivers, 2\)"),
        ({"frequency_hz": [[100.0]]}, r"frequency_hz must have shape \(n,\)"),
    ],
)
def test_wrong_shapes_are_named(preset, change, message):
    right = {"plain_gains": [[1, 0], [0, 1], [1, 0]], "frequency_hz": [100.0]}
    with pytest.raises(ValueError, match=message):
        ChainResponse(preset.filters(RATE), **right | change)


def test_an_unknown_parameter_is_named(chain):
    with pytest.raises(ValueError, match='no parameter is called "width"'):
        chain.feeds({"width": 30})


@pytest.mark.parametrize("sample_rate", [48_000, 50_000])
def test_bass_of_a_driver_is_played_by_another_at_any_rate(sample_rate):
    document = make_preset(drivers=3)
    for filters in document["filters"]:
        filters["bass"] = [["", "", ""], ["", "", ""], ["", fir_text([0.5]), ""]]
    renderer = Renderer(parse_preset(json.dumps(document)), sample_rate=sample_rate, **PLAYED | {"amount": 0})
    feeds = renderer.process(impulse(frames=4096, channel=1, level=1.0))
    heard = response_of(feeds, [300.0, 3000.0], sample_rate=sample_rate)
    np.testing.assert_allclose(heard[2], 0.5 * heard[1], atol=1e-3)
    assert db(heard[1]) == pytest.approx([0.0, 0.0], abs=0.05)
    assert db(heard[0]).max() < -80.0
