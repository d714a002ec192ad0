"""A voice, instruments, pans and reverberation, all made of numbers from a seed: the same on every machine."""

import numpy as np
from scipy import signal

from forestage.constants import SAMPLE_RATE

# Centre frequencies of the first four formants in Hz (Peterson & Barney 1952, men; the fourth is a common value)
VOWELS_HZ = np.array(
    [
        [730, 1090, 2440, 3400],
        [270, 2290, 3010, 3600],
        [300, 870, 2240, 3300],
        [530, 1840, 2480, 3500],
        [570, 840, 2410, 3300],
    ]
)
SCALE = np.array([0, 2, 3, 5, 7, 8, 10])  # semitones of natural minor


def rms(x):
    return np.sqrt(np.mean(np.square(x)))


def at_level(x, level_db):
    """Scale so that the loud tenth of the sound has this level."""
    power = np.mean(np.square(x[: len(x) // 480 * 480]).reshape(-1, 480), axis=1)
    return x * 10 ** (level_db / 20) / np.sqrt(np.mean(np.sort(power)[-len(power) // 2 :]) + 1e-20)


def pan(x, angle_deg):
    angle = np.radians(45 + angle_deg)
    return np.stack([np.cos(angle) * x, np.sin(angle) * x])


def reverberate(rng, x, *, rt60_s):
    """Late reverberation: exponentially decaying noise, different for each ear, duller as it decays."""
    frames = round(rt60_s * SAMPLE_RATE)
    decay = 10 ** (-3 * np.arange(frames) / frames)
    source = np.sum(x, axis=0)
    onset = round(0.012 * SAMPLE_RATE)
    tails = []
    for _ in range(2):
        response = np.concatenate([np.zeros(onset), rng.standard_normal(frames) * decay])
        tails.append(signal.fftconvolve(source, signal.lfilter([0.5], [1, -0.5], response))[: x.shape[1]])
    return np.stack(tails)


def note_hz(rng, low_hz):
    return low_hz * 2 ** ((rng.choice(SCALE) + 12 * rng.integers(0, 2)) / 12)


def note_times(rng, frames, shortest_s, longest_s):
    """Starts and lengths in frames, one note after the other."""
    start = round(rng.uniform(0, 0.3) * SAMPLE_RATE)
    while start < frames - 2400:
        length = min(round(rng.uniform(shortest_s, longest_s) * SAMPLE_RATE), frames - start)
        yield start, length
        start += length


def sing(rng, frames):
    """Harmonics with vibrato under moving formants, consonants of noise, pauses between phrases."""
    out = np.zeros(frames)
    low_hz = rng.uniform(110, 220)
    for start, length in note_times(rng, frames, 0.18, 0.7):
        if rng.random() < 0.15:
            continue
        t = np.arange(length) / SAMPLE_RATE
        vibrato = 1 + 0.012 * np.sin(2 * np.pi * 5.5 * t + rng.uniform(0, 6)) * np.minimum(1, t / 0.15)
        f0 = note_hz(rng, low_hz) * vibrato
        phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE
        first, second = VOWELS_HZ[rng.choice(len(VOWELS_HZ), 2)]
        formants = first + (second - first) * s_curve(t / t[-1])[:, None]
        tone = np.zeros(length)
        for h in range(1, int(9000 / f0.max())):
            tone += formant_gain(h * f0, formants) / h * np.sin(h * phase)
        noise = signal.lfilter(*signal.butter(2, 3000, "high", fs=SAMPLE_RATE), rng.standard_normal(length))
        consonant = 0.15 * noise * np.exp(-t / 0.03) * (rng.random() < 0.6)
        breath = 0.004 * noise
        envelope = np.minimum(1, t / 0.03) * np.minimum(1, (t[-1] - t) / 0.05)
        out[start : start + length] += (tone + breath) * envelope + consonant
    return out


def s_curve(t):
    return t * t * (3 - 2 * t)


def formant_gain(hz, formants_hz):
    widths_hz = np.array([80, 100, 150, 250])
    return sum(1 / np.sqrt(1 + ((hz - formants_hz[:, k]) / widths_hz[k]) ** 2) * 0.7**k for k in range(4))


def pluck(rng, frames):
    """Decaying harmonics, as of a guitar or a piano; sometimes chords."""
    out = np.zeros(frames)
    low_hz = rng.uniform(80, 330)
    decay_s = rng.uniform(0.15, 0.8)
    for start, _ in note_times(rng, frames, 0.12, 0.6):
        t = np.arange(min(frames - start, round(4 * decay_s * SAMPLE_RATE))) / SAMPLE_RATE
        for _ in range(rng.integers(1, 4)):
            hz = note_hz(rng, low_hz)
            for h in range(1, min(40, int(12_000 / hz))):
                partial = hz * h * np.sqrt(1 + 2e-4 * h * h)
                decay = np.exp(-t / decay_s * (1 + 0.15 * h))
                out[start : start + len(t)] += decay * np.sin(2 * np.pi * partial * t + rng.uniform(0, 6.28)) / h**1.1
    return out


def pad(rng, frames):
    """Slow chords of slightly detuned harmonics, as of strings or an organ."""
    out = np.zeros(frames)
    low_hz = rng.uniform(100, 400)
    for start, length in note_times(rng, frames, 0.8, 2.5):
        t = np.arange(length) / SAMPLE_RATE
        envelope = np.minimum(1, t / 0.15) * np.minimum(1, (t[-1] - t) / 0.15)
        for _ in range(3):
            hz = note_hz(rng, low_hz) * 2 ** (rng.uniform(-0.05, 0.05) / 12)
            drift = 1 + 0.003 * np.sin(2 * np.pi * rng.uniform(3, 6) * t + rng.uniform(0, 6))
            phase = 2 * np.pi * np.cumsum(hz * drift) / SAMPLE_RATE
            h = np.arange(1, min(30, int(10_000 / hz)))
            harmonics = np.exp(1j * rng.uniform(0, 6, h.size)) / h**1.2
            # A sum of sines of multiples of one phase is a polynomial of its first
            out[start : start + length] += envelope * np.polyval([*harmonics[::-1], 0], np.exp(1j * phase)).imag
    return out


def shake(rng, frames):
    """Short bursts of band noise, as of a shaker or a hi-hat."""
    out = np.zeros(frames)
    band = signal.butter(2, [rng.uniform(2000, 6000), 14_000], "bandpass", fs=SAMPLE_RATE)
    step = rng.uniform(0.1, 0.25)
    for start, length in note_times(rng, frames, step, step * 1.02):
        t = np.arange(length) / SAMPLE_RATE
        burst = signal.lfilter(*band, rng.standard_normal(length))
        out[start : start + length] += burst * np.exp(-t / 0.03) * rng.uniform(0.3, 1)
    return out


def bass(rng, frames):
    """Low notes of a few harmonics, one after the other."""
    out = np.zeros(frames)
    low_hz = rng.uniform(41, 62)
    for start, length in note_times(rng, frames, 0.2, 0.6):
        t = np.arange(length) / SAMPLE_RATE
        hz = note_hz(rng, low_hz)
        envelope = np.minimum(1, t / 0.01) * np.exp(-t / 0.5) * np.minimum(1, (t[-1] - t) / 0.02)
        for h in range(1, 12):
            out[start : start + length] += envelope * np.exp(-t * h / 0.8) * np.sin(2 * np.pi * h * hz * t) / h**1.3
    return out


def beat(rng, frames):
    """A bass drum on the beat and a snare between, as (kick, snare)."""
    kick, snare = np.zeros((2, frames))
    step = round(rng.uniform(0.42, 0.6) * SAMPLE_RATE)
    t = np.arange(min(step, frames)) / SAMPLE_RATE
    thump = np.sin(2 * np.pi * (48 * t - 4 * np.exp(-t / 0.03))) * np.exp(-t / 0.12)
    for k, start in enumerate(range(step // 2, frames - t.size, step)):
        rattle = signal.lfilter(*signal.butter(2, [180, 7000], "bandpass", fs=SAMPLE_RATE), rng.standard_normal(t.size))
        hit = 0.6 * rattle * np.exp(-t / 0.07) + 0.4 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05)
        (snare if k % 2 else kick)[start : start + t.size] += (hit if k % 2 else thump) * rng.uniform(0.7, 1)
    return kick, snare
