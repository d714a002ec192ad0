"""VST3 automation inside a block, from a host of our own: points are heard at their times, at any block length."""

import subprocess

import numpy as np
import pytest

from forestage import PARAMS, Renderer
from forestage.host import plugin_state
from plugin_sound import NULL, noise
from vst3_host import CHECKS, Point, Vst3Plugin, plugin_binary

PRESET = "smart-speaker"
SAMPLE_RATE = 48_000
GLIDE_FRAMES = 960  # 20 ms
LONG = 8192
SET_BY_HOSTS = [row for row in PARAMS if row.is_kept]


def plain(name: str, value: float) -> float:
    """A value from 0 to 1 in the unit of the table."""
    row = next(row for row in PARAMS if row.id == name)
    values = range(len(row.choices)) if row.choices else [row.min_value + value * (row.max_value - row.min_value)]
    return min(values, key=lambda plain: abs(row.normalised(plain) - value))


STATE = plugin_state(PRESET, "laptop", monitor="Headphones", level_match=False).encode()
HELD = {"level_match": 0.0}  # by the state, from 0 to 1, where it is not the default


@pytest.fixture(scope="module")
def instance():
    plugin = Vst3Plugin()
    yield plugin
    plugin.close()


@pytest.fixture
def plugin(instance):
    instance.stop()
    instance.state = STATE
    instance.start(SAMPLE_RATE, LONG)
    return instance


def core(x: np.ndarray, changes: list[tuple[int, str, float]]) -> np.ndarray:
    """The engine, split where a value changes."""
    renderer = Renderer(PRESET, b="laptop", sample_rate=SAMPLE_RATE, monitor="Headphones", level_match=False)
    parts, start = [], 0
    for frame, name, value in sorted(changes):
        if frame > start:
            parts.append(renderer.process(x[:, start:frame]))
        row = next(row for row in PARAMS if row.id == name)
        number = plain(name, value)
        texts = ("Off", "On") if row.kind == "toggle" else row.choices
        renderer.set(**{name: number if row.kind == "linear" else texts[round(number)]})
        start = frame
    return np.concatenate([*parts, renderer.process(x[:, start:])], axis=1)


def in_blocks(plugin: Vst3Plugin, x: np.ndarray, points: list[Point], block: int) -> np.ndarray:
    """Points carry the frame in `x`; each goes to its block."""
    parts = []
    for start in range(0, x.shape[1], block):
        here = [(name, frame - start, value) for name, frame, value in points if start <= frame < start + block]
        parts.append(plugin.process(x[:, start : start + block], here))
    return np.concatenate(parts, axis=1)


@pytest.mark.parametrize("before", [[], [("output_trim_db", 13_999, 0.5)]], ids=["one point", "two points"])
def test_a_jump_is_heard_at_its_point(plugin, before):
    x = noise(2 * LONG)
    y = in_blocks(plugin, x, [*before, ("output_trim_db", 14_000, 0.75)], LONG)
    np.testing.assert_allclose(y, core(x, [(14_000, "output_trim_db", 0.75)]), atol=NULL)


def test_every_parameter_changes_at_its_point_and_back(plugin):
    """One after the other, each with time for what has to warm up first."""
    span = 3 * LONG
    changes = []
    for row in SET_BY_HOSTS:
        held = HELD.get(row.id, row.normalised(row.default_value))
        for value in (0.0 if held > 0.5 else 1.0, held):
            changes.append((len(changes) * span + 5000, row.id, value))
    x = noise(len(changes) * span)
    y = in_blocks(plugin, x, [(name, frame, value) for frame, name, value in changes], LONG)
    expected = core(x, changes)
    for index, change in enumerate(changes):
        here = np.s_[:, index * span : (index + 1) * span]
        np.testing.assert_allclose(y[here], expected[here], atol=NULL, err_msg=str(change))


@pytest.mark.parametrize("block", [32, 480, 1000, LONG])
def test_a_line_is_a_line_at_any_block_length(plugin, block):
    """As VST3 sends lines: one point on the last frame of each block."""
    frames = 3 * LONG
    x = noise(frames)
    ends = [*range(block - 1, frames, block)]
    y = in_blocks(plugin, x, [("output_trim_db", n, 0.5 + 0.5 * n / frames) for n in ends], block)
    played = (ends[-1] + 1) // 32 * 32
    expected = core(x, [(n, "output_trim_db", 0.5 + 0.5 * n / frames) for n in range(32, played, 32)])
    for start in range(GLIDE_FRAMES, played - GLIDE_FRAMES, GLIDE_FRAMES):
        levels = [np.sqrt((z[:, start : start + GLIDE_FRAMES] ** 2).mean()) for z in (y, expected)]
        assert 20 * np.log10(levels[0] / levels[1]) == pytest.approx(0, abs=0.1)


def test_lines_and_jumps_of_many_parameters_in_one_block(plugin):
    x = noise(LONG)
    points = [
        ("amount", 1000, 1.0), ("amount", 3000, 0.0), ("slot", 4000, 1.0), ("bypass", 6000, 1.0), ("bypass", 7000, 0.0),
        ("output_trim_db", 500, 0.6), (12345, 700, 1.0),
    ]  # fmt: skip
    line = [(n, "amount", 1.0 - (n - 1000) / 2000) for n in range(1000, 3001, 32)]
    changes = [(4000, "slot", 1.0), (6000, "bypass", 1.0), (7000, "bypass", 0.0), (500, "output_trim_db", 0.6)]
    y = plugin.process(x, points)
    np.testing.assert_allclose(y, core(x, [*line, (3000, "amount", 0.0), *changes]), atol=1e-3)


def test_points_out_of_order_and_out_of_the_block_are_put_in_their_places(plugin):
    x = noise(4800)
    y = plugin.process(x, [("solo", 4000, 1.0), ("solo", 1000, 1 / 3), ("room", -5, 1.0), ("upmix", 9999, 1.0)])
    np.testing.assert_allclose(y, core(x, [(0, "room", 1.0), (1000, "solo", 1 / 3), (4000, "solo", 1.0)]), atol=NULL)
    y = plugin.process(x)  # what was last in time stays
    expected = core(np.concatenate([x, x], 1), [(0, "room", 1.0), (1000, "solo", 1 / 3), (4000, "solo", 1.0)])
    np.testing.assert_allclose(y, expected[:, 4800:], atol=NULL)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_points_that_are_no_numbers_are_ignored(plugin, bad):
    x = noise(4800)
    y = plugin.process(x, [("output_trim_db", 100, bad), ("slot", 200, bad)])
    np.testing.assert_allclose(y, core(x, []), atol=NULL)


def test_a_block_without_frames_sets_parameters(plugin):
    plugin.process(noise(480))
    plugin.process(noise(0), [("output_trim_db", 0, 0.75)])
    y = plugin.process(noise(480))
    x = np.concatenate([noise(480), noise(480)], axis=1)
    np.testing.assert_allclose(y, core(x, [(480, "output_trim_db", 0.75)])[:, 480:], atol=NULL)


def test_nan_silences_its_whole_block_with_automation_too(plugin):
    x = noise(4800)
    x[0, 100] = np.nan
    assert not plugin.process(x, [("output_trim_db", 2000, 0.75)]).any()


def test_processing_never_allocates_or_throws():
    check = CHECKS / "check_vst3_real_time"
    done = subprocess.run([check, plugin_binary()], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
