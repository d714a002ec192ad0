"""What a design sends to the drivers: the chain of the engine, from the filters as they are exported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage._core import ChainResponse
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.metrics.played import Played
from forestage.short_repr import ShortRepr


@dataclass(frozen=True, repr=False)
class Chain(ShortRepr):
    """Responses from inputs to the drivers, in front of their equalisers, without the delay that all paths have.

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
        frequency = np.asarray(frequency_hz, dtype=np.float64)
        response = ChainResponse(design.filter_set(sample_rate), design.device.plain_gains, frequency)
        width_deg = design.width_deg if width_deg is None else width_deg
        plain, plain_center = response.feeds({"amount": 0})
        cancelled, flat_center = response.feeds({"stage_crosstalk": 0, "center_presence": 100})
        staged, center = response.feeds({"stage_width_deg": width_deg})
        return cls(frequency, plain, cancelled, staged, plain_center, flat_center, center)
