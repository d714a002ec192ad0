"""The pair of loudspeakers that a device is held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.seat import Listener
from forestage.arrays import ComplexArray
from forestage.constants import SPEED_OF_SOUND_M_S

# Half angle of the pair that the Reference monitor plays
REFERENCE_DEG = 30.0


def pair_ears(listener: Listener, frequency_hz: ArrayLike, *, width_deg: float = REFERENCE_DEG) -> ComplexArray:
    """Ears of a listener before a real pair at the distance of the seat, without the way to it, shape (2, 2, n).

    The (left, right) ear from the (left, right) loudspeaker.
    """
    frequency, angle = np.asarray(frequency_hz, dtype=np.float64), np.deg2rad(width_deg)
    distance_m = listener.distance_m
    pair = distance_m * np.array([[np.cos(angle), side * np.sin(angle), 0.0] for side in (1.0, -1.0)])
    way_s = distance_m / SPEED_OF_SOUND_M_S
    ears: ComplexArray = listener.head.ears(frequency, pair) * np.exp(2j * np.pi * frequency * way_s)
    return ears
