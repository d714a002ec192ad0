"""Are non-negative patterns so, and the fits to them the best ones? Against closed forms and other searches."""

import numpy as np
import pytest
from magnitude import fit_power, non_negative, null_pattern, square, squared_exponential_density
from scipy.optimize import least_squares

from forestage.acoustics.spherical_harmonics import (
    evaluate,
    fibonacci_quadrature,
    order_of,
    product_quadrature,
    transform,
)
from signals import complex_normal

EVERYWHERE = fibonacci_quadrature(1000).directions
FRONT, LEFT, RIGHT = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])


def point_sources(places: np.ndarray, *, order: int = 10) -> np.ndarray:
    """Coefficients of point sources at places, given in wave numbers: ((order + 1)^2, n)."""
    quadrature = product_quadrature(order)
    field = np.exp(1j * quadrature.directions @ np.asarray(places).T)
    return transform(field, order=order, quadrature=quadrature)


def power_of(drivers: np.ndarray, weights: np.ndarray, directions: np.ndarray = EVERYWHERE) -> np.ndarray:
    return np.abs(evaluate(drivers, directions) @ weights) ** 2


def mean_square(values: np.ndarray) -> float:
    return float(np.mean(values**2))


def from_front(degrees: float) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return np.array([[np.cos(angle), np.sin(angle), 0.0]])


LINE = point_sources([[0.0, 0.9, 0.0], [0.0, -0.9, 0.0], [0.5, 0.0, 0.0]])


def test_square_is_the_squared_magnitude_everywhere():
    amplitude = complex_normal(36)
    power = square(amplitude)
    assert order_of(power) == 10
    np.testing.assert_allclose(evaluate(power, EVERYWHERE), np.abs(evaluate(amplitude, EVERYWHERE)) ** 2, atol=1e-11)


@pytest.mark.parametrize("length_scale", [0.1, 0.3, 1.0, 3.0])
@pytest.mark.parametrize("order", [0, 4, 20])
def test_density_is_not_negative_and_integrates_to_1(order, length_scale):
    density = squared_exponential_density(LEFT, length_scale=length_scale, order=order)
    assert density[0] * np.sqrt(4 * np.pi) == pytest.approx(1.0)
    assert evaluate(density, EVERYWHERE).min() > -1e-13


def test_density_has_the_shape_of_the_squared_exponential():
    density = evaluate(squared_exponential_density(LEFT, length_scale=0.5, order=30), EVERYWHERE)
    chord = np.linalg.norm(EVERYWHERE - LEFT, axis=1)
    expected = np.exp(-(chord**2) / 0.5) / (0.5 * np.pi * (1 - np.exp(-8.0)))
    np.testing.assert_allclose(density, expected, atol=1e-6)


@pytest.mark.parametrize("length_scale", [0.2, 0.5, 1.0])
def test_null_pattern_is_zero_at_its_nulls_and_nowhere_negative(length_scale):
    pattern = null_pattern([LEFT, RIGHT], length_scale=length_scale, order=12)
    np.testing.assert_allclose(evaluate(pattern, [LEFT, RIGHT]), 0.0, atol=1e-13)
    assert evaluate(pattern, EVERYWHERE).min() > -1e-13


@pytest.mark.parametrize("length_scale", [0.3, 0.5, 0.7])
def test_length_scale_is_the_width_of_the_null(length_scale):
    # (1 - exp(-d^2 / (2 l^2)))^2 is a quarter at d = l sqrt(2 ln 2).
    half_width = 2 * np.arcsin(length_scale * np.sqrt(2 * np.log(2)) / 2)
    pattern = null_pattern([FRONT], length_scale=length_scale, order=40)
    assert evaluate(pattern, from_front(np.rad2deg(half_width)))[0] == pytest.approx(0.25, abs=1e-3)


def test_null_pattern_is_1_far_from_narrow_nulls():
    pattern = null_pattern([LEFT, RIGHT], length_scale=0.3, order=40)
    assert evaluate(pattern, [FRONT, -FRONT, [0.0, 0.0, 1.0]]) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("order", [4, 6])
def test_non_negative_stays_so_where_a_cut_pattern_does_not(order):
    narrow = squared_exponential_density(FRONT, length_scale=0.3, order=30)
    truth = evaluate(narrow, EVERYWHERE)
    cut, encoded = (
        evaluate(pattern, EVERYWHERE) for pattern in (narrow[: (order + 1) ** 2], non_negative(narrow, order=order))
    )
    assert cut.min() < -0.01 * truth.max()
    assert encoded.min() > -1e-12 * truth.max()
    # Cutting off is the best of all patterns of the order; not to be negative costs 3 dB at most.
    assert mean_square(cut - truth) < mean_square(encoded - truth) < 2 * mean_square(cut - truth)


@pytest.mark.parametrize("order", [2, 6, 10])
def test_non_negative_keeps_a_pattern_that_is_a_sum_of_squares(order):
    half = (order // 2 + 1) ** 2
    power = square(complex_normal(half, seed=order)) + square(complex_normal(half, seed=order + 1))
    encoded = non_negative(power, order=order)
    assert np.linalg.norm(encoded - power) < 10 ** (-60 / 20) * np.linalg.norm(power)


def test_pattern_that_the_drivers_have_is_found():
    target = square(LINE @ [1.0, 0.4 - 0.5j, -0.8j])
    found = power_of(LINE, fit_power(LINE, target))
    np.testing.assert_allclose(found, evaluate(target, EVERYWHERE), atol=1e-4 * found.max())


@pytest.mark.parametrize("length_scale", [0.3, 0.6])
def test_no_search_from_random_starts_finds_a_better_fit(length_scale):
    target = null_pattern([LEFT, RIGHT], length_scale=length_scale, order=12)
    quadrature = product_quadrature(20)
    pressure, power = evaluate(LINE, quadrature.directions), evaluate(target, quadrature.directions)

    def residuals(parts):
        return np.sqrt(quadrature.weights) * (np.abs(pressure @ (parts[:3] + 1j * parts[3:])) ** 2 - power)

    rng = np.random.default_rng(4)
    best = min(least_squares(residuals, rng.standard_normal(6)).cost for _ in range(12))
    weights = fit_power(LINE, target)
    assert np.sum(residuals(np.concatenate([weights.real, weights.imag])) ** 2) / 2 < best * (1 + 1e-4)


def test_drive_limit_holds_and_the_error_falls_as_it_is_raised():
    target = null_pattern([LEFT, RIGHT], length_scale=0.6, order=12)
    free = fit_power(LINE, target)
    drive = np.vdot(free, free).real
    limits = drive * np.array([0.1, 0.3, 0.9, 2.0])
    weights = [fit_power(LINE, target, drive_limit=limit) for limit in limits]
    errors = [mean_square(power_of(LINE, w) - evaluate(target, EVERYWHERE)) for w in weights]
    assert all(np.vdot(w, w).real <= limit * (1 + 1e-6) for w, limit in zip(weights, limits, strict=True))
    assert errors == sorted(errors, reverse=True)
    assert np.vdot(weights[0], weights[0]).real == pytest.approx(limits[0], rel=1e-6)
    np.testing.assert_allclose(power_of(LINE, weights[-1]), power_of(LINE, free), atol=1e-4)


def test_importance_improves_the_fit_where_it_is():
    target = null_pattern([LEFT, RIGHT], length_scale=0.4, order=12)
    importance = squared_exponential_density(LEFT, length_scale=0.35, order=20)
    nulls = [LEFT, *EVERYWHERE[EVERYWHERE @ LEFT > 0.95]]
    even, weighed = fit_power(LINE, target), fit_power(LINE, target, importance=importance)
    assert power_of(LINE, weighed, nulls).max() < power_of(LINE, even, nulls).max() / 2


def test_wider_nulls_raise_the_on_to_off_power_ratio():
    ratios = []
    for length_scale in (0.2, 0.35, 0.5, 0.7):
        target = null_pattern([LEFT, RIGHT], length_scale=length_scale, order=24)
        weights = fit_power(LINE, target)
        power = power_of(LINE, weights, np.concatenate([from_front(0.0), from_front(45.0), from_front(90.0)]))
        ratios.append(power[:2].mean() / power[2])
    assert ratios == sorted(ratios)
    assert ratios[-1] > 2 * ratios[0]


def test_mean_pressure_over_the_target_is_real_and_positive():
    target = null_pattern([LEFT, RIGHT], length_scale=0.5, order=12)
    quadrature = product_quadrature(22)
    mean = (
        quadrature.weights
        * evaluate(target, quadrature.directions)
        @ (evaluate(LINE, quadrature.directions) @ fit_power(LINE, target))
    )
    assert mean.real > 0.0
    assert abs(mean.imag) < 1e-9 * mean.real


def test_levels_of_target_and_drivers_only_scale_the_weights():
    target = null_pattern([LEFT], length_scale=0.5, order=12)
    weights = fit_power(LINE, target, drive_limit=0.2)
    scaled = fit_power(1e3 * LINE, 1e-4 * target, drive_limit=0.2 * 1e-4 / 1e6)
    np.testing.assert_allclose(power_of(1e3 * LINE, scaled), 1e-4 * power_of(LINE, weights), rtol=1e-3)


def test_alike_drivers_share_the_work():
    target = square(LINE[:, 0])
    weights = fit_power(LINE[:, [0, 0]], target)
    np.testing.assert_allclose(weights, weights[0], atol=1e-6)
    np.testing.assert_allclose(power_of(LINE[:, [0, 0]], weights), 1.0, atol=1e-3)


@pytest.mark.parametrize("order", [3, -2])
def test_order_that_no_square_has_is_refused(order):
    for make in (
        lambda: squared_exponential_density(FRONT, length_scale=0.5, order=order),
        lambda: null_pattern([FRONT], length_scale=0.5, order=order),
        lambda: non_negative(np.ones(1), order=order),
    ):
        with pytest.raises(ValueError, match=f"order = {order}: must be even"):
            make()


def test_drive_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="drive_limit = 0.0: must be above 0"):
        fit_power(LINE, np.ones(1), drive_limit=0.0)


def test_target_without_power_is_refused():
    with pytest.raises(ValueError, match="power pattern: its highest value is -"):
        fit_power(LINE, -np.ones(1))
