"""Is the sound field right? Against closed forms, other formulas for the same thing, and conservation."""

import numpy as np
import pytest
from scipy.special import eval_legendre, spherical_jn, spherical_yn

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import load_device
from forestage.acoustics.driver import Body, Driver
from forestage.acoustics.driver_response import feed_responses
from forestage.acoustics.fields import Field, PointSource, ears, phasors, pressures, wave_number
from forestage.acoustics.head import Head, sphere_response
from forestage.acoustics.plant import directivity, geometry, mean_power, plant
from forestage.acoustics.seat import Listener, Seat
from forestage.acoustics.spherical_harmonics import product_quadrature, real_sh, transform
from forestage.constants import SPEED_OF_SOUND_M_S
from kinds import first_fast
from places import DEVICES


def speaker(
    *, radius_m: float = 0.09, cap_deg: float = 16.0, distance_m: float = 2.0, head: Head | None = None
) -> Device:
    drivers = (
        Driver("left", "left", azimuth_deg=90.0, cap_half_angle_deg=cap_deg),
        Driver("right", "right", azimuth_deg=-90.0, cap_half_angle_deg=cap_deg),
        Driver("front", "center", azimuth_deg=0.0, cap_half_angle_deg=cap_deg),
    )
    return Device("Speaker", drivers, Listener(distance_m, head or Head()), Body(radius_m))


def ears_at_azimuth(frequency_hz, azimuth_deg: float, *, distance_m: float) -> np.ndarray:
    angle = np.deg2rad(azimuth_deg)
    return Head().ears(frequency_hz, [[distance_m * np.cos(angle), distance_m * np.sin(angle), 0.0]])[:, 0]


def itd_s(azimuth_deg: float, frequency_hz: np.ndarray) -> float:
    """Interaural phase delay, phase unwrapped from the lowest frequency, at the highest one."""
    ears = ears_at_azimuth(frequency_hz, azimuth_deg, distance_m=100.0)
    phase = np.unwrap(np.angle(ears[0] / ears[1]))
    return float(phase[-1] / (2 * np.pi * frequency_hz[-1]))


@pytest.mark.parametrize("azimuth_deg", [10.0, 30.0, 60.0])
def test_low_frequency_itd_is_kuhns(azimuth_deg):
    kuhn = 3 * 0.0875 / SPEED_OF_SOUND_M_S * np.sin(np.deg2rad(azimuth_deg))
    assert itd_s(azimuth_deg, np.array([50.0])) == pytest.approx(kuhn, rel=0.03)


@pytest.mark.parametrize("azimuth_deg", [20.0, 30.0, 45.0])
def test_high_frequency_itd_is_woodworths(azimuth_deg):
    angle = np.deg2rad(azimuth_deg)
    woodworth = 0.0875 / SPEED_OF_SOUND_M_S * (angle + np.sin(angle))
    assert itd_s(azimuth_deg, np.arange(50.0, 12_000.0, 25.0)) == pytest.approx(woodworth, rel=0.06)


@pytest.mark.parametrize(("frequency_hz", "orders"), [(200.0, 12), (2000.0, 25), (8000.0, 45), (16_000.0, 60)])
def test_sphere_matches_the_series_with_scipys_bessel_functions(frequency_hz, orders):
    radius, distance, angle = 0.0875, 0.6, 1.9
    k = 2 * np.pi * frequency_hz / SPEED_OF_SOUND_M_S

    def hankel(n, x, derivative=False):
        return spherical_jn(n, x, derivative) - 1j * spherical_yn(n, x, derivative)

    n = np.arange(orders)
    terms = (2 * n + 1) * eval_legendre(n, np.cos(angle)) * hankel(n, k * distance) / hankel(n, k * radius, True)
    # Green's function of a sphere with a hard surface: e^{-jkr}/r times this
    expected = -np.sum(terms) / (k * radius**2) * distance * np.exp(1j * k * distance)
    ours = sphere_response([frequency_hz], radius_m=radius, distance_m=distance, incidence_rad=[angle])[0, 0]
    assert abs(ours - expected) < 1e-4 * abs(expected)


def test_sphere_has_no_effect_at_zero_frequency_from_afar():
    response = sphere_response([0.0], radius_m=0.0875, distance_m=1000.0, incidence_rad=[0.0, 1.5, np.pi])
    np.testing.assert_allclose(np.abs(response), 1.0, atol=2e-3)


def test_pressure_doubles_on_the_near_pole_at_high_frequency():
    response = sphere_response([24_000.0], radius_m=0.0875, distance_m=50.0, incidence_rad=[0.0])
    assert abs(response[0, 0]) == pytest.approx(2.0, rel=0.03)


@pytest.mark.parametrize("distance_m", [0.0876, 0.1, 0.5, 20.0])
def test_sphere_is_finite_and_bounded_at_all_frequencies_and_distances(distance_m):
    response = sphere_response(
        np.linspace(0.0, 24_000.0, 97), radius_m=0.0875, distance_m=distance_m, incidence_rad=np.linspace(0, np.pi, 7)
    )
    assert np.isfinite(response).all()
    # Twice the free field at the surface, which is nearer to the source than the centre is
    assert np.max(np.abs(response)) < 2.5 * distance_m / (distance_m - 0.0875)


def test_source_inside_the_head_is_refused():
    with pytest.raises(ValueError, match=r"distance_m = 0\.05.*outside the sphere"):
        sphere_response([100.0], radius_m=0.0875, distance_m=0.05, incidence_rad=[0.0])


def test_small_cap_radiates_as_reciprocity_says():
    """A point on a hard sphere heard from afar is the pressure there of a source from afar."""
    device = speaker(cap_deg=0.2, distance_m=1.3)
    frequency = np.array([100.0, 700.0, 2500.0, 9000.0, 18_000.0])
    azimuth = np.array([0.0, 40.0, 90.0, 150.0, -90.0])
    left = directivity(device, frequency, azimuth)[0] * 1.3
    angles = np.abs(np.deg2rad(azimuth - 90.0))
    expected = sphere_response(frequency, radius_m=0.09, distance_m=1.3, incidence_rad=angles)
    np.testing.assert_allclose(left, expected, atol=4e-3)


def test_wide_cap_is_a_point_source_in_the_bass():
    field = directivity(speaker(cap_deg=60.0), [5.0], np.arange(0.0, 360.0, 30.0), distance_m=100.0) * 100.0
    np.testing.assert_allclose(np.abs(field), 1.0, atol=3e-3)


def test_radiated_power_does_not_depend_on_distance():
    """Intensity p v* through circles around a cap's axis, with v from the pressure at two radii near each."""
    angle_deg, weights = np.polynomial.legendre.leggauss(60)
    azimuth = 90.0 + np.rad2deg(np.arccos(angle_deg))
    k = 2 * np.pi * 3000.0 / SPEED_OF_SOUND_M_S
    power = []
    for distance in (0.12, 0.6):
        step = 1e-5
        inner, outer = (
            directivity(speaker(), [3000.0], azimuth, distance_m=d)[0, :, 0] * np.exp(-1j * k * d)
            for d in (distance - step, distance + step)
        )
        middle, slope = (inner + outer) / 2, (outer - inner) / (2 * step)
        power.append(distance**2 * np.sum(weights * np.imag(-np.conj(middle) * slope)))
    assert power[0] == pytest.approx(power[1], rel=1e-3)


def test_small_driver_on_small_sphere_reaches_the_ears_as_a_point_source():
    listener = Seat((0.6, 0.5, 0.2), yaw_deg=20.0)
    tiny = speaker(radius_m=1e-6, cap_deg=5.0, distance_m=1.0)
    seat = plant(tiny, listener, step_hz=1000.0)
    expected = listener.ears(seat.frequency_hz, [[0.0, 0.0, 0.0]])[:, 0]
    expected *= np.exp(2j * np.pi * seat.frequency_hz * seat.delay_s)
    error = np.abs(seat.response - expected[:, None]) / np.abs(expected).max()
    assert error.max() < 2e-3


def test_tiny_head_hears_the_free_field():
    device = speaker(head=Head(radius_m=1e-4))
    seat = plant(device, step_hz=1000.0)
    free = directivity(device, seat.frequency_hz, [0.0])[:, 0]
    np.testing.assert_allclose(seat.response[:, :, 1:], np.stack([free, free])[:, :, 1:], rtol=0.05)


def sphere_points(count: int) -> np.ndarray:
    """Spread evenly over the unit sphere."""
    index = np.arange(count)
    height = 1 - 2 * (index + 0.5) / count
    turn = index * np.pi * (3 - np.sqrt(5))
    level = np.sqrt(1 - height**2)
    return np.stack([level * np.cos(turn), level * np.sin(turn), height], axis=-1)


@pytest.mark.parametrize(("driver", "axis_deg"), [(2, 0.0), (0, 90.0)])
def test_head_near_a_large_sphere_hears_the_same_from_the_monopoles_that_make_its_field(driver, axis_deg):
    """Monopoles inside the body, fitted to the device's field, drive the head through the point source formula."""
    frequency, distance = 1000.0, 0.3
    device = speaker(distance_m=distance)
    k = 2 * np.pi * frequency / SPEED_OF_SOUND_M_S
    points = 0.06 * sphere_points(120)
    axis = np.array([np.cos(np.deg2rad(axis_deg)), np.sin(np.deg2rad(axis_deg)), 0.0])
    # The field is symmetric around the driver's axis, so the horizontal circle holds all of it.
    places, field = [], []
    for radius in (0.1, 0.2, 0.4):
        directions = sphere_points(200)
        angles = axis_deg + np.rad2deg(np.arccos(np.clip(directions @ axis, -1.0, 1.0)))
        places.append(radius * directions)
        pressure = directivity(device, [frequency], angles, distance_m=radius)[driver, :, 0]
        field.append(pressure * np.exp(-1j * k * radius))
    distances = np.linalg.norm(np.concatenate(places)[:, None] - points, axis=-1)
    greens = np.exp(-1j * k * distances) / distances
    strengths = np.linalg.lstsq(greens, np.concatenate(field), rcond=1e-9)[0]
    ears = device.listener.seat.ears([frequency], points)[..., 0] @ strengths
    seat = plant(device, step_hz=1000.0)
    ears *= np.exp(2j * np.pi * frequency * seat.delay_s)
    np.testing.assert_allclose(seat.at([frequency])[:, driver, 0], ears, rtol=0.005)


def ears_by_surface_harmonics(field: Field, seat: Seat, frequency_hz: float) -> np.ndarray:
    """Exact pressure at the ears of a rigid sphere in any field, from the incident pressure and its slope on it.

    Per order, ``a = (p + (j/k) dp/dr) / (j_n + j j_n')`` is the incident wave, and ``-j a / ((kr)^2 h_n')`` the total
    pressure on the rigid sphere.
    """
    radius, k = seat.head.radius_m, 2 * np.pi * frequency_hz / SPEED_OF_SOUND_M_S
    order = int(k * radius + 12)
    quadrature = product_quadrature(order)
    step = 1e-5
    inner, outer = (
        field.field([frequency_hz], seat.position_m + (radius + offset) * quadrature.directions)[:, 0]
        for offset in (-step, step)
    )
    mixed = transform((inner + outer) / 2 + 1j / k * (outer - inner) / (2 * step), order=order, quadrature=quadrature)
    n = np.arange(order + 1)
    incident = spherical_jn(n, k * radius) + 1j * spherical_jn(n, k * radius, derivative=True)
    slope = spherical_jn(n, k * radius, derivative=True) - 1j * spherical_yn(n, k * radius, derivative=True)
    gain = np.repeat(1.0 / (incident * slope), 2 * n + 1)
    # Ears in the device's frame, found by turning the head's frame back
    in_head = seat.in_head(seat.position_m + np.eye(3)).T
    towards = seat.head.ear_directions() @ in_head
    return real_sh(towards, order) @ (-1j / (k * radius) ** 2 * gain * mixed)


@pytest.mark.parametrize(
    ("frequency_hz", "limit_db"), [(100.0, -90.0), (1960.0, -90.0), (8000.0, -80.0), (16_000.0, -70.0)]
)
@pytest.mark.parametrize(
    "seat",
    first_fast(
        [
            Seat((0.7, 0.5, 0.0), yaw_deg=30.0),
            Seat((0.7, 0.0, 0.0)),
            Seat((2.0, -0.5, 0.2), yaw_deg=-30.0),
            Seat((3.0, 0.0, 0.0), head=Head(0.095, 100.0, -10.0)),
        ]
    ),
)
def test_equivalent_sources_bring_the_field_to_the_ears(seat, frequency_hz, limit_db):
    """1960 Hz is a resonance of the inside of the head sphere, where pressure on it alone might not tell the field."""
    fields = speaker().fields
    ours = ears(fields, seat, [frequency_hz])[..., 0]
    expected = np.stack([ears_by_surface_harmonics(field, seat, frequency_hz) for field in fields], axis=-1)
    error = np.abs(ours - expected).max(axis=0) / np.abs(expected).max(axis=0)
    assert 20 * np.log10(error.max()) < limit_db


def test_head_that_turns_to_its_left_hears_the_device_with_its_right_ear():
    seat = Seat((2.0, 0.0, 0.0), yaw_deg=40.0)
    left, right = np.abs(plant(speaker(), seat, step_hz=1000.0).at([2000.0, 4000.0]))[:, 2]
    assert np.all(right > 1.5 * left)
    aside = Seat((2.0, 0.4, 0.0), yaw_deg=float(np.rad2deg(np.arctan2(0.4, 2.0))))
    ears_there = plant(speaker(), aside, step_hz=1000.0).at([2000.0])[:, 2]
    # On the listener's left of the axis, the head that turns this much to its left looks past the device twice as far.
    assert abs(ears_there[1, 0]) > 1.5 * abs(ears_there[0, 0])


@pytest.mark.parametrize("name", ["smart-speaker", "laptop"])
def test_symmetric_device_has_a_symmetric_plant(name):
    device = load_device(DEVICES / f"{name}.toml")
    seat = plant(device, step_hz=2000.0).response
    np.testing.assert_allclose(seat[0, 0], seat[1, 1], rtol=1e-6)
    np.testing.assert_allclose(seat[1, 0], seat[0, 1], rtol=1e-6)
    assert not np.allclose(seat[0, 0], seat[1, 0], rtol=1e-2)


@pytest.mark.parametrize("name", ["smart-speaker", "laptop"])
def test_frequency_grid_is_fine_enough(name):
    device = load_device(DEVICES / f"{name}.toml")
    coarse, fine = plant(device), plant(device, step_hz=160.0)
    error = np.abs(coarse.at(fine.frequency_hz) - fine.response)
    assert np.max(error / np.abs(fine.response).max(axis=-1, keepdims=True)) < 1e-3


def test_head_that_overlaps_the_body_is_refused():
    with pytest.raises(ValueError, match=r"seat\.position_m = \[0\.1, 0\.0, 0\.0\].*overlap"):
        plant(speaker(), Seat((0.1, 0.0, 0.0)))


@pytest.mark.parametrize("step_hz", [100.0, 200.0])
@pytest.mark.parametrize("depth_m", [0.0, 0.5, 2.0])
def test_plant_is_known_between_the_frequencies_of_its_grid(depth_m, step_hz):
    """Also with a driver far behind the others, whose phase turns fast against theirs."""
    places = {"left": (0.0, 0.2, 0.0), "right": (0.0, -0.2, 0.0), "center": (-depth_m, 0.0, 0.0)}
    device = Device("Deep", tuple(Driver(name, name, place) for name, place in places.items()), Listener(3.0))
    frequency_hz = np.arange(150.0, 16_000.0, 37.0)
    expected = geometry(device, step_hz=10.0).at(frequency_hz)
    error = np.abs(geometry(device, step_hz=step_hz).at(frequency_hz) - expected)
    assert error.max() < 10 ** (-60 / 20) * np.abs(expected).max()


# Quick ways, against the plain ones


@pytest.mark.parametrize("step_hz", [None, 100.0])
def test_phasors_are_exponentials_on_any_grid(step_hz):
    frequency = np.geomspace(20.0, 20_000.0, 50) if step_hz is None else geometry(speaker()).frequency_hz
    distance = np.linspace(0.0, 3.0, 24).reshape(4, 6)
    k = wave_number(frequency)
    np.testing.assert_allclose(phasors(k, distance), np.exp(-1j * np.multiply.outer(k, distance)), atol=1e-11)
    np.testing.assert_allclose(phasors(k[:1], 2.0), np.exp(-2j * k[:1]), atol=1e-15)


def test_caps_of_one_sphere_sound_together_as_each_alone():
    fields = [*speaker().fields, *speaker(cap_deg=40.0).fields[:1], PointSource((0.0, 0.1, 0.0))]
    points = np.random.default_rng(0).standard_normal((7, 3)) + [2.0, 0.0, 0.0]
    frequency = [50.0, 1000.0, 12_000.0]
    together = pressures(fields, frequency, points)
    for field, found in zip(fields, together, strict=True):
        np.testing.assert_allclose(found, field.field(frequency, points), rtol=1e-12)


@pytest.mark.parametrize("name", ["smart-speaker", "soundbar-7", "asymmetric-pair"])
@pytest.mark.parametrize(("y_m", "yaw_deg"), [(0.1, 0.0), (-0.1, 0.0), (-0.1, 15.0), (0.0, -15.0)])
def test_what_fields_do_to_the_other_side_is_what_each_does_there(name, y_m, yaw_deg):
    """Together they may be mirrored, one that stands at a side may not; a wrong ear would be off by decibels."""
    device = load_device(DEVICES / f"{name}.toml")
    seat, frequency = Seat((device.listener.distance_m, y_m, 0.0), yaw_deg), np.array([200.0, 2000.0, 10_000.0])
    expected = np.concatenate([ears([field], seat, frequency) for field in device.fields], axis=1)
    np.testing.assert_allclose(ears(device.fields, seat, frequency), expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("name", ["smart-speaker", "soundbar-3"])
def test_mean_power_is_that_over_all_directions(name):
    """Caps and points have closed forms; the other way is the sum over a quadrature 1 km away."""
    device = load_device(DEVICES / f"{name}.toml")
    frequency = np.array([100.0, 1500.0, 7000.0])
    quadrature = product_quadrature(120)
    far = 1000.0 * pressures(device.fields, frequency, 1000.0 * quadrature.directions)
    bare = np.einsum("k,dkf,ekf->fde", quadrature.weights / (4 * np.pi), far.conj(), far)
    feeds = feed_responses(device, frequency).T
    expected = feeds.conj()[:, :, None] * bare * feeds[:, None, :]
    np.testing.assert_allclose(mean_power(device, frequency), expected, atol=2e-5 * np.abs(expected).max())


def test_a_plant_that_is_kept_cannot_be_changed():
    first = geometry(speaker())
    assert geometry(speaker()) is first
    with pytest.raises(ValueError, match="read-only"):
        first.response[0] = 0.0
