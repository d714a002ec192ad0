"""What others do, on the plain channels of the device as if they were two drivers: baselines to be compared with.

With the plant ``G`` (ears x channels), the wanted near ears ``t`` and the singular value decomposition
``G = U diag(s) V^H``, a regularised inverse is ``V diag(f(s)) U^H diag(t)``:

    exact      f = 1 / s
    Kirkeby    f = s / (s^2 + beta), one beta for all frequencies (Kirkeby, Nelson, Hamada and Orduna-Bustamante 1998)
    Choueiri   f = 1 / s, clipped where the envelope of the drivers would pass the cap (Choueiri 2010)

What was measured with noise is inverted no further than it is known: its power joins s^2 in all of them.

RACE (Glasgal 2007) knows no plant: each channel is fed back, inverted, later and softer, into the other one.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import bilinear, butter, freqz, sosfreqz

from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.cancel.problem import CancelProblem


def exact_inverse(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of the exact inverse of the seat's plant, shape (drivers, n): a perfect null at one place."""
    return _inverse(problem, channel, lambda s, _plain, noise: s / (s**2 + noise))


def kirkeby(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of the inverse with constant regularisation, shape (drivers, n).

    The one beta is such that no singular value is amplified by more than the drive cap over the plain device:
    ``1 / (2 sqrt(beta))`` is the most that ``s / (s^2 + beta)`` can be.
    """
    plain = np.median(np.abs(problem.wanted[channel]))
    beta = (plain / (2.0 * _ceiling(problem))) ** 2
    return _inverse(problem, channel, lambda s, _plain, noise: s / (s**2 + beta + noise))


def choueiri(problem: CancelProblem, channel: int) -> ComplexArray:
    """Weights of the inverse with frequency-dependent regularisation, shape (drivers, n).

    Each singular value is regularised just so much that its gain, over the plain device, stays at the drive cap.
    """
    ceiling = _ceiling(problem)
    return _inverse(problem, channel, lambda s, plain, noise: np.minimum(s / (s**2 + noise), ceiling / plain))


def race(
    problem: CancelProblem,
    channel: int,
    *,
    attenuation_db: float = 2.5,
    delay_s: float = 80e-6,
    band_hz: tuple[float, float] = (250.0, 5000.0),
) -> ComplexArray:
    """Weights of the recursive canceller with a first-order band around the recursion, shape (drivers, n).

    Attenuation and delay are in the middle of what its authors recommend for narrow pairs.
    """
    edges = butter(1, band_hz, "bandpass", fs=SAMPLE_RATE, output="sos")
    band = sosfreqz(edges, _below_nyquist(problem.frequency_hz), fs=SAMPLE_RATE)[1]
    return _recursion(problem, channel, band * 10.0 ** (-attenuation_db / 20), delay_s)


def camilladsp(
    problem: CancelProblem, channel: int, *, attenuation_db: float = 3.0, delay_s: float = 80e-6
) -> ComplexArray:
    """Weights of CamillaDSP's RACE processor, shape (drivers, n): the recursion over the whole band.

    The processor has no defaults for its two fields; these are usual values for narrow pairs.
    """
    gain = np.full(len(problem.frequency_hz), 10.0 ** (-attenuation_db / 20))
    return _recursion(problem, channel, gain, delay_s)


def easyeffects(
    problem: CancelProblem, channel: int, *, decay_db: float = -2.0, delay_s: float = 313e-6
) -> ComplexArray:
    """Weights of EasyEffects' crosstalk canceller with its published defaults, shape (drivers, n).

    The recursion passes second-order high- and low-passes and four peaks that its author fitted to a KEMAR head.
    """
    frequency = _below_nyquist(problem.frequency_hz)
    sections = [_high_pass(250.0, 0.71), _low_pass(3245.0, 0.71)]
    sections += [
        _peak(*row) for row in ((688.0, -2.9, 1.0), (1066.0, -6.4, 3.352), (2190.0, -5.6, 2.037), (3792.0, -4.5, 3.232))
    ]
    shape = np.prod([freqz(b, a, worN=frequency, fs=SAMPLE_RATE)[1] for b, a in sections], axis=0)
    return _recursion(problem, channel, shape * 10.0 ** (decay_db / 20), delay_s)


def _ceiling(problem: CancelProblem) -> float:
    """The drive cap as a linear gain; one value, as these methods have one."""
    return float(10.0 ** (np.max(problem.drive_cap_db) / 20))


def _inverse(
    problem: CancelProblem, channel: int, gain: Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
) -> ComplexArray:
    """By gains of the singular values, with the level of the wanted ear and the power of the noise in a path."""
    u, s, vh = np.linalg.svd(problem.pair.transpose(2, 0, 1))
    wanted = problem.wanted[channel]
    noise = problem.noise[0] ** 2 * np.mean(np.abs(problem.pair) ** 2, axis=(0, 1))
    gains = gain(s, np.abs(wanted)[:, None], noise[:, None])
    inverse = np.einsum("fkc,fk,fk->fc", vh.conj(), gains, u[:, channel].conj())
    return np.einsum("dcf,fc,f->df", problem.plain, inverse, wanted)


def _recursion(problem: CancelProblem, channel: int, gain: ComplexArray | FloatArray, delay_s: float) -> ComplexArray:
    """``y_l = x_l - g y_r``, ``y_r = x_r - g y_l``, solved for one channel alone."""
    g = gain * np.exp(-2j * np.pi * problem.frequency_hz * delay_s)
    return (problem.plain[:, channel] - g * problem.plain[:, 1 - channel]) / (1.0 - g**2)


def _below_nyquist(frequency_hz: FloatArray) -> FloatArray:
    return np.minimum(frequency_hz, 0.499 * SAMPLE_RATE)


def _high_pass(frequency_hz: float, q: float) -> tuple[FloatArray, FloatArray]:
    return _warped(frequency_hz, [1.0, 0.0, 0.0], [1.0, 1.0 / q, 1.0])


def _low_pass(frequency_hz: float, q: float) -> tuple[FloatArray, FloatArray]:
    return _warped(frequency_hz, [1.0], [1.0, 1.0 / q, 1.0])


def _peak(frequency_hz: float, gain_db: float, q: float) -> tuple[FloatArray, FloatArray]:
    a = 10.0 ** (gain_db / 40)
    return _warped(frequency_hz, [1.0, a / q, 1.0], [1.0, 1.0 / (a * q), 1.0])


def _warped(frequency_hz: float, b: list[float], a: list[float]) -> tuple[FloatArray, FloatArray]:
    """Bilinear transform of an analogue filter with its corner at 1 rad/s, prewarped to ``frequency_hz``."""
    return bilinear(b, a, fs=0.5 / np.tan(np.pi * frequency_hz / SAMPLE_RATE))
