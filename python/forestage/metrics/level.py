"""Peaks of loud music, and the gain that leaves room for them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import firwin, resample_poly

from forestage._core import FirMatrix
from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT
from forestage.constants import SAMPLE_RATE
from forestage.metrics.loudness import loudness_lufs, programme

OVERSAMPLING = 4
HALF_TAPS = 10
# Of the usual filter of `scipy.signal.resample_poly`, what makes the sound between two frames
_SINC = OVERSAMPLING * firwin(2 * HALF_TAPS * OVERSAMPLING + 1, 1.0 / OVERSAMPLING, window=("kaiser", 5.0))
PHASES = np.stack([_SINC[phase : phase + 2 * HALF_TAPS * OVERSAMPLING : OVERSAMPLING] for phase in (1, 2, 3)]).astype(
    np.float32
)
# As loud and as high as masters get
LOUD_LUFS = -9.0
# The limiter may take this much of a short moment, and more of this share of them
SHORT_DB = 0.5
SHORT_SHARE = 0.005
MOMENT_S = 0.050
MOST_HEADROOM_DB = 6.0
# Beyond, only what this share of all moments would need: a limiter that hardly rests is heard more than a gain
COMMON_SHARE = 0.1
MOST_COMMON_DB = 10.0
MASTERING_S = 0.005
MASTERING_STEPS = 4


def true_peaks(audio: ArrayLike) -> NDArray[np.float32]:
    """Largest magnitude of all channels at each frame and between it and its neighbours, shape (frames,).

    By four times the sample rate, as ITU-R BS.1770 has it.
    """
    audio = np.atleast_2d(np.asarray(audio, dtype=np.float32))
    peaks = np.abs(audio).max(axis=0)
    for channel in audio:
        late = np.pad(channel, (0, HALF_TAPS))[None]
        between = np.abs(FirMatrix(PHASES[:, None]).process(late)[:, HALF_TAPS:]).max(axis=0)
        np.maximum(peaks, between, out=peaks)
        np.maximum(peaks[1:], between[:-1], out=peaks[1:])
    return peaks


def true_peak_dbtp(audio: ArrayLike) -> float:
    """Highest true peak of all channels, in dB over full scale."""
    return float(20 * np.log10(max(true_peaks(audio).max(), 1e-10)))


def mastered(
    audio: ArrayLike, *, sample_rate: float = SAMPLE_RATE, lufs: float = LOUD_LUFS, peak_dbtp: float = 0.0
) -> NDArray[np.float32]:
    """Stereo as loud as modern masters: turned up into a limiter until it has the loudness, its true peak where wanted.

    Parameters
    ----------
    audio : array_like, shape (2, frames)
        Any stereo.
    sample_rate : float
        In Hz.
    lufs, peak_dbtp : float
        Integrated loudness and true peak wanted. Sound of few and high peaks may stay some tenths below the loudness.

    Returns
    -------
    ndarray of float32, shape (2, frames)
    """
    audio = np.asarray(audio, dtype=np.float64)
    ceiling = 10.0 ** (peak_dbtp / 20)
    peaks = true_peaks(audio).astype(np.float64)
    loud, drive_db = audio, 0.0
    for _ in range(MASTERING_STEPS):
        drive_db += lufs - loudness_lufs(loud, sample_rate=sample_rate)
        drive = 10.0 ** (drive_db / 20)
        loud = drive * audio * _limiting(drive * peaks, ceiling, round(MASTERING_S * sample_rate))
    return (loud * (ceiling / true_peaks(loud).max())).astype(np.float32)


def _limiting(peaks: NDArray[np.float64], ceiling: float, frames: int) -> NDArray[np.float64]:
    """Gain that keeps peaks below a ceiling, as smooth as it begins early, shape (frames,)."""
    gain = np.minimum(1.0, ceiling / np.maximum(peaks, 1e-10))
    return np.asarray(uniform_filter1d(minimum_filter1d(gain, 2 * frames + 1), 2 * frames + 1))


@cache
def loud_programme(*, sample_rate: float = SAMPLE_RATE, seconds: float = 4.0) -> tuple[NDArray[np.float32], ...]:
    """Loud stereo of five kinds, each (2, frames).

    A mix, sides without a centre, one side alone and mono with beats of noise with the spectrum of music, and the
    middle of the demo's excerpt.
    """
    mix = programme(sample_rate=sample_rate, seconds=seconds).astype(np.float64)
    other = programme(sample_rate=sample_rate, seconds=seconds, seed=9).astype(np.float64)
    beats = np.exp(-((np.arange(mix.shape[1]) / sample_rate) % 0.5) / 0.06)
    wide = np.stack([mix[0], other[0]])
    alone = np.stack([mix[0], 0.03 * other[1]])
    mono = np.stack([other[0] * beats] * 2)
    music = _excerpt(sample_rate=sample_rate, seconds=seconds)
    return tuple(mastered(each, sample_rate=sample_rate) for each in (mix, wide, alone, mono, music))


def _excerpt(*, sample_rate: float, seconds: float) -> NDArray[np.float64]:
    music, rate = read_stereo(EXCERPT)
    start = round((music.shape[1] - seconds * rate) / 2)
    middle = music[:, start : start + round(seconds * rate)].astype(np.float64)
    return np.asarray(resample_poly(middle, round(sample_rate), rate, axis=-1))


def programme_headroom_db(
    played: Iterable[tuple[str, ArrayLike]], *, sample_rate: float = SAMPLE_RATE
) -> tuple[float, float]:
    """Gain that loud programme needs, so that a limiter hardly has to act.

    Parameters
    ----------
    played : iterable of (str, array_like of shape (channels, frames))
        What monitors, by name, play of loud programme, unlimited.
    sample_rate : float
        In Hz.

    Returns
    -------
    (headroom_db, limited_db) : float
        The gain, 0 or less: with it at most `SHORT_SHARE` of all moments, in every monitor and programme, peak more
        than `SHORT_DB` above full scale; `MOST_HEADROOM_DB` at most, and `MOST_COMMON_DB` for what `COMMON_SHARE` of
        the moments of a monitor need. And what is then left to a limiter in all moments but the few of the former.
    """
    moments: dict[str, list[NDArray[np.float64]]] = {}
    for monitor, audio in played:
        moments.setdefault(monitor, []).append(_moments_db(audio, sample_rate))
    rare_db = max(
        float(np.quantile(each, 1.0 - SHORT_SHARE, method="higher")) for many in moments.values() for each in many
    )
    common_db = max(float(np.quantile(np.concatenate(many), 1.0 - COMMON_SHARE)) for many in moments.values())
    headroom_db = max(min(rare_db - SHORT_DB, MOST_HEADROOM_DB), min(common_db - SHORT_DB, MOST_COMMON_DB), 0.0)
    headroom_db = round(headroom_db, 2)
    return -headroom_db + 0.0, round(max(rare_db, 0.0) - headroom_db, 2)


def _moments_db(audio: ArrayLike, sample_rate: float) -> NDArray[np.float64]:
    """Highest true peak of each moment, in dB over full scale."""
    moment = round(MOMENT_S * sample_rate)
    peaks = true_peaks(audio)
    highest = peaks[: len(peaks) // moment * moment].reshape(-1, moment).max(axis=1)
    return np.asarray(20 * np.log10(np.maximum(highest, 1e-10)))
