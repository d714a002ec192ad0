"""The command line as a user meets it."""

import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

import forestage
from command_line import mind_interrupts, run
from forestage._core import unpack_state
from headphone_eqs import AUTO_EQ, parametric
from places import DEVICES, ROOT
from signals import db, noise


@pytest.fixture
def song(tmp_path):
    path = tmp_path / "song.wav"
    soundfile.write(path, noise(frames=24_000).T, 48_000, subtype="FLOAT")
    return path


@pytest.mark.parametrize(
    "command",
    [
        "",
        "audition",
        "audition results",
        "design",
        "render",
        "report",
        "ears",
        "validate",
        "export",
        "presets",
        "install-plugin",
    ],
)
def test_help_is_there_for_every_command(command):
    result = run(*command.split(), "--help")
    assert result.returncode == 0
    assert "Usage: forestage" in result.stdout


def test_render_writes_what_the_renderer_plays_with_latency_taken_out(song, tmp_path):
    target = tmp_path / "ears.wav"
    result = run("render", song, target, "--preset", "laptop", "--set", "amount=70")
    assert result.returncode == 0, result.stderr
    x = soundfile.read(song, dtype="float32")[0].T
    renderer = forestage.Renderer("laptop", amount=70)
    expected = renderer.process(np.pad(x, ((0, 0), (0, renderer.latency_frames))))[:, renderer.latency_frames :]
    found, sample_rate = soundfile.read(target, dtype="float32")
    assert sample_rate == 48_000
    assert np.max(db(found.T - expected)) <= -120


def test_render_calls_silence_silent(tmp_path):
    soundfile.write(tmp_path / "nothing.wav", np.zeros((4800, 2)), 48_000)
    result = run("render", tmp_path / "nothing.wav", tmp_path / "ears.wav", "--preset", "laptop")
    assert "at 48000 Hz, silent, gain" in result.stdout


def test_render_plays_headphones_through_their_equaliser(song, tmp_path):
    target, eq = tmp_path / "ears.wav", tmp_path / "HD 650.txt"
    eq.write_text(AUTO_EQ)
    result = run("render", song, target, "--preset", "laptop", "--headphone-eq", eq)
    assert result.returncode == 0, result.stderr
    x = soundfile.read(song, dtype="float32")[0].T
    renderer = forestage.Renderer("laptop", headphone_eq=parametric())
    expected = renderer.process(np.pad(x, ((0, 0), (0, renderer.latency_frames))))[:, renderer.latency_frames :]
    assert np.max(db(soundfile.read(target, dtype="float32")[0].T - expected)) <= -120


def test_a_broken_equaliser_is_named_with_its_line(song, tmp_path):
    eq = tmp_path / "HD 650.txt"
    eq.write_text("Preamp: -6 dB\nFilter 1: ON PK Fc x Hz Gain 1 dB Q 1")
    result = run("render", song, tmp_path / "ears.wav", "--preset", "laptop", "--headphone-eq", eq)
    assert result.returncode == 1
    assert 'HD 650.txt: line 2: Fc is "x"; 1 to 96000 Hz would be right' in result.stderr
    assert not (tmp_path / "ears.wav").exists()


def test_export_carries_the_equaliser_to_hosts(tmp_path):
    target, eq = tmp_path / "laptop.vstpreset", tmp_path / "HD 650.txt"
    eq.write_text(AUTO_EQ)
    assert run("export", "laptop", "--to", "vstpreset", "-o", target, "--headphone-eq", eq).returncode == 0
    assert '"name": "HD 650"' in unpack_state(forestage.vst3.state_of(target.read_bytes()))
    assert run("export", "laptop", "--to", "wav", "-o", tmp_path / "wav", "--headphone-eq", eq).returncode == 2
    assert run("export", "laptop", "--to", "wav", "-o", tmp_path / "wav", "--slot-b", "tablet").returncode == 2


def test_render_writes_one_channel_per_driver(song, tmp_path):
    target = tmp_path / "feeds.wav"
    assert run("render", song, target, "-p", "smart-speaker", "-m", "Speakers").returncode == 0
    assert soundfile.info(target).channels == 3


def test_render_writes_several_songs_into_a_folder_as_it_does_one(song, tmp_path):
    soundfile.write(tmp_path / "other.flac", noise(frames=30_000, seed=3).T, 44_100)
    result = run("render", song, tmp_path / "other.flac", "-o", tmp_path / "out", "-p", "laptop")
    assert result.returncode == 0, result.stderr
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["other.wav", "song.wav"]
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        str(tmp_path / "out" / name) for name in ("song.wav", "other.wav")
    ]
    for source in (song, tmp_path / "other.flac"):
        assert run("render", source, tmp_path / "alone.wav", "-p", "laptop", "--overwrite").returncode == 0
        assert (tmp_path / "out" / f"{source.stem}.wav").read_bytes() == (tmp_path / "alone.wav").read_bytes()


def test_a_song_that_cannot_be_rendered_leaves_the_others_alone(song, tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    result = run("render", tmp_path / "text.wav", song, "-o", tmp_path / "out", "-p", "laptop")
    assert result.returncode == 1
    assert "text.wav: not an audio file" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["song.wav"]


def test_songs_of_one_name_are_told_apart_before_any_work(song, tmp_path):
    result = run("render", song, tmp_path / "song.flac", "-o", tmp_path / "out", "-p", "laptop")
    assert result.returncode == 1
    assert f"both would become {tmp_path / 'out' / 'song.wav'}" in " ".join(result.stderr.split())
    assert not (tmp_path / "out").exists()
    result = run("render", song, song, song, "-p", "laptop")
    assert result.returncode == 2
    assert "got 3 files; SOURCE TARGET would be right, or SOURCE... -o FOLDER" in result.stderr


def test_render_onto_an_existing_file_asks_for_overwrite(song, tmp_path):
    target = tmp_path / "ears.wav"
    target.write_text("precious")
    result = run("render", song, target, "--preset", "laptop")
    assert result.returncode == 1
    assert "--overwrite" in result.stderr
    assert target.read_text() == "precious"
    assert run("render", song, target, "--preset", "laptop", "--overwrite").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["--preset", "boombox"], 1, "no preset 'boombox'"),
        (["--preset", "laptop", "--set", "amount=400"], 1, "0 to 100 would be right"),
        (["--preset", "laptop", "--set", "amount"], 2, "id=value would be right"),
        (["--preset", "laptop", "--monitor", "Phones"], 2, "Headphones Reference"),
        ([], 2, "--preset"),
    ],
)
def test_wrong_calls_say_what_would_be_right(song, tmp_path, arguments, code, hint):
    result = run("render", song, tmp_path / "out.wav", *arguments)
    assert result.returncode == code
    assert hint in result.stderr
    assert not (tmp_path / "out.wav").exists()


def test_a_file_that_is_no_audio_is_named(tmp_path):
    bad = tmp_path / "song.wav"
    bad.write_text("la la la")
    result = run("render", bad, tmp_path / "out.wav", "--preset", "laptop")
    assert result.returncode == 1
    assert "song.wav: not an audio file" in result.stderr


@pytest.mark.slow
def test_centimetres_typed_as_metres_are_asked_about(tmp_path):
    """Where nobody can answer it is said, and who is strict gets no preset."""
    text = (DEVICES / "laptop.toml").read_text().replace("0.5", "50").replace("0.14", "14.0")
    device, made = tmp_path / "laptop.toml", tmp_path / "laptop.json"
    device.write_text(text)
    result = run("design", device, "-o", made, "--strict")
    assert result.returncode == 3
    assert "the drivers stand 28 m apart; was 0.28 m meant? Sizes are in metres" in result.stderr
    assert "the listener sits 50 m away; was 0.5 m meant?" in result.stderr
    assert not made.exists()


@pytest.mark.slow
def test_design_makes_the_shipped_preset_again(tmp_path):
    """The same filters, to rounding: other machines' numpy may round differently."""
    made = tmp_path / "laptop.json"
    result = run("design", DEVICES / "laptop.toml", "-o", made, "--strict")
    assert result.returncode == 0, result.stderr
    verdict = [
        line for line in result.stdout.splitlines() if any(f": {word}: " in line for word in ("good", "limited"))
    ]
    assert 5 <= len(verdict) <= 6
    ours, shipped = forestage.load_preset(made).filters(48_000), forestage.load_preset("laptop").filters(48_000)
    for mine, theirs in zip(ours.cancel, shipped.cancel, strict=True):
        assert np.max(db(np.array(mine) - np.array(theirs))) <= -120
    again = run("design", DEVICES / "laptop.toml", "-o", made)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr


def test_validate_says_what_is_wrong_and_where(tmp_path):
    good = forestage.factory_presets()["laptop"]
    bad = tmp_path / "bad.json"
    bad.write_text(good.read_text().replace('"delay_frames"', '"delay_ms"', 1))
    result = run("validate", good, bad)
    assert result.returncode == 1
    assert "OK" in result.stdout
    assert "bad.json" in result.stderr
    assert '"delay_ms"' in result.stderr
    assert run("validate", good).returncode == 0


def test_presets_lists_the_factory():
    result = run("presets")
    assert result.returncode == 0
    names = list(forestage.factory_presets())
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == names
    texts = {len(line) - len(line[len(name) :].lstrip()) for name, line in zip(names, lines, strict=True)}
    assert texts == {max(map(len, names)) + 2}


def test_export_wav_writes_the_filters(tmp_path):
    result = run("export", "smart-speaker", "--to", "wav", "-o", tmp_path / "irs", "--sample-rate", 96_000)
    assert result.returncode == 0, result.stderr
    filters = forestage.load_preset("smart-speaker").filters(96_000)
    audio, sample_rate = soundfile.read(tmp_path / "irs" / "beam.wav", dtype="float32")
    assert (sample_rate, audio.shape[1]) == (96_000, 3)
    assert np.array_equal(audio[filters.beam_align_frames :, 2], filters.beam[2])
    assert run("export", "smart-speaker", "--to", "wav", "-o", tmp_path / "irs").returncode == 1


def test_any_parameter_may_be_set_the_monitor_too(song, tmp_path):
    target = tmp_path / "feeds.wav"
    result = run("render", song, target, "-p", "smart-speaker", "--set", "monitor=Speakers", "--set", "level_match=Off")
    assert result.returncode == 0, result.stderr
    assert soundfile.info(target).channels == 3


def test_a_file_with_bad_samples_is_refused(tmp_path):
    x = noise(frames=1000).T
    x[500, 0] = np.nan
    soundfile.write(tmp_path / "song.wav", x, 48_000, subtype="FLOAT")
    result = run("render", tmp_path / "song.wav", tmp_path / "out.wav", "-p", "laptop")
    assert result.returncode == 1
    assert "NaN" in result.stderr


@pytest.mark.parametrize("command", ["render", "design"])
def test_a_missing_folder_is_named_before_any_work(song, tmp_path, command):
    target = tmp_path / "nowhere" / "out"
    words = (
        ["render", song, target, "-p", "laptop"]
        if command == "render"
        else ["design", DEVICES / "laptop.toml", "-o", target]
    )
    result = run(*words)
    assert result.returncode == 1
    assert "nowhere does not exist" in result.stderr


def test_install_plugin_keeps_what_is_there_when_it_cannot_install(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    bundle = tmp_path / ".vst3/Forestage.vst3"
    bundle.mkdir(parents=True)

    def missing(kind):
        raise FileNotFoundError(kind)

    monkeypatch.setattr("forestage.host.plugin_path", missing)
    with pytest.raises(FileNotFoundError):
        forestage.host.install_plugin()
    assert bundle.is_dir()


def test_install_plugin_goes_to_the_users_folders_and_back(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vst3").mkdir()
    (tmp_path / ".vst3/Forestage.vst3").symlink_to(tmp_path)
    assert run("install-plugin").returncode == 0
    assert (tmp_path / ".vst3/Forestage.vst3/Contents").is_dir()
    assert (tmp_path / ".lv2/Forestage.lv2/manifest.ttl").is_file()
    assert (tmp_path / ".lv2/Forestage.lv2/factory/laptop.json").is_file()
    result = run("install-plugin", "--remove")
    assert result.returncode == 0
    assert result.stdout.count("removed") == 3
    assert not (tmp_path / ".vst3/Forestage.vst3").exists()
    assert "nothing to remove" in run("install-plugin", "--remove").stdout


@pytest.mark.parametrize("words", [[], ["--remove"]])
def test_a_file_where_the_plugin_would_be_is_someones(tmp_path, monkeypatch, words):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vst3").mkdir()
    (tmp_path / ".vst3/Forestage.vst3").write_text("mine")
    result = run("install-plugin", *words)
    assert result.returncode == 1
    assert result.stderr.endswith(
        "Forestage.vst3: is a file, where the plugin is a folder; move it away, or delete it\n"
    )
    assert [path.name for path in tmp_path.rglob("*")] == [".vst3", "Forestage.vst3"]
    assert (tmp_path / ".vst3/Forestage.vst3").read_text() == "mine"


def test_nothing_is_left_of_an_installation_that_fails(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".vst3").mkdir()
    (tmp_path / ".vst3/Forestage.vst3.new").write_text("of an older failure")

    def full(source, target):
        target.mkdir()
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr("shutil.copytree", full)
    with pytest.raises(OSError, match="No space left"):
        forestage.host.install_plugin()
    assert list((tmp_path / ".vst3").iterdir()) == []


@pytest.mark.parametrize("form", ["vstpreset", "wav", "json"])
def test_nothing_is_written_through_a_link_to_nothing(tmp_path, form):
    link = tmp_path / ("cancel-left.wav" if form == "wav" else f"laptop.{form}")
    link.symlink_to(tmp_path / "nowhere")
    words = {
        "vstpreset": ["export", "laptop", "--to", "vstpreset", "-o", link],
        "wav": ["export", "laptop", "--to", "wav", "-o", tmp_path],
        "json": ["design", "laptop", "-o", link],
    }[form]
    result = run(*words)
    assert result.returncode == 1
    assert f"{link} exists already; say --overwrite" in result.stderr
    assert list(tmp_path.iterdir()) == [link]


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("design nowhere.toml -o x.json", "no device 'nowhere.toml': not a file, and not one of asymmetric-pair, "),
        ("design . -o x.json", "no device '.': a folder"),
        ("ears nowhere.json", "no preset 'nowhere.json': not a file"),
        ("validate nowhere.vstpreset", "nowhere.vstpreset: no such file or directory"),
        ("render nowhere.wav out.wav -p laptop", "nowhere.wav: no such file"),
        ("render . out.wav -p laptop", ".: is a folder; a file would be right"),
        ("render . -o out -p laptop", ".: is a folder; a file would be right"),
        ("render song.wav out.wav -p laptop --chain .", ".: is a folder; a chain (.toml) would be right"),
        ("render song.wav /proc/out.wav -p laptop", "forestage: /proc/out.wav: no such file or directory"),
        ("measure sweeps laptop -o /proc/sweeps", "forestage: /proc/sweeps: no such file or directory"),
        ("render song.wav out.wav -p other.vstpreset", "other.vstpreset: a state of the plugin"),
        ("render song.wav out.wav -p box.toml", "box.toml: a device, of which `forestage design` makes a preset"),
        ("validate song.vstpreset", "song.vstpreset: not a VST3 preset: it does not begin with VST3"),
    ],
)
def test_what_is_missing_or_of_another_kind_is_named_in_one_line(song, words, hint):
    for name in ("other.vstpreset", "box.toml"):
        (song.parent / name).write_text("")
    shutil.copy(song, song.with_suffix(".vstpreset"))
    result = run(*words.split(), cwd=song.parent)
    assert result.returncode == 1
    assert hint in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_validate_reads_what_hosts_load(tmp_path):
    target = tmp_path / "two.vstpreset"
    assert run("export", "laptop", "--to", "VSTPreset", "--slot-b", "tablet", "-o", target).returncode == 0
    assert run("validate", target).stdout == f"{target}: OK, Laptop, 2 drivers; Tablet, 2 drivers\n"
    state = target.read_bytes()
    text = unpack_state(forestage.vst3.state_of(state))
    target.write_bytes(forestage.vst3.vstpreset(text.replace('"schema": 2', '"schema": 3', 1)))
    assert f"{target}: /slots/a/schema: is 3; this version reads up to 2" in run("validate", target).stderr
    target.write_bytes(state.replace(b"46737374", b"46737375", 1).replace(b"Frst".hex().upper().encode(), b"0" * 8, 1))
    assert "a preset of another plugin" in run("validate", target).stderr
    target.write_bytes(state[: len(state) // 2])
    assert "not a whole VST3 preset" in run("validate", target).stderr


def test_a_preset_as_hosts_save_it_is_read(tmp_path):
    from forestage.host import plugin_state
    from forestage.vst3 import state_of

    state = plugin_state("laptop").encode()
    blob = state + b"private" + (7).to_bytes(8, "little") + b"JUCEPrivateData"
    header = forestage.vst3.vstpreset("")[:48]
    body = header[:40] + (48 + len(blob)).to_bytes(8, "little") + blob
    body += b"List" + (1).to_bytes(4, "little") + b"Comp" + (48).to_bytes(8, "little") + len(blob).to_bytes(8, "little")
    assert state_of(body) == state


def test_choices_are_read_in_any_case(song, tmp_path):
    target = tmp_path / "feeds.wav"
    result = run("render", song, target, "-p", "Smart-Speaker", "-m", "speakers")
    assert result.returncode == 0, result.stderr
    assert soundfile.info(target).channels == 3


@pytest.mark.slow
def test_devices_are_listed_and_designed_by_name(tmp_path):
    listed = run("devices").stdout
    assert all(name in listed for name in forestage.factory_devices())
    assert forestage.load_device("Headphones").name == "Your Own Headphones"
    result = run("design", "headphones", "-o", tmp_path / "mine.json")
    assert result.returncode == 0, result.stderr


def test_ctrl_c_ends_with_130_and_leaves_nothing(song, tmp_path):
    soundfile.write(song, noise(frames=48_000 * 60).T, 48_000, subtype="FLOAT")
    words = [sys.executable, "-m", "forestage", "render", song, tmp_path / "out.wav", "-p", "laptop"]
    # Shells start what runs behind them without this signal, and whatever they start in turn
    with subprocess.Popen(words, stderr=subprocess.PIPE, preexec_fn=mind_interrupts) as process:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob(".out.wav.*")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        errors = process.stderr.read()
    assert process.returncode == 130
    assert errors.endswith(b"forestage: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


@pytest.mark.parametrize("home", [None, "", "/nonexistent"])
def test_a_user_without_a_home_is_told_to_set_one(monkeypatch, home):
    if home is None:
        monkeypatch.delenv("HOME")

        def unknown(uid):
            raise KeyError(f"getpwuid(): uid not found: {uid}")

        monkeypatch.setattr("pwd.getpwuid", unknown)
    else:
        monkeypatch.setenv("HOME", home)
    with pytest.raises(
        FileNotFoundError, match="no home folder .* to install into: set HOME, or copy /.*Forestage.vst3"
    ):
        forestage.host.install_plugin()


def test_too_little_memory_is_said_in_one_line(capsys):
    import click

    from forestage.command import run_command

    def hungry():
        np.empty(2**57)

    with pytest.raises(SystemExit) as ended:
        run_command(click.Command("hungry", callback=hungry), name="forestage", arguments=[])
    assert ended.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("forestage: not enough memory (Unable to allocate 1.00 EiB")
    assert message.count("\n") == 1


def test_run_without_sudo_says_what_to_install(tmp_path):
    """On a machine where packages are missing, whose user may not install them."""
    for name, text in {
        "id": "echo 1000",
        "dpkg-query": "exit 1",
        "git": "",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("bash", "dirname", "grep", "env"):
        (tmp_path / name).symlink_to(shutil.which(name))
    script = ROOT / "run"
    result = subprocess.run(
        ["bash", script, "lint"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1
    assert "there is no sudo here; ask an administrator for: apt-get install python3-venv" in result.stderr
