"""What a design sends to the drivers: the chain of the engine, from the filters as they are exported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage._core import VirtualStereo
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.firs import FilterSet, response_of
from forestage.metrics.played import Played
from forestage.short_repr import ShortRepr

_FAR_EAR_FRAMES = 2048


@dataclass(frozen=True, repr=False)
class Chain(ShortRepr):
    """Responses from inputs to the equalised feeds of the drivers, without the delay that all paths have.

    Attributes
    ----------
    frequency_hz : ndarray, shape (n,)
        Frequencies in Hz.
    plain : ndarray of complex, shape (drivers, 2, n)
        Plain stereo, from the (left, right) channel.
    cancelled : ndarray of complex, shape (drivers, 2, n)
        Crosstalk cancellation alone: what separates the ears.
    staged : ndarray of complex, shape (drivers, 2, n)
        A virtual pair through the cancellation: what a sound in one channel goes through.
    plain_center, flat_center, center : ndarray of complex, shape (drivers, n)
        The centre as a plain mix, as the flat beam of the design, and as it is heard unless told otherwise: as a
        phantom. Where the design has none of them, the one before.
    """

    frequency_hz: FloatArray
    plain: ComplexArray
    cancelled: ComplexArray
    staged: ComplexArray
    plain_center: ComplexArray
    flat_center: ComplexArray
    center: ComplexArray

    @classmethod
    def of(
        cls,
        design: Played,
        frequency_hz: ArrayLike,
        *,
        width_deg: float | None = None,
        sample_rate: int = SAMPLE_RATE,
    ) -> Chain:
        """Chain of a design with the virtual pair at +-``width_deg`` (its own width by default), at one rate."""
        width_deg = design.width_deg if width_deg is None else width_deg
        frequency = np.asarray(frequency_hz, dtype=np.float64)
        filters = design.filter_set(sample_rate)
        plain = np.repeat(design.device.plain_gains[..., None].astype(np.complex128), len(frequency), axis=-1)
        cancelled = _responses(filters.cancel, filters.delay_frames, filters, frequency)
        plain_center = flat_center = plain.sum(axis=1)
        # Either path may wait for the other
        beam_frames = filters.delay_frames + filters.cancel_align_frames - filters.beam_align_frames
        if len(filters.beam):
            flat_center = _responses(filters.beam, beam_frames, filters, frequency)
        center = flat_center
        if len(filters.phantom):
            center = _responses(filters.phantom, beam_frames, filters, frequency)
        return cls(
            frequency,
            plain,
            cancelled,
            cancelled + cancelled[:, ::-1] * _virtual_crosstalk(filters, frequency, width_deg),
            plain_center,
            flat_center,
            center,
        )


def _virtual_crosstalk(filters: FilterSet, frequency: FloatArray, width_deg: float) -> ComplexArray:
    """Far over near ear of the virtual pair, for the (left, right) channel, shape (2, n) or (1, n)."""
    block = VirtualStereo(filters.sample_rate, width_deg, 1.0)
    impulse = np.zeros((2, _FAR_EAR_FRAMES), np.float32)
    impulse[0, 0] = 1.0
    far = _responses(block.process(impulse)[1:], block.latency_frames, filters, frequency)
    if not len(filters.crosstalk):
        return far
    return far * _responses(filters.crosstalk, filters.crosstalk_delay_frames, filters, frequency)


def _responses(firs: ArrayLike, delay_frames: int, filters: FilterSet, frequency: FloatArray) -> ComplexArray:
    return response_of(firs, frequency, sample_rate=filters.sample_rate, delay_frames=delay_frames)
