"""Maps over the seats, and the sweet spot."""

import json
from dataclasses import replace

import numpy as np
import pytest

from forestage import _core
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Listener, Seat
from forestage.design.zone import Zone
from forestage.metrics import zone
from forestage.metrics.chain import Chain
from forestage.metrics.localisation import TIME_HZ, Localiser
from kinds import first_fast
from make_preset import make_preset
from stub_design import pair, shipped, stub_design


@pytest.fixture(scope="module")
def laptop():
    return shipped("laptop")


@pytest.fixture(scope="module")
def maps(laptop):
    return {each["name"]: each for each in zone.zone_maps(laptop)}


def grid(each):
    return np.reshape(each["values"], (len(each["distance_m"]), len(each["lateral_m"])))


@pytest.mark.parametrize("name", first_fast(["laptop", "smart-speaker"]))
@pytest.mark.parametrize(("share", "lateral_m"), [(1.0, 0.0), (1.0, 0.5), (0.5, -0.2)])
def test_quick_responses_of_a_seat_are_its_plant(name, share, lateral_m):
    device = shipped(name).device
    seat = Seat((share * device.listener.distance_m, lateral_m, 0.0))
    frequency = np.concatenate([zone.FREQUENCY_HZ, TIME_HZ])
    exact = plant(device, seat)
    expected = exact.at(frequency) * np.exp(-2j * np.pi * frequency * exact.delay_s)
    error = np.abs(zone.seat_responses(device, [seat], frequency)[0] - expected)
    assert 20 * np.log10(error.max() / np.abs(expected).mean()) < -55.0


@pytest.mark.parametrize(
    ("lateral_m", "separation_db", "expected_m"),
    [
        ([-0.3, -0.1, 0.0, 0.1, 0.3], [0.0, 6.0, 12.0, 6.0, 0.0], 0.2),
        ([-0.3, -0.1, 0.0, 0.1, 0.3], [0.0, 5.0, 5.9, 5.0, 0.0], 0.0),
        ([-0.2, 0.0, 0.2], [9.0, 9.0, 9.0], 0.4),
        ([-0.2, -0.1, 0.0, 0.1, 0.2], [12.0, 0.0, 12.0, 9.0, 3.0], 0.05 + 0.15),
        ([-0.2, 0.0, 0.2], [6.0, 6.0, 6.0], 0.4),
    ],
    ids=["tent", "below", "everywhere", "another spot", "on the line"],
)
def test_sweet_spot_is_the_stretch_around_the_seat(lateral_m, separation_db, expected_m):
    assert zone.sweet_spot_width_m(lateral_m, separation_db) == pytest.approx(expected_m)


def test_sweet_spot_of_a_distant_pair_has_the_width_that_simulation_of_single_seats_finds(laptop):
    """Bisection on the full plant of single seats instead of lines between the seats of a map."""
    filters = Chain.of(laptop, zone.FREQUENCY_HZ).cancelled

    def separation_db(y):
        response = plant(laptop.device, Seat((laptop.device.listener.distance_m, y, 0.0))).at(zone.FREQUENCY_HZ)
        return zone.seat_separation_db(response[None], filters, zone.FREQUENCY_HZ)[0]

    low, high = 0.0, 0.2
    for _ in range(12):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if separation_db(middle) >= 6.0 else (low, middle)
    assert zone.sweet_spot_m(laptop)["processed"] == pytest.approx(2 * low, abs=0.005)


def test_maps_fit_a_preset(maps):
    preset = make_preset() | {"maps": list(maps.values())}
    assert len(json.loads(_core.parse_preset(json.dumps(preset)).to_json())["maps"]) == 6


def test_map_of_a_symmetric_device_is_symmetric(maps):
    for name in ("separation_plain", "separation_processed", "center_level_plain", "center_level_processed"):
        values = grid(maps[name])
        np.testing.assert_allclose(values, values[:, ::-1], atol=0.02, err_msg=name)


def test_separation_of_the_map_at_the_seat_is_that_of_the_octaves(laptop, maps):
    from forestage.metrics.width import separation

    each = maps["separation_processed"]
    row = each["distance_m"].index(laptop.device.listener.distance_m)
    at_seat = grid(each)[row, each["lateral_m"].index(0.0)]
    assert at_seat == pytest.approx(separation(laptop)["processed"].mean(), abs=0.1)


def test_design_separates_more_than_plain_stereo_at_the_seat_and_off_it_it_does_not_turn_sides(maps):
    plain, processed = grid(maps["separation_plain"]), grid(maps["separation_processed"])
    middle = len(zone.LATERAL_M) // 2
    assert (processed[:, middle] > plain[:, middle]).all()
    assert processed.max() == processed[:, middle].max()


def test_real_pair_has_no_azimuth_error_at_any_seat():
    """Loudspeakers where the virtual ones would be: heard where they are, from wherever one listens."""
    angle, distance_m = np.deg2rad(30.0), 2.0
    device = pair(x_m=distance_m * (1 - np.cos(angle)), y_m=distance_m * np.sin(angle), distance_m=distance_m)
    found = {each["name"]: grid(each) for each in zone.zone_maps(stub_design(device))}
    # the listener's table is for sources as far away as the seat; nearer ones have slightly other times
    np.testing.assert_allclose(found["azimuth_error_plain"], 0.0, atol=1.5)


def test_point_in_the_middle_is_equally_loud_all_around():
    """Its loss over the distance is taken out; what is left is the head turning away from it, below 1.5 dB."""
    found = {each["name"]: grid(each) for each in zone.zone_maps(stub_design(pair(y_m=0.001, distance_m=2.0)))}
    level_db = found["center_level_plain"]
    assert level_db[2, len(zone.LATERAL_M) // 2] == 0.0
    assert np.abs(level_db).max() < 1.5


@pytest.mark.slow
def test_area_of_the_zone_is_the_share_of_seats_that_keep_the_image(laptop):
    """Seats by chance, each simulated by itself, against what the maps say between their places."""
    device, width_deg = laptop.device, laptop.width_deg
    distances = zone.zone_distances_m(device)
    random = np.random.default_rng(4)
    seats = [
        Seat((float(x), float(y), 0.0))
        for x, y in zip(random.uniform(distances[0], distances[-1], 400), random.uniform(-0.1, 0.1, 400), strict=True)
    ]
    responses = zone.seat_responses(device, seats, np.concatenate([zone.FREQUENCY_HZ, TIME_HZ]))
    in_octaves, in_time = np.split(responses, [len(zone.FREQUENCY_HZ)], axis=-1)
    kept = zone.seat_separation_db(in_octaves, Chain.of(laptop, zone.FREQUENCY_HZ).cancelled, zone.FREQUENCY_HZ) >= 6.0
    localiser, staged = Localiser.of(device.listener.head, distance_m=0.5), Chain.of(laptop, TIME_HZ).staged
    for channel, side in ((0, 1.0), (1, -1.0)):
        angle = np.deg2rad(width_deg)
        speaker = 0.5 * np.array([1.0 - np.cos(angle), side * np.sin(angle), 0.0])
        ahead, left, _ = np.stack([seat.in_head([speaker])[0] for seat in seats], axis=-1)
        heard_deg = localiser.time_azimuth_deg(np.einsum("sedf,df->esf", in_time, staged[:, channel]))
        kept &= np.abs(heard_deg - np.rad2deg(np.arctan2(left, ahead))) <= 10.0
    expected_cm2 = 1e4 * np.mean(kept) * 0.2 * np.ptp(distances)
    assert expected_cm2 > 100.0
    assert zone.zone_area_cm2(laptop)["processed"] == pytest.approx(expected_cm2, rel=0.2)
    assert zone.zone_area_cm2(laptop)["plain"] == 0.0


def test_distances_keep_the_head_clear_of_the_device():
    drivers = (Driver("l", "left", (0.35, 0.1, 0.0)), Driver("r", "right", (0.35, -0.1, 0.0)))
    distances = zone.zone_distances_m(Device("Deep", drivers, Listener(0.8)))
    assert distances.min() >= 0.35 + 0.0875 + zone.CLEARANCE_M
    assert 0.8 in distances


def test_maps_and_zones_leave_out_heads_that_would_sit_on_a_driver():
    """Drivers beside the listener: places there are left out, and the design still has its figures."""
    drivers = (Driver("l", "left", (0.3, 0.06, 0.05)), Driver("r", "right", (0.3, -0.06, 0.05)))
    device = Device("Near", drivers, Listener(0.4))
    assert all(device.is_clear(seat) for seat in Zone(distance_ratios=(0.7, 1.0)).seats(device))
    assert len(Zone(distance_ratios=(0.7, 1.0)).seats(device)) < len(Zone(distance_ratios=(1.0, 1.3)).seats(device))
    beside = Device(
        "Beside", tuple(replace(d, position_m=(1.0, 5 * d.position_m[1], 0.05)) for d in drivers), Listener(1.0)
    )
    lateral = zone.clear_lateral_m(beside, [1.0])
    assert 0.0 in lateral
    assert 0.3 not in lateral
    assert 0.5 in lateral
