"""Where a hard-panned sound is heard: interaural level and time differences, at the ears, of the shipped presets.

The oracle is the reference pair that the preset carries; the plain device is what has to be beaten.
"""

import numpy as np
import pytest

from forestage import Renderer
from forestage.constants import SAMPLE_RATE
from signals import impulse

FRAMES = 8192
OCTAVES_HZ = [(100 * 2**k, 200 * 2**k) for k in range(1, 6)]  # 200-400 ... 3200-6400 Hz


@pytest.fixture(scope="module", params=["smart-speaker-free-field", "laptop"])
def preset(request):
    return request.param


def far_over_near(preset, monitor, **params):
    renderer = Renderer(preset, sample_rate=SAMPLE_RATE, monitor=monitor, upmix=0, **params)
    near, far = np.fft.rfft(renderer.process(impulse(frames=FRAMES)).astype(np.float64))
    return far / near


def per_octave(ratio):
    """ILD in dB (near louder is positive) per octave, and ITD in us (near first is positive) of those below 800 Hz.

    Above, the phase of a wide stage passes half a turn, and time differences are told by envelopes.
    """
    frequency_hz = np.fft.rfftfreq(FRAMES, 1 / SAMPLE_RATE)
    ild_db, itd_us = [], []
    for low_hz, high_hz in OCTAVES_HZ:
        band = (frequency_hz >= low_hz) & (frequency_hz < high_hz)
        ild_db.append(-10 * np.log10(np.mean(np.abs(ratio[band]) ** 2)))
        if high_hz <= 800:
            itd_us.append(1e6 * np.mean(-np.angle(ratio[band]) / (2 * np.pi * frequency_hz[band])))
    return np.array(ild_db), np.array(itd_us)


@pytest.mark.parametrize("width_deg", [15, 30, 45])
def test_near_ear_is_louder_and_first_in_every_octave(preset, width_deg):
    ild_db, itd_us = per_octave(far_over_near(preset, "Headphones", stage_width_deg=width_deg))
    # Made for 30 degrees; of a narrower pair the treble has up to as much at the far ear
    assert (ild_db > (0.0 if width_deg >= 30 else -1.5)).all()
    assert (itd_us > 50).all()


def test_interaural_time_comes_closer_to_the_reference_pair_in_every_octave(preset):
    wanted, plain, design = (
        per_octave(far_over_near(preset, monitor))[1]
        for monitor in ("Headphones Reference", "Headphones Plain", "Headphones")
    )
    assert (np.abs(design - wanted) < np.abs(plain - wanted)).all()


def test_interaural_time_is_that_of_the_reference_pair(preset):
    """Of 380-420 us, within 25 above 400 Hz; the plain devices miss by 170 us and more.

    Below, drive buys next to no separation, and the pair fades for its level: the round speaker stays 141 us behind,
    the laptop 39.
    """
    wanted, plain, design = (
        per_octave(far_over_near(preset, monitor))[1]
        for monitor in ("Headphones Reference", "Headphones Plain", "Headphones")
    )
    low_us, high_us = np.abs(design - wanted)
    assert low_us < {"smart-speaker-free-field": 145, "laptop": 45}[preset]
    assert high_us < 25
    assert (np.abs(plain - wanted) > 160).all()


def test_interaural_level_follows_the_reference_pair_where_cancellation_reaches(preset):
    """400-1600 Hz within 3 dB; the plain smart speaker misses by up to 4.3 dB."""
    wanted, design = (
        per_octave(far_over_near(preset, monitor))[0] for monitor in ("Headphones Reference", "Headphones")
    )
    assert (np.abs(design - wanted)[1:3] <= 3.0).all()


def test_wider_stage_is_heard_wider(preset):
    widths = [0, 15, 30, 45]
    itd_us = [per_octave(far_over_near(preset, "Headphones", stage_width_deg=w))[1][1] for w in widths]
    assert (np.diff(itd_us) > 20).all()
