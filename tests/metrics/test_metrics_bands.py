"""Bands, smoothing and ripple against sums done by hand."""

import numpy as np
import pytest

from forestage.metrics.bands import ear_bands, log_grid, octave_means, smoothed_db
from forestage.metrics.colour import ripple_db


def test_octave_means_are_the_means_of_the_points_inside():
    frequency = log_grid(100.0, 12_800.0, per_octave=12)
    values = np.random.default_rng(1).standard_normal((3, len(frequency)))
    expected = [values[:, 12 * k : 12 * (k + 1)].mean(axis=1) for k in range(1, 6)]
    np.testing.assert_allclose(octave_means(frequency, values), np.stack(expected, axis=-1), atol=1e-12)


def test_octave_without_a_frequency_is_named():
    with pytest.raises(ValueError, match="none within 1600-3200 Hz"):
        octave_means([300.0, 500.0, 1000.0, 5000.0], [0.0] * 4)


def test_smoothing_keeps_a_slope_and_fills_a_notch():
    frequency = log_grid(50.0, 20_000.0, per_octave=96)
    inside = slice(96, -96)
    slope = 3.0 * np.log2(frequency)
    np.testing.assert_allclose(smoothed_db(frequency, slope)[inside], slope[inside], atol=0.02)
    notch = np.where(np.arange(len(frequency)) == len(frequency) // 2, -60.0, 0.0)
    height = 2 * np.sqrt(np.log(2.0) / np.pi) * 6 / 96  # of a Gaussian of unit area, a sixth of an octave wide
    assert smoothed_db(frequency, notch).min() == pytest.approx(10 * np.log10(1.0 - height), abs=0.01)


def test_window_is_a_sixth_of_an_octave_wide_at_half_height():
    frequency = log_grid(50.0, 20_000.0, per_octave=96)
    peak = np.where(np.arange(len(frequency)) == len(frequency) // 2, 0.0, -120.0)
    smooth = smoothed_db(frequency, peak)
    above = frequency[smooth > smooth.max() - 10 * np.log10(2.0) - 1e-6]
    assert np.log2(above[-1] / above[0]) == pytest.approx(1 / 6, abs=0.02)


@pytest.mark.parametrize("depth_db", [0.5, 3.0])
def test_ripple_is_half_the_span_within_its_band(depth_db):
    frequency = log_grid(60.0, 16_000.0, per_octave=48)
    wave = depth_db * np.sin(2 * np.pi * np.log2(frequency / 100.0) / 2.0)  # one period in two octaves
    beyond = np.where(frequency > 12_000.0, -40.0, 0.0)
    # a sixth of an octave flattens a period of two by 2 %
    assert ripple_db(frequency, wave + beyond) == pytest.approx(depth_db, rel=0.03)


def test_ears_bands_have_the_bandwidths_of_glasberg_and_moore():
    """The area under the power response of a gammatone filter is its equivalent rectangular bandwidth."""
    frequency = np.arange(0.0, 12_000.0, 1.0)
    bands = ear_bands(frequency, low_hz=200.0, high_hz=6000.0, count=5)
    centre = frequency[bands.argmax(axis=1)]
    np.testing.assert_allclose(bands.sum(axis=1), 24.7 + 0.108 * centre, rtol=0.02)
    numbers = 21.4 * np.log10(1.0 + 0.00437 * centre)
    np.testing.assert_allclose(np.diff(numbers), np.diff(numbers)[0], rtol=0.01)
