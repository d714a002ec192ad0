"""Do equalisers make drivers alike, and crossovers add up, as filters at every rate and in the plant?"""

from dataclasses import replace

import numpy as np
import pytest

from forestage.acoustics.crossover import crossover
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.driver_response import driver_responses, feed_responses
from forestage.acoustics.plant import directivity, plant
from forestage.acoustics.seat import Listener
from forestage.design.driver_eq import driver_eq_firs
from forestage.design.ears import ear_firs
from forestage.design.filters import SAMPLE_RATES
from forestage.firs import response_of

FREQUENCY_HZ = np.geomspace(50.0, 16_000.0, 120)
MID = Driver("left", "left", (0.0, 0.1, 0.0), low_hz=250.0, high_hz=3500.0)
TWEETER = Driver("tweeter", "both", (0.0, 0.0, 0.1), low_hz=3500.0)
WOOFER = Driver("woofer", "both", (0.0, 0.0, -0.1), high_hz=250.0)
RIGHT = Driver("right", "right", (0.0, -0.1, 0.0), low_hz=250.0, high_hz=3500.0)
THREE_WAYS = Device("Three Ways", (MID, RIGHT, TWEETER, WOOFER), Listener(1.0))
LEFT_AND_RIGHT = (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (0.0, -0.1, 0.0)))


def pair(**left) -> Device:
    """Two points, the left one changed."""
    return Device("Pair", (replace(LEFT_AND_RIGHT[0], **left), LEFT_AND_RIGHT[1]), Listener(1.0))


def level_db(response) -> np.ndarray:
    return 20 * np.log10(np.abs(response))


def equalised(device: Device, *, sample_rate: int) -> np.ndarray:
    """Equaliser filters times the drivers that they drive, (drivers, n)."""
    filters = response_of(driver_eq_firs(device, sample_rate=sample_rate), FREQUENCY_HZ, sample_rate=sample_rate)
    return filters * driver_responses(device, FREQUENCY_HZ)


def test_crossovers_are_6_db_down_at_their_edges_and_24_db_an_octave_beyond():
    np.testing.assert_allclose(level_db(crossover(MID, [250.0, 3500.0])), -6.02, atol=0.01)
    np.testing.assert_allclose(level_db(crossover(WOOFER, [1000.0, 2000.0])), [-48.2, -72.25], atol=0.05)
    np.testing.assert_allclose(level_db(crossover(MID, [900.0])), 0.0, atol=0.1)


def test_neighbours_add_up_to_an_all_pass():
    total = crossover(WOOFER, FREQUENCY_HZ) + crossover(replace(MID, high_hz=None), FREQUENCY_HZ)
    np.testing.assert_allclose(np.abs(total), 1.0, atol=1e-12)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_exported_neighbours_add_up_flat_too(sample_rate):
    """Within what 8 ms of taps leave of a fourth-order filter at 250 Hz."""
    mid, _, tweeter, woofer = equalised(THREE_WAYS, sample_rate=sample_rate)
    np.testing.assert_allclose(level_db(mid + tweeter + woofer), 0.0, atol=0.1)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_exported_crossovers_are_those_of_the_plant(sample_rate):
    filters = equalised(THREE_WAYS, sample_rate=sample_rate)
    expected = feed_responses(THREE_WAYS, FREQUENCY_HZ)
    loud = np.abs(expected) > 0.2
    # Digital filters bend towards half the sample rate.
    assert np.abs(level_db(filters / expected))[loud].max() < 1.0
    assert np.abs(level_db(filters / expected))[loud & (FREQUENCY_HZ < 3000.0)].max() < 0.3
    assert level_db(filters[np.abs(expected) < 0.001]).max() < -45.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
@pytest.mark.parametrize("delay_ms", [0.013, 0.5, 2.5, -1.1])
def test_late_driver_makes_the_other_wait_for_it(sample_rate, delay_ms):
    left, right = equalised(pair(delay_ms=delay_ms), sample_rate=sample_rate)
    slope_s = np.polyfit(2 * np.pi * FREQUENCY_HZ, np.unwrap(np.angle(left / right)), 1)[0]
    assert abs(slope_s) < 0.1e-6
    np.testing.assert_allclose(level_db(np.stack([left, right])), 0.0, atol=0.05)


def test_level_and_polarity_are_made_up_for():
    device = pair(level_db=-5.0, inverted=True)
    filters = driver_eq_firs(device, sample_rate=48_000)
    assert filters[0, 0] == pytest.approx(-(10 ** (5.0 / 20)))
    left, right = equalised(device, sample_rate=48_000)
    np.testing.assert_allclose(left, right, atol=1e-6)


def test_plant_is_that_of_equalised_drivers():
    changed = pair(level_db=-5.0, inverted=True, delay_ms=0.7, response_db=((100.0, -6.0), (1000.0, 3.0)))
    np.testing.assert_allclose(plant(changed).response, plant(pair()).response, rtol=1e-9)


def test_what_equalisers_leave_is_in_the_plant_and_the_directivity():
    deep = pair(response_db=((2000.0, 0.0), (3000.0, -30.0)))
    frequency = np.array([500.0, 8000.0])
    left = plant(deep).at(frequency)[0, 0] / plant(pair()).at(frequency)[0, 0]
    np.testing.assert_allclose(level_db(left), [0.0, -18.0], atol=0.2)
    beside = directivity(deep, frequency, [0.0])[0, 0] / directivity(pair(), frequency, [0.0])[0, 0]
    np.testing.assert_allclose(beside, left, rtol=1e-6)


def test_plant_is_geometry_times_crossovers_also_between_its_grid():
    open_device = replace(
        THREE_WAYS, drivers=tuple(replace(driver, low_hz=None, high_hz=None) for driver in THREE_WAYS.drivers)
    )
    frequency = np.geomspace(60.0, 12_000.0, 97)
    expected = plant(open_device).at(frequency) * feed_responses(THREE_WAYS, frequency)
    for step_hz in (100.0, 500.0):
        error = np.abs(plant(THREE_WAYS, step_hz=step_hz).at(frequency) - expected)
        assert error.max() < 2e-3 * np.abs(expected).max()


@pytest.mark.parametrize("device", [THREE_WAYS, pair(delay_ms=0.613, inverted=True), pair(level_db=6.0)])
def test_left_channel_in_plain_stereo_peaks_at_the_left_ear_at_the_stated_frame(device):
    """Driver feeds come from equalisers, whose delays the ear responses must take into account."""
    ears = ear_firs(device)
    firs = ears.device[0]
    equalisers = driver_eq_firs(device, sample_rate=48_000)
    gains = device.plain_gains[:, 0]
    heard = sum(
        gain * np.convolve(ear, equaliser) for gain, ear, equaliser in zip(gains, firs, equalisers, strict=True)
    )
    assert np.argmax(np.abs(heard)) == ears.delay_frames
    # Whole, to the earliest of the drivers
    assert np.abs(firs[:, [0, -1]]).max() < 1e-3 * np.abs(firs).max()
    level = np.abs(response_of(heard, [200.0], sample_rate=48_000))
    assert level_db(level[0]) == pytest.approx(0.0, abs=0.3)


def test_headphones_reach_one_ear_each():
    capsules = (Driver("l", "left", ear="left"), Driver("r", "right", ear="right"))
    headphones = Device("Headphones", capsules, Listener(2.0))
    response = plant(headphones).at([100.0, 1000.0])
    np.testing.assert_allclose(response, np.eye(2)[..., None].repeat(2, axis=-1))
    assert len(driver_eq_firs(headphones, sample_rate=48_000)) == 0
    with pytest.raises(ValueError, match='device "Headphones": headphones have no directivity'):
        directivity(headphones, [1000.0], [0.0])


def test_reference_is_the_given_driver_else_the_widest_then_the_outermost():
    inner = Driver("inner", "left", (0.0, 0.1, 0.0))
    outer = Driver("outer", "left", (0.0, 0.3, 0.0))
    narrow = Driver("narrow", "left", (0.0, 0.5, 0.0), low_hz=3000.0)
    right = Driver("right", "right", (0.0, -0.3, 0.0))
    bar = Device("Bar", (narrow, inner, right, outer), Listener(2.0))
    assert bar.references == [3, 2]
    named = replace(bar, drivers=(narrow, replace(inner, is_reference=True), right, outer))
    assert named.references == [1, 2]
    np.testing.assert_array_equal(bar.plain_gains, [[1, 0], [1, 0], [0, 1], [1, 0]])
    np.testing.assert_array_equal(THREE_WAYS.plain_gains, [[1, 0], [0, 1], [1, 1], [1, 1]])
