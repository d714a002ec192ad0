"""Sides that are not exchanged beside the zone, for little inside of it.

Where a channel's sound is louder at the far ear, its image turns over. From weights w the way back to plain stereo,
which never turns over, is a straight line per frequency, ``p + share (w - p)``: less cancellation, and less of it the
wrong way round beside the zone. Separation counts as it is told, in dB, in the mean over octaves of the channel that
has less, so shares that lose least in the zone maximise

    zone_db(share) + sum over places m_k beside_db_k(share)

frequency by frequency. The prices m_k rise at places where separation is below what is wanted (dual ascent); of all
that is met on the way and costs no more than it may, what comes closest is taken, and of that what costs least.
"""

from __future__ import annotations

import numpy as np

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.cancel.problem import CancelProblem
from forestage.metrics.bands import OCTAVE_EDGES_HZ, octave_window

SHARES = np.linspace(0.0, 1.0, 41)
# Filters follow shares that change slowly
SMOOTHING_OCTAVES = 1 / 3
STEPS, FIRST_STEP = 120, 0.03
# Where the separation that is wanted costs too much, less of it is tried
RETREATS_DB = np.arange(0.0, 3.1, 0.5)
# More in the zone is not missed
ENOUGH_DB = 30.0


def kept_beside(problem: CancelProblem, weights: ComplexArray) -> ComplexArray:
    """Weights that turn over less beside the zone, shape (drivers, 2, n).

    Parameters
    ----------
    problem : CancelProblem
        With heads beside the zone, the separation wanted there, and what that may cost.
    weights : ndarray of complex, shape (drivers, 2, n)
        What was designed for the zone.
    """
    least_db, cost_db = problem.beside_least_db, problem.beside_cost_db
    octave = np.clip(np.digitize(problem.frequency_hz, OCTAVE_EDGES_HZ[1:-1]), 0, len(OCTAVE_EDGES_HZ) - 2)
    is_told = (problem.frequency_hz >= OCTAVE_EDGES_HZ[0]) & (problem.frequency_hz < OCTAVE_EDGES_HZ[-1])
    present, octave = np.unique(octave, return_inverse=True)
    inside = (octave == np.arange(len(present))[:, None]) & is_told
    means = inside / np.maximum(inside.sum(axis=1, keepdims=True), 1)
    window = octave_window(problem.frequency_hz, SMOOTHING_OCTAVES)
    inside_db = np.minimum(_on_the_way(problem.response, problem.plain, weights), ENOUGH_DB).min(axis=0)
    # At the seat, and in the mean over the zone; nothing is gained there by less cancellation
    costs_db = [np.minimum(each, each[-1]) for each in (inside_db[:, 0], inside_db.mean(axis=1))]
    beside_db = _on_the_way(problem.beside, problem.plain, weights)
    best, best_rank = np.ones(len(octave)), (-np.inf, -np.inf)
    # What is out of reach is approached in small steps, for what a part of it is worth
    searches = [*((wanted_db, FIRST_STEP) for wanted_db in least_db - RETREATS_DB), (least_db, FIRST_STEP / 30)]
    for wanted_db, first_step in searches:
        price = np.zeros(beside_db.shape[2])
        weaker = np.zeros((len(price), len(means)), dtype=np.intp)
        for step in range(STEPS):
            priced = np.einsum("k,skf->sf", price, np.where(weaker[:, octave] == 0, beside_db[0], beside_db[1]))
            share = SHARES[-1 - np.argmax((costs_db[1] + priced)[::-1], axis=0)] @ window.T / window.sum(axis=1)
            at = np.round(share * (len(SHARES) - 1)).astype(np.intp)
            left_db = [np.take_along_axis(each, at[None], axis=0)[0] for each in costs_db]
            lost_db = max(np.mean((each[-1] - left) @ means.T) for each, left in zip(costs_db, left_db, strict=True))
            per_octave = np.take_along_axis(beside_db, at[None, None, None], axis=1)[:, 0] @ means.T
            weaker, reached_db = np.argmin(per_octave, axis=0), per_octave.min(axis=0).mean(axis=1)
            rank = (min(reached_db.min(), least_db), -lost_db)
            if lost_db <= cost_db and rank > best_rank:
                best, best_rank = share, rank
            price = np.maximum(price + first_step / np.sqrt(1.0 + step / 20) * (wanted_db - reached_db), 0.0)
        if best_rank[0] >= wanted_db:
            break
    return problem.plain + best * (weights - problem.plain)


def _on_the_way(response: ComplexArray, plain: ComplexArray, weights: ComplexArray) -> FloatArray:
    """Separation of both channels at heads (k, 2, drivers, n) for all shares, shape (2, shares, k, n)."""
    start, end = (np.einsum("kedf,dcf->ckef", response, each) for each in (plain, weights))
    ears = start[:, None] + SHARES[:, None, None, None] * (end - start)[:, None]
    power = np.maximum(np.abs(ears) ** 2, 1e-30)
    near, far = (np.stack([power[0, :, :, first], power[1, :, :, 1 - first]]) for first in (0, 1))
    return 10 * np.log10(near / far)
