"""A measured plant where it was measured, and the model elsewhere, by how the measurement differs from it there.

    response(seat) = model(seat) x ratio,    ratio = sum_p share_p measured(p) / model(p)

Shares fall with the square of the distance from the measured places, so that the ratio at each of them is its own.
Below what the length of responses tells, a ratio keeps its level, and its phase shrinks with frequency.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from forestage.acoustics.measured_ears import MeasuredEars
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray, FloatArray

# What a turn of the head counts as: the way of an ear
TURN_M = 0.0875
NEAREST_M = 1e-4
LATENCIES_S = np.arange(-3e-3, 3e-3, 2e-6)
COMPARED_HZ = np.arange(300.0, 4001.0, 100.0)
LEVEL_HZ = np.geomspace(200.0, 4000.0, 40)

Model = Callable[[Seat, FloatArray], ComplexArray]


def place_ratios(measured: MeasuredEars, seat: Seat, model: Model, frequency: FloatArray) -> ComplexArray:
    """Measurement over model at every measured place, shape (places, 2, drivers, n).

    Parameters
    ----------
    measured : MeasuredEars
        The measurement.
    seat : Seat
        Whose head it is.
    model : callable
        ``model(seat, frequency_hz)``: responses (2, drivers, n), with the flight to the middle of the head.
    frequency : ndarray, shape (n,)
        In Hz.
    """
    seats = [Seat(place.position_m, place.yaw_deg, seat.head) for place in measured.places]
    held = np.clip(frequency, measured.lowest_hz, measured.highest_hz)
    latencies = np.array([_latency_s(measured, index, model(each, COMPARED_HZ)) for index, each in enumerate(seats)])
    early = np.exp(2j * np.pi * latencies[:, None, None, None] * held)
    ratios = measured.responses(held) * early / np.stack([model(each, held) for each in seats])
    levels = measured.responses(LEVEL_HZ) / np.stack([model(each, LEVEL_HZ) for each in seats])
    ratios /= np.exp(np.mean(np.log(np.abs(levels))))
    below = np.minimum(frequency / held, 1.0)
    shrunk: ComplexArray = np.abs(ratios) * np.exp(1j * np.angle(ratios) * below)
    return shrunk


def _latency_s(measured: MeasuredEars, place: int, model: ComplexArray) -> float:
    """Latency of a place over the model, under which all drivers and ears agree best."""
    ratio = (measured.responses(COMPARED_HZ)[place] / model).reshape(-1, len(COMPARED_HZ))
    # Each by itself, for polarities may differ
    agreement = np.abs((ratio / np.abs(ratio)) @ np.exp(2j * np.pi * np.outer(COMPARED_HZ, LATENCIES_S))).sum(axis=0)
    return float(LATENCIES_S[int(np.argmax(agreement))])


def noise_at(measured: MeasuredEars, seat: Seat, frequency_hz: FloatArray) -> FloatArray:
    """Noise over signal at a seat as a ratio, of the places that tell of it, shape (n,)."""
    power: FloatArray = shares(measured, seat) @ measured.noise(frequency_hz) ** 2
    return np.sqrt(power)


def shares(measured: MeasuredEars, seat: Seat) -> FloatArray:
    """How much each measured place tells of a seat, shape (places,).

    Examples
    --------
    >>> from forestage.acoustics.measured_ears import EarPlace
    >>> places = (EarPlace((0.5, 0.1, 0.0)), EarPlace((0.5, -0.1, 0.0)))
    >>> ears = MeasuredEars(places, np.ones((2, 2, 2, 9)), 48_000)
    >>> shares(ears, Seat((0.5, 0.1, 0.0))).round(3).tolist(), shares(ears, Seat((0.5, 0.0, 0.0))).round(3).tolist()
    ([1.0, 0.0], [0.5, 0.5])
    """
    places = np.array([(*place.position_m, TURN_M * np.deg2rad(place.yaw_deg)) for place in measured.places])
    here = np.array([*seat.position_m, TURN_M * np.deg2rad(seat.yaw_deg)])
    weights = 1.0 / (np.sum((places - here) ** 2, axis=1) + NEAREST_M**2)
    return weights / weights.sum()
