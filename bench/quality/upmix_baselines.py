"""Other ways to find a centre, from their published formulas, in plain numpy; and ffmpeg's as the program it is.

Each takes stereo (2, frames) at 48 kHz and gives left, right, centre, aligned with the input. Where a paper leaves
widths open, there is a family of rules to choose from: `tuned` finds the best one for mixes of the kinds it is given.
"""

import subprocess
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from scipy import ndimage, signal

from forestage.constants import SAMPLE_RATE

TINY = 1e-15
FRAME, HOP = 2048, 512  # 43 ms, the latency of High Quality


def with_sides(x, center):
    return np.stack([x[0] - center, x[1] - center, center])


def frames_of(x, frame):
    """Spectra of sqrt-Hann frames that overlap by three quarters, shape (..., frames, bins)."""
    padding = (frame, frame + (-x.shape[-1]) % (frame // 4))
    padded = np.pad(x, [(0, 0)] * (x.ndim - 1) + [padding])
    frames = np.lib.stride_tricks.sliding_window_view(padded, frame, axis=-1)[..., :: frame // 4, :]
    return np.fft.rfft(frames * window_of(frame))


def window_of(frame):
    return np.sin(np.pi * (np.arange(frame) + 0.5) / frame)


def spectral(rule, *, frame=FRAME):
    """Turn a rule for bins, (left, right) -> centre, into one for sound."""
    hop = frame // 4

    def play(x):
        left, right = frames_of(x, frame)
        parts = np.fft.irfft(rule(left, right, hop), frame) * window_of(frame) / 2
        center = np.zeros((len(parts) + 4) * hop)
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


def projected_difference(*, share, time_s):
    """Magnitude difference of what is left of mid after a share of its real projection on the side."""

    def rule(left, right, hop):
        mid, side = (left + right) / 2, (left - right) / 2
        cross, power = (smooth(v, hop, time_s=time_s) for v in ((mid * side.conj()).real, np.abs(side) ** 2))
        tilt = np.clip(cross / (power + TINY), -1, 1)
        return np.maximum(0, 1 - np.abs(side) / (np.abs(mid) + TINY)) * (mid - share * tilt * side)

    return rule


def nulled(*, width):
    """ADRess (Barry, Lawlor & Coyle 2004): how deep a null is that subtracting the channels makes near equal gains.

    The louder channel is subtracted with the gain that leaves least, which its azimugram finds on a grid.
    """

    def rule(left, right, _hop):
        is_left = np.abs(left) >= np.abs(right)
        loud, soft = np.where(is_left, left, right), np.where(is_left, right, left)
        gain = np.clip((soft * loud.conj()).real / (np.abs(loud) ** 2 + TINY), 0, 1)
        depth = np.maximum(np.abs(soft), np.abs(soft - loud)) - np.abs(soft - gain * loud)
        return (gain >= 1 - width) * depth * np.exp(1j * np.angle(left + right))

    return rule


def mid_side_decomposition(*, time_s):
    """Kraft & Zoelzer (2015): pans from magnitudes, the direct sound from mid, panned anew between centre and sides.

    Its centre is scaled to pass a pure one.
    """

    def rule(left, right, hop):
        power = [smooth(np.abs(v) ** 2, hop, time_s=time_s) if time_s else np.abs(v) ** 2 for v in (left, right)]
        a, b = (np.sqrt(p / (sum(power) + TINY)) for p in power)
        direct = (left + right) / (a + b + TINY)
        return np.cos(np.pi / 2 * np.abs(a - b) / (a + b + TINY)) * direct / np.sqrt(2)

    return rule


def factorised(left, right, _hop, *, pans=11, parts=3, rounds=20):
    """Non-negative tensor factorisation (FitzGerald, Cranitch & Coyle 2005) of magnitudes, with pans on a grid.

    Sources are sums of parts with a spectrum and a course in time each; the centre is its share of the model of mid.
    It needs the whole piece at once.
    """
    rng = np.random.default_rng(0)
    observed = np.stack([np.abs(left), np.abs(right)]).astype(np.float32)
    angles = np.repeat(np.linspace(0, np.pi / 2, pans), parts)
    gains = np.stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    times = rng.uniform(0.1, 1, (observed.shape[1], angles.size)).astype(np.float32)
    spectra = rng.uniform(0.1, 1, (angles.size, observed.shape[2])).astype(np.float32)

    def ratios():
        return [v / ((times * g) @ spectra + 1e-9) for v, g in zip(observed, gains, strict=True)]

    for _ in range(rounds):
        heard = sum(g * (r @ spectra.T) for r, g in zip(ratios(), gains, strict=True))
        times *= heard / (gains.sum(axis=0) * spectra.sum(axis=1) + 1e-9)
        heard = sum(g[:, None] * (times.T @ r) for r, g in zip(ratios(), gains, strict=True))
        spectra *= heard / ((gains.sum(axis=0) * times.sum(axis=0))[:, None] + 1e-9)
    is_central = np.abs(angles - np.pi / 4) < 1e-6
    central, others = ((times[:, chosen] @ spectra[chosen]) ** 2 for chosen in (is_central, ~is_central))
    return central / (central + others + 1e-12) * (left + right) / 2


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


@dataclass(frozen=True)
class Family:
    """Rules of which the widths differ, by the values of these, and the frame that they work on."""

    frame: int
    rules: dict

    def method(self, choice):
        return spectral(self.rules[choice], frame=self.frame)


def family(make, *, frame=FRAME, **widths):
    """All combinations of widths of a rule."""
    choices = [{}]
    for name, values in widths.items():
        choices = [choice | {name: value} for choice in choices for value in values]
    return Family(frame, {", ".join(f"{k} {v}" for k, v in choice.items()): make(**choice) for choice in choices})


def baselines():
    """What has nothing to tune, by name."""
    return {
        "passive mid": passive_mid,
        "steered matrix (Pro Logic type)": steered_matrix,
        "amplitude-phase map (FreeSurround type)": spectral(amplitude_phase_map),
        "magnitude difference (Vickers)": spectral(vickers),
        "NMF with pans, whole piece": spectral(factorised),
        "FFmpeg surround, as a program": ffmpeg_surround,
    }


def families():
    """What has widths to tune, by name."""
    return {
        "projection + magnitude difference": family(projected_difference, share=(0.25, 0.5, 1.0), time_s=(0.06,)),
        "projection + magnitude difference, 85 ms": family(
            projected_difference, frame=2 * FRAME, share=(0.25, 0.5, 1.0), time_s=(0.06,)
        ),
        "principal component": family(principal_component, width_deg=(8, 14, 20), time_s=(0.03, 0.06), bins=(1,)),
        "principal component, 85 ms": family(
            principal_component, frame=2 * FRAME, width_deg=(8, 14, 20), time_s=(0.06,), bins=(1,)
        ),
        "similarity (Avendano-Jot)": family(similarity, width=(0.02, 0.04, 0.08), time_s=(0.03,)),
        "nulls (ADRess)": family(nulled, width=(0.1, 0.2, 0.35, 0.5)),
        "mid-side decomposition (Kraft-Zoelzer)": family(mid_side_decomposition, time_s=(0, 0.03)),
        "linear MMSE": family(lambda **widths: partial(linear_mmse, **widths), time_s=(0.06,), bins=(1, 5)),
    }


def sdr_over_mid_db(rules, frame, mix):
    """How much nearer than mid each rule comes, told from spectra."""
    left, right = frames_of(mix.x, frame)
    truth, mid = frames_of(mix.center, frame), (left + right) / 2
    before = np.sum(np.abs(mid - truth) ** 2)
    return [10 * np.log10(before / np.sum(np.abs(rule(left, right, frame // 4) - truth) ** 2)) for rule in rules]


def tuned(mixes):
    """For each family and each kind of mix, the choice that is best on the other kinds."""
    found = {}
    for name, one in families().items():
        scores = {
            kind: np.mean([sdr_over_mid_db(one.rules.values(), one.frame, mix) for mix in some], axis=0)
            for kind, some in mixes.items()
        }
        choices = list(one.rules)
        found[name] = {
            kind: choices[int(np.argmax(np.mean([v for other, v in scores.items() if other != kind], axis=0)))]
            for kind in mixes
        }
    return found
