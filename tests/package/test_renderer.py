"""Python face of the engine: shapes, types and hints."""

import numpy as np
import pytest

import forestage
from forestage import Renderer
from make_preset import make_preset
from signals import noise, peak_db


@pytest.mark.parametrize(
    ("x", "error", "hint"),
    [
        (np.zeros(480, np.float32), ValueError, r"numpy.stack\(\[x, x\]\)"),
        (np.zeros((480, 2), np.float32), ValueError, "pass x.T"),
        (np.zeros((3, 480), np.float32), ValueError, r"shape \(3, 480\); \(2, frames\)"),
        (np.zeros((1, 2, 480), np.float32), ValueError, r"\(2, frames\) would be right"),
        (np.zeros((2, 0), np.float32), ValueError, "no frames"),
        (np.zeros((2, 480), np.int16), TypeError, "dtype int16; .*divide by 32768"),
        (np.zeros((2, 480), np.complex64), TypeError, "dtype complex64"),
        (np.zeros((2, 480), bool), TypeError, "dtype bool"),
        ("music.wav", TypeError, "dtype"),
    ],
)
def test_wrong_audio_is_an_error_with_a_hint(x, error, hint):
    renderer = Renderer("laptop")
    with pytest.raises(error, match=hint):
        renderer.process(x)


def test_wrong_audio_loses_nothing():
    x = noise(frames=1000)
    renderer = Renderer("laptop")
    first = renderer.process(x[:, :500])
    with pytest.raises(ValueError, match="shape"):
        renderer.process(x.T)
    second = renderer.process(x[:, 500:])
    assert peak_db(np.concatenate([first, second], axis=1) - Renderer("laptop").process(x)) <= -120


@pytest.mark.parametrize(
    "make", [np.asfortranarray, lambda x: x.astype(np.float64), lambda x: np.repeat(x, 2, 1)[:, ::2]]
)
def test_any_floating_layout_is_read(make):
    x = noise(frames=1000)
    assert np.array_equal(Renderer("laptop").process(make(x)), Renderer("laptop").process(x))


def test_speakers_give_one_row_per_driver_and_ears_two():
    x = noise(frames=100)
    assert Renderer("smart-speaker", monitor="Speakers").process(x).shape == (3, 100)
    assert Renderer("smart-speaker").process(x).shape == (2, 100)
    assert Renderer("smart-speaker").process(x).dtype == np.float32


def test_presets_come_by_name_path_dict_and_object(tmp_path):
    x = noise(frames=1000)
    path = forestage.factory_presets()["laptop"]
    expected = Renderer("laptop").process(x)
    assert np.array_equal(Renderer(path).process(x), expected)
    assert np.array_equal(Renderer(str(path)).process(x), expected)
    assert np.array_equal(Renderer(forestage.load_preset(path)).process(x), expected)
    assert Renderer(make_preset()).process(x).shape == (2, 1000)


def test_a_missing_preset_says_which_there_are():
    with pytest.raises(FileNotFoundError, match="no preset 'boombox': .*laptop, smart-speaker"):
        Renderer("boombox")


def test_keywords_are_parameter_ids():
    with pytest.raises(ValueError, match="no parameter is called 'volume'"):
        Renderer("laptop", volume=3)
    assert Renderer("laptop", stage_width_deg=45, solo="Center").params["stage_width_deg"] == "45 deg"
