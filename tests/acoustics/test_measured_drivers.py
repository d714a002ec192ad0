"""Is a measured driver the one that was measured? Analytic ones are, in files with noise, gaps and delays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import device_table, load_device, parse_device
from forestage.acoustics.measured_driver import load_directivity
from forestage.acoustics.plant import directivity, plant
from forestage.acoustics.seat import Seat
from forestage.acoustics.sofa import MeasurementWarning
from forestage.acoustics.spherical_harmonics import fibonacci_quadrature
from measurements import directivity as directivity_file
from measurements import grid_directions, write_impulses, write_sofa
from places import DEVICES

pytestmark = pytest.mark.slow

TRUTH = load_device(DEVICES / "smart-speaker.toml")
BAND_HZ = np.geomspace(200.0, 8000.0, 60)
LEVEL_DB = (0.0, -3.0, 0.0)


def device_of(rows: list[dict], folder: Path, *, distance_m: float = 2.0) -> Device:
    return parse_device({"name": "Measured", "listener": {"distance_m": distance_m}, "driver": rows}, folder)


def row(driver, **keys) -> dict:
    return {"name": driver.name, "channel": driver.channel, "position_m": [0.0, 0.0, 0.0], **keys}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("measured")


@pytest.fixture(scope="module")
def from_sofa(folder) -> Device:
    """A grid of 7.5 degrees with two gaps: below, and behind on one side; the right driver 3 dB down."""
    directions = grid_directions(7.5, lowest_deg=-56.25)
    directions = directions[~((directions[:, 0] < -0.7) & (directions[:, 1] > 0.2))]
    rows = []
    for driver, field, level_db in zip(TRUTH.drivers, TRUTH.fields, LEVEL_DB, strict=True):
        gain = 3.0 * 10 ** (level_db / 20)
        frequency = np.arange(100.0, 10_001.0, 100.0)
        sofa = directivity_file(field, directions, azimuth_deg=driver.azimuth_deg, frequency_hz=frequency, gain=gain)
        write_sofa(folder / f"{driver.name}.sofa", sofa)
        rows.append(row(driver, azimuth_deg=driver.azimuth_deg, directivity_sofa=f"{driver.name}.sofa"))
    with pytest.warns(MeasurementWarning, match=r"a gap of \d+ degrees around azimuth -?\d+, elevation -8\d degrees"):
        return device_of(rows, folder)


@pytest.fixture(scope="module")
def from_wav(folder) -> Device:
    """Five microphones on a line across the listening area, at 44.1 and 48 kHz."""
    points = np.array([[2.0, y, 0.0] for y in (-0.3, -0.15, 0.0, 0.15, 0.3)])
    rates = (44_100, 48_000, 44_100)
    rows = [
        row(driver, impulse_responses=write_impulses(folder, driver.name, field, points, sample_rate=rate))
        for driver, field, rate in zip(TRUTH.drivers, TRUTH.fields, rates, strict=True)
    ]
    return device_of(rows, folder)


def error_db(device: Device, seat: Seat, *, added_db=(0.0, 0.0, 0.0)) -> np.ndarray:
    """Level of a measured device over the analytic one at both ears, less the common level, (2, drivers, n)."""
    ours, expected = plant(device, seat, step_hz=200.0).at(BAND_HZ), plant(TRUTH, seat, step_hz=200.0).at(BAND_HZ)
    change = 20 * np.log10(np.abs(ours / expected)) - np.array(added_db)[:, None]
    return change - np.median(change)


def turn_deg(device: Device, seat: Seat) -> np.ndarray:
    """Phase of a measured device over the analytic one, less a common delay, weighted by pressure, (2, drivers, n)."""
    ours, expected = plant(device, seat, step_hz=200.0).at(BAND_HZ), plant(TRUTH, seat, step_hz=200.0).at(BAND_HZ)
    delays = np.arange(-400e-6, 400e-6, 1e-6)
    together = np.einsum("edn,edn->n", ours, expected.conj())
    late = np.abs(np.exp(2j * np.pi * np.outer(delays, BAND_HZ)) @ (together / np.abs(together)))
    ours = ours * np.exp(2j * np.pi * BAND_HZ * delays[late.argmax()])
    return np.rad2deg(np.angle(ours / expected)) * np.abs(expected) / np.abs(expected).max(axis=(0, 1))


@pytest.mark.parametrize("seat", [Seat((2.0, 0.0, 0.0)), Seat((2.5, -0.3, 0.0), yaw_deg=20.0), Seat((1.0, 0.1, 0.1))])
def test_directivity_with_noise_gaps_and_delay_gives_the_plant_within_0_db_2(from_sofa, seat):
    assert np.abs(error_db(from_sofa, seat, added_db=LEVEL_DB)).max() < 0.2


@pytest.mark.parametrize("seat", [Seat((2.0, 0.0, 0.0)), Seat((2.0, 0.2, 0.0)), Seat((1.8, -0.1, 0.0), yaw_deg=20.0)])
def test_five_microphones_across_the_listening_area_give_the_plant_there_within_0_db_2(from_wav, seat):
    assert np.abs(error_db(from_wav, seat)).max() < 0.2


def test_delays_between_drivers_stay(from_sofa, from_wav):
    for device in (from_sofa, from_wav):
        assert np.abs(turn_deg(device, Seat((2.0, 0.0, 0.0)))).max() < 3.0


def test_loudest_driver_is_at_0_db_on_its_axis_and_levels_between_drivers_stay(from_sofa):
    band = np.geomspace(200.0, 4000.0, 100)
    levels_db = []
    for index, driver in enumerate(TRUTH.drivers):
        on_axis = directivity(from_sofa, band, [driver.azimuth_deg], distance_m=1.0)[index, 0]
        levels_db.append(np.mean(20 * np.log10(np.abs(on_axis))))
    np.testing.assert_allclose(levels_db, LEVEL_DB, atol=0.1)


def test_directivity_is_the_measured_one_all_around(from_sofa):
    azimuth = np.arange(-180.0, 180.0, 15.0)
    frequency = np.geomspace(200.0, 4000.0, 20)
    for elevation_deg in (0.0, 30.0):
        ours, expected = (
            directivity(device, frequency, azimuth, distance_m=3.0, elevation_deg=elevation_deg)
            for device in (from_sofa, TRUTH)
        )
        scale = np.median(np.abs(ours[0] / expected[0]))
        error = np.abs(np.abs(ours[0]) / scale - np.abs(expected[0])) / np.abs(expected[0]).max(axis=0)
        assert error.max() < 0.04


def test_waves_are_carried_inwards_to_where_they_come_from(folder, from_sofa):
    """Measured at 1.5 m, heard at 0.4 m, where 1/r alone is wrong by decibels."""
    azimuth, frequency = np.arange(-90.0, 91.0, 15.0), np.geomspace(200.0, 2000.0, 15)
    at_m = {device.name: directivity(device, frequency, azimuth, distance_m=0.4)[0] for device in (from_sofa, TRUTH)}
    far = directivity(TRUTH, frequency, azimuth, distance_m=1.5)[0] * 1.5 / 0.4
    level_db = {name: 20 * np.log10(np.abs(field)) for name, field in (*at_m.items(), ("1/r", far))}
    errors = [np.ptp(level_db[name] - level_db[TRUTH.name], axis=0).max() for name in ("Measured", "1/r")]
    assert errors[0] < 0.6
    assert errors[1] > 2.0


def test_measured_device_is_written_as_the_table_it_was_read_from(folder, from_sofa, from_wav):
    again = parse_device(device_table(from_wav), folder)
    assert device_table(again) == device_table(from_wav)
    np.testing.assert_array_equal(plant(again, step_hz=2000.0).response, plant(from_wav, step_hz=2000.0).response)
    left = device_table(from_sofa)["driver"][0]
    assert left == row(TRUTH.drivers[0], azimuth_deg=90.0, directivity_sofa="left.sofa")


def test_left_of_the_file_is_right_of_the_listener(folder):
    """A device looks at its listener, so that SOFA's left, positive y, is the other side."""
    frequency = np.array([1000.0, 2000.0])
    sofa = directivity_file(TRUTH.fields[0], grid_directions(15.0), azimuth_deg=0.0, frequency_hz=frequency)
    file_azimuth_deg, elevation_deg, _ = sofa.ReceiverPosition.T
    level = np.abs(sofa.Data_Real + 1j * sofa.Data_Imag)[0, :, 1] * (np.abs(elevation_deg) < 10.0)
    assert file_azimuth_deg[level.argmax()] == 270.0
    write_sofa(folder / "unturned.sofa", sofa)
    names = {"position_m": [0.0, 0.0, 0.0], "directivity_sofa": "unturned.sofa"}
    device = device_of([{"name": side, "channel": side, **names} for side in ("left", "right")], folder)
    circle = np.abs(directivity(device, frequency, [90.0, -90.0])[0])
    assert np.all(circle[0] > 1.5 * circle[1])


def test_measured_driver_is_turned_by_its_aim(from_sofa):
    left = replace(from_sofa.drivers[0], azimuth_deg=30.0, elevation_deg=20.0)
    turned = replace(from_sofa, drivers=(left, *from_sofa.drivers[1:]))
    frequency, azimuth = [500.0, 3000.0], np.arange(0.0, 360.0, 5.0)
    circles = {up: np.abs(directivity(turned, frequency, azimuth, elevation_deg=up)[0]) for up in (-20.0, 20.0)}
    assert circles[20.0].max() > circles[-20.0].max()
    assert np.all(circles[20.0].argmax(axis=0) == 6)
    straight = np.abs(directivity(from_sofa, frequency, [90.0]))[0, 0]
    np.testing.assert_allclose(circles[20.0][6], straight, rtol=1e-6)


def from_grid(folder: Path, directions: np.ndarray, *, azimuth_deg: float = 90.0) -> Path:
    """The left driver of the smart speaker as measured in some directions, 100 Hz to 12 kHz."""
    sofa = directivity_file(
        TRUTH.fields[0], directions, azimuth_deg=azimuth_deg, frequency_hz=np.arange(100.0, 12_001.0, 100.0)
    )
    return write_sofa(folder / "grid.sofa", sofa)


@pytest.mark.parametrize(("step_deg", "least_hz", "most_hz"), [(15.0, 4000.0, 6500.0), (20.0, 3000.0, 4500.0)])
def test_grid_that_is_coarse_tells_a_directivity_up_to_where_it_says(step_deg, least_hz, most_hz, folder):
    """Within 1 dB there, in the directions of a listener in front, between those of the grid; off by far above."""
    path = from_grid(folder, grid_directions(step_deg))
    with pytest.warns(MeasurementWarning, match=r"gives \d+ directions, about \d+ degrees apart, .* above, it is held"):
        driver = load_directivity(path)
    assert least_hz <= driver.highest_hz <= most_hz
    azimuth = np.deg2rad(np.arange(-30.0, 31.0, 2.5))
    room = 1.5 * np.stack([np.cos(azimuth), np.sin(azimuth), 0.05 * np.ones_like(azimuth)], axis=-1)
    own = room @ np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    trusted = np.arange(200.0, driver.highest_hz, 200.0)
    error_db = 20 * np.log10(np.abs(driver.pressure(trusted, own) / TRUTH.fields[0].field(trusted, room)))
    assert np.abs(error_db - np.median(error_db)).max() < 1.0


def test_directivity_is_held_above_what_directions_tell_and_the_power_is_kept(folder):
    path = from_grid(folder, grid_directions(15.0))
    with pytest.warns(MeasurementWarning, match="above, it is held"):
        driver = load_directivity(path)
    around = fibonacci_quadrature(300).directions
    above = np.array([driver.highest_hz, 8000.0, 12_000.0])
    pattern = np.abs(driver.pressure(above, 1.5 * around))
    np.testing.assert_allclose(
        pattern / pattern.max(axis=0), np.repeat(pattern[:, :1], 3, 1) / pattern[:, 0].max(), atol=0.05
    )
    true = np.abs(TRUTH.fields[0].field(above, 1.5 * around))
    power_db = [10 * np.log10(np.mean(of**2, axis=0)) for of in (pattern, true)]
    change_db = power_db[0] - power_db[1]
    np.testing.assert_allclose(change_db, change_db[0], atol=0.7)


def test_grid_that_tells_next_to_nothing_is_refused(folder):
    with pytest.raises(ValueError, match=r"ReceiverPosition gives 18 directions, .*: must be close enough for 1000 Hz"):
        load_directivity(from_grid(folder, grid_directions(60.0)))


@pytest.mark.parametrize("where", ["front", "back"])
def test_gap_is_refused_where_the_listener_is_and_said_elsewhere(where, folder):
    """Half a sphere, of a driver that aims at its listener."""
    directions = grid_directions(6.0)
    kept = directions[:, 0] > 0.0 if where == "front" else directions[:, 0] < 0.0
    from_grid(folder, directions[kept], azimuth_deg=0.0)
    names = {"position_m": [0.0, 0.0, 0.0], "directivity_sofa": "grid.sofa"}
    rows = [{"name": side, "channel": side, **names} for side in ("left", "right")]
    if where == "front":
        with (
            pytest.warns(MeasurementWarning, match="above, it is held"),
            pytest.warns(MeasurementWarning, match=r"leaves a gap of 1\d\d degrees around azimuth -?1[678]\d"),
        ):
            assert device_of(rows, folder).drivers[0].directivity.highest_hz > 6000.0
        return
    with (
        pytest.warns(MeasurementWarning),
        pytest.raises(ValueError, match=r"driver\[0\]\.directivity_sofa: leaves a gap of 1\d\d degrees around the lis"),
    ):
        device_of(rows, folder)
