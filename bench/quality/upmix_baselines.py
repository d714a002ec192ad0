"""Other ways to find a centre, from their published formulas, in plain numpy; and ffmpeg's as the program it is.

Each takes stereo (2, frames) at 48 kHz and gives left, right, centre, aligned with the input. Where a paper leaves a
width open, it was tuned here on mixes of other seeds than those of the evidence; names say so.
"""

import subprocess
from functools import cache

import numpy as np
from scipy import ndimage, signal

from forestage.constants import SAMPLE_RATE

TINY = 1e-15
FRAME, HOP = 2048, 512  # 43 ms, the latency of High Quality


def with_sides(x, center):
    return np.stack([x[0] - center, x[1] - center, center])


def spectral(rule, *, frame=FRAME):
    """Turn a rule for bins, (left, right) -> centre, into one for sound; sqrt-Hann frames overlap by three quarters."""
    hop = frame // 4
    window = np.sin(np.pi * (np.arange(frame) + 0.5) / frame)

    def play(x):
        padded = np.pad(x, ((0, 0), (frame, frame + (-x.shape[1]) % hop)))
        frames = np.lib.stride_tricks.sliding_window_view(padded, frame, axis=1)[:, ::hop]
        left, right = np.fft.rfft(frames * window)
        parts = np.fft.irfft(rule(left, right, hop), frame) * window / 2
        center = np.zeros(padded.shape[1])
        for k, part in enumerate(parts):
            center[k * hop : k * hop + frame] += part
        return with_sides(x, center[frame : frame + x.shape[1]])

    return play


def smooth(values, hop, *, time_s, bins=1):
    keep = np.exp(-hop / SAMPLE_RATE / time_s)
    over_time = signal.lfilter([1 - keep], [1, -keep], values, axis=0)
    return ndimage.uniform_filter1d(over_time, bins, axis=1, mode="nearest") if bins > 1 else over_time


def passive_mid(x):
    return with_sides(x, x.mean(axis=0))


def steered_matrix(x, *, time_s=0.02, full_db=30.0):
    """Pro-Logic-type: full-band steering by the dominance of left or right, and of sum or difference, in dB."""
    mid, side = x.mean(axis=0), (x[0] - x[1]) / 2
    keep = np.exp(-1 / SAMPLE_RATE / time_s)
    left, right, front, back = (
        10 * np.log10(signal.lfilter([1 - keep], [1, -keep], y * y) + TINY) for y in (*x, mid, side)
    )
    balance = np.clip((left - right) / full_db, -1, 1)
    depth = np.clip((front - back) / full_db, -1, 0)
    return with_sides(x, (1 + depth) * (mid - balance * side))


def vickers(left, right, _hop):
    """Magnitude difference (Vickers 2009): what makes both remainders orthogonal."""
    mid, side = (left + right) / 2, (left - right) / 2
    return np.maximum(0, 1 - np.abs(side) / (np.abs(mid) + TINY)) * mid


def principal_component(*, width_deg, time_s, bins):
    """Projection on the principal direction, weighted by how central it is and how much it stands out."""

    def rule(left, right, hop):
        ll, rr, lr = (
            smooth(v, hop, time_s=time_s, bins=bins)
            for v in (np.abs(left) ** 2, np.abs(right) ** 2, (left * right.conj()).real)
        )
        angle = 0.5 * np.arctan2(2 * lr, ll - rr)
        spread = np.hypot(ll - rr, 2 * lr)
        primary = 2 * spread / (ll + rr + spread + TINY)
        central = np.exp(-0.5 * ((np.degrees(angle) - 45) / width_deg) ** 2)
        return central * primary * (np.cos(angle) * left + np.sin(angle) * right) / np.sqrt(2)

    return rule


def similarity(*, width, time_s):
    """Avendano & Jot (2002): similarity of the channels, and a Gaussian window around the centre of its index."""

    def rule(left, right, hop):
        power = smooth(np.abs(left) ** 2 + np.abs(right) ** 2, hop, time_s=time_s)
        psi = 2 * np.abs(smooth(left * right.conj(), hop, time_s=time_s)) / (power + TINY)
        return np.exp(-((1 - psi) ** 2) / (2 * width)) * (left + right) / 2

    return rule


def amplitude_phase_map(left, right, _hop):
    """FreeSurround-type: position from amplitude and phase difference, the phase of the sum, constant power."""
    a, b = np.abs(left), np.abs(right)
    across = np.abs(a - b) / (a + b + TINY)
    front = np.clip(1 - 2 * np.abs(np.angle(left * right.conj())) / np.pi, 0, 1)
    total = np.sqrt((a**2 + b**2) / 2)
    return (1 - across) * front * total * np.exp(1j * np.angle(left + right))


def linear_mmse(left, right, hop, *, time_s=0.06, bins=5):
    """Minimum mean square error for a centre in two uncorrelated sides, smoothed statistics, real coherence."""
    center = np.maximum(smooth((left * right.conj()).real, hop, time_s=time_s, bins=bins), 0)
    a, b = (np.maximum(smooth(np.abs(v) ** 2, hop, time_s=time_s, bins=bins) - center, 0) for v in (left, right))
    total = center * a + center * b + a * b + TINY**2
    return center * b / total * left + center * a / total * right


def ffmpeg_surround(x):
    """FFmpeg's `surround` filter with its defaults, to three channels; its centre is scaled to pass a pure one."""
    gain, late = _ffmpeg_calibration()
    left, right, center = _ffmpeg(x, late)
    return np.stack([left, right, gain * center])


def _ffmpeg(x, late):
    padded = np.pad(x, ((0, 0), (0, late + 8192)))
    form = ["-f", "f32le"]
    filters = ["-af", "surround=chl_out=3.0"]
    command = ["ffmpeg", "-v", "error", *form, "-ar", "48000", "-ac", "2", "-i", "-", *filters, *form, "-"]
    result = subprocess.run(command, input=padded.T.astype("<f4").tobytes(), capture_output=True, check=True)
    return np.frombuffer(result.stdout, "<f4").reshape(-1, 3).T[:, late : late + x.shape[1]].astype(float)


@cache
def _ffmpeg_calibration():
    """Gain and delay of a pure centre."""
    mono = 0.1 * np.random.default_rng(0).standard_normal(48_000)
    center = _ffmpeg(np.stack([mono, mono]), 0)[2]
    center = np.pad(center, (0, mono.size - center.size))
    late = int(np.argmax(np.abs(signal.correlate(center, mono, "full")))) - (mono.size - 1)
    heard = slice(24_000, 40_000)
    gain = np.dot(mono[heard], mono[heard]) / np.dot(mono[heard], np.roll(center, -late)[heard])
    return gain, late


def baselines(frame=FRAME):
    """Every baseline by name; spectral ones with frames of this length."""
    pca, tuned = (principal_component(width_deg=w, time_s=0.06, bins=b) for w, b in ((20, 5), (14, 1)))
    return {
        "passive mid": passive_mid,
        "steered matrix (Pro Logic type)": steered_matrix,
        "amplitude-phase map (FreeSurround type)": spectral(amplitude_phase_map, frame=frame),
        "linear MMSE": spectral(linear_mmse, frame=frame),
        "principal component, 20 deg": spectral(pca, frame=frame),
        "magnitude difference (Vickers)": spectral(vickers, frame=frame),
        "principal component, tuned": spectral(tuned, frame=frame),
        "similarity (Avendano-Jot), tuned": spectral(similarity(width=0.04, time_s=0.03), frame=frame),
    }
