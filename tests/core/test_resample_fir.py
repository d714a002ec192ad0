"""Filters carried to another rate keep their frequency response and the place of their main tap."""

import time

import numpy as np
import pytest
from scipy import signal

from forestage import _core, load_preset
from signals import db


def response(taps, frequency_hz, sample_rate, delay_frames):
    frames = np.arange(len(taps)) - delay_frames
    return np.exp(-2j * np.pi * np.outer(frequency_hz / sample_rate, frames)) @ np.asarray(taps, np.float64)


@pytest.mark.parametrize(
    ("from_rate", "to_rate"), [(48_000, 44_100), (96_000, 50_000), (44_100, 48_000), (48_000, 192_000)]
)
@pytest.mark.parametrize("fraction", [0.0, 0.37])
def test_response_is_kept(from_rate, to_rate, fraction):
    """-80 dB up to 0.8 of the lower Nyquist: above begins the transition band of the interpolator."""
    to_delay = round(100 * to_rate / from_rate) + fraction
    taps = signal.firwin2(201, [0, 500, 3000, 9000, from_rate / 2], [1, 0.3, 1, 0.5, 0.5], fs=from_rate).astype(
        np.float32
    )
    found = _core.resample_fir(taps, from_rate=from_rate, from_delay=100, to_rate=to_rate, to_delay=to_delay)
    frequency_hz = np.linspace(50, 0.4 * min(from_rate, to_rate), 300)
    error = response(found, frequency_hz, to_rate, to_delay) - response(taps, frequency_hz, from_rate, 100)
    assert np.max(db(error)) <= -80


@pytest.mark.slow
@pytest.mark.parametrize(("from_rate", "to_rate"), [(48_000, 44_100), (48_000, 192_000), (44_100, 48_001)])
def test_end_of_a_long_filter_arrives_on_time(from_rate, to_rate):
    """A tap half a second after the main one, at -80 dB; most weights have been used many times until then."""
    late = from_rate // 2
    taps = np.zeros(late + 200, np.float32)
    taps[100 + late] = 1
    found = _core.resample_fir(taps, from_rate=from_rate, from_delay=100, to_rate=to_rate, to_delay=100)
    frequency_hz = np.linspace(50, 0.4 * min(from_rate, to_rate), 100)
    expected = np.exp(-2j * np.pi * frequency_hz * late / from_rate)
    assert np.max(db(response(found, frequency_hz, to_rate, 100) - expected)) <= -80


def test_preset_loads_at_once_at_a_rate_without_a_common_divisor():
    engine, preset = _core.Engine(47_999), load_preset("laptop")
    start = time.process_time()
    engine.load("A", preset)
    assert time.process_time() - start < 0.4
