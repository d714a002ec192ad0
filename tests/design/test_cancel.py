"""The closed form, and the filters that are exported: target, drive cap, colour, rates."""

from dataclasses import replace

import numpy as np
import pytest

from forestage.acoustics.device_file import load_device
from forestage.acoustics.head import Head
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import plant
from forestage.design.cancel import CancelTarget, cancel_problem, solve
from forestage.design.cancel.closed_form import cancel
from forestage.design.designer import design
from forestage.design.filters import SAMPLE_RATES
from forestage.design.result import Design
from forestage.design.shortfall import CapExcess
from forestage.design.zone import Zone
from forestage.metrics.curves import drive_curve
from kinds import first_fast
from places import DEVICES
from signals import transfer

BAND_HZ = np.geomspace(200.0, 8000.0, 400)
WIDE_HZ = np.geomspace(10.0, 20_000.0, 1200)
OCTAVES_HZ = [(200 * 2**k, 400 * 2**k) for k in range(5)]
# The cancellation does not depend on how finely the zone is sampled; a small one is quicker.
SMALL_ZONE = Zone(yaw_deg=0.0, head_radii_m=())


@pytest.fixture(scope="module", params=first_fast(["laptop", "smart-speaker"]))
def finished(request) -> Design:
    # Without a room, where the drive is all that limits
    target = CancelTarget(zone=SMALL_ZONE).in_free_field()
    return design(DEVICES / f"{request.param}.toml", target=target, render=None)


def ears(finished: Design, frequency_hz, sample_rate=48_000) -> np.ndarray:
    """Responses at the ears [ear, channel, n] of the exported filters."""
    filters = transfer(finished.filter_set(sample_rate).cancel, frequency_hz, sample_rate)
    return np.einsum("edf,dcf->ecf", finished.plant.at(frequency_hz), filters)


def separation_db(p) -> np.ndarray:
    return 20 * np.log10(np.abs(np.stack([p[0, 0] / p[1, 0], p[1, 1] / p[0, 1]])))


def drive_db(finished: Design, frequency_hz, sample_rate=48_000) -> np.ndarray:
    filters = transfer(finished.filter_set(sample_rate).cancel, frequency_hz, sample_rate)
    plant, at_ears = finished.plant.at(frequency_hz), ears(finished, frequency_hz, sample_rate)
    power = np.sum(np.abs(filters) ** 2, axis=0)
    return 10 * np.log10(
        [power[i] * np.abs(plant[i, finished.device.references[i]] / at_ears[i, i]) ** 2 for i in (0, 1)]
    )


def random_plant(seed: int, bins: int = 200) -> np.ndarray:
    """Asymmetric: every path has its own level and phase, the far ears are lower."""
    random = np.random.default_rng(seed)
    own = np.exp(1j * random.uniform(-3, 3, (2, bins))) * random.uniform(0.7, 1.4, (2, bins))
    leak = np.exp(1j * random.uniform(-3, 3, (2, bins))) * random.uniform(0.2, 0.65, (2, bins))
    return np.array([[own[0], leak[1]], [leak[0], own[1]]])


def scan(plant: np.ndarray, channel: int, *, target_db, cap_db, steps: int = 4001) -> np.ndarray:
    """Separation by brute force: walk beta up from 0 until the target or the cap is met."""
    beta = np.linspace(0.0, 1.0, steps)[:-1, None]
    own, leak = plant[channel, channel], plant[1 - channel, channel]
    back, other = plant[channel, 1 - channel], plant[1 - channel, 1 - channel]
    partner = -beta * leak / other
    near, far = own + partner * back, leak + partner * other
    separation = 20 * np.log10(np.abs(near / far))
    drive = 10 * np.log10((1 + np.abs(partner) ** 2) * np.abs(own / near) ** 2)
    stop = (separation > target_db) | (drive > cap_db)
    first = np.where(stop.any(axis=0), np.argmax(stop, axis=0), steps - 1)
    return separation[np.maximum(first - 1, 0), np.arange(plant.shape[-1])]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("channel", [0, 1])
def test_closed_form_is_what_a_scan_finds_on_any_plant(seed, channel):
    plant = random_plant(seed)
    solved = cancel(plant, target_db=np.full(200, 14.0), drive_cap_db=1.0)
    expected = scan(plant, channel, target_db=14.0, cap_db=1.0)
    limited = solved.drive_db[channel] > 0.99
    assert 0.05 < np.mean(limited) < 0.95
    np.testing.assert_allclose(solved.separation_db[channel], expected, atol=0.05)


@pytest.mark.parametrize("seed", [4, 5])
def test_near_ear_keeps_the_response_of_the_plain_driver(seed):
    plant = random_plant(seed)
    solved = cancel(plant, target_db=np.full(200, 14.0), drive_cap_db=9.0)
    for channel in range(2):
        near = plant[channel, channel] * solved.near[channel] + plant[channel, 1 - channel] * solved.far[channel]
        np.testing.assert_allclose(near, plant[channel, channel], rtol=1e-9)


def test_nothing_is_cancelled_where_the_device_separates_enough():
    plant = random_plant(6)
    natural = separation_db(plant)
    solved = cancel(plant, target_db=np.full(200, 6.0), drive_cap_db=9.0)
    enough = natural > 6.0
    assert 0.1 < np.mean(enough) < 0.9
    np.testing.assert_array_equal(solved.beta[enough], 0.0)
    np.testing.assert_allclose(solved.separation_db[enough], natural[enough])
    assert np.all(solved.beta[~enough] > 0.0)


@pytest.mark.slow
def test_closed_form_meets_the_target_within_a_tenth_of_a_db_wherever_the_cap_allows(finished):
    target = CancelTarget(zone=SMALL_ZONE)
    band = BAND_HZ[BAND_HZ < 2000.0]  # above, drivers that face the listener help the near ear
    problem = cancel_problem(finished.device, finished.plant, band, target=target, zone=[])
    weights = solve(problem, "closed-form")
    plant = finished.plant.at(band)[:, finished.device.references]
    goal_db = target.curve_db(band)
    reachable = 0
    for channel in range(2):
        allowed = scan(plant, channel, target_db=goal_db, cap_db=target.cap_db(band)) > goal_db - 0.05
        wanted = allowed & (separation_db(plant)[channel] < goal_db)
        reachable += np.count_nonzero(wanted)
        np.testing.assert_allclose(problem.separation_db(weights)[0, channel][wanted], goal_db[wanted], atol=0.1)
        missed = problem.separation_db(weights)[0, channel] < goal_db - 0.1
        np.testing.assert_allclose(problem.drive_db(weights)[channel][missed], target.cap_db(band)[missed], atol=1e-4)
    assert reachable > 60


def test_default_target_is_the_stated_curve():
    target = CancelTarget()
    stated = target.curve_db([50.0, 100.0, 250.0, 500.0, 1000.0, 7000.0, 11_000.0, 15_000.0])
    np.testing.assert_allclose(stated, [0, 0, 4, 11, 18, 18, 0, 0], atol=1e-9)
    assert np.all(np.diff(target.curve_db(np.geomspace(100.0, 1000.0, 50))) > 0.0)
    assert target.drive_cap_db == 9.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_exported_separation_follows_the_solution(finished, sample_rate):
    """Over the zone, within 0.25 dB rms from 200 Hz to 8 kHz; what plain stereo misses it by is far more."""
    solution, filters = finished.cancellation, finished.filter_set(sample_rate)
    problem = solution.problem
    late = np.exp(2j * np.pi * problem.frequency_hz * filters.delay_frames / sample_rate)
    exported = transfer(filters.cancel, problem.frequency_hz, sample_rate) * late
    band = (problem.frequency_hz >= 200.0) & (problem.frequency_hz <= 8000.0)
    wanted = problem.zone_separation_db(solution.weights)[:, band]
    error = problem.zone_separation_db(exported)[:, band] - wanted
    assert np.sqrt(np.mean(error**2, axis=-1)).max() <= 0.25
    assert np.sqrt(np.mean((problem.zone_separation_db(problem.plain)[:, band] - wanted) ** 2)) > 4.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_exported_drive_stays_within_the_cap(finished, sample_rate):
    drive = drive_db(finished, WIDE_HZ[: np.searchsorted(WIDE_HZ, 0.45 * sample_rate)], sample_rate)
    assert drive.max() <= 9.0
    if finished.device.name == "Smart Speaker":
        assert drive.max() > 8.9


def test_exported_drive_follows_the_cap_where_it_rises(finished):
    """Filters of 5 ms overshot by up to 2.4 dB between 90 and 200 Hz, and no shortfall said so."""
    over_db = drive_curve(finished, WIDE_HZ, sample_rate=48_000)["drive"] - finished.target.cap_db(WIDE_HZ)
    assert over_db[WIDE_HZ >= 20.0].max() <= 0.2
    assert not [fall for fall in finished.shortfall() if isinstance(fall, CapExcess)]
    lower = replace(finished, target=replace(finished.target, drive_cap_db=1.0))
    found = [str(fall) for fall in lower.shortfall() if isinstance(fall, CapExcess)]
    assert found
    assert all(line.startswith("drive is up to ") and " dB above its cap from " in line for line in found)


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_near_ear_is_as_even_as_a_pair_and_keeps_its_time(finished, sample_rate):
    """A little off without the virtual pair, which comes back to it in part; phases are those of plain stereo."""
    frequency = np.geomspace(100.0, 10_000.0, 400)
    filters = finished.filter_set(sample_rate)
    plain = finished.plant.at(frequency)[:, finished.device.references]
    delay = np.exp(-2j * np.pi * frequency * filters.delay_frames / sample_rate)
    for channel in range(2):
        near = ears(finished, frequency, sample_rate)[channel, channel] / delay
        over_db = 20 * np.log10(np.abs(near / pair_ears(finished.device.listener, frequency)[channel, channel]))
        assert np.max(np.abs(over_db - over_db.mean())) < 4.5
        assert np.max(np.abs(np.angle(near / plain[channel, channel], deg=True))) < 5.0


@pytest.mark.parametrize("sample_rate", SAMPLE_RATES)
def test_separation_is_the_same_at_all_rates(finished, sample_rate):
    frequency = np.geomspace(50.0, 8000.0, 400)
    here, there = (separation_db(ears(finished, frequency, rate)) for rate in (sample_rate, 48_000))
    assert np.max(np.abs(here - there)) < 0.5


def test_taps_and_delay_last_as_long_at_all_rates(finished):
    shapes = {f.sample_rate: (f.cancel.shape[-1], f.delay_frames) for f in finished.filters}
    assert shapes == {
        44_100: (235, 59),
        48_000: (256, 64),
        88_200: (470, 118),
        96_000: (512, 128),
        176_400: (941, 235),
        192_000: (1024, 256),
    }


@pytest.mark.slow
def test_shortfall_says_where_the_cap_stops_the_design(finished):
    falls = finished.cancellation.shortfall()
    goal = replace(CancelTarget(zone=SMALL_ZONE), separation_db=((60.0, 0.0), (10_000.0, 0.0)))
    assert falls
    assert all(
        fall.figure == "separation" and 0.5 < fall.short_db < 18.0 and fall.low_hz < fall.high_hz for fall in falls
    )
    easy = design(finished.device, target=goal, beam=finished.beam_target, sample_rates=[48_000], render=None)
    assert not [fall for fall in easy.cancellation.shortfall() if fall.high_hz < 10_000.0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"separation_db": ((100.0, 3.0),)}, "separation_db"),
        ({"separation_db": ((100.0, 3.0), (50.0, 3.0))}, "rising"),
        ({"separation_db": ((100.0, float("nan")), (200.0, 3.0))}, "finite"),
        ({"drive_cap_db": -1.0}, r"drive_cap_db = -1\.0"),
        ({"drive_rise_hz": (400.0, 150.0)}, "drive_rise_hz"),
    ],
)
def test_target_that_makes_no_sense_is_refused(values, message):
    with pytest.raises(ValueError, match=message):
        CancelTarget(**values)


def with_coarse_head(device, highest_hz):
    """The device with a listener whose head is known up to some frequency."""

    class Coarse:
        radius_m = 0.0875

        def __init__(self):
            self.highest_hz = highest_hz

        def ears(self, frequency_hz, source_m):
            return Head().ears(frequency_hz, source_m)

    return replace(device, listener=replace(device.listener, head=Coarse()))


def test_crosstalk_is_cancelled_no_further_than_measurements_tell():
    device = load_device("laptop")
    frequency_hz = np.array([500.0, 1500.0, 3000.0, 3700.0, 4200.0, 6000.0])
    seat = plant(device, step_hz=2000.0)
    usual, coarse = (
        cancel_problem(each, seat, frequency_hz, target=CancelTarget(), zone=[]).target_db
        for each in (device, with_coarse_head(device, 3000.0))
    )
    np.testing.assert_array_equal(coarse[:3], usual[:3])
    assert 0.0 < coarse[3] < 0.7 * usual[3]
    np.testing.assert_allclose(coarse[4:], 0.0, atol=1e-9)


@pytest.mark.parametrize(("highest_hz", "lines"), [(3000.4, 1), (9000.0, 0)])
def test_design_says_where_measurements_tell_no_more(finished, highest_hz, lines):
    device = with_coarse_head(finished.device, highest_hz)
    found = [str(fall) for fall in replace(finished, device=device).shortfall() if "tell no more" in str(fall)]
    assert (
        found == ["crosstalk is cancelled up to 3000 Hz, as the directions of the measured head tell no more"][:lines]
    )
