"""Peaks of loud music, and the gain that leaves room for them."""

import numpy as np
import pytest
from scipy.signal import resample_poly

from forestage.metrics.level import (
    MOST_HEADROOM_DB,
    loud_programme,
    mastered,
    programme_headroom_db,
    true_peak_dbtp,
    true_peaks,
)
from forestage.metrics.loudness import loudness_lufs, programme


def test_true_peak_of_a_tone_between_its_frames():
    """A quarter of the sample rate, 45 degrees off: frames at -3.01 dB, peaks at 0 dB between them."""
    x = np.sin(2 * np.pi * np.arange(4000) / 4 + np.pi / 4) * np.hanning(4000)
    assert 20 * np.log10(np.abs(x).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_dbtp(x) == pytest.approx(0.0, abs=0.1)
    assert true_peaks(x).shape == (4000,)


@pytest.mark.parametrize("frames", [1, 7, 50_000])
def test_true_peaks_are_those_of_four_times_the_sample_rate(frames):
    x = np.random.default_rng(4).standard_normal((2, frames))
    fine = np.abs(resample_poly(np.pad(x, ((0, 0), (1, 1))), 4, 1, axis=-1)).max(axis=0)
    expected = np.array([fine[4 * n + 1 : 4 * n + 8].max() for n in range(frames)])
    np.testing.assert_allclose(true_peaks(x), expected, rtol=1e-3)  # its own frames are 0.05 % too high


def test_mastered_has_the_loudness_and_the_true_peak():
    x = mastered(programme())
    assert loudness_lufs(x, sample_rate=48_000) == pytest.approx(-9.0, abs=0.3)
    assert true_peak_dbtp(x) == pytest.approx(0.0, abs=0.01)


def test_loud_programme_is_five_kinds_at_full_scale():
    kinds = loud_programme(seconds=2.0)
    assert len(kinds) == 5
    for x in kinds:
        assert x.shape == (2, 96_000)
        assert true_peak_dbtp(x) == pytest.approx(0.0, abs=0.01)
        assert loudness_lufs(x, sample_rate=48_000) > -12


def test_headroom_is_what_all_but_the_rarest_moments_need():
    """Three moments of 400 are higher, more than the share that may be: they count, but for the dB left to limit."""
    x = np.full((1, 400 * 2400), 0.5)
    for at in (30_000, 300_000, 600_000):
        x[0, at : at + 100] = 10.0 ** (4.0 / 20)
    headroom_db, limited_db = programme_headroom_db([("Speakers", x)])
    assert headroom_db == pytest.approx(-3.5, abs=0.8)  # steps ring between their frames
    assert limited_db == pytest.approx(0.5, abs=0.01)
    quiet = ("Headphones", np.full((1, 400 * 2400), 0.1))
    assert programme_headroom_db([quiet, ("Speakers", 4.0 * x), quiet]) == (-MOST_HEADROOM_DB, pytest.approx(10, abs=1))
    x[0, 600_000:600_100] = 0.5
    x[0, 300_000:300_100] = 0.5
    assert programme_headroom_db([("Speakers", x)]) == (0.0, 0.0)


def test_what_a_tenth_of_all_moments_needs_is_not_left_to_the_limiter():
    """A monitor that is 8.5 dB above full scale all the time with one of two programmes, and one that always is."""
    loud, soft = (np.full((1, 40 * 2400), 10.0 ** (db / 20)) for db in (8.5, -3.0))
    loud, soft = (each * np.hanning(each.shape[1]) ** 0.01 for each in (loud, soft))
    assert programme_headroom_db([("Speakers", loud), ("Speakers", soft)]) == pytest.approx((-8.0, 0.5), abs=0.1)
    rare = np.concatenate([loud[:, : 3 * 2400], soft], axis=1)
    assert programme_headroom_db([("Speakers", rare)])[0] == -MOST_HEADROOM_DB
    assert programme_headroom_db([("Speakers", 2.0 * loud)])[0] == pytest.approx(-10.0, abs=0.1)
