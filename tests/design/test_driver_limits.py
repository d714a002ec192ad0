"""Drivers with limits of their own (max_db): their equaliser, the cancellation, and what a design says."""

from dataclasses import replace

import numpy as np
import pytest

from forestage.acoustics.device_file import load_device
from forestage.acoustics.driver_response import room_db
from forestage.acoustics.plant import plant
from forestage.design.cancel import CancelTarget, cancel_problem, solve
from forestage.design.designer import design
from forestage.design.driver_eq import driver_eq_firs
from forestage.design.filters import SAMPLE_RATES
from forestage.design.phantom import within_limits
from forestage.design.zone import Zone
from forestage.metrics.chain import Chain
from kinds import first_fast
from places import DEVICES
from signals import db, transfer

TARGET = CancelTarget(zone=Zone(yaw_deg=0.0, head_radii_m=())).in_free_field()
LIMIT = ((200.0, 3.0), (800.0, 3.0), (1000.0, 30.0))
BAND_HZ = np.geomspace(150.0, 2000.0, 60)
HEARD_HZ = np.geomspace(50.0, 16_000.0, 200)


def limited(max_db, *, name="laptop"):
    """A device whose left driver has a limit."""
    device = load_device(DEVICES / f"{name}.toml")
    left, *others = device.drivers
    return replace(device, drivers=(replace(left, max_db=max_db), *others))


def weights_db(device):
    """Levels of the weights of the left driver, shape (2 channels, n)."""
    problem = cancel_problem(device, plant(device, step_hz=100.0), BAND_HZ, target=TARGET, zone=[])
    return db(solve(problem, "minimax"))[0]


def test_no_driver_gets_more_than_its_limit_from_the_cancellation():
    open_wide, held = (weights_db(limited(points, name="smart-speaker")) for points in ((), LIMIT))
    most_db = room_db(limited(LIMIT).drivers[0], BAND_HZ)
    assert (open_wide - most_db).max() > 1.0
    assert (held - most_db).max() <= 0.01
    beyond = BAND_HZ > 1000.0
    np.testing.assert_allclose(held[:, beyond], open_wide[:, beyond], atol=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_below_0_db_the_limit_is_a_shelf_of_the_equaliser(sample_rate):
    """For plain stereo as for the design, and in front of what makes up for the driver's own response."""
    device = limited(((80.0, -9.0), (160.0, 0.0)))
    frequency = np.array([500.0, 2000.0])
    eq = driver_eq_firs(device, sample_rate=sample_rate)
    np.testing.assert_allclose(db(transfer(eq, frequency, sample_rate)), 0.0, atol=0.3)
    np.testing.assert_allclose(db(transfer(eq, [30.0, 60.0], sample_rate))[0], -9.0, atol=1.0)
    weak = replace(device.drivers[0], response_db=((80.0, -12.0), (160.0, 0.0)), max_db=((80.0, 3.0),))
    boosted = driver_eq_firs(replace(device, drivers=(weak, device.drivers[1])), sample_rate=sample_rate)
    np.testing.assert_allclose(db(transfer(boosted, [30.0, 60.0], sample_rate))[0], 3.0, atol=1.0)


def made_with(max_db, *, name="laptop", drivers=("left",)):
    """A design for a device some of whose drivers have a limit."""
    device = load_device(DEVICES / f"{name}.toml")
    held = [replace(each, max_db=max_db) if each.name in drivers else each for each in device.drivers]
    return design(replace(device, drivers=tuple(held)), target=TARGET, sample_rates=[48_000], render=None)


@pytest.mark.parametrize(
    ("name", "drivers", "max_db"),
    first_fast(
        [
            ("laptop", ("left", "right"), ((20.0, 3.0),)),
            ("smart-speaker", ("left", "right"), ((100.0, 3.0), (300.0, 3.0), (1000.0, 6.0))),
        ]
    ),
)
def test_pair_and_centre_keep_to_the_limit_of_a_driver(name, drivers, max_db):
    """Without, these ask for up to 8 dB (laptop's centre) and 6 dB (smart speaker's pair) more."""
    over_db = {}
    for points in ((), max_db):
        made = made_with(points, name=name, drivers=drivers)
        chain = Chain.of(made, HEARD_HZ)
        limit_db = room_db(replace(made.device.drivers[0], max_db=max_db), HEARD_HZ)
        feeds = [*chain.staged[0], chain.center[0], chain.flat_center[0]]
        over_db[points] = max((db(feed) - limit_db).max() for feed in feeds)
    assert over_db[()] > 3.0
    assert over_db[max_db] < 0.3  # what filters round off
    assert not [fall for fall in made.shortfall() if "max_db" in str(fall)]


def test_a_centre_that_gives_way_to_a_limit_is_told():
    """A laptop's needs up to 9 dB more than a side around 3.5 kHz, where a pair's centre is louder than its sides."""
    falls = made_with(((20.0, 3.0),), drivers=("left", "right")).shortfall()
    (fall,) = [fall for fall in falls if getattr(fall, "figure", "") == "centre level against the sides"]
    assert 2500.0 < fall.low_hz <= fall.high_hz < 5000.0
    assert 5.0 < fall.short_db < 10.0


def test_other_drivers_play_what_a_limited_one_may_not():
    random = np.random.default_rng(1)
    rows, weights = (
        random.standard_normal((*shape, 40)) + 1j * random.standard_normal((*shape, 40)) for shape in ((2, 4), (4,))
    )
    most = np.full((4, 40), np.inf)
    most[0] = 0.5 * np.abs(weights[0])
    held = within_limits(rows, weights, most)
    assert np.all(np.abs(held[0]) <= most[0] * (1 + 1e-9))
    wanted, heard = (np.einsum("edf,df->ef", rows, each) for each in (weights, held))
    missed_db = db(np.linalg.norm(heard - wanted, axis=0) / np.linalg.norm(wanted, axis=0))
    assert np.median(missed_db) < -40.0
    np.testing.assert_array_equal(within_limits(rows, weights, np.full((4, 40), 1e9)), weights)


@pytest.mark.slow
def test_a_limit_that_does_not_hold_is_said():
    def falls(max_db):
        return [str(fall) for fall in made_with(max_db).shortfall() if "max_db" in str(fall)]

    assert falls(((20.0, 20.0),)) == []
    lines = falls(((20.0, 0.0),))
    assert lines
    assert all(line.startswith("driver left is up to ") and " dB above its max_db from " in line for line in lines)
