"""The centre completes left and right: sounds between them stand where a pair puts them, whatever the upmix takes."""

import numpy as np
import pytest

from forestage import design, load_device
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.seat import Listener
from forestage.design.balance import balance_shortfalls
from forestage.design.phantom import phantom_weights
from forestage.metrics.balance import balance_of
from forestage.metrics.chain import Chain
from forestage.metrics.colour import center_ripple_db
from forestage.metrics.localisation import LEVEL_HZ, TIME_HZ, Localiser
from forestage.metrics.panning import PANS, pan_gains
from kinds import first_fast
from places import DEVICES
from stub_design import pair, stub_design

TAKEN = (0.0, 0.5, 1.0)  # of the mid, by the upmix
BASS_HZ = np.geomspace(100.0, 300.0, 50)
BAND_HZ = np.geomspace(100.0, 12_500.0, 300)


def in_pairs():
    """Two drivers a side, all of them playing plain stereo."""
    places = {"left 1": 0.3, "left 2": 0.15, "right 1": -0.15, "right 2": -0.3}
    drivers = tuple(Driver(name, name.split()[0], (0.0, y, 0.0)) for name, y in places.items())
    return Device("In pairs", drivers, Listener(1.5))


@pytest.fixture(scope="module", params=first_fast(["laptop", "smart-speaker", "asymmetric-pair", "in pairs"]))
def finished(request):
    device = in_pairs() if request.param == "in pairs" else load_device(DEVICES / f"{request.param}.toml")
    return design(device, variant="free-field", sample_rates=[48_000], render=None)


def ears(finished, frequency_hz):
    """Ears of the (left, right) channel, shape (2, 2, n), and of the centre, shape (2, n)."""
    chain, plant = Chain.of(finished, frequency_hz), finished.plant.at(frequency_hz)
    return np.einsum("edf,dcf->ecf", plant, chain.staged), np.einsum("edf,df->ef", plant, chain.center)


def test_centre_is_what_left_and_right_are_together(finished):
    """In phase and time at both ears, and in the bass in level; above, the level is that of a pair, see below."""
    sides, center = ears(finished, BASS_HZ)
    together = sides.sum(axis=1)
    error = np.abs(center - together) / np.sqrt(np.mean(np.abs(together) ** 2, axis=-1, keepdims=True))
    assert 20 * np.log10(error.max()) < -25.0
    sides, center = ears(finished, BAND_HZ)
    turn = center * sides.sum(axis=1).conj()
    assert np.abs(np.sum(turn)) / np.sum(np.abs(turn)) > 0.98


def test_mono_is_flat_from_all_drivers_whatever_they_play_in_plain_stereo(finished):
    """Two drivers a side together have a comb of 11 dB to either side of its middle."""
    if not finished.device.can_beam:
        pytest.skip("a pair plays the centre as both sides")
    ripple_db = center_ripple_db(finished)
    assert ripple_db["processed"] < 1.0
    if finished.device.name == "In pairs":
        assert ripple_db["plain"] > 8.0


def test_centre_and_sides_are_in_balance_with_a_pair(finished):
    """Plain stereo is out by up to 1.3 LU and 20 dB in a third octave."""
    found = balance_of(finished)["processed"]
    assert found.worst_lu < 1.0
    assert found.worst_third_db < 3.0


@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize(("cue", "most_deg"), [("time", 2.5), ("level", 6.0)])
def test_panned_sounds_are_heard_where_a_pair_puts_them(finished, taken, cue, most_deg):
    listener = finished.device.listener
    localiser = Localiser.of(listener.head, distance_m=listener.distance_m)
    grid = TIME_HZ if cue == "time" else LEVEL_HZ
    sides, center = ears(finished, grid)
    gains = pan_gains(PANS)
    mid = taken * gains.mean(axis=0)
    heard = np.einsum("ecf,cp->epf", sides, gains - mid) + center[:, None] * mid[:, None]
    wanted = np.einsum("ecf,cp->epf", pair_ears(listener, grid), gains)
    azimuth_deg = getattr(localiser, f"{cue}_azimuth_deg")
    np.testing.assert_allclose(azimuth_deg(heard), azimuth_deg(wanted), atol=most_deg)


def random_rows(seed, *, drivers=3, bins=50):
    random = np.random.default_rng(seed)
    return random.standard_normal((2, drivers, bins)) + 1j * random.standard_normal((2, drivers, bins))


def test_beam_keeps_its_ratios_where_both_ears_hear_it_alike():
    rows = random_rows(1)
    rows[1] = rows[0][[1, 0, 2]]
    beam, sides = (np.stack([each, each, other]) for each, other in random_rows(2, drivers=2))
    sides *= 0.1  # well below the most gain
    weights = phantom_weights(rows, beam, sides)
    np.testing.assert_allclose(weights / weights[2], beam / beam[2], rtol=1e-9)
    np.testing.assert_allclose(np.einsum("edf,df->ef", rows, weights), np.einsum("edf,df->ef", rows, sides), rtol=1e-6)


def test_unlike_ears_are_both_served_with_little_loading():
    rows, (beam, sides) = random_rows(3), random_rows(4)
    reached = np.einsum("edf,df->ef", rows, phantom_weights(rows, beam, 0.1 * sides))
    wanted = np.einsum("edf,df->ef", rows, 0.1 * sides)
    flat = np.einsum("edf,df->ef", rows, beam)
    gain = np.sum(flat.conj() * wanted, axis=0) / np.sum(np.abs(flat) ** 2, axis=0)
    missed = np.median(np.abs(reached - wanted))
    assert missed < 0.3 * np.median(np.abs(gain * flat - wanted))


def test_a_beam_that_hardly_arrives_is_not_forced():
    rows = 1e-3 * random_rows(5)
    sides = 1e3 * np.ones((3, 50), complex)
    assert np.abs(phantom_weights(rows, np.ones((3, 50), complex), sides)).max() < 4.01


@pytest.mark.parametrize(("gain", "short_db"), [(1.0, None), (0.75, None), (0.5, 6.0)])
def test_a_centre_that_stays_behind_the_sides_is_told(gain, short_db):
    """A real pair whose centre is turned down; up to 3 dB are within the balance."""
    angle, distance_m = np.deg2rad(30.0), 2.0
    device = pair(x_m=distance_m * (1 - np.cos(angle)), y_m=distance_m * np.sin(angle), distance_m=distance_m)
    impulse = gain * np.eye(16)[[8, 8]]
    falls = list(
        balance_shortfalls(stub_design(device, phantom=impulse, crosstalk=np.zeros((2, 16))), sample_rate=48_000)
    )
    assert [fall.figure for fall in falls] == ([] if short_db is None else ["centre level against the sides"])
    for fall in falls:
        assert fall.short_db == pytest.approx(short_db, abs=0.1)
        assert (fall.low_hz, fall.high_hz) == pytest.approx((100.0, 12_700.0), rel=0.02)
