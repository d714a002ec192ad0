"""Every method of cancellation in one form: what each promises, on plants with a known answer."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from forestage import load_device
from forestage.acoustics.device import Device
from forestage.acoustics.driver import Driver
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Listener
from forestage.design.cancel import CAPPED, METHODS, CancelProblem, CancelTarget, cancel_problem, solve
from forestage.design.cancel.robust import within_cap
from forestage.design.skew import aligned_plain
from forestage.design.zone import Zone
from kinds import first_fast
from places import DEVICES

FREQUENCY_HZ = np.array([250.0, 500.0, 1000.0, 1500.0, 2500.0, 5000.0])
INVERSES = ("exact", "closed-form", "least-squares", "rayleigh", "null-steering", "minimax")
# Where all methods are at home
FREE_FIELD = CancelTarget().in_free_field()


@pytest.fixture(scope="module", params=first_fast([3, 2]), ids=["three drivers", "two drivers"])
def problem(request) -> CancelProblem:
    device = load_device(DEVICES / "smart-speaker.toml")
    device = replace(device, drivers=device.drivers[: request.param])
    return cancel_problem(device, plant(device), FREQUENCY_HZ, target=FREE_FIELD)


def worst_db(problem, weights):
    """Least separation of the left channel over the heads of the zone and every driver in error, by hand."""
    drivers = len(weights)
    changes = [np.ones((drivers, weights.shape[-1]), complex)]
    for driver in range(drivers):
        for error in problem.driver_errors:
            changes.append(np.where(np.arange(drivers)[:, None] == driver, error, 1.0))
    ears = np.einsum("sedf,kdf,df->ksef", problem.response, np.array(changes), weights[:, 0])
    return (20 * np.log10(np.abs(ears[:, :, 0] / ears[:, :, 1]))).min(axis=(0, 1))


@pytest.mark.parametrize("method", INVERSES)
def test_near_ear_of_the_seat_keeps_plain_stereo(problem, method):
    near = problem.ears(solve(problem, method), seat=0)
    np.testing.assert_allclose(near[0, 0], problem.wanted[0], rtol=1e-6)
    np.testing.assert_allclose(near[1, 1], problem.wanted[1], rtol=1e-6)


@pytest.mark.parametrize("method", CAPPED)
def test_drive_stays_within_the_cap(problem, method):
    assert np.all(problem.drive_db(solve(problem, method)) <= problem.drive_cap_db + 1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_left_and_right_of_a_symmetric_device_are_mirrored(problem, method):
    weights = solve(problem, method)
    mirrored = weights[[1, 0, 2][: len(weights)]][:, ::-1]
    np.testing.assert_allclose(weights, mirrored, rtol=1e-4, atol=1e-4 * np.abs(weights).max())


def test_sides_that_are_alike_are_so_to_the_last_digit(problem):
    np.testing.assert_array_equal(problem.response[0, 1], problem.response[0, 0][problem.images])
    np.testing.assert_array_equal(problem.plain[:, 1], problem.plain[problem.images, 0])


@pytest.mark.parametrize("method", METHODS)
def test_the_right_channel_of_a_symmetric_device_is_what_its_own_problem_asks_for(problem, method):
    """It is taken from the left one."""
    right = METHODS[method](problem, 1)
    np.testing.assert_allclose(solve(problem, method)[:, 1], right, atol=1e-6 * np.abs(right).max())


@pytest.mark.parametrize("changed", ["response", "beside", "plain", "driver_most", "noise"])
def test_sides_that_differ_in_anything_are_not_mirrored(problem, changed):
    problem = replace(problem, beside=problem.response)
    assert problem.images is not None
    values = getattr(problem, changed).copy()
    values[1] = 0.1 if changed == "noise" else 1.01 * np.nan_to_num(values[1], posinf=1.0)
    assert replace(problem, **{changed: values}).images is None


def test_exact_inverse_leaves_nothing_at_the_far_ear(problem):
    assert np.all(problem.separation_db(solve(problem, "exact"))[0] > 200.0)


def test_minimax_beats_every_other_capped_method_at_its_worst_head(problem):
    worst = {method: worst_db(problem, solve(problem, method)) for method in CAPPED}
    for method in CAPPED:
        assert np.all(worst["minimax"] >= worst[method] - 0.05), method
    assert np.any(worst["minimax"] > worst["least-squares"] + 2.0)


def test_minimax_is_what_a_general_optimiser_finds():
    """Two drivers leave one complex unknown per frequency; Nelder-Mead from several starts is the oracle."""
    device = load_device(DEVICES / "laptop.toml")
    target = CancelTarget(separation_db=((20.0, 60.0), (20_000.0, 60.0)), drive_cap_db=40.0)
    problem = cancel_problem(device, plant(device), [700.0, 2000.0, 6000.0], target=target)
    found = worst_db(problem, solve(problem, "minimax"))
    for index, reached in enumerate(found):
        one = replace(
            problem,
            frequency_hz=problem.frequency_hz[[index]],
            response=problem.response[..., [index]],
            plain=problem.plain[..., [index]],
            driver_errors=problem.driver_errors[:, [index]],
        )

        def loss(values, one=one):
            weights = np.array([[[1.0], [0.0]], [[complex(*values)], [1.0]]])
            return -worst_db(one, weights)[0]

        starts = [(0.0, 0.0), (-0.7, 0.3), (-0.7, -0.3), (0.5, 0.5), (0.5, -0.5)]
        best = max(-minimize(loss, start, method="Nelder-Mead", options={"xatol": 1e-6}).fun for start in starts)
        assert reached == pytest.approx(best, abs=0.15)


@pytest.mark.slow
def test_null_steering_has_the_power_ratio_of_the_target_over_the_zone():
    device = load_device(DEVICES / "smart-speaker.toml")
    target = CancelTarget(separation_db=((20.0, 8.0), (20_000.0, 8.0)), drive_cap_db=40.0, drive_rise_hz=(20.0, 50.0))
    problem = cancel_problem(device, plant(device), FREQUENCY_HZ, target=target)
    ears = np.einsum("sedf,df->sef", problem.response, solve(problem, "null-steering")[:, 0])
    power = np.sum(np.abs(ears) ** 2, axis=0)
    np.testing.assert_allclose(10 * np.log10(power[0] / power[1]), 8.0, atol=0.01)


@pytest.mark.slow
def test_null_steering_needs_no_more_drive_than_anything_else_with_its_ratio():
    """Random detours that keep the near ear and the ratio cost power."""
    device = load_device(DEVICES / "smart-speaker.toml")
    target = CancelTarget(separation_db=((20.0, 8.0), (20_000.0, 8.0)), drive_cap_db=40.0, drive_rise_hz=(20.0, 50.0))
    problem = cancel_problem(device, plant(device), [800.0], target=target)
    weights = solve(problem, "null-steering")[:, 0, 0]
    near, far = (rows[0] for rows in problem.rows(0))
    random = np.random.default_rng(3)
    free = np.linalg.svd(near[:1])[2][1:].conj().T
    for _ in range(200):
        other = weights + free @ (random.standard_normal(2) + 1j * random.standard_normal(2)) * 0.1
        ratio_db = 10 * np.log10(np.sum(np.abs(near @ other) ** 2) / np.sum(np.abs(far @ other) ** 2))
        assert ratio_db < 8.0 - 1e-4 or np.linalg.norm(other) >= np.linalg.norm(weights) - 1e-6


def test_rayleigh_quotient_is_the_largest_there_is(problem):
    weights = solve(problem, "rayleigh")[:, 0]
    near, far = problem.rows(0)

    def quotient(w):
        return np.sum(np.abs(np.einsum("fsd,df->fs", near, w)) ** 2, axis=1) / np.sum(
            np.abs(np.einsum("fsd,df->fs", far, w)) ** 2, axis=1
        )

    random = np.random.default_rng(1)
    for _ in range(100):
        change = random.standard_normal(weights.shape) + 1j * random.standard_normal(weights.shape)
        assert np.all(quotient(weights) >= quotient(weights + 0.3 * np.abs(weights).max() * change) * (1 - 1e-3))


@pytest.mark.slow
def test_more_drivers_separate_the_worst_head_better():
    device = load_device(DEVICES / "smart-speaker.toml")
    pair = replace(device, drivers=device.drivers[:2])
    frequency = [2000.0, 4000.0]
    worst = [
        worst_db(problem, solve(problem, "minimax"))
        for problem in (cancel_problem(each, plant(each), frequency, target=FREE_FIELD) for each in (pair, device))
    ]
    assert np.all(worst[1] > worst[0] + 0.5)


def test_choueiri_clips_the_envelope_of_the_drivers(problem):
    """No combination of the plain channels is amplified by more than the cap over the plain device."""
    weights = solve(problem, "choueiri")
    pair = problem.plain[[0, 1]]
    gains = np.linalg.svd(np.linalg.inv(pair.transpose(2, 0, 1)) @ weights[:2].transpose(2, 0, 1))[1]
    assert np.all(gains <= 10 ** (np.max(problem.drive_cap_db) / 20) * 1.02)


@pytest.mark.parametrize("method", ["race", "camilladsp", "easyeffects"])
def test_recursive_methods_are_what_their_recursion_plays(problem, method):
    """Impulse through the published difference equation, with the loop's own filter taken from the solution."""
    weights = solve(problem, method)[:, 0]
    near, far = (np.linalg.pinv(problem.plain.transpose(2, 0, 1)) @ weights.T[:, :, None])[..., 0].T
    loop = -far / near
    np.testing.assert_allclose(near, 1.0 / (1.0 - loop**2), rtol=1e-9)
    assert np.all(np.abs(loop) < 1.0)
    if method == "camilladsp":
        np.testing.assert_allclose(np.abs(loop), 10 ** (-3.0 / 20), rtol=1e-9)
        np.testing.assert_allclose(np.exp(1j * np.angle(loop)), np.exp(-2j * np.pi * FREQUENCY_HZ * 80e-6), atol=1e-9)


def test_target_of_nothing_is_plain_stereo(problem):
    nothing = replace(problem, target_db=np.full(len(FREQUENCY_HZ), -20.0))
    for method in ("closed-form", "least-squares", "minimax"):
        np.testing.assert_allclose(solve(nothing, method), problem.plain, atol=1e-9)


def test_way_back_to_plain_stereo_ends_at_the_cap(problem):
    weights = solve(problem, "minimax")
    lower = np.full(len(FREQUENCY_HZ), 3.0)
    safe = np.stack([within_cap(problem, channel, weights[:, channel], lower) for channel in range(2)], axis=1)
    drive, before = problem.drive_db(safe), problem.drive_db(weights)
    np.testing.assert_allclose(drive[before > 3.0], 3.0, atol=1e-6)
    np.testing.assert_allclose(safe[:, before <= 3.0], weights[:, before <= 3.0])


def test_asymmetric_device_is_put_right_in_time_and_level():
    drivers = (Driver("l", "left", (0.0, 0.3, 0.0)), Driver("r", "right", (0.15, -0.2, 0.0)))
    device = Device("Skewed", drivers, Listener(0.8))
    seat = plant(device)
    frequency = np.linspace(300.0, 1500.0, 40)
    ears = np.einsum("edf,dcf->ecf", seat.at(frequency), aligned_plain(seat, frequency))
    skew = np.unwrap(np.angle(ears[0, 0] / ears[1, 1]))
    assert np.polyfit(2 * np.pi * frequency, skew, 1)[0] == pytest.approx(0.0, abs=5e-6)
    level_db = 20 * np.log10(np.abs(ears[0, 0] / ears[1, 1]))
    assert np.mean(level_db) == pytest.approx(0.0, abs=0.3)
    plain = np.einsum("edf,dc->ecf", seat.at(frequency), seat.plain)
    assert abs(np.mean(20 * np.log10(np.abs(plain[0, 0] / plain[1, 1])))) > 0.8


def test_unknown_method_is_named_with_those_there_are(problem):
    with pytest.raises(ValueError, match='method = "magic": must be one of exact, '):
        solve(problem, "magic")


def test_zone_starts_with_the_seat_and_holds_every_kind_of_head():
    device = load_device(DEVICES / "smart-speaker.toml")
    seats = Zone().seats(device)
    assert seats[0] == device.listener.seat
    assert len(seats) == len(set(seats)) == 9 + 2 + 6
    assert {seat.yaw_deg for seat in seats} == {-10.0, 0.0, 10.0}
    assert {seat.head.radius_m for seat in seats} == {0.082, 0.0875, 0.093}
    assert {round(seat.position_m[0], 6) for seat in seats} == {1.4, 2.0, 2.6}
    assert {round(seat.position_m[1], 6) for seat in seats} == {-0.06, 0.0, 0.06}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"distance_ratios": ()}, "distance_ratios"),
        ({"distance_ratios": (0.0, 1.0)}, "distance_ratios"),
        ({"lateral_m": -0.1}, r"lateral_m = -0\.1"),
        ({"yaw_deg": float("nan")}, "yaw_deg = nan"),
    ],
)
def test_zone_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        Zone(**values)
