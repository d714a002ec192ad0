"""Equalisers of headphones that several tests share."""

import numpy as np
from scipy import signal

from forestage import _core

# As AutoEq writes them: a bass shelf, narrow and wide peaks, a treble shelf.
AUTO_EQ = """\
Preamp: -6.4 dB
Filter 1: ON LSC Fc 105 Hz Gain 6.2 dB Q 0.70
Filter 2: ON PK Fc 38.5 Hz Gain 3.1 dB Q 1.20
Filter 3: ON PK Fc 2134 Hz Gain -4.1 dB Q 2.52
Filter 4: ON PK Fc 6204 Hz Gain 6.4 dB Q 4.41
Filter 5: ON HSC Fc 10000 Hz Gain -3.5 dB Q 0.70
"""
BANDS = [
    ("LSC", 105, 6.2, 0.7), ("PK", 38.5, 3.1, 1.2), ("PK", 2134, -4.1, 2.52), ("PK", 6204, 6.4, 4.41),
    ("HSC", 10_000, -3.5, 0.7),
]  # fmt: skip


def parametric(text: str = AUTO_EQ, name: str = "AutoEq"):
    return _core.parse_parametric_eq(text, name=name)


def curve(frequency_hz):
    """A smooth curve in dB, as headphones need it."""
    return 5 * np.sin(2.2 * np.log(frequency_hz / 100)) - 3


def linear_phase_taps(sample_rate, *, seconds=0.2, sign=1.0):
    frames = 2 * round(seconds * sample_rate / 2) + 1
    frequency_hz = np.concatenate([[0], np.geomspace(10, sample_rate / 2, 800)])
    gain_db = sign * curve(np.maximum(frequency_hz, 10))
    return signal.firwin2(frames, frequency_hz, 10 ** (gain_db / 20), fs=sample_rate)


def wav_eq():
    taps = np.stack([linear_phase_taps(44_100), linear_phase_taps(44_100, sign=-1)])
    return _core.headphone_eq_from_firs(taps.astype(np.float32), sample_rate=44_100, name="measured")
