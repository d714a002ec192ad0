"""Presets whose ears are rooms: half a second of response per driver and ear, as the headphones monitors play it."""

import numpy as np
import pytest
from scipy.signal import fftconvolve

from forestage import Renderer, load_preset
from kinds import HEADPHONES, first_fast
from make_preset import taps_of, with_long_ears
from signals import db, impulse, in_blocks, noise, peak_db, play_tone, splash_db

DURATION_S = 0.5
headphones = pytest.mark.parametrize("monitor", first_fast(HEADPHONES))


@pytest.fixture(scope="module")
def content():
    return with_long_ears("smart-speaker", duration_s=DURATION_S)


@pytest.fixture(scope="module")
def preset(content):
    return load_preset(content)


@headphones
def test_any_split_into_blocks_gives_the_same_output(preset, monitor):
    x = noise(frames=40_000)
    whole = Renderer(preset, monitor=monitor).process(x)
    for sizes in ([17], [64], [128], [480], [1, 900, 33, 256, 2, 4000]):
        split = in_blocks(Renderer(preset, monitor=monitor).process, x, sizes)
        assert peak_db(split - whole) <= -120


@headphones
def test_reset_equals_fresh(preset, monitor):
    x = noise(frames=40_000)
    renderer = Renderer(preset, monitor=monitor)
    first = renderer.process(x)
    renderer.reset()
    assert peak_db(renderer.process(x) - first) <= -140


def test_headphones_are_the_driver_feeds_convolved_with_the_ears(preset, content):
    """The feeds of the Speakers monitor, in double precision; they wait for the main tap of the near ear."""
    x = noise(frames=60_000)
    feeds = Renderer(preset, monitor="Speakers", safe_headroom=False).process(x).astype(np.float64)
    found = Renderer(preset, monitor="Headphones", safe_headroom="Off").process(x)
    gain = 10 ** (content["loudness"]["device_ears_db"] / 20)
    responses = np.array([[taps_of(text) for text in row] for row in content["ears"]["device"]], np.float64)
    heard = gain * fftconvolve(responses, feeds[None], axes=-1).sum(axis=1)
    late = content["ears"]["delay_frames"]
    assert peak_db(found[:, : x.shape[1] - late] - heard[:, late : x.shape[1]]) <= -120


@headphones
@pytest.mark.parametrize("sample_rate", first_fast([44_100, 48_000, 96_000, 192_000], 2))
def test_sound_goes_on_for_the_reported_tail_and_no_longer(preset, monitor, sample_rate):
    renderer = Renderer(preset, monitor=monitor, sample_rate=sample_rate, upmix=0)
    tail = renderer.tail_frames
    x = noise(frames=8000 + tail + 4000, level=0.3)
    x[:, 8000:] = 0
    y = renderer.process(x)[:, 8000:]
    assert DURATION_S <= tail / sample_rate <= DURATION_S + 0.16  # the upmix has a tail of its own
    assert peak_db(y[:, int(0.9 * DURATION_S * sample_rate) : tail]) > -100
    assert peak_db(y[:, tail:]) <= -130


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", [44_100, 88_200, 96_000, 192_000, 50_000])
def test_response_is_the_same_at_every_rate(preset, content, sample_rate):
    """Of the reference pair, up to 0.8 of the lower Nyquist: -70 dB, as a room's response has 20 dB of peaks."""
    renderer = Renderer(preset, monitor="Headphones Reference", sample_rate=sample_rate, safe_headroom="Off")
    found = renderer.process(impulse(frames=renderer.latency_frames + renderer.tail_frames, level=1.0))
    gain = 10 ** (content["loudness"]["reference_ears_db"] / 20)
    frequency_hz = np.geomspace(50, 0.4 * min(sample_rate, 48_000), 200)

    def spectrum(taps, rate, main_tap):
        return np.exp(-2j * np.pi * np.outer(frequency_hz / rate, np.arange(len(taps)) - main_tap)) @ taps

    for ear in (0, 1):
        own = spectrum(gain * taps_of(content["ears"]["reference"][ear][0]), 48_000, content["ears"]["delay_frames"])
        assert np.max(db(spectrum(found[ear], sample_rate, renderer.latency_frames) - own)) <= -70


@pytest.mark.slow
@pytest.mark.parametrize("first", HEADPHONES)
@pytest.mark.parametrize("second", ["Speakers", *HEADPHONES])
def test_monitors_switch_without_clicks(preset, first, second):
    renderer = Renderer(preset, monitor=first, output_channels=3)
    y = play_tone(renderer, {60: lambda: renderer.set(monitor=second), 130: lambda: renderer.set(monitor=first)})
    assert splash_db(y[:2], 30_000) <= -90


@headphones
def test_a_monitor_is_in_full_sound_as_soon_as_it_is_heard(preset, monitor):
    """After its fade of 960 frames it cannot be told from one that has always played."""
    first, then = noise(frames=30_000), noise(frames=40_000, seed=1)
    other = "Speakers" if monitor == "Headphones" else "Headphones"

    def played(*monitors):
        renderer = Renderer(preset, monitor=monitors[0], output_channels=3)
        renderer.process(first)
        renderer.set(monitor=monitors[-1])
        return renderer.process(then)

    switched, before, after = played(other, monitor), played(other), played(monitor)
    heard = np.argmax(np.abs(switched - before).max(axis=0) > 1e-6)
    assert 0 < heard < 30_000
    assert peak_db(switched[:, heard + 1000 :] - after[:, heard + 1000 :]) <= -120


def test_presets_with_long_and_short_ears_change_without_clicks(preset):
    renderer = Renderer("smart-speaker", monitor="Headphones")
    y = play_tone(renderer, {20: lambda: renderer.load(preset), 110: lambda: renderer.load("smart-speaker")})
    assert splash_db(y, 9600) <= -90
