"""The VST3 in pedalboard is the core: same sound, same latency, same parameters, whatever the host does."""

import functools
import gc

import numpy as np
import pedalboard
import pytest

from forestage import PARAMS, Renderer, host, load_plugin, load_preset
from forestage.host import plugin_path
from headphone_eqs import parametric, wav_eq
from kinds import KINDS, MONITORS, first_fast
from plugin_sound import NULL, assert_null, noise

SAMPLE_RATES = (44_100, 48_000, 96_000)
BLOCKS = (1, 17, 64, 480, 1024, 8192)


@functools.cache
def core_output(preset: str, monitor: str, sample_rate: int, frames: int) -> tuple[np.ndarray, int]:
    renderer = Renderer(preset, sample_rate=sample_rate, monitor=monitor)
    return renderer.process(noise(frames=frames)), renderer.latency_frames


def spread(stereo: np.ndarray, channels: int) -> np.ndarray:
    """Stereo in rows 0 and 1; the other rows hold what the plugin must ignore."""
    x = noise(frames=stereo.shape[1], channels=channels, seed=8)
    x[:2] = stereo
    return x


def channels_for(preset: str, monitor: str) -> int:
    return len(load_preset(preset).drivers) if monitor == "Speakers" else 2


def rate_of(*turns: int) -> int:
    """Every pair of a rate with what else varies, and not all of them together."""
    return SAMPLE_RATES[sum(turns) % len(SAMPLE_RATES)]


@pytest.mark.parametrize("monitor", first_fast(MONITORS))
@pytest.mark.parametrize("preset", first_fast(KINDS))
def test_plugin_nulls_against_core_in_blocks(lend, preset, monitor):
    sample_rate = rate_of(KINDS.index(preset), MONITORS.index(monitor))
    frames = 20_000  # more than two of the longest blocks
    expected, latency = core_output(preset, monitor, sample_rate, frames)
    plugin = lend(preset, monitor=monitor)
    x = spread(noise(frames=frames), channels_for(preset, monitor))
    for block in BLOCKS:
        y = plugin.process(x, sample_rate, buffer_size=block)
        assert plugin.reported_latency_samples == latency
        assert_null(y[:, : frames - latency], expected[:, latency:])


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", first_fast(SAMPLE_RATES))
@pytest.mark.parametrize("monitor", first_fast(MONITORS))
def test_plugin_nulls_against_core_in_a_room(lend, monitor, sample_rate):
    x = noise(frames=60_000)
    renderer = Renderer("laptop", sample_rate=sample_rate, monitor=monitor, room="On")
    expected = renderer.process(x)
    plugin = lend("laptop", monitor=monitor, room="On")
    latency = renderer.latency_frames
    y = plugin.process(x, sample_rate, buffer_size=480)
    assert plugin.status == renderer.status == "OK"
    assert_null(y[:, : x.shape[1] - latency], expected[:, latency:])


@pytest.mark.parametrize("monitor", first_fast(MONITORS))
@pytest.mark.parametrize("preset", first_fast(KINDS))
def test_plugin_nulls_against_core_in_a_mixture_of_blocks(lend, preset, monitor):
    sample_rate = rate_of(KINDS.index(preset), MONITORS.index(monitor), 1)
    frames = sample_rate // 2
    expected, _ = core_output(preset, monitor, sample_rate, frames)
    plugin = lend(preset, monitor=monitor)
    x = spread(noise(frames=frames), channels_for(preset, monitor))
    lengths = np.random.default_rng(3).choice([17, 64, 100, 480, 1000, 1024, 4000], size=frames)
    cuts = np.cumsum([8192, *lengths])  # the longest first: pedalboard prepares anew for a block longer than all before
    parts = np.split(x, cuts[cuts < frames - 16], axis=1)
    # without a reset in between, pedalboard streams and trims nothing
    y = np.concatenate([plugin.process(part, sample_rate, reset=False) for part in parts], axis=1)
    assert_null(y, expected)


def test_latency_is_right_at_load_without_an_editor():
    plugin = pedalboard.VST3Plugin(str(plugin_path()))
    expected = Renderer("smart-speaker", b="laptop", sample_rate=44_100).latency_frames  # pedalboard loads at 44.1 kHz
    assert plugin.reported_latency_samples == expected


@pytest.mark.parametrize("sample_rate", first_fast([44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 50_000]))
def test_bypass_is_the_input_delayed_by_the_reported_latency(lend, sample_rate):
    plugin = lend("smart-speaker", bypass=True, level_match=False)
    x = noise(frames=4800)
    y = plugin.process(x, sample_rate, reset=False)
    latency = plugin.reported_latency_samples
    assert latency > 0
    assert np.abs(y[:, :latency]).max() <= NULL
    assert_null(y[:, latency:], x[:, :-latency])


@pytest.fixture(scope="module")
def parameters():
    """Those of a new instance, as it comes."""
    return pedalboard.VST3Plugin(str(plugin_path())).parameters


def test_parameters_are_those_of_the_table_in_order(parameters):
    assert list(parameters) == [*(row.id for row in PARAMS), "preset"]


@pytest.mark.parametrize("row", PARAMS, ids=lambda row: row.id)
def test_parameter_shows_name_unit_and_values_of_the_table(parameters, row):
    parameter = parameters[row.id]
    assert parameter.name == row.name
    assert (parameter.label or "") == row.unit
    if row.kind in {"linear", "meter"}:
        assert parameter.range[:2] == (row.min_value, row.max_value)
    elif row.kind == "toggle":
        assert parameter.type is bool
    else:
        assert parameter.valid_values == sorted(row.choices, key=lambda text: row.normalised(row.choices.index(text)))
    # Meters are no settings, and pedalboard has played noise through an instance before anyone sees it
    if not row.in_preset and row.kind != "meter":
        assert parameter.raw_value == pytest.approx(row.normalised(row.default_value), abs=1e-6)


@pytest.mark.parametrize("row", [row for row in PARAMS if row.kind == "linear"], ids=lambda row: row.id)
def test_value_becomes_text_and_text_value(parameters, row):
    parameter = parameters[row.id]
    last_place = 1 if row.id == "blind_trials" else 0.01  # which is a count
    for fraction in (0, 0.25, 1 / 3, 0.9, 1):
        value = row.min_value + fraction * (row.max_value - row.min_value)
        text = parameter.get_text_for_raw_value(fraction)
        assert float(text) == pytest.approx(value, abs=0.5001 * last_place)
        assert parameter.get_raw_value_for_text(f"{text} {row.unit}") == pytest.approx(
            (float(text) - row.min_value) / (row.max_value - row.min_value), abs=1e-5
        )


def test_high_quality_has_its_own_latency_and_nulls_against_the_core(lend):
    plugin = lend("smart-speaker", upmix_quality="High Quality")
    renderer = Renderer("smart-speaker", upmix_quality="High Quality")
    x = noise(frames=20_000)
    y = plugin.process(x, 48_000)
    assert plugin.reported_latency_samples == renderer.latency_frames
    assert_null(y[:, : 20_000 - renderer.latency_frames], renderer.process(x)[:, renderer.latency_frames :])


def test_a_change_of_quality_is_reported_at_the_next_start_at_the_latest(lend):
    plugin = lend("smart-speaker")
    plugin.upmix_quality = "High Quality"
    for _ in range(2):
        plugin.process(noise(frames=4800), 48_000)
    assert plugin.reported_latency_samples == Renderer("smart-speaker", upmix_quality="High Quality").latency_frames


@pytest.mark.parametrize("monitor", first_fast(MONITORS))
@pytest.mark.parametrize("make", [parametric, wav_eq])
def test_plugin_nulls_against_core_with_a_headphone_equaliser(lend, make, monitor):
    sample_rate = rate_of(MONITORS.index(monitor), int(make is wav_eq))
    plugin = lend("smart-speaker", monitor=monitor, headphone_eq=make())
    renderer = Renderer("smart-speaker", monitor=monitor, sample_rate=sample_rate, headphone_eq=make())
    stereo = noise(frames=20_000)
    y = plugin.process(spread(stereo, channels_for("smart-speaker", monitor)), sample_rate, reset=False)
    assert plugin.reported_latency_samples == renderer.latency_frames
    assert_null(y, renderer.process(stereo))


def test_status_is_read_only(lend):
    plugin = lend("smart-speaker")
    plugin.parameters["status"].raw_value = 1.0
    x = noise(frames=4800)
    plugin.process(x, 48_000)
    fresh = lend("smart-speaker")
    fresh.raw_state = plugin.raw_state
    assert fresh.status == "OK"


def test_parameter_set_before_the_first_block_needs_no_glide(lend):
    plugin = lend("smart-speaker")
    plugin.parameters["amount"].raw_value = 0.0
    renderer = Renderer("smart-speaker", amount=0)
    x = noise(frames=4800)
    assert_null(plugin.process(x, 48_000, reset=False), renderer.process(x))


def test_parameter_change_in_a_stream_glides_as_in_the_core(lend):
    plugin, renderer = lend("smart-speaker"), Renderer("smart-speaker")
    x = noise(frames=4800)
    assert_null(plugin.process(x, 48_000, reset=False), renderer.process(x))
    plugin.parameters["stage_width_deg"].raw_value = 0.75
    plugin.parameters["slot"].raw_value = 1.0
    renderer.set(stage_width_deg=67.5, slot="B")
    assert_null(plugin.process(x, 48_000, reset=False), renderer.process(x))


@pytest.mark.parametrize("channels", first_fast(range(3, 9), 2))
def test_as_many_outputs_as_inputs_play_the_drivers_and_silence(lend, channels):
    plugin = lend("smart-speaker", monitor="Speakers")
    stereo = noise(frames=4800)
    y = plugin.process(spread(stereo, channels), 48_000, reset=False)
    expected = Renderer("smart-speaker", monitor="Speakers", output_channels=channels).process(stereo)
    assert_null(y, expected)
    assert not y[3:].any()
    assert plugin.status == "OK"


@pytest.mark.parametrize("channels", [1, 17])
def test_other_channel_counts_are_refused(lend, channels):
    plugin = lend("smart-speaker")
    with pytest.raises(ValueError, match="does not support"):
        plugin.process(noise(frames=4800, channels=channels), 48_000)


def test_speakers_with_too_few_outputs_play_headphones_and_say_so(lend):
    plugin = lend("smart-speaker", monitor="Speakers")
    x = noise(frames=4800)
    y = plugin.process(x, 48_000, reset=False)
    assert plugin.status == "Too Few Outputs For Speakers: Playing Headphones"
    assert_null(y, Renderer("smart-speaker", monitor="Headphones").process(x))


def test_rate_without_filters_is_converted_and_says_so(lend):
    plugin, renderer = lend("laptop"), Renderer("laptop", sample_rate=50_000)
    x = noise(frames=5000)
    assert_null(plugin.process(x, 50_000, reset=False), renderer.process(x))
    assert plugin.status == renderer.status == "Preset Has No Filters For This Sample Rate: Converted"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_block_with_nan_is_silent_and_sound_comes_back(lend, bad):
    plugin, renderer = lend("smart-speaker"), Renderer("smart-speaker")
    x = noise(frames=4800)
    broken = x.copy()
    broken[0, 100] = bad
    plugin.process(x, 48_000, reset=False)
    assert not plugin.process(broken, 48_000, reset=False).any()
    assert_null(plugin.process(x, 48_000, reset=False), renderer.process(x))


def test_reset_forgets_all_past_sound(lend):
    plugin = lend("smart-speaker")
    x = noise(frames=4800)
    first = plugin.process(x, 48_000)
    assert_null(plugin.process(x, 48_000), first)


def test_what_is_loaded_again_is_packed_once(monkeypatch):
    packed, plain = [], host._core.packed_state
    host._packed.cache_clear()
    monkeypatch.setattr(host._core, "packed_state", lambda *contents: packed.append(contents) or plain(*contents))
    first, again = (load_plugin("laptop", "tv", amount=50) for _ in range(2))
    assert len(packed) == 1
    assert first.raw_state == again.raw_state
    other = load_plugin("laptop", "tv", amount=40)
    assert len(packed) == 2
    assert (again.amount, other.amount) == (50.0, 40.0)


def test_parameters_are_listed_when_they_are_used(monkeypatch):
    lists, listed = [], pedalboard.VST3Plugin._get_parameters
    monkeypatch.setattr(pedalboard.VST3Plugin, "_get_parameters", lambda plugin: lists.append(plugin) or listed(plugin))
    plugin = load_plugin("laptop", amount=40)
    assert not lists
    assert plugin.amount == 40.0
    assert lists == [plugin]
    plain = pedalboard.VST3Plugin(str(plugin_path()), {"amount": 30})  # one of pedalboard's, which it lists as ever
    assert plain.amount == 30.0
    assert plugin.parameters.keys() == plain.parameters.keys()


def test_a_plugin_that_nobody_has_waits_for_no_collector():
    def alive() -> int:
        return sum(type(each) is pedalboard.VST3Plugin for each in gc.get_objects())

    gc.collect()
    before = alive()
    plugin = load_plugin("laptop")
    assert alive() == before + 1
    del plugin
    assert alive() == before


def test_a_plugin_that_does_not_load_leaves_pedalboard_as_it_was(monkeypatch, tmp_path):
    before = dict(vars(pedalboard.VST3Plugin))
    monkeypatch.setattr(host, "plugin_path", lambda kind: tmp_path)
    with pytest.raises(ImportError, match="Unable to"):
        load_plugin("laptop")
    assert vars(pedalboard.VST3Plugin) == before
