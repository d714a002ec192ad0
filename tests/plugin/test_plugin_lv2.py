"""The LV2 plugins: what they say about themselves, what they play call by call, and in hosts as simple as they come."""

import itertools
import json
import os
import re
import shutil
import subprocess
import time

import numpy as np
import pytest
import soundfile as sf

from forestage import PARAMS, Renderer, _core, factory_presets, load_preset
from forestage.host import plugin_path, plugin_state
from headphone_eqs import parametric
from kinds import first_fast
from lv2_host import LV2, URI, Lv2Plugin
from vst3_host import CHECKS

NULL = 1e-6  # -120 dBFS
LAYOUTS = (2, 3, 4, 5, 8, 16)
FIRST = ["smart-speaker", "laptop"]
POSITIONS = FIRST + sorted(set(factory_presets()) - set(FIRST), key=lambda name: name + ".json")
CUSTOM = 127
SET_BY_HOSTS = [row for row in PARAMS if row.kind not in ("status", "meter")]
ORDERS = list(map(list, itertools.permutations(["ports", "state", "run"])))
ATOM_INT = LV2 + "ext/atom#Int"


def uri(outputs: int) -> str:
    return URI if outputs == 2 else f"{URI}:drivers{outputs}"


def noise(*, frames: int) -> np.ndarray:
    return np.random.default_rng(6).uniform(-0.1, 0.1, (2, frames)).astype(np.float32)


@pytest.fixture
def make(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    made = []

    def one(**kwargs) -> Lv2Plugin:
        made.append(Lv2Plugin(plugin_path("lv2"), **kwargs))
        return made[-1]

    yield one
    for plugin in made:
        plugin.close()


def play(plugin: Lv2Plugin, x: np.ndarray, block: int = 512) -> np.ndarray:
    return np.concatenate(
        [plugin.process(part) for part in np.split(x, range(block, x.shape[1], block), axis=1)], axis=1
    )


def assert_plays(plugin: Lv2Plugin, preset, frames: int = 4800, **params) -> None:
    x = noise(frames=frames)
    expected = Renderer(preset, output_channels=plugin.outputs, **params).process(x)
    assert np.abs(expected).max() > 1e-3
    assert np.abs(play(plugin, x) - expected).max() <= NULL


def lv2_tool(name: str, *args: str, package: str = "lilv-utils", **environment: str) -> str:
    tool = shutil.which(name)
    if tool is None:
        pytest.skip(f"{name} is not installed (Debian: {package})")
    environment = os.environ | {"LV2_PATH": str(plugin_path("lv2").parent)} | environment
    done = subprocess.run([tool, *args], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# -- what it says ------------------------------------------------------------------------------------------------------


def port_texts(outputs: int) -> dict[str, str]:
    blocks = re.split(r"\n\tPort \d+:\n", lv2_tool("lv2info", uri(outputs)))[1:]
    return {re.search(r"Symbol:\s+(\w+)", text)[1]: text for text in blocks}


def numbers(text: str) -> tuple[float, float, float]:
    return tuple(float(re.search(rf"{name}:\s+(\S+)", text)[1]) for name in ("Minimum", "Maximum", "Default"))


def points(text: str) -> list[tuple[float, str]]:
    return sorted((float(value), label) for value, label in re.findall(r"(-?[\d.]+) = \"(.*)\"", text))


def test_lilv_finds_a_plugin_for_every_layout():
    assert sorted(lv2_tool("lv2ls").split()) == sorted(map(uri, LAYOUTS))


@pytest.mark.parametrize("outputs", [2, 8])
def test_every_parameter_is_a_control_port(outputs):
    texts = port_texts(outputs)
    assert [name for name in texts if name.startswith("audio_out")] == [f"audio_out_{i + 1}" for i in range(outputs)]
    units = {"dB": "units:db", "deg": "units:degree", "": "units:pc"}
    of_no_unit = dict.fromkeys(("blind_trials", "blind_trial", "blind_hits"), "lv2:portProperty lv2:integer")
    turtle = (plugin_path("lv2") / "forestage.ttl").read_text(encoding="utf-8")
    for row in PARAMS:
        text = texts[row.id]
        assert "ControlPort" in text
        assert ("OutputPort" if row.kind in ("status", "meter") else "InputPort") in text
        assert numbers(text) == pytest.approx((row.min_value, row.max_value, row.default_value))
        if row.kind in ("choice", "status"):
            assert points(text) == list(enumerate(row.choices))
            assert "lv2core#enumeration" in text
        elif row.kind == "toggle":
            assert "lv2core#toggled" in text
        else:
            described = turtle[turtle.index(f'lv2:symbol "{row.id}"') :]
            described = described[: described.index("]")].rstrip()
            if row.id in (*of_no_unit, "blind_p"):
                assert "units:" not in described
                assert described.endswith(of_no_unit.get(row.id, ""))
            else:
                assert described.endswith(f"units:unit {units[row.unit]}")
    names = [(i, load_preset(name).name) for i, name in enumerate(POSITIONS)]
    assert points(texts["preset"]) == [*names, (CUSTOM, "Custom")]
    assert numbers(texts["preset"]) == (0, CUSTOM, 0)


def test_it_asks_nothing_of_hosts_and_says_where_the_latency_is():
    info = lv2_tool("lv2info", URI)
    assert "Required Features" not in info
    assert "Has latency:       yes" in info
    for designation in ("latency", "enabled", "freeWheeling"):
        assert f"Designation: http://lv2plug.in/ns/lv2core#{designation}" in info
    for name in POSITIONS:
        assert f"         {load_preset(name).name}\n" in info


def test_lv2_validate_is_content():
    if shutil.which("sord_validate") is None:
        pytest.skip("sord_validate is not installed (Debian: sordi)")
    files = map(str, plugin_path("lv2").glob("*.ttl"))
    assert "Found 0 errors" in lv2_tool("lv2_validate", *files, package="lv2-dev, sordi")


# -- what it plays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("outputs", first_fast(LAYOUTS, 3))
def test_every_layout_plays_every_driver(make, outputs):
    preset = {2: "laptop", 3: "smart-speaker", 4: "smart-speaker", 5: "five-driver-speaker"}.get(outputs, "soundbar-7")
    plugin = make(outputs=outputs, controls={"preset": POSITIONS.index(preset), "monitor": 0})
    assert_plays(plugin, preset, monitor="Speakers")
    assert plugin.value("status") == 0
    assert plugin.value("latency") == Renderer(preset, b="laptop").latency_frames


def test_a_host_without_features_plays(make):
    assert_plays(make(is_bare=True, controls={"preset": 1}), "laptop")


def test_a_host_that_connects_late_hears_the_preset_from_the_first_frame(make):
    assert_plays(make(connects_late=True, controls={"preset": 1, "stage_width_deg": 60}), "laptop", stage_width_deg=60)


def test_buffers_of_events_are_left_alone_but_while_it_runs(make):
    """Ardour frees them before it activates a plugin again."""
    assert make(outputs=8).has_events_untouched()


def test_every_port_sets_its_parameter_and_sets_it_back(make):
    """One after the other, each with time for what has to warm up first."""
    plugin, renderer = make(), Renderer("smart-speaker", b="laptop")
    x = noise(frames=24_000)
    assert np.abs(plugin.process(x) - renderer.process(x)).max() <= NULL
    for row in SET_BY_HOSTS:
        if row.id.startswith("blind"):  # what is drawn is another each time
            continue
        texts = ("Off", "On") if row.kind == "toggle" else row.choices
        for value in (row.max_value if row.default_value == row.min_value else row.min_value, row.default_value):
            renderer.set(**{row.id: value if row.kind == "linear" else texts[int(value)]})
            y = plugin.process(x, **{row.id: value})
            assert np.abs(y - renderer.process(x)).max() <= NULL, (row.id, value)


@pytest.mark.parametrize(("value", "as_if"), [(np.nan, 30), (np.inf, 30), (-5, 0), (1e9, 90)])
def test_values_that_are_no_values_change_nothing_and_others_are_clamped(make, value, as_if):
    assert_plays(make(controls={"stage_width_deg": value}), "smart-speaker", b="laptop", stage_width_deg=as_if)


def test_disabled_is_the_input_delayed(make):
    plugin = make(controls={"enabled": 0})
    x = noise(frames=9600)
    y = play(plugin, x)
    latency = int(plugin.value("latency"))
    gain = 10 ** (Renderer("smart-speaker", b="laptop").gain_db / 20)  # bypass is as loud as what it is compared with
    assert np.abs(y[:, latency:] - gain * x[:, :-latency]).max() <= NULL


def test_status_says_what_is_wrong(make):
    plugin = make(controls={"monitor": 0})  # three drivers, two outputs
    plugin.process(noise(frames=64))
    texts = next(row.choices for row in PARAMS if row.kind == "status")
    assert texts[int(plugin.value("status"))] == "Too Few Outputs For Speakers: Playing Headphones"


def test_blocks_of_any_length_play(make):
    plugin, renderer = make(), Renderer("smart-speaker", b="laptop")
    x = noise(frames=20_000)
    y = np.concatenate([plugin.process(part) for part in np.split(x, [0, 1, 1, 18, 18_000], axis=1)], axis=1)
    assert np.abs(y - renderer.process(x)).max() <= NULL


def test_running_never_allocates_locks_or_throws():
    binary = next(plugin_path("lv2").glob("*.so"))
    done = subprocess.run([CHECKS / "check_lv2_real_time", binary], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# -- presets -----------------------------------------------------------------------------------------------------------


def wait_for(plugin: Lv2Plugin, preset, x: np.ndarray, **params) -> None:
    """Play until the preset is heard; then what is played is what the core plays of the same input, again and again."""
    renderer = Renderer(preset, output_channels=plugin.outputs, **params)
    for _ in range(30):  # the upmix, which goes on when presets change, knows the pans of what is played by then
        expected = renderer.process(x)
    end = time.monotonic() + 30
    while np.abs(plugin.process(x) - expected).max() > NULL:
        assert time.monotonic() < end, f"{preset} is not heard"
        time.sleep(0.01)


def test_a_preset_is_loaded_while_sound_runs(make):
    x = np.tile(noise(frames=2400), 10)  # periodic, so that it does not matter when the preset comes
    plugin = make()
    plugin.process(x)
    plugin.process(x[:, :64], preset=POSITIONS.index("soundbar-7"))
    wait_for(plugin, "soundbar-7", x, b="laptop")


def test_a_free_wheeling_host_hears_the_preset_in_the_same_block(make):
    x = noise(frames=4800)
    plugin = make(controls={"freeWheeling": 1})
    plugin.process(x[:, :0], preset=POSITIONS.index("tv"), stage_width_deg=50)
    assert_plays(plugin, "tv", b="laptop", stage_width_deg=50)


def test_a_preset_brings_its_own_values_and_knobs_that_move_count_more(make, tmp_path):
    folder = tmp_path / "forestage" / "presets"
    folder.mkdir(parents=True)
    preset = json.loads(factory_presets()["tv"].read_text())
    preset["parameters"] |= {"amount": 40.0, "stage_width_deg": 20.0}
    (folder / "mine.json").write_text(json.dumps(preset))
    plugin = make(controls={"preset": len(POSITIONS), "stage_width_deg": 70})
    assert_plays(plugin, preset, b="laptop", amount=40, stage_width_deg=70)


def test_presets_of_ones_own_follow_by_name_and_broken_ones_change_nothing(make, tmp_path, capfd):
    folder = tmp_path / "forestage" / "presets"
    folder.mkdir(parents=True)
    shutil.copy(factory_presets()["tv"], folder / "b.json")
    shutil.copy(factory_presets()["tablet"], folder / "a.json")
    (folder / "c.json").write_text("{}")
    first = len(POSITIONS)
    assert_plays(make(controls={"preset": first}), "tablet", b="laptop")
    assert_plays(make(controls={"preset": first + 1}), "tv", b="laptop")
    for nothing in (first + 2, first + 3, CUSTOM):
        assert_plays(make(controls={"preset": nothing}), "smart-speaker", b="laptop")
    assert '"c" not loaded' in capfd.readouterr().err


@pytest.mark.parametrize("order", first_fast(ORDERS))
def test_a_session_keeps_its_preset_when_the_folder_changes(make, tmp_path, order):
    """By name in the state: the port holds a position that means another preset by then."""
    folder = tmp_path / "forestage" / "presets"
    folder.mkdir(parents=True)
    shutil.copy(factory_presets()["tv"], folder / "b.json")
    position = len(POSITIONS)
    saved = make(controls={"preset": position, "monitor": 2})
    saved.process(noise(frames=64))
    kept = saved.save()
    shutil.copy(factory_presets()["tablet"], folder / "a.json")
    plugin = make()
    for step in order:
        if step == "ports":
            plugin.controls["preset"].value, plugin.controls["monitor"].value = position, 2
        elif step == "state":
            plugin.restore(kept)
        else:
            plugin.process(noise(frames=64))
    for _ in range(20):  # whatever is still loading
        plugin.process(noise(frames=64))
        time.sleep(0.02)
    assert json.loads(_core.unpack_state(plugin.state))["slots"]["a"]["name"] == "TV"
    assert json.loads(_core.unpack_state(plugin.state))["parameters"]["monitor"] == 2


def test_files_are_loaded_by_message(make, tmp_path):
    (tmp_path / "tv.json").write_bytes(factory_presets()["tv"].read_bytes())
    (tmp_path / "eq.txt").write_text("Preamp: -6 dB\nFilter 1: ON PK Fc 1000 Hz Gain 6 dB Q 1.0\n")
    files = {"preset_file": str(tmp_path / "tv.json"), "headphone_eq": str(tmp_path / "eq.txt")}
    plugin = make(controls={"freeWheeling": 1})
    plugin.process(noise(frames=0), files=files)
    assert_plays(plugin, "tv", b="laptop", headphone_eq=tmp_path / "eq.txt")


# -- states ------------------------------------------------------------------------------------------------------------


def test_a_state_of_another_format_or_version_opens_and_goes_round(make):
    """As JUCE's LV2 client kept it: a text under one key, with ports that know nothing of it."""
    plugin = make(state=plugin_state("laptop", monitor="Headphones Plain", stage_width_deg=12).encode())
    kept = plugin.save()
    plugin.restore(kept)
    assert plugin.save() == kept
    assert_plays(plugin, "laptop", monitor="Headphones Plain", stage_width_deg=12)


def test_an_equaliser_in_a_state_plays(make):
    plugin = make(state=plugin_state("laptop", headphone_eq=parametric()).encode())
    assert_plays(plugin, "laptop", headphone_eq=parametric())


def test_an_old_preset_of_the_host_chooses_a_program(make):
    plugin = make()
    assert plugin.restore({f"{URI}:Program": ((1).to_bytes(4, "little"), ATOM_INT)}) == 0
    assert_plays(plugin, "laptop")


def test_broken_states_change_nothing(make, capfd):
    plugin = make()
    before = plugin.save()
    for text in (b"", b"7", b"7.", b"99999999999999999999.A", b"3.A-A", b"-1.AA", b"2.AA\0AA", b"4.AAAAAA"):
        assert plugin.restore({f"{URI}:StateString": (text, LV2 + "ext/atom#String")}) != 0, text
        assert "nothing changed" in capfd.readouterr().err, text
    assert plugin.save() == before


# -- in hosts ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def input_file(tmp_path):
    x = noise(frames=24_000)
    sf.write(tmp_path / "in.wav", x.T, 48_000, subtype="FLOAT")
    return tmp_path / "in.wav", x


def assert_soundbar(path, x: np.ndarray) -> None:
    y = sf.read(path, dtype="float32")[0].T
    expected = Renderer("soundbar-7", monitor="Speakers", output_channels=8, stage_width_deg=45).process(x)
    assert np.abs(y - expected).max() <= NULL


def test_ffmpeg_plays_driver_feeds(input_file, tmp_path):
    path, x = input_file
    controls = f"preset={POSITIONS.index('soundbar-7')}|monitor=0|stage_width_deg=45"
    graph = f"lv2=plugin={uri(8)}:controls={controls}".replace("urn:forestage:", r"urn\\:forestage\\:")
    graph = graph.replace(":drivers8", r"\\:drivers8")
    arguments = ["-v", "error", "-i", str(path), "-af", graph, "-c:a", "pcm_f32le", str(tmp_path / "out.wav")]
    lv2_tool("ffmpeg", *arguments, package="ffmpeg")
    assert_soundbar(tmp_path / "out.wav", x)


def test_lv2apply_plays_driver_feeds(input_file, tmp_path):
    path, x = input_file
    controls = {"preset": POSITIONS.index("soundbar-7"), "monitor": 0, "stage_width_deg": 45}
    options = itertools.chain(*(("-c", name, str(value)) for name, value in controls.items()))
    lv2_tool("lv2apply", "-i", str(path), "-o", str(tmp_path / "out.wav"), *options, uri(8))
    assert_soundbar(tmp_path / "out.wav", x)
