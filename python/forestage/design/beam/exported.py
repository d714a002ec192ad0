"""The search again, on what exported filters do: short filters cannot follow every curve.

Filters are fitted to the responses of a plan; the fit is linear, so what filters do is linear in the gains.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.linalg import block_diag, solve, toeplitz

from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.beam.firs import END_PRICE, pattern_kernel
from forestage.design.beam.plan import BeamPlan
from forestage.design.beam.problem import BeamProblem
from forestage.design.beam.search import Search
from forestage.design.filters import delay_for, taps_for, window

FRAMES = 2048
EVALUATIONS = 120


def follow_export(plan: BeamPlan, problem: BeamProblem) -> BeamPlan:
    """Move the gains of a plan to where its filters at 48 kHz meet the goals, and are flat on axis."""
    frequency = np.fft.rfftfreq(FRAMES, 1.0 / SAMPLE_RATE).astype(np.float64)
    advance = np.exp(2j * np.pi * frequency * plan.advance_s(SAMPLE_RATE))
    fit = _fit_matrix(pattern_kernel(plan, frequency), problem.frequency_hz)
    voices, count = problem.axis.shape

    def fitted(wanted: ComplexArray) -> ComplexArray:
        """Responses of the filters (voices, n), for wanted responses (..., voices, bins) and for j times these."""
        found = wanted.reshape(-1, len(fit)) @ fit
        real, imaginary = found.reshape(-1, 2, voices, count).swapaxes(0, 1)
        return np.stack([real.real + 1j * imaginary.real, -real.imag - 1j * imaginary.imag])

    rest = fitted(advance * plan.above(frequency))[0, 0]
    waves = (advance * plan.carrier(frequency))[:, None] * plan.curves.basis(frequency).T
    waves = fitted(np.eye(voices)[:, None, :, None] * waves[:, :, None])
    late_s = delay_for(SAMPLE_RATE) / SAMPLE_RATE - plan.advance_s(SAMPLE_RATE)
    wanted = plan.wanted_on_axis(problem.frequency_hz) * np.exp(-2j * np.pi * problem.frequency_hz * late_s)
    search = Search(replace(problem, wanted=wanted), rest, waves.reshape(2, *plan.curves.gain.shape, voices, count))
    gain = search.run(plan.curves.gain, EVALUATIONS)[1]
    return replace(plan, curves=replace(plan.curves, gain=gain))


def _fit_matrix(kernel: ComplexArray, frequency_hz: FloatArray) -> ComplexArray:
    """From wanted responses to those of the fitted filters: the real part of wanted (voices * bins) times this.

    Its columns make the real, then the imaginary parts of the responses (voices * n). The filters solve the normal
    equations of `fit_firs`; here these are solved once, from the other side of the product.
    """
    taps, delay, voices = taps_for(SAMPLE_RATE), delay_for(SAMPLE_RATE), len(kernel)
    correlations = np.fft.irfft(kernel, axis=-1)
    matrix = np.block([[toeplitz(row[:taps], np.r_[row[0], row[:-taps:-1]]) for row in rows] for rows in correlations])
    price = 0.01 * END_PRICE * (1.0 / np.maximum(window(taps, delay), 0.01) - 1.0)
    matrix[np.diag_indices_from(matrix)] += np.kron(np.diagonal(correlations[..., 0]), price)
    waves = np.exp(-2j * np.pi / SAMPLE_RATE * np.outer(np.arange(taps), frequency_hz))
    seen = np.concatenate([block_diag(*[part] * voices) for part in (waves.real, waves.imag)], axis=1)
    firs = solve(matrix, seen, assume_a="pos").reshape(voices, taps, -1)
    turn = np.exp(-2j * np.pi * delay / FRAMES * np.arange(kernel.shape[-1]))
    # A real transform has each bin twice, but the first and the last
    turn[1:-1] *= 2.0
    spectrum = np.fft.rfft(firs, FRAMES, axis=1).conj() * turn[:, None] / FRAMES
    return np.einsum("ijf,ifo->jfo", kernel, spectrum).reshape(voices * len(turn), -1)
