"""Directivity, drive and colour against closed forms."""

import numpy as np
import pytest

from forestage import load_device
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Body, Driver
from forestage.acoustics.seat import Listener
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.firs import response_of
from forestage.metrics import colour, depth, effort
from forestage.metrics.bands import octave_means
from places import DEVICES
from stub_design import SAMPLE_RATE, pair, shipped, stub_design

FREQUENCY_HZ = np.array([250.0, 700.0, 1500.0, 4000.0, 6000.0])


@pytest.mark.parametrize("spacing_m", [0.02, 0.2, 0.9])
@pytest.mark.parametrize("sign", [1.0, -0.4])
def test_directivity_index_of_two_points_is_the_closed_form(spacing_m, sign):
    """|p|^2 on axis (1 + g)^2, on average 1 + g^2 + 2 g sin(kd)/(kd)."""
    device = pair(y_m=spacing_m / 2, distance_m=2.0)
    filters = np.array([[1.0], [sign]]) * np.ones(len(FREQUENCY_HZ))
    kd = 2 * np.pi * FREQUENCY_HZ * spacing_m / SPEED_OF_SOUND_M_S
    expected = 10 * np.log10((1 + sign) ** 2 / (1 + sign**2 + 2 * sign * np.sin(kd) / kd))
    found = depth.directivity_index_db(device, filters, FREQUENCY_HZ)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_directivity_index_knows_up_and_down():
    """A pair above each other has the index of the same pair side by side."""
    drivers = (Driver("l", "left", (0.0, 0.001, 0.1)), Driver("r", "right", (0.0, -0.001, -0.1)))
    upright, lying = Device("Upright", drivers, Listener(2.0)), pair(y_m=0.1, distance_m=2.0)
    filters = np.ones((2, len(FREQUENCY_HZ)))
    found, expected = (depth.directivity_index_db(device, filters, FREQUENCY_HZ) for device in (upright, lying))
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_directivity_index_of_a_cap_on_a_body_is_the_power_that_leaves_it():
    """Independent of the far field: the real part of pressure times velocity over the sphere, order by order."""
    from scipy.special import eval_legendre, spherical_jn, spherical_yn

    drivers = (
        Driver("left", "left", azimuth_deg=90.0, cap_half_angle_deg=16.0),
        Driver("right", "right", azimuth_deg=-90.0, cap_half_angle_deg=16.0),
        Driver("front", "center", azimuth_deg=0.0, cap_half_angle_deg=16.0),
    )
    device = Device("Ball", drivers, Listener(2.0), body=Body(0.09))
    filters = np.array([[0.0], [0.0], [1.0]]) * np.ones(len(FREQUENCY_HZ))
    order = np.arange(40)
    cosine = np.cos(np.deg2rad(16.0))
    velocity = (
        np.array([1 - cosine, *(eval_legendre(m - 1, cosine) - eval_legendre(m + 1, cosine) for m in order[1:])]) / 2
    )
    expected = []
    for hz in FREQUENCY_HZ:
        ka = 2 * np.pi * hz * 0.09 / SPEED_OF_SOUND_M_S
        slope = spherical_jn(order, ka, True) - 1j * spherical_yn(order, ka, True)
        amplitudes = velocity / slope  # of h_m(kr) -> j^(m+1) e^(-jkr)/(kr)
        axis = np.abs(np.sum(amplitudes * 1j ** (order + 1))) ** 2
        expected.append(10 * np.log10(axis / np.sum(np.abs(amplitudes) ** 2 / (2 * order + 1))))
    found = depth.directivity_index_db(device, filters, FREQUENCY_HZ)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_critical_distance_is_where_sabine_says():
    """Direct energy Q / (4 pi r^2) equals 4 / A with A = 0.161 V / RT60."""
    absorption = 0.161 * 80.0 / 0.6
    quotient = 10 ** (4.5 / 10)
    expected = np.sqrt(quotient * absorption / (16 * np.pi))
    assert depth.critical_distance_m(4.5, Listener(2.0, room_m3=80.0, room_rt60_s=0.6)) == pytest.approx(
        expected, rel=0.01
    )


def test_beam_carries_further_than_the_plain_mix():
    """By itself; what is heard in a room gives of it, so that the centre does not stand in front of the sides."""
    filters = shipped("smart-speaker").filter_set()
    aligned = (filters.cancel_align_frames, filters.beam_align_frames)
    device = load_device(DEVICES / "smart-speaker.toml")
    alone = stub_design(
        device, cancel=filters.cancel, beam=filters.beam, delay_frames=filters.delay_frames, align_frames=aligned
    )
    found = depth.center_depth(alone)
    plain, beam = found["plain"], found["processed"]
    assert (beam["directivity_index_db"] > plain["directivity_index_db"]).all()
    np.testing.assert_allclose(
        beam["critical_distance_m"] / plain["critical_distance_m"],
        10 ** ((beam["directivity_index_db"] - plain["directivity_index_db"]) / 20),
        rtol=1e-9,
    )


def test_drive_of_plain_stereo_is_0_db():
    found = effort.drive(stub_design(pair()))
    np.testing.assert_allclose(found["cancelled"], 0.0, atol=1e-9)


def test_drive_of_two_drivers_is_the_closed_form():
    """(1 + |w|^2) |G_near|^2 / |G_near + w G_far|^2."""
    design = stub_design(pair(y_m=0.15, distance_m=0.8))
    frequency = np.array([300.0, 1000.0, 3000.0])
    w = np.array([-0.5, 0.3j, -0.2 + 0.1j])
    filters = np.stack([np.stack([np.ones(3), w]), np.stack([w, np.ones(3)])])
    response = design.plant.at(frequency)
    near, far = response[0, 0], response[0, 1]
    expected = 10 * np.log10((1 + np.abs(w) ** 2) * np.abs(near / (near + w * far)) ** 2)
    np.testing.assert_allclose(effort.effort_db(design.plant, filters, frequency), [expected, expected], atol=1e-6)


def test_near_ear_ripple_of_a_comb_is_its_depth():
    """A filter 1 + 0.25 z^-24 ripples between 1.25 and 0.75; smoothing leaves that in the lower octaves."""
    comb = np.zeros((2, 2, 64))
    comb[[0, 1], [0, 1], 8] = 1.0
    comb[[0, 1], [0, 1], 32] = 0.25
    real_pair = pair(y_m=np.sin(np.pi / 6), x_m=1.0 - np.cos(np.pi / 6))  # what near ears are held against
    ripple = colour.near_ear_ripple_db(stub_design(real_pair, cancel=comb))["cancelled"]
    assert ripple == pytest.approx(10 * np.log10(1.25 / 0.75), abs=0.15)


def test_centre_ripple_is_that_of_the_pressure_on_axis():
    design = shipped("smart-speaker")
    ripple = colour.center_ripple_db(design)
    assert ripple["processed"] < 1.0 < ripple["plain"]
    flat = colour.center_ripple_db(stub_design(pair()))
    assert flat["plain"] == pytest.approx(0.0, abs=1e-6)
    assert flat["processed"] == flat["plain"]


def test_drive_per_octave_is_of_the_exported_filters():
    """The mean of the curve that anyone gets from the taps."""
    design = shipped("laptop")
    filters = design.filter_set()
    response = response_of(filters.cancel, effort.FREQUENCY_HZ, sample_rate=SAMPLE_RATE)
    expected = octave_means(effort.FREQUENCY_HZ, effort.effort_db(design.plant, response, effort.FREQUENCY_HZ)[0])
    found = octave_means(effort.FREQUENCY_HZ, effort.drive(design)["cancelled"])
    np.testing.assert_allclose(found, expected, atol=0.01)  # the device is symmetric
