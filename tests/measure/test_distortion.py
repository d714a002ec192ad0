"""What is found of distortion with noise about: played, bent, recorded and deconvolved."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.signal import resample

from forestage import load_device
from forestage.measure.clock import Clock
from forestage.measure.deconvolve import impulses
from forestage.measure.plan import Plan, as_by_ruler, places_for
from forestage.measure.quality import THIRDS_HZ, distortion, harmonics
from forestage.measure.words import _distortion
from kinds import first_fast

DEVICE = as_by_ruler(load_device("laptop"))
PLAN = Plan(DEVICE, places_for(DEVICE, count=5, is_ears=False), length_s=0.5)
LEVEL = 10 ** (PLAN.level_db / 20)
FINER = 4  # so that what is bent does not come back as aliases
INSIDE = (THIRDS_HZ > 150.0) & (THIRDS_HZ < 6000.0)
TREBLE = (THIRDS_HZ > 1500.0) & (THIRDS_HZ < 9000.0)
CASES = [(order, ratio) for order in (2, 3) for ratio in (0.03, 0.1)]


@pytest.fixture(scope="module")
def played():
    return PLAN.audio([0])[0]


def found(audio, noise_dbfs, second=0.0, third=0.0):
    """Distortion of a driver that makes so much of harmonics, which five microphones hear behind so much noise."""
    fine = resample(audio, FINER * len(audio))
    bent = resample(fine + 2 * second / LEVEL * fine**2 - 4 * third / LEVEL**2 * fine**3, len(audio))
    rng = np.random.default_rng(2)
    heard = []
    for _ in PLAN.places_m:
        noise = 10 ** (noise_dbfs / 20) * rng.standard_normal(len(bent))
        each = impulses(bent + noise, Clock(0.0, 1.0), PLAN, [0], 0)
        heard.append(harmonics(each.linear, each.harmonics, PLAN.sample_rate, PLAN.sweep(0).whole_hz[1]))
    return distortion(heard, PLAN.repeats)


def said(measured):
    measurement = SimpleNamespace(
        plan=SimpleNamespace(drivers=DEVICE.drivers[:1]), distortion=[measured], snr_db=np.full((1, 31), 40.0)
    )
    return [str(finding) for finding in _distortion(measurement)]


@pytest.mark.parametrize("noise_dbfs", first_fast([-45.0, -120.0]))
@pytest.mark.parametrize(("order", "ratio"), CASES)
def test_harmonics_are_found_with_and_without_noise(played, order, ratio, noise_dbfs):
    measured = found(played, noise_dbfs, **{"second" if order == 2 else "third": ratio})
    assert measured.found[INSIDE] == pytest.approx(ratio / fundamental(order, ratio), rel=0.08)


def fundamental(order, ratio):
    """What a cubic changes of the fundamental: sin^3 is 3/4 of it."""
    return 1.0 - 3.0 * ratio if order == 3 else 1.0


@pytest.mark.parametrize("noise_dbfs", [-40.0, -32.0, -24.0])
def test_noise_is_no_distortion(played, noise_dbfs):
    """Even where all of it would be many per cent."""
    measured = found(played, noise_dbfs)
    assert measured.found[INSIDE].max() < 0.005  # what so short a sweep's own response leaves before it in the bass
    assert measured.found[TREBLE].max() == 0.0
    (text,) = said(measured)
    assert text.startswith("good: ")


def test_what_noise_hides_is_said(played):
    quiet, loud = (found(played, noise_dbfs) for noise_dbfs in (-50.0, -30.0))
    assert said(quiet)[0].startswith("good: distortion is at most")
    assert "no distortion of more than 3 % stands out of the noise, which may hide up to" in said(loud)[0]
    # Noise that is 20 dB louder hides 20 dB more
    assert loud.hidden[TREBLE] / quiet.hidden[TREBLE] == pytest.approx(10.0, rel=0.1)


def test_distortion_is_said_through_noise(played):
    text = said(found(played, -40.0, second=0.1))
    assert any(line.startswith("limited: left distorts by up to 10") for line in text), text
