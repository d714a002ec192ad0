"""What reaches a listener in a room."""

from dataclasses import replace

import numpy as np
import pytest

from forestage.acoustics.seat import Listener
from forestage.metrics.in_room import in_room
from stub_design import pair, stub_design


@pytest.fixture(scope="module")
def found():
    """Of a device that is the reference pair itself, at 2 m and +-30 degrees."""
    angle, distance_m = np.deg2rad(30.0), 2.0
    device = pair(x_m=distance_m * (1 - np.cos(angle)), y_m=distance_m * np.sin(angle), distance_m=distance_m)
    return in_room(stub_design(device))


@pytest.mark.slow
def test_real_pair_is_the_reference(found):
    for figure, versions in found.items():
        np.testing.assert_allclose(versions["plain"], versions["reference"], atol=0.05, err_msg=figure)


@pytest.mark.slow
def test_real_pair_is_heard_where_it_is(found):
    """By the times of the first sound; levels are pulled in by what comes from everywhere."""
    assert found["azimuth_by_time_deg"]["plain"] == pytest.approx(30.0, abs=4.0)
    assert 20.0 < found["azimuth_by_level_deg"]["plain"] < 35.0


@pytest.mark.slow
def test_direct_over_reverberant_sound_is_what_sabine_expects(found):
    """Of a point source 2 m away in 53 m3 that reverberate for 0.4 s above 1 kHz, within 2 dB."""
    expected_db = 20 * np.log10(Listener(2.0, room_m3=53.3, room_rt60_s=0.42).omni_critical_m / 2.0)
    np.testing.assert_allclose(found["direct_over_reverberant_db"]["plain"][2:], expected_db, atol=2.0)


@pytest.mark.slow
def test_twice_as_near_is_six_decibels_nearer(found):
    device = pair(y_m=1.0, distance_m=1.732)
    near = in_room(stub_design(replace(device, listener=Listener(0.5))))
    far = found["direct_over_reverberant_db"]["plain"]
    assert np.all(np.asarray(near["direct_over_reverberant_db"]["reference"]) > np.asarray(far) + 9.0)


def test_listener_beyond_the_wall_has_no_figures():
    assert in_room(stub_design(pair(distance_m=9.0))) is None
