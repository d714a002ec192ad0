"""Stereo into left, centre and right, by the same C++ code that the plugin runs."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core
from .render import stereo_block


def upmix(
    x: ArrayLike, *, sample_rate: float, quality: str = "High Quality", gain_rule: str = "principal_axis"
) -> NDArray[np.float32]:
    """Take the centre out of stereo.

    The centre is what both channels share; left and right are what then remains, so that left + centre is the left
    channel and right + centre is the right one. The latency of the streaming upmix is taken out.

    Parameters
    ----------
    x : array_like, shape (2, frames)
        Floating point stereo, channel 0 left.
    sample_rate : float
        In Hz, 8000 to 768000.
    quality : {"High Quality", "Low Latency"}
        The choices of the host parameter ``upmix_quality``.
    gain_rule : {"principal_axis", "magnitude_difference"}
        What tells the centre: what the plugin plays, or for comparison the published rule of Vickers (2009) on the same
        frames.

    Returns
    -------
    numpy.ndarray, shape (3, frames), float32
        Left, right and centre: the order of the engine's paths.

    Examples
    --------
    >>> mono = np.tile(np.sin(np.arange(4800) / 10), (2, 1))
    >>> left, right, center = upmix(mono, sample_rate=48_000)
    >>> bool(np.allclose(center, mono[0], atol=1e-5))
    True
    """
    block = stereo_block(x)
    processor = _core.Upmix(float(sample_rate), quality=quality, gain_rule=gain_rule)
    late = processor.latency_frames
    padded = np.concatenate([block, np.zeros((2, late), np.float32)], axis=1)
    return np.ascontiguousarray(processor.process(padded)[:, late:])
