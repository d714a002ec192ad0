"""The pair of loudspeakers that a device is held against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.seat import Listener
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S

# Half angle of the pair that the Reference monitor plays
REFERENCE_DEG = 30.0


def pair_positions_m(width_deg: float, distance_m: float) -> FloatArray:
    """Where the (left, right) loudspeaker stands in the frame of the head, shape (2, 3)."""
    angle = np.deg2rad(width_deg)
    return distance_m * np.array([[np.cos(angle), side * np.sin(angle), 0.0] for side in (1.0, -1.0)])


def own_ears(ears: ComplexArray) -> ComplexArray:
    """Near ear of the (left, right) channel of ears [ear, channel], shape (2, ...)."""
    return np.stack([ears[0, 0], ears[1, 1]])


def pair_ears(listener: Listener, frequency_hz: ArrayLike, *, width_deg: float = REFERENCE_DEG) -> ComplexArray:
    """Ears of a listener before a real pair at the distance of the seat, without the way to it, shape (2, 2, n).

    The (left, right) ear from the (left, right) loudspeaker.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    pair = pair_positions_m(width_deg, listener.distance_m)
    way_s = listener.distance_m / SPEED_OF_SOUND_M_S
    ears: ComplexArray = listener.head.ears(frequency, pair) * np.exp(2j * np.pi * frequency * way_s)
    return ears
