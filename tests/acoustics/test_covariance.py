"""Are the covariance fits right? Against closed forms, the textbook's formulas, and fields that are known."""

import numpy as np
import pytest
from scipy.special import spherical_in, spherical_jn

from forestage.acoustics.covariance import (
    KERNELS,
    covariance,
    eigenvalues,
    fit_directivity,
    fit_least_squares,
    fit_tikhonov,
    kernel_coefficients,
    regress,
    truncation_error_db,
)
from forestage.acoustics.spherical_harmonics import evaluate, fibonacci_quadrature, per_coefficient, real_sh
from signals import complex_normal

EVERYWHERE = fibonacci_quadrature(500).directions


def random_directions(count: int, *, seed: int = 1) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def chords(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a[:, None] - b, axis=-1)


def offset_source(directions: np.ndarray, *, size: float, seed: int = 3) -> np.ndarray:
    """Far field of three point sources within ``size`` (wave number times distance) of the centre, shape (n, 1)."""
    places = size * random_directions(3, seed=seed)
    return np.exp(1j * directions @ places.T) @ np.array([[1.0], [0.6j], [-0.3]])


def relative_error_db(found: np.ndarray, expected: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(np.abs(found - expected) ** 2) / np.sum(np.abs(expected) ** 2)))


def test_squared_exponential_has_bessel_eigenvalues():
    z = 0.5**-2
    expected = 4 * np.pi * np.exp(-z) * spherical_in(np.arange(13), z)
    np.testing.assert_allclose(eigenvalues("squared-exponential", length_scale=0.5, order=12), expected, rtol=1e-10)


def test_squared_exponential_does_not_overflow_when_narrow():
    # exp(1 / 0.01^2) would; to first order in length^2 the bump has the mass of a plane one, 2 pi length^2.
    assert eigenvalues("squared-exponential", length_scale=0.01, order=0)[0] == pytest.approx(2e-4 * np.pi, rel=1e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_eigenvalues_sum_up_to_the_kernel(kernel):
    # The exponential falls slowest: its degrees above 300 hold 1 / (300 * length scale) / pi of it.
    tolerance = 3e-3 if kernel == "exponential" else 1e-5
    axis, directions = np.array([[0.6, 0.0, 0.8]]), EVERYWHERE[::25]
    coefficients = kernel_coefficients(kernel, axis, length_scale=0.5, order=300)
    expected = covariance(kernel, chords(directions, axis), length_scale=0.5)
    np.testing.assert_allclose(evaluate(coefficients, directions), expected, atol=tolerance)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("length_scale", [0.1, 1.0, 3.0])
def test_no_kernel_has_a_negative_variance(kernel, length_scale):
    values = eigenvalues(kernel, length_scale=length_scale, order=40)
    assert np.all(values > -1e-14 * values.max())


@pytest.mark.parametrize(
    ("kernel", "errors_db"),
    [
        ("squared-exponential", [-27, -74, -136, -208]),
        ("matern-5/2", [-21, -42, -58, -71]),
        ("matern-3/2", [-20, -35, -47, -56]),
        ("exponential", [-17, -27, -33, -37]),
    ],
)
def test_truncation_errors_are_the_known_ones(kernel, errors_db):
    found = [truncation_error_db(kernel, length_scale=0.5, order=order) for order in (4, 8, 12, 16)]
    np.testing.assert_allclose(found, errors_db, atol=0.6)  # they were noted without decimals


def test_truncation_error_is_that_of_the_function():
    axis = EVERYWHERE[:1]
    cut = evaluate(kernel_coefficients("matern-5/2", axis, length_scale=0.5, order=6), EVERYWHERE)
    whole = covariance("matern-5/2", chords(EVERYWHERE, axis), length_scale=0.5)
    expected = truncation_error_db("matern-5/2", length_scale=0.5, order=6)
    assert relative_error_db(cut, whole) == pytest.approx(expected, abs=0.2)  # 500 directions


def test_regression_is_the_textbooks_kriging():
    directions, values = random_directions(30), complex_normal(30, 4)
    gram = covariance("squared-exponential", chords(directions, directions), length_scale=0.6) + 0.05 * np.eye(30)
    weights = np.linalg.solve(gram, np.column_stack([np.ones(30), values]))
    mean = np.sum(weights[:, 1:], axis=0) / np.sum(weights[:, 0])
    answer = weights[:, 1:] - weights[:, :1] * mean
    expected = mean + covariance("squared-exponential", chords(EVERYWHERE, directions), length_scale=0.6) @ answer
    # Order 20 holds this kernel to -240 dB.
    fit = regress(directions, values, order=20, length_scale=0.6, noise=0.05)
    np.testing.assert_allclose(evaluate(fit.coefficients, EVERYWHERE), expected, atol=1e-8)


def test_more_values_than_coefficients_change_the_way_not_the_answer():
    directions, values = random_directions(100), complex_normal(100, 3)
    spectrum = per_coefficient(eigenvalues("matern-3/2", length_scale=0.8, order=4))
    harmonics = real_sh(directions, 4)
    beyond = 1.0 - spectrum.sum() / (4 * np.pi)
    gram = (harmonics * spectrum) @ harmonics.T + (0.3 + beyond) * np.eye(100)
    weights = np.linalg.solve(gram, np.column_stack([np.ones(100), values]))
    mean = np.sum(weights[:, 1:], axis=0) / np.sum(weights[:, 0])
    expected = spectrum[:, None] * (harmonics.T @ (weights[:, 1:] - weights[:, :1] * mean))
    expected[0] += np.sqrt(4 * np.pi) * mean
    fit = regress(directions, values, order=4, kernel="matern-3/2", length_scale=0.8, noise=0.3)
    np.testing.assert_allclose(fit.coefficients, expected, atol=1e-12)


@pytest.mark.parametrize("count", [100, 400], ids=["fewer than coefficients", "more than coefficients"])
def test_most_likely_length_and_noise_are_those_of_the_data(count):
    directions, length_scales = random_directions(count), [0.5, 0.8, 1.2]
    columns = []
    for seed, length_scale in enumerate(length_scales):
        gram = covariance("squared-exponential", chords(directions, directions), length_scale=length_scale)
        field = np.linalg.cholesky(gram + 1e-9 * np.eye(count)) @ complex_normal(count, seed=seed)
        level = np.sqrt(np.mean(np.abs(field) ** 2))
        columns.append(field + 10 ** (-30 / 20) * level * complex_normal(count, seed=seed + 10))
    fit = regress(directions, np.column_stack(columns), order=14)
    # Two steps of the grid of length scales; a fit of 100 values leaves some 40 to estimate the noise from.
    np.testing.assert_allclose(np.log(fit.length_scale / length_scales), 0.0, atol=0.41)
    np.testing.assert_allclose(fit.noise_db, -30.0, atol=2.0)


@pytest.mark.slow
def test_covariance_fit_beats_tikhonov_and_least_squares_on_noisy_fields():
    errors = []
    for seed in range(4):
        truth = complex_normal(36, 1, seed=seed)
        directions = random_directions(100, seed=seed)
        noisy = evaluate(truth, directions) + 0.5 * complex_normal(100, 1, seed=seed + 100)
        expected = evaluate(truth, EVERYWHERE)
        fits = [
            fit_directivity(directions, noisy, order=10),
            fit_tikhonov(directions, noisy, order=10),
            fit_least_squares(directions, noisy, order=10),
        ]
        errors.append([relative_error_db(evaluate(fit, EVERYWHERE), expected) for fit in fits])
    ours, tikhonov, plain = np.mean(errors, axis=0)
    assert ours < tikhonov - 1.5
    assert tikhonov < plain - 6.0


def test_gap_in_the_directions_is_filled_without_blowing_up():
    directions = fibonacci_quadrature(300).directions
    directions = directions[directions[:, 2] > -0.5]
    values = offset_source(directions, size=2.0)
    noisy = values + 0.003 * complex_normal(*values.shape)
    below = EVERYWHERE[EVERYWHERE[:, 2] < -0.6]
    ours = evaluate(fit_directivity(directions, noisy, order=12), below)
    plain = evaluate(fit_least_squares(directions, noisy, order=12), below)
    assert relative_error_db(ours, offset_source(below, size=2.0)) < -10.0
    assert relative_error_db(plain, offset_source(below, size=2.0)) > 10.0


def test_clean_dense_data_are_fitted_closely():
    directions = fibonacci_quadrature(200).directions
    coefficients = fit_directivity(directions, offset_source(directions, size=2.0), order=12)
    assert relative_error_db(evaluate(coefficients, EVERYWHERE), offset_source(EVERYWHERE, size=2.0)) < -60.0


def test_five_directions_tell_a_small_driver():
    directions = np.array([[1.0, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [-1, 0, 0]])
    coefficients = fit_directivity(directions, offset_source(directions, size=0.3), order=8)
    found, expected = evaluate(coefficients, EVERYWHERE), offset_source(EVERYWHERE, size=0.3)
    assert np.max(np.abs(20 * np.log10(np.abs(found / expected)))) < 1.0


def test_single_repeated_measurement_direction_is_no_problem():
    directions = np.repeat(random_directions(6), 3, axis=0)
    values = offset_source(directions, size=0.5) + 0.01 * complex_normal(18, 1)
    found = evaluate(fit_directivity(directions, values, order=8), directions)
    np.testing.assert_allclose(found, values, atol=0.1)


def test_level_of_the_values_does_not_change_their_fit():
    directions = random_directions(20)
    values = complex_normal(20, 2)
    loud = fit_directivity(directions, 1e6j * values, order=5)
    np.testing.assert_allclose(loud, 1e6j * fit_directivity(directions, values, order=5), rtol=1e-9)


def test_frequencies_do_not_change_each_others_fit():
    directions = random_directions(20)
    values = np.column_stack([offset_source(directions, size=size)[:, 0] for size in (0.1, 1.0, 3.0)])
    together = fit_directivity(directions, values, order=6)
    alone = [fit_directivity(directions, values[:, [column]], order=6)[:, 0] for column in range(3)]
    np.testing.assert_allclose(together, np.column_stack(alone), atol=1e-12)


def test_silence_and_constants_are_fitted_exactly():
    directions = random_directions(12)
    values = np.column_stack([np.zeros(12), np.full(12, 2.0 - 1.0j)])
    found = evaluate(fit_directivity(directions, values, order=4), EVERYWHERE)
    np.testing.assert_allclose(found, np.tile([0.0, 2.0 - 1.0j], (500, 1)), atol=1e-12)


@pytest.mark.parametrize("count", [40, 90], ids=["fewer than coefficients", "more than coefficients"])
def test_tikhonov_with_a_weight_solves_its_normal_equations(count):
    directions, values = random_directions(count), complex_normal(count, 3)
    harmonics, degree = real_sh(directions, 7), per_coefficient(np.arange(8))
    normal = harmonics.T @ harmonics + 0.2 * np.diag(degree * (degree + 1))
    expected = np.linalg.solve(normal, harmonics.T @ values)
    np.testing.assert_allclose(fit_tikhonov(directions, values, order=7, weight=0.2), expected, atol=1e-10)


def test_most_likely_tikhonov_weight_is_nearly_the_best_one():
    truth = complex_normal(36, 1)
    directions = random_directions(100)
    noisy = evaluate(truth, directions) + 0.5 * complex_normal(100, 1, seed=7)
    expected = evaluate(truth, EVERYWHERE)

    def error_db(weight):
        return relative_error_db(
            evaluate(fit_tikhonov(directions, noisy, order=10, weight=weight), EVERYWHERE), expected
        )

    assert error_db(None) < min(error_db(10.0**power) for power in np.arange(-4.0, 3.0, 0.25)) + 0.6


def test_least_squares_is_exact_on_enough_clean_values():
    truth = complex_normal(25, 2)
    directions = random_directions(60)
    np.testing.assert_allclose(fit_least_squares(directions, evaluate(truth, directions), order=4), truth, atol=1e-12)


def test_sinc_is_the_coherence_of_a_diffuse_field():
    # Plane waves from all sides at two points of a sphere of k a = 2.5: 4 pi sum of (2 l + 1) j_l^2 P_l / (4 pi)
    expected = 4 * np.pi * spherical_jn(np.arange(10), 2.5) ** 2
    np.testing.assert_allclose(eigenvalues("sinc", length_scale=0.4, order=9), expected, rtol=1e-12)
    waves = np.exp(2.5j * EVERYWHERE @ np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8]]).T)
    coherence = np.mean(waves[:, 0] * waves[:, 1].conj()).real
    chord = np.linalg.norm([0.6, 0.0, 0.2])
    assert covariance("sinc", chord, length_scale=0.4) == pytest.approx(coherence, abs=1e-3)


@pytest.mark.parametrize(
    ("directions", "values", "message"),
    [
        (np.eye(3), np.ones((2, 1)), r"values: shape \(2, 1\); must be \(3, frequencies\)"),
        (np.eye(3), np.ones(3), r"values: shape \(3,\); must be \(3, frequencies\)"),
        (np.eye(3)[:1], np.ones((1, 1)), r"directions: 1 of them; must be at least 2"),
        (np.eye(3), [[1.0], [np.nan], [1.0]], r"values\[1, 0\] = \(?nan.*: must be finite"),
        (2 * np.eye(3), np.ones((3, 1)), r"directions\[0\] = .*: must be a unit vector"),
    ],
)
@pytest.mark.parametrize("fit", [fit_directivity, fit_tikhonov, fit_least_squares])
def test_bad_data_are_refused(fit, directions, values, message):
    with pytest.raises(ValueError, match=message):
        fit(directions, values, order=2)


def test_unknown_kernel_is_refused():
    with pytest.raises(ValueError, match='kernel = "cubic": must be one of squared-exponential, '):
        fit_directivity(np.eye(3), np.ones((3, 1)), order=2, kernel="cubic")


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
@pytest.mark.parametrize("name", ["length_scale", "noise"])
def test_length_scale_and_noise_must_be_above_0(name, value):
    with pytest.raises(ValueError, match=rf"{name} = .*: must be above 0"):
        regress(np.eye(3), np.ones((3, 1)), order=2, **{name: value})


def test_tikhonov_weight_must_be_above_0():
    with pytest.raises(ValueError, match=r"weight = 0.0: must be above 0"):
        fit_tikhonov(np.eye(3), np.ones((3, 1)), order=2, weight=0.0)
