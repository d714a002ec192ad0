"""What ratings come to: against counts and formulas that are known."""

import csv
import io
import json
import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from scipy import stats

from auditions import listened, tone_session
from command_line import run
from forestage.audition.analysis import counted, counts, mushra, sign_flip_p, why_left_out
from forestage.audition.draw import trials


def test_a_count_has_the_exact_binomial_p_and_interval():
    """10 of 12: sums of binomial coefficients, and the interval as tables of Clopper and Pearson have it."""
    tail = sum(math.comb(12, k) for k in (10, 11, 12)) / 2**12
    preference = counted("all", ("a", "b"), 10, 12, is_abx=False)
    assert preference.p == pytest.approx(2 * tail)
    assert counted("all", ("a", "b"), 10, 12, is_abx=True).p == pytest.approx(tail)
    assert (preference.low, preference.high) == pytest.approx((0.5159, 0.9791), abs=5e-5)


def prefers(version):
    return lambda of, index: {"choice": next(letter for letter, each in of.items() if each == version)}


def test_preferences_are_counted_by_what_stands_behind_the_letters(tmp_path):
    session = tone_session(tmp_path, "preference")
    ratings, listeners = listened(tmp_path, session, "Ann", prefers("preset-2"))
    (count,) = counts(session, ratings, listeners)
    assert (count.pair, count.hits, count.trials) == (("laptop", "tablet"), 0, 12)
    assert count.p == pytest.approx(2 / 2**12)
    told = run("audition", "results", tmp_path)
    assert told.returncode == 0, told.stderr
    assert "tablet is preferred: 12 of 12, p < 0.001" in told.stdout
    assert "Ann: 12 of 12 trials" in told.stdout
    assert (tmp_path / "results.png").read_bytes()[:4] == b"\x89PNG"


def test_several_listeners_and_songs_are_told_apart(tmp_path):
    session = tone_session(tmp_path, "preference", songs=("one.wav", "two.wav"))
    listened(tmp_path, session, "Ann", prefers("preset-1"))
    ratings, listeners = listened(tmp_path, session, "Ben", prefers("preset-2"), seed=1)
    found = {count.group: (count.hits, count.trials) for count in counts(session, ratings, listeners)}
    assert found == {"all": (12, 24), "Ann": (12, 12), "Ben": (0, 12), "one.wav": (6, 12), "two.wav": (6, 12)}
    assert "no preference between laptop and tablet" in run("audition", "results", tmp_path).stdout


def test_several_pairs_are_corrected_after_holm(tmp_path):
    """Three pairs of ten trials: 10, 9 and 5 for the first one, by hand."""
    session = tone_session(tmp_path, "preference", presets=("a", "b", "c"), trials=30, seconds=0.1)
    wins = {("preset-1", "preset-2"): 10, ("preset-1", "preset-3"): 9, ("preset-2", "preset-3"): 5}
    seen = Counter()

    def answer(of, index):
        first, second = sorted(of.values())
        seen[first, second] += 1
        wanted = first if seen[first, second] <= wins[first, second] else second
        return {"choice": next(letter for letter, each in of.items() if each == wanted)}

    ratings, listeners = listened(tmp_path, session, "Ann", answer)
    found = {count.pair: count for count in counts(session, ratings, listeners)}
    p = {10: 2 / 2**10, 9: 22 / 2**10, 5: 1.0}
    assert found["a", "b"].p_holm == pytest.approx(3 * p[10])
    assert found["a", "c"].p_holm == pytest.approx(2 * p[9])
    assert found["b", "c"].p_holm == 1.0
    assert found["a", "c"].p == pytest.approx(p[9])
    assert "p (Holm)" in run("audition", "results", tmp_path).stdout


def test_abx_counts_what_x_was(tmp_path):
    session = tone_session(tmp_path, "abx")
    right = lambda of, index: {"choice": "A" if of["A"] == of["X"] else "B"}  # noqa: E731
    ratings, listeners = listened(tmp_path, session, "Ann", right)
    (count,) = counts(session, ratings, listeners)
    assert (count.hits, count.trials, count.p) == (12, 12, pytest.approx(2**-12))
    assert "can be told apart: 12 of 12 right, p < 0.001" in run("audition", "results", tmp_path).stdout


POINTS = {"preset-1": 70, "preset-2": 40, "reference": 100, "low-anchor": 10, "mid-anchor": 30}


def rates(points, noise=0, seed=0):
    random = Random(seed)
    return lambda of, index: {
        "ratings": {
            letter: points[version] + random.uniform(-noise, noise) * (version != "reference")
            for letter, version in of.items()
            if letter != "Reference"
        }
    }


def test_mushra_has_means_intervals_and_exact_permutations(tmp_path):
    session = tone_session(tmp_path, "mushra", songs=tuple(f"{n}.wav" for n in range(8)), seconds=0.1)
    ratings, listeners = listened(tmp_path, session, "Ann", rates(POINTS, noise=5))
    found = mushra(session, ratings, listeners)
    score = found.scores[0]
    values = np.array([float(each.value) for each in ratings if each.item == "preset-1"])
    half = stats.t.ppf(0.975, 7) * values.std(ddof=1) / np.sqrt(8)
    assert (score.mean, score.high - score.mean) == pytest.approx((values.mean(), half))
    (difference,) = found.differences
    assert (difference.p, difference.is_exact) == (pytest.approx(2 / 2**8), True)
    assert found.friedman_p < 0.001
    assert not found.screened
    told = run("audition", "results", tmp_path).stdout
    assert "laptop − tablet: +" in told
    form = json.loads(run("audition", "results", tmp_path, "--json").stdout)
    assert form["scores"][0]["mean"] == pytest.approx(score.mean)


def test_post_screening_leaves_out_who_misses_the_reference_or_praises_the_anchor(tmp_path):
    """More than 15 % of items: 1 of 6 is too many, 1 of 7 is not (BS.1534-3, 4.1.2)."""
    good, deaf, generous = POINTS, POINTS | {"reference": 89}, POINTS | {"mid-anchor": 91}
    keys = {"reference": "reference", "mid_anchor": "mid-anchor"}
    six, seven = [True] * 6, [True] * 7
    assert why_left_out([deaf] + 5 * [good], six, **keys) == "gave the hidden reference less than 90 in 1 of 6"
    assert why_left_out([generous] + 5 * [good], six, **keys) == "gave the 7 kHz anchor more than 90 in 1 of 6"
    assert why_left_out([deaf] + 6 * [good], seven, **keys) == ""
    assert why_left_out([generous] + 5 * [good], [False, *six[1:]], **keys) == ""
    session = tone_session(tmp_path, "mushra", songs=("a.wav", "b.wav"), seconds=0.1)
    listened(tmp_path, session, "Ann", rates(good))
    ratings, listeners = listened(tmp_path, session, "Tim", rates(deaf), seed=1)
    found = mushra(session, ratings, listeners)
    assert found.screened == {"Tim": "gave the hidden reference less than 90 in 2 of 2"}
    assert found.scores[0].ratings == 2
    assert "left out: Tim, who gave the hidden reference" in run("audition", "results", tmp_path).stdout


@pytest.mark.parametrize(("count", "left_out"), [(1, 1), (2, 0)])
def test_an_anchor_that_many_praise_leaves_nobody_out(tmp_path, count, left_out):
    """One of four is a quarter, and wrong; two of four are more, and it is the song."""
    session = tone_session(tmp_path, "mushra", seconds=0.1)
    for number in range(4):
        points = POINTS | ({"mid-anchor": 95} if number < count else {})
        ratings, listeners = listened(tmp_path, session, f"listener {number}", rates(points), seed=number)
    assert len(mushra(session, ratings, listeners).screened) == left_out


@pytest.mark.parametrize("values", [[3.0], [0.0, 0.0, 0.0], [1.0, 2.0, -3.0, 4.0]])
def test_sign_flips_are_all_tried(values):
    p, is_exact = sign_flip_p(np.array(values))
    signs = np.array(np.meshgrid(*[[1, -1]] * len(values))).reshape(len(values), -1)
    assert is_exact
    assert p == pytest.approx(np.mean(np.abs(values @ signs) >= abs(sum(values)) - 1e-9))


def test_trials_are_spread_evenly_and_letters_are_not_predictable(tmp_path):
    session = tone_session(tmp_path, "preference", presets=("a", "b", "c"), songs=("1", "2"), trials=14, seconds=0.1)
    plan = trials(session, Random(7))
    cells = Counter((trial.song, frozenset(trial.sounds.values())) for trial in plan)
    assert len(plan) == 14
    assert sorted(cells.values()) == [2, 2, 2, 2, 3, 3]
    session = tone_session(tmp_path / "abx", "abx", trials=400, seconds=0.1)
    plan = trials(session, Random(7))
    first = sum(trial.sounds["A"] == plan[0].sounds["A"] for trial in plan)
    is_a = sum(trial.sounds["X"] == trial.sounds["A"] for trial in plan)
    assert stats.binomtest(first, 400).pvalue > 0.01
    assert stats.binomtest(is_a, 400).pvalue > 0.01


def test_csv_has_all_ratings_and_no_formulas(tmp_path):
    session = tone_session(tmp_path, "preference", songs=("=cmd.wav",))
    listened(tmp_path, session, "=1+1", prefers("preset-1"))
    rows = list(csv.DictReader(io.StringIO(run("audition", "results", tmp_path, "--csv").stdout)))
    assert len(rows) == 12
    assert {(row["listener"], row["song"], row["value"]) for row in rows} == {("'=1+1", "'=cmd.wav", "laptop")}


def test_a_session_without_ratings_says_so(tmp_path):
    tone_session(tmp_path, "preference")
    told = run("audition", "results", tmp_path)
    assert (told.returncode, told.stdout) == (0, "no ratings yet\n")
