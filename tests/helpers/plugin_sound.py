"""What tests of the plugin play, and how what comes out is held against the core's."""

import numpy as np

NULL = 1e-6  # -120 dBFS


def noise(frames=4800, channels=2, *, seed=7):
    return np.random.default_rng(seed).uniform(-0.1, 0.1, (channels, frames)).astype(np.float32)


def assert_null(y, expected):
    """The same sound, of which there is some."""
    assert y.shape == expected.shape
    assert np.abs(expected).max() > 1e-3
    assert np.abs(y - expected).max() <= NULL
