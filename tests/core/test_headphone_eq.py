"""The equaliser of the listener's headphones: what it does to the headphones monitors, and to nothing else."""

import json

import numpy as np
import pytest
import soundfile
from scipy import signal

from forestage import Renderer, _core, load_headphone_eq, load_preset
from forestage.host import plugin_state
from forestage.params import session_values
from headphone_eqs import cookbook_response, linear_phase_taps, parametric, wav_eq
from kinds import HEADPHONES, first_fast
from make_preset import make_preset, with_long_ears, with_room
from signals import db, impulse, in_blocks, noise, peak_db, play_tone, splash_db

RATES = (44_100, 48_000, 96_000)
headphones = pytest.mark.parametrize("monitor", first_fast(HEADPHONES))
rates = pytest.mark.parametrize("sample_rate", RATES)


def response_of(taps, frequency_hz, sample_rate):
    return signal.freqz(np.asarray(taps, np.float64), worN=frequency_hz, fs=sample_rate)[1]


def played_impulse(preset, monitor, sample_rate, channel=0, **settings):
    renderer = Renderer(preset, monitor=monitor, sample_rate=sample_rate, safe_headroom="Off", **settings)
    frames = renderer.latency_frames + renderer.tail_frames
    return renderer.process(impulse(frames=frames, channel=channel, level=1.0))


def min_phase_taps(sample_rate, *, seconds=0.1, sign=1.0):
    taps = linear_phase_taps(sample_rate, seconds=2 * seconds, sign=2 * sign)  # scipy takes the root
    return signal.minimum_phase(taps, half=True)


def write_taps(path, *channels, sample_rate, subtype="FLOAT"):
    soundfile.write(path, np.stack(channels, axis=1), sample_rate, subtype=subtype)
    return path


# -- what it sounds like ----------------------------------------------------------------------------------------------


@pytest.mark.slow
@headphones
@rates
def test_headphones_get_the_response_of_the_bands(monitor, sample_rate):
    """0.05 dB against the cookbook, in phase as well: an error of 0.006 is 0.05 dB."""
    frequency_hz = np.geomspace(20, 20_000, 300)
    plain = played_impulse("smart-speaker", monitor, sample_rate)
    heard = played_impulse("smart-speaker", monitor, sample_rate, headphone_eq=parametric())
    expected = cookbook_response(frequency_hz, sample_rate)
    for ear in (0, 1):
        before = response_of(plain[ear], frequency_hz, sample_rate)
        found = response_of(heard[ear], frequency_hz, sample_rate) / before
        assert np.max(np.abs(db(found) - db(expected))) <= 0.05
        assert np.max(np.abs(found / expected - 1)) <= 0.006


@pytest.mark.parametrize("kind", ["PK", "LSC", "HSC"])
@pytest.mark.parametrize("sample_rate", [8000, 44_100, 48_000, 192_000])
@pytest.mark.parametrize(("frequency_hz", "gain_db", "q"), [(50, 12, 0.5), (1000, -20, 3), (3900, 9, 1), (3950, -6, 4)])
def test_each_band_is_the_cookbooks(kind, sample_rate, frequency_hz, gain_db, q):
    eq = parametric(f"Filter: ON {kind} Fc {frequency_hz} Hz Gain {gain_db} dB Q {q}")
    at_hz = np.geomspace(20, 0.49 * sample_rate, 200)
    expected = cookbook_response(at_hz, sample_rate, [(kind, frequency_hz, gain_db, q)], preamp_db=0)
    for taps in eq.firs(sample_rate=sample_rate):
        assert np.max(np.abs(db(response_of(taps, at_hz, sample_rate)) - db(expected))) <= 0.01


@pytest.mark.parametrize(("kind", "gain_db"), [("PK", 0), ("HSC", 0), ("LSC", 9)])
def test_band_above_half_the_sample_rate_leaves_what_lies_below_it(kind, gain_db):
    eq = parametric(f"Filter: ON {kind} Fc 20000 Hz Gain 9 dB Q 2")
    for taps in eq.firs(sample_rate=32_000):
        assert taps == pytest.approx([10 ** (gain_db / 20)])


def test_narrow_band_in_the_bass_ends_after_half_a_second():
    eq = parametric("Filter: ON PK Fc 20 Hz Gain 30 dB Q 50")
    assert {len(taps) for taps in eq.firs(sample_rate=48_000)} == {24_000}


@pytest.mark.slow
@pytest.mark.parametrize("from_rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000, 50_000])
@pytest.mark.parametrize("make", [min_phase_taps, linear_phase_taps])
def test_impulse_responses_keep_their_magnitude_at_every_rate(tmp_path, make, from_rate, sample_rate):
    """0.05 dB up to 0.9 of the lower Nyquist, from 20 Hz."""
    taps = make(from_rate)
    eq = load_headphone_eq(write_taps(tmp_path / "eq.wav", taps, sample_rate=from_rate))
    frequency_hz = np.geomspace(20, 0.44 * min(from_rate, sample_rate), 300)
    expected = db(response_of(taps, frequency_hz, from_rate))
    for found in eq.firs(sample_rate=sample_rate):
        assert np.max(np.abs(db(response_of(found, frequency_hz, sample_rate)) - expected)) <= 0.05


def test_minimum_phase_response_stays_what_it_is(tmp_path):
    """To half a degree up to 10 kHz; what is held above 0.9 of Nyquist turns the phase below it a little."""
    taps = min_phase_taps(48_000)
    eq = load_headphone_eq(write_taps(tmp_path / "eq.wav", taps, sample_rate=48_000))
    frequency_hz = np.geomspace(20, 10_000, 300)
    ratio = response_of(eq.firs(sample_rate=48_000)[0], frequency_hz, 48_000) / response_of(taps, frequency_hz, 48_000)
    assert np.max(np.abs(db(ratio))) <= 0.001
    assert np.max(np.abs(np.angle(ratio, deg=True))) <= 0.5


def test_notch_at_the_end_of_a_file_does_not_go_on_above_it(tmp_path):
    """AutoEq's files are zero at half their rate; at 96 kHz the octave above must not be."""
    taps = signal.firwin2(4410, [0, 21_000, 22_050], [1, 1, 0], fs=44_100)
    eq = load_headphone_eq(write_taps(tmp_path / "eq.wav", taps, sample_rate=44_100))
    frequency_hz = np.linspace(20, 47_900, 500)
    assert np.max(np.abs(db(response_of(eq.firs(sample_rate=96_000)[0], frequency_hz, 96_000)))) <= 0.1


@headphones
def test_each_ear_has_its_own_channel(tmp_path, monitor):
    path = write_taps(tmp_path / "eq.wav", [0.5, 0], [0, 0.25], sample_rate=48_000)
    plain = Renderer("smart-speaker", monitor=monitor).process(noise())
    heard = Renderer("smart-speaker", monitor=monitor, headphone_eq=path).process(noise())
    assert peak_db(heard - np.array([[0.5], [0.25]]) * plain) <= -110


def test_16_bit_mono_is_for_both_ears(tmp_path):
    path = write_taps(tmp_path / "eq.wav", [0.5, 0.25], sample_rate=48_000, subtype="PCM_16")
    left, right = load_headphone_eq(path).firs(sample_rate=48_000)
    frequency_hz = np.geomspace(20, 20_000, 50)
    found, expected = (response_of(taps, frequency_hz, 48_000) for taps in (left, [0.5, 0.25]))
    assert np.max(np.abs(db(found) - db(expected))) <= 0.001
    assert np.array_equal(left, right)


def test_speakers_stay_as_they_are_to_the_bit():
    plain = Renderer("smart-speaker", monitor="Speakers")
    heard = Renderer("smart-speaker", monitor="Speakers", headphone_eq=parametric())
    assert np.array_equal(heard.process(noise()), plain.process(noise()))


# -- when it comes ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@headphones
@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000, 192_000])
@pytest.mark.parametrize("make", [None, min_phase_taps, linear_phase_taps])
def test_latency_stays_and_the_sound_arrives_within_10_us(tmp_path, monitor, sample_rate, make):
    eq = parametric() if make is None else write_taps(tmp_path / "eq.wav", make(44_100), sample_rate=44_100)
    settings = {"monitor": monitor, "sample_rate": sample_rate, "upmix": 0}
    plain = Renderer("headphones", **settings)
    assert Renderer("headphones", headphone_eq=eq, **settings).latency_frames == plain.latency_frames
    before = played_impulse("headphones", headphone_eq=None, **settings)[0]
    after = played_impulse("headphones", headphone_eq=eq, **settings)[0]
    assert abs(np.argmax(np.abs(after)) - np.argmax(np.abs(before))) <= int(10e-6 * sample_rate)


def test_nothing_comes_before_the_equalised_sound(tmp_path):
    """A linear-phase file rings before its peak, by a tenth of a second; what is heard does not."""
    eq = write_taps(tmp_path / "eq.wav", linear_phase_taps(48_000), sample_rate=48_000)
    y = played_impulse("headphones", "Headphones Reference", 48_000, headphone_eq=eq)
    peak = np.argmax(np.abs(y[0]))
    assert peak_db(y[:, : peak - 200]) <= -100


@headphones
@pytest.mark.parametrize("sample_rate", first_fast([44_100, 48_000, 96_000]))
def test_sound_goes_on_for_the_reported_tail_and_no_longer(monitor, sample_rate):
    renderer = Renderer("laptop", monitor=monitor, sample_rate=sample_rate, headphone_eq=parametric(), upmix=0)
    tail = renderer.tail_frames
    assert tail > Renderer("laptop", monitor=monitor, sample_rate=sample_rate, upmix=0).tail_frames
    x = noise(frames=8000 + tail + 4000, level=0.3)
    x[:, 8000:] = 0
    assert peak_db(renderer.process(x)[:, 8000 + tail :]) <= -130


# -- while sound runs -------------------------------------------------------------------------------------------------


@headphones
def test_any_split_into_blocks_gives_the_same_output(monitor):
    x = noise(frames=20_000)
    whole = Renderer("smart-speaker", monitor=monitor, headphone_eq=parametric()).process(x)
    for sizes in ([17], [64], [480], [1, 900, 33, 256, 2, 4000]):
        split = in_blocks(Renderer("smart-speaker", monitor=monitor, headphone_eq=parametric()).process, x, sizes)
        assert peak_db(split - whole) <= -120


@headphones
def test_long_ears_are_equalised_too(monitor):
    preset = load_preset(with_long_ears("laptop"))
    frequency_hz = np.geomspace(20, 20_000, 200)
    plain, heard = (
        response_of(played_impulse(preset, monitor, 48_000, headphone_eq=eq)[0], frequency_hz, 48_000)
        for eq in (None, parametric())
    )
    assert np.max(np.abs(db(heard / plain) - db(cookbook_response(frequency_hz, 48_000)))) <= 0.05


@headphones
def test_the_room_is_equalised_too(monitor):
    """In the median: in the notches of a room the ratio is that of rounding errors."""
    preset = load_preset(with_room("smart-speaker"))
    frequency_hz = np.geomspace(20, 20_000, 200)
    plain, heard = (
        response_of(played_impulse(preset, monitor, 48_000, headphone_eq=eq, room="On")[0], frequency_hz, 48_000)
        for eq in (None, parametric())
    )
    free = response_of(played_impulse(preset, monitor, 48_000)[0], frequency_hz, 48_000)
    assert np.max(np.abs(db(plain / free))) > 3
    assert np.median(np.abs(db(heard / plain) - db(cookbook_response(frequency_hz, 48_000)))) <= 0.01


@headphones
def test_a_new_equaliser_takes_over_without_a_click(tmp_path, monitor):
    renderer = Renderer("smart-speaker", monitor=monitor)
    wav = load_headphone_eq(write_taps(tmp_path / "eq.wav", linear_phase_taps(44_100), sample_rate=44_100))
    changes = {60: parametric(), 100: wav, 140: None}
    y = play_tone(renderer, {block: lambda eq=eq: renderer.set_headphone_eq(eq) for block, eq in changes.items()})
    assert splash_db(y, 9600) <= -90


def test_a_new_equaliser_is_heard_as_if_it_had_always_been_there():
    x = noise(frames=48_000)
    renderer, expected = Renderer("laptop"), Renderer("laptop", headphone_eq=parametric())
    renderer.process(x)
    renderer.set_headphone_eq(parametric())
    expected.process(x)
    renderer.process(x)
    expected.process(x)
    assert peak_db(renderer.process(x) - expected.process(x)) <= -120


def test_presets_and_slots_change_and_the_equaliser_stays():
    x = noise(frames=48_000)
    values = session_values(load_preset("laptop"), {"safe_headroom": "Off"})
    renderer = Renderer("laptop", "desktop-30", headphone_eq=parametric(), **values)
    renderer.process(x)
    for changes, (change, preset) in enumerate(
        [
            (lambda: renderer.load("smart-speaker"), "smart-speaker"),
            (lambda: renderer.set(slot="B"), "desktop-30"),
            (lambda: renderer.load("tablet", slot="B"), "tablet"),
        ]
    ):
        change()
        renderer.process(x)
        expected = Renderer(preset, headphone_eq=parametric(), **values)
        for _ in range(2 * changes + 2):  # the upmix, which goes on, remembers all that it has heard
            expected.process(x)
        assert peak_db(renderer.process(x) - expected.process(x)) <= -120


def test_an_equaliser_without_a_preset_waits_for_one():
    engine = _core.Engine(48_000)
    engine.set_headphone_eq(parametric())
    x = noise()
    assert np.array_equal(engine.process(x), x)
    engine.load("A", load_preset("laptop"))
    engine.reset()
    engine.set_param("monitor", 1)
    assert np.array_equal(engine.process(x), Renderer("laptop", headphone_eq=parametric()).process(x))


# -- what a session keeps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "taken"),
    [("HD 650", "HD 650"), ("größer", "größer"), ("a\nb", "a b"), ("", "unnamed"), ("x" * 200, "x" * 97 + "...")],
)
def test_name_fits_into_a_state(name, taken):
    eq = parametric(name=name)
    assert eq.name == taken
    assert _core.parse_state(_core.write_state(None, None, {}, eq))["headphone_eq"] == eq


@pytest.mark.parametrize("eq", [parametric(), wav_eq()])
def test_state_keeps_the_equaliser_to_the_bit(eq):
    preset = _core.parse_preset(json.dumps(make_preset()))
    parameters = session_values(preset, {})
    read = _core.parse_state(_core.write_state(preset, None, parameters, eq))
    assert read["headphone_eq"] == eq
    text = _core.write_state(read["a"], read["b"], read["parameters"], read["headphone_eq"])
    assert _core.parse_state(text)["headphone_eq"] == eq
    again = _core.parse_state(text)
    assert _core.write_state(again["a"], again["b"], again["parameters"], again["headphone_eq"]) == text


def test_state_without_the_key_says_nothing_about_headphones():
    assert "headphone_eq" not in _core.parse_state(_core.write_state(None, None, {}))
    assert "headphone_eq" not in json.loads(plugin_state("laptop"))


def test_state_may_say_that_there_is_none():
    tree = json.loads(_core.write_state(None, None, {})) | {"headphone_eq": None}
    assert _core.parse_state(json.dumps(tree))["headphone_eq"] is None


BAND = {"shape": "peaking", "frequency_hz": 100, "gain_db": 1, "q": 1}


def parametric_json(**changes):
    return {"name": "x", "parametric": {"preamp_db": 0, "bands": [BAND | changes]}}


def parametric_curve(frequency_hz, gain_db):
    curve = {"frequency_hz": frequency_hz, "gain_db": gain_db}
    return {"name": "x", "parametric": {"preamp_db": 0, "bands": [], "curve": curve}}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "/headphone_eq: is an array of 0; must be an object"),
        ({}, '/headphone_eq: no key "name"; it is required'),
        (
            {"name": "x"},
            '/headphone_eq: must have a name and one of "parametric", "parametric_ears" and "impulse_responses"',
        ),
        (parametric_json() | {"impulse_responses": {}}, "/headphone_eq: must have a name and one of"),
        (parametric_json() | {"colour": 1}, '/headphone_eq: unknown key "colour"'),
        (
            {"name": "x", "parametric": {"preamp_db": 0, "bands": [BAND] * 257}},
            "/headphone_eq/parametric/bands: has 257 items",
        ),
        (parametric_json(q=0), "/headphone_eq/parametric/bands/0/q: is 0; must be a number from 0.005 to 100"),
        (
            parametric_json(shape="comb"),
            '/bands/0/shape: is "comb"; must be one of "peaking", "low_shelf", "high_shelf", "l',
        ),
        (
            parametric_json(bandwidth_octaves=0),
            "/bands/0/bandwidth_octaves: is 0; must be a number from 0.01 to 20 octaves",
        ),
        (parametric_curve([20, 10], [0, 0]), "/parametric/curve/frequency_hz/1: is 10 after 20; frequencies must rise"),
        (parametric_curve([20, 30], [0]), "/parametric/curve/gain_db: has 1 items; must have one for each of the 2"),
        (
            {"name": "x", "parametric_ears": [{"preamp_db": 0, "bands": []}]},
            "/parametric_ears: is an array of 1; must be",
        ),
        (
            {"name": "x", "impulse_responses": {"sample_rate": 48000, "taps": ["", ""]}},
            "/headphone_eq/impulse_responses: a channel is silent",
        ),
        (parametric_json(slope=1), '/bands/0: unknown key "slope"'),
        (
            {"name": "x", "impulse_responses": {"sample_rate": 1, "taps": ["AACAPw==", "AACAPw=="]}},
            "/headphone_eq/impulse_responses/sample_rate: is 1; must be a whole number from 8000 to 768000 Hz",
        ),
    ],
)
def test_equaliser_in_a_state_is_read_strictly(value, message):
    tree = json.loads(_core.write_state(None, None, {})) | {"headphone_eq": value}
    notes = _core.parse_state(json.dumps(tree))["notes"]
    assert any(message in note for note in notes), notes
