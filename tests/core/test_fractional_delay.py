"""Fractional delay against the ideal one."""

import numpy as np
import pytest

from forestage import _core
from signals import db, noise, tone

LATENCY_FRAMES = _core.FractionalDelay.LATENCY_FRAMES


def delayed(x, delay_frames):
    delays = np.broadcast_to(np.float32(delay_frames), x.shape).copy()
    return _core.FractionalDelay(64.0).process(x[None], delays)[0]


@pytest.mark.parametrize("delay_frames", [0, 1, 13, 64])
def test_whole_frames_are_exact(delay_frames):
    x = noise(channels=1, frames=2000)[0]
    late = LATENCY_FRAMES + delay_frames
    assert np.max(db(delayed(x, delay_frames)[late:] - x[:-late])) <= -120


@pytest.mark.parametrize("delay_frames", [0.5, 7.25, 12.99, 0.013])
@pytest.mark.parametrize("hz", [50, 997, 8000, 16_000])
def test_tones_are_delayed_by_the_fraction(delay_frames, hz):
    """-80 dB up to two thirds of Nyquist: the window's transition band begins above."""
    x = tone(hz=hz, frames=4000, level=1.0)[0]
    t = (np.arange(4000) - LATENCY_FRAMES - delay_frames) / 48_000
    settled = slice(200, None)
    assert np.max(db((delayed(x, delay_frames) - np.sin(2 * np.pi * hz * t))[settled])) <= -80


@pytest.mark.parametrize("frames_a_frame", [0, 1e-6, 1e-4, 7e-4, 1.9e-3, 2.1e-3, 0.02])
@pytest.mark.parametrize("hz", [997, 8000, 16_000])
def test_tones_follow_a_glide(hz, frames_a_frame):
    """Slow glides play some frames at once, across whole frames and at turns as well."""
    n = np.arange(8000)
    delays = 20.02 + frames_a_frame * 500 * np.sin(n / 500)
    y = delayed(tone(hz=hz, frames=8000, level=1.0)[0], delays)
    ideal = np.sin(2 * np.pi * hz * (n - LATENCY_FRAMES - delays) / 48_000)
    assert np.max(db((y - ideal)[200:])) <= -80


def test_gliding_delay_has_no_steps():
    x = tone(hz=440, frames=8000, level=1.0)[0]
    y = delayed(x, np.linspace(0, 40, 8000))
    curvature = np.diff(y[200:], 3)
    assert np.max(np.abs(curvature)) <= 2 * (2 * np.pi * 440 / 48_000) ** 3
