"""level_match = Programme: what is compared is equally loud for the music that plays."""

import itertools

import numpy as np
import pytest
from scipy.signal import fftconvolve, lfilter, resample_poly

from command_line import run
from forestage import Renderer, factory_presets, load_preset
from forestage.audio_file import read_stereo, write_wav
from forestage.catalogue import EXCERPT
from forestage.firs import decode_fir
from forestage.match import integrated_lufs
from forestage.metrics.level import mastered
from forestage.presets import preset_form

RATE = 48_000
PRESETS = ("smart-speaker", "laptop")
EARS = ("Headphones", "Headphones Plain", "Headphones Reference")
CANDIDATES = [
    *({"slot": slot, "monitor": monitor} for slot, monitor in itertools.product("AB", EARS)),
    {"bypass": True},
]


@pytest.fixture(scope="module")
def music():
    """Ten seconds of the demo's excerpt."""
    audio, rate = read_stereo(EXCERPT)
    return resample_poly(audio[:, 3 * rate : 13 * rate], RATE, rate, axis=1).astype(np.float32)


def renderer(**settings):
    return Renderer(*PRESETS, sample_rate=RATE, **{"level_match": "Programme"} | settings)


def aligned(plays, x):
    """What is heard of x, without the latency."""
    late = plays.latency_frames
    return plays.process(np.concatenate([x, np.zeros((2, late), np.float32)], axis=1))[:, late:]


def apart_lu(x, prepare=lambda _: None, *, candidates=CANDIDATES, **settings):
    """Largest difference between what is compared, and the loudness of each."""
    loudness = []
    for candidate in candidates:
        plays = renderer(**candidate, **settings)
        prepare(plays)
        loudness.append(integrated_lufs(aligned(plays, x), sample_rate=RATE))
    return np.ptp(loudness)


def gains_db(plays, x, *, hop=4800):
    """What Programme turns down, after each tenth of a second."""
    found = []
    for block in np.split(x[:, : x.shape[1] // hop * hop], x.shape[1] // hop, axis=1):
        plays.process(np.ascontiguousarray(block))
        found.append(float(plays.params["match_gain_db"].removesuffix(" dB")))
    return np.array(found)


def test_ten_seconds_are_equally_loud_as_they_are_heard_from_the_begin(music):
    assert apart_lu(music, level_match="Calibrated") > 0.5
    assert apart_lu(music) <= 0.1


def test_what_was_heard_before_it_was_known_is_made_up_for(music):
    """A second of dull music, which would be 0.2 LU in the sum, and a quiet passage behind it."""
    x = music.copy()
    dull = lfilter([0.05], [1, -0.95], x[:, :RATE], axis=1)
    x[:, :RATE] = dull * np.std(music) / np.std(dull)
    x[:, RATE : 3 * RATE] *= 0.03
    assert apart_lu(x) <= 0.1


def test_quiet_passages_are_no_part_of_the_first_three_seconds(music):
    """They do not count for loudness, so a gain may still go where it is wanted after them."""
    dull = lfilter([0.05], [1, -0.95], music[:, :RATE], axis=1).astype(np.float32)
    x = np.concatenate([dull, 0.01 * dull, 0.01 * dull, 0.01 * dull, music], axis=1)
    steps = np.abs(np.diff(gains_db(renderer(slot="B"), x)))
    assert steps[40:60].max() > 0.05


def test_what_is_found_after_ten_seconds_fits_them_whole(music):
    """Played again with these gains."""
    once = renderer()
    aligned(once, music)

    def prepare(plays):
        plays._engine.hold_match(once._engine.match_found)

    assert apart_lu(music, prepare) <= 0.02


def test_matching_beforehand_is_exact_and_stays(music):
    x = music[:, : 5 * RATE]
    assert apart_lu(x, lambda plays: plays.match(x)) <= 0.01
    pair = [{"slot": "A"}, {"slot": "B", "monitor": "Headphones Reference"}]
    in_blocks = np.array_split(x, 7, axis=1)
    assert apart_lu(x, lambda plays: plays.match(iter(in_blocks)), candidates=pair) <= 0.01


def test_matching_beforehand_is_exact_where_the_limiter_acts(music):
    loud = mastered(music[:, : 5 * RATE], sample_rate=RATE)
    settings = {"input_trim_db": 6, "candidates": CANDIDATES[:-1:2]}  # bypass has no trims
    assert renderer(input_trim_db=6, slot="B").process(loud).any()
    assert apart_lu(loud, lambda plays: plays.match(loud), **settings) <= 0.01


def test_speakers_play_the_design_as_loud_as_plain_stereo_at_the_ears(music):
    rows = [[decode_fir(text) for text in row] for row in preset_form(factory_presets()["laptop"])["ears"]["device"]]
    x = music[:, : 6 * RATE]

    def heard_lufs(**settings):
        plays = Renderer("laptop", sample_rate=RATE, monitor="Speakers", level_match="Programme", **settings)
        plays.match(x)
        feeds = aligned(plays, x).astype(np.float64)
        at_ears = [
            sum(fftconvolve(feed, fir)[: x.shape[1]] for feed, fir in zip(feeds, row, strict=True)) for row in rows
        ]
        return integrated_lufs(np.stack(at_ears), sample_rate=RATE)

    assert heard_lufs() == pytest.approx(heard_lufs(bypass=True), abs=0.02)


def test_a_room_is_matched_as_a_room(music):
    x = music[:, : 4 * RATE]
    in_room = [candidate | {"room": True} for candidate in CANDIDATES[1:6:2]]
    assert apart_lu(x, lambda plays: plays.match(x), candidates=in_room) <= 0.01


def test_gain_goes_slowly_after_three_seconds_and_holds_still_in_the_end(music):
    dull = lfilter([0.05], [1, -0.95], music[:, : 4 * RATE], axis=1).astype(np.float32)
    steps = np.abs(np.diff(gains_db(renderer(slot="B"), np.concatenate([dull, music], axis=1))))
    assert steps[:29].max() > 0.05  # at first it goes where it is wanted
    assert steps[30:].max() <= 0.0101
    assert steps[30:].max() > 0.009  # and it has somewhere to go
    plays = renderer(slot="B")
    steady = gains_db(plays, np.tile(music[:, : 2 * RATE], 8))
    assert np.abs(np.diff(steady[140:])).max() < 0.005
    held = renderer(slot="B")
    held._engine.hold_match(plays._engine.match_found)
    assert steady[-1] == pytest.approx(gains_db(held, music[:, :4800])[0], abs=0.02)  # nothing is made up for any more


def test_another_piece_begins_after_silence(music):
    dull = lfilter([0.05], [1, -0.95], music[:, : 4 * RATE], axis=1).astype(np.float32)
    rest = np.zeros((2, 3 * RATE), np.float32)
    gains = gains_db(renderer(slot="B"), np.concatenate([dull, rest, music], axis=1))
    alone = gains_db(renderer(slot="B"), music)
    assert np.ptp(gains[39:69]) < 0.05  # silence moves nothing
    assert gains[-1] == pytest.approx(alone[-1], abs=0.05)


def test_any_split_and_another_begin_play_the_same(music):
    x = music[:, : 5 * RATE]
    whole = renderer()
    played = whole.process(x)
    parts = renderer()
    split = [parts.process(np.ascontiguousarray(block)) for block in np.array_split(x, 1001, axis=1)]
    np.testing.assert_allclose(np.concatenate(split, axis=1), played, atol=1e-6)
    whole.reset()
    np.testing.assert_allclose(whole.process(x), played, atol=1e-6)


def test_one_path_alone_is_not_made_as_loud_as_all(music):
    plays = renderer(slot="B")
    gains_db(plays, music)
    found = plays._engine.match_found
    plays.set(solo="Left")
    gains_db(plays, music[:, : 2 * RATE])
    assert plays._engine.match_found == found


def test_other_knobs_are_measured_anew_and_another_preset_starts_from_its_own_gains(music):
    plays = renderer()
    plays.process(music[:, : 4 * RATE])
    before = plays._engine.match_found
    plays.set(center_level_db=6)
    plays.process(music)
    assert before[0][0] - plays._engine.match_found[0][0] > 0.3  # the design alone has become louder
    assert before[0][2] == pytest.approx(plays._engine.match_found[0][2], abs=0.2)
    plays.load("tablet", slot="B")
    plays.process(music[:, :4800])
    assert plays._engine.match_found[1] == [0.0, 0.0, 0.0]


def test_found_gains_can_be_kept_in_the_preset(music):
    plays = renderer()
    plays.match(music)
    kept = [plays.matched_preset(slot) for slot in "AB"]
    assert [each.name for each in kept] == [load_preset(name).name for name in PRESETS]
    loudness = []
    for candidate in CANDIDATES:
        calibrated = Renderer(*kept, sample_rate=RATE, level_match="Calibrated", **candidate)
        loudness.append(integrated_lufs(aligned(calibrated, music), sample_rate=RATE))
    assert np.ptp(loudness) <= 0.01
    with pytest.raises(ValueError, match="amount is 50; 100 would be right"):
        renderer(amount=50).matched_preset()
    with pytest.raises(ValueError, match="slot B is empty"):
        Renderer("laptop").matched_preset("B")


def test_files_are_rendered_equally_loud(music, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_wav("song.wav", music[:, : 5 * RATE], sample_rate=RATE)
    matched = ["--match", "programme", "--against"]
    commands = [
        ["-p", "laptop", *matched, "tablet"],
        ["-p", "tablet", *matched, "laptop", "-m", "Headphones Reference"],
        ["-p", "tablet", *matched, "laptop", "-s", "bypass=On"],
    ]
    loudness = []
    for number, command in enumerate(commands):
        assert run("render", "song.wav", f"{number}.wav", *command).returncode == 0
        audio, rate = read_stereo(f"{number}.wav")
        loudness.append(integrated_lufs(audio, sample_rate=rate))
    assert np.ptp(loudness) <= 0.01
    refused = run("render", "-", "y.wav", "-p", "laptop", "--match", "programme")
    assert "match wants a file without a chain" in refused.stderr
    assert "goes with --match" in run("render", "song.wav", "y.wav", "-p", "laptop", "--against", "tablet").stderr


def test_off_and_calibrated_are_as_they_were(music):
    x = music[:, :RATE]
    for setting in ("Off", "Calibrated"):
        plays = renderer(level_match=setting)
        before = plays.process(x)
        switched = renderer(level_match="Programme")
        switched.set(level_match=setting)
        assert np.array_equal(switched.process(x), before)
        assert switched.params["match_gain_db"] == "0 dB"
