"""What makes a centre sound near: how much of its power goes to the front, and how far its direct sound carries."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.device import Device
from forestage.acoustics.patterns import FAR_M
from forestage.acoustics.plant import directivity, mean_power
from forestage.acoustics.seat import Listener
from forestage.arrays import FloatArray
from forestage.metrics.bands import log_grid, octave_means
from forestage.metrics.chain import Chain
from forestage.metrics.directivity import AZIMUTH_DEG, on_off_db
from forestage.metrics.played import Played

FREQUENCY_HZ = log_grid(210.0, 6300.0, per_octave=4)


def center_depth(design: Played) -> dict[str, dict[str, FloatArray]]:
    """Where the centre goes, per octave from 200 to 6400 Hz, each of shape (5,).

    Parameters
    ----------
    design : Played
        The design, its filters as they are exported; not of headphones.

    Returns
    -------
    dict
        For "plain" (a plain mix) and "processed" (the centre as it is heard unless told otherwise):
        "directivity_index_db", "critical_distance_m" in the listener's room, and
        "front_over_sides_db", the power within 45 degrees of the axis over that to the sides, see `on_off_db`.
    """
    chain = Chain.of(design, FREQUENCY_HZ)
    circle = directivity(design.device, FREQUENCY_HZ, AZIMUTH_DEG)
    found = {}
    for name, filters in (("plain", chain.plain_center), ("processed", chain.center)):
        index_db = octave_means(FREQUENCY_HZ, directivity_index_db(design.device, filters, FREQUENCY_HZ))
        found[name] = {
            "directivity_index_db": index_db,
            "critical_distance_m": critical_distance_m(index_db, design.device.listener),
            "front_over_sides_db": octave_means(FREQUENCY_HZ, on_off_db(np.einsum("daf,df->af", circle, filters))),
        }
    return found


def directivity_index_db(device: Device, filters: ArrayLike, frequency_hz: ArrayLike) -> FloatArray:
    """Power to the front over the mean power in all directions, Q, far away in the free field.

    Parameters
    ----------
    device : Device
        The device; not headphones.
    filters : array_like of complex, shape (drivers, n)
        Responses of one filter per driver.
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.

    Returns
    -------
    ndarray, shape (n,)
        In dB.
    """
    filters = np.asarray(filters)
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    axis = FAR_M * np.einsum("df,df->f", directivity(device, frequency, [0.0], distance_m=FAR_M)[:, 0], filters)
    power = np.einsum("df,fde,ef->f", filters.conj(), mean_power(device, frequency), filters).real
    return 10 * np.log10(np.abs(axis) ** 2 / power)


def critical_distance_m(directivity_index_db: ArrayLike, listener: Listener) -> FloatArray:
    """Distance at which direct and reverberant sound are equally strong: ``0.057 sqrt(Q V / RT60)``.

    Parameters
    ----------
    directivity_index_db : array_like
        In dB.
    listener : Listener
        Who has a room of that volume and reverberation time.

    Examples
    --------
    >>> critical_distance_m([0.0, 6.0], Listener(2.0)).round(2).tolist()
    [0.64, 1.27]
    """
    quotient = 10.0 ** (np.asarray(directivity_index_db, dtype=np.float64) / 10)
    return listener.omni_critical_m * np.sqrt(quotient)
