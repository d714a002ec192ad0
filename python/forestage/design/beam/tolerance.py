"""How a beam stands the spread of real drivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.arrays import FloatArray
from forestage.metrics.directivity import on_off_db

TRIALS = 400
SEED = 1


def spread_on_off_db(
    pattern: ArrayLike,
    filters: ArrayLike,
    azimuth_deg: ArrayLike,
    *,
    spread_db: float = 0.5,
    spread_deg: float = 3.0,
    trials: int = TRIALS,
    seed: int = SEED,
) -> FloatArray:
    """Front over sides of devices whose drivers are each off by a random gain and phase, in dB.

    Parameters
    ----------
    pattern : array_like of complex, shape (drivers, azimuths, n)
        Pressure around the device per driver.
    filters : array_like of complex, shape (drivers, n)
        Responses of the filters.
    azimuth_deg : array_like, shape (azimuths,)
        Azimuths in degrees.
    spread_db, spread_deg : float
        Standard deviations; each driver draws once for all frequencies.
    trials, seed : int
        How many devices, and the seed of their random numbers.

    Returns
    -------
    ndarray, shape (trials, n)
    """
    fields = np.asarray(pattern) * np.asarray(filters)[:, None]
    random = np.random.default_rng(seed)
    level_db, phase_deg = random.normal(0.0, [[[spread_db]], [[spread_deg]]], (2, trials, len(fields)))
    errors = 10 ** (level_db / 20) * np.exp(1j * np.deg2rad(phase_deg))
    return np.stack([on_off_db(np.tensordot(error, fields, 1), azimuth_deg) for error in errors])
