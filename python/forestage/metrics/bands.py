"""Frequency bands that the figures are given in: octaves, the bands of the ear, and smoothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.arrays import FloatArray

OCTAVE_EDGES_HZ = (200.0, 400.0, 800.0, 1600.0, 3200.0, 6400.0)
OCTAVES = tuple(f"{low:g}-{high:g} Hz" for low, high in zip(OCTAVE_EDGES_HZ[:-1], OCTAVE_EDGES_HZ[1:], strict=True))


def log_grid(low_hz: float, high_hz: float, *, per_octave: int) -> FloatArray:
    """Frequencies from ``low_hz`` to ``high_hz``, even over the logarithm.

    Examples
    --------
    >>> log_grid(200.0, 800.0, per_octave=1).round(6).tolist()
    [200.0, 400.0, 800.0]
    """
    return np.geomspace(low_hz, high_hz, 1 + round(per_octave * np.log2(high_hz / low_hz)))


def octave_means(frequency_hz: ArrayLike, values: ArrayLike) -> FloatArray:
    """Mean over each octave between `OCTAVE_EDGES_HZ`.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies, even over the logarithm, some in every octave.
    values : array_like, shape (..., n)
        Values, usually in dB.

    Returns
    -------
    ndarray, shape (..., 5)

    Examples
    --------
    >>> octave_means([250.0, 500.0, 1000.0, 2000.0, 4000.0], [1.0, 2.0, 3.0, 4.0, 5.0]).tolist()
    [1.0, 2.0, 3.0, 4.0, 5.0]
    """
    octave = np.digitize(np.asarray(frequency_hz, dtype=np.float64), OCTAVE_EDGES_HZ) - 1
    inside = octave == np.arange(len(OCTAVES))[:, None]
    for name, count in zip(OCTAVES, inside.sum(axis=1), strict=True):
        if not count:
            raise ValueError(f"frequency_hz: none within {name}; every octave needs some")
    return np.asarray(values, dtype=np.float64) @ (inside / inside.sum(axis=1, keepdims=True)).T


def octave_window(frequency_hz: ArrayLike, octaves: float) -> FloatArray:
    """Gaussian windows around each frequency, so wide between their points at half height, shape (n, n)."""
    place = np.log2(np.asarray(frequency_hz, dtype=np.float64))
    window: FloatArray = np.exp2(-(((place - place[:, None]) / (octaves / 2)) ** 2))
    return window


def smoothed_db(frequency_hz: ArrayLike, level_db: ArrayLike, *, octaves: float = 1 / 6) -> FloatArray:
    """Levels with their power averaged over a Gaussian window on the logarithm of frequency.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies, even over the logarithm.
    level_db : array_like, shape (..., n)
        Levels in dB.
    octaves : float
        Width of the window between its points at half height.

    Returns
    -------
    ndarray, shape (..., n)
    """
    window = octave_window(frequency_hz, octaves)
    power = 10 ** (np.asarray(level_db, dtype=np.float64) / 10)
    return 10 * np.log10(power @ (window / window.sum(axis=1, keepdims=True)).T)


def ear_centres_hz(*, low_hz: float, high_hz: float, count: int) -> FloatArray:
    """Frequencies evenly spaced on the ERB-number scale, shape (count,).

    Examples
    --------
    >>> ear_centres_hz(low_hz=200.0, high_hz=1500.0, count=3).round().tolist()
    [200.0, 632.0, 1500.0]
    """
    number = np.linspace(np.log1p(0.00437 * low_hz), np.log1p(0.00437 * high_hz), count)
    return np.expm1(number) / 0.00437


def ear_bands(frequency_hz: ArrayLike, *, low_hz: float, high_hz: float, count: int) -> FloatArray:
    """Power weights of the ear's bands: fourth-order gammatone filters, evenly spaced on the ERB-number scale.

    Bandwidths are those of Glasberg and Moore (1990), 24.7 Hz + 0.108 times the centre frequency; the shape is the
    usual symmetric approximation ``(1 + ((f - centre) / (1.019 bandwidth))^2)^-4``.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    low_hz, high_hz : float
        Centres of the lowest and of the highest band.
    count : int
        Number of bands.

    Returns
    -------
    ndarray, shape (count, n)
        1 at the centres.
    """
    centre = ear_centres_hz(low_hz=low_hz, high_hz=high_hz, count=count)[:, None]
    bandwidth = 24.7 * (1.0 + 0.00437 * centre)
    return (1.0 + ((np.asarray(frequency_hz) - centre) / (1.019 * bandwidth)) ** 2) ** -4
