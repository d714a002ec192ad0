"""The whole engine, for every shipped preset: splits, latency, bypass, amount, bad samples, headroom, slots."""

import numpy as np
import pytest

from forestage import Renderer, load_preset
from forestage.metrics.loudness import loudness_lufs, programme
from forestage.params import text_value
from kinds import FLAT, KINDS, MONITORS, first_fast
from make_preset import fir_text, impulse_text, make_preset, with_later_alignment
from signals import db, impulse, in_blocks, noise, peak_db, rms_db, tone

RATES = (48_000, 44_100, 88_200, 96_000, 176_400, 192_000)

presets = pytest.mark.parametrize("preset", first_fast(KINDS))
flat_presets = pytest.mark.parametrize("preset", first_fast(FLAT))
monitors = pytest.mark.parametrize("monitor", first_fast(MONITORS, 2))
rates = pytest.mark.parametrize("sample_rate", first_fast(RATES))


@presets
@monitors
def test_any_split_into_blocks_gives_the_same_output(preset, monitor):
    x = noise(frames=20_000)
    whole = Renderer(preset, monitor=monitor).process(x)
    for sizes in ([1], [17], [64], [480], [1024], [8192], [1, 900, 33, 256, 2, 4000]):
        played = x[:, :3000] if sizes == [1] else x
        split = in_blocks(Renderer(preset, monitor=monitor).process, played, sizes)
        assert peak_db(split - whole[:, : played.shape[1]]) <= -120


@presets
@monitors
def test_reset_equals_fresh(preset, monitor):
    x = noise(frames=8000)
    renderer = Renderer(preset, monitor=monitor)
    first = renderer.process(x)
    renderer.reset()
    assert peak_db(renderer.process(x) - first) <= -140


@flat_presets
@rates
def test_amount_zero_is_the_plain_stereo_delayed(preset, sample_rate):
    x = noise(frames=8000)
    renderer = Renderer(preset, monitor="Speakers", sample_rate=sample_rate, amount=0, safe_headroom="Off")
    y = renderer.process(x)
    late = renderer.latency_frames
    assert peak_db(y[:2, late:] - x[:, :-late]) <= -120
    assert not y[2:].any()


@presets
@monitors
@rates
def test_bypass_is_the_input_delayed(preset, monitor, sample_rate):
    x = noise(frames=4000)
    renderer = Renderer(preset, monitor=monitor, sample_rate=sample_rate, bypass=True, level_match="Off")
    y = renderer.process(x)
    late = renderer.latency_frames
    if monitor == "Speakers":
        plain = Renderer(preset, monitor=monitor, sample_rate=sample_rate, amount=0, safe_headroom="Off").process(x)
        assert peak_db(y - plain) <= -120
    else:
        assert np.array_equal(y[:2, late:], x[:, :-late])
        assert not y[2:].any()


@presets
@monitors
def test_bypass_is_as_loud_as_what_it_is_compared_with(preset, monitor):
    """One gain for plain stereo, bypass and the design, whatever the trims and the amount."""
    x = noise(frames=8000, level=0.05)
    settings = {"monitor": monitor, "input_trim_db": 6, "output_trim_db": 6, "solo": "Left", "amount": 40}
    matched = Renderer(preset, bypass=True, **settings)
    unmatched = Renderer(preset, bypass=True, safe_headroom="Off", **settings)
    assert matched.gain_db == Renderer(preset, monitor=monitor).gain_db
    assert unmatched.gain_db == 0.0
    assert peak_db(matched.process(x) - 10 ** (matched.gain_db / 20) * unmatched.process(x)) <= -120


@pytest.mark.parametrize("preset", ["soundbar-3", "five-driver-speaker"])
def test_bypass_on_speakers_reaches_the_drivers_of_plain_stereo(preset):
    """The second channel belongs to the right driver, not to whatever the second output drives; crossovers stay."""
    x = noise(frames=8000)
    plain = Renderer(preset, monitor="Speakers", amount=0).process(x)
    assert peak_db(Renderer(preset, monitor="Speakers", bypass=True).process(x) - plain) <= -120


@flat_presets
@rates
def test_reported_latency_is_where_the_near_driver_peaks(preset, sample_rate):
    renderer = Renderer(preset, monitor="Speakers", sample_rate=sample_rate, upmix=0, stage_crosstalk=0)
    for channel in (0, 1):
        renderer.reset()
        y = renderer.process(impulse(frames=4000, channel=channel))
        assert np.argmax(np.abs(y[channel])) == renderer.latency_frames


@flat_presets
@rates
@pytest.mark.parametrize("monitor", ["Headphones Plain", "Headphones Reference"])
def test_reported_latency_is_where_the_near_ear_peaks(preset, sample_rate, monitor):
    renderer = Renderer(preset, monitor=monitor, sample_rate=sample_rate)
    for channel in (0, 1):
        renderer.reset()
        y = renderer.process(impulse(frames=4000, channel=channel))
        assert np.argmax(np.abs(y[channel])) == renderer.latency_frames


@pytest.mark.parametrize("has_bass", [False, True])
def test_plain_headphones_hear_all_that_plain_stereo_plays(has_bass):
    """Of many drivers it plays few, and the bass of one by another."""
    preset = make_preset(drivers=12)
    for d, driver in enumerate(preset["drivers"]):
        driver.update(plain_left_gain=float(d == 0), plain_right_gain=float(d == 6))
    if has_bass:
        for filters in preset["filters"]:
            filters["bass"] = [[""] * 12 for _ in range(12)]
            filters["bass"][3][0] = fir_text([0.5])
    options = {"safe_headroom": "Off", "level_match": "Off"}
    x = noise(frames=20_000)
    design = Renderer(preset, monitor="Headphones", amount=0, **options).process(x)
    plain = Renderer(preset, monitor="Headphones Plain", **options).process(x)
    assert peak_db(design) > -20
    assert peak_db(plain - design) <= -120


@presets
def test_latency_is_at_most_5_ms_at_48_khz_and_the_same_for_every_monitor(preset):
    latencies = {Renderer(preset, monitor=monitor).latency_frames for monitor in MONITORS}
    assert len(latencies) == 1
    assert latencies.pop() <= 240


@flat_presets
@rates
def test_left_right_and_center_arrive_together_at_the_listener(preset, sample_rate):
    """Cross-correlation peak, to the frame, of what the near ears hear of the sides and of the centre."""
    left, right = (impulse(frames=2048, at=500, channel=channel) for channel in (0, 1))

    def heard(x, ear, upmix):
        renderer = Renderer(preset, monitor="Headphones", sample_rate=sample_rate, upmix=upmix, stage_crosstalk=0)
        return renderer.process(x)[ear].astype(np.float64)

    def lag_frames(a, b):
        return np.argmax(np.correlate(a, b, "full")) - (len(b) - 1)

    near_left, near_right = heard(left, 0, 0), heard(right, 1, 0)
    assert lag_frames(near_left, near_right) == 0
    assert lag_frames(heard(left + right, 0, 100), near_left) == 0
    assert lag_frames(heard(left + right, 1, 100), near_right) == 0


@presets
@monitors
def test_bad_samples_silence_their_block_and_sound_comes_back(preset, monitor):
    x = noise(frames=512 * 12)
    renderer = Renderer(preset, monitor=monitor)
    for bad in (np.nan, np.inf, -np.inf):
        broken = x[:, :512].copy()
        broken[1, 100] = bad
        renderer.process(x)
        assert not renderer.process(broken).any()
        fresh = Renderer(preset, monitor=monitor)
        assert peak_db(renderer.process(x) - fresh.process(x)) <= -140


@presets
@monitors
def test_sound_too_large_for_floats_is_silenced_not_passed_on(preset, monitor):
    renderer = Renderer(preset, monitor=monitor, safe_headroom=False, output_trim_db=24)
    x = np.full((2, 2048), 3e38, np.float32)
    assert np.isfinite(renderer.process(x)).all()
    assert np.isfinite(renderer.process(noise(frames=2048))).all()


@presets
def test_silence_stays_silent(preset):
    assert not Renderer(preset, monitor="Speakers").process(np.zeros((2, 4096), np.float32)).any()


@presets
def test_sound_ends_within_the_reported_tail(preset):
    renderer = Renderer(preset, monitor="Headphones", upmix=0)
    x = noise(frames=1000 + renderer.tail_frames + 4000, level=0.3)
    x[:, 1000:] = 0
    y = renderer.process(x)
    assert peak_db(y[:, 1000 + renderer.tail_frames :]) <= -100


@presets
def test_swapped_input_swaps_the_output(preset):
    x = noise(frames=8000)
    straight = Renderer(preset, monitor="Headphones").process(x)
    swapped = Renderer(preset, monitor="Headphones").process(x[::-1].copy())
    assert peak_db(swapped - straight[::-1]) <= rms_db(straight) - 60


@presets
def test_mono_feeds_left_and_right_alike(preset):
    x = noise(channels=1)[[0, 0]]
    y = Renderer(preset, monitor="Speakers").process(x)
    assert peak_db(y[0] - y[1]) <= rms_db(y[0]) - 60


@presets
def test_without_upmix_the_chain_is_linear(preset):
    a, b = noise(frames=8000, seed=1), noise(frames=8000, seed=2)
    settings = {"monitor": "Headphones", "upmix": 0}
    both = Renderer(preset, **settings).process(a + 0.5 * b)
    apart = Renderer(preset, **settings).process(a) + 0.5 * Renderer(preset, **settings).process(b)
    assert peak_db(both - apart) <= -120


@presets
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"upmix": 0},
        {"amount": 50},
        {"stage_width_deg": 60, "center_level_db": 6},
        {"safe_headroom": "Strict"},
        {"input_trim_db": 24, "output_trim_db": 24},
    ],
    ids=str,
)
def test_safe_headroom_keeps_feeds_within_full_scale(preset, settings):
    """Full-scale noise, square waves and the signs of the reversed responses, which add up worst."""
    rng = np.random.default_rng(3)
    renderer = Renderer(preset, monitor="Speakers", **settings)
    linear = Renderer(preset, monitor="Speakers", upmix=0)
    responses = [linear.process(impulse(frames=1024, channel=c)) for c in (0, 1) if linear.reset() is None]
    worst = [np.stack([np.sign(r[d, ::-1]) for r in responses]) for d in range(linear.output_channels)]
    square = np.sign(tone(hz=300, frames=9600, phase=2.0))
    for x in (np.sign(rng.standard_normal((2, 24_000))), square, *worst):
        assert np.max(np.abs(renderer.process(x.astype(np.float32)))) <= 1
    assert not renderer.is_clipped


@presets
@monitors
def test_no_monitor_plays_above_full_scale_and_the_peak_says_so(preset, monitor):
    x = (3 * np.sign(noise(frames=12_000))).astype(np.float32)
    renderer = Renderer(preset, monitor=monitor)
    y = renderer.process(x)
    assert np.abs(y).max() <= 1.0
    assert renderer.peak_dbfs == pytest.approx(peak_db(y), abs=1e-4)
    assert renderer.most_reduction_db > 1.0
    assert not renderer.is_clipped
    renderer.set(safe_headroom="Off")
    assert np.abs(renderer.process(x)).max() > 1.0
    assert renderer.is_clipped
    renderer.reset()
    assert not renderer.is_clipped
    assert renderer.most_reduction_db == 0.0


@presets
@monitors
def test_the_guard_leaves_sound_within_full_scale_as_it_is(preset, monitor):
    x = noise(frames=8000, level=0.02)
    guarded = Renderer(preset, monitor=monitor)
    open_wide = Renderer(preset, monitor=monitor, safe_headroom="Off")
    assert peak_db(guarded.process(x) - 10 ** (guarded.gain_db / 20) * open_wide.process(x)) <= -120
    assert guarded.most_reduction_db == 0.0


def test_slots_share_the_gain_of_the_one_that_needs_more():
    gains = [Renderer(preset, monitor="Speakers").gain_db for preset in ("smart-speaker", "laptop")]
    assert gains[0] < gains[1] < 0.0
    for slot in "AB":
        both = {"monitor": "Speakers", "slot": slot}
        assert Renderer("smart-speaker", "laptop", **both).gain_db == pytest.approx(gains[0])
        apart = Renderer("smart-speaker", "laptop", level_match="Off", **both).gain_db
        assert apart == pytest.approx(gains["AB".index(slot)])


@presets
def test_headroom_is_not_needed_for_ordinary_levels_so_playing_stays_linear(preset):
    """Strict leaves room: at -6 dBFS noise the limiter behind it never acts."""
    x = 0.5 * np.sign(noise(frames=24_000)).astype(np.float32)
    settings = {"monitor": "Speakers", "upmix": 0, "safe_headroom": "Strict"}
    renderer = Renderer(preset, **settings)
    loud = renderer.process(x)
    quiet = Renderer(preset, **settings).process(x / 8) * 8
    assert peak_db(loud - quiet) <= -120
    assert renderer.most_reduction_db == 0.0


@presets
@pytest.mark.parametrize("path", ["Left", "Right", "Center"])
def test_solo_paths_add_up_to_the_whole(preset, path):
    x = noise(frames=8000)
    settings = {"monitor": "Headphones"}
    parts = [Renderer(preset, solo=solo, **settings).process(x) for solo in ("Left", "Right", "Center")]
    assert peak_db(sum(parts) - Renderer(preset, **settings).process(x)) <= -110
    assert rms_db(Renderer(preset, solo=path, **settings).process(x)) > -80


@pytest.mark.parametrize("slot", ["A", "B"])
def test_slots_play_their_presets_at_a_common_latency(slot):
    x = noise(frames=9600)
    later = with_later_alignment("smart-speaker", frames=53)
    settings = {"monitor": "Headphones", "safe_headroom": "Off"}
    both = Renderer(later, "laptop", slot=slot, **settings)
    alone = Renderer(later if slot == "A" else "laptop", **settings)
    assert both.latency_frames == Renderer("laptop").latency_frames + 53
    late = both.latency_frames - alone.latency_frames
    assert late == (0 if slot == "A" else 53)
    assert peak_db(both.process(x)[:, late:] - alone.process(x)[:, : 9600 - late]) <= -120


@pytest.mark.parametrize("quality", ["Low Latency", "High Quality"])
def test_a_slot_that_is_chosen_plays_within_60_ms_as_if_it_always_had(quality):
    """Both slots play one upmix, whose averages go on: only filters and ears have to fill."""
    x = noise(frames=48_000)
    settings = {"monitor": "Headphones", "upmix_quality": quality}
    chosen, expected = (Renderer("laptop", "desktop-30", slot=slot, **settings) for slot in ("A", "B"))
    before = chosen.process(x) - expected.process(x)
    chosen.set(slot="B")
    after = chosen.process(x) - expected.process(x)
    assert peak_db(before) > -40
    assert peak_db(after[:, 60 * 48 :]) <= -120


@pytest.mark.parametrize("quality", ["Low Latency", "High Quality"])
def test_a_trim_is_not_heard_when_a_slot_takes_over_under_bypass(quality):
    """Of the two, only slot A plays plain stereo on its drivers, which has no trim; B's outputs are too few."""
    x = noise(frames=48_000, level=0.02)

    def played(trim_db):
        settings = {"input_trim_db": trim_db, "upmix_quality": quality, "safe_headroom": "Off", "bypass": True}
        renderer = Renderer("laptop", "soundbar-7", slot="B", output_channels=2, monitor="Speakers", **settings)
        renderer.process(x)
        renderer.set(slot="A")
        return renderer.process(x)

    assert peak_db(played(12) - played(0)) <= -120


def test_crosstalk_delay_without_filters_is_refused_before_anything_is_built():
    preset = make_preset()
    for filters in preset["filters"]:
        filters |= {"crosstalk": ["", ""], "crosstalk_delay_frames": 5000}
    with pytest.raises(ValueError, match="crosstalk_delay_frames: is 5000 without crosstalk"):
        Renderer(preset)


def test_long_delays_in_a_preset_are_played():
    """Delays far longer than the filters: what the headroom is measured with must be long enough for them."""
    preset = make_preset(frames=3000)
    for filters in preset["filters"]:
        tap = impulse_text(at=2999, frames=3000)
        filters |= {"crosstalk": [tap, tap], "crosstalk_delay_frames": 2999}
    assert np.isfinite(Renderer(preset, monitor="Speakers").process(noise(frames=8000))).all()


def test_speakers_with_too_few_outputs_play_the_headphones_preview_and_say_so():
    x = noise(frames=4000)
    renderer = Renderer("smart-speaker", monitor="Speakers", output_channels=2)
    preview = Renderer("smart-speaker", monitor="Headphones")
    assert np.array_equal(renderer.process(x), preview.process(x))
    assert renderer.status == "Too Few Outputs For Speakers: Playing Headphones"
    assert preview.status == "OK"


@flat_presets
@pytest.mark.parametrize("monitor", ["Speakers", "Headphones"])
def test_a_rate_without_filters_is_converted_and_said_so(preset, monitor):
    """50 kHz against 48 kHz: the same response within 0.7 dB up to 8 kHz, where filters are steepest."""
    frequency_hz = np.geomspace(100, 8000, 100)

    def response(sample_rate):
        renderer = Renderer(preset, monitor=monitor, sample_rate=sample_rate, upmix=0, safe_headroom=False)
        y = renderer.process(impulse(frames=4096, level=0.1))
        return renderer, np.abs(y @ np.exp(-2j * np.pi * np.outer(np.arange(4096), frequency_hz) / sample_rate))

    native, expected = response(48_000)
    converted, found = response(50_000)
    assert native.status == "OK"
    assert converted.status == "Preset Has No Filters For This Sample Rate: Converted"
    audible = expected > 0.01 * expected.max()
    assert np.max(np.abs(db(found / np.maximum(expected, 1e-9)))[audible]) <= 0.7


def test_loading_a_bad_preset_keeps_the_one_that_plays():
    x = noise(frames=4000)
    renderer = Renderer("laptop", monitor="Headphones")
    with pytest.raises(ValueError, match="schema"):
        renderer.load({"schema": 99})
    assert np.array_equal(renderer.process(x), Renderer("laptop", monitor="Headphones").process(x))


@pytest.mark.parametrize(
    ("sample_rate", "hint"), [(0, "8000 to 768000"), (float("nan"), "8000 to 768000"), (1e9, "8000")]
)
def test_impossible_sample_rates_are_refused(sample_rate, hint):
    with pytest.raises(ValueError, match=hint):
        Renderer("laptop", sample_rate=sample_rate)


@presets
def test_preset_parameters_are_in_effect(preset):
    renderer = Renderer(preset)
    shown = renderer.params
    assert shown["stage_width_deg"] == "30 deg"
    for param_id, value in load_preset(preset).parameters.items():
        assert shown[param_id] == text_value(param_id, value)


@pytest.mark.parametrize("monitor", first_fast(MONITORS[1:]))
def test_monitors_and_slots_are_as_loud_as_bypass(monitor):
    """Within 0.5 LU, for another draw of the noise that presets are calibrated with, on devices of an even colour."""
    x = programme(seed=99)
    for slot in "AB":
        y, dry = (
            Renderer("tv", "laptop", monitor=monitor, slot=slot, bypass=bypass).process(x) for bypass in (False, True)
        )
        assert abs(loudness_lufs(y, sample_rate=48_000) - loudness_lufs(dry, sample_rate=48_000)) <= 0.5
