"""The limiter on real drivers: cancellation survives it, tones stay tones, splits do not matter."""

import json

import numpy as np
import pytest
from scipy.signal import fftconvolve, welch

from forestage import Renderer, factory_presets
from forestage.firs import decode_fir
from signals import db, in_blocks, noise, peak_db, tone

LOUD_DB = 24.0
OCTAVES_HZ = [(200 * 2**k, 400 * 2**k) for k in range(5)]


def separation_db(name, feeds):
    """Power at the left over that at the right ear per octave."""
    rows = json.loads(factory_presets()[name].read_text())["ears"]["device"]
    ears = [
        sum(fftconvolve(feed, decode_fir(text)) for feed, text in zip(feeds, row, strict=True) if text) for row in rows
    ]
    frequency, (left, right) = welch(np.array(ears), 48_000, nperseg=4096)
    inside = [(low <= frequency) & (frequency < high) for low, high in OCTAVES_HZ]
    return np.array([10 * np.log10(left[band].sum() / right[band].sum()) for band in inside])


@pytest.mark.parametrize("name", ["laptop", "smart-speaker", "soundbar-7"])
def test_the_ears_stay_as_far_apart_while_the_limiter_works(name):
    """A hard-panned sound that swells by 12 dB twice a second: within 0.5 dB of the linear separation per octave."""
    x = noise(frames=96_000)
    x[0] *= 4.0 ** np.sin(2 * np.pi * 2 * np.arange(96_000) / 48_000)
    x[1] = 0.0
    loud = Renderer(name, monitor="Speakers", stage_crosstalk=0, input_trim_db=LOUD_DB)
    limited = loud.process(x).astype(np.float64)
    linear = Renderer(name, monitor="Speakers", stage_crosstalk=0, safe_headroom="Off").process(x).astype(np.float64)
    assert loud.most_reduction_db > 6.0
    assert np.abs(limited).max() <= 1.0
    apart = separation_db(name, linear)
    np.testing.assert_allclose(separation_db(name, limited), apart, atol=0.5)
    assert apart.max() > 8.0


@pytest.mark.parametrize("name", ["laptop", "smart-speaker"])
def test_a_low_tone_at_the_limit_is_not_bent_on_its_way_to_the_drivers(name):
    """100 Hz in either channel, 12 dB too loud: all but the tone stays 60 dB below it.

    Without the upmix, which moves between channels that differ in phase and is no matter of the limit.
    """
    x = tone(hz=100.0, frames=96_000, level=1.0, phase=1.0)
    renderer = Renderer(name, monitor="Speakers", input_trim_db=12, upmix=0)
    feeds = renderer.process(x)[:, 48_000:].astype(np.float64)
    assert renderer.most_reduction_db > 3.0
    for feed in feeds[np.abs(feeds).max(axis=1) > 0.1]:
        spectrum = np.abs(np.fft.rfft(feed * np.hanning(len(feed)))) ** 2
        own = spectrum[97:104].sum()
        assert 10 * np.log10((spectrum.sum() - own) / own) <= -60


@pytest.mark.parametrize("sizes", [[17], [64], [1, 900, 33, 256, 2, 4000]])
def test_splits_of_a_tone_far_above_full_scale_make_no_difference(sizes):
    """40 dB over it, every peak asks for the same gain; filters round what comes in, 130 dB louder, by their calls."""
    x = tone(hz=480.0, frames=12_000, level=10.0, phase=2.0)
    settings = {"monitor": "Speakers", "input_trim_db": 20}
    whole = Renderer("laptop", **settings).process(x)
    assert db(np.abs(whole).max()) > -1.0
    assert peak_db(in_blocks(Renderer("laptop", **settings).process, x, sizes) - whole) <= -90
