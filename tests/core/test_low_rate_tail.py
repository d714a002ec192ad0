"""Late taps at a lower rate, as ears in rooms play them: against scipy at the full rate, where anything is heard."""

import json

import numpy as np
import pytest
from scipy.signal import fftconvolve, resample_poly

from forestage import factory_presets
from forestage._core import FirMatrix
from kinds import first_fast
from make_preset import taps_of
from signals import in_blocks

HEARD_HZ = 20_000
RATES = first_fast([192_000, 88_200, 96_000, 176_400, 384_000], 2)
every_rate = pytest.mark.parametrize("sample_rate", RATES)


def decaying(sample_rate, *, silent_s=0.0, inputs=3, outputs=2):
    """Noise over half a second that falls by 60 dB, [output, input, tap]; all that reaches an output has energy 1."""
    rng = np.random.default_rng(0)
    time_s = np.arange(sample_rate // 2) / sample_rate
    taps = rng.standard_normal((outputs, inputs, len(time_s))) * 10 ** (-3 * time_s / 0.5)
    taps[:, :, time_s < silent_s] = 0
    return (taps / np.sqrt((taps**2).sum(axis=(1, 2), keepdims=True))).astype(np.float32)


def noise_at(sample_rate, *, inputs=3, seconds=1.0):
    return np.random.default_rng(1).standard_normal((inputs, int(seconds * sample_rate))).astype(np.float32)


def at_full_rate(taps, x):
    return fftconvolve(taps.astype(float), x.astype(float)[None], axes=-1).sum(axis=1)[:, : x.shape[1]]


def band_db(y, sample_rate, low_hz, high_hz):
    """Energy between two frequencies, in dB."""
    spectrum = np.fft.rfft(y * np.hanning(y.shape[-1]))
    frequency_hz = np.fft.rfftfreq(y.shape[-1], 1 / sample_rate)
    band = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
    return 10 * np.log10(np.sum(np.abs(spectrum[..., band]) ** 2) + 1e-30)


def errors_db(taps, x, sample_rate):
    """Energy of what is wrong over what is right: where anything is heard, and in the octave above."""
    right = at_full_rate(taps, x)
    wrong = FirMatrix(taps, sample_rate=sample_rate).process(x) - right
    bands = [(0, HEARD_HZ), (HEARD_HZ, 2 * HEARD_HZ)]
    return [band_db(wrong, sample_rate, *band) - band_db(right, sample_rate, *band) for band in bands]


@every_rate
def test_what_is_heard_is_that_of_the_full_rate(sample_rate):
    heard, above = errors_db(decaying(sample_rate), noise_at(sample_rate), sample_rate)
    assert heard <= -95
    assert -10 < above <= 0, "late sound above 20 kHz is gone, and nothing came in its place"


@pytest.mark.parametrize("name", first_fast(["smart-speaker", "soundbar-7", "desktop-10"]))
@pytest.mark.parametrize("up", [2, 4])
def test_rooms_of_presets_are_those_of_the_full_rate(name, up):
    ears = json.loads(factory_presets()[name].read_text())["room"]["ears"]["device"]
    taps = np.array([[resample_poly(taps_of(text), up, 1) for text in row] for row in ears], np.float32)
    sample_rate = 48_000 * up
    assert errors_db(taps, noise_at(sample_rate, inputs=taps.shape[1]), sample_rate)[0] <= -95


@every_rate
def test_it_decays_as_at_the_full_rate(sample_rate):
    taps = decaying(sample_rate, inputs=1, outputs=1)
    x = np.zeros((1, sample_rate // 2), np.float32)
    x[0, 0] = 1
    y = FirMatrix(taps, sample_rate=sample_rate).process(x)
    for n in range(10):
        part = slice(n * sample_rate // 20, (n + 1) * sample_rate // 20)
        right, wrong = taps[0, :, part], y[:, part] - taps[0, :, part]
        assert band_db(wrong, sample_rate, 0, 19_000) - band_db(right, sample_rate, 0, 19_000) <= -80


@every_rate
@pytest.mark.parametrize("sizes", [[1], [3], [17], [32], [128], [480], [1, 900, 33, 256, 2, 4000]])
def test_any_split_gives_the_same_bits(sample_rate, sizes):
    """Of the late taps, as those before agree within rounding."""
    taps = decaying(sample_rate, silent_s=0.03)
    x = noise_at(sample_rate, seconds=0.06)
    whole = FirMatrix(taps, sample_rate=sample_rate).process(x)
    assert np.abs(whole).max() > 0.1
    np.testing.assert_array_equal(in_blocks(FirMatrix(taps, sample_rate=sample_rate).process, x, sizes), whole)


@every_rate
def test_nothing_is_left_after_a_reset(sample_rate):
    taps, x = decaying(sample_rate), noise_at(sample_rate, seconds=0.3)
    matrix = FirMatrix(taps, sample_rate=sample_rate)
    first = matrix.process(x)
    matrix.process(x[:, :101])
    matrix.reset()
    np.testing.assert_array_equal(matrix.process(x), first)


@every_rate
def test_silence_stays_silence(sample_rate):
    assert not FirMatrix(decaying(sample_rate), sample_rate=sample_rate).process(0 * noise_at(sample_rate)).any()


@pytest.mark.parametrize(("sample_rate", "seconds"), [(48_000, 0.5), (88_000, 0.5), (96_000, 0.09), (192_000, 0.09)])
def test_at_lower_rates_and_in_short_filters_all_taps_stay_as_they_are(sample_rate, seconds):
    taps, x = decaying(sample_rate)[:, :, : int(seconds * sample_rate)], noise_at(sample_rate, seconds=0.1)
    np.testing.assert_array_equal(FirMatrix(taps, sample_rate=sample_rate).process(x), FirMatrix(taps).process(x))
