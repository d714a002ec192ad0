"""The FIR matrix of the core: against scipy, and over every way to split a signal into blocks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from scipy.signal import fftconvolve

from forestage._core import FirMatrix

SEED = 20
FRAMES = 3000
# Filters of unit energy, full-scale input. Single precision leaves about -139 dB rms; peaks stand 12-15 dB above.
PEAK_DB = -120.0
RMS_DB = -132.0


def make_taps(outputs: int, inputs: int, taps: int) -> np.ndarray:
    """Random filters; the energies of all that reach one output add up to 1."""
    h = np.random.default_rng(SEED).standard_normal((outputs, inputs, taps))
    h /= np.sqrt(np.sum(h**2, axis=(1, 2), keepdims=True))
    return h.astype(np.float32)


def make_input(inputs: int, frames: int = FRAMES) -> np.ndarray:
    """Full-scale white noise."""
    return np.random.default_rng(SEED + 1).uniform(-1, 1, (inputs, frames)).astype(np.float32)


def expected(taps: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The same matrix in double precision."""
    convolved = fftconvolve(taps.astype(float), x.astype(float)[None], axes=-1)
    return convolved.sum(axis=1)[:, : x.shape[1]]


def in_blocks(matrix: FirMatrix, x: np.ndarray, sizes: Iterable[int]) -> np.ndarray:
    """Process x in blocks of the given sizes, which must add up to its frames."""
    blocks = []
    start = 0
    for size in sizes:
        blocks.append(matrix.process(np.ascontiguousarray(x[:, start : start + size])))
        start += size
    assert start == x.shape[1]
    return np.concatenate(blocks, axis=1)


def repeated(size: int, frames: int) -> list[int]:
    """Blocks of one size, and the rest."""
    return [size] * (frames // size) + [frames % size]


def random_sizes(frames: int, seed: int) -> list[int]:
    """Empty, single-frame, short and long blocks, mixed."""
    rng = np.random.default_rng(seed)
    sizes = []
    left = frames
    while left > 0:
        size = min(left, int(rng.choice([0, 1, rng.integers(2, 40), rng.integers(40, 700)])))
        sizes.append(size)
        left -= size
    return sizes


def peak_db(x: np.ndarray) -> float:
    """Largest magnitude, dB re full scale."""
    return float(20 * np.log10(np.max(np.abs(x), initial=1e-12)))


def rms_db(x: np.ndarray) -> float:
    """Root mean square, dB re full scale."""
    return float(20 * np.log10(np.sqrt(np.mean(np.square(x, dtype=float))) + 1e-12))


@pytest.mark.parametrize("taps", [1, 2, 63, 64, 65, 127, 128, 129, 256, 1024])
@pytest.mark.parametrize(("inputs", "outputs"), [(1, 1), (2, 2), (2, 3), (3, 2), (2, 5), (1, 8)])
def test_output_equals_scipy(inputs: int, outputs: int, taps: int) -> None:
    h = make_taps(outputs, inputs, taps)
    x = make_input(inputs)
    error = FirMatrix(h).process(x) - expected(h, x)
    assert peak_db(error) <= PEAK_DB
    assert rms_db(error) <= RMS_DB


@pytest.mark.parametrize("partition_frames", [16, 32, 64, 128, 256])
@pytest.mark.parametrize("distance", [-1, 0, 1])
def test_output_equals_scipy_around_whole_partitions(partition_frames: int, distance: int) -> None:
    h = make_taps(3, 2, 3 * partition_frames + distance)
    x = make_input(2)
    error = FirMatrix(h, partition_frames=partition_frames).process(x) - expected(h, x)
    assert peak_db(error) <= PEAK_DB


@pytest.mark.parametrize("block", [1, 17, 32, 64, 127, 128, 480, 1024])
@pytest.mark.parametrize("taps", [1, 100, 256, 1024])
def test_blocks_of_any_size_give_the_same_output(taps: int, block: int) -> None:
    h = make_taps(3, 2, taps)
    x = make_input(2)
    output = in_blocks(FirMatrix(h), x, repeated(block, FRAMES))
    assert peak_db(output - FirMatrix(h).process(x)) <= PEAK_DB


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("partition_frames", [0, 32, 512])
def test_random_splits_give_the_same_output(partition_frames: int, seed: int) -> None:
    h = make_taps(3, 2, 700)
    x = make_input(2)
    whole = FirMatrix(h, partition_frames=partition_frames).process(x)
    split = in_blocks(FirMatrix(h, partition_frames=partition_frames), x, random_sizes(FRAMES, seed))
    assert peak_db(split - whole) <= PEAK_DB


@pytest.mark.parametrize("block", [1, 17, 64, 3000])
def test_impulse_comes_out_without_latency(block: int) -> None:
    h = make_taps(2, 1, 300)
    x = np.zeros((1, FRAMES), dtype=np.float32)
    x[0, 0] = 1.0
    matrix = FirMatrix(h)
    output = in_blocks(matrix, x, repeated(block, FRAMES))
    assert matrix.latency_frames == 0
    assert peak_db(output[:, :300] - h[:, 0]) <= PEAK_DB
    assert peak_db(output[:, 300:]) <= PEAK_DB


@pytest.mark.parametrize(("before", "after"), [(32, 128), (128, 32), (64, 1000), (1, 64)])
def test_calls_may_be_of_another_length_after_a_reset(before: int, after: int) -> None:
    h = make_taps(3, 2, 256)  # cut in several ways, of which the first call chooses one
    x = make_input(2)
    matrix = FirMatrix(h)
    in_blocks(matrix, x, repeated(before, FRAMES))
    matrix.reset()
    output = in_blocks(matrix, x, repeated(after, FRAMES))
    np.testing.assert_array_equal(output, in_blocks(FirMatrix(h), x, repeated(after, FRAMES)))
    assert peak_db(output - expected(h, x)) <= PEAK_DB


@pytest.mark.parametrize(("taps", "block"), [(1024, 256), (1024, 512), (3000, 512), (9000, 2048)])
def test_long_first_calls_choose_long_partitions(taps: int, block: int) -> None:
    h = make_taps(3, 2, taps)
    x = make_input(2, 8192)
    chosen = FirMatrix(h, partition_frames=block)
    np.testing.assert_array_equal(
        in_blocks(FirMatrix(h), x, repeated(block, 8192)), in_blocks(chosen, x, repeated(block, 8192))
    )


@pytest.mark.parametrize("after", [60, 128, 256, 512, 2048])
@pytest.mark.parametrize("taps", [1100, 3000, 9000])
def test_partitions_of_any_length_follow_those_of_another_after_a_reset(taps: int, after: int) -> None:
    h = make_taps(2, 2, taps)
    h[0, 1] = h[1, 0] = 0.0  # two filters apart, one short enough to do with fewer levels
    h[1, 1, taps // 3 :] = 0.0
    x = make_input(2, 8192)
    for before in (2048, 512, 128):
        matrix = FirMatrix(h)
        in_blocks(matrix, x, repeated(before, 8192))
        matrix.reset()
        assert peak_db(in_blocks(matrix, x, repeated(after, 8192)) - expected(h, x)) <= PEAK_DB


def test_reset_equals_fresh() -> None:
    h = make_taps(3, 2, 500)
    x = make_input(2)
    matrix = FirMatrix(h)
    in_blocks(matrix, x, random_sizes(FRAMES, seed=1))
    matrix.reset()
    sizes = random_sizes(FRAMES, seed=2)
    np.testing.assert_array_equal(in_blocks(matrix, x, sizes), in_blocks(FirMatrix(h), x, sizes))


def test_silence_in_gives_exact_silence_out() -> None:
    output = FirMatrix(make_taps(3, 2, 300)).process(np.zeros((2, FRAMES), dtype=np.float32))
    assert not output.any()


def test_silent_row_stays_exactly_silent_and_leaves_the_others_alone() -> None:
    h = make_taps(3, 2, 256)
    h[2] = 0.0
    x = make_input(2)
    output = in_blocks(FirMatrix(h), x, repeated(100, FRAMES))
    assert not output[2].any()
    assert peak_db(output - expected(h, x)) <= PEAK_DB


def test_input_without_paths_is_not_heard() -> None:
    h = make_taps(2, 2, 256)
    h[:, 1] = 0.0
    x = make_input(2)
    other = x.copy()
    other[1] = -0.5
    np.testing.assert_array_equal(FirMatrix(h).process(x), FirMatrix(h).process(other))


def test_matrix_of_zeros_is_silent() -> None:
    output = FirMatrix(np.zeros((2, 2, 64), dtype=np.float32)).process(make_input(2))
    assert output.shape == (2, FRAMES)
    assert not output.any()


@pytest.mark.parametrize("seed", range(6))
def test_sparse_matrix_equals_scipy(seed: int) -> None:
    h = make_taps(5, 4, 200)
    h[np.random.default_rng(seed).random((5, 4)) < 0.7] = 0.0
    x = make_input(4)
    output = in_blocks(FirMatrix(h), x, random_sizes(FRAMES, seed))
    assert peak_db(output - expected(h, x)) <= PEAK_DB


def test_matrix_is_linear() -> None:
    h = make_taps(3, 2, 300)
    a = 0.5 * make_input(2)
    b = np.ascontiguousarray(a[:, ::-1])
    sum_of_outputs = FirMatrix(h).process(a) + FirMatrix(h).process(b)
    assert peak_db(FirMatrix(h).process(a + b) - sum_of_outputs) <= PEAK_DB


def test_nan_in_the_input_is_forgotten() -> None:
    h = make_taps(2, 2, 256)
    x = make_input(2, 500)
    x[0, 100] = np.nan
    matrix = FirMatrix(h)
    matrix.process(x)
    output = matrix.process(make_input(2))
    assert np.isfinite(output[:, 512:]).all()


LONG_FRAMES = 40_000  # covers the longest of the filters below
longs = pytest.mark.parametrize("taps", [4097, 8193, 24_000, 33_000])  # two levels, then three


@longs
@pytest.mark.parametrize(("inputs", "outputs"), [(3, 2), (2, 5)])
def test_long_filters_equal_scipy(inputs: int, outputs: int, taps: int) -> None:
    h = make_taps(outputs, inputs, taps)
    x = make_input(inputs, LONG_FRAMES)
    error = FirMatrix(h).process(x) - expected(h, x)
    assert peak_db(error) <= PEAK_DB
    assert rms_db(error) <= RMS_DB


@longs
@pytest.mark.parametrize("block", [17, 64, 128, 480, 1024])
def test_long_filters_give_the_same_output_in_blocks_of_any_size(taps: int, block: int) -> None:
    h = make_taps(2, 3, taps)
    x = make_input(3, LONG_FRAMES)
    output = in_blocks(FirMatrix(h), x, repeated(block, LONG_FRAMES))
    assert peak_db(output - FirMatrix(h).process(x)) <= PEAK_DB


@longs
@pytest.mark.parametrize("seed", range(2))
def test_long_filters_give_the_same_output_in_random_splits(taps: int, seed: int) -> None:
    h = make_taps(2, 3, taps)
    x = make_input(3, LONG_FRAMES)
    output = in_blocks(FirMatrix(h), x, random_sizes(LONG_FRAMES, seed))
    assert peak_db(output - FirMatrix(h).process(x)) <= PEAK_DB


@longs
def test_impulse_through_long_filters_comes_out_without_latency(taps: int) -> None:
    h = make_taps(2, 1, taps)
    x = np.zeros((1, LONG_FRAMES), dtype=np.float32)
    x[0, 0] = 1.0
    output = FirMatrix(h).process(x)
    assert peak_db(output[:, :taps] - h[:, 0]) <= PEAK_DB
    assert peak_db(output[:, taps:]) <= PEAK_DB


@longs
@pytest.mark.parametrize("stop", [300, 9000, 30_000])
def test_long_filters_forget_everything_at_a_reset(taps: int, stop: int) -> None:
    h = make_taps(2, 3, taps)
    x = make_input(3, LONG_FRAMES)
    matrix = FirMatrix(h)
    matrix.process(np.full((3, stop), np.nan, dtype=np.float32))
    matrix.reset()
    np.testing.assert_array_equal(matrix.process(x), FirMatrix(h).process(x))


def test_silence_through_long_filters_is_exact_silence() -> None:
    assert not FirMatrix(make_taps(2, 3, 24_000)).process(np.zeros((3, LONG_FRAMES), dtype=np.float32)).any()


def test_long_and_short_filters_of_one_matrix_equal_scipy() -> None:
    h = make_taps(4, 4, 24_000)
    h[np.random.default_rng(SEED).random((4, 4)) < 0.6] = 0.0
    h[0, :, 100:] = 0.0
    h[1, :, 6000:] = 0.0
    x = make_input(4, LONG_FRAMES)
    output = in_blocks(FirMatrix(h), x, random_sizes(LONG_FRAMES, seed=3))
    assert peak_db(output - expected(h, x)) <= PEAK_DB


@pytest.mark.parametrize("partition_frames", [-64, 8, 48, 100, 16384])
def test_partition_that_is_no_power_of_two_in_range_is_an_error(partition_frames: int) -> None:
    with pytest.raises(ValueError, match=f"partition_frames = {partition_frames}"):
        FirMatrix(make_taps(1, 1, 10), partition_frames=partition_frames)


def with_rests(inputs: int, frames: int = 9000) -> np.ndarray:
    """Noise; the last input is silent at first and again in the middle, long enough to rest, the others in between."""
    x = np.random.default_rng(11).standard_normal((inputs, frames)).astype(np.float32)
    x[-1, :2000] = x[-1, 4000:7000] = 0
    x[:-1, 5000:8000] = 0
    return x


@pytest.mark.parametrize("taps", [24, 300, 1500])
@pytest.mark.parametrize("seed", range(3))
def test_inputs_that_rest_wake_up_as_if_they_had_not(taps, seed):
    """Also after a reset, when what they played before is still in memory."""
    h, x = make_taps(3, 4, taps), with_rests(4)
    matrix = FirMatrix(h)
    matrix.process(np.random.default_rng(12).standard_normal(x.shape).astype(np.float32))
    matrix.reset()
    error = in_blocks(matrix, x, random_sizes(x.shape[1], seed)) - expected(h, x)
    assert peak_db(error) <= PEAK_DB + 20 * np.log10(np.abs(x).max())
