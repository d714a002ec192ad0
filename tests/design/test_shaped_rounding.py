"""Are room responses in few bits what they were? How far the error lies below them, over time and frequency."""

import base64

import numpy as np
import pytest
from scipy.signal import lfilter

from forestage import _core
from forestage.design.shaped_rounding import EARLY_DB, LATE_DB, rounded_room
from forestage.firs import encode_fir

RATE = 48_000


def tail(*, frames=24_000, seed=3):
    """Coloured noise that decays by 60 dB in 0.4 s, after an impulse; shape (2, frames)."""
    noise = np.random.default_rng(seed).standard_normal((2, frames)) * 10 ** (-3 * np.arange(frames) / (0.4 * RATE))
    coloured = 0.02 * lfilter([1.0], [1.0, -1.2, 0.5], noise)
    coloured[:, :40] = 0.0
    coloured[:, 40] = 0.9
    return coloured


@pytest.fixture(scope="module")
def exact():
    return tail()


@pytest.fixture(scope="module")
def rounded(exact):
    return rounded_room(exact)


def below_db(exact, rounded, *, start, low_hz, high_hz):
    """From the response to the error, in dB, in 50 ms from `start` s on."""
    cut = slice(round(start * RATE), round((start + 0.05) * RATE))
    window = np.hanning(cut.stop - cut.start)
    frequency = np.fft.rfftfreq(len(window), 1 / RATE)
    within = (frequency >= low_hz) & (frequency < high_hz)
    power = [np.sum(np.abs(np.fft.rfft(x[:, cut] * window)[:, within]) ** 2) for x in (exact, rounded - exact)]
    return 10 * np.log10(power[0] / power[1])


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "gain_db"), [(300, 3000, 9.0), (7000, 9000, 4.0), (18_000, 22_000, -9.0)]
)
@pytest.mark.parametrize(("start", "wanted_db"), [(0.06, EARLY_DB), (0.25, (EARLY_DB + LATE_DB) / 2), (0.42, LATE_DB)])
def test_error_is_as_far_below_the_response_as_it_says(exact, rounded, start, wanted_db, low_hz, high_hz, gain_db):
    """Steps are powers of two, and the wanted distance changes within 50 ms: 4 dB either way."""
    found = below_db(exact, rounded, start=start, low_hz=low_hz, high_hz=high_hz)
    assert found == pytest.approx(wanted_db + gain_db, abs=4.5)


def test_response_takes_five_bits_a_tap(rounded):
    texts = [encode_fir(row) for row in rounded]
    assert all(text.startswith("flac") for text in texts)
    assert sum(len(base64.b64decode(text.partition(":")[2])) for text in texts) * 8 < 5.4 * rounded.size
    np.testing.assert_array_equal([_core.decode_fir(text) for text in texts], rounded)


def test_silence_stays_silent():
    """Also in front of the direct sound, where an error would be heard ahead of it."""
    exact = np.vstack([tail(), np.zeros((1, 24_000))])
    result = rounded_room(exact)
    assert not result[:, :40].any()
    assert not result[2].any()
    assert not np.signbit(result[result == 0.0]).any()


@pytest.mark.parametrize("frames", [_core.LONG_TAPS + 1, 3 * _core.ROOM_BLOCK_TAPS, 3 * _core.ROOM_BLOCK_TAPS + 1])
def test_last_block_may_be_of_any_length(frames):
    exact = tail()[:, :frames]
    result = rounded_room(exact)
    assert 0.0 < np.linalg.norm(result - exact) < 10 ** (-LATE_DB / 20) * np.linalg.norm(exact)
    assert not np.array_equal(result[:, -1], exact[:, -1])


def test_what_is_too_short_for_flac_stays():
    exact = tail()[:, : _core.LONG_TAPS]
    np.testing.assert_array_equal(rounded_room(exact), exact)
