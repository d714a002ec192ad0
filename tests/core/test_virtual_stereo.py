"""Virtual pair: the running block against the rigid-sphere head, whose responses it approximates in closed form."""

import numpy as np
import pytest

from forestage import Renderer, _core
from kinds import FLAT, first_fast
from signals import db, impulse, in_blocks, noise, peak_db, tone
from sphere import sphere_ears

FREQUENCY_HZ = np.geomspace(200, 8000, 200)
LATENCY_FRAMES = 16


def sphere_far_over_near(width_deg):
    """Far over near ear for a source at 2 m, by a series of its own."""
    near, far = sphere_ears(width_deg, FREQUENCY_HZ)
    return far / near


def running_far_over_near(width_deg, sample_rate):
    y = _core.VirtualStereo(sample_rate, width_deg, 1.0).process(impulse(frames=2048, level=1.0))
    kernel = np.exp(-2j * np.pi * np.outer(FREQUENCY_HZ / sample_rate, np.arange(2048)))
    near, far = kernel @ y.T.astype(np.float64)[:, 0], kernel @ y.T.astype(np.float64)[:, 1]
    return far / near


@pytest.mark.parametrize("sample_rate", first_fast([44_100, 48_000, 96_000, 192_000]))
@pytest.mark.parametrize("width_deg", [10, 15, 20, 25, 30, 40, 45, 50, 60])
def test_far_ear_follows_the_sphere(width_deg, sample_rate):
    """Complex error 10 log10(mean |m - R|^2 / mean |R|^2) <= -20 dB, 200 Hz to 8 kHz."""
    truth = sphere_far_over_near(width_deg)
    error = running_far_over_near(width_deg, sample_rate) - truth
    assert 10 * np.log10(np.mean(np.abs(error) ** 2) / np.mean(np.abs(truth) ** 2)) <= -20


@pytest.mark.parametrize("width_deg", [0, 7.5, 30, 90])
def test_near_ear_is_delayed_and_nothing_else(width_deg):
    x = noise(frames=4000)
    x[1] = 0
    near = _core.VirtualStereo(48_000, width_deg, 1.0).process(x)[0]
    assert np.array_equal(near[LATENCY_FRAMES:], x[0, :-LATENCY_FRAMES])


def test_zero_width_puts_both_channels_at_both_ears():
    x = noise(frames=4000)
    y = _core.VirtualStereo(48_000, 0.0, 1.0).process(x)
    both = (x[0] + x[1])[:-LATENCY_FRAMES]
    assert np.max(db(y[:, LATENCY_FRAMES:] - both)) <= -120


def test_no_crosstalk_leaves_the_far_ear_silent():
    x = noise(frames=4000)
    x[1] = 0
    assert not _core.VirtualStereo(48_000, 30.0, 0.0).process(x)[1].any()


def test_swapped_channels_swap_the_ears():
    x = noise(frames=4000)
    straight = _core.VirtualStereo(48_000, 30.0, 1.0).process(x)
    swapped = _core.VirtualStereo(48_000, 30.0, 1.0).process(x[::-1].copy())
    assert np.array_equal(swapped, straight[::-1])


def test_any_split_into_blocks_gives_the_same_output():
    x = noise(frames=6000)
    whole = _core.VirtualStereo(48_000, 30.0, 1.0).process(x)
    assert np.max(db(in_blocks(_core.VirtualStereo(48_000, 30.0, 1.0).process, x, [1, 17, 64, 480]) - whole)) <= -120


@pytest.mark.parametrize(("before_deg", "after_deg"), [(0, 1), (90, 89), (90, 89.97), (30, 60)])
def test_a_width_that_moves_sounds_the_same_in_any_split_into_blocks(before_deg, after_deg):
    """The ends of the range as well, beyond which there is nothing to look at."""
    x = noise(frames=3840)

    def played(sizes):
        renderer = Renderer(FLAT[0], monitor="Headphones", stage_width_deg=before_deg)
        in_blocks(renderer.process, x, [480])
        renderer.set(stage_width_deg=after_deg)
        return in_blocks(renderer.process, x[:, :1920], sizes)

    whole = played([128])
    assert peak_db(played([1]) - whole) - peak_db(whole) <= (-95 if abs(after_deg - before_deg) > 0.5 else -110)


@pytest.mark.parametrize(("start_deg", "there_deg", "frames", "most_db"), [(30, 60, 415, -113), (0, 90, 799, -98)])
def test_a_width_that_turns_sounds_the_same_in_any_split_into_blocks(start_deg, there_deg, frames, most_db):
    """It turns between frames whose filters are found at once, and is nearly alike at both ends of them."""
    x = tone(hz=15_000, frames=4000, level=1.0)

    def played(sizes):
        renderer = Renderer(FLAT[0], monitor="Headphones", upmix=0, safe_headroom="Off", stage_width_deg=start_deg)
        renderer.process(x)
        renderer.set(stage_width_deg=there_deg)
        first = in_blocks(renderer.process, x[:, :frames], sizes)
        renderer.set(stage_width_deg=start_deg)
        return np.hstack([first, in_blocks(renderer.process, x[:, frames:], sizes)])

    whole = played([256])
    assert peak_db(played([1]) - whole) - peak_db(whole) <= most_db


@pytest.mark.parametrize("width_deg", np.arange(0, 90, 5))
def test_closed_form_grows_with_the_angle(width_deg):
    here, wider = _core.far_ear(width_deg), _core.far_ear(width_deg + 5)
    assert wider.delay_s > here.delay_s
    assert here.zero_hz >= here.pole_hz > 0
