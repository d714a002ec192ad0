"""Signals and measures that several tests share."""

import numpy as np
from scipy import signal

HIGH_PASS = signal.butter(8, 6000, "high", fs=48_000, output="sos")
PLAYED_FRAMES = 480


def noise(*, channels=2, frames=24_000, level=0.1, seed=0):
    return (level * np.random.default_rng(seed).standard_normal((channels, frames))).astype(np.float32)


def impulse(*, frames, channel=0, at=0, level=0.25):
    x = np.zeros((2, frames), np.float32)
    x[channel, at] = level
    return x


def tone(*, hz=997.0, frames=96_000, sample_rate=48_000, level=0.25, phase=0.0):
    t = np.arange(frames) / sample_rate
    left = level * np.sin(2 * np.pi * hz * t)
    right = level * np.sin(2 * np.pi * hz * t + phase)
    return np.stack([left, right]).astype(np.float32)


def complex_normal(*shape, seed=2):
    """Noise of unit power."""
    parts = np.random.default_rng(seed).standard_normal((2, *shape))
    return (parts[0] + 1j * parts[1]) / np.sqrt(2)


def transfer(firs, frequency_hz, sample_rate):
    """Plain DFT of the taps, independent of the library."""
    taps = np.asarray(firs, dtype=np.float64)
    return taps @ np.exp(-2j * np.pi * np.outer(np.arange(taps.shape[-1]), frequency_hz) / sample_rate)


def db(ratio):
    return 20 * np.log10(np.maximum(np.abs(ratio), 1e-15))


def peak_db(x):
    return db(np.max(np.abs(x)))


def rms_db(x):
    return db(np.sqrt(np.mean(np.square(x, dtype=np.float64))))


def in_blocks(process, x, sizes):
    """Play x in blocks of the given sizes, over and over."""
    out, start, k = [], 0, 0
    while start < x.shape[1]:
        frames = sizes[k % len(sizes)]
        out.append(process(x[:, start : start + frames]))
        start += frames
        k += 1
    return np.concatenate(out, axis=1)


def splash_db(y, settled):
    """Peak above 6 kHz relative to the peak of the sound, after the onset."""
    high = signal.sosfiltfilt(HIGH_PASS, y[:, settled:].astype(np.float64))
    margin = 200  # zero-phase filtering rings at the cut ends
    return np.max(db(high[:, margin:-margin])) - np.max(db(y[:, settled:]))


def play_tone(renderer, events):
    """Two seconds of tone (channels out of phase, so that all paths work); events[block] runs before its block."""
    x = tone(frames=96_000, phase=1.0)
    out = []
    for k in range(x.shape[1] // PLAYED_FRAMES):
        events.get(k, lambda: None)()
        out.append(renderer.process(x[:, k * PLAYED_FRAMES : (k + 1) * PLAYED_FRAMES]))
    return np.concatenate(out, axis=1)
