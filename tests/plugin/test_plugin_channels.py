"""Driver i leaves in the host's channel i, and stereo comes from its channels 1-2, whatever the speakers are called."""

import functools

import numpy as np
import pytest

from forestage import Renderer, load_plugin, load_preset
from forestage._core import Preset
from forestage.host import plugin_state
from kinds import first_fast
from make_preset import fir_text, make_preset, with_later_alignment, with_long_ears
from plugin_sound import NULL, noise
from vst3_host import SAMPLE_32, SAMPLE_64, STEREO, Vst3Plugin

FRAMES = 4800
FIRST = {n: (1 << n) - 1 for n in range(2, 17)}  # the first n speakers of VST3, as Ardour and others ask for them
NAMED = {  # pluginterfaces/vst/vstspeaker.h: L R C Lfe Ls Rs Lc Rc S Sl Sr Tc Tfl Tfc Tfr Trl Trc Trr Lfe2 M
    "3.0 music": 0x103, "4.0 music": 0x33, "4.0 cine": 0x107, "5.0": 0x37, "6.0 cine": 0x137, "6.0 music": 0x633,
    "6.1 cine": 0x13F,
    "6.1 music": 0x63B, "7.0 cine": 0xF7, "7.0 music": 0x637, "7.1 music": 0x63F,
    "7.0.4": 0x637 | 0x2D000, "7.1.4": 0x63F | 0x2D000, "5.1.4": 0x3F | 0x2D000,
    "7.1.2": 0x63F | 3 << 24, "7.1.6": 0x63F | 0x2D000 | 3 << 24, "9.1.6": 0x6FF | 0x2D000 | 3 << 24,
}  # fmt: skip
# JUCE's hosts ask so for numbered channels: its first is VST3's M, the others follow from bit 28 on, wherever they end.
DISCRETE = {n: 1 << 19 | sum(1 << 27 + i for i in range(1, n)) for n in range(2, 17)}
ALL = {f"first {n}": FIRST[n] for n in FIRST} | {f"discrete {n}": DISCRETE[n] for n in DISCRETE} | NAMED
AMBISONIC = {
    order: sum(1 << bit for bit in [*range(20, 24), *range(38, 50)][: (order + 1) ** 2]) for order in (1, 2, 3)
}


@functools.cache
def preset_for(channels: int) -> Preset:
    """As many drivers as channels, each with a response of its own."""
    rng = np.random.default_rng(channels)
    preset = make_preset(drivers=channels)
    for filters in preset["filters"]:
        filters["cancel"] = [[fir_text(taps) for taps in rng.uniform(-0.3, 0.3, (2, 8))] for _ in range(channels)]
    return load_preset(preset)


@functools.cache
def feeds(channels: int) -> np.ndarray:
    renderer = Renderer(preset_for(channels), monitor="Speakers", output_channels=channels)
    y = renderer.process(noise(FRAMES, channels)[:2])
    distances = np.abs(y[:, None] - y).max(axis=-1) + np.eye(channels)
    assert distances.min() > 1e-3  # or a wrong order would not be heard
    return y


@functools.cache
def plugin_with(channels: int) -> Vst3Plugin:
    return Vst3Plugin(state=plugin_state(preset_for(channels), monitor="Speakers").encode())


def play(arrangements: tuple[int, int], **kwargs) -> np.ndarray:
    inputs, channels = (bits.bit_count() for bits in arrangements)
    plugin = plugin_with(channels)
    plugin.stop()
    assert plugin.arrange(*arrangements)
    assert plugin.arrangements == arrangements
    plugin.start(48_000, FRAMES)
    return plugin.process(noise(FRAMES, channels)[:inputs], channels=channels, **kwargs)


@pytest.mark.parametrize("name", first_fast(ALL, 16))
@pytest.mark.parametrize("is_stereo_in", [True, False], ids=["2-N", "N-N"])
def test_driver_i_is_in_the_hosts_channel_i(name, is_stereo_in):
    y = play((STEREO if is_stereo_in else ALL[name], ALL[name]))
    np.testing.assert_allclose(y, feeds(ALL[name].bit_count()), atol=NULL)


@pytest.mark.parametrize("order", AMBISONIC)
def test_ambisonic_layouts_are_refused(order):
    bits = AMBISONIC[order]
    with pytest.raises(ValueError, match="refused"):
        Vst3Plugin(arrangements=(bits, bits))


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4, 5, 6, 7], [1, 0, 3, 2, 7, 6, 5, 4]])
def test_buffers_may_be_shared_in_any_order(order):
    np.testing.assert_allclose(play((FIRST[8], FIRST[8]), order=order), feeds(8), atol=NULL)


@pytest.mark.parametrize("rows", first_fast(range(2, 9)))  # pedalboard knows no layout for more
def test_driver_i_is_in_row_i_of_pedalboard(rows):
    y = load_plugin(preset_for(rows), monitor="Speakers").process(noise(FRAMES, rows), 48_000, reset=False)
    np.testing.assert_allclose(y, feeds(rows), atol=NULL)


def test_a_block_longer_than_announced_plays():
    plugin = Vst3Plugin(max_block_frames=512, state=plugin_state(preset_for(2), monitor="Speakers").encode())
    np.testing.assert_allclose(plugin.process(noise(FRAMES, 2)), feeds(2), atol=NULL)


def test_doubles_are_refused():
    plugin = Vst3Plugin()
    assert plugin.can_play(SAMPLE_32)
    assert not plugin.can_play(SAMPLE_64)
    with pytest.raises(RuntimeError, match="process"):
        plugin.process(noise(FRAMES, 2), sample_size=SAMPLE_64)


def test_latency_and_tail_reach_the_host():
    plugin = Vst3Plugin(state=plugin_state("laptop").encode())
    assert plugin.latency_frames == Renderer("laptop").latency_frames
    assert plugin.tail_frames > 0


class Unprepared(Vst3Plugin):
    """As hosts have it before they play: they ask for the latency then."""

    def start(self, sample_rate, max_block_frames):
        pass


@pytest.mark.parametrize(
    "preset",
    ["laptop", with_later_alignment("laptop", frames=100), with_long_ears("laptop", sample_rate=44_100)],
    ids=["factory", "later", "44.1 kHz ears"],
)
def test_latency_is_known_before_anything_is_prepared(preset):
    plugin = Unprepared(state=plugin_state(preset).encode())
    assert plugin.latency_frames == Renderer(preset).latency_frames
    for sample_rate in (44_100, 96_000):
        plugin.set_up(sample_rate, 512)
        assert plugin.latency_frames == Renderer(preset, sample_rate=sample_rate).latency_frames
    plugin.set_up(4000, 512)  # no rate to play at: stereo will pass through
    assert plugin.latency_frames == 0


def test_latency_follows_a_new_rate_before_it_is_activated():
    plugin = Vst3Plugin(state=plugin_state("laptop").encode())
    for sample_rate in (44_100, 192_000):
        expected = Renderer("laptop", sample_rate=sample_rate).latency_frames
        plugin.stop()
        plugin.set_up(sample_rate, 512)
        assert plugin.latency_frames == expected
        plugin.start(sample_rate, 512)
        assert plugin.latency_frames == expected
