"""How far a driver goes, against Small's closed box and the efficiency that data sheets state."""

from dataclasses import replace

import numpy as np
import pytest

from forestage.acoustics.device_file import device_table, load_device, parse_device
from forestage.acoustics.driver_response import inverse_db, limit_db, room_db
from forestage.acoustics.thiele_small import ThieleSmall
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.design.cancel import CancelTarget
from forestage.design.designer import design
from forestage.design.driver_eq import driver_eq_firs
from forestage.design.zone import Zone
from places import DEVICES
from signals import db, transfer

SHEET = {"fs_hz": 90.0, "re_ohm": 3.4, "qts": 0.45, "vas_l": 1.4, "sd_cm2": 32.0}
PLAYED = {"volts": 9.0, "xmax_mm": 1.8}
DRIVER = ThieleSmall(**SHEET, **PLAYED)


def test_diaphragm_moves_as_far_as_the_efficiency_of_the_driver_needs():
    """Far above resonance: pressure of a piston in a wall against eta0 = 4 pi^2 fs^3 Vas / (c^3 Qes), Small 1972."""
    density, turn = 1.204, 2 * np.pi * 2000.0
    moved_m = DRIVER.excursion_mm(2000.0) / 1000.0
    pressure_rms = density * 32e-4 * turn**2 * moved_m / (2 * np.pi) / np.sqrt(2.0)
    heard_w = pressure_rms**2 * 2 * np.pi / (density * SPEED_OF_SOUND_M_S)
    efficiency = 4 * np.pi**2 * 90.0**3 * 1.4e-3 / (SPEED_OF_SOUND_M_S**3 * 0.45)
    assert db(heard_w / (efficiency * (9.0**2 / 2) / 3.4)) / 2 == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("box_l", [None, 0.7])
def test_excursion_falls_as_that_of_a_resonance_of_second_order(box_l):
    driver = replace(DRIVER, box_l=box_l)
    stiffer = np.sqrt(1.0 + (0.0 if box_l is None else 1.4 / box_l))
    resonance_hz, q = 90.0 * stiffer, 0.45 * stiffer
    frequency = np.geomspace(20.0, 1000.0, 30)
    ratio = frequency / resonance_hz
    shape = 1.0 / np.sqrt((1.0 - ratio**2) ** 2 + (ratio / q) ** 2)
    np.testing.assert_allclose(driver.excursion_mm(frequency) / driver.excursion_mm(1e-3), shape, rtol=1e-6)
    still = DRIVER.excursion_mm(1e-3) / stiffer**2
    assert driver.excursion_mm(1e-3) == pytest.approx(still)


def test_mass_and_force_tell_the_same_driver_as_volume_and_quality():
    stiffness = 1.204 * SPEED_OF_SOUND_M_S**2 * 32e-4**2 / 1.4e-3
    mass = stiffness / (2 * np.pi * 90.0) ** 2
    electric = 0.45 * 4.0 / (4.0 - 0.45)
    force = np.sqrt(2 * np.pi * 90.0 * mass * 3.4 / electric)
    by_mass = ThieleSmall(**PLAYED, fs_hz=90.0, re_ohm=3.4, mms_g=1000 * mass, bl_tm=force, qms=4.0)
    frequency = [10.0, 90.0, 300.0]
    np.testing.assert_allclose(by_mass.most_db(frequency), replace(DRIVER, qms=4.0).most_db(frequency), atol=1e-9)
    # Without the mechanical part excursion is overestimated, by little
    over_db = replace(DRIVER, qms=4.0).most_db(frequency) - DRIVER.most_db(frequency)
    assert np.all((over_db > 0.0) & (over_db < 1.0))


def test_limit_is_what_excursion_voltage_and_max_db_leave():
    bears = replace(DRIVER, most_volts=18.0)
    frequency = np.array([20.0, 60.0, 1000.0])
    np.testing.assert_allclose(bears.most_db(frequency)[2], db(2.0))
    np.testing.assert_allclose(bears.most_db(frequency)[:2], db(1.8 / bears.excursion_mm(frequency[:2])))
    driver = replace(load_device("laptop").drivers[0], thiele_small=bears, max_db=((20.0, 0.0), (1000.0, 3.0)))
    np.testing.assert_allclose(
        limit_db(driver, frequency), np.minimum(bears.most_db(frequency), [0.0, 0.84, 3.0]), atol=0.01
    )
    np.testing.assert_allclose(room_db(driver, frequency), limit_db(driver, frequency) - inverse_db(driver, frequency))


def test_a_crossover_spares_a_driver_its_excursion():
    driver = replace(load_device("laptop").drivers[0], thiele_small=DRIVER, low_hz=200.0)
    np.testing.assert_allclose(
        limit_db(driver, [200.0, 2000.0]), DRIVER.most_db([200.0, 2000.0]) + [6.02, 0.0], atol=0.02
    )
    assert limit_db(driver, [50.0])[0] == pytest.approx(DRIVER.most_db(50.0) + 48.2, abs=0.1)


def limited_laptop():
    device = load_device(DEVICES / "laptop.toml")
    hot = replace(DRIVER, volts=30.0)
    return replace(device, drivers=tuple(replace(each, thiele_small=hot) for each in device.drivers))


def test_driver_is_spared_its_excursion_by_its_equaliser_and_by_the_design():
    device = limited_laptop()
    most_db = device.drivers[0].thiele_small.most_db([30.0, 60.0])
    assert most_db.max() < -8.0
    eq = driver_eq_firs(device, sample_rate=48_000)
    np.testing.assert_allclose(db(transfer(eq, [30.0, 60.0], 48_000))[0], most_db, atol=0.5)
    target = CancelTarget(zone=Zone(yaw_deg=0.0, head_radii_m=())).in_free_field()
    made = design(device, target=target, sample_rates=[48_000], render=None)
    frequency = np.geomspace(40.0, 300.0, 40)
    fed = db(transfer(made.filter_set().cancel, frequency, 48_000)) + db(transfer(eq, frequency, 48_000))[:, None]
    free = design(load_device(DEVICES / "laptop.toml"), target=target, sample_rates=[48_000], render=None)
    over_db = fed - limit_db(device.drivers[0], frequency)
    assert over_db.max() < 0.7
    unspared_db = db(transfer(free.filter_set().cancel, frequency, 48_000)) - limit_db(device.drivers[0], frequency)
    assert unspared_db.max() > 6.0


def test_parameters_are_kept_in_device_files():
    device = limited_laptop()
    again = parse_device(device_table(device))
    assert again.drivers[0].thiele_small == device.drivers[0].thiele_small
    assert "box_l" not in device_table(device)["driver"][0]["thiele_small"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"xmax_mm": 0.0}, r"driver\[0\]\.thiele_small\.xmax_mm = 0\.0: must be within 0\.01\.\.100"),
        ({"volts": None}, r"driver\[0\]\.thiele_small\.volts is missing: must be a number"),
        ({"xmax_mm": None}, r"driver\[0\]\.thiele_small\.xmax_mm is missing: must be a number"),
        ({"fs": 90.0}, r"driver\[0\]\.thiele_small\.fs = 90\.0: unknown key; allowed: volts, xmax_mm, fs_hz"),
        ({"vas_l": None}, r"thiele_small\.qts, sd_cm2: must be either qts, vas_l, sd_cm2 or mms_g, bl_tm"),
        ({"mms_g": 3.0, "bl_tm": 4.0}, r"qts, vas_l, sd_cm2, mms_g, bl_tm: must be either"),
        ({"qms": 0.4}, r"thiele_small\.qms = 0\.4: must be above qts = 0\.45"),
        (
            {"qts": None, "vas_l": None, "sd_cm2": None, "mms_g": 3.0, "bl_tm": 4.0, "box_l": 1.0},
            r"box_l = 1\.0: needs",
        ),
    ],
)
def test_parameters_that_cannot_be_right_are_refused_by_name(changes, message):
    table = device_table(load_device("laptop"))
    told = {**SHEET, **PLAYED, **changes}
    table["driver"][0]["thiele_small"] = {key: value for key, value in told.items() if value is not None}
    with pytest.raises(ValueError, match=message):
        parse_device(table)


@pytest.mark.parametrize("value", [3.0, [1, 2], "2 mm"])
def test_parameters_are_a_table(value):
    table = device_table(load_device("laptop"))
    table["driver"][0]["thiele_small"] = value
    with pytest.raises(ValueError, match=r"driver\[0\]\.thiele_small = .*: must be a table"):
        parse_device(table)
