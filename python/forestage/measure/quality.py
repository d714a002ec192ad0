"""How good impulse responses are: noise, distortion, the first reflection, and what two of them differ by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, hilbert, sosfiltfilt
from scipy.stats import f as f_distribution

from forestage.arrays import ComplexArray, FloatArray
from forestage.measure.deconvolve import HARMONICS
from forestage.short_repr import ShortRepr

# Middles of third octaves as IEC 61260 has them, 20 Hz to 20 kHz
THIRDS_HZ: FloatArray = 1000.0 * 10.0 ** (np.arange(-17, 14) / 10)
NOMINAL_HZ = (20, 25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000,
              2500, 3150, 4000, 5000, 6300, 8000, 10_000, 12_500, 16_000, 20_000)  # fmt: skip
"""What they are called."""
# Nearer than this, what comes back is the device itself; later than that, no design asks for it
NEAREST_S, LONGEST_S = 0.8e-3, 20e-3
# Of a reflection under the direct sound, and over what is before it
LEAST_REFLECTION_DB, LEAST_RISE_DB = -24.0, 8.0
SEEN_HZ = (1000.0, 10_000.0)
COMPARED_HZ = (300.0, 6000.0)
OVERSAMPLED = 16
FADE_SHARE = 0.25
# Before the arrival
AHEAD_S = 1e-3
# Of taking noise for a harmonic in a third octave
CHANCE = 1e-6
TINY = 1e-30


def bins_hz(frames: int, sample_rate: int) -> FloatArray:
    """Frequencies of the bins of a real transform, shape (frames // 2 + 1,)."""
    return np.arange(frames // 2 + 1, dtype=np.float64) * (sample_rate / frames)


def thirds_within(low_hz: float, high_hz: float) -> NDArray[np.bool_]:
    """Which third octaves lie between two of their middles, shape (31,)."""
    return (0.98 * low_hz <= THIRDS_HZ) & (1.02 * high_hz >= THIRDS_HZ)


def hz_text(frequency_hz: float) -> str:
    """A frequency as a reader has it: by the name of its third octave where it is the middle of one.

    Examples
    --------
    >>> hz_text(THIRDS_HZ[8]), hz_text(THIRDS_HZ[25]), hz_text(276.2)
    ('125 Hz', '6.3 kHz', '280 Hz')
    """
    nearest = int(np.argmin(np.abs(np.log(THIRDS_HZ / frequency_hz))))
    is_middle = abs(THIRDS_HZ[nearest] / frequency_hz - 1.0) < 0.01
    shown = float(NOMINAL_HZ[nearest]) if is_middle else float(f"{frequency_hz:.2g}")
    return f"{shown / 1000:g} kHz" if shown >= 1000.0 else f"{shown:g} Hz"


def arrival(impulse: FloatArray, sample_rate: int) -> int:
    """Frame at which the envelope of an impulse response first comes within 6 dB of its peak."""
    heard = _envelope(impulse, sample_rate)
    top = int(np.argmax(heard))
    begin = max(top - round(2e-3 * sample_rate), 0)
    return begin + int(np.argmax(heard[begin : top + 1] >= 0.5 * heard[top]))


def first_reflection_s(impulse: FloatArray, sample_rate: int) -> tuple[float, float] | None:
    """When the first reflection comes after the direct sound, and its level in dB under it; None within 20 ms.

    A reflection stands out of what rings before it in the treble, where a driver rings least.
    """
    heard = _envelope(impulse, sample_rate)
    top = arrival(impulse, sample_rate) + int(np.argmax(heard[arrival(impulse, sample_rate) :][: sample_rate // 2000]))
    after = heard[top : top + round(LONGEST_S * sample_rate)] / heard[top]
    levels = 20 * np.log10(np.maximum(after, TINY))
    lowest = np.minimum.accumulate(levels)
    is_peak = np.zeros(len(levels), dtype=bool)
    is_peak[1:-1] = (levels[1:-1] >= levels[:-2]) & (levels[1:-1] > levels[2:])
    stands_out = is_peak & (levels >= LEAST_REFLECTION_DB) & (levels >= lowest + LEAST_RISE_DB)
    stands_out[: round(NEAREST_S * sample_rate)] = False
    if not stands_out.any():
        return None
    frame = int(np.argmax(stands_out))
    return frame / sample_rate, float(levels[frame])


def gated(impulse: FloatArray, first: int, length_s: float, sample_rate: int) -> FloatArray:
    """The impulse response from 1 ms before its arrival to so long after it, its end faded; frames stay in place."""
    begin, end = max(first - round(AHEAD_S * sample_rate), 0), first + round(length_s * sample_rate)
    fade = round(FADE_SHARE * length_s * sample_rate)
    window = np.zeros(len(impulse))
    window[begin:end] = 1.0
    tail = window[end - fade : end]
    tail *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(len(tail)) + 0.5) / max(len(tail), 1))
    rise = window[begin : begin + round(0.5 * AHEAD_S * sample_rate)]
    rise *= 0.5 - 0.5 * np.cos(np.pi * (np.arange(len(rise)) + 0.5) / max(len(rise), 1))
    return impulse * window


def third_octaves(frequency_hz: FloatArray, power: FloatArray) -> FloatArray:
    """Mean power in third octaves of `THIRDS_HZ`, shape (..., 31); NaN where no bin is."""
    edges = np.append(THIRDS_HZ * 10.0**-0.05, THIRDS_HZ[-1] * 10.0**0.05)
    index = np.searchsorted(frequency_hz, edges)
    total = np.concatenate([np.zeros((*power.shape[:-1], 1)), np.cumsum(power, axis=-1)], axis=-1)
    counts = np.diff(index)
    sums = total[..., index[1:]] - total[..., index[:-1]]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True, repr=False)
class Spectra(ShortRepr):
    """Power of an impulse response in third octaves, and of its noise, within the same window, shape (31,)."""

    signal: FloatArray
    noise: FloatArray

    @property
    def snr_db(self) -> FloatArray:
        """Signal over noise in dB, shape (31,)."""
        clean = np.maximum(self.signal - self.noise, TINY)
        return 10 * np.log10(clean / np.maximum(self.noise, TINY))


def spectra(repeats: FloatArray, first: int, length_s: float, sample_rate: int) -> Spectra:
    """Levels of the mean of impulse responses, shape (repeats, frames), and of what they differ by.

    Noise is taken from all of the responses, however short the window.
    """
    mean = repeats.mean(axis=0)
    frames = repeats.shape[1]
    frequency = bins_hz(frames, sample_rate)
    window = gated(np.ones(frames), first, length_s, sample_rate)
    count = len(repeats)
    apart = np.sum(np.abs(np.fft.rfft(repeats - mean)) ** 2, axis=0) / (count * (count - 1))
    noise = apart * float(np.sum(window**2)) / frames
    return Spectra(third_octaves(frequency, np.abs(np.fft.rfft(mean * window)) ** 2), third_octaves(frequency, noise))


@dataclass(frozen=True, repr=False)
class Harmonics(ShortRepr):
    """Power of harmonics over the fundamental, and of noise in the same windows, shape (orders, 31).

    Both are told at `THIRDS_HZ` of the fundamental; NaN where none is heard. ``bins`` says of how many independent
    bins each is the mean.
    """

    power: FloatArray
    noise: FloatArray
    bins: FloatArray


def harmonics(linear: FloatArray, early: FloatArray, sample_rate: int, highest_hz: float) -> Harmonics:
    """Levels of harmonics, and of what sweeps differ by there.

    Parameters
    ----------
    linear : ndarray, shape (repeats, frames)
        Impulse responses.
    early : ndarray, shape (repeats, orders, frames)
        Those of the orders of `HARMONICS`.
    sample_rate : int
        In Hz.
    highest_hz : float
        Up to there the sweep is whole, and harmonics count.
    """
    fundamental = np.subtract(*_power_and_noise(linear, bins_hz(linear.shape[-1], sample_rate)))
    length = early.shape[-1]
    padded = np.pad(early, ((0, 0), (0, 0), (0, max(linear.shape[-1] - length, 0))))
    frequency = bins_hz(padded.shape[-1], sample_rate)
    # Levels where harmonics are heard, told at the frequency that made them
    found = [_power_and_noise(padded[:, k], frequency / order) for k, order in enumerate(HARMONICS)]
    power, noise = np.moveaxis(np.array(found), 1, 0)
    low, high = (np.outer(HARMONICS, THIRDS_HZ) * edge for edge in (10.0**-0.05, 10.0**0.05))
    counts = high <= highest_hz
    over = np.where((fundamental > TINY) & counts[0], np.maximum(fundamental, TINY), np.nan)
    power, noise = (np.where(counts, each, 0.0) / over for each in (power, noise))
    return Harmonics(power, noise, np.maximum((high - low) * length / sample_rate, 1.0))


def _power_and_noise(repeats: FloatArray, frequency: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Power in third octaves of the mean of responses, and what of it is noise: by what they differ by."""
    count = len(repeats)
    mean = repeats.mean(axis=0)
    apart = np.sum(np.abs(np.fft.rfft(repeats - mean)) ** 2, axis=0) / (count * (count - 1))
    return third_octaves(frequency, np.abs(np.fft.rfft(mean)) ** 2), third_octaves(frequency, apart)


@dataclass(frozen=True, repr=False)
class Distortion(ShortRepr):
    """Total harmonic distortion at `THIRDS_HZ` of the fundamental, as a ratio, shape (31,); NaN where none is heard.

    Attributes
    ----------
    found : ndarray
        Of harmonics that stand out of the noise, which is taken off; 0 where none does.
    hidden : ndarray
        The most that noise may hide of the others.
    """

    found: FloatArray
    hidden: FloatArray

    @property
    def most(self) -> FloatArray:
        """What it may be at most, shape (31,)."""
        return np.hypot(self.found, self.hidden)


def distortion(heard: list[Harmonics], repeats: int) -> Distortion:
    """What is clearly more than noise in the median of places and ears.

    Powers of Gaussian noise over those estimated from so many sweeps are distributed as F, which `CHANCE` goes by.
    """
    power, noise, bins = (np.median([getattr(each, name) for each in heard], axis=0) for name in
                          ("power", "noise", "bins"))  # fmt: skip
    freedom = 2.0 * len(heard) * bins
    least = noise * f_distribution.isf(CHANCE, freedom, freedom * (repeats - 1))
    known = np.where(np.isnan(power), np.nan, power > least)
    return Distortion(
        np.sqrt(np.sum(known * (power - noise), axis=0)), np.sqrt(np.sum((1.0 - known) * (least - noise), axis=0))
    )


def later_s(impulse: FloatArray, other: FloatArray, sample_rate: int) -> tuple[float, float]:
    """How much later than another an impulse response is, and how alike they are, -1 (inverted) to 1."""
    frames = 2 * max(len(impulse), len(other))
    frequency = bins_hz(frames, sample_rate)
    first, second = (_banded(np.fft.rfft(each, frames), frequency) for each in (impulse, other))
    cross = np.fft.irfft(first * second.conj(), OVERSAMPLED * frames) * OVERSAMPLED
    scale = float(np.sqrt(_energy(first, frames) * _energy(second, frames)))
    top = int(np.argmax(np.abs(cross)))
    before, here, after = np.abs(cross[[top - 1, top, (top + 1) % len(cross)]])
    curve = before - 2.0 * here + after
    exact = top + (0.5 * (before - after) / curve if curve < 0.0 else 0.0)
    exact = exact - len(cross) if exact > len(cross) / 2 else exact
    return exact / (OVERSAMPLED * sample_rate), float(cross[top]) / max(scale, TINY)


def _energy(spectrum: ComplexArray, frames: int) -> float:
    return float(np.sum(np.abs(np.fft.irfft(spectrum, frames)) ** 2))


def _banded(spectrum: ComplexArray, frequency: FloatArray) -> ComplexArray:
    low_hz, high_hz = COMPARED_HZ
    octaves = np.log2(np.maximum(frequency, 1.0))
    up = np.clip(octaves - np.log2(low_hz) + 0.5, 0.0, 1.0)
    down = np.clip(np.log2(high_hz) + 0.5 - octaves, 0.0, 1.0)
    return spectrum * np.sin(0.5 * np.pi * up) ** 2 * np.sin(0.5 * np.pi * down) ** 2


def _envelope(impulse: FloatArray, sample_rate: int) -> FloatArray:
    low_hz, high_hz = SEEN_HZ
    band = butter(2, (low_hz, min(high_hz, 0.45 * sample_rate)), "bandpass", fs=sample_rate, output="sos")
    return np.abs(hilbert(sosfiltfilt(band, impulse)))
