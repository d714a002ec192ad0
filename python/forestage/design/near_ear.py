"""What the near ears of left and right are to hear: the colour that a pair of loudspeakers has there.

Drivers to the sides of a body reach the listener with little treble, and one in front of it with more than a pair does.
So the gains p of plain stereo are corrected by g, the level of the pair over that of the device, and what takes more
than the drivers of the side should give comes from those that reach the ear with the least drive, q, of the same ear:

    share g p + (1 - share) q        share = min(1, most gain / g)

All of it stays within the drive cap over plain stereo, and within what limits of drivers leave: a body whose drivers
all face away keeps some of its dullness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import room_db
from forestage.acoustics.pair import own_ears, pair_ears
from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.choices import DRIVE_CAP_DB
from forestage.design.filters import log_fade
from forestage.design.skew import GRID_HZ, aligned_plain
from forestage.metrics.bands import smoothed_db

# Drivers keep their bass
BASS_HZ = (60.0, 120.0)
# Where pair and device are brought to the same level
LEVEL_HZ = (200.0, 1600.0)
SMOOTHING_OCTAVES = 1 / 6
GAIN_DB = (-9.0, 24.0)
MOST_OWN_GAIN_DB = 3.0
MOST_DRIVE_DB = DRIVE_CAP_DB


def even_plain(device: Device, seat: Plant, frequency_hz: ArrayLike) -> ComplexArray:
    """Gains of all drivers for the (left, right) channel, shape (drivers, 2, n), with which near ears hear a pair.

    Those of `aligned_plain`, evened out; of headphones as they are, whose colour is in their own hands.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    plain = aligned_plain(seat, frequency)
    if device.is_headphones:
        return plain
    inside = np.log(np.clip(frequency, GRID_HZ[0], GRID_HZ[-1]))
    gain = 10.0 ** (np.stack([np.interp(inside, np.log(GRID_HZ), side) for side in _gain_db(device, seat)]) / 20)
    share = np.minimum(1.0, 10.0 ** (MOST_OWN_GAIN_DB / 20) / gain)
    rows = seat.at(frequency)
    near = np.einsum("cdf,dcf->cf", rows, plain)
    least = rows.conj() * (near / np.sum(np.abs(rows) ** 2, axis=1))[:, None]
    even = gain * (share * plain + (1.0 - share) * least.transpose(1, 0, 2))
    drive = np.sum(np.abs(even) ** 2, axis=0) / np.sum(np.abs(plain) ** 2, axis=0)
    even *= np.minimum(1.0, np.sqrt(10.0 ** (MOST_DRIVE_DB / 10) / drive))
    if any(driver.is_limited for driver in device.drivers):
        most = 10.0 ** (np.stack([room_db(driver, frequency) for driver in device.drivers]) / 20)
        even *= np.minimum(1.0, (most[:, None] / np.maximum(np.abs(even), 1e-30)).min(axis=0))
    return even


def _gain_db(device: Device, seat: Plant) -> FloatArray:
    """Near ear of a pair over that of the device, alike from `LEVEL_HZ`, shape (2, len(GRID_HZ))."""
    pair = pair_ears(device.listener, GRID_HZ)
    near = np.einsum("cdf,dcf->cf", seat.at(GRID_HZ), aligned_plain(seat, GRID_HZ))
    over_db = 20 * np.log10(np.abs(own_ears(pair) / near))
    over_db = smoothed_db(GRID_HZ, over_db, octaves=SMOOTHING_OCTAVES)
    levelled = (LEVEL_HZ[0] <= GRID_HZ) & (LEVEL_HZ[1] >= GRID_HZ)
    over_db -= over_db[:, levelled].mean()
    return np.clip(over_db, *GAIN_DB) * log_fade(GRID_HZ, *BASS_HZ)
