"""Sound in files and pipes: any length, in blocks, whole or not at all."""

import os
import resource
import signal
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile

from forestage.audio_file import StereoReader, read_stereo, wav_writer, write_wav
from forestage.render_file import render_file, render_files
from forestage.wav_file import WavWriter, wav_header
from signals import noise

RATE = 48_000


def sparse(path, channels, frames):
    """A file of silence that takes no room on the disk."""
    header = wav_header(channels, RATE, frames)
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + frames * channels * 4)
    return path


@pytest.mark.parametrize(
    ("channels", "frames", "form"),
    [(2, 1000, "WAV"), (7, 1000, "WAVEX"), (16, 67_108_862, "WAVEX"), (16, 67_108_863, "RF64"), (2, 2**33, "RF64")],
)
def test_a_header_tells_the_whole_length_on_either_side_of_4_gib(tmp_path, channels, frames, form):
    info = soundfile.info(sparse(tmp_path / "long.wav", channels, frames))
    assert (info.frames, info.channels, info.samplerate, info.subtype) == (frames, channels, RATE, "FLOAT")
    assert info.format == form


def test_a_file_of_unknown_length_is_rf64_from_its_first_byte_and_plain_when_it_fits(tmp_path):
    audio = noise(frames=1000)
    with (tmp_path / "file.wav").open("w+b") as file, WavWriter(file, channels=2, sample_rate=RATE) as writer:
        writer.write(audio)
        file.flush()
        assert (tmp_path / "file.wav").read_bytes()[:4] == b"RF64"
    assert (tmp_path / "file.wav").read_bytes()[:4] == b"RIFF"
    assert np.array_equal(soundfile.read(tmp_path / "file.wav", dtype="float32")[0].T, audio)


@pytest.mark.parametrize("channels", [1, 2, 7, 16])
def test_samples_come_back_to_the_bit(tmp_path, channels):
    audio = np.resize(noise(frames=70_000), (channels, 70_000))
    write_wav(tmp_path / "a.wav", audio, sample_rate=44_100)
    found, sample_rate = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert sample_rate == 44_100
    assert np.array_equal(found.T, audio)


def test_what_fails_in_the_middle_leaves_what_was_there(tmp_path):
    target = tmp_path / "a.wav"
    target.write_text("precious")

    def fail():
        with wav_writer(target, channels=2, sample_rate=RATE) as writer:
            writer.write(noise(frames=100))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert target.read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_bad_samples_are_found_where_they_are_before_anything_is_written(tmp_path):
    audio = noise(frames=3 * RATE)
    audio[0, 2 * RATE] = np.inf
    soundfile.write(tmp_path / "in.wav", audio.T, RATE, subtype="FLOAT")
    with pytest.raises(ValueError, match=r"in\.wav: holds samples that are NaN or infinite, from 2\.000 s on"):
        render_file(tmp_path / "in.wav", tmp_path / "out.wav", "laptop")
    assert not (tmp_path / "out.wav").exists()


@pytest.mark.slow
def test_memory_does_not_grow_with_the_length(tmp_path):
    def peak_mb(seconds):
        """Of a process that renders so much silence to seven drivers; 30 s of them are 40 MB."""
        source = sparse(tmp_path / "in.wav", 2, seconds * RATE)
        code = (
            "import resource, sys; from forestage.render_file import render_file;"
            "render_file(*sys.argv[1:], 'soundbar-7', monitor='Speakers');"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
        )
        words = [sys.executable, "-c", code, source, tmp_path / "out.wav"]
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    assert peak_mb(61) - peak_mb(1) < 15  # 165 MB when all of it was held


def test_two_files_are_rendered_at_the_same_time(tmp_path, monkeypatch):
    """Each waits in its first block for the other one."""
    meeting = threading.Barrier(2)
    files = [(tmp_path / f"in-{k}.wav", tmp_path / f"out-{k}.wav") for k in range(3)]
    for source, _ in files:
        write_wav(source, noise(frames=100_000), sample_rate=RATE)
    blocks = StereoReader.blocks

    def meet(self, frames):
        if "in-2" not in self.name:
            meeting.wait(timeout=60)
        yield from blocks(self, frames)

    monkeypatch.setattr(StereoReader, "blocks", meet)
    told = []
    results = render_files(files, "laptop", threads=2, progress=told.append)
    assert [result.frames for result in results] == [100_000] * 3
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1.0)
    contents = {target.read_bytes() for _, target in files}
    assert len(contents) == 1


def test_a_stop_ends_all_files_and_leaves_none(tmp_path):
    files = [(sparse(tmp_path / f"in-{k}.wav", 2, 600 * RATE), tmp_path / f"out-{k}.wav") for k in range(3)]

    told = []

    def stop(share):
        if not told:
            os.kill(os.getpid(), signal.SIGINT)
        told.append(share)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            render_files(files, "laptop", threads=2, progress=stop)
    finally:
        signal.signal(signal.SIGINT, before)
    assert max(told) < 0.1
    assert not [path.name for path in tmp_path.iterdir() if "out" in path.name]


def forestage(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "forestage", "render", "-p", "laptop", *map(str, arguments)],
        capture_output=True,
        check=False,
        **options,
    )


@pytest.fixture
def rendered(tmp_path):
    """A song, and what becomes of it."""
    audio = noise(frames=100_000)
    soundfile.write(tmp_path / "song.flac", audio.T, RATE)
    soundfile.write(tmp_path / "song.wav", soundfile.read(tmp_path / "song.flac")[0], RATE, subtype="FLOAT")
    render_file(tmp_path / "song.flac", tmp_path / "ears.wav", "laptop")
    return soundfile.read(tmp_path / "ears.wav", dtype="float32")[0]


@pytest.mark.parametrize("name", ["song.wav", "song.flac"])
def test_render_reads_the_standard_input_and_writes_the_standard_output(tmp_path, rendered, name):
    result = forestage("-", "-", input=(tmp_path / name).read_bytes())
    assert result.returncode == 0, result.stderr
    assert b"2.08 s" in result.stderr
    (tmp_path / "piped.wav").write_bytes(result.stdout)
    assert np.array_equal(soundfile.read(tmp_path / "piped.wav", dtype="float32")[0], rendered)


def test_render_reads_a_stream_whose_header_knows_no_length(tmp_path, rendered):
    raw = (tmp_path / "song.wav").read_bytes()
    at = raw.index(b"data") + 4
    result = forestage("-", tmp_path / "out.wav", input=raw[:at] + b"\xff\xff\xff\xff" + raw[at + 4 :])
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "out.wav").read_bytes()[:4] == b"RIFF"
    assert b"cut off" not in result.stderr
    assert np.array_equal(soundfile.read(tmp_path / "out.wav", dtype="float32")[0], rendered)


def test_a_redirected_file_is_read_and_written_as_any_other(tmp_path, rendered):
    with (tmp_path / "song.flac").open() as source, (tmp_path / "out.wav").open("wb") as target:
        words = [sys.executable, "-m", "forestage", "render", "-p", "laptop", "-", "-"]
        subprocess.run(words, stdin=source, stdout=target, stderr=subprocess.DEVNULL, check=True)
    assert np.array_equal(soundfile.read(tmp_path / "out.wav", dtype="float32")[0], rendered)


def test_who_stops_reading_gets_no_traceback(tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(frames=20 * RATE).T, RATE)
    words = [sys.executable, "-m", "forestage", "render", "-p", "laptop", tmp_path / "song.wav", "-"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.read(1000)
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 1


def test_a_full_disk_is_named(tmp_path):
    soundfile.write(tmp_path / "song.wav", noise(frames=10 * RATE).T, RATE)
    result = forestage(
        tmp_path / "song.wav",
        tmp_path / "out.wav",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert result.returncode == 1
    assert b"out.wav: file too large" in result.stderr
    assert not (tmp_path / "out.wav").exists()


def test_mono_is_two_equal_channels(tmp_path):
    audio = noise(frames=1000)[:1]
    write_wav(tmp_path / "mono.wav", audio, sample_rate=RATE)
    assert np.array_equal(read_stereo(tmp_path / "mono.wav")[0], np.repeat(audio, 2, axis=0))


FORMS = [
    ("WAV", "PCM_16"),
    ("WAV", "IMA_ADPCM"),
    ("WAVEX", "FLOAT"),
    ("RF64", "PCM_24"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
]


@pytest.mark.parametrize(("form", "subtype"), FORMS)
def test_a_file_that_is_cut_off_is_told_of_with_both_lengths(tmp_path, form, subtype):
    path = tmp_path / "song"
    soundfile.write(path, noise(frames=2 * RATE).T, RATE, subtype, format=form)
    raw = path.read_bytes()
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.warns(UserWarning, match=r"song: is cut off: 1\.0. s are there, and its header announces 2\.0. s"):
        audio, _ = read_stereo(path)
    assert audio.shape[1] == pytest.approx(RATE, rel=0.05)


@pytest.mark.parametrize(("form", "subtype"), FORMS)
def test_whole_files_are_not_told_of(tmp_path, form, subtype):
    path = tmp_path / "song"
    for frames in (999, 1000):  # three bytes a frame: odd sizes are padded
        soundfile.write(path, noise(frames=frames)[0], RATE, subtype, format=form)
        with path.open("ab") as file:
            file.write(b"some tool's own words")
        assert read_stereo(path)[0].shape[1] >= frames


def sizes(path, *, chunks=b"", size=None, sound=b"\1\0" * 2 * RATE):
    """A WAV of a second of 16 bits, with chunks before its sound, and any size of it in the header."""
    layout = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, RATE, 4 * RATE, 4, 16)
    data = chunks + b"data" + struct.pack("<I", len(sound) if size is None else size) + sound
    path.write_bytes(b"RIFF" + struct.pack("<I", 8 if size == 0 else 36 + len(data)) + b"WAVE" + layout + data)
    return path


@pytest.mark.parametrize("size", [0, 0x7FFFF000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF])
def test_a_header_that_knows_no_length_announces_none(tmp_path, size):
    assert read_stereo(sizes(tmp_path / "a.wav", size=size))[0].shape == (2, RATE)


def test_chunks_before_the_sound_are_passed_over(tmp_path):
    chunks = b"JUNK" + struct.pack("<I", 13) + b"    data\xff\xff\xff\x00x" + b"\0"
    assert read_stereo(sizes(tmp_path / "a.wav", chunks=chunks))[0].shape == (2, RATE)
    sizes(tmp_path / "a.wav", size=4 * RATE + 44)  # a writer that counts its header
    assert read_stereo(tmp_path / "a.wav")[0].shape == (2, RATE)
    sizes(tmp_path / "a.wav", chunks=chunks, size=8 * RATE)
    with pytest.warns(UserWarning, match=r"1\.00 s are there, and its header announces 2\.00 s"):
        read_stereo(tmp_path / "a.wav")


@pytest.mark.parametrize("way", ["file", "redirected", "pipe"])
def test_render_says_that_a_file_is_cut_off_and_renders_what_is_there(tmp_path, way):
    path = sizes(tmp_path / "a.wav", size=8 * RATE)
    with path.open("rb") as file:
        given = {"input": path.read_bytes()} if way == "pipe" else {"stdin": file}
        result = forestage(path if way == "file" else "-", tmp_path / "out.wav", **given)
    name = path if way == "file" else "standard input"
    told = f"forestage: {name}: is cut off: 1.00 s are there, and its header announces 2.00 s"
    assert (result.returncode, result.stderr.decode().count(told)) == (0, 1)
    assert soundfile.info(tmp_path / "out.wav").frames == RATE


def test_a_tail_keeps_what_rings_on_and_changes_nothing_before(tmp_path):
    write_wav(tmp_path / "in.wav", noise(frames=RATE), sample_rate=RATE)
    sounds = {}
    for tail_s in (0.0, 0.25, "auto"):
        result = render_file(tmp_path / "in.wav", tmp_path / "out.wav", "laptop", tail_s=tail_s, room="On")
        sounds[tail_s] = soundfile.read(tmp_path / "out.wav", dtype="float32")[0]
        assert len(sounds[tail_s]) == result.frames
    short, quarter, whole = sounds.values()
    assert (len(short), len(quarter)) == (RATE, 1.25 * RATE)
    assert np.allclose(quarter, whole[: len(quarter)], rtol=0.0, atol=1e-6)  # blocks end elsewhere
    assert np.allclose(short, whole[:RATE], rtol=0.0, atol=1e-6)
    assert np.abs(whole[RATE:]).max() > 0.01
    assert np.abs(whole[-100:]).max() < 1e-5


@pytest.mark.parametrize("tail_s", [-1.0, float("nan"), 1e9])
def test_a_tail_that_cannot_be_is_refused(tmp_path, tail_s):
    write_wav(tmp_path / "in.wav", noise(frames=100), sample_rate=RATE)
    with pytest.raises(ValueError, match=r"tail_s is .*; 0 to 600 s would be right, or 'auto'"):
        render_files([(tmp_path / "in.wav", tmp_path / "out.wav")], "laptop", tail_s=tail_s)


def test_the_command_takes_a_tail_for_files_and_streams(tmp_path):
    write_wav(tmp_path / "in.wav", noise(frames=RATE), sample_rate=RATE)
    result = forestage("-", tmp_path / "out.wav", "--tail", "0.5", input=(tmp_path / "in.wav").read_bytes())
    assert (result.returncode, soundfile.info(tmp_path / "out.wav").frames) == (0, 1.5 * RATE)
    assert forestage(tmp_path / "in.wav", "-o", tmp_path / "folder", "--tail", "auto").returncode == 0
    assert soundfile.info(tmp_path / "folder" / "in.wav").frames > 1.5 * RATE
    refused = forestage(tmp_path / "in.wav", tmp_path / "no.wav", "--tail", "long")
    assert b"--tail': 'long' is neither a number of seconds nor 'auto'" in refused.stderr
