"""What a room does to what is heard: figures of impulse responses, after ISO 3382-1 where it has them.

Responses have shape ``(..., frames)`` and keep what they have in front. Time counts from the onset. Energies in a band
are those of the parts of a response that time has already separated, so that no filter smears the direct sound over
the first reflections.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.signal import butter, sosfiltfilt

from forestage.arrays import FloatArray

DIRECT_MS = 2.5
EARLY_MS = 80.0
LATE_MS = 500.0
LARGEST_ITD_MS = 1.0
ONSET_DB = -20.0

Band = tuple[float, float]


def onset_frame(ir: ArrayLike) -> int:
    """First frame that comes within 20 dB of the peak, in any of the responses."""
    level = np.abs(np.asarray(ir, dtype=np.float64)).reshape(-1, np.shape(ir)[-1])
    peak = float(level.max())
    if peak == 0.0:
        raise ValueError("ir: silent; must hold a response")
    return int(np.argmax((level >= peak * 10 ** (ONSET_DB / 20)).any(axis=0)))


def drr_db(
    ir: ArrayLike, *, sample_rate: float, band_hz: Band | None = None, direct_ms: float = DIRECT_MS
) -> FloatArray:
    """Energy of the direct sound over all that follows, in dB.

    Parameters
    ----------
    ir : array_like, shape (..., frames)
        Impulse responses.
    sample_rate : float
        In Hz.
    band_hz : tuple of float, optional
        Lowest and highest frequency that count.
    direct_ms : float
        How long the direct sound lasts.

    Examples
    --------
    >>> ir = np.zeros(1000)
    >>> ir[10], ir[500] = 1.0, 0.1
    >>> round(float(drr_db(ir, sample_rate=48_000)), 3)
    20.0
    """
    return _ratio_db(ir, direct_ms, sample_rate, band_hz)


def clarity_db(ir: ArrayLike, *, sample_rate: float, band_hz: Band | None = None, early_ms: float = 50.0) -> FloatArray:
    """Early over late energy in dB: C50 by default, C80 with ``early_ms=80``; see `drr_db`."""
    return _ratio_db(ir, early_ms, sample_rate, band_hz)


def critical_distance_by_drr_m(drr: ArrayLike, distance_m: ArrayLike) -> FloatArray:
    """Distance at which direct and reverberant sound are equal, from the ratio in dB that is heard at ``distance_m``.

    Examples
    --------
    >>> float(critical_distance_by_drr_m(-6.02, 2.0).round(2))
    1.0
    """
    return np.asarray(distance_m, dtype=np.float64) * 10 ** (np.asarray(drr, dtype=np.float64) / 20)


def early_lateral_fraction(
    omni: ArrayLike, figure_of_eight: ArrayLike, *, sample_rate: float, band_hz: Band | None = None
) -> FloatArray:
    """Energy from the sides within 5 to 80 ms over all energy within 80 ms.

    Parameters
    ----------
    omni : array_like, shape (..., frames)
        Responses of an omnidirectional receiver.
    figure_of_eight : array_like, shape (..., frames)
        Responses of one with gain ``cos`` of the angle to the line through the ears, at the same place.
    sample_rate : float
        In Hz.
    band_hz : tuple of float, optional
        Lowest and highest frequency that count; 125 to 1000 Hz octaves are usual.
    """
    onset = onset_frame(omni)
    lateral = _part(figure_of_eight, onset, 5.0, EARLY_MS, sample_rate)
    return _energy(lateral, sample_rate, band_hz) / _energy(
        _part(omni, onset, 0.0, EARLY_MS, sample_rate), sample_rate, band_hz
    )


def iacc(
    ears: ArrayLike, *, sample_rate: float, start_ms: float = 0.0, end_ms: float = EARLY_MS, band_hz: Band | None = None
) -> FloatArray:
    """Interaural cross-correlation: its largest magnitude within +-1 ms, 0..1.

    Parameters
    ----------
    ears : array_like, shape (..., 2, frames)
        Responses at the two ears.
    sample_rate : float
        In Hz.
    start_ms, end_ms : float
        Part of the response: 0 to 80 ms is "early" (the default), 80 to 500 ms "late".
    band_hz : tuple of float, optional
        Lowest and highest frequency that count.

    Returns
    -------
    ndarray, shape (...)
    """
    part = _part(ears, onset_frame(ears), start_ms, end_ms, sample_rate)
    frames = next_fast_len(2 * part.shape[-1], real=True)
    spectrum = rfft(part, frames) * _within(band_hz, rfftfreq(frames, 1 / sample_rate))
    left, right = spectrum[..., 0, :], spectrum[..., 1, :]
    correlation = irfft(left * right.conj(), frames)
    energy = np.sum(irfft(spectrum, frames) ** 2, axis=-1)
    most = round(LARGEST_ITD_MS * 1e-3 * sample_rate)
    near_zero = np.concatenate([correlation[..., : most + 1], correlation[..., -most:]], axis=-1)
    return np.max(np.abs(near_zero), axis=-1) / np.sqrt(energy[..., 0] * energy[..., 1])


def iacc_late(ears: ArrayLike, *, sample_rate: float, band_hz: Band | None = None) -> FloatArray:
    """`iacc` of 80 to 500 ms."""
    return iacc(ears, sample_rate=sample_rate, start_ms=EARLY_MS, end_ms=LATE_MS, band_hz=band_hz)


def decay_db(ir: ArrayLike, *, sample_rate: float, band_hz: Band | None = None) -> FloatArray:
    """Schroeder's decay curve: energy that is still to come, relative to all of it, in dB, shape (..., frames)."""
    x = np.asarray(ir, dtype=np.float64)
    if band_hz is not None:
        # Steeper filters ring on after the decay that is measured.
        x = sosfiltfilt(butter(3, band_hz, "bandpass", fs=sample_rate, output="sos"), x)
    left = np.cumsum(x[..., ::-1] ** 2, axis=-1)[..., ::-1]
    return 10 * np.log10(np.maximum(left / left[..., :1], 1e-30))


def rt60_s(
    ir: ArrayLike, *, sample_rate: float, band_hz: Band | None = None, fit_db: tuple[float, float] = (-5.0, -25.0)
) -> FloatArray:
    """Reverberation time in seconds: the slope of Schroeder's curve, shape (...).

    Parameters
    ----------
    ir : array_like, shape (..., frames)
        Impulse responses, well longer than the fitted part of the decay.
    sample_rate : float
        In Hz.
    band_hz : tuple of float, optional
        Lowest and highest frequency that count.
    fit_db : tuple of float
        Part of the decay that a line is fitted to: T20 by default, T30 with ``(-5, -35)``.
    """
    curves = decay_db(ir, sample_rate=sample_rate, band_hz=band_hz)
    result = np.empty(curves.shape[:-1])
    for index in np.ndindex(result.shape):
        start, end = (int(np.argmax(curves[index] <= level)) for level in fit_db)
        if end <= start:
            raise ValueError(f"ir: decays by {-curves[index][-2]:.0f} dB; must decay by more than {-fit_db[1]:g} dB")
        seconds = np.arange(start, end) / sample_rate
        result[index] = -60.0 / np.polyfit(seconds, curves[index][start:end], 1)[0]
    return result


def source_ear_coherence(ir: ArrayLike, *, sample_rate: float, window_s: float = 0.1) -> tuple[FloatArray, FloatArray]:
    """Coherence between what a source plays and what arrives, as seen through a Hann window of ``window_s``.

    The expected value for white noise, in closed form: sound that arrives later than the window is long is not coherent
    with what the source plays in it. With ``r`` the autocorrelation of the window and ``c`` that of the response,
    ``|F(h r)|^2 / F(c r)``. Sound that arrives within the window keeps its coherence, so that it falls with distance.

    Parameters
    ----------
    ir : array_like, shape (..., frames)
        Impulse responses; the delay of the onset is taken out.
    sample_rate : float
        In Hz.
    window_s : float
        Length of the window.

    Returns
    -------
    frequency_hz : ndarray, shape (bins,)
    coherence : ndarray, shape (..., bins)
        Magnitude-squared coherence, 0..1.
    """
    x = np.asarray(ir, dtype=np.float64)
    x = x[..., onset_frame(x) :]
    length = round(window_s * sample_rate)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    overlap = np.correlate(window, window, "full")[length - 1 :] / np.sum(window**2)
    frames = next_fast_len(2 * length, real=True)
    heard = x[..., :length] * overlap[: x.shape[-1]]
    whole = next_fast_len(x.shape[-1] + length, real=True)
    similar = irfft(np.abs(rfft(x, whole)) ** 2, whole)[..., :length] * overlap
    power = 2 * rfft(similar, frames).real - similar[..., :1]
    return rfftfreq(frames, 1 / sample_rate), np.abs(rfft(heard, frames)) ** 2 / power


def _ratio_db(ir: ArrayLike, split_ms: float, sample_rate: float, band_hz: Band | None) -> FloatArray:
    onset = onset_frame(ir)
    before = _energy(_part(ir, 0, 0.0, onset / sample_rate * 1e3 + split_ms, sample_rate), sample_rate, band_hz)
    after = _energy(_part(ir, onset, split_ms, np.inf, sample_rate), sample_rate, band_hz)
    with np.errstate(divide="ignore"):
        return 10 * np.log10(before / after)


def _part(ir: ArrayLike, onset: int, start_ms: float, end_ms: float, sample_rate: float) -> FloatArray:
    x = np.asarray(ir, dtype=np.float64)
    edges = np.clip(onset + np.array([start_ms, end_ms]) * 1e-3 * sample_rate, 0, x.shape[-1])
    start, end = np.rint(edges).astype(int)
    if start >= end:
        raise ValueError(
            f"ir: {x.shape[-1]} frames; has nothing between {start_ms:g} and {end_ms:g} ms after its onset"
        )
    return x[..., start:end]


def _energy(part: FloatArray, sample_rate: float, band_hz: Band | None) -> FloatArray:
    if band_hz is None:
        return np.sum(part**2, axis=-1)
    frames = next_fast_len(max(2 * part.shape[-1], round(0.1 * sample_rate)), real=True)
    density = np.abs(rfft(part, frames)) ** 2
    return 2 / frames * np.sum(density * _within(band_hz, rfftfreq(frames, 1 / sample_rate)), axis=-1)


def _within(band_hz: Band | None, frequency_hz: FloatArray) -> FloatArray:
    if band_hz is None:
        return np.ones_like(frequency_hz)
    low, high = band_hz
    inside = (frequency_hz >= low) & (frequency_hz < high)
    if not inside.any():
        raise ValueError(
            f"band_hz = {list(band_hz)}: holds no frequency; must rise and begin below half the sample rate"
        )
    return inside.astype(np.float64)
