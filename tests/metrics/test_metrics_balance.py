"""Panning and balance, through the engine, of a device that is the reference pair, and of what is known to be off."""

import numpy as np
import pytest

from forestage import load_device
from forestage.metrics.balance import OCTAVES_HZ, THIRDS_HZ, balance, balance_of, octaves_db, programmes
from forestage.metrics.panning import pan_gains, panning, panning_error_deg
from places import DEVICES
from signals import noise
from stub_design import shipped

PAIR = "desktop-30"  # plain stereo on it is the reference
PLAIN = {"amount": 0}


@pytest.fixture(scope="module")
def pair():
    return load_device(DEVICES / f"{PAIR}.toml")


def test_pair_is_heard_where_it_is(pair):
    found = panning(PAIR, pair, pans=[0.0, 30.0, 70.0, 100.0], parameters=PLAIN)
    assert found.time_error_deg < 0.5
    assert found.level_error_deg < 1.5
    np.testing.assert_allclose(found.reference_time_deg[[0, -1]], [0.0, 30.0], atol=0.3)
    assert np.all(np.diff(found.time_deg) > 3.0)


def test_other_sounds_of_a_mix_do_not_count(pair):
    found = panning(PAIR, pair, pans=[40.0], in_mix=True, parameters=PLAIN)
    assert found.time_error_deg < 1.0


def test_a_narrow_device_is_heard_narrow():
    laptop = load_device(DEVICES / "laptop.toml")
    found = panning("laptop", laptop, pans=[100.0], parameters=PLAIN)
    assert found.time_deg[0] == pytest.approx(16.0, abs=1.0)
    assert found.time_error_deg == pytest.approx(14.0, abs=1.0)


def test_pair_is_in_balance(pair):
    found = balance(PAIR, parameters=PLAIN)
    assert found.worst_lu < 0.2
    assert found.worst_third_db < 1.0
    music = noise(frames=96_000)
    np.testing.assert_allclose(octaves_db(PAIR, music, parameters=PLAIN), 0.0, atol=0.7)


@pytest.mark.slow
def test_a_centre_that_is_too_loud_is_seen():
    less, more = (balance(PAIR, parameters={"center_level_db": level}) for level in (0.0, 6.0))
    gained = {name: more.loudness_lu[name] - less.loudness_lu[name] for name in less.loudness_lu}
    assert gained["mono"] - gained["left"] == pytest.approx(6.0, abs=0.5)
    assert gained["left"] == pytest.approx(gained["right"], abs=0.1)
    np.testing.assert_allclose(more.third_db["mono"] - less.third_db["mono"], gained["mono"], atol=0.5)


@pytest.mark.slow
def test_figures_of_filters_are_those_of_the_engine():
    """The laptop, plain: one from the responses of its filters, one from noise through the engine."""
    of_filters, of_engine = balance_of(shipped("laptop"))["plain"], balance("laptop", parameters=PLAIN)
    for name, level in of_engine.loudness_lu.items():
        assert of_filters.loudness_lu[name] == pytest.approx(level, abs=0.3)
        np.testing.assert_allclose(of_filters.third_db[name], of_engine.third_db[name], atol=1.0)
    error_deg = panning_error_deg(shipped("laptop"))
    laptop = load_device(DEVICES / "laptop.toml")
    played = panning("laptop", laptop, parameters=PLAIN)
    assert error_deg["time"]["plain"] == pytest.approx(played.time_error_deg, abs=0.5)
    assert error_deg["level"]["plain"] == pytest.approx(played.level_error_deg, abs=1.5)


def test_programmes_are_panned_at_constant_power():
    played = programmes(seconds=1.0)
    power = {name: np.sum(np.square(audio, dtype=np.float64)) for name, audio in played.items()}
    assert power["mono"] == pytest.approx(power["left"], rel=1e-4)
    assert power["between"] == pytest.approx(power["left"], rel=1e-4)
    assert power["decorrelated"] == pytest.approx(power["left"], rel=0.02)
    np.testing.assert_allclose(np.sum(pan_gains(np.linspace(-100, 100, 9)) ** 2, axis=0), 1.0)
    np.testing.assert_allclose((THIRDS_HZ[0], THIRDS_HZ[-1]), (99.2, 12_699.2), rtol=1e-3)
    np.testing.assert_allclose((OCTAVES_HZ[0], OCTAVES_HZ[-1]), (62.5, 16_000.0))
