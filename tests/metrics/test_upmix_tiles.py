"""The upmix in numpy: it is the core's, its steps are what they say, and its bound is one."""

from types import SimpleNamespace

import numpy as np
import pytest
from upmix_tiles import (
    GAIN_FALL_S,
    LEAK_AVERAGE_S,
    LEAK_RIDGE,
    QUALITIES,
    best_gain,
    center_of,
    held,
    leak_share,
    tiles_of,
)

from forestage import _core
from signals import rms_db, tone


def mix(frames=24_000):
    """A voice of harmonics between a noise at the left and a narrowly panned tone."""
    rng = np.random.default_rng(0)
    center = 0.1 * np.sign(tone(hz=440, frames=frames)[0])
    sides = 0.1 * np.stack([rng.standard_normal(frames), 0.5 * rng.standard_normal(frames)])
    return center, center + sides + np.array([[1.0], [0.5]]) * tone(frames=frames)[0]


@pytest.mark.parametrize("name", QUALITIES)
def test_centre_is_that_of_the_core(name):
    _, x = mix()
    processor = _core.Upmix(48_000, 1.0, name)
    late = processor.latency_frames
    played = processor.process(np.pad(x, ((0, 0), (0, late))).astype(np.float32))[2, late:]
    assert rms_db(center_of(x, QUALITIES[name]) - played) - rms_db(played) <= -100


@pytest.mark.parametrize("quality", QUALITIES.values())
def test_spectra_and_back_is_the_sound(quality):
    sound = mix()[1][0]
    np.testing.assert_allclose(quality.sound(quality.spectra(sound), sound.size), sound, atol=1e-5)


@pytest.mark.parametrize("quality", QUALITIES.values())
def test_no_real_gain_of_mid_comes_nearer_than_the_best(quality):
    center, x = mix()
    tile, truth = tiles_of(x, quality), quality.spectra(center)
    best = np.abs(best_gain(truth, tile) - truth) ** 2
    for gain in (0.0, 0.3, 0.7, 1.0):
        assert np.all(best <= np.abs(gain * tile.mid - truth) ** 2 * 1.001 + 1e-9)


@pytest.mark.parametrize("quality", QUALITIES.values())
def test_gains_rise_at_once_and_fall_by_their_time_constant(quality):
    gain = np.concatenate([np.zeros(3), np.ones(3), np.zeros(100)])[:, None].astype(np.float32)
    found = held(gain, quality)[:, 0]
    np.testing.assert_array_equal(found[:6], gain[:6, 0])
    time_s = np.arange(1, 101) * quality.hop / 48_000
    np.testing.assert_allclose(found[6:], np.exp(-time_s / GAIN_FALL_S), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("quality", QUALITIES.values())
def test_what_center_and_side_share_for_long_is_taken_out_as_far_as_the_side_is_loud(quality):
    """Of a centre c + b s it leaves b ridge |c|^2 / (|s|^2 + ridge |c|^2) of s, both of power 1 here but for b."""
    frames = round(8 * LEAK_AVERAGE_S * 48_000 / quality.hop)
    rng = np.random.default_rng(0)
    alone, side = rng.standard_normal((2, frames, 64, 2)) @ [1, 1j] / np.sqrt(2)
    center = alone + 0.3 * side
    tile = SimpleNamespace(side=side, powers=[None, np.abs(side) ** 2])
    left = center - leak_share(center, tile, quality) * side
    settled = slice(frames // 2, None)
    share = np.mean((left * side.conj()).real[settled]) / np.mean(np.abs(side[settled]) ** 2)
    assert share == pytest.approx(0.3 * (1 - 1 / (1 + LEAK_RIDGE * 1.09)), abs=0.02)
