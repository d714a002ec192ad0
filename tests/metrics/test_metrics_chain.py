"""Responses of the chain against the engine that plays the same preset."""

import numpy as np
import pytest

from forestage import Renderer, load_preset
from forestage.design.virtual_pair import closed_form_far_ear
from forestage.firs import response_of
from forestage.metrics.chain import Chain
from kinds import first_fast
from signals import db, impulse
from stub_design import SAMPLE_RATE, pair, shipped, stub_design

FREQUENCY_HZ = np.geomspace(50.0, 16_000.0, 120)
FRAMES = 8192


@pytest.fixture(scope="module", params=["laptop", "smart-speaker"])
def name(request):
    return request.param


def played(name, x, **params):
    """Responses from an impulse to the drivers, without the latency, shape (drivers, n)."""
    settings = {"upmix": 0, "level_match": "Off", "safe_headroom": "Off"} | params
    renderer = Renderer(name, sample_rate=SAMPLE_RATE, monitor="Speakers", **settings)
    feeds = renderer.process(x) / np.abs(x).max()
    assert not load_preset(name).filters(SAMPLE_RATE).driver_eq
    return response_of(feeds, FREQUENCY_HZ, sample_rate=SAMPLE_RATE, delay_frames=renderer.latency_frames)


def aligned(ours, theirs):
    """Ours with the common delay of theirs."""
    turn = theirs * ours.conj()
    slope = np.polyfit(FREQUENCY_HZ, np.unwrap(np.angle(turn.sum(axis=0))), 1)[0]
    return ours * np.exp(1j * slope * FREQUENCY_HZ)


def difference_db(ours, theirs):
    return db(aligned(ours, theirs) - theirs).max() - db(theirs).max()


@pytest.mark.parametrize("width_deg", first_fast([10.0, 30.0, 60.0]))
@pytest.mark.parametrize("channel", [0, 1])
def test_stage_is_what_the_engine_plays(name, width_deg, channel):
    chain = Chain.of(shipped(name), FREQUENCY_HZ, width_deg=width_deg)
    theirs = played(name, impulse(frames=FRAMES, channel=channel, level=1.0), stage_width_deg=width_deg)
    assert difference_db(chain.staged[:, channel], theirs) < -70.0  # float32 taps, interpolated delay


def test_cancellation_is_what_the_engine_plays_without_virtual_crosstalk(name):
    chain = Chain.of(shipped(name), FREQUENCY_HZ)
    theirs = played(name, impulse(frames=FRAMES, level=1.0), stage_crosstalk=0)
    assert difference_db(chain.cancelled[:, 0], theirs) < -90.0


def test_plain_stereo_is_what_the_engine_plays_at_amount_0(name):
    chain = Chain.of(shipped(name), FREQUENCY_HZ)
    theirs = played(name, impulse(frames=FRAMES, level=1.0), amount=0)
    assert difference_db(chain.plain[:, 0], theirs) < -90.0


@pytest.mark.parametrize(("focus", "attribute"), [(100, "center"), (0, "plain_center")])
def test_centre_is_what_the_engine_plays(name, focus, attribute):
    """The same impulse in both channels, all of which the upmix takes for the centre."""
    x = impulse(frames=FRAMES, level=1.0)
    x[1] = x[0]
    theirs = played(name, x, upmix=100, solo="Center", center_focus=focus)
    assert difference_db(getattr(Chain.of(shipped(name), FREQUENCY_HZ), attribute), theirs) < -60.0


def test_without_weights_all_of_the_virtual_crosstalk_is_played():
    chain = Chain.of(stub_design(pair()), FREQUENCY_HZ, width_deg=30.0)
    np.testing.assert_allclose(chain.staged[0, 0], chain.plain[0, 0], rtol=1e-12)
    # the engine's shelf is bilinear: some tenths of a dB at 8 kHz
    np.testing.assert_allclose(chain.staged[1, 0], closed_form_far_ear(30.0, FREQUENCY_HZ), atol=0.04)


def test_equalisers_belong_to_the_device_and_not_to_the_chain():
    """Plants are of feeds in front of the equalisers, so a chain that had them would count them twice."""
    plain, equalised = stub_design(pair()), stub_design(pair())
    equalised.filter_set().driver_eq = np.full((2, 1), 0.5)
    for name in ("plain", "staged", "center"):
        np.testing.assert_array_equal(
            getattr(Chain.of(equalised, FREQUENCY_HZ), name), getattr(Chain.of(plain, FREQUENCY_HZ), name)
        )
