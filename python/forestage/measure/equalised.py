"""Impulse responses as a device file has them: of drivers behind their equalisers, from one time on."""

from __future__ import annotations

import numpy as np

from forestage.arrays import FloatArray
from forestage.measure.colour import behind_equalisers
from forestage.measure.deconvolve import BEFORE_S
from forestage.measure.quality import bins_hz
from forestage.measure.take import Measurement

# Before the sound could leave the driver of the markers
LEAD_S = 2e-3


def equalised_impulses(measurement: Measurement) -> FloatArray:
    """Responses of the drivers behind their equalisers, from `LEAD_S` before their sound leaves the markers' driver.

    Returns
    -------
    ndarray, shape (drivers, places, ears, frames)
    """
    rate = measurement.sample_rate
    frames = measurement.gated.shape[-1]
    frequency = bins_hz(2 * frames, rate)
    made_up = behind_equalisers(measurement.device, frequency)[:, None, None]
    moved_s = LEAD_S + measurement.flights_s()[None, :, None, None] - BEFORE_S
    found = np.fft.rfft(measurement.gated, 2 * frames) / made_up * np.exp(-2j * np.pi * frequency * moved_s)
    length = round((LEAD_S + BEFORE_S + float(measurement.flights_s().max()) + measurement.window_s + 0.02) * rate)
    return np.fft.irfft(found)[..., :length]
