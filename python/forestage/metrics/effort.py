"""What a design asks of the drivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.plant import Plant
from forestage.arrays import FloatArray
from forestage.metrics.bands import log_grid
from forestage.metrics.chain import Chain
from forestage.metrics.played import Played
from forestage.metrics.separation import near_ears

FREQUENCY_HZ = log_grid(20.0, 20_000.0, per_octave=24)


def drive(design: Played) -> dict[str, FloatArray]:
    """Drive on `FREQUENCY_HZ`, of the channel that asks for more, in dB over plain stereo; see `effort_db`.

    Returns
    -------
    dict
        "cancelled": crosstalk cancellation alone; "staged": with the virtual pair.
    """
    chain = Chain.of(design, FREQUENCY_HZ)
    return {
        name: effort_db(design.plant, filters, FREQUENCY_HZ).max(axis=0)
        for name, filters in (("cancelled", chain.cancelled), ("staged", chain.staged))
    }


def effort_db(plant: Plant, filters: ArrayLike, frequency_hz: ArrayLike) -> FloatArray:
    """Drive: power of all drivers over that of plain stereo with the same level at the near ear.

    Parameters
    ----------
    plant : Plant
        From drivers to ears.
    filters : array_like of complex, shape (drivers, 2, n)
        Responses of the filters of the (left, right) channel.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.

    Returns
    -------
    ndarray, shape (2, n)
        For the (left, right) channel, in dB.
    """
    near, plain = near_ears(plant, filters, frequency_hz)
    power = np.sum(np.abs(np.asarray(filters)) ** 2, axis=0) / np.sum(plant.plain**2, axis=0)[:, None]
    return 10 * np.log10(power * np.abs(plain / near) ** 2)
