"""Loudness of what is compared, and the gains that make all of it equally loud."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from .constants import SAMPLE_RATE


def integrated_lufs(audio: ArrayLike | Iterator[ArrayLike], *, sample_rate: float = SAMPLE_RATE) -> float:
    """Integrated loudness after ITU-R BS.1770-5, gated at -70 LUFS and 10 LU below what is above that.

    Parameters
    ----------
    audio : array_like of shape (channels, frames), or an iterator of such blocks
        All channels count alike, as left, right and centre do. Blocks may have any lengths, and are not kept.
    sample_rate : float
        In Hz.

    Returns
    -------
    float
        In LUFS; minus infinity for silence, and for less than 0.4 s.

    Examples
    --------
    >>> tone = np.sin(2 * np.pi * 997 / 48_000 * np.arange(48_000))
    >>> round(integrated_lufs([tone, tone]), 2)
    0.0
    """
    blocks = audio if isinstance(audio, Iterator) else iter([audio])
    meter = None
    for each in blocks:
        block = _checked(each)
        if meter is None:
            meter = _core.LoudnessMeter(float(sample_rate), channel_weights=[1.0] * len(block))
        meter.push(block)
    if meter is None:
        raise ValueError("audio has no blocks; at least one would be right")
    return meter.integrated_lufs


def _checked(audio: ArrayLike) -> NDArray[np.float32]:
    block = np.atleast_2d(np.asarray(audio))
    if block.ndim != 2 or not np.issubdtype(block.dtype, np.floating):
        raise ValueError(f"audio has shape {block.shape} and dtype {block.dtype}; (channels, frames) of floats, please")
    return np.ascontiguousarray(block, dtype=np.float32)


def matching_gains_db(loudness_lufs: Sequence[float]) -> list[float]:
    """Gains that make all as loud as the least loud, so that nothing is turned up into a limiter.

    Parameters
    ----------
    loudness_lufs : sequence of float
        Integrated loudness of each; what is silent has no say, and gets no gain.

    Returns
    -------
    list of float
        In dB, 0 or less.

    Examples
    --------
    >>> matching_gains_db([-20.0, -23.5, -math.inf])
    [-3.5, 0.0, 0.0]
    """
    least = min((each for each in loudness_lufs if math.isfinite(each)), default=0.0)
    return [least - each if math.isfinite(each) else 0.0 for each in loudness_lufs]
