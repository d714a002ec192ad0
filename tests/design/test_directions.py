"""What presets tell of the directions that drivers send to."""

import numpy as np

from forestage import load_device
from forestage.acoustics.plant import directivity
from forestage.design.preset_form import directions_form
from forestage.firs import decode_fir
from places import DEVICES


def test_directions_are_those_of_the_device_as_it_is_simulated():
    device = load_device(DEVICES / "five-driver-speaker.toml")
    form = directions_form(device)
    azimuth_deg, frequency_hz = form["azimuth_deg"], form["frequency_hz"]
    told = np.stack([decode_fir(text) for text in form["drivers"]]).reshape(5, len(azimuth_deg), len(frequency_hz), 2)
    expected = directivity(device, frequency_hz, azimuth_deg)
    np.testing.assert_allclose(told[..., 0] + 1j * told[..., 1], expected, rtol=2e-3, atol=1e-4)
    assert (azimuth_deg[0], azimuth_deg[12], len(azimuth_deg)) == (-180.0, 0.0, 24)
