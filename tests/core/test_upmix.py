"""Upmix: what goes into the centre, that the three paths always sum back, and what both qualities promise."""

import itertools

import numpy as np
import pytest
from scipy import signal

import forestage
from forestage import Renderer, _core
from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT
from kinds import FLAT, MONITORS, first_fast
from signals import db, in_blocks, noise, peak_db, rms_db, tone

RATES = (44_100, 48_000, 96_000, 192_000)
QUALITIES = ("Low Latency", "High Quality")
RULES = ("principal_axis", "magnitude_difference")

qualities = pytest.mark.parametrize("quality", QUALITIES)
rates = pytest.mark.parametrize("sample_rate", RATES)


def upmix(x, quality, *, sample_rate=48_000, amount=1.0, gain_rule=""):
    """The three paths, aligned with x; the last `latency_frames` of x are missing."""
    processor = _core.Upmix(sample_rate, amount, quality, gain_rule)
    return processor.process(x)[:, processor.latency_frames :]


def bursts(*, frames=144_000, every=9137, seed=1):
    """Decaying noise, as of a drum, and where each one starts."""
    starts = np.arange(48_000, frames - 9600, every)
    burst = np.random.default_rng(seed).standard_normal(4800) * np.exp(-np.arange(4800) / 960)
    x = np.zeros(frames)
    for start in starts:
        x[start : start + 4800] += burst
    return x, starts


def melody(seed, *, frames=96_000, notes=8, partials=19):
    """Harmonics of random pitches, a note after the other, with rests."""
    rng = np.random.default_rng(seed)
    phase = 2 * np.pi * np.cumsum(np.repeat(rng.uniform(110, 440, notes), frames // notes)) / 48_000
    envelope = np.repeat(rng.random(notes) > 0.2, frames // notes) * (1 - np.linspace(0, notes, frames) % 1)
    return 0.1 * envelope * sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, partials + 1))


@qualities
@rates
@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_paths_sum_back_to_the_input(quality, sample_rate, amount):
    x = noise()
    left, right, center = upmix(x, quality, sample_rate=sample_rate, amount=amount)
    assert peak_db(left + center - x[0, : left.size]) <= -120
    assert peak_db(right + center - x[1, : right.size]) <= -120


@qualities
@rates
def test_pure_centre_leaves_nothing_at_the_sides(quality, sample_rate):
    """Transforms, whole or cut into parts, windows and their sums give back what they take."""
    x = noise(channels=1)[[0, 0]]
    left, right, center = upmix(x, quality, sample_rate=sample_rate)
    assert rms_db(left) - rms_db(x) <= -120
    assert rms_db(right) - rms_db(x) <= -120
    assert rms_db(center - x[0, : center.size]) - rms_db(x) <= -120


@qualities
@pytest.mark.parametrize("channel", [0, 1])
@rates
def test_hard_panned_sound_stays_out_of_the_center(quality, channel, sample_rate):
    x = noise()
    x[1 - channel] = 0
    center = upmix(x, quality, sample_rate=sample_rate)[2]
    assert rms_db(center) - rms_db(x[channel]) <= -35


@qualities
def test_antiphase_sound_stays_out_of_the_center(quality):
    x = noise(channels=1)[[0, 0]] * np.float32([[1], [-1]])
    assert rms_db(upmix(x, quality)[2]) - rms_db(x) <= -100


@qualities
def test_diffuse_sound_goes_to_the_sides(quality):
    """Of noise that is independent in both channels, the centre holds at least 6 dB less than the mid does."""
    x = noise(frames=96_000)
    assert rms_db(upmix(x, quality)[2]) <= rms_db(x.mean(axis=0)) - 6


@qualities
def test_center_is_less_correlated_with_the_side_than_mid_is(quality):
    rng = np.random.default_rng(1)
    voice, left, right = rng.standard_normal((3, 96_000)) * [[0.2], [0.15], [0.05]]
    x = np.stack([voice + left, voice + right]).astype(np.float32)
    center = upmix(x, quality)[2]
    side, mid = x[0] - x[1], x[0] + x[1]
    settled = slice(9600, center.size)
    of_center, of_mid = (abs(np.corrcoef(p[settled], side[settled])[0, 1]) for p in (center, mid))
    assert of_center <= 0.6 * of_mid


@pytest.mark.parametrize(("quality", "gain_db"), [("Low Latency", 3.4), ("High Quality", 6)])
def test_center_comes_closer_to_a_voice_between_panned_sources_than_mid_does(quality, gain_db):
    """Signal-to-distortion ratio of the centre against that of passive M = (L + R) / 2."""
    voice, left, right = (melody(seed) for seed in (1, 2, 3))
    x = np.stack([voice + left, voice + right]).astype(np.float32)
    center = upmix(x, quality)[2]
    voice = voice[: center.size]

    def sdr_db(estimate):
        return rms_db(voice) - rms_db(estimate - voice)

    assert sdr_db(center) >= sdr_db(x.mean(axis=0)[: center.size]) + gain_db


@qualities
@pytest.mark.parametrize("onset_is_central", [True, False])
def test_no_pre_echo(quality, onset_is_central):
    """What a burst 12 dB over a tone adds to the centre in the 20 ms before it is 25 dB below the 20 ms after it."""
    burst, starts = bursts()
    steady = 0.25 * signal.sawtooth(2 * np.pi * 220 * np.arange(burst.size) / 48_000)
    alone = np.zeros_like(steady)
    center, hard = (burst, steady) if onset_is_central else (steady, burst)
    with_burst = np.stack([center + hard, center])
    without = np.stack([steady, alone]) if onset_is_central else np.stack([steady, steady])
    added = upmix(with_burst.astype(np.float32), quality)[2] - upmix(without.astype(np.float32), quality)[2]
    for start in starts:
        before = rms_db(added[start - 960 : start])
        assert before - rms_db(burst[start : start + 960]) <= -25


@qualities
def test_amount_zero_extracts_nothing(quality):
    x = noise()
    left, right, center = upmix(x, quality, amount=0.0)
    assert np.array_equal(left, x[0, : left.size])
    assert np.array_equal(right, x[1, : right.size])
    assert not center.any()


@qualities
@pytest.mark.parametrize("sample_rate", [8000, *RATES])
def test_any_split_into_blocks_gives_the_same_output(quality, sample_rate):
    x = noise()
    split = in_blocks(_core.Upmix(sample_rate, 1, quality).process, x, [1, 17, 64, 480, 3])
    assert np.array_equal(split, _core.Upmix(sample_rate, 1, quality).process(x))


@qualities
@pytest.mark.parametrize("sample_rate", [8000, *RATES])
@pytest.mark.parametrize("frames", [30_001, 5])
def test_reset_equals_fresh(quality, sample_rate, frames):
    """What was before goes while the first blocks come in, whatever their lengths."""
    x = noise(frames=30_001)
    processor = _core.Upmix(sample_rate, 1, quality)
    first = processor.process(x)
    processor.reset()
    processor.process(x[:, :frames])
    processor.reset()
    assert np.array_equal(in_blocks(processor.process, x, [1, 17, 64, 480, 3]), first)


@pytest.mark.parametrize(("quality", "longest_ms"), [("Low Latency", 2.5), ("High Quality", 45)])
@pytest.mark.parametrize("sample_rate", [*RATES, 50_000])
def test_latency_is_short_and_the_reported_one(quality, longest_ms, sample_rate):
    processor = _core.Upmix(sample_rate, 1, quality)
    late = processor.latency_frames
    assert late <= longest_ms / 1000 * sample_rate * 1.01  # hops are whole frames, so a rate may miss by 1 %
    assert sample_rate != 48_000 or late <= longest_ms * 48
    x = np.zeros((2, 20_000), np.float32)
    x[:, 1000] = 0.5
    left, _, center = processor.process(x)
    assert np.argmax(np.abs(left + center)) == np.argmax(np.abs(center)) == 1000 + late


@qualities
@pytest.mark.parametrize("sample_rate", first_fast([44_100, 96_000, 192_000]))
def test_every_rate_finds_the_same_center(quality, sample_rate):
    """A band-limited mix, resampled: the centre at the other rate differs from that at 48 kHz by its frames alone."""
    voice, hard = (signal.lfilter(*signal.butter(6, 8000, fs=48_000), melody(seed)) for seed in (4, 5))
    x = np.stack([voice + hard, voice])
    other = signal.resample_poly(x, sample_rate, 48_000, axis=1).astype(np.float32)
    expected = forestage.upmix(x.astype(np.float32), sample_rate=48_000, quality=quality)[2]
    found = signal.resample_poly(
        forestage.upmix(other, sample_rate=sample_rate, quality=quality)[2], 48_000, sample_rate
    )[: expected.size]
    settled = slice(4800, -4800)
    error_db = rms_db((voice - found)[settled]), rms_db((voice - expected)[settled])
    assert abs(error_db[0] - error_db[1]) <= 0.5


@qualities
@pytest.mark.parametrize("sample_rate", first_fast([192_000, 96_000]))
@pytest.mark.parametrize("is_central", [True, False])
def test_what_lies_above_hearing_goes_where_the_highest_heard_sound_goes(quality, sample_rate, is_central):
    """Sound from 15 kHz on decides whether a band far above it, equal in both channels, is in the centre."""
    heard, above = (
        signal.sosfilt(signal.butter(8, band, "band", fs=sample_rate, output="sos"), noise(frames=sample_rate))[0]
        for band in ((15_000, 22_000), (30_000, 40_000))
    )
    x = np.stack([heard + above, (heard if is_central else -heard) + above]).astype(np.float32)
    center = upmix(x, quality, sample_rate=sample_rate)[2]
    expected = x[0, : center.size] if is_central else 0
    assert rms_db((center - expected)[sample_rate // 4 :]) - rms_db(above) <= -20


@qualities
def test_silence_and_tiny_sound_stay_finite(quality):
    for level in (0.0, 1e-30, 1e-12, 1e-6):
        assert np.isfinite(upmix(noise(level=level), quality)).all()


def log_sweep(frames, sample_rate):
    t = np.arange(frames) / sample_rate
    rate = np.log(0.45 * sample_rate / 20) / t[-1]
    return 0.5 * np.sin(2 * np.pi * 20 / rate * (np.exp(rate * t) - 1))


def bad_input(kind, sample_rate):
    """A second of stereo that no mixer meant, and what of its mid may be in the centre: least and most, dB."""
    frames = int(sample_rate)
    x = noise(frames=frames, seed=3).astype(np.float64)
    mono = np.stack([x[0], x[0]])
    t = np.arange(frames) / sample_rate
    if kind == "mono as stereo":
        return mono, (-0.01, 0.01)
    if kind == "one dead channel":
        return x * [[1], [0]], (-np.inf, -35)
    if kind == "inverted polarity":
        return mono * [[1], [-1]], None
    if kind == "bass out of phase":
        bass = 0.3 * np.sin(2 * np.pi * 50 * t)
        return 0.1 * mono + np.stack([bass, -bass]), (-2, 0.1)
    if kind == "constant voltage":
        return 0.1 * mono + 0.5, (-0.01, 0.01)
    if kind == "clipped master":
        return np.clip(8 * mono + 0.8 * x, -1, 1), (-6, 0.1)
    if kind == "silence with dither":
        return np.round(np.random.default_rng(4).triangular(-1, 0, 1, (2, frames))) / 32768, (-60, -6)
    if kind == "sweep at one pan":
        return log_sweep(frames, sample_rate) * np.array([[0.5], [1.0]]), (-60, -12)
    raise ValueError(kind)


KINDS_OF_BAD_INPUT = (
    "mono as stereo", "one dead channel", "inverted polarity", "bass out of phase", "constant voltage",
    "clipped master", "silence with dither", "sweep at one pan",
)  # fmt: skip


@qualities
@pytest.mark.parametrize("sample_rate", first_fast([48_000, 8000, 192_000]))
@pytest.mark.parametrize("kind", KINDS_OF_BAD_INPUT)
def test_bad_input_is_shared_out_as_what_it_is(kind, sample_rate, quality):
    """Finite, no louder than what came in, the sides keep what is not the centre's, and all sums back."""
    x, bounds_db = bad_input(kind, sample_rate)
    x = x.astype(np.float32)
    left, right, center = upmix(x, quality, sample_rate=sample_rate)
    assert np.isfinite([left, right, center]).all()
    x = x[:, : center.size]
    assert peak_db(np.stack([left, right]) + center - x) <= peak_db(x) - 120
    settled = slice(center.size // 3, None)
    mid = x.mean(axis=0)[settled]
    if bounds_db is None:
        assert peak_db(center) <= -200
    else:
        least, most = bounds_db
        assert least <= rms_db(center[settled]) - rms_db(mid) <= most
    # Nothing gets louder: of no sound the centre is more than its mid, nor a side more than what is not mid
    assert rms_db(center[settled]) <= rms_db(mid) + 0.1
    assert rms_db(np.stack([left, right])[:, settled]) <= rms_db(x[:, settled]) + 0.1


@qualities
def test_loud_sound_stays_finite(quality):
    assert np.isfinite(upmix(noise(level=1e6), quality)).all()


@qualities
@pytest.mark.parametrize("rule", RULES)
def test_every_gain_rule_keeps_center_and_sides_apart(quality, rule):
    hard = noise() * np.float32([[1], [0]])
    assert rms_db(upmix(hard, quality, gain_rule=rule)[2]) - rms_db(hard[0]) <= -35
    mono = noise(channels=1)[[0, 0]]
    assert rms_db(upmix(mono, quality, gain_rule=rule)[0]) - rms_db(mono) <= -60


# Share of mid of noise alone that is in the centre, at 10 to 60 % of pan: a design curve
CURVES = {
    "High Quality": [0.820, 0.421, 0.109, 0.0064, 0.0, 0.0],
    "Low Latency": [0.897, 0.639, 0.393, 0.208, 0.0931, 0.0346],
}


@qualities
def test_a_lone_sound_leaves_the_center_by_degrees(quality):
    """Its pan at constant power; beyond 60 % less than 3 % is left."""
    x = noise(channels=1, frames=48_000)[0]
    shares = []
    for percent in range(0, 101, 10):
        angle = np.radians(45 * (1 + percent / 100))
        stereo = np.stack([np.cos(angle) * x, np.sin(angle) * x]).astype(np.float32)
        center, mid = upmix(stereo, quality)[2], stereo.mean(axis=0)
        mid = mid[: center.size]
        shares.append(np.dot(center[9600:], mid[9600:]) / np.dot(mid[9600:], mid[9600:]))
    np.testing.assert_allclose(shares[1:7], CURVES[quality], rtol=0.03, atol=0.002)
    assert shares[0] == pytest.approx(1, abs=1e-5)
    assert all(b < a for a, b in itertools.pairwise(shares[:7]) if a > 0.01)
    assert max(np.abs(shares[7:])) < 0.03


@pytest.mark.parametrize(("quality", "most"), [("High Quality", 0.1), ("Low Latency", 0.2)])
def test_hard_panned_instruments_stay_out_of_the_center_of_a_mix(quality, most):
    """Share of the mid of one at one side alone that the centre holds, with another opposite and a voice between."""
    shares = []
    for seed in (1, 4, 7):
        voice, left, right = (melody(seed + k, partials=8) for k in range(3))
        center = upmix(np.stack([voice + left, voice + right]).astype(np.float32), quality)[2]
        settled = slice(9600, center.size)
        parts = np.stack([voice, left, right])[:, settled]
        shares.append(2 * np.linalg.lstsq(parts.T, center[settled], rcond=None)[0][1:])
    assert np.mean(shares) <= most


@pytest.mark.parametrize(("quality", "gain_db"), [("Low Latency", 2), ("High Quality", 3)])
@pytest.mark.parametrize("pan_deg", [15, 30])
def test_narrowly_panned_melodies_are_kept_from_a_voice(quality, gain_db, pan_deg):
    """Two at the same angle to both sides: their pans are found, and the centre keeps clear of them."""
    voice, left, right = (melody(seed) for seed in (1, 2, 3))
    near, far = np.sin(np.radians(45 - pan_deg)), np.cos(np.radians(45 - pan_deg))
    x = np.stack([voice + far * left + near * right, voice + near * left + far * right]).astype(np.float32)
    center = upmix(x, quality)[2]
    settled = slice(9600, center.size)
    error, of_mid = (rms_db((y - voice)[settled]) for y in (np.pad(center, (0, voice.size - center.size)), x.mean(0)))
    assert error <= of_mid - gain_db


@qualities
def test_gain_does_not_flutter(quality):
    """Musical noise shows as rare strong peaks, hence a kurtosis of spectral power above that of the input.

    Measure after Uemura et al. (2008). Halving the bins of stationary noise at random scores 2.
    """
    x = noise(frames=192_000)

    def kurtosis(y):
        power = np.abs(signal.stft(y, nperseg=1024)[2][:, 10:-10]) ** 2
        return np.mean(power**2) / np.mean(power) ** 2

    left, right, _ = upmix(x, quality)
    for side, channel in ((left, x[0]), (right, x[1])):
        assert kurtosis(side) <= 1.5 * kurtosis(channel)


@qualities
def test_what_lies_beside_every_axis_has_a_floor(quality):
    """Two incoherent sounds, one at each side: gains end at a tenth instead of falling on and on, a few bins aside."""
    x = noise(frames=96_000)
    center = upmix(x, quality)[2]
    heard = np.stack([center, x.mean(axis=0)[: center.size]])[:, 9600:]
    found, mid = np.abs(signal.stft(heard, nperseg=4096)[2])
    assert np.quantile(found / mid, 0.1) >= 0.06


def test_python_upmix_is_the_aligned_streaming_one():
    x = noise()
    y = forestage.upmix(x, sample_rate=48_000)
    streamed = upmix(x, "High Quality")
    assert y.shape == (3, x.shape[1])
    assert np.array_equal(y[:, : streamed.shape[1]], streamed)
    assert peak_db(y[:2] + y[2] - x) <= -120


@pytest.mark.parametrize(
    ("changes", "error", "hint"),
    [
        ({"quality": "Best"}, ValueError, 'quality is "Best"; "Low Latency" or "High Quality" would be right'),
        ({"sample_rate": 0}, ValueError, "8000 to 768000"),
        ({"x": np.zeros((2, 10), np.int16)}, TypeError, "divide by 32768"),
        ({"x": np.zeros(10)}, ValueError, r"\(2, frames\) would be right"),
    ],
)
def test_python_upmix_says_what_is_wrong(changes, error, hint):
    arguments = {"x": noise(), "sample_rate": 48_000} | changes
    with pytest.raises(error, match=hint):
        forestage.upmix(arguments.pop("x"), **arguments)


@pytest.mark.parametrize("preset", FLAT)
@pytest.mark.parametrize("settings", [{"amount": 0}, {"bypass": True}])
def test_in_high_quality_plain_stereo_and_bypass_are_the_input_delayed(preset, settings):
    x = noise(frames=16_000)
    settings = {"upmix_quality": "High Quality", "safe_headroom": "Off"} | settings
    renderer = Renderer(preset, monitor="Speakers", **settings)
    y, late = renderer.process(x), renderer.latency_frames
    assert late == Renderer(preset).latency_frames + 1984 - 96
    assert peak_db(y[:2, late:] - x[:, :-late]) <= -120


@pytest.mark.parametrize("monitor", MONITORS)
def test_without_upmix_both_qualities_sound_alike(monitor):
    """All monitors stay aligned with the reported latency: only that differs."""
    x = noise(frames=16_000)
    low, high = (Renderer("smart-speaker", monitor=monitor, upmix=0, upmix_quality=quality) for quality in QUALITIES)
    later = high.latency_frames - low.latency_frames
    assert peak_db(high.process(x)[:, later:] - low.process(x)[:, :-later]) <= -120


def test_quality_changes_while_sound_runs_and_latency_with_it():
    """The reported latency is right at once; what plays is that of a renderer that was always so."""
    x = noise(frames=48_000, seed=3)
    renderer = Renderer("smart-speaker", monitor="Headphones")
    renderer.process(x)
    renderer.set(upmix_quality="High Quality")
    expected = Renderer("smart-speaker", monitor="Headphones", upmix_quality="High Quality")
    assert renderer.latency_frames == expected.latency_frames
    expected.process(x)
    renderer.process(x)
    expected.process(x)
    difference = renderer.process(x) - expected.process(x)
    assert rms_db(difference) <= rms_db(x) - 20  # the frames of the two are cut at other places


@pytest.mark.parametrize("first", QUALITIES)
def test_a_quality_may_come_back_while_it_is_forgotten(first):
    """What a quality remembers is cleared a part a block after its fade: how many blocks there were does not count."""
    second = next(quality for quality in QUALITIES if quality != first)
    x = noise(frames=64_000, seed=4)
    for back in range(8000, 24_000, 1000):  # frames after the change; the fade ends in between
        ears = []
        for frames in (32, 16_000):
            renderer = Renderer("smart-speaker", monitor="Headphones", upmix_quality=first)
            renderer.process(x[:, :16_000])
            renderer.set(upmix_quality=second)
            for start in range(16_000, 16_000 + back, frames):
                renderer.process(x[:, start : min(start + frames, 16_000 + back)])
            renderer.set(upmix_quality=first)
            ears.append(renderer.process(x[:, 16_000 + back :]))
        assert peak_db(ears[0] - ears[1]) <= -120


@qualities
def test_upmix_automation_does_not_click(quality):
    """Random jumps every 10 ms, as in test_clicks: above 6 kHz, -80 dB of the tone."""
    renderer = Renderer("smart-speaker", monitor="Headphones", safe_headroom=False, upmix_quality=quality)
    x = tone(phase=1.0)
    out = []
    for k, value in enumerate(np.random.default_rng(5).uniform(0, 100, x.shape[1] // 480)):
        renderer.set(upmix=100 if k < 60 else value)
        out.append(renderer.process(x[:, k * 480 : (k + 1) * 480]))
    y = np.concatenate(out, axis=1)[:, 14_400:]
    high = signal.sosfiltfilt(signal.butter(8, 6000, "high", fs=48_000, output="sos"), y.astype(np.float64))
    assert np.max(db(high[:, 200:-200])) - np.max(db(y)) <= -80


@pytest.mark.parametrize("quality", ["Low Latency", "High Quality"])
def test_renders_from_other_starts_differ_by_what_the_contract_says(quality):
    """Music of the demo, a start within a hop; the readme has the worst of many."""
    music, sample_rate = read_stereo(EXCERPT)
    music, start, settled = music[:, : 3 * sample_rate], 263, 2 * sample_rate
    settings = {"sample_rate": sample_rate, "upmix_quality": quality, "monitor": "Speakers"}
    whole = Renderer("smart-speaker", **settings).process(music)[:, start + settled :]
    later = Renderer("smart-speaker", **settings).process(music[:, start:])[:, settled:]
    apart_db = 10 * np.log10(np.mean((later - whole) ** 2) / np.mean(whole**2))
    assert -90 < apart_db <= -48
    again = Renderer("smart-speaker", **settings).process(music[:, start:])[:, settled:]
    np.testing.assert_array_equal(again, later)
