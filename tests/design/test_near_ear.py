"""Near ears of both sides hear the colour of a pair, from the drivers that reach them."""

import numpy as np
import pytest

from forestage import load_device
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import plant
from forestage.design.near_ear import MOST_OWN_GAIN_DB, even_plain
from forestage.design.skew import aligned_plain
from kinds import first_fast
from places import DEVICES

BAND_HZ = np.geomspace(150.0, 12_500.0, 200)


def near_db(seat, gains, channel):
    return 20 * np.log10(np.abs(np.einsum("df,df->f", seat.at(BAND_HZ)[channel], gains[:, channel])))


@pytest.mark.parametrize("name", first_fast(["smart-speaker", "laptop", "soundbar-3", "asymmetric-pair"], 2))
@pytest.mark.parametrize("channel", [0, 1])
def test_near_ear_is_that_of_a_pair(name, channel):
    """But for what is narrower than a sixth of an octave; plain stereo of the smart speaker lacks 20 dB at 8 kHz."""
    device = load_device(DEVICES / f"{name}.toml")
    seat = plant(device)
    pair_db = 20 * np.log10(np.abs(pair_ears(device.listener, BAND_HZ)[channel, channel]))
    over_db = near_db(seat, even_plain(device, seat, BAND_HZ), channel) - pair_db
    assert np.ptp(over_db) < 3.0
    if name == "smart-speaker":
        assert np.ptp(near_db(seat, aligned_plain(seat, BAND_HZ), channel) - pair_db) > 15.0


def test_treble_comes_from_the_driver_that_faces_the_listener():
    device = load_device(DEVICES / "smart-speaker.toml")
    gains = np.abs(even_plain(device, plant(device), BAND_HZ))
    assert 20 * np.log10(gains[0, 0].max()) < MOST_OWN_GAIN_DB + 0.5
    front, own = gains[2, 0], gains[0, 0]
    assert np.all(front[BAND_HZ < 2000.0] < 0.05 * own[BAND_HZ < 2000.0])
    assert np.all(front[BAND_HZ > 8000.0] > 0.2 * own[BAND_HZ > 8000.0])


def test_treble_stays_within_the_drive_cap_where_all_drivers_face_away():
    """With its third driver on top, a pair's treble would take 20 dB more power than plain stereo."""
    device = load_device(DEVICES / "smart-speaker-up.toml")
    seat = plant(device)
    power, plain = (
        np.sum(np.abs(gains[:, 0]) ** 2, axis=0)
        for gains in (even_plain(device, seat, BAND_HZ), aligned_plain(seat, BAND_HZ))
    )
    drive_db = 10 * np.log10(power / plain)
    assert drive_db.max() == pytest.approx(9.0, abs=1e-6)
    assert np.mean(drive_db > 8.9) < 0.3


def test_phases_are_those_of_plain_stereo():
    device = load_device(DEVICES / "smart-speaker.toml")
    seat = plant(device)
    even, plain = (
        np.einsum("cdf,dcf->cf", seat.at(BAND_HZ), gains)
        for gains in (even_plain(device, seat, BAND_HZ), aligned_plain(seat, BAND_HZ))
    )
    np.testing.assert_allclose(np.angle(even / plain), 0.0, atol=1e-6)


def test_headphones_keep_their_colour():
    device = load_device(DEVICES / "headphones.toml")
    seat = plant(device)
    np.testing.assert_array_equal(even_plain(device, seat, BAND_HZ), aligned_plain(seat, BAND_HZ))
