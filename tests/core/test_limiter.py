"""The limiter: nothing above full scale, one gain for all channels, and little else changed."""

import numpy as np
import pytest
from scipy import signal

from forestage import _core
from signals import db, in_blocks, peak_db

RATES = (44_100, 48_000, 96_000, 192_000)
LOOKAHEAD_S = 20 / 48_000


def limiter(*, channels=2, lookahead_frames=None, sample_rate=48_000):
    frames = round(LOOKAHEAD_S * sample_rate) if lookahead_frames is None else lookahead_frames
    return _core.Limiter(channels=channels, lookahead_frames=frames, sample_rate=sample_rate)


def loud_inputs():
    """Sound that a limiter may stumble over, by name, shape (3, frames)."""
    rng = np.random.default_rng(11)
    frames = 12_000
    clicks = np.zeros((3, frames))
    clicks[rng.integers(0, 3, 60), rng.integers(0, frames, 60)] = rng.uniform(1, 50, 60)
    steps = np.repeat(rng.uniform(-8, 8, (3, frames // 40)), 40, axis=1)
    rising = np.sin(0.3 * np.arange(frames)) * np.geomspace(0.5, 1000, frames) * np.ones((3, 1))
    return {
        "noise": rng.standard_normal((3, frames)) * 3,
        "signs": np.sign(rng.standard_normal((3, frames))) * 4,
        "nyquist": np.cos(np.pi * np.arange(frames)) * 2.5 * np.ones((3, 1)),
        "clicks": clicks,
        "steps": steps,
        "rising": rising,
        "bursts": rng.standard_normal((3, frames)) * 10.0 ** rng.uniform(-3, 3, (1, frames // 100)).repeat(100, axis=1),
        "huge": rng.standard_normal((3, frames)) * 1e30,
    }


@pytest.mark.parametrize("name", loud_inputs())
@pytest.mark.parametrize("lookahead_frames", [0, 1, 3, 7, 20, 48])
def test_no_sample_leaves_above_full_scale(name, lookahead_frames):
    x = loud_inputs()[name].astype(np.float32)
    y = limiter(channels=3, lookahead_frames=lookahead_frames).process(x)
    assert np.abs(y).max() <= 1.0


@pytest.mark.parametrize("name", ["noise", "signs", "clicks", "steps", "rising", "bursts"])
@pytest.mark.parametrize("sample_rate", RATES)
def test_the_gain_alone_keeps_to_the_ceiling_so_that_the_clamp_has_nothing_to_do(name, sample_rate):
    y = limiter(channels=3, sample_rate=sample_rate).process(loud_inputs()[name].astype(np.float32))
    assert np.abs(y).max() <= _core.Limiter.CEILING * (1 + 1e-6)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000])
def test_between_frames_it_stays_within_full_scale_too(sample_rate):
    """Sixteen times the rate, for tones and noise up to 18 kHz: 0 dB over full scale to within 0.05 dB."""
    rng = np.random.default_rng(2)
    low_pass = signal.firwin(255, 18_000, fs=sample_rate)
    noisy = signal.lfilter(low_pass, 1, rng.standard_normal((2, 30_000))) * 2
    quarter = np.sin(2 * np.pi * np.arange(30_000) / 4 + np.pi / 4) * 1.4 * np.ones((2, 1))
    for x in (noisy, quarter):
        y = limiter(sample_rate=sample_rate).process(x.astype(np.float32))[:, 1000:-1000].astype(np.float64)
        assert db(np.abs(signal.resample_poly(y, 16, 1, axis=1)).max()) <= 0.05


def test_sound_within_full_scale_passes_as_it_is():
    x = (0.3 * np.random.default_rng(1).standard_normal((2, 20_000))).clip(-0.5, 0.5).astype(np.float32)
    played = limiter()
    assert np.array_equal(played.process(x)[:, 20:], x[:, :-20])
    assert played.least_gain == 1.0


@pytest.mark.parametrize("sizes", [[1], [17], [64], [480], [1, 900, 33, 256, 2, 4000]])
def test_any_split_into_blocks_gives_the_same_output(sizes):
    x = loud_inputs()["bursts"][:, :6000].astype(np.float32)
    assert peak_db(in_blocks(limiter(channels=3).process, x, sizes) - limiter(channels=3).process(x)) <= -120


@pytest.mark.parametrize("hz", [50, 480, 997])
@pytest.mark.parametrize("sizes", [[1], [17, 3], [64], [1, 900, 33, 256, 2, 4000]])
def test_equal_peaks_are_turned_down_alike_however_they_are_rounded(hz, sizes):
    """A tone 40 dB over full scale, of which every peak asks for the same gain but for the last bits."""
    x = np.float32(100 * np.sin(2 * np.pi * hz * np.arange(48_000) / 48_000 + 0.3) * np.ones((3, 1)))
    rounded = x * np.random.default_rng(3).choice(np.float32([1, 1 - 2**-23, 1 + 2**-23]), x.shape)
    whole = limiter(channels=3).process(x)
    assert peak_db(in_blocks(limiter(channels=3).process, x, sizes) - whole) <= -120
    assert peak_db(limiter(channels=3).process(rounded) - whole) <= -120


def test_all_channels_have_one_gain():
    x = loud_inputs()["bursts"].astype(np.float32)
    y = limiter(channels=3).process(x)
    gains = y[:, 20:] / x[:, :-20]
    assert np.max(np.abs(gains / gains[0] - 1)) < 1e-5


def gains_of(x, **settings):
    y = limiter(**settings).process(np.float32(x))
    return y[:, 20:].astype(np.float64) / x[:, :-20]


@pytest.mark.parametrize("loud", [1.5, 4.0, 100.0])
def test_it_lets_go_by_at_most_0_6_db_per_ms_and_within_150_ms_of_a_short_peak(loud):
    x = np.full((1, 48_000), 0.1)
    x[0, 5000:5020] = loud
    gain_db = db(gains_of(x, channels=1)[0])
    per_ms = gain_db[48:] - gain_db[:-48]
    assert per_ms.max() <= 0.6
    back_ms = 150 + 20 * np.log10(loud) / 0.5
    assert gain_db[5020 + round(48 * back_ms)] >= -0.3
    assert gain_db[-1] == pytest.approx(0.0, abs=1e-5)


def test_it_turns_down_in_an_s_curve_that_ends_when_the_peak_arrives():
    x = np.full((1, 9600), 0.1)
    x[0, 5000] = 4.0
    gain = gains_of(x, channels=1)[0]
    assert gain[5000 - 20 : 5001].min() == pytest.approx(_core.Limiter.CEILING / 4.0, rel=0.1)
    assert np.all(np.diff(gain[4970:5001]) <= 1e-6)
    assert gain[4975] > 0.99
    assert np.abs(np.diff(gain, 2))[4970:5010].max() < 0.03  # a step would have 0.75, a ramp 0.05


@pytest.mark.parametrize("hz", [45, 50, 100, 997])
def test_a_steady_tone_at_the_limit_is_turned_down_without_distortion(hz):
    """All but the tone itself stays 60 dB below it."""
    t = np.arange(96_000) / 48_000
    y = limiter(channels=1).process(np.float32(1.8 * np.sin(2 * np.pi * hz * t))[None])[0, 48_000:].astype(np.float64)
    spectrum = np.abs(np.fft.rfft(y * np.hanning(len(y)))) ** 2
    at = round(hz * len(y) / 48_000)
    own = spectrum[at - 3 : at + 4].sum()
    assert 10 * np.log10((spectrum.sum() - own) / own) <= -60
    assert db(np.abs(y).max()) == pytest.approx(-0.2, abs=0.05)


def test_switched_off_it_passes_everything_and_lets_go_slowly():
    x = np.full((1, 48_000), 2.0, np.float32)
    played = limiter(channels=1)
    on = played.process(x)
    off = played.process(x, is_on=False)[0]
    assert np.abs(on).max() <= 1.0
    assert np.abs(np.diff(db(off))).max() <= 0.6 / 48 * 1.05
    assert off[-1] == 2.0


def test_reset_equals_fresh():
    x = loud_inputs()["noise"].astype(np.float32)
    played = limiter(channels=3)
    first = played.process(x)
    played.reset()
    assert np.array_equal(played.process(x), first)
