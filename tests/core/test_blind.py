"""Blind trials: drawn inside the engine, hidden, fair, and evaluated exactly."""

import csv
import io

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from forestage import PARAMS, Renderer
from forestage._core import BlindRun
from make_preset import make_preset
from signals import noise

RATE = 48_000
GAP_FRAMES = round(0.3 * RATE)
LOUD_DB = 0.0  # of the first
SHOWN = [row.id for row in PARAMS if not row.id.startswith("blind")]


def loud_and_quiet():
    """Two presets that differ in level alone: what plays is told by how loud it is."""
    loudness = make_preset()["loudness"]
    return make_preset() | {"loudness": loudness | {"device_ears_db": 0.0}}, make_preset() | {
        "loudness": loudness | {"device_ears_db": -20.0}
    }


def trials(pair="Slots A And B", method="ABX", *, seed=3, count=8, presets=None, **settings):
    settings = {"monitor": "Headphones", "level_match": "Off", "safe_headroom": "Off"} | settings
    renderer = Renderer(*(presets or loud_and_quiet()), sample_rate=RATE, **settings)
    renderer.seed_draws(seed)
    renderer.process(noise(frames=RATE))
    renderer.set(blind=method, blind_pair=pair, blind_trials=count)
    renderer.process(noise(frames=RATE))
    return renderer


def level_db(renderer, listen):
    """How loud one of the sounds is, once it plays."""
    renderer.set(blind_listen=listen)
    x = noise(frames=RATE)
    return 20 * np.log10(np.std(renderer.process(x)[:, RATE // 2 :]) / np.std(x))


def is_first(renderer, listen):
    """Which of the two it is, by the level half-way between them."""
    return level_db(renderer, listen) > LOUD_DB - 10


def run(method, count, hits):
    outcomes = [("A", "X")] * hits + [("A", "Y")] * (count - hits)
    return BlindRun(method, "Slots A And B", count, outcomes)


@pytest.mark.parametrize("count", [1, 2, 5, 12, 33, 100])
def test_chances_and_intervals_are_exact(count):
    for hits in range(count + 1):
        abx, preference = run("ABX", count, hits), run("Preference", count, hits)
        assert abx.hits == preference.hits == hits
        assert abx.p_value == pytest.approx(stats.binomtest(hits, count, alternative="greater").pvalue, rel=1e-9)
        two_sided = stats.binomtest(hits, count)
        assert preference.p_value == pytest.approx(two_sided.pvalue, rel=1e-9)
        for confidence in (0.95, 0.99):
            exact = two_sided.proportion_ci(confidence, method="exact")
            assert abx.share_interval(confidence) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_no_trials_say_nothing():
    assert (run("ABX", 0, 0).p_value, run("ABX", 0, 0).share_interval()) == (1.0, (0.0, 1.0))


@pytest.mark.parametrize("method", ["ABX", "Preference"])
def test_x_and_y_are_the_two_sounds_as_they_were_drawn(method):
    renderer = trials(method=method)
    heard = []
    for _ in range(8):
        x, y = (is_first(renderer, listen) for listen in "XY")
        assert x != y
        heard.append("A" if x else "B")
        if method == "ABX":
            assert [is_first(renderer, listen) for listen in "AB"] == [True, False]
        else:  # A would tell what X is
            assert [is_first(renderer, listen) for listen in "AB"] == [x, y]
        renderer.answer("X")
    found = renderer.blind_run
    assert [x for x, _ in found.trials] == heard
    assert set(heard) == {"A", "B"}
    assert found.hits == heard.count("A")


@pytest.mark.parametrize(
    ("pair", "settings", "sounds"),
    [
        ("Design And Plain", {}, [{"monitor": "Headphones"}, {"monitor": "Headphones Plain"}]),
        (
            "Design And Plain",
            {"monitor": "Speakers"},
            [{"monitor": "Speakers"}, {"monitor": "Speakers", "bypass": True}],
        ),
        ("Design And Reference", {}, [{"monitor": "Headphones"}, {"monitor": "Headphones Reference"}]),
        ("Plain And Reference", {}, [{"monitor": "Headphones Plain"}, {"monitor": "Headphones Reference"}]),
        ("Slots A And B", {"level_match": "Programme"}, [{"slot": "A"}, {"slot": "B"}]),
    ],
)
def test_a_and_b_are_what_they_say(pair, settings, sounds):
    """To what the upmix makes of another begin; the other sound is far away."""
    renderer = trials(pair, presets=("smart-speaker", "laptop"), output_channels=3, **settings)
    for listen, own, other in (("A", *sounds), ("B", *sounds[::-1])):
        renderer.set(blind_listen=listen)
        played = renderer.process(noise(frames=RATE))[:, RATE // 2 :]
        base = {"level_match": "Off", "safe_headroom": "Off", "output_channels": 3}
        alone = [
            Renderer("smart-speaker", "laptop", sample_rate=RATE, **base | settings | sound).process(
                np.tile(noise(frames=RATE), 3)
            )[:, -RATE // 2 :]
            for sound in (own, other)
        ]
        close, far = (
            20 * np.log10(np.std(played * np.std(each) / np.std(played) - each) / np.std(each)) for each in alone
        )
        assert close < -30 < -10 < far


def test_nothing_that_hosts_see_tells_what_plays():
    renderer = trials("Slots A And B", count=20)
    seen = {listen: [] for listen in "XY"}
    for listen in "XYXY":
        level_db(renderer, listen)
        seen[listen].append({name: renderer.params[name] for name in SHOWN})
    assert all(each == seen["X"][0] for each in seen["X"] + seen["Y"])
    assert renderer.params["slot"] == "A"
    assert (renderer.params["blind_trial"], renderer.params["blind_hits"], renderer.params["blind_p"]) == (
        "1",
        "0",
        "1",
    )
    renderer.answer("X")
    assert (renderer.params["blind_trial"], renderer.params["blind_hits"], renderer.params["blind_p"]) == (
        "2",
        "0",
        "1",
    )


def test_switching_takes_the_same_time_both_ways():
    """Of two tones of other levels the envelope says when one is half way to the other."""
    renderer = trials(count=20)
    tone = np.tile(0.1 * np.sin(2 * np.pi * 1000 / RATE * np.arange(RATE // 2)), (2, 1)).astype(np.float32)

    def half_way_frames(to):
        renderer.set(blind_listen=to)
        played = np.abs(renderer.process(tone)[0])
        envelope = np.convolve(played, np.ones(480) / 480, mode="valid")
        share = (envelope - envelope[0]) / (envelope[-1] - envelope[0])
        return int(np.argmax(share > 0.5))

    renderer.set(blind_listen="A")
    renderer.process(np.tile(tone, 4))
    times = [half_way_frames(to) for to in "BABABA"]
    assert np.ptp(times) <= 24  # half a millisecond
    assert max(times) < 0.02 * RATE


def test_every_draw_is_made_in_silence():
    renderer = trials()
    level_db(renderer, "X")
    renderer.answer("X")
    played = renderer.process(noise(frames=RATE))
    silent = np.flatnonzero(np.abs(played).max(axis=0) == 0.0)
    assert GAP_FRAMES - 1000 <= len(silent) <= GAP_FRAMES
    assert silent[0] < 1100
    assert not played[:, silent[0] : silent[-1]].any()


def test_a_run_ends_after_its_trials_and_what_was_chosen_plays_again():
    renderer = trials(count=5, slot="B")
    for place in range(5):
        assert renderer.params["blind_trial"] == str(place + 1)
        renderer.answer("Y")
    found = renderer.blind_run
    assert (found.is_over, found.planned, len(found.trials), renderer.params["blind_trial"]) == (True, 5, 5, "0")
    assert renderer.params["blind_hits"] == f"{found.hits}"
    assert float(renderer.params["blind_p"]) == pytest.approx(found.p_value, rel=1e-5)
    renderer.answer("Y")  # of nothing
    assert len(renderer.blind_run.trials) == 5
    assert not is_first(renderer, "X")  # slot B, the quiet one
    renderer.set(blind="Off")
    renderer.process(noise(frames=100))
    renderer.set(blind="Preference")
    renderer.process(noise(frames=100))
    assert (renderer.blind_run.method, renderer.blind_run.trials) == ("Preference", [])


def test_an_answer_counts_once_until_it_is_taken_back():
    renderer = trials()
    renderer.set(blind_answer="X")
    for _ in range(5):
        renderer.process(noise(frames=480))
    assert len(renderer.blind_run.trials) == 1
    renderer.set(blind_answer="Y")
    renderer.process(noise(frames=480))
    assert [answer for _, answer in renderer.blind_run.trials] == ["X", "Y"]


def test_draws_are_by_chance_and_repeat_for_a_seed():
    def drawn(seed):
        renderer = trials(count=100) if seed is None else trials(count=100, seed=seed)
        if seed is None:
            renderer = Renderer(*loud_and_quiet(), blind="ABX", blind_trials=100)
        for _ in range(100):
            renderer.answer("X")
        return [x for x, _ in renderer.blind_run.trials]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 30 < drawn(1).count("A") < 70
    assert drawn(None) != drawn(None)


def test_knobs_rest_while_trials_run_but_trims_move_both():
    renderer = trials(count=20)
    before = level_db(renderer, "A"), level_db(renderer, "B")
    renderer.set(slot="B", monitor="Headphones Reference", bypass=True, amount=0, center_level_db=-12)
    assert (level_db(renderer, "A"), level_db(renderer, "B")) == pytest.approx(before, abs=0.2)
    renderer.set(output_trim_db=-6)
    assert (level_db(renderer, "A"), level_db(renderer, "B")) == pytest.approx(np.subtract(before, 6), abs=0.2)


def test_what_is_not_there_cannot_be_compared():
    alone = Renderer("laptop", blind="ABX")
    alone.process(noise(frames=480))
    assert alone.status.startswith("Nothing To Compare Blind")
    assert alone.blind_run.planned == 0
    speakers = Renderer("laptop", monitor="Speakers", blind="ABX", blind_pair="Design And Reference")
    speakers.process(noise(frames=480))
    assert speakers.status.startswith("Nothing To Compare Blind")
    speakers.set(blind="Off")
    speakers.process(noise(frames=480))
    assert speakers.status == "OK"


def test_another_preset_ends_a_run_and_a_reset_does_not():
    renderer = trials(count=9)
    renderer.answer("X")
    renderer.reset()
    renderer.process(noise(frames=480))
    assert renderer.params["blind_trial"] == "2"
    renderer.load("laptop", slot="B")
    renderer.process(noise(frames=480))
    assert renderer.params["blind_trial"] == "0"
    assert len(renderer.blind_run.trials) == 1
    assert not renderer.blind_run.is_over


def test_gains_of_programme_rest_while_trials_run():
    renderer = trials(presets=("smart-speaker", "laptop"), level_match="Programme")
    found = renderer._engine.match_found
    renderer.process(noise(frames=2 * RATE, seed=8))
    assert renderer._engine.match_found == found
    assert found != [[0.0] * 3] * 2


def test_trials_begin_with_gains_that_fit_and_not_with_those_on_their_way():
    """The music changes after four seconds, and gains go to where it wants them by 0.1 dB a second."""
    settings = {"sample_rate": RATE, "level_match": "Programme", "slot": "B", "monitor": "Headphones"}
    plays = Renderer("smart-speaker", "laptop", **settings)
    bright = noise(frames=4 * RATE)
    plays.process(lfilter([0.05], [1, -0.95], bright, axis=1).astype(np.float32))
    plays.process(bright)
    before = match_gain_db(plays)
    plays.set(blind="ABX")
    plays.process(bright[:, :480])
    found = plays._engine.match_found
    plays.set(blind="Off")
    plays.process(bright[:, :480])
    held = Renderer("smart-speaker", "laptop", **settings)
    held._engine.hold_match(found)
    held.process(bright[:, :480])
    assert abs(match_gain_db(plays) - before) > 0.1
    assert match_gain_db(plays) == pytest.approx(match_gain_db(held), abs=0.02)


def match_gain_db(renderer):
    return float(renderer.params["match_gain_db"].removesuffix(" dB"))


def test_table_holds_what_was_heard_and_quotes_names():
    text = BlindRun("ABX", "Slots A And B", 3, [("A", "X"), ("B", "X")]).to_csv('a "loud" one', "b, quiet")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["is_hit"] for row in rows] == ["1", "0"]
    assert {(row["method"], row["a"], row["b"], row["planned"]) for row in rows} == {
        ("ABX", 'a "loud" one', "b, quiet", "3")
    }
