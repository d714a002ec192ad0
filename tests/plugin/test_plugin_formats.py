"""The other formats: LV2 as hosts see and run it, and the bundles as files."""

import json
import os
import shutil
import subprocess

import numpy as np
import pytest

from forestage import PARAMS, Renderer, load_preset
from forestage.host import plugin_path, plugin_state
from lv2_host import Lv2Plugin
from plugin_sound import NULL, noise

URI = "urn:forestage:forestage"


@pytest.fixture
def lv2():
    plugin = Lv2Plugin(plugin_path("lv2"), sample_rate=48_000, max_block_frames=512)
    yield plugin
    plugin.close()


def play(plugin: Lv2Plugin, x: np.ndarray, **kwargs) -> np.ndarray:
    blocks = np.split(x, range(512, x.shape[1], 512), axis=1)
    return np.concatenate([plugin.process(block, **kwargs) for block in blocks], axis=1)


def lv2_tool(name: str, *args: str) -> str:
    tool = shutil.which(name)
    if tool is None:
        pytest.skip(f"{name} is not installed (Debian: lilv-utils)")
    environment = os.environ | {"LV2_PATH": str(plugin_path("lv2").parent)}
    return subprocess.run([tool, *args], env=environment, check=True, capture_output=True, text=True).stdout


def test_vst3_is_a_bundle():
    assert list((plugin_path("vst3") / "Contents").glob("*/Forestage.*"))


def test_standalone_is_a_program():
    assert os.access(plugin_path("standalone"), os.X_OK)


def test_lilv_finds_the_lv2():
    assert lv2_tool("lv2ls").split() == [URI]


def test_lv2_has_stereo_ports_latency_and_presets():
    info = lv2_tool("lv2info", URI)
    for symbol in ("audio_in_1", "audio_in_2", "audio_out_1", "audio_out_2", "latency", "enabled"):
        assert f"Symbol:      {symbol}\n" in info
    assert "audio_out_3" not in info
    assert "Has latency:       yes" in info
    assert "Designation: http://lv2plug.in/ns/lv2core#latency" in info
    assert "Designation: http://lv2plug.in/ns/lv2core#enabled" in info
    for name in ("smart-speaker", "laptop"):
        assert load_preset(name).name in info


def test_lv2_has_a_choice_for_every_step():
    turtle = (plugin_path("lv2") / "dsp.ttl").read_text(encoding="utf-8")
    monitor = turtle[turtle.index("plug:monitor\n") : turtle.index("plug:slot\n")]
    assert 'rdfs:label "Headphones Reference" ;\n\t\trdf:value 1 ' in monitor
    assert "lv2:maximum 1" in monitor


def test_lv2_nulls_against_the_core_and_reports_its_latency(lv2):
    x = noise(frames=9600)
    renderer = Renderer("smart-speaker", b="laptop")
    y = play(lv2, x)
    assert lv2.latency_frames == renderer.latency_frames
    assert np.abs(y - renderer.process(x)).max() <= NULL


def test_lv2_disabled_is_the_input_delayed(lv2):
    x = noise(frames=9600)
    y = play(lv2, x, enabled=False)
    latency = int(lv2.latency_frames)
    gain = 10 ** (Renderer("smart-speaker", b="laptop").gain_db / 20)  # bypass is as loud as what it is compared with
    assert np.abs(y[:, latency:] - gain * x[:, :-latency]).max() <= NULL


def test_lv2_state_goes_round(lv2):
    lv2.state = plugin_state("laptop", monitor="Headphones Plain", stage_width_deg=12).encode()
    kept = lv2.state
    lv2.state = kept
    assert lv2.state == kept
    x = noise(frames=9600)
    expected = Renderer("laptop", monitor="Headphones Plain", stage_width_deg=12).process(x)
    assert np.abs(play(lv2, x) - expected).max() <= NULL


def test_lv2_stepped_values_are_the_same_before_and_after_a_state(lv2):
    """What a host keeps of them is what it gets back, whatever was chosen."""
    stepped = {row.id: row for row in PARAMS if row.kind in ("choice", "toggle")}
    tree = json.loads(plugin_state("laptop", b="smart-speaker"))
    for share in (0.2, 0.49, 0.51, 0.8):
        tree["parameters"] |= {id_: round(share * row.max_value) for id_, row in stepped.items()}
        lv2.state = json.dumps(tree).encode()
        first = lv2.state
        held = json.loads(first)["parameters"]
        assert {id_: held[id_] for id_ in stepped} == {id_: tree["parameters"][id_] for id_ in stepped}
        lv2.state = first
        assert lv2.state == first


def test_lv2_keeps_its_state_when_it_gets_a_broken_one(lv2):
    before = lv2.state
    lv2.state = b'{"forestage_state": 1, "slots": {"a": {'
    assert lv2.state == before


def test_lv2_takes_zero_frames(lv2):
    assert lv2.process(np.zeros((2, 0), np.float32)).shape == (2, 0)
