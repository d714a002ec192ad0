"""Effects before and after Forestage: what pedalboard plays by hand, each plugin in a place where it may crash."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pedalboard
import pytest
import soundfile

import forestage
from chains import crashing_plugin
from command_line import run
from forestage.chain import Chain, Effect, load_chain
from forestage.render_file import Rendered, render_file, render_files
from signals import db, noise

RATE = 48_000
VST3 = Path("/usr/lib/vst3")
needs_zam = pytest.mark.skipif(not (VST3 / "ZamCompX2.vst3").exists(), reason="needs Debian's zam-plugins")


def by_hand(plugins, x):
    """One long call of pedalboard after the other; a mono plugin plays each channel."""
    for make in plugins:
        plugin = make()
        try:
            x = plugin.process(x, RATE)
        except ValueError:
            x = np.concatenate([make().process(row[None], RATE) for row in x])
    return x


def made_by_hand(path, preset=None, **parameters):
    def make():
        plugin = pedalboard.VST3Plugin(str(path))
        if preset:
            plugin.load_preset(str(preset))
        for name, value in parameters.items():
            setattr(plugin, name, value)
        return plugin

    return make


def own_by_hand(kind, **parameters):
    return lambda: getattr(pedalboard, kind)(**parameters)


def played_by_hand(before, after, x, preset="laptop", **settings):
    x = by_hand(before, x)
    renderer = forestage.Renderer(preset, sample_rate=RATE, **settings)
    late = renderer.latency_frames
    return by_hand(after, renderer.process(np.pad(x, ((0, 0), (0, late))))[:, late:])


@pytest.fixture
def song(tmp_path):
    """Noise that swells, longer than two blocks and not a whole number of them."""
    x = noise(frames=150_001) * np.linspace(0.1, 2.0, 150_001, dtype=np.float32)
    path = tmp_path / "song.wav"
    soundfile.write(path, x.T, RATE, subtype="FLOAT")
    return path


def sound(path):
    return np.ascontiguousarray(soundfile.read(path, dtype="float32", always_2d=True)[0].T)


def write_chain(folder, text):
    path = folder / "chain.toml"
    path.write_text(text)
    return path


OWN = """
[[before]]
effect = "Compressor"
parameters = { threshold_db = -25, ratio = 3 }

[[before]]
effect = "BrickwallLimiter"
parameters = { ceiling_db = -12 }

[[after]]
effect = "PeakFilter"
parameters = { cutoff_frequency_hz = 2000, gain_db = 4.5 }
"""
OWN_BEFORE = [own_by_hand("Compressor", threshold_db=-25, ratio=3), own_by_hand("BrickwallLimiter", ceiling_db=-12)]
OWN_AFTER = [own_by_hand("PeakFilter", cutoff_frequency_hz=2000, gain_db=4.5)]


def test_a_chain_renders_what_pedalboard_plays_by_hand(song, tmp_path):
    """Through the command line, in a process of its own and in blocks; the limiter's look-ahead is taken out."""
    target = tmp_path / "ears.wav"
    result = run("render", song, target, "-p", "laptop", "--chain", write_chain(tmp_path, OWN))
    assert result.returncode == 0, result.stderr
    expected = played_by_hand(OWN_BEFORE, OWN_AFTER, sound(song))
    assert np.max(db(sound(target) - expected)) <= -120
    plain = played_by_hand([], [], sound(song))
    assert np.max(db(expected - plain)) > -20  # or there would be nothing to hear of it


def test_a_chain_plays_arrays_as_files(song, tmp_path):
    chain = load_chain(write_chain(tmp_path, OWN))
    found = chain.play(sound(song), "laptop", sample_rate=RATE)
    assert np.max(db(found - played_by_hand(OWN_BEFORE, OWN_AFTER, sound(song)))) <= -120
    assert str(chain) == "Compressor → BrickwallLimiter → Forestage → PeakFilter"


@needs_zam
@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["ZamCompX2", "ZaMaximX2", "ZaMultiCompX2", "ZamGateX2", "ZamEQ2", "ZamGEQ31", "ZamDynamicEQ"]
)
def test_plugins_of_others_render_as_by_hand_on_both_sides(song, tmp_path, name):
    """Stereo ones and mono ones, with and without latency, one before and one after.

    ZamTube is not among them: by hand, too, it differs from itself by -80 dB from run to run.
    """
    settings = {
        "ZamCompX2": {"threshold_db": -30.0, "ratio": 4.0},
        "ZaMaximX2": {"threshold_db": -12.0, "output_ceiling_db": -3.0},
        "ZaMultiCompX2": {"threshold_1_db": -30.0},
        "ZamGateX2": {"threshold_db": -30.0},
        "ZamEQ2": {"boost_cut_1_db": 6.0, "frequency_1_hz": 1000.0},
        "ZamGEQ31": {"999hz_db": 6.0},
        "ZamDynamicEQ": {"threshold_db": -40.0},
    }[name]
    path = VST3 / f"{name}.vst3"
    effect = Effect(plugin=path, parameters=settings)
    target = tmp_path / "ears.wav"
    render_file(song, target, "laptop", chain=Chain([effect], [effect]))
    hand = made_by_hand(path, **settings)
    assert np.max(db(sound(target) - played_by_hand([hand], [hand], sound(song)))) <= -120


@needs_zam
def test_a_plugin_with_look_ahead_comes_out_aligned(song, tmp_path):
    """ZaMaximX2 is 480 frames late; below its threshold it changes nothing."""
    quiet = tmp_path / "quiet.wav"
    soundfile.write(quiet, 0.001 * sound(song).T, RATE, subtype="FLOAT")
    chain = Chain(before=[Effect(plugin=VST3 / "ZaMaximX2.vst3", parameters={"output_ceiling_db": 0.0})])
    render_file(quiet, tmp_path / "chain.wav", "laptop", chain=chain)
    render_file(quiet, tmp_path / "plain.wav", "laptop")
    chained, plain = sound(tmp_path / "chain.wav"), sound(tmp_path / "plain.wav")
    lags = np.fft.irfft(np.fft.rfft(chained[0], 1 << 19) * np.conj(np.fft.rfft(plain[0], 1 << 19)))
    assert chained.shape == plain.shape
    assert np.argmax(lags) == 0


@needs_zam
def test_a_vstpreset_is_loaded_before_the_parameters(song, tmp_path):
    made = made_by_hand(VST3 / "ZamCompX2.vst3", threshold_db=-35.0, ratio=6.0)()
    made.process(noise(frames=4096), RATE)  # plugins keep what they have played with
    preset = tmp_path / "glue.vstpreset"
    preset.write_bytes(made.preset_data)
    text = f"""
    [[before]]
    plugin = "ZamCompX2.vst3"
    preset = "{preset.name}"
    parameters = {{ makeup_db = 6.0 }}
    """
    target = tmp_path / "ears.wav"
    result = run("render", song, target, "-p", "laptop", "--chain", write_chain(tmp_path, text))
    assert result.returncode == 0, result.stderr
    hand = made_by_hand(VST3 / "ZamCompX2.vst3", preset, makeup_db=6.0)
    assert np.max(db(sound(target) - played_by_hand([hand], [], sound(song)))) <= -120
    without = made_by_hand(VST3 / "ZamCompX2.vst3", makeup_db=6.0)
    assert np.max(db(sound(target) - played_by_hand([without], [], sound(song)))) > -40  # or the preset did nothing


@needs_zam
@pytest.mark.slow
def test_several_songs_have_instances_of_their_own(song, tmp_path):
    other = tmp_path / "other.wav"
    soundfile.write(other, sound(song)[:, ::-1].T, RATE, subtype="FLOAT")
    chain = Chain(before=[Effect(plugin=VST3 / "ZamCompX2.vst3", parameters={"threshold_db": -30.0})])
    files = [(song, tmp_path / "a.wav"), (other, tmp_path / "b.wav")]
    assert all(isinstance(each, Rendered) for each in render_files(files, "laptop", chain=chain))
    for source, target in files:
        render_file(source, tmp_path / "alone.wav", "laptop", chain=chain)
        assert np.array_equal(sound(target), sound(tmp_path / "alone.wav"))


@needs_zam
def test_driver_feeds_need_effects_for_as_many_channels(song, tmp_path):
    chain = Chain(after=[Effect(plugin=VST3 / "ZamCompX2.vst3")])
    with pytest.raises(ValueError, match=r"song.wav: ZamCompX2 \(after\[0\]\): .*3-channel"):
        render_file(song, tmp_path / "feeds.wav", "smart-speaker", chain=chain, monitor="Speakers")
    chain = Chain(after=[Effect("Gain", parameters={"gain_db": -6.0})])
    assert render_file(song, tmp_path / "feeds.wav", "smart-speaker", chain=chain, monitor="Speakers").channels == 3


def test_a_plugin_that_crashes_is_named_and_leaves_nothing(song, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    chain = Chain([Effect("Gain")], [Effect(plugin=crashing_plugin(tmp_path))])
    with pytest.raises(RuntimeError, match=r"song.wav: Crasher \(after\[0\]\) crashed \(SIG"):
        render_file(song, out / "ears.wav", "laptop", chain=chain)
    assert list(out.iterdir()) == []


def test_a_job_that_fails_leaves_the_others_alone(song, tmp_path):
    broken = tmp_path / "broken.wav"
    broken.write_text("no sound")
    chain = Chain(before=[Effect("Gain", parameters={"gain_db": -6.0})])
    bad, good = render_files([(broken, tmp_path / "a.wav"), (song, tmp_path / "b.wav")], "laptop", chain=chain)
    assert isinstance(bad, ValueError)
    assert "broken.wav: not an audio file" in str(bad)
    assert isinstance(good, Rendered)


WRONG = {
    "": "nothing in it; [[before]] and [[after]] would be right",
    "[[during]]": "during; [[before]] and [[after]] would be right",
    "before = 3": "before = 3; tables [[before]] would be right",
    "[[before]]": "before[0]: either effect",
    '[[before]]\neffect = "Fuzz"': "before[0]: effect = 'Fuzz'; one of pedalboard's would be right: Bitcrush",
    '[[before]]\neffect = "PitchShift"': "before[0]: effect = 'PitchShift'; one of pedalboard's",
    '[[after]]\neffect = "Gain"\ngain = 3': "after[0]: unknown: gain; there are: effect, plugin",
    '[[after]]\neffect = "Gain"\nparameters = {gain = 3}': "after[0]: Gain has no parameter 'gain'; there are: gain_db",
    '[[after]]\neffect = "Gain"\nparameters = {gain_db = "loud"}': "parameters.gain_db = 'loud'; a number",
    '[[after]]\neffect = "Compressor"\nparameters = {ratio = 0.1}': "parameters.ratio = 0.1: Compressor ratio must be",
    '[[after]]\neffect = "Gain"\npreset = "x.vstpreset"': "goes with a plugin; Gain has none",
    '[[after]]\neffect = "Gain"\nplugin = "x.vst3"': "after[0]: either effect",
    '[[after]]\nplugin = "/no/where.vst3"': "after[0]: plugin = '/no/where.vst3': no such plugin; ",
    "[[after]]\nplugin = 3": "after[0]: plugin = 3; a text would be right",
    "[[after": "Expected",
}


@pytest.mark.parametrize(("text", "hint"), WRONG.items())
def test_a_wrong_chain_says_where_and_what_would_be_right(song, tmp_path, text, hint):
    path = write_chain(tmp_path, text)
    result = run("render", song, tmp_path / "ears.wav", "-p", "laptop", "--chain", path)
    assert result.returncode == 1
    assert result.stderr.startswith(f"forestage: {path}: ")
    assert hint in result.stderr
    assert not (tmp_path / "ears.wav").exists()


@needs_zam
@pytest.mark.parametrize(
    ("fields", "hint"),
    [
        ({"parameters": {"treshold": 1}}, r"ZamCompX2 has no parameter 'treshold'; there are: .*threshold_db"),
        ({"parameters": {"threshold_db": 12.0}}, r"'threshold_db' \(12.0\) is out of range \[-80.0dB, 0.0dB\]"),
        ({"name": "Other"}, "holds no plugin 'Other'; there are: ZamCompX2"),
        ({"preset": Path(__file__)}, "test_chain.py: not a preset of ZamCompX2"),
    ],
)
def test_what_a_plugin_does_not_have_is_named_with_what_it_has(song, tmp_path, fields, hint):
    chain = Chain(before=[Effect(plugin=VST3 / "ZamCompX2.vst3", **fields)])
    with pytest.raises(ValueError, match=rf"song.wav: \w+ \(before\[0\]\): .*{hint}"):
        render_file(song, tmp_path / "ears.wav", "laptop", chain=chain)


def test_a_chain_into_a_pipe_writes_sound_alone(song, tmp_path):
    chain = write_chain(tmp_path, OWN)
    command = [sys.executable, "-m", "forestage", "render", "-", "-", "-p", "laptop", "--chain", chain]
    with song.open("rb") as source:
        piped = subprocess.run(command, stdin=source, capture_output=True, check=True).stdout
    found = soundfile.read(io.BytesIO(piped), dtype="float32")[0].T
    assert np.max(db(found - played_by_hand(OWN_BEFORE, OWN_AFTER, sound(song)))) <= -120
