"""Sessions are made of any songs: equally loud, aligned to the sample; what cannot be played is left out by name."""

import json
import subprocess

import numpy as np
import pytest
import soundfile
from scipy import signal

from command_line import run
from forestage import load_preset
from forestage.audition.make import (
    Plan,
    anchor,
    lag_frames,
    make_session,
    matched_gains_db,
    shifted,
)  # fmt: skip
from forestage.audition.session import load_session
from forestage.metrics.loudness import loudness_lufs, programme
from signals import db, noise, tone


def write_song(path, audio=None, rate=48_000, **options):
    audio = programme(sample_rate=rate, seconds=3.0) if audio is None else audio
    soundfile.write(path, np.asarray(audio).T, rate, **options)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A session of two songs at their own rates and lengths, one of them mono, as the command line makes it."""
    folder = tmp_path_factory.mktemp("made")
    songs = [
        write_song(folder / "song.flac"),
        write_song(folder / "mono.wav", programme(sample_rate=44_100, seconds=1.0)[0], rate=44_100),
    ]
    told = run(
        "audition", *songs, "--presets", "smart-speaker", "laptop", "tv", "-o", folder / "session", "--no-serve",
        "--method", "mushra",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    return folder / "session", load_session(folder / "session"), songs


def sounds_of(folder, song):
    return {
        version: np.ascontiguousarray(soundfile.read(folder / "sounds" / f"{sound.id}.flac")[0].T)
        for version, sound in song.sounds.items()
    }


def test_all_versions_are_equally_loud_within_a_tenth(made):
    """By another meter than the one that matched them."""
    folder, session, _ = made
    for song in session.songs:
        loudness = [loudness_lufs(x, sample_rate=song.sample_rate) for x in sounds_of(folder, song).values()]
        assert len(loudness) == 6
        assert np.ptp(loudness) <= 0.1
        assert [sound.lufs for sound in song.sounds.values()] == pytest.approx(loudness, abs=0.06)


def test_all_versions_are_aligned_to_the_sample(made):
    folder, session, _ = made
    for song in session.songs:
        heard = sounds_of(folder, song)
        assert {x.shape for x in heard.values()} == {(2, song.frames)}
        for name, x in heard.items():
            to = "reference" if name.endswith("anchor") else "preset-1"
            assert lag_frames(heard[to], x, song.sample_rate) == 0, name
    assert any(sound.shift_frames for song in session.songs for sound in song.sounds.values())  # there was work


def test_rates_and_lengths_are_those_of_the_songs(made):
    _, session, _ = made
    assert [(song.name, song.sample_rate, song.frames) for song in session.songs] == [
        ("song.flac", 48_000, 144_000),
        ("mono.wav", 44_100, 44_100),
    ]


def test_the_same_call_goes_on_and_another_is_refused(made):
    folder, session, songs = made
    call = ["--presets", "smart-speaker", "laptop", "tv", "-o", folder, "--no-serve", "--method", "mushra"]
    assert "going on with its session" in run("audition", *songs, *call).stdout
    told = run("audition", *songs, *call, "--set", "amount=50")
    assert (told.returncode, "holds a session with other settings" in told.stderr) == (1, True)
    assert load_session(folder) == session


def test_an_anchor_is_what_the_recommendation_says():
    """BS.1534-3: within 0.1 dB up to 3.5 kHz, -25 dB at 4 kHz, -50 dB at 4.5 kHz; no delay."""
    for rate in (44_100, 48_000, 96_000):
        x = np.zeros((2, rate), np.float32)
        x[:, rate // 2] = 1.0
        for cutoff_hz in (3500.0, 7000.0):
            y = anchor(x, cutoff_hz, rate)
            hz, gain = np.fft.rfftfreq(rate, 1 / rate), db(np.fft.rfft(y[0]))
            assert np.argmax(y[0]) == rate // 2
            assert np.max(np.abs(gain[hz <= cutoff_hz])) <= 0.1
            assert np.max(gain[hz >= cutoff_hz * 8 / 7]) <= -25
            assert np.max(gain[hz >= cutoff_hz * 9 / 7]) <= -50


def test_the_reference_and_its_anchors_are_the_pair_at_the_ears(made):
    folder, session, _ = made
    heard = sounds_of(folder, session.songs[0])
    for name, cutoff_hz in (("low-anchor", 3500.0), ("mid-anchor", 7000.0)):
        hz, power = signal.welch(heard[name][0], 48_000, nperseg=8192)
        _, whole = signal.welch(heard["reference"][0], 48_000, nperseg=8192)
        above, below = hz > 1.4 * cutoff_hz, (hz > 200) & (hz < 0.9 * cutoff_hz)
        assert np.mean(power[below]) / np.mean(whole[below]) == pytest.approx(1.0, rel=0.3)
        assert np.mean(power[above]) < 1e-4 * np.mean(whole[above])


@pytest.mark.parametrize("frames", [-7, 0, 7])
def test_a_lag_is_found_and_taken_out(frames):
    x = noise(frames=20_000)
    assert lag_frames(x, shifted(x, frames), 48_000) == frames
    assert np.array_equal(shifted(shifted(x, frames), -frames)[:, 7:-7], x[:, 7:-7])


def test_gains_only_turn_down_and_nothing_is_above_full_scale():
    loud, quiet = tone(level=1.4), tone(level=0.9, hz=2000.0)
    gains = matched_gains_db([loud, quiet], sample_rate=48_000)
    played = [x * 10 ** (gain / 20) for x, gain in zip((loud, quiet), gains, strict=True)]
    assert max(gains) <= 0
    assert max(np.abs(x).max() for x in played) <= 1.0 + 1e-6
    assert np.ptp([loudness_lufs(x, sample_rate=48_000) for x in played]) <= 0.05


def test_an_excerpt_is_cut_out(tmp_path):
    x = noise(frames=5 * 48_000)
    song = write_song(tmp_path / "song.wav", x, subtype="FLOAT")
    folder = tmp_path / "session"
    call = ["--presets", "headphones", "-o", folder, "--no-serve", "--start", "2", "--seconds", "1.5", "--plain"]
    told = run("audition", song, *call, "--set", "amount=0", "--set", "level_match=Off", "--set", "safe_headroom=Off")
    assert told.returncode == 0, told.stderr
    session = load_session(folder)
    assert session.songs[0].frames == 72_000
    (plain, _) = soundfile.read(folder / "sounds" / f"{session.songs[0].sounds['plain'].id}.flac")
    wanted = x[:, 96_000:168_000]
    likeness = np.corrcoef(plain.T[0, 1000:-1000], wanted[0, 1000:-1000])[0, 1]
    assert likeness > 0.9


def test_songs_that_cannot_be_played_are_left_out_by_name(tmp_path):
    good = write_song(tmp_path / "good.wav")
    loud = write_song(tmp_path / "loud.wav", np.clip(40 * programme(seconds=2.0), -1, 1))
    bad = {
        "five-one.wav": (noise(channels=6, frames=48_000), "has 6 channels; stereo would be right"),
        "silent.wav": (np.zeros((2, 48_000)), "silent there"),
        "short.wav": (noise(frames=4_800), "0.10 s; at least 0.4 s have a loudness"),
    }
    for name, (audio, _) in bad.items():
        write_song(tmp_path / name, audio)
    (tmp_path / "text.wav").write_text("no sound")
    songs = [good, loud, *(tmp_path / name for name in bad), tmp_path / "text.wav"]
    told = run("audition", *songs, "--presets", "laptop", "tablet", "-o", tmp_path / "s", "--no-serve")
    assert told.returncode == 0, told.stderr
    for name, (_, hint) in bad.items():
        assert f"{name} is left out: " in told.stderr
        assert hint in told.stderr
    assert "text.wav is left out: " in told.stderr
    assert "loud.wav: clipped in " in told.stderr
    assert "good.wav" not in told.stderr
    assert [song.name for song in load_session(tmp_path / "s").songs] == ["good.wav", "loud.wav"]


def test_a_song_that_is_not_there_is_told_before_any_work(tmp_path):
    song = write_song(tmp_path / "song.wav")
    told = run("audition", song, tmp_path / "gone.wav", "--presets", "laptop", "tablet", "-o", tmp_path / "s")
    assert told.returncode == 1
    assert told.stderr.endswith(f"forestage: {tmp_path / 'gone.wav'}: no such file\n")
    assert "is left out" not in told.stderr
    assert not (tmp_path / "s").exists()


def test_a_song_of_two_hours_asks_for_an_excerpt(tmp_path):
    """A sparse file; an excerpt of it is silent, and says so."""
    from forestage.wav_file import wav_header

    song = tmp_path / "long.wav"
    frames = 7200 * 48_000
    header = wav_header(2, 48_000, frames)
    with song.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + frames * 8)
    told = run("audition", song, "--presets", "laptop", "tablet", "-o", tmp_path / "s", "--no-serve")
    assert told.returncode == 1
    assert "7200 s; at most 300 s would be right for as many versions: choose an excerpt" in told.stderr
    assert "no song is left to listen to" in told.stderr
    told = run(
        "audition", song, "--presets", "laptop", "tablet", "-o", tmp_path / "t", "--no-serve", "--start", "7000",
        "--seconds", "1",
    )  # fmt: skip
    assert "silent there" in told.stderr


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (["--presets", "laptop"], 1, "only laptop to listen to: a second one in --presets, or --plain, would be right"),
        (["--presets", "laptop", "laptop"], 1, "--presets laptop laptop: each once would be right"),
        (["--presets", "laptop", "nosuch"], 1, "nosuch"),
        (["--presets", "laptop", "b.flac"], 1, "b.flac: a song, where presets are listed; songs go in front of"),
        (["--presets", "laptop", "tablet", "--trials", "0"], 2, "--trials"),
        (["--presets", "laptop", "tablet", "tv", "--trials", "2"], 1, "--trials 2: there are 3 pairs of presets"),
        (["--presets", "laptop", "smart-speaker", "-m", "Speakers"], 1, "smart-speaker has 3 drivers, and a browser"),
        (["--presets", "laptop", "-m", "Speakers", "--plain"], 1, "--plain goes with --monitor Headphones"),
        (["--presets", "laptop", "-m", "Speakers", "--method", "mushra"], 1, "--method mushra goes with --monitor"),
        (["--presets", "laptop", "tablet", "--set", "amount=400"], 1, "0 to 100 would be right"),
        (["--presets", "laptop", "tablet", "--start", "9"], 1, "ends after 3.0 s, before --start 9"),
        ([], 2, "--presets: which ones to compare"),
    ],
)
def test_wrong_calls_say_what_would_be_right(tmp_path, words, code, hint):
    song = write_song(tmp_path / "song.wav")
    told = run("audition", song, "-o", tmp_path / "s", "--no-serve", *words)
    assert (told.returncode, hint in told.stderr) == (code, True), told.stderr
    assert not (tmp_path / "s").exists()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path):
    song = write_song(tmp_path / "song.wav")
    told = run("audition", song, "-o", tmp_path, "--no-serve", "--presets", "laptop", "tablet")
    assert (told.returncode, "is not empty, and holds no session" in told.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["song.wav"]


def test_a_plugin_that_crashes_leaves_its_songs_out_by_name(tmp_path):
    from chains import crashing_plugin

    song = write_song(tmp_path / "song.wav")
    chain = tmp_path / "chain.toml"
    chain.write_text(f'[[after]]\nplugin = "{crashing_plugin(tmp_path)}"\n')
    told = run("audition", song, "--presets", "laptop", "tablet", "-o", tmp_path / "s", "--no-serve", "--chain", chain)
    assert told.returncode == 1
    assert "song.wav is left out: laptop: " in told.stderr
    assert "Crasher (after[0]) crashed (SIG" in told.stderr


def test_a_chain_is_heard(tmp_path):
    """A low-pass behind Forestage, in all versions."""
    song = write_song(tmp_path / "song.wav", noise(frames=96_000))
    chain = tmp_path / "chain.toml"
    chain.write_text('[[after]]\neffect = "LowpassFilter"\nparameters = { cutoff_frequency_hz = 300 }\n')
    made = run("audition", song, "--presets", "laptop", "tablet", "-o", tmp_path / "s", "--no-serve", "--chain", chain)
    assert made.returncode == 0, made.stderr
    session = load_session(tmp_path / "s")
    for heard in sounds_of(tmp_path / "s", session.songs[0]).values():
        hz, power = signal.welch(heard[0], 48_000, nperseg=4096)
        assert db(np.sqrt(np.mean(power[hz > 6000]) / np.mean(power[(hz > 100) & (hz < 300)]))) < -20


def test_presets_in_memory_of_one_name_are_told_apart(tmp_path):
    """Two files of one name in two folders."""
    paths = []
    for folder in ("old", "new"):
        (tmp_path / folder).mkdir()
        paths.append(tmp_path / folder / "mine.json")
        paths[-1].write_text(load_preset("laptop").to_json())
    song = write_song(tmp_path / "song.wav")
    plan = Plan([song], [str(path) for path in paths])
    session = make_session(plan, tmp_path / "s")
    assert [version.label for version in session.versions] == [str(path) for path in paths]


def test_without_its_server_the_command_says_what_to_install(tmp_path):
    """In a process where Starlette cannot be imported."""
    import sys

    from auditions import tone_session

    tone_session(tmp_path, "preference", seconds=0.1)
    code = (
        "import sys; sys.modules['starlette'] = None; from forestage.cli import main; "
        f"sys.argv[1:] = ['audition', 'serve', {str(tmp_path)!r}]; main()"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "pip install 'forestage[audition]'" in told.stderr
    assert json.loads((tmp_path / "session.json").read_text())["method"] == "preference"
