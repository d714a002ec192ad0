"""What of a measured driver its equaliser is to make up for: level, polarity and colour, within limits.

The rest (directivity, cabinet, what cannot be made up for) stays in the impulse responses, which are written as those
of the driver behind its equaliser. The equaliser itself is what `forestage design` makes of the device file's
``response_db``: minimum-phase, and within what ``max_db`` allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.driver import MAX_LEVEL_DB, Driver
from forestage.acoustics.driver_response import driver_responses
from forestage.arrays import ComplexArray, FloatArray
from forestage.measure.quality import THIRDS_HZ, thirds_within
from forestage.short_repr import ShortRepr

LEVEL_HZ = (200.0, 4000.0)
MOST_BOOST_DB, MOST_CUT_DB = 6.0, 12.0
# Where a driver distorts more, or is heard less well, nothing is boosted
MOST_DISTORTION, LEAST_SNR_DB = 0.03, 20.0
COLOUR_HZ = (50.0, 16_000.0)
# Below this over the length of the window, a response says little
GATED_PERIODS = 1.5


@dataclass(frozen=True, repr=False)
class Heard(ShortRepr):
    """What was heard of a driver in third octaves, each of shape (31,).

    Attributes
    ----------
    level_db : ndarray
        In the mean over places, each at 1 m.
    snr_db : ndarray
        Least of all places.
    distortion : ndarray
        As a ratio; NaN where it is not known.
    """

    level_db: FloatArray
    snr_db: FloatArray
    distortion: FloatArray


def level_of(driver: Driver, heard: Heard) -> float:
    """Level of a driver in the middle of its band."""
    low_hz = max(LEVEL_HZ[0], 1.5 * (driver.low_hz or 0.0))
    high_hz = min(LEVEL_HZ[1], (driver.high_hz or np.inf) / 1.5)
    if high_hz <= 1.26 * low_hz:  # a woofer or tweeter: all of its own
        low_hz, high_hz = driver.low_hz or COLOUR_HZ[0], driver.high_hz or COLOUR_HZ[1]
    inside = thirds_within(low_hz, high_hz) & np.isfinite(heard.level_db)
    return float(np.mean(heard.level_db[inside]))


def coloured(device: Device, heard: list[Heard], *, inverted: list[bool], window_s: float) -> Device:
    """The device with what its equalisers are to make up for."""
    levels = [level_of(driver, each) for driver, each in zip(device.drivers, heard, strict=True)]
    usual = float(np.median(levels))
    drivers = [
        replace(
            driver,
            response_db=colour(driver, each, level, window_s),
            level_db=round(float(np.clip(level - usual, -MAX_LEVEL_DB, MAX_LEVEL_DB)), 2),
            inverted=flipped,
        )
        for driver, each, level, flipped in zip(device.drivers, heard, levels, inverted, strict=True)
    ]
    return replace(device, drivers=tuple(drivers))


def colour(driver: Driver, heard: Heard, level_db: float, window_s: float) -> tuple[tuple[float, float], ...]:
    """Deviation from flat that is made up for, as (Hz, dB) points in third octaves."""
    low_hz = max(COLOUR_HZ[0], GATED_PERIODS / window_s, driver.low_hz or 0.0)
    high_hz = min(COLOUR_HZ[1], driver.high_hz or np.inf)
    known = thirds_within(low_hz, high_hz) & np.isfinite(heard.level_db)
    is_boosted = (heard.snr_db >= LEAST_SNR_DB) & (np.nan_to_num(heard.distortion) <= MOST_DISTORTION)
    boost_db = np.where(is_boosted, MOST_BOOST_DB, 0.0)
    deviation_db = np.clip(heard.level_db - level_db, -boost_db, MOST_CUT_DB)
    return tuple(
        (float(f"{hz:.5g}"), round(float(db), 2)) for hz, db in zip(THIRDS_HZ[known], deviation_db[known], strict=True)
    )


def behind_equalisers(device: Device, frequency_hz: FloatArray) -> ComplexArray:
    """What impulse responses are divided by, shape (drivers, n)."""
    return driver_responses(device, frequency_hz)
