"""The virtual pair through the cancellation: one filter or two, ratios or not, and what the ears get of it."""

from dataclasses import replace

import numpy as np
import pytest

from forestage import _core, load_device
from forestage.acoustics.driver_response import minimum_phase
from forestage.acoustics.head import Head
from forestage.acoustics.plant import plant
from forestage.design.cancel import CancelTarget, cancel_problem, solve
from forestage.design.cancel.firs import SOLVE_HZ, Solution
from forestage.design.filters import delay_for
from forestage.design.virtual_pair import (
    CROSSTALK_DELAY_S,
    VirtualPair,
    closed_form_far_ear,
    crosstalk_firs,
    crosstalk_weight,
    with_even_near_ears,
)
from forestage.firs import response_of
from kinds import first_fast
from places import DEVICES

OCTAVES_HZ = [(200 * 2**k, 400 * 2**k) for k in range(5)]


@pytest.fixture(scope="module", params=first_fast(["laptop", "smart-speaker"]))
def solution(request) -> Solution:
    device = load_device(DEVICES / f"{request.param}.toml")
    problem = cancel_problem(device, plant(device), SOLVE_HZ, target=CancelTarget().in_free_field())
    return Solution(problem, solve(problem, "minimax"))


def far_over_near(solution, weights):
    """Ratio at the ears of the seat for the left channel, shape (n,)."""
    ears = solution.problem.ears(weights, seat=0)
    return ears[1, 0] / ears[0, 0]


def merged(solution, pair):
    """Weights with the virtual pair inside, shape (drivers, 2, n): one filter per driver and channel."""
    far = crosstalk_weight(solution, pair) * closed_form_far_ear(pair.width_deg, SOLVE_HZ)
    return solution.weights + far * solution.weights[:, ::-1]


def ratio_form(weights, reference):
    """Weights of one channel as ratios to a reference driver, and what all have in common, its equaliser."""
    return weights / weights[reference], weights[reference]


def octave_means(values):
    grid = SOLVE_HZ
    return np.array([np.mean(values[(grid >= low) & (grid < high)]) for low, high in OCTAVES_HZ])


@pytest.mark.parametrize("width_deg", [5.0, 30.0, 60.0, 90.0])
def test_closed_form_is_what_the_engine_plays(width_deg):
    block = _core.VirtualStereo(48_000, width_deg, 1.0)
    impulse = np.zeros((2, 4096), np.float32)
    impulse[0, 0] = 1.0
    near, far = block.process(impulse)
    frequency = np.array([50.0, 300.0, 1000.0, 3000.0, 8000.0])
    played = response_of(far, frequency, sample_rate=48_000) / response_of(near, frequency, sample_rate=48_000)
    # the engine's shelf is bilinear: some tenths of a dB at 8 kHz
    np.testing.assert_allclose(played, closed_form_far_ear(width_deg, frequency), atol=0.03)


@pytest.mark.slow
def test_merged_filters_give_the_same_ear_signals_as_two_stages(solution):
    """Pair first, cancellation second, signal by signal; or one filter per driver."""
    pair = VirtualPair()
    far = crosstalk_weight(solution, pair) * closed_form_far_ear(30.0, SOLVE_HZ)
    ears = solution.problem.ears(solution.weights, seat=0)
    left_alone = ears[:, 0] + far[0] * ears[:, 1]
    right_alone = ears[:, 1] + far[1] * ears[:, 0]
    once = solution.problem.ears(merged(solution, pair), seat=0)
    np.testing.assert_allclose(once[:, 0], left_alone, rtol=1e-9)
    np.testing.assert_allclose(once[:, 1], right_alone, rtol=1e-9)


@pytest.mark.parametrize("reference", [0, 1])
def test_ratios_to_a_reference_driver_times_their_equaliser_are_the_filters(solution, reference):
    weights = solution.weights[:, 0, (SOLVE_HZ > 300.0) & (SOLVE_HZ < 7000.0)]  # beyond, the other side is silent
    ratios, common = ratio_form(weights, reference)
    np.testing.assert_allclose(ratios[reference], 1.0)
    np.testing.assert_allclose(ratios * common, weights, rtol=1e-9)


def test_both_orders_of_pair_and_ratios_give_the_same_ear_signals(solution):
    """Ratios of the merged filters, or merged from the filters in ratio form."""
    pair = VirtualPair()
    together = merged(solution, pair)
    parts = [ratio_form(solution.weights[:, channel], channel) for channel in range(2)]
    again = replace(solution, weights=np.stack([ratios * common for ratios, common in parts], axis=1))
    for channel in range(2):
        ratios, common = ratio_form(together[:, channel], channel)
        from_ratios = np.einsum("edf,df->ef", solution.problem.response[0], ratios) * common
        from_parts = solution.problem.ears(merged(again, pair), seat=0)[:, channel]
        np.testing.assert_allclose(from_ratios, from_parts, rtol=1e-6)


def test_common_equaliser_of_two_drivers_is_minimum_phase_but_for_a_little():
    """1 / (1 + w rho) with |w rho| < 1 would be if w rho were causal; a robust w is not quite."""
    device = load_device(DEVICES / "laptop.toml")
    frequency = np.fft.rfftfreq(2048, 1 / 48_000)
    problem = cancel_problem(device, plant(device), np.maximum(frequency, 10.0), target=CancelTarget().in_free_field())
    common = ratio_form(solve(problem, "minimax")[:, 0], 0)[1]
    expected = minimum_phase(np.abs(common))
    band = (frequency > 100.0) & (frequency < 10_000.0)
    assert np.max(np.abs(np.angle(common / expected, deg=True)[band])) < 22.0


def test_pair_is_heard_where_it_is_wanted(solution):
    """Time and level differences of a hard-panned sound at the seat, per octave, against the pair at +-30 degrees."""
    pair = VirtualPair()
    wanted = pair.far_over_near(SOLVE_HZ)[0]
    heard = far_over_near(solution, merged(solution, pair))
    plain = far_over_near(solution, solution.problem.plain)

    def itd_us(ratio):
        return octave_means(-1e6 * np.angle(ratio) / (2 * np.pi * SOLVE_HZ))[:3]

    def ild_db(ratio):
        return octave_means(-20 * np.log10(np.abs(ratio)))

    assert np.all(np.abs(itd_us(heard) - itd_us(wanted)) < 170.0)
    assert np.all(np.abs(itd_us(heard) - itd_us(wanted))[1:] < 60.0)
    assert np.all(np.abs(itd_us(plain) - itd_us(wanted)) > 100.0)
    assert np.all(np.abs(ild_db(heard) - ild_db(wanted))[:2] < 3.0)


def test_near_ear_of_the_pair_is_as_wanted(solution):
    """What the pair plays into the other channel comes back by up to 4 dB, and is taken back."""
    band = (SOLVE_HZ > 100.0) & (SOLVE_HZ < 10_000.0)

    def off_db(solution):
        near = solution.problem.ears(merged(solution, VirtualPair()), seat=0)[0, 0]
        return np.max(np.abs(20 * np.log10(np.abs(near / solution.problem.wanted[0])))[band])

    assert off_db(solution) > 2.5
    assert off_db(with_even_near_ears(solution, VirtualPair())) < 1.0


@pytest.mark.parametrize("cap_db", [10.0, 13.0])
def test_drive_of_the_pair_stays_within_its_cap(solution, cap_db):
    weights = merged(solution, VirtualPair(drive_cap_db=cap_db))
    assert solution.problem.drive_db(weights).max() <= cap_db + 1e-4


def test_pair_of_another_head_has_that_heads_ears():
    """On a device that reaches each ear alone nothing is in the way."""
    headphones = load_device(DEVICES / "headphones.toml")
    problem = cancel_problem(headphones, plant(headphones), SOLVE_HZ, target=CancelTarget().in_free_field())
    solution = Solution(problem, solve(problem, "minimax"))
    pair = VirtualPair(width_deg=45.0, head=Head(0.095, 100.0))
    heard = far_over_near(solution, merged(solution, pair))
    band = (SOLVE_HZ > 300.0) & (SOLVE_HZ < 10_000.0)
    np.testing.assert_allclose(heard[band], pair.far_over_near(SOLVE_HZ)[0][band], rtol=1e-6)
    assert not np.allclose(heard, closed_form_far_ear(45.0, SOLVE_HZ), atol=0.02)


def test_exported_weight_follows_what_was_solved(solution):
    pair = VirtualPair()
    firs = crosstalk_firs(solution, pair, sample_rate=48_000)
    played = response_of(firs, SOLVE_HZ, sample_rate=48_000, delay_frames=delay_for(48_000, delay_s=CROSSTALK_DELAY_S))
    band = (SOLVE_HZ > 300.0) & (SOLVE_HZ < 8000.0)
    error = np.abs(played - crosstalk_weight(solution, pair))[:, band]
    assert 10 * np.log10(np.mean(error**2)) < -18.0


@pytest.mark.parametrize("width_deg", [4.0, 91.0, float("nan")])
def test_pair_of_another_width_is_refused(width_deg):
    with pytest.raises(ValueError, match=f"width_deg = {width_deg}"):
        VirtualPair(width_deg=width_deg)
