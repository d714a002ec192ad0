"""What a set of driver filters radiates around the device, and the figures of a beam."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.device import Device
from forestage.acoustics.plant import directivity
from forestage.arrays import ComplexArray, FloatArray
from forestage.firs import response_of

FRONT_DEG = 45.0
SIDES_DEG = (70.0, 110.0)
AZIMUTH_DEG = np.arange(-180.0, 181.0, 2.5)


def pattern(
    device: Device,
    firs: ArrayLike,
    frequency_hz: ArrayLike,
    *,
    sample_rate: int,
    azimuth_deg: ArrayLike = AZIMUTH_DEG,
    distance_m: float | None = None,
) -> ComplexArray:
    """Pressure around the device for one filter per driver.

    Parameters
    ----------
    device : Device
        The device.
    firs : array_like, shape (drivers, taps)
        One filter per driver; ``[[1.0], [1.0], [0.0]]`` is a plain mix.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    sample_rate : int
        Rate of the filters.
    azimuth_deg : array_like, shape (k,)
        Azimuths in degrees.
    distance_m : float, optional
        Distance from the device; the listener's by default.

    Returns
    -------
    ndarray of complex, shape (k, n)
    """
    filters = response_of(firs, frequency_hz, sample_rate=sample_rate)
    return np.einsum("daf,df->af", directivity(device, frequency_hz, azimuth_deg, distance_m=distance_m), filters)


def on_off_db(pressure: ArrayLike, azimuth_deg: ArrayLike = AZIMUTH_DEG) -> FloatArray:
    """Mean power within +-45 degrees over mean power within 70 to 110 degrees on both sides, in dB, shape (n,)."""
    azimuth = np.abs(np.asarray(azimuth_deg))
    power = np.abs(np.asarray(pressure)) ** 2
    sides = (azimuth >= SIDES_DEG[0]) & (azimuth <= SIDES_DEG[1])
    return 10 * np.log10(power[azimuth <= FRONT_DEG].mean(axis=0) / power[sides].mean(axis=0))


def window_db(pressure: ArrayLike, azimuth_deg: ArrayLike = AZIMUTH_DEG) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest level within +-45 degrees relative to the axis, in dB, each of shape (n,)."""
    azimuth = np.abs(np.asarray(azimuth_deg))
    level = 20 * np.log10(np.abs(np.asarray(pressure)))
    relative = level[azimuth <= FRONT_DEG] - level[np.argmin(azimuth)]
    return relative.min(axis=0), relative.max(axis=0)


def white_noise_gain_db(device: Device, firs: ArrayLike, frequency_hz: ArrayLike, *, sample_rate: int) -> FloatArray:
    """Power on axis over driver power, relative to the strongest single driver, in dB, shape (n,)."""
    filters = response_of(firs, frequency_hz, sample_rate=sample_rate)
    axis = directivity(device, frequency_hz, [0.0])[:, 0]
    power = np.abs(np.sum(axis * filters, axis=0)) ** 2 / np.sum(np.abs(filters) ** 2, axis=0)
    return 10 * np.log10(power / np.max(np.abs(axis) ** 2, axis=0))
