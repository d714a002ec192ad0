"""No clicks: parameters jump and presets change while sound runs.

Measure: a steady 997 Hz tone plays at -12 dBFS. What an event adds above 6 kHz (8th-order high-pass, zero phase) is its
splash; its peak must stay 90 dB below the peak of the tone at the output. A step to half the level splashes at about
-20 dB, a straight 20 ms ramp at -70 dB.
"""

import numpy as np
import pytest

from forestage import PARAMS, Renderer
from forestage.params import BY_ID
from kinds import KINDS, MONITORS, first_fast
from make_preset import with_later_alignment
from signals import db, play_tone, splash_db, tone

PRESETS = first_fast(KINDS)


def test_measure_sees_a_click():
    y = tone(frames=48_000)
    y[:, 24_000:] *= 0.5
    assert splash_db(y, 9600) > -40


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("monitor", first_fast(["Speakers", "Headphones"]))
@pytest.mark.parametrize("row", [row for row in PARAMS if not row.is_read_only], ids=lambda row: row.id)
def test_parameter_jumps_do_not_click(preset, monitor, row):
    guard = (
        {} if row.id == "safe_headroom" else {"safe_headroom": False}
    )  # +24 dB of trim is for it to limit, not to pass
    renderer = Renderer(preset, monitor=monitor, **guard)
    values = [row.min_value, row.max_value, row.default_value]
    events = {60 + 30 * k: lambda v=value: renderer.set(**{row.id: v}) for k, value in enumerate(values)}
    y = play_tone(renderer, events)
    assert np.isfinite(y).all()
    assert splash_db(y, 9600) <= -90


AUTOMATED = [
    "bypass",
    "amount",
    "stage_width_deg",
    "stage_crosstalk",
    "cancellation",
    "center_focus",
    "center_presence",
    "upmix",
    "solo",
]


@pytest.mark.parametrize("param_id", [*AUTOMATED, "center_level_db", "input_trim_db", "output_trim_db"])
def test_automation_every_10_ms_does_not_click(param_id):
    """Random jumps over the whole range, faster than a glide: -80 dB, as several glides add up."""
    renderer = Renderer("smart-speaker", monitor="Headphones", safe_headroom=False)
    row = BY_ID[param_id]
    values = np.random.default_rng(5).uniform(row.min_value, row.max_value, 100)
    values = np.round(values) if row.choices or row.kind == "toggle" else values
    y = play_tone(renderer, {60 + k: lambda v=v: renderer.set(**{param_id: v}) for k, v in enumerate(values)})
    assert splash_db(y, 9600) <= -80


@pytest.mark.parametrize("preset", PRESETS)
def test_switching_the_guard_off_while_it_limits_does_not_jump(preset):
    """It lets go with its release time: no step beyond what the tone itself does at the higher level."""
    renderer = Renderer(preset, monitor="Speakers", input_trim_db=24, output_trim_db=24)
    y = play_tone(renderer, {100: lambda: renderer.set(safe_headroom=False)})
    steepest = np.max(np.abs(np.diff(y[:, 90_000:])))
    assert np.max(np.abs(np.diff(y[:, 47_900:48_100]))) <= 0.5 * steepest


@pytest.mark.parametrize("bypass", [False, True])
def test_a_change_of_latency_does_not_click(bypass):
    renderer = Renderer("laptop", monitor="Headphones", bypass=bypass)
    late = with_later_alignment("laptop", frames=53)
    y = play_tone(renderer, {60: lambda: renderer.load(late), 120: lambda: renderer.load("laptop")})
    assert renderer.latency_frames == Renderer("laptop").latency_frames
    assert splash_db(y, 9600) <= -90


@pytest.mark.parametrize("first", first_fast(MONITORS, 2))
@pytest.mark.parametrize("second", first_fast(MONITORS, 2))
def test_monitors_switch_without_clicks(first, second):
    renderer = Renderer("smart-speaker", monitor=first, output_channels=3)
    y = play_tone(renderer, {80: lambda: renderer.set(monitor=second), 130: lambda: renderer.set(monitor=first)})
    assert splash_db(y[:2], 9600) <= -90


@pytest.mark.parametrize("monitor", ["Speakers", "Headphones"])
def test_slots_switch_without_clicks(monitor):
    renderer = Renderer("smart-speaker", "laptop", monitor=monitor)
    y = play_tone(renderer, {60 + 20 * k: lambda s=s: renderer.set(slot=s) for k, s in enumerate("BABAB")})
    assert splash_db(y, 9600) <= -90


def test_presets_change_every_200_ms_without_clicks():
    renderer = Renderer("laptop", monitor="Headphones")
    names = ["smart-speaker", "laptop"] * 3
    y = play_tone(renderer, {60 + 20 * k: lambda n=n: renderer.load(n) for k, n in enumerate(names)})
    assert np.isfinite(y).all()
    assert splash_db(y, 9600) <= -90


def test_the_newest_preset_wins_when_several_arrive_at_once():
    x = tone(frames=48_000)
    renderer = Renderer("laptop", monitor="Headphones")
    renderer.process(x)
    for name in ("smart-speaker", "laptop", "smart-speaker"):
        renderer.load(name)
    settled = renderer.process(x)[:, 24_000:]
    expected = Renderer("smart-speaker", monitor="Headphones")
    expected.process(x)
    assert np.max(db(settled - expected.process(x)[:, 24_000:])) <= -80
