"""Synchronised exponential sweeps, and the chirps that mark time.

    x(t) = sin(2 pi f1 L exp(t / L)),   L = n / f1 with a whole n near f1 T / ln(f2 / f1)

Such a sweep goes through every frequency once, and its k-th harmonic is the sweep itself, L ln(k) earlier: after
deconvolution the distortion of a driver stands before its impulse response, order by order and in phase. A. Farina
(2000), "Simultaneous measurement of impulse response and distortion with a swept-sine technique", 108th AES Convention;
A. Novak, P. Lotton and L. Simon (2015), "Synchronized swept-sine", J. Audio Eng. Soc. 63(10).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import chirp

from forestage.arrays import FloatArray
from forestage.short_repr import ShortRepr

FADE_IN_OCTAVES, FADE_OUT_OCTAVES = 1 / 3, 1 / 24
# What of a band the fades leave whole, as ratios of its edges
WHOLE = (2.0**FADE_IN_OCTAVES, 2.0**-FADE_OUT_OCTAVES)
MARKER_S = 0.1


@dataclass(frozen=True, repr=False)
class Sweep(ShortRepr):
    """An exponential sweep of full scale.

    Parameters
    ----------
    low_hz, high_hz : float
        Where it begins and ends.
    length_s : float
        About how long it is.
    sample_rate : int
        In Hz.

    Examples
    --------
    >>> sweep = Sweep(20.0, 20_000.0, 1.0, 48_000)
    >>> round(sweep.rate_s * 20.0, 9), round(sweep.early_s(2), 4)
    (3.0, 0.104)
    """

    low_hz: float
    high_hz: float
    length_s: float
    sample_rate: int

    @property
    def rate_s(self) -> float:
        """L: time in which the frequency grows by a factor of e."""
        turns = self.low_hz * self.length_s / math.log(self.high_hz / self.low_hz)
        return max(round(turns), 1) / self.low_hz

    @property
    def frames(self) -> int:
        """Length."""
        return math.ceil(self.rate_s * math.log(self.high_hz / self.low_hz) * self.sample_rate)

    @property
    def whole_hz(self) -> tuple[float, float]:
        """Band between the fades."""
        return self.low_hz * WHOLE[0], self.high_hz * WHOLE[1]

    def early_s(self, harmonic: int) -> float:
        """How much earlier than the impulse response a harmonic stands."""
        return self.rate_s * math.log(harmonic)

    def samples(self) -> FloatArray:
        """The sweep, shape (frames,)."""
        time_s = np.arange(self.frames) / self.sample_rate
        octaves = time_s / (self.rate_s * math.log(2.0))
        left = math.log2(self.high_hz / self.low_hz) - octaves
        fade = _fade(octaves / FADE_IN_OCTAVES) * _fade(left / FADE_OUT_OCTAVES)
        return fade * np.sin(2 * np.pi * self.low_hz * self.rate_s * np.exp(time_s / self.rate_s))


def _fade(share: FloatArray) -> FloatArray:
    """Raised cosine from 0 to 1."""
    return 0.5 - 0.5 * np.cos(np.pi * np.clip(share, 0.0, 1.0))


def marker(
    low_hz: float, high_hz: float, sample_rate: int, *, is_downwards: bool = False, speed: float = 1.0
) -> FloatArray:
    """A chirp whose envelope after correlation is short and without side lobes, shape (frames,).

    ``speed`` is that of the clock it is seen by: the same chirp, at other times.
    """
    frames = round(MARKER_S * sample_rate)
    end_s = (frames - 1) / sample_rate
    time_s = np.arange(frames) / (sample_rate * speed)
    window = np.where(time_s <= end_s, 0.5 - 0.5 * np.cos(2 * np.pi * time_s / end_s), 0.0)
    return window * chirp(end_s - time_s if is_downwards else time_s, low_hz, MARKER_S, high_hz)
