"""Equalisers of the drivers as filters: crossover, inverse response, level, polarity, and the delay to the latest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import butter, sosfreqz

from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.driver_response import early_s, inverse_db, minimum_phase, signed_gain
from forestage.acoustics.patterns import band_end
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.filters import LENGTH_S, grid_for, taps_for, to_fir

# In front of filters that delay by parts of a frame, whose band then ends gently; ear responses take the lead out again
LEAD_S = 16 / SAMPLE_RATE
PERIODS_OF_LOWEST_EDGE = 2.0


def driver_eq_firs(device: Device, *, sample_rate: int) -> FloatArray:
    """Equalisers of all drivers, shape (drivers, taps); (0, 0) when no driver needs one."""
    if not any(map(_needs_equaliser, device.drivers)):
        return np.zeros((0, 0))
    edges = [edge for driver in device.drivers for edge in (driver.low_hz, driver.high_hz) if edge is not None]
    length_s = max([LENGTH_S, *(PERIODS_OF_LOWEST_EDGE / edge for edge in edges)])
    frequency = grid_for(sample_rate)
    responses = equalisers(device, frequency, sample_rate=sample_rate)
    return to_fir(responses, taps=taps_for(sample_rate, length_s=length_s), delay_frames=0)


def equalisers(device: Device, frequency_hz: ArrayLike, *, sample_rate: int) -> ComplexArray:
    """Responses of the equalisers on the bins of an even real transform, shape (drivers, bins)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    early = early_s(device)[:, None]
    late = np.ones((1, len(frequency)), dtype=np.complex128)
    if early.any():
        lead_s = round(LEAD_S * sample_rate) / sample_rate
        late = band_end(frequency, sample_rate) * np.exp(-2j * np.pi * (early + lead_s) * frequency)
    inverse = np.stack([inverse_db(driver, frequency) for driver in device.drivers])
    gains = np.array([1.0 / signed_gain(driver) for driver in device.drivers])
    crossovers = np.stack([_digital_crossover(driver, frequency, sample_rate) for driver in device.drivers])
    return minimum_phase(10.0 ** (inverse / 20)) * gains[:, None] * crossovers * late


def _needs_equaliser(driver: Driver) -> bool:
    return (
        bool(driver.response_db or driver.max_db)
        or driver.low_hz is not None
        or driver.high_hz is not None
        or driver.level_db != 0.0
        or driver.delay_ms != 0.0
        or driver.inverted
    )


def _digital_crossover(driver: Driver, frequency: FloatArray, sample_rate: int) -> ComplexArray:
    """Bilinear transforms: causal, and neighbours still add up to an all-pass at every rate."""
    response = np.ones(len(frequency), dtype=np.complex128)
    if driver.low_hz is not None:
        sections = butter(2, driver.low_hz, "highpass", output="sos", fs=sample_rate)
        response *= sosfreqz(sections, frequency, fs=sample_rate)[1] ** 2
    if driver.high_hz is not None:
        sections = butter(2, driver.high_hz, "lowpass", output="sos", fs=sample_rate)
        response *= sosfreqz(sections, frequency, fs=sample_rate)[1] ** 2
    return response
