"""The search for gains: least squares over the misses of the goals at all frequencies, and the bend of the curves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from scipy.optimize import least_squares

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.closed_form import bounded, carried, null_shape, on_axis, plain_mix
from forestage.design.beam.curves import bends, curves_of, smooth_gains
from forestage.design.beam.goals import misses
from forestage.design.beam.problem import BeamProblem
from forestage.short_repr import ShortRepr

BEND_PRICE = 0.5
EVALUATIONS = 60


def ratio_search(problem: BeamProblem) -> ComplexArray:
    """Smooth gains that meet the goals together, or come close: the best of what two starts lead to."""
    if len(problem.pattern) == 1:
        return plain_mix(problem)
    curves = curves_of(problem)
    above = on_axis(problem, problem.alignment * problem.plays_on[:, None])
    waves = problem.carrier[:, None] * curves.basis(problem.frequency_hz).T
    waves = np.eye(len(waves))[:, None, :, None] * waves[:, :, None]
    search = Search(
        replace(problem, wanted=np.ones_like(problem.axis[0])),
        curves.faded(problem.frequency_hz) * above,
        np.stack([waves, 1j * waves]),
    )
    shaped = carried(problem, bounded(problem, null_shape(problem)))
    starts = (smooth_gains(problem, start) for start in (shaped, above))
    found = min((search.run(start, EVALUATIONS) for start in starts), key=lambda result: result[0])
    return on_axis(problem, search.weights(found[1]))


@dataclass(frozen=True, repr=False)
class Search(ShortRepr):
    """Misses of gains (voices, knots), of which those at the first knot stay.

    Attributes
    ----------
    problem : BeamProblem
        The goals.
    rest : ndarray of complex, shape (voices, n)
        Weights that are there without any gain.
    waves : ndarray of complex, shape (2, voices, knots, voices, n)
        Weights for a real, and for an imaginary gain of 1.
    """

    problem: BeamProblem
    rest: ComplexArray
    waves: ComplexArray

    def weights(self, gain: ComplexArray) -> ComplexArray:
        """Weights of the voices, shape (voices, n)."""
        return self.rest + np.einsum("pgk,pgkhf->hf", np.stack([gain.real, gain.imag]), self.waves)

    def run(self, start: ComplexArray, evaluations: int) -> tuple[float, ComplexArray]:
        """Cost and gains of the best that is found from a start."""
        voices, knots = start.shape
        fixed = np.pad(start[:, :1], ((0, 0), (0, knots - 1)))
        offset, bend = self.weights(fixed), BEND_PRICE * bends(knots) * np.sqrt(np.mean(self.problem.strongest))
        moved = np.ascontiguousarray(self.waves[:, :, 1:].reshape(-1, *offset.shape).transpose(2, 1, 0))
        moved_parts = np.concatenate([moved.real, -moved.imag], axis=1)
        bend_rows = np.kron(np.eye(2 * voices), bend[:, 1:])
        bend_offset = (np.stack([fixed.real, fixed.imag]) @ bend.T).ravel()

        @lru_cache(maxsize=1)
        def folded(coordinates: bytes) -> FloatArray:
            """Slopes beside hinges, turned into a triangle: to least squares it is the same, with far fewer rows."""
            values = np.frombuffer(coordinates)
            hinges, slopes = misses(self.problem, offset + (moved @ values).T)
            is_missed = hinges.T != 0.0
            rows = np.concatenate([slopes.real, slopes.imag], axis=1).transpose(2, 0, 1) @ moved_parts
            rows = np.column_stack([rows[is_missed], hinges.T[is_missed]])
            bent = np.column_stack([bend_rows, bend_rows @ values + bend_offset])
            triangle = np.linalg.qr(np.concatenate([rows, bent]), mode="r")
            square = np.zeros((values.size + 1, values.size + 1))
            square[: len(triangle)] = triangle
            return square

        def hinges(values: FloatArray) -> FloatArray:
            return folded(values.tobytes())[:, -1]

        def slopes(values: FloatArray) -> FloatArray:
            return folded(values.tobytes())[:, :-1]

        free = start[:, 1:]
        values = np.stack([free.real, free.imag]).ravel()
        found = least_squares(hinges, values, jac=slopes, method="lm", max_nfev=evaluations)
        real, imaginary = found.x.reshape(2, voices, knots - 1)
        return found.cost, np.concatenate([start[:, :1], real + 1j * imaginary], axis=1)
