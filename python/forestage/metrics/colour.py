"""How far a response is from flat, or from what it is compared with."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.pair import own_ears, pair_ears
from forestage.acoustics.plant import Plant, directivity
from forestage.arrays import ComplexArray, FloatArray
from forestage.metrics.bands import log_grid, smoothed_db
from forestage.metrics.chain import Chain
from forestage.metrics.played import Played
from forestage.metrics.separation import near_ears

FREQUENCY_HZ = log_grid(80.0, 12_800.0, per_octave=48)  # more than the band that counts, for the smoothing
BAND_HZ = (100.0, 10_000.0)


def near_ear_ripple_db(design: Played) -> dict[str, float]:
    """Ripple of the near ear against that of a real pair, of the channel that has more; see `ripple_db`.

    Headphones are held against themselves: their colour is their own.

    Returns
    -------
    dict
        "cancelled": crosstalk cancellation alone; "staged": with the virtual pair.
    """
    chain = Chain.of(design, FREQUENCY_HZ)
    pair = pair_ears(design.device.listener, FREQUENCY_HZ)
    wanted_db = 20 * np.log10(np.abs(own_ears(pair)))
    plain_db = 0.0
    if not design.device.is_headphones:
        plain_db = 20 * np.log10(np.abs(near_ears(design.plant, chain.plain, FREQUENCY_HZ)[1])) - wanted_db
    return {
        name: float(ripple_db(FREQUENCY_HZ, near_ear_db(design.plant, filters, FREQUENCY_HZ) + plain_db).max())
        for name, filters in (("cancelled", chain.cancelled), ("staged", chain.staged))
    }


def center_ripple_db(design: Played) -> dict[str, float]:
    """Ripple of mono on the axis, without a head, as a plain mix and as the flat beam; see `ripple_db`."""
    chain = Chain.of(design, FREQUENCY_HZ)
    axis = directivity(design.device, FREQUENCY_HZ, [0.0])[:, 0]

    def ripple(filters: ComplexArray) -> float:
        return float(ripple_db(FREQUENCY_HZ, 20 * np.log10(np.abs(np.sum(axis * filters, axis=0)))))

    return {"plain": ripple(chain.plain_center), "processed": ripple(chain.flat_center)}


def ripple_db(frequency_hz: ArrayLike, level_db: ArrayLike) -> FloatArray:
    """How far a level strays from its middle between 100 Hz and 10 kHz, smoothed over a sixth of an octave.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, even over the logarithm, somewhat beyond the band.
    level_db : array_like, shape (..., n)
        Levels in dB.

    Returns
    -------
    ndarray, shape (...)
        Half of the highest minus the lowest level, in dB: "+-1.5 dB" is 1.5.

    Examples
    --------
    >>> frequency = np.geomspace(50.0, 20_000.0, 400)
    >>> float(ripple_db(frequency, np.log10(frequency)).round(1))
    1.0
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    smooth = smoothed_db(frequency, level_db)[..., (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])]
    return 0.5 * (smooth.max(axis=-1) - smooth.min(axis=-1))


def near_ear_db(plant: Plant, filters: ArrayLike, frequency_hz: ArrayLike) -> FloatArray:
    """Level at the near ear over that of plain stereo.

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
    return 20 * np.log10(np.abs(near / plain))
