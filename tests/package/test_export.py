"""What other programs get of a preset plays as the engine does."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import sofar
import soundfile
import yaml

from command_line import run
from forestage import Renderer, factory_presets, load_preset
from forestage.catalogue import user_preset_folder
from forestage.export import (
    export_camilladsp,
    export_easyeffects,
    export_equalizer_apo,
    export_pipewire,
    export_sofa,
    linear_filters,
)
from forestage.export.pipewire import _plugin_graph
from forestage.host import plugin_path
from signals import noise

NULL_DB = -100
STEREO_TOOLS = b"http://calf.sourceforge.net/plugins/StereoTools"
DEVICES = ["laptop", "smart-speaker", "soundbar-7"]


@pytest.fixture(scope="module")
def music():
    return noise(frames=8000, level=0.02)


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return user_preset_folder()


def engine_feeds(preset, x, sample_rate=48_000):
    renderer = Renderer(preset, sample_rate=sample_rate, monitor="Speakers", upmix=0)
    return renderer.process(x)[: len(load_preset(preset).drivers)], renderer.latency_frames


def wav(path, channel=0):
    audio, sample_rate = soundfile.read(path, dtype="float64", always_2d=True)
    return audio[:, channel], sample_rate


def null_db(feeds, expected, latency_frames, delay_frames):
    """Of the difference, where the engine is late by its latency and a convolver by that of its filters."""
    late = latency_frames - delay_frames
    expected = expected[:, late:]
    difference = feeds[:, : expected.shape[1]] - expected
    return 20 * np.log10(np.abs(difference).max() / np.abs(expected).max() + 1e-12)


def convolve(x, taps):
    return scipy.signal.oaconvolve(x, taps)[: len(x)]


@pytest.mark.parametrize("sample_rate", [44_100, 96_000])
@pytest.mark.parametrize("preset", DEVICES)
def test_linear_filters_play_as_the_engine_without_its_upmix(preset, sample_rate, music):
    filters = linear_filters(preset, sample_rate=sample_rate)
    feeds = np.array([convolve(music[0], left) + convolve(music[1], right) for left, right in filters.taps])
    expected, latency = engine_feeds(preset, music, sample_rate)
    assert null_db(feeds, expected, latency, filters.delay_frames) <= NULL_DB
    assert filters.drivers == tuple(load_preset(preset).drivers)
    assert filters.taps.dtype == np.float32


def test_linear_filters_of_every_preset_are_short_and_say_their_gain():
    for preset in factory_presets():
        filters = linear_filters(preset)
        assert 100 <= filters.taps.shape[2] <= 1500
        assert -12 <= filters.gain_db <= 0
        assert f"{-filters.gain_db:.1f} dB" in filters.summary()[2]


def play_graph(graph, x):
    """What PipeWire makes of a filter graph of copies, convolvers and mixers."""
    signals = dict(zip(graph["inputs"], x, strict=True))
    nodes = {node["name"]: node for node in graph["nodes"]}

    def output(port):
        node = nodes[port.split(":")[0]]
        name = node["name"]
        into = [link["output"] for link in graph["links"] if link["input"].split(":")[0] == name]
        if node["label"] == "copy":
            return signals[f"{name}:In"]
        if node["label"] == "mixer":
            return sum(map(output, into))
        taps, sample_rate = wav(node["config"]["filename"], node["config"]["channel"])
        assert sample_rate == 48_000
        return convolve(output(into[0]), taps)

    return np.array([output(port) for port in graph["outputs"]])


def pipewire_args(path):
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    (module,) = json.loads(text.removeprefix("context.modules = "))
    assert module["name"] == "libpipewire-module-filter-chain"
    return module["args"]


@pytest.mark.parametrize("preset", DEVICES)
def test_convolvers_of_pipewire_play_as_the_engine(preset, music, tmp_path):
    written = export_pipewire(preset, tmp_path, convolvers=True, card="card")
    assert written[0] == tmp_path / f"{preset}.conf"
    args = pipewire_args(written[0])
    expected, latency = engine_feeds(preset, music)
    feeds = play_graph(args["filter.graph"], music)
    assert null_db(feeds, expected, latency, linear_filters(preset).delay_frames) <= NULL_DB
    assert args["playback.props"]["target.object"] == "card"
    assert args["playback.props"]["audio.channels"] == len(expected)


def test_the_plugin_in_pipewire_gets_a_factory_preset_by_its_place(tmp_path):
    (path,) = export_pipewire("Soundbar-7", tmp_path / "bar.conf", channels=["FL", "FR", "FC", "RL", "RR", "SL", "SR"])
    args = pipewire_args(path)
    (node,) = args["filter.graph"]["nodes"]
    first = ["smart-speaker", "laptop"]
    order = [*first, *sorted(set(factory_presets()) - set(first), key=lambda name: f"{name}.json")]
    assert node["plugin"] == "urn:forestage:forestage:drivers8"
    assert node["control"]["preset"] == order.index("soundbar-7")
    assert args["playback.props"]["audio.position"] == ["FL", "FR", "FC", "RL", "RR", "SL", "SR"]
    assert args["filter.graph"]["outputs"][-1] == "forestage:audio_out_7"


@pytest.mark.plugin
def test_the_plugin_has_a_form_for_every_number_of_drivers():
    manifest = (plugin_path("lv2") / "manifest.ttl").read_text()
    for drivers in range(2, 17):
        (node,) = _plugin_graph(drivers, {})["nodes"]
        assert f"<{node['plugin']}>" in manifest


def test_a_preset_of_ones_own_is_put_where_the_plugin_finds_it(own_folder, tmp_path):
    own = tmp_path / "my laptop.json"
    own.write_text(factory_presets()["laptop"].read_text())
    installed, path = export_pipewire(own, tmp_path / "chain.conf")
    assert installed == own_folder / "my-laptop.json"
    (node,) = pipewire_args(path)["filter.graph"]["nodes"]
    assert node["control"]["preset"] == len(factory_presets())
    assert "export this again" in path.read_text()
    assert export_pipewire(own, path, overwrite=True)[0] == installed
    assert len(export_pipewire("my-laptop", tmp_path / "by-name.conf")) == 1


def test_a_preset_of_ones_own_with_the_name_of_a_factory_preset_is_the_one_that_plays(own_folder, tmp_path):
    own = tmp_path / "laptop.json"
    own.write_text(factory_presets()["tablet"].read_text())
    installed, path = export_pipewire(own, tmp_path / "chain.conf")
    assert installed == own_folder / "laptop.json"
    (node,) = pipewire_args(path)["filter.graph"]["nodes"]
    assert node["control"]["preset"] == len(factory_presets())


def test_another_preset_under_the_name_is_not_replaced(own_folder, tmp_path):
    own_folder.mkdir(parents=True)
    (own_folder / "mine.json").write_text(factory_presets()["tablet"].read_text())
    own = tmp_path / "mine.json"
    own.write_text(factory_presets()["laptop"].read_text())
    with pytest.raises(FileExistsError, match="mine.json exists already"):
        export_pipewire(own, tmp_path / "chain.conf")
    assert not (tmp_path / "chain.conf").exists()


def test_parameters_are_those_of_the_plugin_or_in_the_filters(tmp_path):
    assert (
        run("export", "tv", "--to", "pipewire", "-o", tmp_path, "--set", "upmix_quality=High Quality").returncode == 0
    )
    (node,) = pipewire_args(tmp_path / "tv.conf")["filter.graph"]["nodes"]
    assert node["control"]["upmix_quality"] == 1
    quiet, loud = (linear_filters("tv", output_trim_db=trim, safe_headroom="Off") for trim in (-6, 0))
    assert np.allclose(quiet.taps * 10 ** (6 / 20), loud.taps, atol=1e-6)


def play_camilladsp(path, x):
    config = yaml.safe_load(path.read_text())
    sound = list(x)
    for step in config["pipeline"]:
        if step["type"] == "Mixer":
            mixer = config["mixers"][step["name"]]
            assert len(sound) == mixer["channels"]["in"]
            assert [row["dest"] for row in mixer["mapping"]] == list(range(mixer["channels"]["out"]))
            sound = [sum(sound[s["channel"]] for s in row["sources"]) for row in mixer["mapping"]]
            continue
        for channel in step["channels"]:
            for name in step["names"]:
                part = config["filters"][name]
                if part["type"] == "Limiter":
                    limit = 10 ** (part["parameters"]["clip_limit"] / 20)
                    sound[channel] = np.clip(sound[channel], -limit, limit)
                else:
                    taps, sample_rate = wav(path.parent / part["parameters"]["filename"], part["parameters"]["channel"])
                    assert sample_rate == config["devices"]["samplerate"]
                    sound[channel] = convolve(sound[channel], taps)
    assert len(sound) == config["devices"]["playback"]["channels"]
    return np.array(sound)


@pytest.mark.parametrize("preset", DEVICES)
def test_camilladsp_plays_as_the_engine(preset, music, tmp_path):
    written = export_camilladsp(preset, tmp_path / "my device.yml", sample_rate=44_100, card="hw:Card,0")
    expected, latency = engine_feeds(preset, music, 44_100)
    feeds = play_camilladsp(written[0], music)
    assert null_db(feeds, expected, latency, linear_filters(preset, sample_rate=44_100).delay_frames) <= NULL_DB
    assert yaml.safe_load(written[0].read_text())["devices"]["playback"]["device"] == "hw:Card,0"


def play_equalizer_apo(path, x):
    """What Equalizer APO makes of its commands; lines that it would pass over are an error."""
    sound = dict(zip(("L", "R"), x, strict=True))
    chosen = []
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            continue
        command, text = re.fullmatch(r"(Channel|Copy|Convolution): (.*)", line).groups()
        if command == "Channel":
            chosen = list(sound) if text == "all" else text.split()
        elif command == "Copy":
            copies = dict(word.split("=") for word in text.split())
            sound |= {to: sum(sound[name] for name in names.split("+")) for to, names in copies.items()}
        else:
            taps, _ = wav(path.parent / text)
            sound |= {name: convolve(sound[name], taps) for name in chosen}
    return sound


@pytest.mark.parametrize(
    ("preset", "channels"),
    [
        ("laptop", ["L", "R"]),
        ("smart-speaker", ["L", "R", "C"]),
        ("soundbar-7", ["L", "R", "C", "RL", "RR", "SL", "SR"]),
    ],
)
def test_equalizer_apo_plays_as_the_engine(preset, channels, music, tmp_path):
    written = export_equalizer_apo(preset, tmp_path)
    expected, latency = engine_feeds(preset, music)
    sound = play_equalizer_apo(written[0], music)
    feeds = np.array([sound[name] for name in channels])
    assert null_db(feeds, expected, latency, linear_filters(preset).delay_frames) <= NULL_DB
    assert len(written) == 1 + 2 * len(channels)


def play_easyeffects(path, x):
    """Stereo tools as Calf has them, and a convolver for each channel."""
    output = json.loads(path.read_text())["output"]
    sound = list(x)
    for name in output["plugins_order"]:
        if name.startswith("convolver"):
            kernel = output[name]["kernel-path"]
            assert Path(kernel).stem == output[name]["kernel-name"]
            sound = [convolve(each, wav(kernel, i)[0]) for i, each in enumerate(sound)]
        else:
            assert output[name]["mode"].startswith("LR > MS")
            sound = [(sound[0] + sound[1]) / 2, (sound[0] - sound[1]) / 2]
    return np.array(sound)


@pytest.mark.parametrize("preset", ["laptop", "tv", "desktop-30"])
def test_easyeffects_plays_as_the_engine(preset, music, tmp_path):
    written = export_easyeffects(preset, tmp_path)
    expected, latency = engine_feeds(preset, music)
    feeds = play_easyeffects(written[0], music)
    assert null_db(feeds, expected, latency, linear_filters(preset).delay_frames) <= -80


def test_stereo_tools_are_as_they_are_taken_to_be(music, tmp_path):
    """By the plugin itself that EasyEffects runs."""
    if shutil.which("lv2apply") is None or STEREO_TOOLS not in subprocess.run(["lv2ls"], capture_output=True).stdout:
        pytest.skip("lv2apply or Calf's plugins are not installed (Debian: lilv-utils calf-plugins)")
    soundfile.write(tmp_path / "in.wav", music.T, 48_000, subtype="FLOAT")
    words = ["lv2apply", "-i", tmp_path / "in.wav", "-o", tmp_path / "out.wav", "-c", "mode", "1", STEREO_TOOLS]
    subprocess.run(words, check=True, capture_output=True)
    audio, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert np.allclose(audio.T, np.array([[0.5, 0.5], [0.5, -0.5]]) @ music, atol=1e-6)


@pytest.mark.parametrize(
    ("preset", "reason"),
    [("soundbar-7", "has 7 drivers; EasyEffects plays stereo"), ("asymmetric-pair", "is no mirror image of itself")],
)
def test_easyeffects_refuses_what_it_cannot_play(preset, reason, tmp_path):
    with pytest.raises(ValueError, match=reason):
        export_easyeffects(preset, tmp_path)
    assert not list(tmp_path.iterdir())


def test_sofa_has_the_filters_and_where_the_drivers_are(tmp_path):
    path = export_sofa("soundbar-7", tmp_path / "bar.sofa", sample_rate=44_100)
    file = sofar.read_sofa(str(path))
    filters = linear_filters("soundbar-7", sample_rate=44_100)
    assert np.allclose(file.Data_IR[0].transpose(0, 2, 1), filters.taps, atol=1e-9)
    assert file.Data_SamplingRate == 44_100
    assert np.allclose(file.ReceiverPosition[:, 1], [0.45, 0.3, 0.15, 0, -0.15, -0.3, -0.45])
    assert np.allclose(file.EmitterPosition, [[3**0.5, 1, 0], [3**0.5, -1, 0]])


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["laptop", "--to", "wav", "--slot-b", "tv"], "goes with --to vstpreset, not with wav"),
        (
            ["laptop", "--to", "easyeffects", "--card", "hw:0"],
            "goes with --to camilladsp, pipewire, not with easyeffects",
        ),
        (["laptop", "--to", "pipewire", "--channels", "FL"], "2 for left, right"),
        (["laptop", "--to", "pipewire", "--channels", "FL,FL"], "each once"),
        (["laptop", "--to", "camilladsp", "--set", "upmix=50"], "upmix: filters have no such setting"),
        (["laptop", "--to", "pipewire", "--set", "amuont=50"], "amuont"),
        (["laptop", "--to", "sofa"], "to end in .sofa"),
        (["laptop", "--to", "camilladsp", "--sample-rate", "7"], "7"),
    ],
)
def test_what_does_not_fit_is_said(words, reason, tmp_path):
    result = run("export", *words, "-o", tmp_path / "out")
    assert result.returncode != 0
    assert reason in result.stderr
    assert not list(tmp_path.iterdir())


def test_nothing_is_replaced_unless_asked_for(tmp_path):
    words = ("export", "laptop", "--to", "camilladsp", "-o", tmp_path / "laptop.yml")
    assert run(*words).returncode == 0
    (tmp_path / "laptop.yml").unlink()
    again = run(*words)
    assert again.returncode == 1
    assert "laptop-left.wav exists already" in again.stderr
    assert not (tmp_path / "laptop.yml").exists()
    assert run(*words, "--overwrite").returncode == 0
