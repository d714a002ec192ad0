"""Are the spherical harmonics right? Against scipy's, closed-form integrals, and the functions themselves."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import eval_legendre, sph_harm_y, spherical_in
from scipy.stats import ortho_group

from forestage.acoustics.spherical_harmonics import (
    evaluate,
    fibonacci_quadrature,
    funk_hecke,
    order_of,
    per_coefficient,
    product,
    product_quadrature,
    real_sh,
    rotation,
    transform,
)


def random_directions(count: int, *, seed: int = 1) -> np.ndarray:
    """Random unit vectors, and the six axes, poles included."""
    vectors = np.random.default_rng(seed).standard_normal((count, 3))
    return np.concatenate([vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.eye(3), -np.eye(3)])


def random_coefficients(order: int, *shape: int, seed: int = 2) -> np.ndarray:
    parts = np.random.default_rng(seed).standard_normal((2, (order + 1) ** 2, *shape))
    return parts[0] + 1j * parts[1]


def test_harmonics_are_scipys_up_to_order_60():
    directions = random_directions(50)
    polar, azimuth = np.arccos(directions[:, 2]), np.arctan2(directions[:, 1], directions[:, 0])
    expected = []
    for degree in range(61):
        for m in range(-degree, degree + 1):
            of_scipy = sph_harm_y(degree, abs(m), polar, azimuth) * (-1.0) ** m
            part = of_scipy.imag if m < 0 else of_scipy.real
            expected.append(part if m == 0 else np.sqrt(2) * part)
    # Both sides run recursions over 60 degrees.
    np.testing.assert_allclose(real_sh(directions, 60), np.transpose(expected), atol=1e-12)


def test_harmonics_are_orthonormal():
    quadrature = product_quadrature(30)
    harmonics = real_sh(quadrature.directions, 30)
    gram = harmonics.T @ (quadrature.weights[:, None] * harmonics)
    np.testing.assert_allclose(gram, np.eye(31**2), atol=1e-12)


@pytest.mark.parametrize("degree", [0, 1, 7, 40])
def test_products_of_a_degree_add_up_to_the_legendre_polynomial(degree):
    directions = random_directions(20)
    harmonics = real_sh(directions, degree)[:, degree**2 :]
    cosines = np.clip(directions @ directions.T, -1.0, 1.0)
    expected = (2 * degree + 1) / (4 * np.pi) * eval_legendre(degree, cosines)
    np.testing.assert_allclose(harmonics @ harmonics.T, expected, atol=1e-11)


def test_order_0_is_a_constant():
    np.testing.assert_allclose(real_sh(random_directions(3), 0), 1 / np.sqrt(4 * np.pi))


@pytest.mark.parametrize("sign", [1.0, -1.0], ids=["rotation", "reflection"])
def test_rotated_coefficients_give_the_rotated_function(sign):
    matrix = ortho_group.rvs(3, random_state=5)
    matrix *= sign * np.linalg.det(matrix)
    coefficients, directions = random_coefficients(12), random_directions(100)
    turned = evaluate(rotation(12, matrix) @ coefficients, directions)
    np.testing.assert_allclose(turned, evaluate(coefficients, directions @ matrix), atol=1e-11)


def test_rotations_follow_each_other():
    first, second = ortho_group.rvs(3, size=2, random_state=6)
    np.testing.assert_allclose(rotation(6, second) @ rotation(6, first), rotation(6, second @ first), atol=1e-12)


def test_rotation_keeps_the_degrees_apart():
    matrix = rotation(5, ortho_group.rvs(3, random_state=7))
    degree = per_coefficient(np.arange(6))
    assert np.all(matrix[degree[:, None] != degree] == 0.0)


@pytest.mark.parametrize("matrix", [np.eye(2), 2 * np.eye(3), np.ones((3, 3))])
def test_what_is_no_rotation_is_refused(matrix):
    with pytest.raises(ValueError, match=r"matrix = .*: must be a rotation or reflection"):
        rotation(2, matrix)


@pytest.mark.parametrize(
    ("powers", "expected"),
    # x^2a y^2b z^2c: 2 G(a+1/2) G(b+1/2) G(c+1/2) / G(a+b+c+3/2) (Folland 2001)
    [((0, 0, 0), 4 * np.pi), ((2, 0, 0), 4 * np.pi / 3), ((2, 2, 2), 4 * np.pi / 105), ((4, 0, 4), 4 * np.pi / 105)],
)
def test_product_quadrature_integrates_monomials_up_to_twice_its_order(powers, expected):
    quadrature = product_quadrature(4)
    values = np.prod(quadrature.directions ** np.array(powers), axis=1)
    assert quadrature.weights @ values == pytest.approx(expected, rel=1e-13)


def test_fibonacci_directions_are_nearly_uniform():
    quadrature = fibonacci_quadrature(1000)
    assert quadrature.weights.sum() == pytest.approx(4 * np.pi)
    chords = np.linalg.norm(quadrature.directions[:, None] - quadrature.directions, axis=-1)
    np.fill_diagonal(chords, np.inf)
    # A hexagonal packing has sqrt(8 pi / (sqrt(3) n)) = 0.1205 between all neighbours.
    assert chords.min(axis=1).min() > 0.08
    assert chords.min(axis=1).max() < 0.1205


def test_fibonacci_quadrature_integrates_a_smooth_function():
    quadrature = fibonacci_quadrature(2000)
    peak = np.exp(4 * (quadrature.directions @ [0.6, 0.0, 0.8]))
    assert quadrature.weights @ peak == pytest.approx(4 * np.pi * np.sinh(4.0) / 4.0, rel=1e-4)


def test_transform_is_the_inverse_of_evaluate():
    coefficients = random_coefficients(10, 2, 3)
    quadrature = product_quadrature(10)
    values = evaluate(coefficients, quadrature.directions)
    assert values.shape == (11 * 21, 2, 3)
    np.testing.assert_allclose(transform(values, order=10, quadrature=quadrature), coefficients, atol=1e-12)


def test_transform_cuts_higher_degrees_off():
    coefficients = random_coefficients(8)
    quadrature = product_quadrature(8)
    values = evaluate(coefficients, quadrature.directions)
    np.testing.assert_allclose(transform(values, order=3, quadrature=quadrature), coefficients[:16], atol=1e-12)


def test_funk_hecke_of_an_exponential_is_a_bessel_function():
    eigenvalues = funk_hecke(lambda x: np.exp(5 * x), order=20)
    np.testing.assert_allclose(eigenvalues, 4 * np.pi * spherical_in(np.arange(21), 5.0), atol=1e-11)


@pytest.mark.parametrize("degree", [0, 3, 30])
def test_funk_hecke_integrates_kernels_with_a_kink(degree):
    def in_chord(d):
        return 2 * np.pi * np.exp(-3 * d) * eval_legendre(degree, 1 - d**2 / 2) * d

    expected = quad(in_chord, 0.0, 2.0, limit=200, epsabs=1e-14)[0]
    eigenvalues = funk_hecke(lambda x: np.exp(-3 * np.sqrt(2 - 2 * x)), order=degree)
    assert eigenvalues[degree] == pytest.approx(expected, abs=1e-12)


def test_convolution_multiplies_each_degree_by_its_eigenvalue():
    coefficients, quadrature, directions = random_coefficients(6), product_quadrature(12), random_directions(5)
    kernel = 1.0 + (directions @ quadrature.directions.T) ** 4
    expected = kernel @ (quadrature.weights * evaluate(coefficients, quadrature.directions))
    eigenvalues = per_coefficient(funk_hecke(lambda x: 1.0 + x**4, order=6))
    np.testing.assert_allclose(evaluate(eigenvalues * coefficients, directions), expected, atol=1e-11)


def test_product_is_the_product_at_every_direction():
    a, b = random_coefficients(5, seed=3), random_coefficients(7, seed=4)
    directions = random_directions(50)
    both = product(a, b)
    assert order_of(both) == 12
    np.testing.assert_allclose(
        evaluate(both, directions), evaluate(a, directions) * evaluate(b, directions), atol=1e-11
    )


@pytest.mark.parametrize(
    ("directions", "message"),
    [
        ([1.0, 0.0, 0.0], r"directions: shape \(3,\); must be \(n, 3\)"),
        ([[1.0, 0.0]], r"directions: shape \(1, 2\); must be \(n, 3\)"),
        ([[0.0, 0.0, 1.0], [0.0, 2.0, 0.0]], r"directions\[1\] = \[0.0, 2.0, 0.0\]: must be a unit vector"),
        ([[np.nan, 0.0, 0.0]], r"directions\[0\] = \[nan, 0.0, 0.0\]: must be a unit vector"),
    ],
)
def test_what_is_no_direction_is_refused(directions, message):
    with pytest.raises(ValueError, match=message):
        real_sh(directions, 2)


@pytest.mark.parametrize("count", [0, 2, 8, 15])
def test_a_count_of_coefficients_that_no_order_has_is_refused(count):
    with pytest.raises(ValueError, match=rf"coefficients: {count} of them; must be \(order \+ 1\)\^2"):
        order_of(np.zeros(count))
