"""Equalisers of the drivers as filters: crossover, inverse response, level, polarity, and the delay to the latest.

Beside them stand the filters by which drivers play the bass of others; they go through the same equalisers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import butter, sosfreqz

from forestage.acoustics.crossover import Edge, bass_paths, own_paths
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
    responses = equalisers(device, grid_for(sample_rate), sample_rate=sample_rate)
    return to_fir(responses, taps=_taps(device, sample_rate), delay_frames=0)


def bass_firs(device: Device, *, sample_rate: int) -> FloatArray:
    """Filters by which drivers play the bass of others, shape (drivers, from drivers, taps); (0, 0, 0) without any."""
    responses = bass_equalisers(device, grid_for(sample_rate), sample_rate=sample_rate)
    if not len(responses):
        return np.zeros((0, 0, 0))
    firs = to_fir(responses, taps=_taps(device, sample_rate), delay_frames=0)
    return np.where(responses.any(axis=-1, keepdims=True), firs, 0.0)


def _taps(device: Device, sample_rate: int) -> int:
    """Length with which the lowest of all edges and resonances fades."""
    edges = [edge for driver in device.drivers for edge in (driver.low_hz, driver.high_hz) if edge is not None]
    edges += [driver.thiele_small.fs_hz for driver in device.drivers if driver.thiele_small is not None]
    return taps_for(sample_rate, length_s=max([LENGTH_S, *(PERIODS_OF_LOWEST_EDGE / edge for edge in edges)]))


def equalisers(device: Device, frequency_hz: ArrayLike, *, sample_rate: int) -> ComplexArray:
    """Responses of the equalisers on the bins of an even real transform, shape (drivers, bins)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    return _made_up(device, frequency, sample_rate) * own_paths(device, _digital(frequency, sample_rate), frequency)


def bass_equalisers(device: Device, frequency_hz: ArrayLike, *, sample_rate: int) -> ComplexArray:
    """Responses to each driver from the feed of each other one, shape (drivers, from drivers, bins), or (0, 0, 0)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    paths = bass_paths(device, _digital(frequency, sample_rate), frequency)
    count = len(device.drivers) if paths else 0
    responses = np.zeros((count, count, len(frequency) if paths else 0), dtype=np.complex128)
    if paths:
        made_up = _made_up(device, frequency, sample_rate)
        for route, path in paths:
            responses[route.target, route.source] = made_up[route.target] * path
    return responses


def _made_up(device: Device, frequency: FloatArray, sample_rate: int) -> ComplexArray:
    """What drivers differ by, made up for, shape (drivers, bins)."""
    early = early_s(device)[:, None]
    late = np.ones((1, len(frequency)), dtype=np.complex128)
    if early.any():
        lead_s = round(LEAD_S * sample_rate) / sample_rate
        late = band_end(frequency, sample_rate) * np.exp(-2j * np.pi * (early + lead_s) * frequency)
    inverse = np.stack([inverse_db(driver, frequency) for driver in device.drivers])
    gains = np.array([1.0 / signed_gain(driver) for driver in device.drivers])
    return minimum_phase(10.0 ** (inverse / 20)) * gains[:, None] * late


def _needs_equaliser(driver: Driver) -> bool:
    return (
        bool(driver.response_db)
        or driver.is_limited
        or driver.low_hz is not None
        or driver.high_hz is not None
        or driver.level_db != 0.0
        or driver.delay_ms != 0.0
        or driver.inverted
    )


def _digital(frequency: FloatArray, sample_rate: int) -> Edge:
    """Bilinear transforms: causal, and neighbours still add up to an all-pass at every rate."""

    def edge(edge_hz: float, is_high: bool) -> ComplexArray:
        sections = butter(2, edge_hz, "highpass" if is_high else "lowpass", output="sos", fs=sample_rate)
        response: ComplexArray = sosfreqz(sections, frequency, fs=sample_rate)[1] ** 2
        return response

    return edge
