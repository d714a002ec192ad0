"""FIR filters as they are exported: all that a preset holds at one rate, their responses, and their text."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage import _core
from forestage.arrays import ComplexArray, FloatArray, Taps
from forestage.short_repr import ShortRepr

FIXED_POINT_BITS = 24


@dataclass(frozen=True, repr=False)
class FilterSet(ShortRepr):
    """All filters at one sample rate, as they are exported.

    Attributes
    ----------
    sample_rate, delay_frames, cancel_align_frames, beam_align_frames : int
        Rate, modelling delay inside the filters, and extra delay of the two paths.
    crosstalk_delay_frames : int
        Modelling delay inside the crosstalk filters.
    crosstalk : ndarray of float32, shape (2, taps)
        Weight of the virtual crosstalk from the (left, right) channel.
    cancel : ndarray of float32, shape (drivers, 2, taps)
        From the (left, right) channel to each driver.
    beam : ndarray of float32, shape (drivers, taps)
        From the centre to each driver, flat on axis; (0, 0) without a centre driver.
    phantom : ndarray of float32, shape (drivers, taps)
        The same, as left and right would make it between them.
    driver_eq : ndarray of float32, shape (drivers, taps)
        Equalisation of the drivers; (0, 0) for none.
    bass : ndarray of float32, shape (drivers, from drivers, taps)
        What drivers play besides of the feeds of others, which leave their bass to them; (0, 0, 0) for none.
    """

    sample_rate: int
    delay_frames: int
    cancel_align_frames: int
    beam_align_frames: int
    crosstalk_delay_frames: int
    crosstalk: Taps
    cancel: Taps
    beam: Taps
    phantom: Taps
    driver_eq: Taps
    bass: Taps


def response_of(
    fir: ArrayLike, frequency_hz: ArrayLike, *, sample_rate: float, delay_frames: float = 0.0
) -> ComplexArray:
    """Response of filters at any frequencies, with ``delay_frames`` of delay taken out.

    Parameters
    ----------
    fir : array_like, shape (..., taps)
        The filters.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.

    Returns
    -------
    ndarray of complex, shape (..., n)
    """
    fir = np.asarray(fir, dtype=np.float64)
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    rows = fir.reshape(math.prod(fir.shape[:-1]), fir.shape[-1])
    responses = _core.fir_responses(rows, frequency, sample_rate=sample_rate)
    responses *= np.exp(2j * np.pi * delay_frames / sample_rate * frequency)
    return responses.reshape(*fir.shape[:-1], len(frequency))


def fixed_point(firs: ArrayLike) -> Taps:
    """Filters that belong together as numbers of 24 bits, full scale being the power of two above the largest tap.

    Presets pack smaller where the low bits of small taps are empty; float32 has as many bits in the largest taps.

    Parameters
    ----------
    firs : array_like, any shape
        The filters.

    Returns
    -------
    ndarray of float32
        The same, rounded.

    Examples
    --------
    >>> fixed_point([0.75, 1e-8, 1e-7]).tolist()
    [0.75, 0.0, 1.1920928955078125e-07]
    """
    taps = np.asarray(firs, dtype=np.float64)
    step = np.ldexp(1.0, np.frexp(np.abs(taps).max(initial=0.0))[1] - (FIXED_POINT_BITS - 1))
    return (np.rint(taps / step) * step + 0.0).astype(np.float32)  # + 0 takes the sign of -0


def encode_fir(fir: ArrayLike) -> str:
    """Text of a filter in a preset; an empty text is silence.

    Parameters
    ----------
    fir : array_like, shape (taps,)
        The filter.

    Examples
    --------
    >>> encode_fir([1.0]), encode_fir([0.0, 0.0])
    ('AACAPw==', '')
    """
    taps = np.asarray(fir, dtype=np.float32)
    return _core.encode_fir(taps) if np.any(taps) else ""


def decode_fir(text: str) -> FloatArray:
    """Taps of an encoded filter, in double precision.

    Examples
    --------
    >>> decode_fir("AACAPw==").tolist(), decode_fir("f16p:ADw=").tolist()
    ([1.0], [1.0])
    """
    return _core.decode_fir(text).astype(np.float64)
