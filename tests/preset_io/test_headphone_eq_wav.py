"""Impulse responses of equalisers as WAV files: what each kind of file holds, to the bit, or what is wrong with it."""

import re
import struct

import numpy as np
import pytest
import soundfile
from scipy.io import wavfile

from forestage import _core, load_headphone_eq
from headphone_eqs import AUTO_EQ, linear_phase_taps
from places import ROOT

RATE = 48_000
FRAMES = 600
DECAY = np.exp(-np.arange(FRAMES) / 30) * np.cos(np.arange(FRAMES) / 3)
TAPS = np.stack([0.5 * DECAY, -0.4 * DECAY], axis=1)  # (frames, 2)
PLUGIN = ROOT / "plugin"


def assert_holds(path, taps, sample_rate=RATE):
    expected = _core.headphone_eq_from_firs(
        np.ascontiguousarray(taps.T, np.float32), sample_rate=sample_rate, name=path.stem
    )
    assert load_headphone_eq(path) == expected
    assert _core.parse_eq_wav(path.read_bytes(), name=path.stem) == expected


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def format_chunk(*, tag=1, channels=2, rate=RATE, bits=16, frame_bytes=None, extra=b""):
    frame_bytes = channels * ((bits + 7) // 8) if frame_bytes is None else frame_bytes
    rates = struct.pack("<II", rate, rate * frame_bytes % 2**32)
    return chunk(b"fmt ", struct.pack("<HH", tag, channels) + rates + struct.pack("<HH", frame_bytes, bits) + extra)


def riff(*chunks, head=b"RIFF"):
    body = b"WAVE" + b"".join(chunks)
    return head + struct.pack("<I", len(body)) + body


def pcm_16(taps=TAPS):
    return np.round(taps * 32_767).astype("<i2")


# -- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])
def test_every_coding_is_read_as_libsndfile_reads_it(tmp_path, form, subtype):
    path = tmp_path / "eq.wav"
    soundfile.write(path, TAPS, RATE, subtype=subtype, format=form)
    assert_holds(path, soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32, np.float64])
def test_files_of_scipy_are_read(tmp_path, dtype):
    path = tmp_path / "eq.wav"
    scale = {np.uint8: 127, np.int16: 32_767, np.int32: 2**31 - 1}.get(dtype, 1)
    wavfile.write(path, RATE, (TAPS * scale + (128 if dtype is np.uint8 else 0)).astype(dtype))
    assert_holds(path, soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("sample_rate", [8000, 44_100, 192_000, 384_000, 768_000])
def test_mono_is_for_both_ears_at_any_rate(tmp_path, sample_rate):
    path = tmp_path / "eq.wav"
    soundfile.write(path, TAPS[:, 0], sample_rate, subtype="PCM_24")
    assert_holds(path, np.repeat(soundfile.read(path, dtype="float32", always_2d=True)[0], 2, axis=1), sample_rate)


@pytest.mark.parametrize("name", ["UPPER.WAV", "Kopfhörer – ü.wav", "a b.Wav"])
def test_files_of_any_name_are_read(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(riff(format_chunk(), chunk(b"data", pcm_16().tobytes())))
    assert_holds(path, pcm_16() / np.float32(32_768))


@pytest.mark.parametrize(
    "make",
    [
        lambda sound: riff(chunk(b"LIST", b"odd"), format_chunk(), chunk(b"JUNK", b""), chunk(b"data", sound)),
        lambda sound: riff(format_chunk(), chunk(b"data", sound), chunk(b"LIST", b"INFO....")),
        lambda sound: riff(format_chunk(), b"data\xff\xff\xff\xff", sound),  # as ffmpeg writes into a pipe
        lambda sound: riff(format_chunk(), b"data\0\0\0\0", sound),
        lambda sound: riff(format_chunk(), b"data\xff\xff\xff\x7f", sound),
        lambda sound: riff(format_chunk(), b"data\0\xf0\xff\x7f", sound + b"\1"),  # as sox does; and half a frame
        lambda sound: riff(chunk(b"ds64", struct.pack("<QQQI", 0, len(sound), 0, 0)), format_chunk(),
                           b"data\xff\xff\xff\xff", sound, chunk(b"LIST", b"INFO...."), head=b"RF64"),
        lambda sound: riff(chunk(b"ds64", struct.pack("<QQQI", 0, 0, 0, 0)), format_chunk(),
                           b"data\xff\xff\xff\xff", sound, head=b"BW64"),
        lambda sound: riff(format_chunk(), chunk(b"data", sound))[:4] + b"\0\0\0\0"
        + riff(format_chunk(), chunk(b"data", sound))[8:],
    ],
)  # fmt: skip
def test_headers_of_all_kinds_are_read(tmp_path, make):
    path = tmp_path / "eq.wav"
    path.write_bytes(make(pcm_16().tobytes()))
    assert_holds(path, pcm_16() / np.float32(32_768))


def test_20_bits_lie_in_the_upper_part_of_three_bytes(tmp_path):
    words = np.round(TAPS * (2**19 - 1)).astype(np.int64) * 16
    sound = b"".join(int(word).to_bytes(3, "little", signed=True) for word in words.ravel())
    path = tmp_path / "eq.wav"
    path.write_bytes(riff(format_chunk(bits=20), chunk(b"data", sound)))
    assert_holds(path, (words / 2**23).astype(np.float32))


# -- what is refused --------------------------------------------------------------------------------------------------

SOUND = chunk(b"data", pcm_16().tobytes())


def encoded(**kind):
    def write(path):
        soundfile.write(path, TAPS, RATE, **kind)

    return write


def floats(taps, **kind):
    data = np.asarray(taps, "<f8" if kind.get("bits") == 64 else "<f4").tobytes()
    return riff(format_chunk(**({"tag": 3, "channels": 1, "bits": 32} | kind)), chunk(b"data", data))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (encoded(format="FLAC"), "is FLAC under the name of a WAV; a WAV file of PCM"),
        (encoded(format="AIFF"), "is AIFF under the name of a WAV"),
        (encoded(format="OGG"), "is Ogg under the name of a WAV"),
        (encoded(format="CAF"), "is CAF under the name of a WAV"),
        (encoded(format="W64"), "is Wave64 under the name of a WAV"),
        (encoded(format="WAV", endian="BIG"), r"is WAV of the other byte order \(RIFX\)"),
        (encoded(format="WAV", subtype="ALAW"), "holds A-law; a WAV file of PCM"),
        (encoded(format="WAV", subtype="ULAW"), "holds mu-law"),
        (encoded(format="WAV", subtype="MS_ADPCM"), "holds ADPCM"),
        (encoded(format="WAV", subtype="IMA_ADPCM"), "holds IMA ADPCM"),
        (AUTO_EQ.encode(), "is not a WAV file"),
        (b"", "is not a WAV file"),
        (b"RIFF", "is not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "has no format before its sound"),
        (riff(SOUND, format_chunk()), "has no format before its sound"),
        (riff(chunk(b"fmt ", b"\1\0"), SOUND), "has a broken header"),
        (riff(format_chunk()), "holds no sound"),
        (riff(format_chunk(), b"data\0\0\0\0"), "holds no sound"),
        (riff(format_chunk(), chunk(b"data", b"\0\0\0")), "holds no sound"),
        (riff(format_chunk(), SOUND)[:-1000], "ends after 1400 of 2400 bytes of sound: the file is truncated"),
        (riff(format_chunk(rate=0), SOUND), "sample rate is 0 Hz; 8000 to 768000 Hz would be right"),
        (riff(format_chunk(rate=7999), SOUND), "sample rate is 7999 Hz"),
        (riff(format_chunk(rate=2**32 - 1), SOUND), "sample rate is 4294967295 Hz"),
        (riff(format_chunk(rate=2**31 - 1), SOUND), "sample rate is 2147483647 Hz"),
        (riff(format_chunk(rate=200_000_000), SOUND), "sample rate is 200000000 Hz"),
        (riff(format_chunk(bits=0), SOUND), "has 0 bits; PCM of 8 to 32 would be right"),
        (riff(format_chunk(bits=64), SOUND), "has 64 bits; PCM of 8 to 32 would be right"),
        (riff(format_chunk(bits=65_535), SOUND), "has 65535 bits"),
        (riff(format_chunk(tag=3, bits=16), SOUND), "has 16 bits; floats of 32 or 64 would be right"),
        (riff(format_chunk(channels=0), SOUND), "has 0 channels; one or two would be right"),
        (riff(format_chunk(channels=3), SOUND), "has 3 channels; one or two would be right"),
        (
            riff(format_chunk(frame_bytes=0), SOUND),
            "has frames of 0 bytes; 4 would be right for 16 bits and 2 channels",
        ),
        (riff(format_chunk(tag=0xFFFE), SOUND), "holds sound of the unknown format 65534"),
        (riff(format_chunk(tag=0x1234), SOUND), "holds sound of the unknown format 4660"),
        (floats(np.ones(24_001)), "it has 24001 frames at 48000 Hz; at most 24000 would be right"),
        (floats(np.ones(131_073), rate=768_000), "131073 frames at 768000 Hz; at most 131072 would be right"),
        (floats([0.0, 0.0]), "a channel is silent; an impulse response in each would be right"),
        (floats([1.0, 0.0, 1.0, 0.0], channels=2), "a channel is silent"),
        (floats([1.0, np.nan]), "NaN or infinite"),
        (floats([1.0, -np.inf]), "NaN or infinite"),
        (floats([1.0, np.nan], bits=64), "NaN or infinite"),
        (floats([1.0, 1e300], bits=64), r"beyond \+-1000"),
        (floats([20_000.0, 100.0]), r"beyond \+-1000; .* integers written as floats"),
        (b"RIFF" + bytes(17_000_000), "has 17000004 bytes; at most 16777216 are read"),
    ],
)
def test_wav_that_is_no_equaliser_is_refused(tmp_path, content, message):
    path = tmp_path / "eq.wav"
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"eq.wav: .*{message}"):
        load_headphone_eq(path)


def test_missing_and_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="eq.wav: no such file"):
        load_headphone_eq(tmp_path / "eq.wav")
    with pytest.raises(ValueError, match=r"eq.csv: an equaliser as text \(.txt\) or impulse responses \(.wav\) would"):
        load_headphone_eq(tmp_path / "eq.csv")


def test_longest_file_fits_into_a_state(tmp_path):
    path = tmp_path / "eq.wav"
    taps = np.resize(linear_phase_taps(RATE), (131_072, 1)).repeat(2, axis=1)
    soundfile.write(path, taps, 768_000, subtype="FLOAT")
    eq = load_headphone_eq(path)
    assert _core.parse_state(_core.write_state(None, None, {}, eq))["headphone_eq"] == eq


def test_the_plugin_has_no_reader_of_its_own():
    """Its window hands the file to the reader that these tests are about."""
    sources = {path.name: path.read_text() for path in PLUGIN.rglob("*.[hc]pp")}
    assert not [
        name for name, text in sources.items() if re.search("AudioFormat(?!Writer)|loadFileAs|FileInputStream", text)
    ]
    assert '#include "headphone_eq_file.hpp"' in sources["headphone_eq_strip.cpp"]
    assert "load_headphone_eq(file.getFullPathName()" in sources["headphone_eq_strip.cpp"]
    assert not (PLUGIN / "headphone_eq_file.hpp").exists()
