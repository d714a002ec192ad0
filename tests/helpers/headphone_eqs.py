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


def cookbook(kind, frequency_hz, sample_rate, *, gain_db=0.0, q=None, octaves=None, slope=None):
    """Coefficients (b, a) as the cookbook of R. Bristow-Johnson prints them."""
    a = 10 ** (gain_db / 40)
    w = 2 * np.pi * frequency_hz / sample_rate
    c, s = np.cos(w), np.sin(w)
    if octaves is not None:
        alpha = s * np.sinh(np.log(2) / 2 * octaves * w / s)
    elif slope is not None:
        alpha = s / 2 * np.sqrt((a + 1 / a) * (1 / slope - 1) + 2)
    else:
        alpha = s / (2 * q)
    r = 2 * np.sqrt(a) * alpha
    poles = [1 + alpha, -2 * c, 1 - alpha]
    return {
        "PK": ([1 + alpha * a, -2 * c, 1 - alpha * a], [1 + alpha / a, -2 * c, 1 - alpha / a]),
        "LSC": (
            [a * (a + 1 - (a - 1) * c + r), 2 * a * (a - 1 - (a + 1) * c), a * (a + 1 - (a - 1) * c - r)],
            [a + 1 + (a - 1) * c + r, -2 * (a - 1 + (a + 1) * c), a + 1 + (a - 1) * c - r],
        ),
        "HSC": (
            [a * (a + 1 + (a - 1) * c + r), -2 * a * (a - 1 + (a + 1) * c), a * (a + 1 + (a - 1) * c - r)],
            [a + 1 - (a - 1) * c + r, 2 * (a - 1 - (a + 1) * c), a + 1 - (a - 1) * c - r],
        ),
        "LP": ([(1 - c) / 2, 1 - c, (1 - c) / 2], poles),
        "HP": ([(1 + c) / 2, -1 - c, (1 + c) / 2], poles),
        "BP": ([alpha, 0, -alpha], poles),
        "NO": ([1, -2 * c, 1], poles),
        "AP": ([1 - alpha, -2 * c, 1 + alpha], poles),
    }[kind]


def cookbook_response(at_hz, sample_rate, bands=BANDS, preamp_db=-6.4):
    """Of bands as (kind, frequency_hz, gain_db, q), or with a dict in place of q: {"octaves": 1.5}, {"slope": 0.9}."""
    response = np.full(len(at_hz), 10 ** (preamp_db / 20), complex)
    for kind, frequency_hz, gain_db, width in bands:
        width = width if isinstance(width, dict) else {"q": width}
        b, a = cookbook(kind, frequency_hz, sample_rate, gain_db=gain_db, **width)
        response *= signal.freqz(b, a, worN=at_hz, fs=sample_rate)[1]
    return response


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
