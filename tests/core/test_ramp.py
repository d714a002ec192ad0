"""A parameter on its way to its target: two moving averages, by an oracle that sums them."""

import numpy as np
import pytest

from forestage import _core

START = 0.25


def average_frames(sample_rate):
    return max(1, round(0.02 * sample_rate) // 2)


def two_averages(targets, length, start=START):
    """Of a target for each frame, `start` before them."""
    padded = np.concatenate([np.full(2 * length, start), targets])
    sums = np.cumsum(np.concatenate([[0.0], padded]))
    once = (sums[length:] - sums[:-length]) / length
    sums = np.cumsum(np.concatenate([[0.0], once]))
    twice = (sums[length:] - sums[:-length]) / length
    return twice[-len(targets) :]


def follow(ramp, targets, frames):
    """Values of a ramp whose target is the next of `targets` in front of each of so many frames."""
    values = []
    for target, count in zip(targets, frames, strict=True):
        ramp.glide_to(target)
        values.append(ramp.advance(count))
    return np.concatenate(values)


@pytest.mark.parametrize("sample_rate", [8000, 44_100, 48_000, 192_000, 768_000])
@pytest.mark.parametrize("most_frames", [1, 40, 5000])
def test_targets_of_any_kind_are_averaged_twice(sample_rate, most_frames):
    length = average_frames(sample_rate)
    random = np.random.default_rng(most_frames)
    frames = random.integers(1, most_frames + 1, size=max(8, 10 * length // most_frames))
    targets = np.float32(random.uniform(-1, 1, size=len(frames)))
    values = follow(_core.Ramp(sample_rate, START), targets, frames)
    ideal = two_averages(np.repeat(np.float64(targets), frames), length)
    assert np.max(np.abs(values - ideal)) <= 3e-7


def test_a_step_arrives_in_20_ms_at_the_very_target():
    ramp = _core.Ramp(48_000, START)
    ramp.glide_to(0.1)
    values = ramp.advance(960)
    assert np.all(np.diff(values) <= 1e-7)
    assert values[-2] > np.float32(0.1) - 1e-7
    assert ramp.is_steady
    assert values[-1] == np.float32(0.1)
    assert np.all(ramp.advance(500) == np.float32(0.1))


def test_a_target_taken_back_is_where_it_was():
    ramp = _core.Ramp(48_000, START)
    ramp.glide_to(1.0)
    ramp.glide_to(START)
    assert np.all(np.abs(ramp.advance(960) - START) <= 1e-7)
    assert ramp.is_steady


def test_no_error_is_left_of_an_hour_that_never_rests():
    """Steps every 128 frames, with fractions that no sum of floats holds."""
    random = np.random.default_rng(3)
    ramp = _core.Ramp(48_000, START)
    targets = np.float32(random.uniform(0, 90, size=3600 * 48_000 // 128))
    for target in targets:
        ramp.glide_to(target)
        late = ramp.advance(128)
    ideal = two_averages(np.repeat(np.float64(targets[-20:]), 128), average_frames(48_000))
    assert np.max(np.abs(late - ideal[-128:])) <= 3e-5


@pytest.mark.parametrize("sample_rate", [48_000, 44_100])
def test_any_split_gives_the_same_values(sample_rate):
    targets = np.float32(np.random.default_rng(5).uniform(0, 90, size=64))
    whole = follow(_core.Ramp(sample_rate, START), targets, [300] * 64)
    split = _core.Ramp(sample_rate, START)
    pieces = []
    for target in targets:
        split.glide_to(target)
        pieces += [split.advance(count) for count in (1, 7, 64, 28, 200)]
    assert np.array_equal(whole, np.concatenate(pieces))


def test_gains_beyond_all_reason_arrive_as_well():
    ramp = _core.Ramp(768_000, -1e6)
    ramp.glide_to(1e9)
    assert np.all(np.isfinite(ramp.advance(15_360)))
    assert ramp.advance(1)[0] == np.float32(1e9)
