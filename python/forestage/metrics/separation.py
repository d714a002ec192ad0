"""Responses at the ears, and the separation there."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.firs import response_of
from forestage.metrics.bands import octave_means

# What a figure in dB takes for nothing: headphones reach one ear alone
SILENCE = 1e-6


def ear_responses(
    plant: Plant, firs: ArrayLike, frequency_hz: ArrayLike, *, sample_rate: int, delay_frames: int = 0
) -> ComplexArray:
    """Responses at the ears of channels that reach the drivers through filters.

    Parameters
    ----------
    plant : Plant
        From drivers to ears.
    firs : array_like, shape (drivers, channels, taps)
        Filters.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    sample_rate, delay_frames : int
        Rate of the filters, and a delay to take out.

    Returns
    -------
    ndarray of complex, shape (2, channels, n)
    """
    filters = response_of(firs, frequency_hz, sample_rate=sample_rate, delay_frames=delay_frames)
    return np.einsum("edf,dcf->ecf", plant.at(frequency_hz), filters)


def plain_responses(plant: Plant, frequency_hz: ArrayLike) -> ComplexArray:
    """Responses at the ears of plain stereo on the same device, shape (2, 2, n)."""
    return np.einsum("edf,dc->ecf", plant.at(frequency_hz), plant.plain)


def near_ears(plant: Plant, filters: ArrayLike, frequency_hz: ArrayLike) -> tuple[ComplexArray, ComplexArray]:
    """Responses at the near ear of each channel.

    Parameters
    ----------
    plant : Plant
        From drivers to ears.
    filters : array_like of complex, shape (drivers, 2, n)
        Responses of the filters of the (left, right) channel.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.

    Returns
    -------
    processed, plain : ndarray of complex, shape (2, n)
        Through the filters, and of plain stereo on the same device.
    """
    response = plant.at(frequency_hz)
    processed = np.einsum("cdf,dcf->cf", response, np.asarray(filters))
    return processed, np.einsum("cdf,dc->cf", response, plant.plain)


def separation_db(ears: ArrayLike) -> FloatArray:
    """Level of each channel at its near ear over the far ear.

    Parameters
    ----------
    ears : array_like of complex, shape (2, 2, ..., n)
        Responses [ear, channel], left before right.

    Returns
    -------
    ndarray, shape (2, ..., n)
        For the (left, right) channel, in dB.

    Examples
    --------
    >>> separation_db(np.array([[[1.0], [0.1]], [[0.5], [1.0]]])).round(1).tolist()
    [[6.0], [20.0]]
    """
    p = np.maximum(np.abs(np.asarray(ears)), SILENCE)
    return 20 * np.log10(np.stack([p[0, 0] / p[1, 0], p[1, 1] / p[0, 1]]))


def octave_separation_db(frequency_hz: ArrayLike, ears: ArrayLike) -> FloatArray:
    """Mean separation per octave, of the channel that has less of it there.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, see `octave_means`.
    ears : array_like of complex, shape (2, 2, ..., n)
        Responses [ear, channel], left before right.

    Returns
    -------
    ndarray, shape (..., 5)
        In dB, for the octaves of `forestage.metrics.bands`.
    """
    return octave_means(frequency_hz, separation_db(ears)).min(axis=0)
