"""Equalisers as text, as programs and people write them: each is played as it says, or refused with what is right.

The oracle is the cookbook of R. Bristow-Johnson in numpy (`headphone_eqs.cookbook`), with what Equalizer APO makes of
widths that are missing or given otherwise.
"""

import numpy as np
import pytest

from forestage import Renderer, _core, load_headphone_eq
from headphone_eqs import AUTO_EQ, BANDS, cookbook_response, parametric
from kinds import HEADPHONES
from signals import db, impulse

AT_HZ = np.unique(np.round(2 * np.geomspace(20, 20_000, 400))) / 2  # bins of a spectrum with two a Hz
AT_BIN = (2 * AT_HZ).astype(int)
FILTER = "Filter 1: ON PK Fc 100 Hz Gain 1 dB Q 1\n"
BASE = """\
Preamp: -6.1 dB
Filter 1: ON PK Fc 45 Hz Gain -4.7 dB Q 0.40
Filter 2: ON LSC Fc 105 Hz Gain 5.5 dB Q 0.71
Filter 3: ON HSC Fc 10000 Hz Gain -6.0 dB Q 0.70
"""
BASE_BANDS = [("PK", 45, -4.7, 0.4), ("LSC", 105, 5.5, 0.71), ("HSC", 10_000, -6.0, 0.7)]

# Room EQ Wizard 5.20, as it exports filters
REW = """\
Filter Settings file

Room EQ V5.20
Dated: Sep 22, 2021 7:35:47 PM

Notes: 3 dB house curve, 80 Hz crossover

Equaliser: Generic
Average 1, 20 Hz to 20 kHz
Filter  1: ON  PK       Fc   28.55 Hz  Gain  -4.30 dB  Q  4.914
Filter  2: ON  PK       Fc   1,234 Hz  Gain  -3.70 dB  Q  4.879
Filter  3: ON  Modal    Fc   48.15 Hz  Gain  -3.00 dB  Q  5.410  T60 target 500 ms
Filter  4: ON  LS       Fc   100.0 Hz  Gain   2.00 dB
Filter  5: ON  HS 6dB   Fc   8,000 Hz  Gain  -2.00 dB
Filter  6: OFF PK       Fc   100.0 Hz  Gain   9.00 dB  Q  1.000
Filter  7: ON  None
"""
REW_BANDS = [
    ("PK", 28.55, -4.3, 4.914), ("PK", 1234, -3.7, 4.879), ("PK", 48.15, -3, 5.41), ("LSC", 100, 2, {"slope": 0.9}),
    ("HSC", 8000 / 10 ** (2 / 80 / 0.5), -2, {"slope": 0.5}),
]  # fmt: skip


def checked_response(eq, ear, sample_rate):
    """dB at AT_HZ."""
    return db(np.fft.rfft(eq.firs(sample_rate=sample_rate)[ear], 2 * sample_rate)[AT_BIN])


def assert_bands(eq, bands, preamp_db, *, ears=(0, 1), sample_rate=48_000):
    """0.01 dB; where a filter leaves less than -60 dB, there is nothing to compare."""
    expected = db(cookbook_response(AT_HZ, sample_rate, bands, preamp_db))
    is_heard = expected > -60
    for ear in ears:
        error = checked_response(eq, ear, sample_rate) - expected
        assert np.max(np.abs(error[is_heard])) <= 0.01


# -- the same equaliser in other words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        BASE.replace("\n", "\r\n"),
        BASE.replace("\n", "\r"),
        "\ufeff" + BASE,
        BASE.encode("utf-16"),
        BASE.encode("utf-16-le"),
        b"\xfe\xff" + BASE.encode("utf-16-be"),
        BASE.replace(" dB", "\u00a0dB"),
        BASE.replace(" dB", "\u00a0dB").encode("cp1252"),
        BASE.replace("-", "\u2212"),
        BASE.replace("-", "\u2013").encode("cp1252"),
        BASE.lower(),
        BASE.upper(),
        BASE.replace("ON", "on").replace("Filter", "FILTER"),
        BASE.replace(" dB", "dB").replace(" Hz", "Hz"),
        BASE.replace("Fc ", "Fc").replace("Q ", "Q").replace("Gain ", "Gain"),
        BASE.replace(" Hz", "").replace(" dB", ""),
        BASE.replace("10000 Hz", "10 kHz"),
        BASE.replace("10000 Hz", "10,0kHz"),
        BASE.replace(".", ","),
        BASE.replace(".", ",").replace("10000", "10.000"),
        BASE.replace("10000", "10,000"),
        BASE.replace("10000", "10,000.0"),
        BASE.replace(".", ",").replace("10000", "10.000,0"),
        BASE.replace("10000", "10'000"),
        BASE.replace("10000", "10 000"),
        BASE.replace("10000", "10\u00a0000"),
        BASE.replace("10000", "10\u202f000"),
        BASE.replace("10000", "1e4"),
        BASE.replace("0.40", "0.4 # wide").replace("0.70", "0.70# end"),
        "# HD 650\n; old\n// older\n\n  \n" + BASE + "\n\n# end",
        "HD 650, Harman target\nmeasured by a friend\n" + BASE,
        "Device: all\nChannel: all\n" + BASE,
        "Device: Headphones (USB DAC)\nChannel: L R\n" + BASE,
        "Channel: 1 2\n" + BASE,
        "Channel: L\n" + BASE + "Channel: R\n" + BASE,
        BASE.replace("-6.1", "-4.1") + "Preamp: -2 dB\n",
        BASE + "Filter 4: ON None\nFilter 5: Off PK Fc 30 Hz Gain 60 dB Q 0\nFilter: OFF None\n",
        BASE.replace("Filter 1", "Filter").replace("Filter 2", "Filter2").replace("Filter 3", " Filter  3 "),
        BASE.replace("PK", "PEQ").replace("LSC", "LSQ").replace("HSC", "HS"),
        BASE.replace("Fc 45 Hz Gain -4.7 dB Q 0.40", "Q: 0.4; Gain: -4.70 dB, Fc=45.0 Hz"),
    ],
)
def test_one_equaliser_in_many_words(text):
    assert parametric(text) == parametric(BASE)
    assert_bands(parametric(text), BASE_BANDS, -6.1)


def test_autoeq_and_rew_are_read():
    assert_bands(parametric(), BANDS, -6.4)
    assert_bands(parametric(REW), REW_BANDS, 0)
    german = REW.replace(",234", "@234").replace(",000", "@000").replace(".", ",").replace("@", ".")
    assert_bands(parametric(german), REW_BANDS, 0)


@pytest.mark.parametrize(
    ("number", "others", "fc_hz"),
    [
        ("10,000", "", 10_000),  # nothing says otherwise: as in English
        ("10.000", "", 10),
        ("10,000", "Preamp: -1.5 dB", 10_000),
        ("10,000", "Preamp: -1,5 dB", 10),
        ("10.000", "Preamp: -1.5 dB", 10),
        ("10.000", "Preamp: -1,5 dB", 10_000),
        ("10,000", "Filter: ON PK Fc 1000.125 Hz Gain 0 dB Q 1", 10_000),
        ("10,000", "Filter: ON PK Fc 1 Hz Gain 0 dB Q 4,914", 10),  # a Q of 4914 there is none
        ("0,750", "Filter: ON PK Fc 20 Hz Gain 0 dB Q 1", None),
        ("105,000", "", 105),  # 105 kHz would be out of range
        ("1,250.5", "", 1250.5),
        ("1.250,5", "", 1250.5),
        ("12,5", "", 12.5),
    ],
)
def test_marks_mean_one_thing_in_a_text(number, others, fc_hz):
    text = f"{others}\nFilter: ON PK Fc {number} Hz Gain 6 dB Q 1\n"
    if fc_hz is None:
        with pytest.raises(ValueError, match=r"line 2: Fc is 0.75 Hz; 1 to 96000 Hz would be right"):
            parametric(text)
    else:
        expected = parametric(f"{others}\nFilter: ON PK Fc {fc_hz:g} Hz Gain 6 dB Q 1\n")
        assert parametric(text) == expected


def test_number_that_a_text_leaves_open_is_refused():
    text = "Preamp: -1,5 dB\nFilter: ON PK Fc 10,000 Hz Gain 6 dB Q 0.7\n"
    with pytest.raises(ValueError, match=r'line 2: Fc is "10,000", and .* 10000 Hz or 10 Hz would be right'):
        parametric(text)


# -- filters ----------------------------------------------------------------------------------------------------------

HALF = 1 / np.sqrt(2)


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 192_000])
@pytest.mark.parametrize(
    ("line", "band"),
    [
        ("PK Fc 1500 Hz Gain 4 dB BW Oct 1.5", ("PK", 1500, 4, {"octaves": 1.5})),
        ("PK Fc 15000 Hz Gain -4 dB BW oct 0,5", ("PK", 15_000, -4, {"octaves": 0.5})),
        ("PK Fc 3980 Hz Gain -2.7 dB Q 0.00", ("PK", 3980, -2.7, 0.005)),  # AutoEq once wrote these
        ("Modal Fc 100 Hz Gain 3 dB Q 5.41 T60 target 100 ms", ("PK", 100, 3, 5.41)),
        ("LSC Fc 105 Hz Gain 5.5 dB", ("LSC", 105, 5.5, {"slope": 0.9})),
        ("HS Fc 8000 Hz Gain -5.5 dB", ("HSC", 8000, -5.5, {"slope": 0.9})),
        ("LSC 12 dB Fc 105 Hz Gain 5.5 dB", ("LSC", 105, 5.5, {"slope": 1})),
        ("HSC 6dB Fc 5000 Hz Gain -9 dB", ("HSC", 5000, -9, {"slope": 0.5})),
        ("LS 12 dB Fc 105 Hz Gain 8 dB", ("LSC", 105 * 10 ** (8 / 80), 8, {"slope": 1})),
        ("HS 6 dB Fc 5000 Hz Gain -4 dB", ("HSC", 5000 / 10 ** (4 / 40), -4, {"slope": 0.5})),
        ("LS Fc 105 Hz Gain 8 dB Q 0.7", ("LSC", 105, 8, 0.7)),
        ("HP Fc 20 Hz", ("HP", 20, 0, HALF)),
        ("HPQ Fc 35 Hz Q 1.3", ("HP", 35, 0, 1.3)),
        ("LP Fc 9000 Hz", ("LP", 9000, 0, HALF)),
        ("LPQ Fc 18000 Hz Q 0.707", ("LP", 18_000, 0, 0.707)),
        ("BP Fc 1000 Hz", ("BP", 1000, 0, HALF)),
        ("BP Fc 1000 Hz BW Oct 2", ("BP", 1000, 0, {"octaves": 2})),
        ("NO Fc 8000 Hz Q 5", ("NO", 8000, 0, 5)),
        ("NO Fc 8000 Hz Gain 0 dB", ("NO", 8000, 0, 30)),
        ("AP Fc 900 Hz Q 0.707", ("AP", 900, 0, 0.707)),
        ("PK Fc 22000 Hz Gain 6 dB Q 1", ("PK", 22_000, 6, 1)),
    ],
)
def test_each_filter_is_the_cookbooks(line, band, sample_rate):
    assert_bands(parametric(f"Preamp: -3 dB\nFilter 1: ON {line}"), [band], -3, sample_rate=sample_rate)


def test_all_pass_turns_the_phase():
    taps = parametric("Filter: ON AP Fc 900 Hz Q 0.707").firs(sample_rate=48_000)[0]
    found = np.fft.rfft(taps, 96_000)[AT_BIN]
    expected = cookbook_response(AT_HZ, 48_000, [("AP", 900, 0, 0.707)], 0)
    assert np.max(np.abs(found - expected)) <= 1e-3


@pytest.mark.parametrize(
    ("line", "level_db"),
    [("PK Fc 25000 Hz Gain 9 dB Q 2", 0), ("HSC Fc 40000 Hz Gain 9 dB Q 0.7", 0), ("LP Fc 30000 Hz", 0),
     ("NO Fc 24000 Hz", 0), ("AP Fc 30000 Hz Q 1", 0), ("LSC Fc 60000 Hz Gain 9 dB Q 0.7", 9),
     ("PK Fc 23999 Hz Gain 9 dB BW Oct 1", None)],
)  # fmt: skip
def test_band_above_what_the_rate_holds_leaves_what_lies_below_it(line, level_db):
    eq = parametric(f"Filter: ON {line}")
    found = checked_response(eq, 0, 48_000)
    assert np.isfinite(found).all()
    if level_db is not None:
        assert np.max(np.abs(found - level_db)) <= 1e-3
    assert len(eq.firs(sample_rate=192_000)[0]) > 1  # where there is room for it, it is played


def test_120_filters_are_played():
    bands = [("PK", 100 + 50 * i, 0.1, 1) for i in range(1, 121)]
    text = "\n".join(f"Filter {i}: ON PK Fc {hz} Hz Gain {db} dB Q {q}" for i, (_, hz, db, q) in enumerate(bands))
    assert_bands(parametric(text), bands, 0)


# -- an equaliser per ear ---------------------------------------------------------------------------------------------

PER_EAR = """\
Preamp: -3 dB
Filter 1: ON HSC Fc 8000 Hz Gain 2 dB Q 0.7
Channel: L
Preamp: -1 dB
Filter 1: ON PK Fc 100 Hz Gain 3 dB Q 1
Channel: R
Filter 1: ON PK Fc 100 Hz Gain -3 dB Q 1
Channel: all
Filter 1: ON LSC Fc 60 Hz Gain 1.5 dB Q 0.7
"""
LEFT = [("HSC", 8000, 2, 0.7), ("PK", 100, 3, 1), ("LSC", 60, 1.5, 0.7)]
RIGHT = [("HSC", 8000, 2, 0.7), ("PK", 100, -3, 1), ("LSC", 60, 1.5, 0.7)]


@pytest.mark.parametrize("monitor", HEADPHONES)
def test_each_ear_plays_through_its_own_filters(monitor):
    """0.01 dB, from the samples that the Renderer plays, against the cookbook."""
    plain, heard = (Renderer("smart-speaker", monitor=monitor, headphone_eq=eq) for eq in (None, parametric(PER_EAR)))
    x = impulse(frames=heard.latency_frames + heard.tail_frames, level=1.0)
    before, after = (np.fft.rfft(renderer.process(x), 96_000) for renderer in (plain, heard))
    for ear, (bands, preamp_db) in enumerate([(LEFT, -4), (RIGHT, -3)]):
        expected = db(cookbook_response(AT_HZ, 48_000, bands, preamp_db))
        assert np.max(np.abs(db(after[ear, AT_BIN] / before[ear, AT_BIN]) - expected)) <= 0.01


def test_one_ear_may_stay_as_it_is():
    eq = parametric("Channel: R\nFilter: ON PK Fc 100 Hz Gain -3 dB Q 1\n")
    assert np.array_equal(eq.firs(sample_rate=48_000)[0], [1.0])
    assert_bands(eq, [("PK", 100, -3, 1)], 0, ears=[1])


# -- curves -----------------------------------------------------------------------------------------------------------

POINTS = {20: -1.2, 60: 2.0, 250: -3.5, 1000: 0.5, 4000: -2.0, 9000: 4.0, 16_000: -6.0}


def straight(points, at_hz):
    """Straight lines over the logarithm of frequency, flat beyond the ends."""
    return np.interp(np.log(at_hz), np.log(list(points)), list(points.values()))


def graphic(points):
    return "GraphicEQ: " + "; ".join(f"{hz:g} {db:g}" for hz, db in points.items())


@pytest.mark.parametrize("sample_rate", [44_100, 48_000, 96_000, 192_000])
def test_curve_is_straight_between_its_points(sample_rate):
    """0.01 dB; half a second rounds the corner at 20 Hz a little more."""
    eq = parametric(graphic(POINTS))
    error = np.abs(checked_response(eq, 0, sample_rate) - straight(POINTS, AT_HZ))
    assert np.max(error) <= 0.015
    assert np.max(error[AT_HZ > 21]) <= 0.01


@pytest.mark.parametrize(
    "text",
    [
        graphic(POINTS) + ";",
        graphic(POINTS).replace(".", ","),
        graphic(POINTS).replace(";", ""),
        graphic(dict(reversed(POINTS.items()))),
        graphic(POINTS).replace(" 4;", "\u00a04.0 dB;").replace("9000", "9000Hz").lower(),
        graphic(POINTS).replace("16000", "16 kHz"),
    ],
)
def test_one_curve_in_many_words(text):
    assert parametric(text) == parametric(graphic(POINTS))


def test_curve_of_autoeq_with_its_closed_end_is_played():
    """AutoEq's begin with -84 dB at 10 Hz; half a second rounds that corner, and so does any length (decisions.md)."""
    points = {10: -84.0} | POINTS
    error = np.abs(checked_response(parametric(graphic(points)), 0, 48_000) - straight(points, AT_HZ))
    for from_hz, most_db in ((20, 0.8), (21, 0.25), (25, 0.07), (40, 0.02), (100, 0.01)):
        assert np.max(error[from_hz <= AT_HZ]) <= most_db


def test_curve_filters_and_preamps_add_up_and_each_ear_may_have_its_own():
    text = f"{FILTER}Channel: L\nPreamp: -4 dB\n{graphic(POINTS)}\nChannel: R\nGraphicEQ: 100 3"
    eq = parametric(text)
    band_db = db(cookbook_response(AT_HZ, 48_000, [("PK", 100, 1, 1)], 0))
    assert np.max(np.abs(checked_response(eq, 0, 48_000) - band_db - straight(POINTS, AT_HZ) + 4)) <= 0.015
    assert np.max(np.abs(checked_response(eq, 1, 48_000) - band_db - 3)) <= 0.01


# -- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no filter that is ON; lines such as"),
        ("what people write", "holds no filter that is ON"),
        ("Preamp: -3 dB\n# Filter 1: ON PK Fc 100 Hz Gain 1 dB Q 1", "holds no filter that is ON"),
        ("Filter 1: OFF PK Fc 100 Hz Gain 1 dB Q 1\nFilter 2: ON None", "holds no filter that is ON"),
        (FILTER + "what", 'line 2: "what" is neither a preamp'),
        ("PK Fc 100 Hz Gain 1 dB Q 1", "line 1: .* is neither a preamp nor a filter"),
        ("Preamp -3 dB", "line 1: .* is neither a preamp nor a filter"),
        ("Filters: ON PK", "is neither a preamp nor a filter"),
        ("Colour: red", "is neither a preamp nor a filter"),
        (FILTER + "Filter x: ON PK Fc 100 Hz Gain 1 dB Q 1", "line 2: .* is neither a preamp nor a filter"),
        ("Include: my.txt\n" + FILTER, 'line 1: "Include: my.txt": another file is not read; its lines would be right'),
        (FILTER + "If: sampleRate == 48000\nEndIf:", "line 2: .*conditions are not read"),
        (FILTER + "eval: a = 3", "line 2: .*nothing is computed here"),
        ("Convolution: HD 650.wav", "line 1: .*load the WAV file itself"),
        ("Copy: L=R", "line 1: .*channels are not mixed here"),
        ("Delay: 3 ms", "line 1: .*nothing is delayed here"),
        ("Channel: C\n" + FILTER, 'line 1: a channel "c"; headphones have L, R and all'),
        ("Channel:\n" + FILTER, "line 1: no channel; L, R or all would be right"),
        ("Device: a\n" + FILTER + "Device: b\n" + FILTER, 'line 3: a second device, "b"'),
        ("Preamp: loud", 'line 1: "Preamp: loud" is no preamp; such as "Preamp: -6.4 dB" would be right'),
        ("Preamp: -3 dB -4 dB", "line 1: .* is no preamp"),
        ("Preamp: -3 Hz", "line 1: .* is no preamp"),
        ("Preamp: -60 dB", "line 1: Preamp is -60 dB; -40 to 40 dB would be right"),
        (FILTER + "Preamp: -30 dB\nPreamp: -30 dB", "its preamps are -60 dB together; -40 to 40 dB would be right"),
        ("Filter 1:", 'line 1: "Filter 1:" is no filter; such as'),
        ("Filter 1", 'line 1: "Filter 1" is no filter'),
        ("Filter 1: ON", "line 1: .* is no filter"),
        ("Filter 1: ON LP1 Fc 20 Hz", 'line 1: a filter of type "LP1" is of first order; LP or HP would be right'),
        ("Filter 1: ON IIR Order 2 Coefficients 1 0 0 1 0 0", 'type "IIR" holds for one sample rate only; PK, LSC'),
        ("Filter 1: ON XY Fc 20 Hz", 'line 1: a filter of type "XY"; PK, LSC, LS, HSC, HS, LP, HP, BP, NO or AP'),
        ("Filter 1: ON HP Fc 20 Hz Gain 3 dB", 'line 1: a gain for "HP", which has none'),
        (FILTER + "Filter 2: ON PK Gain 1 dB Q 1", 'line 2: no Fc; such as "Filter 1: ON PK Fc 105 Hz'),
        ("Filter 1: ON PK Fc 100 Hz Q 1", "line 1: no Gain"),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB", "line 1: no Q"),
        ("Filter 1: ON AP Fc 100 Hz", "line 1: no Q"),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB BW 1", 'line 1: BW without Oct; "BW Oct 1.5", or a Q, would be right'),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB BW Oct 1 Q 1", "line 1: a Q and a bandwidth; one of them"),
        ("Filter 1: ON LSC Fc 100 Hz Gain 1 dB BW Oct 1", "line 1: a shelf with a bandwidth; Q, or a slope"),
        ("Filter 1: ON LSC 6 dB Fc 100 Hz Gain 1 dB Q 1", "line 1: a slope and a Q; one of them"),
        ("Filter 1: ON LSC 24 dB Fc 100 Hz Gain 1 dB", "line 1: slope is 24 dB; 1 to 12 dB would be right"),
        ("Filter 1: ON PK 6 dB Fc 100 Hz Gain 1 dB Q 1", "line 1: a slope for what is no shelf"),
        ("Filter 1: ON PK Fc 100 rad Gain 1 dB Q 1", 'line 1: "rad" is not known here'),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB Q", "line 1: Q without a number"),
        ("Filter 1: ON PK Fc", "line 1: Fc without a number in Hz"),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB Q 1 Q 2", "line 1: two of Q; one would be right"),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB Q -1", "line 1: Q is -1; 0 to 100 would be right"),
        ("Filter 1: ON PK Fc 100 Hz Gain 1 dB Q nan", 'line 1: Q is "nan"; 0 to 100 would be right'),
        ("Filter 1: ON PK Fc 100 Hz Gain 90 dB Q 1", "line 1: Gain is 90 dB; -40 to 40 dB would be right"),
        ("Filter 1: ON PK Fc 350.001 kHz Gain 1 dB Q 1", "line 1: Fc is 350001 Hz; 1 to 96000 Hz would be right"),
        ("Filter 1: ON PK Fc 0 Hz Gain 1 dB Q 1", "line 1: Fc is 0 Hz; 1 to 96000 Hz would be right"),
        ("Filter 1: ON PK Fc 1e999 Hz Gain 1 dB Q 1", 'line 1: Fc is "1e999"; 1 to 96000 Hz would be right'),
        ("Filter 1: ON PK Fc 1.2.3 Hz Gain 1 dB Q 1", 'line 1: Fc is "1.2.3"; 1 to 96000 Hz would be right'),
        ("Filter 1: ON PK Fc 1,0000 Hz Gain 1,5 dB Q 1.5,", None),
        (FILTER * 257, "line 257: more than 256 filters; at most that many are played"),
        ("GraphicEQ:", "line 1: a curve without points; such as"),
        ("GraphicEQ: 20 -1; 20 -2", "line 1: two gains for 20 Hz; one would be right"),
        ("GraphicEQ: 20 -1; 50", "line 1: a gain of the curve without a number in dB"),
        ("GraphicEQ: 20 -1; 50 x", 'line 1: a gain of the curve is "x"; -120 to 40 dB would be right'),
        ("GraphicEQ: 20 -1\nGraphicEQ: 20 -1", "line 2: a second GraphicEQ; one would be right"),
        ("GraphicEQ:" + "".join(f" {k} 1;" for k in range(1000, 5097)), "line 1: more than 4096 points of a curve"),
        ("#" * 2_000_000, "has 2000000 bytes; the text of a parametric equaliser"),
    ],
)
def test_text_that_is_no_equaliser_is_refused(text, message):
    if message is None:  # a comma with four digits is a decimal
        assert parametric(text) == parametric("Filter 1: ON PK Fc 1 Hz Gain 1.5 dB Q 1.5")
        return
    with pytest.raises(ValueError, match=message):
        parametric(text)


def test_any_bytes_are_read_or_refused():
    rng = np.random.default_rng(3)
    good = np.frombuffer((AUTO_EQ + PER_EAR + graphic(POINTS)).encode(), np.uint8)
    for _ in range(2000):
        text = good.copy()
        text[rng.integers(len(text), size=rng.integers(1, 6))] = rng.integers(256, size=1)
        try:
            parametric(text.tobytes())
        except ValueError:
            continue


def test_errors_in_a_text_file_begin_with_its_path(tmp_path):
    path = tmp_path / "HD 650.txt"
    path.write_text("Preamp: loud")
    with pytest.raises(ValueError, match='HD 650.txt: line 1: "Preamp: loud" is no preamp'):
        load_headphone_eq(path)


@pytest.mark.parametrize("name", ["HD 650.txt", "EQ.TXT", "Kopfhörer – ü.Txt"])
def test_files_of_any_name_are_read(tmp_path, name):
    path = tmp_path / name
    path.write_text(BASE)
    assert load_headphone_eq(path) == parametric(BASE, name=path.stem)


# -- what a session keeps ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [REW, PER_EAR, graphic(POINTS), f"Channel: L\n{graphic(POINTS)}", "Filter: ON NO Fc 100 Hz BW Oct 0.3",
     "\n".join(f"Filter: ON AP Fc {hz} Hz Q 1" for hz in range(100, 356))],
)  # fmt: skip
def test_state_keeps_it_to_the_bit(text):
    eq = parametric(text)
    state = _core.write_state(None, None, {}, eq)
    read = _core.parse_state(state)["headphone_eq"]
    assert read == eq
    assert _core.write_state(None, None, {}, read) == state
    for before, after in zip(eq.firs(sample_rate=44_100), read.firs(sample_rate=44_100), strict=True):
        assert np.array_equal(before, after)
