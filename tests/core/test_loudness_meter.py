"""The loudness meter against EBU Tech 3341 and another implementation."""

import math

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from forestage import _core, match
from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT

STEREO, SURROUND = [1.0, 1.0], [1.0, 1.0, 1.0, 1.41, 1.41]
# Cases 1 to 6 of EBU Tech 3341: channel weights, and (seconds, dBFS of each channel) of a sine at 1 kHz
CASES = {
    1: (STEREO, [(20, (-23, -23))], -23.0),
    2: (STEREO, [(20, (-33, -33))], -33.0),
    3: (STEREO, [(10, (-36, -36)), (60, (-23, -23)), (10, (-36, -36))], -23.0),
    4: (
        STEREO,
        [(10, (-72, -72)), (10, (-36, -36)), (60, (-23, -23)), (10, (-36, -36)), (10, (-72, -72))],
        -23.0,
    ),
    5: (STEREO, [(20, (-26, -26)), (20.1, (-20, -20)), (20, (-26, -26))], -23.0),
    6: (SURROUND, [(20, (-28, -28, -24, -30, -30))], -23.0),
}


def tones(parts, sample_rate=48_000):
    """Sines at 1 kHz, one part after the other, shape (channels, frames)."""
    blocks = []
    for seconds, levels_db in parts:
        sine = np.sin(2 * np.pi * 1000 / sample_rate * np.arange(round(seconds * sample_rate)))
        blocks.append(np.outer(10.0 ** (np.array(levels_db) / 20), sine))
    return np.concatenate(blocks, axis=1).astype(np.float32)


def metered(x, sample_rate=48_000, *, channel_weights=STEREO, blocks=1):
    meter = _core.LoudnessMeter(sample_rate, channel_weights=channel_weights)
    for block in np.array_split(x, blocks, axis=1):
        meter.push(np.ascontiguousarray(block))
    return meter


def readings(meter):
    return meter.momentary_lufs, meter.short_term_lufs, meter.integrated_lufs


@pytest.fixture(scope="module")
def music():
    audio, rate = read_stereo(EXCERPT)
    return audio[:, : 12 * rate], rate


@pytest.mark.parametrize("case", CASES)
def test_meter_reads_what_ebu_tech_3341_asks_for(case):
    channel_weights, parts, expected = CASES[case]
    meter = metered(tones(parts), channel_weights=channel_weights)
    assert meter.integrated_lufs == pytest.approx(expected, abs=0.05)  # Tech 3341 allows 0.1
    if len(parts) == 1:
        assert readings(meter) == pytest.approx([expected] * 3, abs=0.05)


def test_momentary_and_short_term_forget_after_their_time():
    meter = metered(tones([(5, (-20, -20)), (0.4, (-40, -40))]))
    expected = 10 * math.log10((26 * 10**-2.0 + 4 * 10**-4.0) / 30)  # 2.6 s of one, 0.4 s of the other
    assert readings(meter)[:2] == pytest.approx([-40.0, expected], abs=0.05)


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000, 96_000, 192_000])
def test_music_reads_as_by_another_meter(music, rate):
    audio, own_rate = music
    at_rate = audio if rate == own_rate else resample_poly(audio, rate, own_rate, axis=1).astype(np.float32)
    other = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(at_rate.T.astype(np.float64))
    assert metered(at_rate, rate).integrated_lufs == pytest.approx(other, abs=0.02)


def test_gates_leave_out_what_is_quiet(music):
    audio, rate = music
    with_quiet_begin = np.concatenate([0.05 * audio, np.zeros_like(audio), audio], axis=1)
    other = pyloudnorm.Meter(rate, filter_class="DeMan").integrated_loudness(with_quiet_begin.T.astype(np.float64))
    assert metered(with_quiet_begin, rate).integrated_lufs == pytest.approx(other, abs=0.02)
    assert other > metered(audio, rate).integrated_lufs - 1.0  # they do, in this case


def test_any_split_reads_the_same_to_the_bit(music):
    audio, rate = music
    whole = readings(metered(audio, rate))
    assert readings(metered(audio, rate, blocks=997)) == whole


def test_reset_meter_is_a_new_one(music):
    audio, rate = music
    meter = metered(audio, rate)
    meter.reset()
    assert readings(meter) == (-math.inf, -math.inf, -math.inf)
    meter.push(np.ascontiguousarray(audio[:, rate : 3 * rate]))
    assert readings(meter) == readings(metered(audio[:, rate : 3 * rate], rate))


def test_silence_and_short_sound_have_no_loudness():
    assert readings(metered(np.zeros((2, 480_000), np.float32))) == (-math.inf,) * 3
    assert readings(metered(tones([(0.39, (-20, -20))]))) == (-math.inf,) * 3


def test_damaged_sound_is_forgotten():
    damaged = tones([(0.05, (-20, -20))])
    damaged[0, 100] = np.nan
    meter = metered(damaged)
    meter.push(tones([(5, (-20, -20))]))
    assert readings(meter)[:2] == pytest.approx([-20.0, -20.0], abs=0.05)


def test_wrong_meters_and_audio_say_what_would_be_right():
    with pytest.raises(ValueError, match="sample_rate is 100 Hz; 8000 to 768000 Hz would be right"):
        _core.LoudnessMeter(100)
    with pytest.raises(ValueError, match="channel_weights is empty"):
        _core.LoudnessMeter(48_000, channel_weights=[])
    with pytest.raises(ValueError, match="channel_weights has -1; 0 or more"):
        _core.LoudnessMeter(48_000, channel_weights=[-1.0])
    with pytest.raises(ValueError, match=r"shape \(2, frames\)"):
        _core.LoudnessMeter(48_000).push(np.zeros((3, 10), np.float32))


def test_matched_pieces_are_equally_loud(music):
    audio, rate = music
    versions = [audio, 0.4 * audio, audio[:, ::-1]]
    gains_db = match.matching_gains_db([match.integrated_lufs(each, sample_rate=rate) for each in versions])
    assert max(gains_db) == 0.0
    matched = [
        match.integrated_lufs(each * np.float32(10.0 ** (gain / 20)), sample_rate=rate)
        for each, gain in zip(versions, gains_db, strict=True)
    ]
    assert np.ptp(matched) <= 0.01


def test_blocks_are_as_loud_as_the_whole(music):
    audio, rate = music
    in_blocks = (block for block in np.array_split(audio, 20, axis=1))
    assert match.integrated_lufs(in_blocks, sample_rate=rate) == match.integrated_lufs(audio, sample_rate=rate)
    with pytest.raises(ValueError, match="no blocks"):
        match.integrated_lufs(iter([]))
    with pytest.raises(ValueError, match="dtype int64"):
        match.integrated_lufs(np.zeros((2, 48_000), np.int64))
