"""Bass that a driver leaves goes to drivers that can play it, in plant, filters and figures, or is said to be out."""

from dataclasses import replace

import numpy as np
import pytest

from forestage.acoustics.crossover import bass_routes, high_passes_hz
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.driver_response import to_drivers
from forestage.acoustics.plant import directivity, mean_power, plant
from forestage.acoustics.seat import Listener
from forestage.design.cancel import CancelTarget
from forestage.design.designer import design
from forestage.design.driver_eq import bass_firs, driver_eq_firs
from forestage.design.ears import ear_firs
from forestage.design.filters import SAMPLE_RATES
from forestage.design.zone import Zone
from forestage.metrics.chain import Chain
from kinds import first_fast
from signals import complex_normal, db, transfer

EDGE_HZ = 150.0
LEFT = Driver("left", "left", (0.0, 0.3, 0.0), low_hz=EDGE_HZ)
RIGHT = Driver("right", "right", (0.0, -0.3, 0.0), low_hz=EDGE_HZ)
MIDDLE = Driver("middle", "center", (0.0, 0.0, -0.1))
BAR = Device("Bar", (LEFT, RIGHT, MIDDLE), Listener(2.0))
BASS_HZ = np.geomspace(25.0, 900.0, 60)


def bar(**sides):
    """The bar with other sides."""
    return replace(BAR, drivers=(*(replace(side, **sides) for side in (LEFT, RIGHT)), MIDDLE))


FULL = bar(low_hz=None)
LEFT_OUT = bar(bass_to=())


def all_pass(frequency_hz):
    s = 1j * np.asarray(frequency_hz) / EDGE_HZ
    return (1.0 - np.sqrt(2.0) * s + s**2) / (1.0 + np.sqrt(2.0) * s + s**2)


def test_bass_reaches_the_seat_as_loud_and_as_late_as_if_the_side_played_it():
    """Within what 30 cm between the drivers do to two ears in the bass."""
    ours, theirs = (plant(device).at(BASS_HZ)[:, :2] for device in (BAR, FULL))
    delay_s = plant(BAR).delay_s - plant(FULL).delay_s
    error = ours / theirs / all_pass(BASS_HZ) * np.exp(-2j * np.pi * BASS_HZ * delay_s)
    assert np.abs(db(error)).max() < 0.4
    assert np.abs(np.angle(error, deg=True)).max() < 6.0
    lost = plant(LEFT_OUT).at(BASS_HZ)[:, :2] / plant(FULL).at(BASS_HZ)[:, :2]
    assert db(lost)[..., BASS_HZ < EDGE_HZ / 2].max() < -24.0


def test_sides_leave_their_bass_alike():
    left, right = (plant(BAR).at(BASS_HZ)[[side, 1 - side], side] for side in (0, 1))
    np.testing.assert_allclose(left, right, rtol=1e-9)


def test_drivers_whose_bass_is_played_elsewhere_stay_in_phase_with_all_others():
    together = plant(BAR).at(BASS_HZ) @ np.eye(len(BASS_HZ))
    alone = plant(FULL).at(BASS_HZ)[:, 2] * np.exp(2j * np.pi * BASS_HZ * (plant(BAR).delay_s - plant(FULL).delay_s))
    np.testing.assert_allclose(together[:, 2], alone * all_pass(BASS_HZ), atol=1e-2 * np.abs(alone).max())


WOOFER = Driver("woofer", "both", (0.0, 0.0, -0.1), high_hz=EDGE_HZ)
SUB = Driver("sub", "center", (0.5, 1.0, -0.3), high_hz=EDGE_HZ)


@pytest.mark.parametrize(
    ("drivers", "routes", "left_out"),
    [
        ((LEFT, RIGHT, MIDDLE), [(0, 2), (1, 2)], []),
        ((LEFT, RIGHT, WOOFER), [], []),  # plain stereo plays it already
        ((LEFT, RIGHT, SUB), [(0, 2), (1, 2)], []),
        ((LEFT, RIGHT), [], ["left", "right"]),
        ((LEFT, replace(RIGHT, low_hz=None)), [(0, 1)], []),
        ((LEFT, RIGHT, replace(MIDDLE, low_hz=120.0)), [], ["left", "right"]),  # hardly deeper
        ((replace(LEFT, bass_to=()), RIGHT, MIDDLE), [(1, 2)], ["left"]),
        ((replace(LEFT, bass_to=("right",)), replace(RIGHT, low_hz=40.0), MIDDLE), [(0, 1), (1, 2)], []),
    ],
)
def test_bass_goes_to_who_can_and_is_said_to_be_left_out_where_nobody_can(drivers, routes, left_out):
    device = replace(BAR, drivers=drivers)
    assert [(route.source, route.target) for route in bass_routes(device)] == routes
    assert list(high_passes_hz(device)) == left_out


@pytest.mark.parametrize("sample_rate", first_fast(SAMPLE_RATES, 2))
@pytest.mark.parametrize("middle", [MIDDLE, replace(SUB, position_m=(0.0, 0.1, 0.0)), replace(MIDDLE, inverted=True)])
def test_exported_filters_of_a_driver_and_of_who_plays_its_bass_add_up_flat(sample_rate, middle):
    device = replace(BAR, drivers=(LEFT, RIGHT, middle))
    bass = transfer(bass_firs(device, sample_rate=sample_rate), BASS_HZ, sample_rate)
    own = transfer(driver_eq_firs(device, sample_rate=sample_rate), BASS_HZ, sample_rate)
    (gain, late_s) = next((route.gain, route.late_s) for route in bass_routes(device))
    played = bass[2, 0] / gain * np.exp(2j * np.pi * BASS_HZ * late_s) * (-1 if middle.inverted else 1)
    np.testing.assert_allclose(db(own[0] + played), 0.0, atol=0.15)
    np.testing.assert_array_equal(bass[[0, 0, 0, 1, 1, 1, 2], [0, 1, 2, 0, 1, 2, 2]], 0.0)


def test_what_is_radiated_is_that_of_the_drivers_that_play():
    """For any feeds: power, and pressure around the device."""
    frequency = np.array([60.0, 150.0, 400.0])
    feeds = complex_normal(3, 1, 3)
    drivers = to_drivers(BAR, feeds, frequency)
    bare = replace(FULL, listener=BAR.listener)
    power, of_bare = (
        np.einsum("dcf,fde,ecf->f", each.conj(), mean_power(device, frequency), each)
        for each, device in ((feeds, BAR), (drivers, bare))
    )
    np.testing.assert_allclose(power, of_bare, rtol=1e-9)
    around, of_bare = (
        np.einsum("daf,dcf->caf", directivity(device, frequency, [0.0, 70.0]), each)
        for each, device in ((feeds, BAR), (drivers, bare))
    )
    np.testing.assert_allclose(around, of_bare, rtol=1e-9)


def test_headphones_monitors_know_of_the_bass():
    """Plain stereo arrives when and as loud as ear responses say, through both drivers."""
    ears, rate = ear_firs(BAR), 48_000
    own, bass = driver_eq_firs(BAR, sample_rate=rate), bass_firs(BAR, sample_rate=rate)
    feeds = [own[0], bass[1, 0], bass[2, 0]]
    heard = sum(np.convolve(ear, feed) for ear, feed in zip(ears.device[0], feeds, strict=True))
    np.testing.assert_allclose(db(transfer(heard, [60.0, 200.0], rate)), 0.0, atol=0.5)


@pytest.mark.parametrize(("device", "is_there"), [(BAR, True), (LEFT_OUT, False)])
def test_a_design_plays_the_bass_or_says_that_it_is_left_out(device, is_there):
    target = CancelTarget(zone=Zone(yaw_deg=0.0, head_radii_m=())).in_free_field()
    made = design(device, target=target, sample_rates=[48_000], render=None)
    frequency = np.array([40.0, 70.0, 600.0])
    heard = np.einsum("edf,dcf->ecf", made.plant.at(frequency), Chain.of(made, frequency).cancelled)
    bass_db = db(heard[0, 0, :2] / heard[0, 0, 2])
    told = [str(fall) for fall in made.shortfall() if "high-pass" in str(fall)]
    routes = made.playable()["drivers"]
    metrics = made.metrics().get("bass")
    played_by = made.provenance().get("bass_played_by")
    if is_there:
        assert np.abs(bass_db).max() < 2.0
        assert not told
        assert (metrics, played_by) == (None, {"left": ["middle"], "right": ["middle"]})
        assert "bass" not in made.text
        assert not any("high_pass_hz" in row for row in routes)
    else:
        assert bass_db.max() < -15.0
        assert told == ["bass below 150 Hz of left and right is left out by a high-pass, as no other driver plays it"]
        assert (metrics, played_by) == ({"high_pass_hz": {"left": EDGE_HZ, "right": EDGE_HZ}}, None)
        assert made.text.endswith(" Without bass below 150 Hz.")
        assert [row.get("high_pass_hz") for row in routes] == [EDGE_HZ, EDGE_HZ, None]


@pytest.mark.parametrize(
    ("drivers", "message"),
    [
        ((replace(LEFT, bass_to=("front",)), RIGHT, MIDDLE), r'driver\[0\].bass_to = "front": must be one of right, m'),
        ((replace(LEFT, bass_to=("left",)), RIGHT, MIDDLE), r'driver\[0\].bass_to = "left": must be one of right, mid'),
        (
            (replace(LEFT, bass_to=("right",)), RIGHT, MIDDLE),
            r'driver\[0\].bass_to = "right": plays 150 to inf Hz; must go on from half an octave below 150 Hz',
        ),
    ],
)
def test_bass_that_nobody_could_play_is_refused(drivers, message):
    with pytest.raises(ValueError, match=message):
        replace(BAR, drivers=drivers)


def test_bass_goes_with_a_high_pass():
    with pytest.raises(ValueError, match=r"bass_to = \['middle'\]: goes with low_hz"):
        replace(LEFT, low_hz=None, bass_to=("middle",))
