"""What a driver does to its feed, and what its equaliser makes of that.

    equalised feed ── equaliser: crossover, inverse response, limit ── driver: response, level, delay, polarity ── air

Responses are minimum-phase; crossovers, and the bass that goes to other drivers, are those of
`forestage.acoustics.crossover`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import CubicSpline

from forestage.acoustics.crossover import analogue, bass_paths, crossover, own_paths
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.arrays import ComplexArray, FloatArray

LIMIT_DB = 12.0
GRID_HZ = np.linspace(0.0, 24_000.0, 4097)


def minimum_phase(magnitude: ArrayLike) -> ComplexArray:
    """Minimum-phase response of a magnitude on the bins of an even real transform, 0 to half the sample rate."""
    log_magnitude = np.log(np.maximum(np.asarray(magnitude, dtype=np.float64), 1e-6))
    cepstrum = np.fft.irfft(log_magnitude, axis=-1)
    frames = cepstrum.shape[-1]
    fold = np.zeros(frames)
    fold[0] = fold[frames // 2] = 1.0
    fold[1 : frames // 2] = 2.0
    return np.exp(np.fft.rfft(cepstrum * fold, axis=-1))


def response_db(driver: Driver, frequency_hz: ArrayLike) -> FloatArray:
    """Deviation of a driver from flat: its breakpoints joined over the logarithm of frequency, held outside.

    Examples
    --------
    >>> driver = Driver("a", "left", (0.0, 0.0, 0.0), response_db=((100.0, -6.0), (400.0, 0.0)))
    >>> response_db(driver, [50.0, 200.0, 800.0]).round(6).tolist()
    [-6.0, -3.0, 0.0]
    """
    return _between(driver.response_db, frequency_hz, default=0.0)


def inverse_db(driver: Driver, frequency_hz: ArrayLike) -> FloatArray:
    """What the equaliser of a driver adds to its deviation from flat: its opposite, within +-12 dB and its limit.

    Examples
    --------
    >>> driver = Driver("a", "left", (0.0, 0.0, 0.0), response_db=((100.0, -6.0),), max_db=((50.0, -9.0), (100.0, 0.0)))
    >>> inverse_db(driver, [50.0, 200.0]).tolist()
    [-9.0, 0.0]
    """
    opposite = np.clip(-response_db(driver, frequency_hz), -LIMIT_DB, LIMIT_DB)
    return np.minimum(opposite, limit_db(driver, frequency_hz))


def limit_db(driver: Driver, frequency_hz: ArrayLike) -> FloatArray:
    """The most a driver may get, by its limit and its excursion, shape (n,); infinite where nothing limits it.

    What its crossover keeps from it does not move it.
    """
    most_db = _between(driver.max_db, frequency_hz, default=np.inf)
    if driver.thiele_small is not None:
        kept_db = -20 * np.log10(np.maximum(np.abs(crossover(driver, frequency_hz)), 1e-6))
        most_db = np.minimum(most_db, driver.thiele_small.most_db(frequency_hz) + kept_db)
    return most_db


def room_db(driver: Driver, frequency_hz: ArrayLike) -> FloatArray:
    """What the limit of a driver leaves above its equaliser, shape (n,); infinite without a limit.

    Examples
    --------
    >>> driver = Driver("a", "left", (0.0, 0.0, 0.0), max_db=((50.0, -9.0), (100.0, 0.0), (200.0, 6.0)))
    >>> room_db(driver, [50.0, 100.0, 400.0]).tolist()
    [0.0, 0.0, 6.0]
    """
    return limit_db(driver, frequency_hz) - inverse_db(driver, frequency_hz)


def _between(points: tuple[tuple[float, float], ...], frequency_hz: ArrayLike, *, default: float) -> FloatArray:
    """Breakpoints joined over the logarithm of frequency and held outside, shape (n,); ``default`` without any."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    if not points:
        return np.full_like(frequency, default)
    hz, values = np.array(points).T
    return np.interp(np.log(np.maximum(frequency, 1.0)), np.log(hz), values)


def early_s(device: Device) -> FloatArray:
    """How much earlier than the latest driver each one is, all fed at once, shape (drivers,)."""
    delay_ms = np.array([driver.delay_ms for driver in device.drivers])
    return (delay_ms.max() - delay_ms) / 1000.0


def signed_gain(driver: Driver) -> float:
    """Level and polarity of a driver as one factor."""
    gain = 10.0 ** (driver.level_db / 20)
    return -gain if driver.inverted else gain


def driver_responses(device: Device, frequency_hz: ArrayLike) -> ComplexArray:
    """What the drivers do to their feeds, relative in time to the latest one, shape (drivers, n)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    own = np.stack([_minimum_phase_at(driver, frequency, residual=False) for driver in device.drivers])
    gains = np.array([signed_gain(driver) for driver in device.drivers])
    return own * gains[:, None] * np.exp(2j * np.pi * early_s(device)[:, None] * frequency)


def feed_responses(device: Device, frequency_hz: ArrayLike) -> ComplexArray:
    """Equalisers and drivers together: crossovers, and what of the responses is beyond +-12 dB, shape (drivers, n).

    From the feed of each driver to that driver alone; `of_feeds` and `to_drivers` know the bass that others play.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    left = np.stack([_minimum_phase_at(driver, frequency, residual=True) for driver in device.drivers])
    return own_paths(device, analogue(frequency), frequency) * left


def of_feeds(device: Device, responses: ComplexArray, frequency_hz: ArrayLike) -> ComplexArray:
    """Responses of flat drivers as those of their equalised feeds, of either shape (..., drivers, n)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    found = responses * feed_responses(device, frequency)
    for source, target, path in _bass_responses(device, frequency):
        found[..., source, :] += responses[..., target, :] * path
    return found


def to_drivers(device: Device, feeds: ComplexArray, frequency_hz: ArrayLike) -> ComplexArray:
    """What flat drivers would play for equalised feeds, both of shape (drivers, channels, n)."""
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    found = feeds * feed_responses(device, frequency)[:, None]
    for source, target, path in _bass_responses(device, frequency):
        found[target] += feeds[source] * path
    return found


def _bass_responses(device: Device, frequency: FloatArray) -> list[tuple[int, int, ComplexArray]]:
    """From whose feed to which driver, and how, shape (n,)."""
    return [
        (route.source, route.target, path * _minimum_phase_at(device.drivers[route.target], frequency, residual=True))
        for route, path in bass_paths(device, analogue(frequency), frequency)
    ]


def _minimum_phase_at(driver: Driver, frequency: FloatArray, *, residual: bool) -> ComplexArray:
    """Response of a driver, or what its equaliser leaves of it, at any frequencies."""
    level_db = response_db(driver, GRID_HZ)
    if residual:
        level_db = level_db + inverse_db(driver, GRID_HZ)
    if not level_db.any():
        return np.ones(frequency.shape, dtype=np.complex128)
    response = minimum_phase(10.0 ** (level_db / 20))
    return CubicSpline(GRID_HZ, response)(np.minimum(frequency, GRID_HZ[-1]))
