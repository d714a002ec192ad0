"""Low-latency upmix: what goes into the centre, and that the three paths always sum back."""

import numpy as np
import pytest

from forestage import _core
from signals import db, in_blocks, noise, peak_db, rms_db

RATES = (44_100, 48_000, 96_000, 192_000)


def upmix(x, *, sample_rate=48_000, amount=1.0):
    return _core.Upmix(sample_rate, amount).process(x)


@pytest.mark.parametrize("sample_rate", RATES)
@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_paths_sum_back_to_the_input(sample_rate, amount):
    x = noise()
    left, right, center = upmix(x, sample_rate=sample_rate, amount=amount)
    assert peak_db(left + center - x[0]) <= -120
    assert peak_db(right + center - x[1]) <= -120


@pytest.mark.parametrize("sample_rate", RATES)
def test_mono_goes_to_the_center(sample_rate):
    x = noise(channels=1)[[0, 0]]
    left, right, center = upmix(x, sample_rate=sample_rate)
    assert rms_db(left) - rms_db(x) <= -60
    assert rms_db(right) - rms_db(x) <= -60
    assert abs(rms_db(center) - rms_db(x)) <= 0.01


@pytest.mark.parametrize("channel", [0, 1])
@pytest.mark.parametrize("sample_rate", RATES)
def test_hard_panned_sound_stays_out_of_the_center(channel, sample_rate):
    x = noise()
    x[1 - channel] = 0
    center = upmix(x, sample_rate=sample_rate)[2]
    assert rms_db(center) - rms_db(x[channel]) <= -30


def test_antiphase_sound_stays_out_of_the_center():
    x = noise(channels=1)[[0, 0]] * np.float32([[1], [-1]])
    assert rms_db(upmix(x)[2]) - rms_db(x) <= -60


def test_center_is_less_correlated_with_the_side_than_mid_is():
    rng = np.random.default_rng(1)
    voice, left, right = rng.standard_normal((3, 96_000)) * [[0.2], [0.15], [0.05]]
    x = np.stack([voice + left, voice + right]).astype(np.float32)
    center = upmix(x)[2]
    side, mid = x[0] - x[1], x[0] + x[1]
    settled = slice(4800, None)
    of_center, of_mid = (abs(np.corrcoef(p[settled], side[settled])[0, 1]) for p in (center, mid))
    assert of_center <= 0.5 * of_mid


def test_center_comes_closer_to_a_voice_between_hard_panned_sources_than_mid_does():
    """Signal-to-distortion ratio of the centre against that of passive M = (L + R) / 2."""
    rng = np.random.default_rng(2)
    envelope = 0.5 + 0.5 * np.sign(
        np.sin(2 * np.pi * np.arange(96_000)[None] / np.array([[16_000], [11_000], [7_000]]))
    )
    voice, left, right = 0.2 * envelope * rng.standard_normal((3, 96_000))
    x = np.stack([voice + left, voice + right]).astype(np.float32)
    center = upmix(x)[2]

    def sdr_db(estimate):
        return rms_db(voice) - rms_db(estimate - voice)

    assert sdr_db(center) >= sdr_db((x[0] + x[1]) / 2) + 3


def test_amount_zero_extracts_nothing():
    x = noise()
    left, right, center = upmix(x, amount=0.0)
    assert np.array_equal(left, x[0])
    assert np.array_equal(right, x[1])
    assert not center.any()


def test_any_split_into_blocks_gives_the_same_output():
    x = noise()
    assert np.array_equal(in_blocks(_core.Upmix(48_000).process, x, [1, 17, 64, 480, 3]), upmix(x))


def test_reset_equals_fresh():
    x = noise()
    processor = _core.Upmix(48_000)
    first = processor.process(x)
    processor.reset()
    assert np.array_equal(processor.process(x), first)


def test_latency_is_zero():
    x = np.zeros((2, 64), np.float32)
    x[:, 10] = 0.5
    center = upmix(x)[2]
    assert _core.Upmix(48_000).latency_frames == 0
    assert not center[:10].any()
    assert db(center[10] / 0.5) >= -0.1


def test_silence_and_tiny_sound_stay_finite():
    for level in (0.0, 1e-30, 1e-12):
        assert np.isfinite(upmix(noise(level=level))).all()
