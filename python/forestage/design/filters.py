"""Complex responses to FIR filters, and back: the only place that knows about taps and windows.

Lengths are fixed in seconds: 256 taps and 64 frames of modelling delay at 48 kHz. Filters are fitted once, at the
highest rate, and sampled down from there, so that every rate sounds the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import czt
from scipy.sparse.linalg import LinearOperator, cg

from forestage._core import SAMPLE_RATES
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE

MASTER_RATE = SAMPLE_RATES[-1]
LENGTH_S = 256 / SAMPLE_RATE
DELAY_S = 64 / SAMPLE_RATE
# Shares of the modelling delay and of the rest that are faded
FADE_IN = 0.25
FADE_OUT = 0.1
GRID_S = 8192 / SAMPLE_RATE
FIT_TOLERANCE = 1e-7
FIT_ITERATIONS = 500


def taps_for(sample_rate: float, *, length_s: float = LENGTH_S) -> int:
    """Taps of an exported filter.

    Examples
    --------
    >>> [taps_for(rate) for rate in (44_100, 48_000, 96_000)]
    [235, 256, 512]
    """
    return round(length_s * sample_rate)


def delay_for(sample_rate: float, *, delay_s: float = DELAY_S) -> int:
    """Modelling delay of an exported filter in frames.

    Examples
    --------
    >>> [delay_for(rate) for rate in (44_100, 48_000, 96_000)]
    [59, 64, 128]
    """
    return round(delay_s * sample_rate)


def grid_for(sample_rate: float) -> FloatArray:
    """Frequencies in Hz, 0 to half the sample rate, on which `to_fir` wants its response."""
    frames = 2 * round(GRID_S * sample_rate / 2)
    return np.fft.rfftfreq(frames, 1.0 / sample_rate).astype(np.float64)


def log_fade(frequency_hz: ArrayLike, low_hz: float, high_hz: float) -> FloatArray:
    """Raised cosine over the logarithm of frequency: 0 up to ``low_hz``, 1 from ``high_hz``.

    Examples
    --------
    >>> log_fade([50.0, 200.0, 800.0], 100.0, 400.0).round(3).tolist()
    [0.0, 0.5, 1.0]
    """
    frequency = np.clip(np.asarray(frequency_hz, dtype=np.float64), low_hz, high_hz)
    return 0.5 - 0.5 * np.cos(np.pi * np.log(frequency / low_hz) / np.log(high_hz / low_hz))


def window(taps: int, delay_frames: int) -> FloatArray:
    """Half-Hann fade-in within the modelling delay, flat around the main tap, half-Hann tail."""
    rise = round(FADE_IN * delay_frames)
    fall = round(FADE_OUT * (taps - delay_frames))
    shape = np.ones(taps)
    shape[:rise] = 0.5 - 0.5 * np.cos(np.pi * (np.arange(rise) + 0.5) / max(rise, 1))
    shape[taps - fall :] = 0.5 + 0.5 * np.cos(np.pi * (np.arange(fall) + 0.5) / max(fall, 1))
    return shape


def to_fir(response: ArrayLike, *, taps: int, delay_frames: int) -> FloatArray:
    """Windowed FIRs of complex responses.

    Parameters
    ----------
    response : array_like of complex, shape (..., bins)
        Responses without the modelling delay, on the bins of an even real transform (`grid_for`).
    taps, delay_frames : int
        Length, and where time zero comes to stand.

    Returns
    -------
    ndarray, shape (..., taps)
        The filters, in double precision.
    """
    impulse = np.fft.irfft(np.asarray(response), axis=-1)
    return np.roll(impulse, delay_frames, axis=-1)[..., :taps] * window(taps, delay_frames)


def fit_firs(
    response: ArrayLike,
    *,
    kernel: ArrayLike,
    taps: int,
    delay_frames: int,
    end_price: float = 1e-3,
    start: FloatArray | None = None,
) -> FloatArray:
    """FIRs that together come closest to a set of responses where it matters.

    Parameters
    ----------
    response : array_like of complex, shape (filters, bins)
        Wanted responses without the modelling delay, on the bins of an even real transform (`grid_for`).
    kernel : array_like of complex, shape (filters, filters, bins)
        Hermitian weight of the errors e of the filters at each bin: the fit minimises the sum of ``e^H kernel e``. A
        kernel of ``g^H g`` per observed point lets errors cancel that no one hears.
    taps, delay_frames : int
        Length, and where time zero comes to stand.
    end_price : float
        Price of energy in the last taps at both ends, relative to the mean of the kernel; smooths the ends.
    start : ndarray, shape (filters, taps), optional
        Filters that are near already, from which fewer steps lead to the same.

    Returns
    -------
    ndarray, shape (filters, taps)
        The filters, in double precision.
    """
    response, kernel = np.asarray(response), np.asarray(kernel)
    filters = len(kernel)
    power = np.fft.irfft(kernel[range(filters), range(filters)], axis=-1)[:, 0]
    price = 0.01 * end_price * np.outer(power, 1.0 / np.maximum(window(taps, delay_frames), 0.01) - 1.0)
    pull = np.fft.irfft(np.einsum("ijf,jf->if", kernel, response), axis=-1)
    pull = np.roll(pull, delay_frames, axis=-1)[:, :taps]

    # Normal equations by conjugate gradients: products by FFT, preconditioned with the inverse of bins that are nearest
    circle = next_fast_len(2 * taps - 1, real=True)
    product_spectra = _within_taps(kernel, taps, circle)
    nearest = np.round(np.linspace(0, kernel.shape[-1] - 1, circle // 2 + 1)).astype(np.intp)
    loaded = kernel[..., nearest].transpose(2, 0, 1) + np.mean(price) * np.eye(filters)
    inverse_spectra = np.linalg.inv(loaded).transpose(1, 2, 0)

    def filtered(spectra: ComplexArray, values: FloatArray) -> FloatArray:
        found = np.einsum("ijf,jf->if", spectra, rfft(values.reshape(filters, taps), circle))
        return irfft(found, circle)[:, :taps]

    def product(values: FloatArray) -> FloatArray:
        return (filtered(product_spectra, values) + price * values.reshape(filters, taps)).ravel()

    size = (pull.size, pull.size)
    found, _ = cg(
        LinearOperator(size, product, dtype=np.float64),
        pull.ravel(),
        x0=None if start is None else start.ravel(),
        rtol=FIT_TOLERANCE,
        maxiter=FIT_ITERATIONS,
        M=LinearOperator(size, lambda values: filtered(inverse_spectra, values).ravel(), dtype=np.float64),
    )
    return found.reshape(filters, taps)


def _within_taps(spectra: ComplexArray, taps: int, circle: int) -> ComplexArray:
    """What Hermitian matrices of spectra, (filters, filters, bins), do within ``taps`` frames.

    On the bins of a transform that just holds those twice.
    """
    upper = np.triu_indices(len(spectra))
    impulses = irfft(spectra[upper])
    short = np.zeros((len(impulses), circle))
    short[:, :taps] = impulses[:, :taps]
    short[:, 1 - taps :] = impulses[:, 1 - taps :]
    return from_upper(rfft(short))


def from_upper(rows: ComplexArray) -> ComplexArray:
    """Hermitian matrices (filters, filters, ...) from the rows of their upper triangle, in the order of `triu_indices`.

    Examples
    --------
    >>> from_upper(np.array([1.0, 2j, 3.0])).tolist()
    [[(1+0j), 2j], [-2j, (3+0j)]]
    """
    filters = int(np.sqrt(2 * len(rows)))
    first, second = np.triu_indices(filters)
    matrices = np.empty((filters, filters, *rows.shape[1:]), dtype=np.complex128)
    matrices[second, first] = rows.conj()
    matrices[first, second] = rows
    return matrices


def sample_firs(
    master: ArrayLike,
    *,
    sample_rate: int,
    advance_s: float = 0.0,
    master_rate: int = MASTER_RATE,
    delay_s: float = DELAY_S,
) -> FloatArray:
    """Filters fitted at the master rate, at another one.

    Parameters
    ----------
    master : array_like, shape (..., taps)
        Filters at ``master_rate`` with the modelling delay of that rate.
    sample_rate : int
        Rate wanted, at most ``master_rate``.
    advance_s : float
        Shift to earlier times.
    delay_s : float
        Modelling delay of the filters.

    Returns
    -------
    ndarray, shape (..., taps)
        Filters with the modelling delay of ``sample_rate``.
    """
    frequency = grid_for(sample_rate)
    response = czt(
        np.asarray(master, dtype=np.float64),
        m=len(frequency),
        w=np.exp(-2j * np.pi * frequency[1] / master_rate),
        axis=-1,
    )
    advance_s += delay_for(master_rate, delay_s=delay_s) / master_rate
    impulse = np.fft.irfft(response * np.exp(2j * np.pi * frequency * advance_s), axis=-1)
    taps, delay = taps_for(sample_rate), delay_for(sample_rate, delay_s=delay_s)
    return np.roll(impulse, delay, axis=-1)[..., :taps]
