"""Equalisation of drivers whose response is known, and that response itself, both minimum-phase."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.device import Device, Driver
from forestage.acoustics.head import ComplexArray, FloatArray
from forestage.design.filters import grid_for, minimum_phase, taps_for, to_fir

LIMIT_DB = 12.0


def response_db(driver: Driver, frequency_hz: ArrayLike) -> FloatArray:
    """Level of a driver: its breakpoints joined over the logarithm of frequency, held outside; 0 without any.

    Examples
    --------
    >>> driver = Driver("a", "left", (0.0, 0.0, 0.0), response_db=((100.0, -6.0), (400.0, 0.0)))
    >>> response_db(driver, [50.0, 200.0, 800.0]).round(6).tolist()
    [-6.0, -3.0, 0.0]
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    if not driver.response_db:
        return np.zeros_like(frequency)
    points = np.array(driver.response_db)
    return np.interp(np.log(np.maximum(frequency, 1.0)), np.log(points[:, 0]), points[:, 1])


def driver_responses(device: Device, frequency_hz: ArrayLike) -> ComplexArray:
    """Minimum-phase responses of all drivers on the bins of an even real transform, shape (drivers, bins)."""
    levels = np.stack([response_db(driver, frequency_hz) for driver in device.drivers])
    return minimum_phase(10.0 ** (levels / 20))


def driver_eq_firs(device: Device, *, sample_rate: int) -> FloatArray:
    """Inverse of the drivers' responses within +-12 dB, shape (drivers, taps); (0, 0) when no driver has any."""
    if not any(driver.response_db for driver in device.drivers):
        return np.zeros((0, 0))
    frequency = grid_for(sample_rate)
    levels = np.stack([response_db(driver, frequency) for driver in device.drivers])
    inverse = minimum_phase(10.0 ** (np.clip(-levels, -LIMIT_DB, LIMIT_DB) / 20))
    return to_fir(inverse, taps=taps_for(sample_rate), delay_frames=0)
