"""The factory presets are a folder in the plugin's bundle: found there, missed with a clear word, never a crash."""

import json
import shutil
import subprocess

import numpy as np
import pedalboard
import pytest

from forestage import Renderer, factory_presets, load_preset, vst3
from forestage.host import install_plugin, plugin_path, plugin_state
from lv2_host import Lv2Plugin
from plugin_sound import NULL, noise

NO_PRESET = "No Preset: Passing Stereo Through"


def put(bundle, **texts):
    for name, text in texts.items():
        (bundle / "Contents/Resources/factory" / f"{name}.json").write_text(text, encoding="utf-8")


def named(name):
    return json.dumps(json.loads(load_preset("laptop").to_json()) | {"name": name})


def programs(plugin):
    """Of 128 places: unused ones are called so, and the last is for presets from elsewhere."""
    places = plugin.parameters["preset"].valid_values
    assert len(places) == 128
    assert places[-1] == "Custom"
    return [name for name in places[:-1] if not name.startswith("Unused ")]


@pytest.fixture(autouse=True)
def _no_presets_of_ones_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


def test_factory_presets_are_the_programs_by_name():
    plugin = pedalboard.VST3Plugin(str(plugin_path("vst3")))
    expected = [load_preset(name).name for name in factory_presets()]
    assert sorted(programs(plugin)) == sorted(expected)


def test_package_holds_each_preset_once():
    package = plugin_path("vst3").parents[1]
    assert len(list(package.rglob("soundbar-7.json"))) == 1
    taps = json.loads(factory_presets()["soundbar-7"].read_text())["filters"][0]["beam"][0][:60].encode()
    binaries = [path for path in package.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"\x7fELF"]
    assert len(binaries) == 5  # the module, all formats, and what hands over to them
    assert not [path for path in binaries if taps in path.read_bytes()]


def test_without_presets_stereo_passes_until_a_session_brings_one(bundle):
    plugin = pedalboard.VST3Plugin(str(bundle))
    assert plugin.parameters["status"].string_value == NO_PRESET
    x = noise(frames=4800)
    np.testing.assert_array_equal(plugin.process(x, 48_000), x)
    state = bundle.parent / "laptop.vstpreset"
    state.write_bytes(vst3.vstpreset(plugin_state("laptop", monitor="Headphones")))
    plugin.load_preset(str(state))
    renderer = Renderer("laptop", monitor="Headphones")
    expected = renderer.process(x)[:, renderer.latency_frames :]
    np.testing.assert_allclose(plugin.process(x, 48_000)[:, : expected.shape[1]], expected, atol=NULL)


def test_broken_presets_are_left_out_or_refused(bundle):
    put(
        bundle, one=named("One"), two=named("Two")[:5000], three=named("Three"), no_name='{"schema": 1}', text="no JSON"
    )
    plugin = pedalboard.VST3Plugin(str(bundle))
    assert programs(plugin) == ["One", "Three", "Two"]
    plugin.preset = "Three"
    assert plugin.preset == "Three"
    plugin.preset = "Two"  # its name can be read, and no more
    plugin.process(noise(frames=480), 48_000)
    assert plugin.preset == "Three"


def test_first_program_is_broken(bundle):
    put(bundle, **{"smart-speaker": named("Smart Speaker")[:5000], "laptop": named("Mine")})
    plugin = pedalboard.VST3Plugin(str(bundle))
    x = noise(frames=4800)
    renderer = Renderer("laptop", monitor="Headphones")  # slot B plays, as slot A is empty
    expected = renderer.process(x)[:, renderer.latency_frames :]
    np.testing.assert_allclose(plugin.process(x, 48_000)[:, : expected.shape[1]], expected, atol=NULL)


def test_installed_lv2_is_complete_without_the_vst3(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    install_plugin()
    shutil.rmtree(tmp_path / ".vst3")
    plugin = Lv2Plugin(tmp_path / ".lv2/Forestage.lv2")
    x = noise(frames=4800)
    assert np.abs(plugin.process(x) - Renderer("smart-speaker", b="laptop").process(x)).max() <= NULL
    plugin.close()


@pytest.mark.parametrize(
    ("environment", "message"),
    [({}, "DISPLAY is not set"), ({"DISPLAY": ":0", "LD_LIBRARY_PATH": "{broken}"}, "no libasound.so.2")],
)
def test_standalone_says_what_it_lacks(tmp_path, environment, message):
    (tmp_path / "libasound.so.2").write_text("no library")
    environment = {name: value.format(broken=tmp_path) for name, value in environment.items()}
    result = subprocess.run([plugin_path("standalone")], env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert message in result.stderr


def test_standalone_alone_says_where_its_code_is_sought(tmp_path):
    program = shutil.copy(plugin_path("standalone"), tmp_path / "Forestage")
    result = subprocess.run([program], env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert f"neither beside {tmp_path} nor in ~/.vst3" in result.stderr
