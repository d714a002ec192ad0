"""Gains of the voices as smooth curves over frequency.

Voices are aligned on axis, in time and with the phase of the first one taken out. The gain of a voice is then a cubic
spline up to the upper edge of the band, from the same value for all voices at 0 Hz. Ratios of gains shape the pattern.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from forestage.arrays import ComplexArray, FloatArray
from forestage.design.beam.problem import BeamProblem
from forestage.design.filters import log_fade
from forestage.short_repr import ShortRepr

# Knots are this far apart on a scale that is even over frequency well below LINEAR_HZ, over its logarithm well above
KNOT_STEP, LINEAR_HZ = 0.2, 300.0
FIT_BEND_PRICE, FIT_AXIS_PRICE = 0.03, 10.0


def knots_for(edge_hz: float) -> FloatArray:
    """Knots of the splines, from 0 Hz up to a frequency.

    Examples
    --------
    >>> knots_for(1600.0).round().astype(int).tolist()
    [0, 60, 122, 189, 263, 348, 446, 562, 700, 866, 1066, 1307, 1600]
    """
    top = _scale(edge_hz)
    return LINEAR_HZ * np.sinh(np.linspace(0.0, top, 1 + max(3, round(float(top) / KNOT_STEP))))


def grid_between(low_hz: float, high_hz: float, *, per_octave: float) -> FloatArray:
    """Frequencies that are as even as the knots, this many an octave where these follow the logarithm."""
    low, high = _scale([low_hz, high_hz])
    return LINEAR_HZ * np.sinh(np.linspace(low, high, 2 + int(per_octave * (high - low) / np.log(2.0))))


def spline_basis(knots_hz: FloatArray, frequency_hz: ArrayLike) -> FloatArray:
    """Splines that are 1 at one knot and 0 at the others, held above the last, shape (n, knots)."""
    frequency = np.minimum(np.asarray(frequency_hz, dtype=np.float64), knots_hz[-1])
    return CubicSpline(_scale(knots_hz), np.eye(len(knots_hz)))(_scale(frequency))


def bends(knots: int) -> FloatArray:
    """Second differences of knots, shape (knots - 2, knots)."""
    return np.diff(np.eye(knots), 2, axis=0)


@dataclass(frozen=True, repr=False)
class BeamCurves(ShortRepr):
    """Gains of all voices at any frequency.

    Attributes
    ----------
    knots_hz : ndarray, shape (k,)
        Frequencies at which ``gain`` is held, from 0 to the upper edge of the band.
    gain : ndarray of complex, shape (voices, k)
        Gains of the aligned voices for a pressure of 1 on axis.
    fade_octaves : float
        From this far above the edge only those voices play that play on.
    plays_on : ndarray of bool, shape (voices,)
        Which voices play above the band.
    lost_hz : float
        From where these hardly reach the axis, so that all voices play again.
    """

    knots_hz: FloatArray
    gain: ComplexArray
    fade_octaves: float
    plays_on: NDArray[np.bool_]
    lost_hz: float = np.inf

    def basis(self, frequency_hz: ArrayLike) -> FloatArray:
        """What the gain at each knot contributes, shape (n, knots)."""
        return (1.0 - self.faded(frequency_hz))[:, None] * spline_basis(self.knots_hz, frequency_hz)

    def faded(self, frequency_hz: ArrayLike) -> FloatArray:
        """Share of what plays above the band, shape (n,)."""
        edge_hz = float(self.knots_hz[-1])
        return log_fade(frequency_hz, edge_hz, edge_hz * 2.0**self.fade_octaves)

    def above(self, frequency_hz: ArrayLike) -> FloatArray:
        """Who plays above the band, shape (voices, n)."""
        if np.isinf(self.lost_hz):
            return self.plays_on[:, None] * np.ones(np.shape(frequency_hz))
        return np.maximum(self.plays_on[:, None], log_fade(frequency_hz, self.lost_hz / 2.0, self.lost_hz))


def curves_of(problem: BeamProblem) -> BeamCurves:
    """Curves for a problem, with all gains at 0 Hz as they stay, and no others yet."""
    knots_hz = knots_for(problem.edge_hz)
    gain = np.zeros((len(problem.pattern), len(knots_hz)), dtype=np.complex128)
    gain[:, 0] = 1.0 / np.abs(problem.axis[:, 0].sum())
    return BeamCurves(knots_hz, gain, problem.target.fade_octaves, problem.plays_on)


def smooth_gains(problem: BeamProblem, weights: ComplexArray) -> ComplexArray:
    """Gains at the knots, close to weights up to the edge of the band and to 1 on axis, shape (voices, knots)."""
    curves = curves_of(problem)
    voices, knots = curves.gain.shape
    basis = spline_basis(curves.knots_hz, problem.frequency_hz)
    scale = np.sqrt(problem.strongest)
    inside = (problem.frequency_hz <= problem.edge_hz) * scale
    close = inside[:, None] * basis
    axis = FIT_AXIS_PRICE * np.concatenate([voice[:, None] * basis for voice in np.abs(problem.axis)], axis=1)
    rows = np.concatenate([np.kron(np.eye(voices), np.concatenate([close, FIT_BEND_PRICE * bends(knots)])), axis])
    wanted = inside * weights / problem.carrier
    wanted = np.concatenate([np.pad(wanted, ((0, 0), (0, knots - 2))).ravel(), np.full(len(basis), FIT_AXIS_PRICE)])
    is_free = np.tile(np.arange(knots) > 0, voices)
    fixed = rows[:, ~is_free] @ curves.gain[:, 0]
    gain = curves.gain.copy()
    free = rows[:, is_free]
    gain[:, 1:] = np.linalg.solve(free.T @ free, free.T @ (wanted - fixed)).reshape(voices, -1)
    return gain


def _scale(frequency_hz: ArrayLike) -> FloatArray:
    return np.arcsinh(np.asarray(frequency_hz, dtype=np.float64) / LINEAR_HZ)
