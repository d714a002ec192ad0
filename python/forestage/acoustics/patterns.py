"""Drivers and heads from far away, as FIRs of real spherical harmonics: what the room model takes.

A driver's pattern is the pressure at 1 m, towards each direction, of what it radiates as seen from its centre; a head's
is what an ear hears of a plane wave from each direction, relative to the free field at the head's centre. Sound leaves
a body, and reaches an ear, before it would pass the centre: FIRs carry `LEAD_S` of delay.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import ArrayLike
from scipy.special import roots_legendre

from forestage.acoustics.fields import CapPiston, Field, wave_number
from forestage.acoustics.head import Head, HeadModel, order_for
from forestage.acoustics.measured_driver import MeasuredField
from forestage.acoustics.spherical_harmonics import (
    per_coefficient,
    product_quadrature,
    real_sh,
    rotation_blocks,
    transform,
)
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SPEED_OF_SOUND_M_S

LENGTH_S = 5e-3
LEAD_S = 1e-3
FAR_M = 1000.0
FAR_DELAY_S = FAR_M / SPEED_OF_SOUND_M_S
# The band ends before half the sample rate, in shares of the rate, so that FIRs stay short
BAND_END = (0.42, 0.49)
SPARE_ORDERS = 3
CHUNK = 128

Radiation = Callable[[FloatArray], ComplexArray]


def pattern_order(extent_m: float, highest_hz: float) -> int:
    """Order up to which all that comes from within a radius counts, to about -40 dB at ``highest_hz``.

    Examples
    --------
    >>> pattern_order(0.0, 6000.0), pattern_order(0.09, 6000.0)
    (0, 13)
    """
    if extent_m == 0.0:
        return 0
    return math.ceil(float(wave_number(highest_hz)) * extent_m) + SPARE_ORDERS


def lead_frames(sample_rate: int) -> int:
    """Delay in every pattern."""
    return round(LEAD_S * sample_rate)


# Many small matrices: threads only cost time.
@one_thread
def driver_patterns(fields: Sequence[Field], *, sample_rate: int, highest_hz: float) -> FloatArray:
    """Patterns of drivers that share a centre and an extent, in the device's frame.

    Parameters
    ----------
    fields : sequence of Field
        What the drivers radiate.
    sample_rate : int
        In Hz.
    highest_hz : float
        Up to where the order is complete; what is finer above is left out.

    Returns
    -------
    ndarray, shape (drivers, (order + 1)^2, taps)
        For `forestage.acoustics.room`.
    """
    late_s = max(field.directivity.delay_s if isinstance(field, MeasuredField) else 0.0 for field in fields)
    frequency = _frequencies(LENGTH_S + late_s, sample_rate)
    order = pattern_order(fields[0].extent_m, highest_hz)
    finest = order_for(float(wave_number(frequency[-1])) * fields[0].extent_m)

    def coefficients(field: Field) -> ComplexArray:
        def far(directions: FloatArray) -> ComplexArray:
            pressure = field.field(frequency, field.centre_m + FAR_M * directions)
            return pressure * FAR_M * np.exp(1j * wave_number(frequency) * FAR_M)

        if isinstance(field, CapPiston):
            return _zonal(far, np.array(field.axis), order, finest)
        return _general(far, order, finest)

    return _firs(np.stack([coefficients(field) for field in fields]), frequency, sample_rate)


@one_thread
def head_patterns(head: HeadModel, *, sample_rate: int, highest_hz: float) -> FloatArray:
    """Patterns of the (left, right) ear, in the head's frame, shape (2, (order + 1)^2, taps); see `driver_patterns`.

    A measured head is finer than its sphere. KEMAR by the order for 16 kHz is right to -21 dB and its level to 0.2 dB
    from 1 kHz on; by that for 6 kHz, to -11 dB and 0.5 dB at 3 kHz. Where it goes over into the sphere, 150 to 350 Hz,
    its responses are longer than FIRs, and levels are off by up to 2 dB.
    """
    frequency = _frequencies(LENGTH_S, sample_rate)
    order = pattern_order(head.radius_m, highest_hz)
    finest = order_for(float(wave_number(frequency[-1])) * head.radius_m)

    def far(directions: FloatArray) -> ComplexArray:
        # Heads count the delay from 0 Hz on, fields from where they are static.
        return head.ears(frequency, FAR_M * directions) * FAR_M * np.exp(2j * np.pi * frequency * FAR_DELAY_S)

    if isinstance(head, Head):
        left, right = head.ear_directions()
        ears = [_zonal(lambda u: far(u)[0], left, order, finest), _zonal(lambda u: far(u)[1], right, order, finest)]
        return _firs(np.stack(ears), frequency, sample_rate)
    both = _general(lambda u: far(u).swapaxes(0, 1), order, max(finest, order))
    return _firs(both.swapaxes(0, 1), frequency, sample_rate)


def turned(patterns: ArrayLike, axes: ArrayLike) -> FloatArray:
    """Patterns in the frame of the room, of what has its axes (x, y, z) along the columns of ``axes`` there."""
    values = np.asarray(patterns, dtype=np.float64)
    blocks = rotation_blocks(math.isqrt(values.shape[1]) - 1, axes)
    return np.concatenate(
        [block @ values[:, degree**2 : (degree + 1) ** 2] for degree, block in enumerate(blocks)], axis=1
    )


def band_end(frequency_hz: ArrayLike, sample_rate: float) -> FloatArray:
    """Gain that ends the band gently before half the sample rate."""
    low, high = (share * sample_rate for share in BAND_END)
    return 0.5 + 0.5 * np.cos(np.pi * np.clip((np.asarray(frequency_hz) - low) / (high - low), 0.0, 1.0))


def _frequencies(length_s: float, sample_rate: int) -> FloatArray:
    """Bins of a transform that is twice as long as FIRs are going to be."""
    frames = 4 * round(length_s * sample_rate / 2)
    return np.fft.rfftfreq(frames, 1 / sample_rate).astype(np.float64)


def _zonal(far: Radiation, axis: FloatArray, order: int, finest: int) -> ComplexArray:
    """Coefficients of what is alike all around an axis, by the theorem of Funk and Hecke, from half a circle."""
    nodes, weights = roots_legendre(max(order, finest) + 1)
    aside = np.linalg.svd(axis[None])[2][1]
    meridian = np.outer(nodes, axis) + np.outer(np.sqrt(1.0 - nodes**2), aside)
    degrees = 2 * np.pi * (legvander(nodes, order) * weights[:, None]).T @ far(meridian)
    of_degree = np.rint(per_coefficient(np.arange(order + 1))).astype(int)
    return real_sh(axis[None], order).T * degrees[of_degree]


def _general(far: Radiation, order: int, finest: int) -> ComplexArray:
    """Coefficients of anything; finer structure than the order is cut off, not folded into it."""
    quadrature = product_quadrature(max(order, finest))
    parts = [far(part) for part in np.array_split(quadrature.directions, -(-len(quadrature.directions) // CHUNK))]
    return transform(np.concatenate(parts), order=order, quadrature=quadrature)


def _firs(coefficients: ComplexArray, frequency: FloatArray, sample_rate: int) -> FloatArray:
    """FIRs of spectra, faded at both ends."""
    late = np.exp(-2j * np.pi * frequency * lead_frames(sample_rate) / sample_rate)
    impulses = np.fft.irfft(coefficients * late * band_end(frequency, sample_rate), axis=-1)
    taps = impulses.shape[-1] // 2
    fade = taps // 10
    impulses = impulses[..., :taps]
    impulses[..., taps - fade :] *= 0.5 + 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    return impulses
