"""Figures of rooms against closed forms and scipy."""

import numpy as np
import pytest
from scipy.signal import coherence, fftconvolve

from forestage.metrics.room import (
    clarity_db,
    critical_distance_by_drr_m,
    decay_db,
    drr_db,
    early_lateral_fraction,
    iacc,
    iacc_late,
    onset_frame,
    rt60_s,
    source_ear_coherence,
)

RATE = 48_000
FRAMES = RATE // 2


def taps(**at_ms):
    """A response of single taps: ``at_10=0.5`` is 0.5 at 10 ms."""
    ir = np.zeros(FRAMES)
    for name, value in at_ms.items():
        ir[round(float(name.removeprefix("at_")) * 1e-3 * RATE)] = value
    return ir


def decaying_noise(rt60, *, channels=1, seed=0, frames=FRAMES):
    time = np.arange(frames) / RATE
    noise = np.random.default_rng(seed).standard_normal((channels, frames))
    return noise * 10 ** (-3 * time / rt60)


def test_onset_is_within_20_db_of_the_peak():
    assert onset_frame(taps(at_5=0.09, at_10=0.11, at_20=1.0)) == 480


def test_silence_has_no_onset():
    with pytest.raises(ValueError, match="silent"):
        onset_frame(np.zeros(10))


@pytest.mark.parametrize("direct_ms", [2.5, 6.0])
def test_drr_divides_energy_at_the_end_of_the_direct_sound(direct_ms):
    ir = taps(at_10=1.0, at_14=0.5, at_100=0.25)
    early = 1.0 + (0.25 if direct_ms > 4 else 0.0)
    late = 0.0625 + (0.25 if direct_ms < 4 else 0.0)
    assert drr_db(ir, sample_rate=RATE, direct_ms=direct_ms) == pytest.approx(10 * np.log10(early / late))


def test_drr_in_a_band_counts_only_what_is_in_it():
    """A reflection above the band is not heard in it; 0.1 dB: a windowed tone has skirts."""
    ir = taps(at_10=1.0, at_100=0.1)
    at = slice(9600, 14_400)
    ir[at] += 0.05 * np.sin(2 * np.pi * 6000 * np.arange(4800) / RATE) * np.hanning(4800)
    assert drr_db(ir, sample_rate=RATE, band_hz=(250, 1000)) == pytest.approx(20.0, abs=0.1)
    assert drr_db(ir, sample_rate=RATE, band_hz=(5000, 7000)) < 15


@pytest.mark.parametrize("rt60", [0.2, 0.4])
def test_clarity_of_an_exponential_decay_is_the_textbooks(rt60):
    """C50 = 10 log10(exp(13.8 * 0.05 / T) - 1)."""
    ir = 10 ** (-3 * np.arange(RATE) / RATE / rt60)
    expected = 10 * np.log10(np.exp(6 * np.log(10) * 0.05 / rt60) - 1)
    assert clarity_db(ir, sample_rate=RATE) == pytest.approx(expected, abs=0.01)


def test_direct_and_reverberant_sound_are_equal_at_the_critical_distance():
    assert critical_distance_by_drr_m(0.0, 1.7) == pytest.approx(1.7)
    assert critical_distance_by_drr_m(-12.04, 4.0) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(("angle_deg", "cosine"), [(0.0, 1.0), (60.0, 0.5), (90.0, 0.0)])
def test_lateral_fraction_of_one_reflection_is_its_share_and_direction(angle_deg, cosine):
    omni = taps(at_10=1.0, at_40=0.5)
    sides = taps(at_40=0.5 * np.cos(np.deg2rad(angle_deg)))
    expected = 0.25 * cosine**2 / 1.25
    assert early_lateral_fraction(omni, sides, sample_rate=RATE) == pytest.approx(expected, abs=1e-9)


def test_lateral_fraction_leaves_out_the_first_5_and_all_after_80_ms():
    omni = taps(at_10=1.0, at_12=1.0, at_95=1.0)
    assert early_lateral_fraction(omni, omni, sample_rate=RATE) == 0.0


def test_equal_ears_correlate_fully():
    ear = decaying_noise(0.3)[0]
    assert iacc(np.stack([ear, ear]), sample_rate=RATE) == pytest.approx(1.0)


@pytest.mark.parametrize(("delay_frames", "expected"), [(30, 1.0), (70, 0.0)])
def test_correlation_is_looked_for_within_one_millisecond(delay_frames, expected):
    ear = taps(at_10=1.0)
    ears = np.stack([ear, np.roll(ear, delay_frames)])
    assert iacc(ears, sample_rate=RATE) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_correlation_of_mixed_noise_is_the_share_of_what_is_common(share):
    """Within 0.05: half a second of noise has 24000 degrees of freedom, the largest of 97 lags adds to that."""
    common, left, right = np.random.default_rng(3).standard_normal((3, FRAMES))
    own = np.sqrt(1 - share)
    ears = np.sqrt(share) * common + own * np.stack([left, right])
    assert iacc(ears, sample_rate=RATE, end_ms=500.0) == pytest.approx(share, abs=0.05)


def test_late_correlation_begins_at_80_ms():
    early, *late = decaying_noise(10.0, channels=3)
    ears = np.stack(late)
    ears[:, : round(0.08 * RATE)] = early[: round(0.08 * RATE)]
    assert iacc(ears, sample_rate=RATE) > 0.95
    assert iacc_late(ears, sample_rate=RATE) < 0.1


def test_schroeder_curve_of_an_exponential_is_a_line():
    ir = 10 ** (-3 * np.arange(2 * RATE) / RATE / 0.4)
    curve = decay_db(ir, sample_rate=RATE)
    assert curve[round(0.2 * RATE)] == pytest.approx(-30.0, abs=0.01)


@pytest.mark.parametrize("fit_db", [(-5.0, -25.0), (-5.0, -35.0)])
@pytest.mark.parametrize("band_hz", [None, (707.0, 1414.0)])
def test_rt60_of_decaying_noise_is_its_decay(band_hz, fit_db):
    """Within 4 %: an octave of noise leaves that much to chance."""
    ir = decaying_noise(0.4, channels=4, seed=2)
    times = rt60_s(ir, sample_rate=RATE, band_hz=band_hz, fit_db=fit_db)
    assert times.shape == (4,)
    assert np.mean(times) == pytest.approx(0.4, rel=0.04)


def test_rt60_refuses_what_does_not_decay():
    with pytest.raises(ValueError, match="must decay by more than 25 dB"):
        rt60_s(np.r_[np.ones(100), np.zeros(0)], sample_rate=RATE)


def test_coherence_is_what_welchs_method_finds():
    """Against scipy on 40 s of noise through a response with a direct sound; 0.03: 800 averages."""
    ir = 0.05 * decaying_noise(0.5, seed=5)[0]
    ir[0] = 1.0
    noise = np.random.default_rng(6).standard_normal(40 * RATE)
    heard = fftconvolve(noise, ir)[: len(noise)]
    length = round(0.1 * RATE)
    frequency, expected = coherence(noise, heard, RATE, "hann", nperseg=length, detrend=False)
    ours_hz, ours = source_ear_coherence(ir, sample_rate=RATE)
    for low in (500, 2000, 8000):
        expected_here = expected[(frequency >= low) & (frequency < 1.5 * low)].mean()
        assert ours[(ours_hz >= low) & (ours_hz < 1.5 * low)].mean() == pytest.approx(expected_here, abs=0.03)


def test_direct_sound_alone_is_coherent():
    assert np.min(source_ear_coherence(taps(at_10=0.3), sample_rate=RATE)[1]) == pytest.approx(1.0)


def test_coherence_falls_with_what_arrives_late():
    _, near = source_ear_coherence(taps(at_10=1.0, at_200=0.5), sample_rate=RATE)
    _, far = source_ear_coherence(taps(at_10=1.0, at_200=1.0), sample_rate=RATE)
    assert np.mean(near) == pytest.approx(1 / 1.25, abs=0.01)
    assert np.mean(far) == pytest.approx(1 / 2, abs=0.01)


@pytest.mark.parametrize("measure", [drr_db, clarity_db])
def test_band_without_frequencies_is_refused(measure):
    with pytest.raises(ValueError, match="band_hz = .*must rise"):
        measure(taps(at_10=1.0, at_100=0.5), sample_rate=RATE, band_hz=(1000.0, 500.0))


def test_response_that_ends_early_is_refused():
    with pytest.raises(ValueError, match="nothing between 80 and 500 ms"):
        iacc_late(np.ones((2, 2000)), sample_rate=RATE)
