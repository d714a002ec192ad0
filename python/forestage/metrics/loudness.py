"""Loudness after ITU-R BS.1770, and the programme that presets are calibrated with."""

from __future__ import annotations

import numpy as np
import pyloudnorm
from numpy.typing import ArrayLike, NDArray
from scipy.signal import freqz

from forestage.arrays import FloatArray
from forestage.constants import SAMPLE_RATE

PROGRAMME_SEED = 1770
MUSIC_CORNER_HZ = 4000.0


def loudness_lufs(audio: ArrayLike, *, sample_rate: float) -> float:
    """Integrated loudness of stereo.

    Parameters
    ----------
    audio : array_like, shape (channels, frames)
        At least 0.4 s.
    sample_rate : float
        In Hz.
    """
    return float(pyloudnorm.Meter(sample_rate).integrated_loudness(np.asarray(audio, dtype=np.float64).T))


def loudness_weight(frequency_hz: ArrayLike, *, sample_rate: float = SAMPLE_RATE) -> FloatArray:
    """Power that the K-weighting of BS.1770 gives to frequencies below half the sample rate, shape (n,)."""
    filters = pyloudnorm.Meter(sample_rate)._filters.values()
    responses = [freqz(each.b, each.a, worN=np.asarray(frequency_hz), fs=sample_rate)[1] for each in filters]
    return np.asarray(np.prod(np.abs(responses) ** 2, axis=0))


def programme_spectrum(frequency_hz: ArrayLike) -> FloatArray:
    """Magnitude of the spectrum of music: pink up to `MUSIC_CORNER_HZ`, and falling faster above, shape (n,)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    shape = 1.0 / np.sqrt(np.maximum(frequency, 40.0))
    shape *= np.clip(frequency / 30.0, 0.0, 1.0) ** 2 / np.sqrt(1.0 + (frequency / MUSIC_CORNER_HZ) ** 2)
    return np.asarray(shape / np.sqrt(1.0 + (frequency / 12_000.0) ** 4))


def programme(
    *, sample_rate: float = SAMPLE_RATE, seconds: float = 8.0, seed: int = PROGRAMME_SEED
) -> NDArray[np.float32]:
    """Synthetic music-like programme: a centre and two independent sides with a slow swell.

    Pink up to `MUSIC_CORNER_HZ` and falling faster above, as the long-term spectrum of music does.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    seconds : float
        Length.
    seed : int
        The same seed gives the same samples.

    Returns
    -------
    ndarray of float32, shape (2, frames)
        Peaks stay below full scale by more than 6 dB.
    """
    frames = round(seconds * sample_rate)
    random = np.random.default_rng(seed)
    shape = programme_spectrum(np.fft.rfftfreq(frames, 1.0 / sample_rate))
    noise = np.fft.irfft(np.fft.rfft(random.standard_normal((3, frames))) * shape, frames)
    noise /= np.std(noise, axis=-1, keepdims=True)
    swell = 1.0 + 0.4 * np.sin(2 * np.pi * np.outer([0.7, 1.1, 1.3], np.arange(frames) / sample_rate))
    centre, left, right = noise * swell
    stereo = np.stack([centre + 0.6 * left, centre + 0.6 * right])
    return (0.05 * stereo).astype(np.float32)
