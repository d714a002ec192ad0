"""Where the microphone was, by the times between drivers; and whether the drivers are the ones that were said."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from forestage.arrays import FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.measure.plan import Place, Plan

# Farther aside than this is not where it was said; as far as that it is put right
LEAST_OFF_M, MOST_OFF_M = 0.005, 0.06
# Beyond that it is not sought: it may be anywhere
SOUGHT_M = 2.0 * MOST_OFF_M
# Of the times that a place to the side would change, below which they tell nothing of it
LEAST_SLOPE = 0.05
# Another order of drivers has to fit so much better
BETTER = 4.0
LEAST_MISFIT_S = 60e-6
STEPS = 4


def distances_m(plan: Plan, places_m: FloatArray) -> FloatArray:
    """From every driver to every place, shape (drivers, places)."""
    centres = np.array([field.centre_m for field in plan.device.fields])
    return np.linalg.norm(centres[:, None] - places_m, axis=-1)


def expected_s(plan: Plan, places_m: FloatArray) -> FloatArray:
    """How much later than at place 1 each driver is heard, over the driver of the markers, shape (drivers, places)."""
    flight = distances_m(plan, places_m) / SPEED_OF_SOUND_M_S
    later = flight - flight[:, :1]
    return later - later[plan.reference]


def check_order(plan: Plan, late_s: FloatArray) -> None:
    """Refuse recordings that fit the drivers in another order much better than in the one they should be in.

    Parameters
    ----------
    plan : Plan
        Of the measurement.
    late_s : ndarray, shape (drivers, places)
        What `expected_s` should be, as measured.
    """
    expected = expected_s(plan, np.array(plan.places_m))
    # Any driver may have played the markers, so that only what differs between drivers counts
    measured, should = (each - each.mean(axis=0) for each in (late_s, expected))
    misfit = np.sqrt(np.mean((measured[:, None] - should[None]) ** 2, axis=-1))
    rows, columns = linear_sum_assignment(misfit**2)
    said, best = (float(np.sqrt(np.mean(misfit[rows, which] ** 2))) for which in (rows, columns))
    if said < LEAST_MISFIT_S or said < BETTER * best or np.array_equal(rows, columns):
        return
    names = [driver.name for driver in plan.drivers]
    order = ", ".join(
        f"{names[row]} sounds from where {names[column]} is"
        for row, column in zip(rows, columns, strict=True)
        if row != column
    )
    raise ValueError(
        f"drivers are in another order than the device file has them: {order}. Change the channels of the player, or "
        "channel and order in the device file; where the places were taken from the other side, name the files "
        "the other way round"
    )


def aside_m(plan: Plan, late_s: FloatArray) -> FloatArray:
    """How far to the listener's left of its place each microphone was, shape (places,); 0 where times do not tell.

    Times between drivers tell it up to what all places have in common, so that most of them count as right.
    """
    places = np.array(plan.places_m)
    found = np.zeros(len(places))
    others = [index for index in range(len(plan.drivers)) if index != plan.reference]
    for _ in range(STEPS):
        moved = places + found[:, None] * [0.0, 1.0, 0.0]
        step_m = 1e-3
        flights = distances_m(plan, moved)
        slopes = (distances_m(plan, moved + [0.0, step_m, 0.0]) - flights) / step_m
        slope = (slopes - slopes[plan.reference])[others]
        # Drivers' own delays are what all places agree on
        apart = SPEED_OF_SOUND_M_S * (late_s - expected_s(plan, moved))[others]
        apart -= np.median(apart, axis=1, keepdims=True)
        weight = np.sum(slope**2, axis=0)
        step = np.where(weight > LEAST_SLOPE**2, np.sum(slope * apart, axis=0) / np.maximum(weight, 1e-12), 0.0)
        found = np.clip(found + step, -SOUGHT_M, SOUGHT_M)
    return found


def corrected(plan: Plan, off_m: FloatArray) -> tuple[Place, ...]:
    """Places of the plan, moved to where the microphone was."""
    is_off = np.abs(off_m) >= LEAST_OFF_M
    return tuple(
        (x, round(y + off, 4), z) if moved else (x, y, z)
        for (x, y, z), off, moved in zip(plan.places_m, off_m.tolist(), is_off.tolist(), strict=True)
    )
