"""From a device to the plan of its centre beam."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

from forestage.acoustics.device import Device
from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SAMPLE_RATE
from forestage.design.beam.array import CIRCLE_DEG, GRID_HZ, BeamArray, beam_array, later_s
from forestage.design.beam.closed_form import bounded, carried, null_shape, on_axis, superdirective
from forestage.design.beam.curves import curves_of, grid_between, smooth_gains
from forestage.design.beam.exported import follow_export
from forestage.design.beam.firs import beam_firs
from forestage.design.beam.methods import check_method, solve
from forestage.design.beam.plan import HIGHEST_HZ, MAX_GAIN, BeamPlan, plain_level, plain_on_axis
from forestage.design.beam.problem import NOTHING_DB, BeamProblem
from forestage.design.beam.target import BeamTarget
from forestage.design.filters import log_fade
from forestage.design.shortfall import Shortfall, shortfalls
from forestage.design.skew import aligned_plain
from forestage.firs import response_of
from forestage.metrics.directivity import on_off_db, window_db

DEFAULT_METHOD = "ratio-search"
PER_OCTAVE, EDGE_PER_OCTAVE = 14, 8
LOWEST_HZ, ALIKE_HZ = 25.0, 60.0
BASS_DRIVE_DB = 0.05
LEAST_OCTAVES = 0.7
LEAST_HELP_DB = 3.0
LEAD_OVER_PLAIN_DB, PLAIN_WINDOW_DB = 0.5, -7.0
REACH = 1.2
# Of the best directivity index, which costs much for little; and in any case over that of the plain mix
LEFT_FOR_OTHERS_DB, CARRY_MARGIN_DB = 0.3, 0.1
LEADS_DB = np.arange(0.1, 10.0, 0.1)


# Many small matrices: threads only cost time, and change the last digits
@one_thread
def plan_beam(device: Device, plant: Plant, *, target: BeamTarget) -> BeamPlan:
    """Find the ratios and the alignment of a device's centre beam.

    Where no three drivers play at a time, all play the same, flat on axis.

    Parameters
    ----------
    device : Device
        The device; not headphones.
    plant : Plant
        From its drivers to the listener.
    target : BeamTarget
        What to aim at. Where it cannot be met the plan comes close, and says so in its ``shortfall``.

    Raises
    ------
    ValueError
        For headphones, and when there is no such method.
    """
    check_method(target.method)
    array = beam_array(device, band_hz=target.band_hz)
    plays_on = groups_that_play_on(array)
    edge_hz = upper_edge_hz(array, plays_on, target) if device.can_beam and len(array.groups) > 1 else None
    if edge_hz is None:
        problem = _problem(array, plays_on, target, target.band_hz[0] / 2.0**target.fade_octaves, per_octave=PER_OCTAVE)
        weights = on_axis(problem, problem.alignment)
    else:
        problem = _better_than_plain(array, _problem(array, plays_on, target, edge_hz, per_octave=PER_OCTAVE))
        if target.carry_db is not None:
            problem = _carrying(array, problem, target.carry_db)
        weights = solve(problem, target.method)
    lost_hz = _lost_hz(array, plays_on, plain_level(array, plant))
    curves = replace(curves_of(problem), gain=smooth_gains(problem, weights), lost_hz=lost_hz)
    plan = BeamPlan(array, target, plant, curves, _lead_s(array, plant))
    plan = replace(plan, near_lead_s=_near_lead_s(plan))
    if edge_hz is not None and target.method == DEFAULT_METHOD:
        plan = follow_export(plan, problem)
        plan = replace(plan, near_lead_s=_near_lead_s(plan))
    return replace(plan, shortfall=tuple(_shortfall(plan)))


def groups_that_play_on(array: BeamArray) -> NDArray[np.bool_]:
    """Who plays above the band: the middle, and what has another band and is for the centre or both channels.

    Without a driver for the centre other bands count whatever they play, and without a beam all groups play on.
    """
    firsts = [array.device.drivers[group[0]] for group in array.groups]
    bands = [(driver.low_hz, driver.high_hz) for driver in firsts]
    shared = [driver.channel in ("center", "both") or not array.device.has_center for driver in firsts]
    chosen = np.array([both and band != bands[0] for both, band in zip(shared, bands, strict=True)])
    chosen[0] = True
    return chosen if array.device.can_beam else np.ones_like(chosen)


def _lost_hz(array: BeamArray, plays_on: NDArray[np.bool_], level: float) -> float:
    """From where those who play on can not be flat on axis any more; infinite when they always can."""
    frequency = np.geomspace(1000.0, HIGHEST_HZ, 100)
    voices = array.summed(array.on_axis(frequency)) * array.alignment(frequency)
    lost = np.abs(np.sum(voices[plays_on], axis=0)) < REACH * level / MAX_GAIN
    return float(frequency[np.argmax(lost)]) if lost.any() else np.inf


def upper_edge_hz(array: BeamArray, plays_on: NDArray[np.bool_], target: BeamTarget) -> float | None:
    """Up to where the array comes closer to the target than what plays on above does; None where it never does.

    Where what plays on carries less far than the plain mix and should not, at least up to where the beam is judged.
    """
    problem = _problem(array, plays_on, target, target.band_hz[1], per_octave=EDGE_PER_OCTAVE)
    alone = problem.alignment * plays_on[:, None]
    helps_db = _miss_db(problem, alone) - _miss_db(problem, solve(problem, DEFAULT_METHOD))
    frequency, helps_db = problem.frequency_hz[problem.is_asked], helps_db[problem.is_asked]
    # Half an octave on average, so that a narrow dip does not end the band; then no dip at its end
    on_average = uniform_filter1d(helps_db, EDGE_PER_OCTAVE // 2) >= LEAST_HELP_DB
    start = int(np.argmax(on_average))
    end = start + int(np.argmin(np.append(on_average[start:], False)))
    helped = start + np.flatnonzero(helps_db[start:end] >= LEAST_HELP_DB)
    edges_hz = [target.band_hz[0] * 2.0**LEAST_OCTAVES, float(frequency[helped[-1]])] if len(helped) else []
    lead_db = problem.directivity_index_db(alone) - _plain_index_db(array, problem)
    if target.carry_db is not None and lead_db[_is_judged(problem)].mean() < 0.0:
        edges_hz.append(target.judged_hz[1])
    return min(max(edges_hz), target.band_hz[1]) if edges_hz else None


def _miss_db(problem: BeamProblem, weights: ComplexArray) -> FloatArray:
    """How far weights stay below the goals in dB: front over sides, and window, shape (n,)."""
    pressure = problem.radiated(weights)
    low, high = window_db(pressure, CIRCLE_DEG)
    floor, ceiling = problem.target.window_db
    short = problem.on_off_db - on_off_db(pressure, CIRCLE_DEG)
    return np.maximum(short, 0.0) + np.maximum(floor - low, 0.0) + np.maximum(high - ceiling, 0.0)


def _problem(
    array: BeamArray, plays_on: NDArray[np.bool_], target: BeamTarget, edge_hz: float, *, per_octave: int
) -> BeamProblem:
    """The target within the band; below less and less drive, above no more than the window and the drive."""
    frequency = grid_between(LOWEST_HZ, edge_hz * 2.0 ** (target.fade_octaves + 0.5), per_octave=per_octave)
    problem = array.problem(frequency, target, plays_on=plays_on, edge_hz=edge_hz)
    mixed_db = problem.white_noise_gain_db(problem.alignment) - BASS_DRIVE_DB
    share = log_fade(frequency, ALIKE_HZ, target.band_hz[0])
    return replace(
        problem,
        on_off_db=np.where(problem.is_asked, problem.on_off_db, NOTHING_DB),
        gain_db=mixed_db + share * (problem.gain_db - mixed_db),
    )


def _better_than_plain(array: BeamArray, problem: BeamProblem) -> BeamProblem:
    """The same, and in any case better than plain mixes with a front window, and above the band than what plays on."""
    drivers = array.device.drivers
    sides = np.array([float(driver.channel in ("left", "right")) for driver in drivers])
    pattern = array.pattern(problem.frequency_hz)
    goal_db = problem.on_off_db
    mixed_db = goal_db
    # What plays on comes last
    for gains in (sides, np.ones(len(drivers)), array.to_drivers(problem.plays_on)):
        pressure = np.einsum("daf,d->af", pattern, gains)
        counts = problem.is_asked & (window_db(pressure, CIRCLE_DEG)[0] >= PLAIN_WINDOW_DB)
        mixed_db = on_off_db(pressure, CIRCLE_DEG)
        goal_db = np.where(counts, np.maximum(goal_db, mixed_db + LEAD_OVER_PLAIN_DB), goal_db)
    return replace(problem, on_off_db=np.where(problem.frequency_hz > problem.edge_hz, mixed_db, goal_db))


def _carrying(array: BeamArray, problem: BeamProblem, carry_db: float) -> BeamProblem:
    """The same, and nowhere a directivity index behind that of the plain mix, and one ahead of it on average.

    It is asked for what null shapes do not have by themselves, with the least lead that is enough on average. There,
    front over sides and window are asked for no more than is left of them once the shapes carry as far: on a line of
    points, a wide window and a high index exclude each other.
    """
    plain_db = _plain_index_db(array, problem)
    best_db = problem.directivity_index_db(superdirective(problem))
    shaped = bounded(problem, null_shape(problem))
    shaped_db = problem.directivity_index_db(shaped)
    leads_db = np.where(problem.is_asked, LEADS_DB[:, None], CARRY_MARGIN_DB)
    goals_db = np.clip(best_db - LEFT_FOR_OTHERS_DB, plain_db + CARRY_MARGIN_DB, plain_db + leads_db)
    ahead_db = np.mean((np.maximum(goals_db, shaped_db) - plain_db)[:, _is_judged(problem)], axis=1)
    is_enough = np.append(ahead_db[:-1] >= carry_db, True)
    goal_db = np.minimum(goals_db[np.argmax(is_enough)], best_db)
    goal_db = np.where(problem.frequency_hz <= problem.edge_hz, goal_db, NOTHING_DB)
    problem = replace(problem, carry_db=goal_db)
    is_behind = shaped_db < goal_db
    left = problem.radiated(carried(problem, shaped))
    return replace(
        problem,
        on_off_db=np.where(is_behind, np.minimum(problem.on_off_db, on_off_db(left, CIRCLE_DEG)), problem.on_off_db),
        floor_db=np.where(is_behind, np.minimum(problem.floor_db, window_db(left, CIRCLE_DEG)[0]), problem.floor_db),
    )


def _plain_index_db(array: BeamArray, problem: BeamProblem) -> FloatArray:
    """Directivity index of the plain mix, shape (n,)."""
    plain = array.to_groups(array.device.plain_gains.sum(axis=1))
    return problem.directivity_index_db(plain[:, None] * np.ones_like(problem.axis))


def _is_judged(problem: BeamProblem) -> NDArray[np.bool_]:
    """Where the beam is asked for and judged, shape (n,)."""
    return problem.is_asked & (problem.frequency_hz <= problem.target.judged_hz[1])


def _lead_s(array: BeamArray, plant: Plant) -> float:
    """How much earlier the middle arrives on axis than the reference drivers of plain stereo.

    In whole frames of the usual rate, so that the filters hardly move between rates.
    """
    middle = array.on_axis(GRID_HZ)[array.groups[0][0]]
    return round(later_s(plain_on_axis(array, plant, GRID_HZ, plant.references), middle) * SAMPLE_RATE) / SAMPLE_RATE


def _near_lead_s(plan: BeamPlan) -> float:
    """How much earlier than the beam each side of plain stereo arrives at its ear, on average."""
    frequency = np.linspace(1000.0, 8000.0, 200)
    response = plan.plant.at(frequency)
    ears = np.einsum("edf,df->ef", response, plan.array.to_drivers(plan.responses(frequency)))
    plain = np.einsum("edf,def->ef", response, aligned_plain(plan.plant, frequency))
    ahead = np.unwrap(np.angle(plain / ears), axis=-1).mean(axis=0)
    return plan.near_lead_s + float(np.polyfit(2 * np.pi * frequency, ahead, 1)[0])


def _shortfall(plan: BeamPlan) -> Iterator[Shortfall]:
    """Bands in which filters at 48 kHz miss the target."""
    target, firs = plan.target, beam_firs(plan, sample_rate=SAMPLE_RATE)
    frequency = np.geomspace(*target.judged_hz, 60)
    filters = response_of(firs, frequency, sample_rate=SAMPLE_RATE)
    pressure = np.einsum("daf,df->af", plan.array.pattern(frequency), filters)
    low, high = window_db(pressure, CIRCLE_DEG)
    problem = plan.array.problem(frequency, target)
    weights = filters[[group[0] for group in plan.array.groups]]
    gain_db = problem.white_noise_gain_db(weights)
    if target.carry_db is not None:
        lead_db = problem.directivity_index_db(weights) - _plain_index_db(plan.array, problem)
        behind_db = np.maximum(target.carry_db - lead_db.mean(), -lead_db)
        yield from shortfalls("beam lead in directivity over the plain mix", frequency, behind_db)
    yield from shortfalls("beam front over sides", frequency, target.on_off_db - on_off_db(pressure, CIRCLE_DEG))
    yield from shortfalls("beam window floor", frequency, target.window_db[0] - low)
    yield from shortfalls("beam window ceiling", frequency, high - target.window_db[1])
    yield from shortfalls("beam white noise gain", frequency, target.white_noise_gain_db - gain_db)
    frequency = np.geomspace(*target.flat_hz, 200)
    axis = np.sum(plan.array.on_axis(frequency) * response_of(firs, frequency, sample_rate=SAMPLE_RATE), axis=0)
    ripple_db = np.abs(20 * np.log10(np.abs(axis) / plan.level))
    yield from shortfalls("beam flatness on axis", frequency, ripple_db - target.flat_db)
