"""Are the beam methods what they claim, on arrays with a closed form and against independent solvers?"""

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from forestage.design.beam import METHODS, BeamTarget, beam_problem, solve, spread_on_off_db
from forestage.design.beam.closed_form import bounded, carried, null_target, superdirective
from forestage.design.beam.goals import misses
from forestage.metrics.directivity import on_off_db, window_db

AZIMUTH_DEG = np.arange(-180.0, 180.0, 5.0)
SOUND_M_S = 343.0
SPACING_M = 0.09
EXACT = BeamTarget(spread_db=0.0, spread_deg=0.0, white_noise_gain_db=-60.0)


def line(frequency_hz, y_m):
    """Far field of point sources on a line, shape (sources, azimuths, n)."""
    ahead = np.sin(np.deg2rad(AZIMUTH_DEG))[:, None] * 2 * np.pi * np.asarray(frequency_hz) / SOUND_M_S
    return np.exp(1j * np.asarray(y_m)[:, None, None] * ahead)


def three(frequency_hz, *, target=EXACT, grouped=True):
    """Middle, left and right source, 18 cm wide."""
    pattern = line(frequency_hz, [0.0, SPACING_M, -SPACING_M])
    groups = [[0], [1, 2]] if grouped else None
    return beam_problem(frequency_hz, pattern, AZIMUTH_DEG, target=target, groups=groups)


def pressure_of(problem, weights):
    return problem.radiated(weights) / np.sum(problem.axis * weights, axis=0)


def test_lcmv_nulls_have_the_closed_form_of_three_sources():
    frequency = np.array([300.0, 500.0, 800.0, 1200.0])
    problem = three(frequency)
    half = 2 * np.pi * frequency * SPACING_M / SOUND_M_S
    side = np.cos(half)
    closed = (np.cos(half * np.sin(np.deg2rad(AZIMUTH_DEG))[:, None]) - side) / (1.0 - side)
    # The loading of 1e-3 and the finite price of the nulls leave -50 dB
    np.testing.assert_allclose(pressure_of(problem, METHODS["lcmv"](problem)), closed, atol=3e-3)


@pytest.mark.parametrize(("hz", "gain_db"), [(500.0, -9.7), (630.0, -4.9), (800.0, 0.0), (1000.0, 3.6)])
def test_white_noise_gain_of_the_hard_null_is_that_of_its_weights(hz, gain_db):
    problem = three(np.array([hz]))
    half = 2 * np.pi * hz * SPACING_M / SOUND_M_S
    side = 0.5 / (1.0 - np.cos(half))
    middle = -2 * side * np.cos(half)
    by_hand = -10 * np.log10(middle**2 + 2 * side**2)
    found = problem.white_noise_gain_db(METHODS["lcmv"](problem))[0]
    assert found == pytest.approx(by_hand, abs=0.1)
    assert found == pytest.approx(gain_db, abs=0.15)


def test_lcmv_nulls_go_where_they_are_asked_for():
    target = replace(EXACT, null_deg=(-70.0, 110.0))
    frequency = np.array([600.0, 900.0])
    problem = beam_problem(frequency, line(frequency, [0.0, 0.09, -0.09, 0.2]), AZIMUTH_DEG, target=target)
    level_db = 20 * np.log10(np.abs(pressure_of(problem, METHODS["lcmv"](problem))))
    assert level_db[np.isin(AZIMUTH_DEG, [-70.0, 110.0])].max() < -45.0


def test_lcmv_derivative_flattens_the_null():
    frequency, near = np.array([900.0]), np.isin(AZIMUTH_DEG, [70.0, 75.0])
    y_m = [0.0, 0.07, -0.07, 0.15, -0.15]
    levels = []
    for derivatives in (0, 2):
        target = replace(EXACT, null_derivatives=derivatives)
        problem = beam_problem(frequency, line(frequency, y_m), AZIMUTH_DEG, target=target)
        levels.append(np.abs(pressure_of(problem, METHODS["lcmv"](problem)))[near].max())
    assert levels[1] < levels[0] / 2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_unit_pressure_on_axis(method):
    problem = three(np.geomspace(300.0, 1200.0, 5), target=BeamTarget())
    np.testing.assert_allclose(np.sum(problem.axis * METHODS[method](problem), axis=0), 1.0, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_beats_the_rayleigh_quotient(method):
    problem = three(np.geomspace(300.0, 1200.0, 6))
    best, other = (on_off_db(problem.radiated(METHODS[name](problem)), AZIMUTH_DEG) for name in ("rayleigh", method))
    assert np.all(other <= best + 1e-6)


def test_exact_ratio_is_exact():
    problem = three(np.geomspace(300.0, 1000.0, 8))
    ratio = on_off_db(problem.radiated(METHODS["exact-ratio"](problem)), AZIMUTH_DEG)
    np.testing.assert_allclose(ratio, EXACT.on_off_db, atol=1e-6)


def test_exact_ratio_needs_the_least_drive():
    """Against a general solver with the same two conditions, from several starts."""
    problem = three(np.array([450.0]))

    def parts(values):
        return (values[:2] + 1j * values[2:])[:, None]

    def drive(values):
        return np.sum(problem.price * np.abs(parts(values)) ** 2)

    conditions = [
        {"type": "eq", "fun": lambda v: on_off_db(problem.radiated(parts(v)), AZIMUTH_DEG)[0] - EXACT.on_off_db},
        {"type": "eq", "fun": lambda v: np.sum(problem.axis * parts(v)).real - 1.0},
        {"type": "eq", "fun": lambda v: np.sum(problem.axis * parts(v)).imag},
    ]
    random = np.random.default_rng(3)
    runs = [minimize(drive, random.normal(size=4), method="SLSQP", constraints=conditions) for _ in range(8)]
    least = min(run.fun for run in runs if run.success)
    found = METHODS["exact-ratio"](problem)
    assert np.sum(problem.price * np.abs(found) ** 2) == pytest.approx(least, rel=1e-4)


def test_exact_ratio_of_single_drivers_finds_the_symmetric_solution():
    """Antisymmetric patterns do not reach the axis; they must not disturb the search for the root."""
    frequency = np.geomspace(300.0, 1000.0, 6)
    grouped, single = three(frequency), three(frequency, grouped=False)
    weights = METHODS["exact-ratio"](single)
    np.testing.assert_allclose(weights[1], weights[2], atol=1e-9)
    np.testing.assert_allclose(weights[:2], METHODS["exact-ratio"](grouped), atol=1e-6)


def test_exact_ratio_that_cannot_be_had_is_as_close_as_can_be():
    problem = replace(three(np.array([500.0])), on_off_db=np.array([60.0]))
    best, found = (
        on_off_db(problem.radiated(METHODS[name](problem)), AZIMUTH_DEG)[0] for name in ("rayleigh", "exact-ratio")
    )
    assert best - 0.1 < found <= best


def test_null_shape_is_closest_in_magnitude():
    """Against a general solver of the same least squares."""
    problem = three(np.array([700.0]), target=replace(EXACT, null_width=0.6))
    inside = np.abs(AZIMUTH_DEG) <= 110.0
    wanted = null_target(AZIMUTH_DEG[inside], (-90.0, 90.0), 0.6)

    def miss(values):
        weights = (values[:2] + 1j * values[2:])[:, None]
        return np.sum((np.abs(problem.radiated(weights)[inside, 0]) - wanted) ** 2)

    random = np.random.default_rng(5)
    least = min(minimize(miss, random.normal(size=4), method="BFGS").fun for _ in range(8))
    weights = METHODS["null-shape"](problem)
    scale = minimize(lambda s: miss(np.r_[s * weights[:, 0].real, s * weights[:, 0].imag]), [1.0]).x
    found = miss(np.r_[scale * weights[:, 0].real, scale * weights[:, 0].imag])
    # The loading costs a little
    assert found <= 1.05 * least + 1e-3


def test_wider_nulls_have_more_front_over_sides():
    frequency = np.array([900.0])
    y_m = [0.0, 0.07, -0.07, 0.15, -0.15]
    ratios = []
    for width in (0.2, 0.4, 0.8):
        problem = beam_problem(frequency, line(frequency, y_m), AZIMUTH_DEG, target=replace(EXACT, null_width=width))
        ratios.append(on_off_db(problem.radiated(METHODS["null-shape"](problem)), AZIMUTH_DEG)[0])
    assert np.all(np.diff(ratios) > 1.0)


def test_null_target_is_one_less_a_bell():
    np.testing.assert_allclose(null_target(np.array([90.0, -90.0]), (-90.0, 90.0), 0.5), 0.0, atol=1e-12)
    one = null_target(np.array([90.0 - 30.0]), (90.0,), 0.5)
    assert one[0] == pytest.approx(1.0 - np.exp(-2.0 * (2 * np.sin(np.deg2rad(15.0)) / 1.0) ** 2))
    np.testing.assert_array_equal(null_target(AZIMUTH_DEG, (90.0,), 0.0), 1.0)


@pytest.mark.parametrize("method", METHODS)
def test_white_noise_gain_is_bounded(method):
    target = BeamTarget(white_noise_gain_db=-3.0)
    problem = three(np.geomspace(200.0, 1200.0, 8), target=target)
    weights = solve(problem, method)
    assert problem.white_noise_gain_db(weights).min() > -3.0 - 1e-6
    np.testing.assert_allclose(np.sum(problem.axis * weights, axis=0), 1.0, atol=1e-9)


def test_bound_changes_nothing_where_it_is_kept():
    problem = three(np.array([900.0]), target=BeamTarget(white_noise_gain_db=-3.0))
    weights = METHODS["lcmv"](problem)
    np.testing.assert_allclose(bounded(problem, weights), weights, atol=1e-12)


def test_slopes_of_the_goals_are_their_derivatives():
    frequency = np.geomspace(200.0, 1200.0, 6)
    problem = replace(three(frequency, target=BeamTarget()), wanted=np.exp(1j * np.linspace(0.0, 1.0, 6)))
    problem = replace(problem, outside=problem.outside + 0.3, carry_db=np.full(6, 20.0))
    random = np.random.default_rng(7)

    def draw():
        return random.normal(size=problem.axis.shape) + 1j * random.normal(size=problem.axis.shape)

    weights, step = draw(), 1e-6 * draw()
    change = (misses(problem, weights + step)[0] - misses(problem, weights - step)[0]) / 2
    expected = np.einsum("rgf,gf->rf", misses(problem, weights)[1], step).real
    np.testing.assert_allclose(change, expected, atol=1e-6 * np.abs(expected).max())


def test_superdirective_has_the_closed_form_of_two_sources():
    """Over the sphere, of two points: the mean of p1* p2 is sin(kd)/(kd)."""
    frequency, y_m = np.array([300.0, 700.0, 1100.0]), np.array([0.1, -0.1])
    kd = 2 * np.pi * frequency * 0.2 / SOUND_M_S
    total = np.eye(2) + (1.0 - np.eye(2)) * (np.sin(kd) / kd)[:, None, None]
    problem = beam_problem(frequency, line(frequency, y_m), AZIMUTH_DEG, total=total, target=EXACT)
    found = problem.directivity_index_db(superdirective(problem))
    np.testing.assert_allclose(found, 10 * np.log10(2 / (1 + np.sin(kd) / kd)), atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_no_method_beats_the_superdirective(method):
    problem = three(np.geomspace(300.0, 1200.0, 6), target=BeamTarget())
    best, other = (problem.directivity_index_db(solve(problem, name)) for name in ("superdirective", method))
    assert np.all(other <= best + 1e-3)


def test_carried_is_as_directive_as_asked_for_and_moves_no_further():
    frequency = np.geomspace(300.0, 1000.0, 8)
    problem = three(frequency)
    start = METHODS["lcmv"](problem)
    index_db, best_db = (problem.directivity_index_db(each) for each in (start, superdirective(problem)))
    asked_db = np.where(frequency < 500.0, (index_db + best_db) / 2, index_db - 1.0)
    found = carried(replace(problem, carry_db=asked_db), start)
    np.testing.assert_allclose(problem.directivity_index_db(found), np.maximum(asked_db, index_db), atol=1e-6)
    np.testing.assert_array_equal(found[:, frequency >= 500.0], start[:, frequency >= 500.0])


@pytest.mark.slow
def test_ratio_search_keeps_its_window_and_reaches_the_goal_with_enough_sources():
    frequency = np.geomspace(500.0, 900.0, 40)
    pattern = line(frequency, [0.0, 0.15, -0.15, 0.3, -0.3, 0.45, -0.45])
    problem = beam_problem(frequency, pattern, AZIMUTH_DEG, groups=[[0], [1, 2], [3, 4], [5, 6]])
    pressure = problem.radiated(solve(problem, "ratio-search"))
    low, high = window_db(pressure[:, frequency < 750.0], AZIMUTH_DEG)
    # Hinges give a little, and more at the edge, which nothing above holds
    assert on_off_db(pressure, AZIMUTH_DEG).min() > BeamTarget().on_off_db - 0.2
    assert low.min() > BeamTarget().window_db[0] - 0.2
    assert high.max() < BeamTarget().window_db[1] + 0.2


@pytest.mark.parametrize("method", METHODS)
def test_one_source_alone_is_no_error(method):
    frequency = np.geomspace(300.0, 1100.0, 10)
    problem = beam_problem(frequency, line(frequency, [0.0]), AZIMUTH_DEG)
    np.testing.assert_allclose(solve(problem, method), 1.0, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_silent_source_is_not_pushed(method):
    """A tweeter far below its band: no method may rely on it."""
    frequency = np.geomspace(300.0, 1100.0, 10)
    pattern = line(frequency, [0.0, SPACING_M, -SPACING_M, 0.04])
    pattern[3] *= 1e-3
    drive = np.ones((4, len(frequency)))
    drive[3] = 1e-6
    problem = beam_problem(frequency, pattern, AZIMUTH_DEG, groups=[[0], [1, 2], [3]], drive=drive)
    weights = solve(problem, method)
    assert np.all(np.abs(weights[2]) < 3.0 * np.abs(weights).max(axis=0))
    assert np.max(np.abs(weights[2])) < 3.0


def test_unknown_method_is_refused():
    with pytest.raises(ValueError, match=r'method = "bees": must be one of .*lcmv'):
        solve(three(np.array([500.0])), "bees")


def test_without_spread_all_devices_are_alike():
    problem = three(np.array([500.0, 800.0]), grouped=False)
    weights = METHODS["lcmv"](problem)
    nominal = on_off_db(problem.radiated(weights), AZIMUTH_DEG)
    found = spread_on_off_db(problem.pattern, weights, AZIMUTH_DEG, spread_db=0.0, spread_deg=0.0, trials=3)
    np.testing.assert_allclose(found, [nominal] * 3)


def test_spread_fills_a_null_to_its_variance_over_white_noise_gain():
    """Power at the null is that of the drivers, off by the variance of their gains: sigma^2 sum of |w|^2."""
    problem = three(np.array([800.0]), grouped=False)
    weights = METHODS["lcmv"](problem)
    at_null = problem.pattern[:, np.abs(AZIMUTH_DEG) == 90.0]
    front = problem.pattern[:, AZIMUTH_DEG == 0.0]
    few = np.concatenate([front, at_null], axis=1)
    found = spread_on_off_db(few, weights, np.array([0.0, -90.0, 90.0]), trials=20_000)
    variance = (np.log(10) / 20 * 0.5) ** 2 + np.deg2rad(3.0) ** 2
    power = np.mean(10 ** (-found / 10))
    assert power == pytest.approx(variance * np.sum(np.abs(weights) ** 2), rel=0.05)
