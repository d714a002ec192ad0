"""What a search for a beam is after: hinges that cost nothing once a goal is met, and their slopes in the weights."""

from __future__ import annotations

import numpy as np

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.problem import BeamProblem

DB = 10.0 / np.log(10.0)
# Price of a dB of front over sides
ON_OFF_PRICE = 15.0
# Price of a dB of directivity index: whatever else is missed, this is not
CARRY_PRICE = 400.0
# Price of the power by which the window is missed, relative to the axis
WINDOW_PRICE = 300.0
# Price of a dB of white noise gain, and of a dB less than what would be plenty
DRIVE_PRICE, EASE_PRICE, PLENTY_DB = 30.0, 1.0, 10.0
# Price of power for drivers outside their bands, over what one driver needs
OUTSIDE_PRICE = 10.0
# From where, within how much, and at which price the level (dB) and the phase (degrees) on axis are to be as wanted
AXIS_HZ = 100.0
FLAT_DB, FLAT_PRICE = 0.4, 100.0
PHASE_DEG, PHASE_PRICE = 2.0, 10.0

Row = tuple[FloatArray, ComplexArray]


def misses(problem: BeamProblem, weights: ComplexArray) -> Row:
    """How far weights miss the goals.

    Returns
    -------
    hinges : ndarray, shape (rows, n)
        Misses times their prices.
    slopes : ndarray of complex, shape (rows, voices, n)
        A hinge moves by ``Re(sum of slope * change)`` over the voices.
    """
    axis, axis_slope = _power(problem.axis[:, None], weights)
    rows = [
        _on_off(problem, weights),
        _carry(problem, weights, axis[0], axis_slope[0]),
        *_drive(problem, weights, axis[0], axis_slope[0]),
        _window(problem, weights, axis, axis_slope),
    ]
    if problem.wanted is not None:
        rows.extend(_as_wanted(problem, weights, problem.wanted))
    return np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows])


def _on_off(problem: BeamProblem, weights: ComplexArray) -> Row:
    """Front over sides, with what the spread of the drivers adds there."""
    front, front_slope = (values.mean(axis=0) for values in _power(problem.front, weights))
    sides, sides_slope = (values.mean(axis=0) for values in _power(problem.sides, weights))
    sides = sides + np.sum(problem.spread * np.abs(weights) ** 2, axis=0)
    sides_slope = sides_slope + 2 * problem.spread * weights.conj()
    short_db = problem.on_off_db - DB * np.log(front / sides)
    return _hinge(ON_OFF_PRICE, short_db, DB * (sides_slope / sides - front_slope / front))


def _carry(problem: BeamProblem, weights: ComplexArray, axis: FloatArray, axis_slope: ComplexArray) -> Row:
    """Directivity index."""
    seen = np.einsum("fgh,hf->gf", problem.total, weights)
    total = np.sum(weights.conj() * seen, axis=0).real
    short_db = problem.carry_db - DB * np.log(axis / total)
    return _hinge(CARRY_PRICE, short_db, DB * (2 * seen.conj() / total - axis_slope / axis))


def _drive(problem: BeamProblem, weights: ComplexArray, axis: FloatArray, axis_slope: ComplexArray) -> list[Row]:
    """White noise gain, and power for drivers outside their bands."""
    drive = np.sum(problem.price * np.abs(weights) ** 2, axis=0)
    gain_db = DB * np.log(axis / drive / problem.strongest)
    gain_slope = DB * (2 * problem.price * weights.conj() / drive - axis_slope / axis)
    idle = np.sum(problem.outside * np.abs(weights) ** 2, axis=0) * problem.strongest / axis
    idle_slope = (2 * problem.outside * weights.conj() * problem.strongest - idle * axis_slope) / axis
    return [
        _hinge(DRIVE_PRICE, problem.gain_db - gain_db, gain_slope),
        _hinge(EASE_PRICE, PLENTY_DB - gain_db, gain_slope),
        _hinge(OUTSIDE_PRICE, idle, idle_slope),
    ]


def _window(problem: BeamProblem, weights: ComplexArray, axis: FloatArray, axis_slope: ComplexArray) -> Row:
    """Power at each azimuth of the window, relative to the axis."""
    front, front_slope = _power(problem.window, weights)
    window = front / axis
    ceiling_db = problem.target.window_db[1]
    outside = window - np.clip(window, 10.0 ** (problem.floor_db / 10), 10.0 ** (ceiling_db / 10))
    slope = (front_slope - window[:, None] * axis_slope) / axis
    return WINDOW_PRICE * outside, WINDOW_PRICE * slope * (outside != 0.0)[:, None]


def _as_wanted(problem: BeamProblem, weights: ComplexArray, wanted: ComplexArray) -> list[Row]:
    """Level and phase on axis."""
    pressure = np.sum(problem.axis * weights, axis=0)
    is_judged = problem.frequency_hz >= AXIS_HZ
    rows = []
    for price, miss, allowed, slope in (
        (FLAT_PRICE, 2 * DB * np.log(np.abs(pressure / wanted)), FLAT_DB, 2 * DB * problem.axis / pressure),
        (
            PHASE_PRICE,
            np.rad2deg(np.angle(pressure / wanted)),
            PHASE_DEG,
            -1j * np.rad2deg(1.0) * problem.axis / pressure,
        ),
    ):
        beyond = (miss - np.clip(miss, -allowed, allowed)) * is_judged
        rows.append((price * beyond[None], price * (slope * (beyond != 0.0))[None]))
    return rows


def _hinge(price: float, miss: FloatArray, slope: ComplexArray) -> Row:
    """A miss where there is one, shape (1, n), and its slopes."""
    return price * np.maximum(miss, 0.0)[None], price * (slope * (miss > 0.0))[None]


def _power(voices: ComplexArray, weights: ComplexArray) -> Row:
    """Power over azimuth (azimuths, n), and its slopes (azimuths, voices, n)."""
    pressure = np.einsum("gaf,gf->af", voices, weights)
    return np.abs(pressure) ** 2, 2 * np.einsum("af,gaf->agf", pressure.conj(), voices)
