"""Room responses in few bits: rounded so that the error sounds like the response itself, far below it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import linalg, signal

from forestage import _core
from forestage.arrays import FloatArray
from forestage.firs import FIXED_POINT_BITS

ORDER = 16  # of the predictors
FIRST_DB = 44.0  # from the response to the error, in the block that begins with the direct sound
EARLY_DB = 31.0  # in the one after it, and evenly less from there to the last one
LATE_DB = 19.0
TILT = 0.5  # of the error against the response: 9.5 dB less at 0 Hz, 4 dB less at 8 kHz, 9.5 dB more at 24 kHz


def rounded_room(responses: ArrayLike) -> FloatArray:
    """Room responses as numbers of 24 bits in fixed point that FLAC packs to some five bits a tap.

    In each block of `_core.ROOM_BLOCK_TAPS` the error has the spectrum of the response, as a linear predictor knows it,
    but for a tilt: most of the band is treble, where least is heard. Steps are powers of two, since FLAC stores no low
    bits that a whole block leaves empty. The last bits of a response, 132 dB below its largest tap, are not shaped.

    Parameters
    ----------
    responses : array_like, shape (..., taps)
        The responses, at 48 kHz.

    Returns
    -------
    ndarray, shape (..., taps)
        The same, rounded; what is too short for FLAC (`_core.LONG_TAPS`) as it is.

    Notes
    -----
    The error feeds back through the predictor, as in noise shaping: Gerzon and Craven, "Optimal Noise Shaping and
    Dither of Digital Signals", AES 87th Convention, 1989, preprint 2822. A tap then takes the ratio to the error in
    dB / 6.02 + 0.25 bits, and FLAC a fifth of a bit for its predictors.
    """
    taps = np.asarray(responses, dtype=np.float64)
    if taps.shape[-1] <= _core.LONG_TAPS:
        return taps
    rows = taps.reshape(-1, taps.shape[-1])
    finest = np.frexp(np.abs(rows).max(axis=-1))[1] - (FIXED_POINT_BITS - 1)
    block_taps = _core.ROOM_BLOCK_TAPS
    starts = range(0, rows.shape[-1], block_taps)
    wanted_db = np.append(FIRST_DB, np.linspace(EARLY_DB, LATE_DB, len(starts) - 1))
    result = np.zeros_like(rows)
    errors = np.zeros((len(rows), ORDER + 1))  # the newest first
    white = np.zeros(len(rows))
    for start, db in zip(starts, wanted_db, strict=True):
        first = max(start - block_taps // 2, 0)
        around = rows[:, first : start + block_taps + block_taps // 2]
        block = rows[:, start : start + block_taps]
        predictors = np.stack([_predictor(row) for row in around])
        unforeseen = np.stack([signal.lfilter(p, np.ones(1), row) for p, row in zip(predictors, around, strict=True)])
        unforeseen = unforeseen[:, start - first :][:, : block.shape[-1]]
        step = np.sqrt(12.0 * np.mean(unforeseen**2, axis=-1)) * 10 ** (-db / 20)
        exponent = np.maximum(np.rint(np.log2(np.maximum(step, 1e-30))).astype(int), finest)
        steps = np.ldexp(1.0, exponent)
        feedback = np.stack([np.convolve(p, [1.0, TILT])[1:] for p in predictors])
        for k, tap in enumerate(block.T, start):
            target = tap - np.einsum("rk,rk->r", feedback, errors) - TILT * white
            result[:, k] = np.rint(target / steps) * steps
            white = result[:, k] - target
            errors[:, 1:] = errors[:, :-1]
            errors[:, 0] = result[:, k] - tap
    return (result + 0.0).reshape(taps.shape)  # no -0, which fixed point has not


def _predictor(x: FloatArray) -> FloatArray:
    """Prediction error filter by the autocorrelation method, shape (ORDER + 1,), first coefficient 1."""
    windowed = x * np.hanning(len(x))
    lags = np.array([windowed[: len(x) - k] @ windowed[k:] for k in range(ORDER + 1)])
    lags[0] = lags[0] * (1 + 1e-6) + 1e-30
    return np.append(1.0, linalg.solve_toeplitz(lags[:-1], -lags[1:]))
