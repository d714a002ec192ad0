"""Pairs whose sides differ: left, centre and right are heard at their places, or the design says that they are not.

The listener is one of its own: ears of the exported preset, played by the engine, and the lag of the correlation of
the two in the band of the times, held against that of real sources around the sphere.
"""

import numpy as np
import pytest

from forestage import Renderer, design
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.head import Head
from forestage.acoustics.seat import Listener
from forestage.design.shortfall import ImageShortfall
from forestage.metrics.width import center_azimuth_deg, side_azimuth_deg

SAMPLE_RATE, FRAMES = 48_000, 1 << 15
LAG_S = np.arange(-1000, 1001) * 1e-6
BINS_HZ = np.fft.rfftfreq(FRAMES, 1 / SAMPLE_RATE)
HEARD = (BINS_HZ >= 300.0) & (BINS_HZ <= 1200.0)


def pair(name, left=None, right=None, *, distance_m=0.35, places=((0.0, 0.07, 0.0), (0.0, -0.075, 0.0))):
    drivers = (Driver("l", "left", places[0], **(left or {})), Driver("r", "right", places[1], **(right or {})))
    return Device(name, drivers, Listener(distance_m))


FAMILY = {
    device.name: device
    for device in (
        pair("left from 300 Hz", {"low_hz": 300.0}),
        pair("right to 3 kHz", None, {"high_hz": 3000.0}),
        pair("phone", {"low_hz": 600.0, "level_db": -9.0, "inverted": True}, {"low_hz": 300.0, "delay_ms": 0.5}),
        pair("roll-off", {"response_db": ((100.0, -30.0), (300.0, -20.0), (1000.0, 0.0))}),
        pair("places", distance_m=1.0, places=((0.0, 0.3, 0.0), (0.05, -0.22, 0.0))),
        Device(
            "two ways beside one",
            (
                Driver("lw", "left", (0.0, 0.14, 0.0), high_hz=1500.0),
                Driver("lt", "left", (0.0, 0.14, 0.03), low_hz=1500.0),
                Driver("r", "right", (0.0, -0.14, 0.0)),
            ),
            Listener(0.5),
        ),
    )
}


def lag_s(spectra):
    """How much later the right ear is: the peak of the correlation of (left, right), in the band of the times."""
    cross = (spectra[0] * spectra[1].conj() / (np.abs(spectra[0]) * np.abs(spectra[1])))[HEARD]
    return LAG_S[np.argmax((np.exp(-2j * np.pi * np.outer(LAG_S, BINS_HZ[HEARD])) @ cross).real)]


def heard_deg(preset, channels):
    impulse = np.zeros((2, FRAMES), np.float32)
    impulse[list(channels), 100] = 0.1
    ears = Renderer(preset, sample_rate=SAMPLE_RATE, monitor="Headphones").process(impulse).astype(np.float64)
    azimuths = np.arange(-80.0, 80.1, 2.0)
    angle = np.deg2rad(azimuths)
    circle = 2.0 * np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    at = np.maximum(BINS_HZ[HEARD], 1.0)
    spectra = np.ones((2, len(azimuths), len(BINS_HZ)), complex)
    spectra[..., HEARD] = Head().ears(at, circle)
    lags = [lag_s(spectra[:, k]) for k in range(len(azimuths))]
    return float(np.interp(lag_s(np.fft.rfft(ears)), lags, azimuths))


@pytest.mark.slow
def test_ears_of_the_engine_hear_both_sides_and_the_centre_at_their_places():
    preset = design(FAMILY["left from 300 Hz"], render=None).preset()
    heard = [heard_deg(preset, channels) for channels in ((0,), (0, 1), (1,))]
    np.testing.assert_allclose(heard, [30.0, 0.0, -30.0], atol=3.0)


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
def test_figures_say_that_both_sides_and_the_centre_are_at_their_places(name):
    made = design(FAMILY[name], sample_rates=[SAMPLE_RATE], render=None)
    left, right = (side_azimuth_deg(made, [30.0], side=side)["time"]["processed"][0] for side in ("left", "right"))
    center = center_azimuth_deg(made)["time"]["processed"]
    np.testing.assert_allclose([left, center, right], [30.0, 0.0, -30.0], atol=3.0)


@pytest.mark.slow
def test_what_one_side_cannot_play_is_said_and_not_mirrored():
    device = pair("left from 1 kHz", {"low_hz": 1000.0, "bass_to": ()})
    falls = design(device, sample_rates=[SAMPLE_RATE], render=None).shortfall()
    alone = [fall for fall in falls if isinstance(fall, ImageShortfall) and fall.alone == "right"]
    assert len(alone) == 1
    assert 900.0 < alone[0].high_hz < 1000.0
    left, _, right = alone[0].heard_deg
    assert left > 5.0 > -5.0 > right
    assert "left, centre and right are heard at" in str(alone[0])


@pytest.mark.slow
def test_sides_that_are_alike_have_nothing_to_be_said():
    falls = design(pair("even", places=((0.0, 0.1, 0.0), (0.0, -0.1, 0.0))), sample_rates=[48_000], render=None)
    assert not [fall for fall in falls.shortfall() if isinstance(fall, ImageShortfall)]
