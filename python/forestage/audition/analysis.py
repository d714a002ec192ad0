"""What ratings say: counts, exact tests, intervals of confidence.

Of two presets: the binomial test, two-sided for preference, one-sided for ABX, and the interval of Clopper and Pearson.
Of MUSHRA: means with intervals by Student's t after the post-screening of ITU-R BS.1534-3, 4.1.2, the test of Friedman,
and between candidates sign-flip permutations, exact for up to 13 pairs of ratings, with Holm's correction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from scipy import stats

from .results import Rating
from .session import MID_ANCHOR, REFERENCE, Session

CONFIDENCE = 0.95
SIGNIFICANT = 0.05
HIGHEST_SHARE = 0.15  # of items that an assessor may get wrong before all of theirs are left out
GOOD_POINTS = 90.0
UNCLEAR_SHARE = 0.25  # of listeners who praise the anchor of a song, which then tells nothing about them
PERMUTATIONS = 9999


@dataclass(frozen=True)
class Count:
    """How often one of two things happened.

    Attributes
    ----------
    group : str
        Whose trials: everyone's, a listener's or a song's.
    pair : tuple of str
        Labels of what was compared.
    hits, trials : int
        Preference: how often the first was preferred; ABX: how often X was found.
    p, p_holm : float
        Of as much or more by chance, and after Holm's correction for all pairs of the group.
    low, high : float
        Interval of the share, with 95 % confidence.
    """

    group: str
    pair: tuple[str, str]
    hits: int
    trials: int
    p: float
    low: float
    high: float
    p_holm: float = 1.0


def counted(group: str, pair: tuple[str, str], hits: int, trials: int, *, is_abx: bool) -> Count:
    """Test a count against chance."""
    two_sided = stats.binomtest(hits, trials, 0.5)
    interval = two_sided.proportion_ci(CONFIDENCE, method="exact")
    p = stats.binomtest(hits, trials, 0.5, alternative="greater").pvalue if is_abx else two_sided.pvalue
    return Count(group, pair, hits, trials, float(p), float(interval.low), float(interval.high), float(p))


def counts(session: Session, ratings: Sequence[Rating], listeners: dict[str, str]) -> list[Count]:
    """Counts of each pair: of all, and of each listener and each song where there are several."""
    is_abx = session.method == "abx"
    groups: list[tuple[str, Callable[[Rating], bool]]] = [("all", lambda rating: True)]
    heard = [key for key in listeners if any(rating.listener == key for rating in ratings)]
    if len(heard) > 1:
        groups += [(listeners[key], lambda rating, key=key: rating.listener == key) for key in heard]  # type: ignore[misc]
    if len(session.songs) > 1:
        groups += [
            (song.name, lambda rating, index=index: rating.song == index)  # type: ignore[misc]
            for index, song in enumerate(session.songs)
        ]
    found = []
    for first, second in combinations([version.id for version in session.candidates], 2):
        of_pair = [rating for rating in ratings if set(rating.options) == {first, second}]
        for group, is_in in groups:
            members = [rating for rating in of_pair if is_in(rating)]
            hits = sum(rating.value == (rating.truth if is_abx else first) for rating in members)
            if members:
                pair = (session.label(first), session.label(second))
                found.append(counted(group, pair, hits, len(members), is_abx=is_abx))
    return _corrected(found)


def _corrected(found: Sequence[Count]) -> list[Count]:
    """The same with p after Holm's correction: within a group there is a test for each pair."""
    corrected: dict[int, float] = {}
    for group in {count.group for count in found}:
        members = [index for index, count in enumerate(found) if count.group == group]
        corrected |= dict(zip(members, holm([found[index].p for index in members]), strict=True))
    return [replace(count, p_holm=corrected[index]) for index, count in enumerate(found)]


@dataclass(frozen=True)
class Score:
    """Points of one version after post-screening, with the interval of the mean by Student's t."""

    label: str
    kind: str
    ratings: int
    mean: float
    low: float
    high: float
    median: float
    quartiles: tuple[float, float]


@dataclass(frozen=True)
class Difference:
    """Mean difference of two candidates, and its p by permutations, as it is and after Holm's correction."""

    pair: tuple[str, str]
    ratings: int
    points: float
    p: float
    p_holm: float
    is_exact: bool


@dataclass(frozen=True)
class Mushra:
    """All that MUSHRA says.

    Attributes
    ----------
    screened : dict of str
        Why listeners were left out, by their label.
    friedman_p : float or None
        Whether the versions differ at all; None for fewer than two items or three versions.
    """

    scores: list[Score]
    differences: list[Difference]
    screened: dict[str, str]
    friedman_p: float | None


def mushra(session: Session, ratings: Sequence[Rating], listeners: dict[str, str]) -> Mushra:
    """Analyse points."""
    table: dict[tuple[str, int], dict[str, float]] = {}
    for rating in ratings:
        table.setdefault((rating.listener, rating.trial), {})[rating.item] = float(rating.value)
    kinds = {version.kind: version.id for version in session.versions}
    screened = {}
    clear = _clear_songs(ratings, mid_anchor=kinds[MID_ANCHOR])
    for listener in {rating.listener for rating in ratings}:
        of = {rating.trial: rating.song for rating in ratings if rating.listener == listener}
        items = [table[listener, trial] for trial in of]
        told = [of[trial] in clear for trial in of]
        if reason := why_left_out(items, told, reference=kinds[REFERENCE], mid_anchor=kinds[MID_ANCHOR]):
            screened[listener] = reason
    kept = [row for key, row in sorted(table.items()) if key[0] not in screened]
    points = {version.id: np.array([row[version.id] for row in kept]) for version in session.versions}
    scores = [_score(version.label, version.kind, points[version.id]) for version in session.versions] if kept else []
    several = len(kept) > 1 and len(points) > 2
    p = float(stats.friedmanchisquare(*points.values()).pvalue) if several and _differ(points.values()) else None
    return Mushra(
        scores, _differences(session, points), {listeners[key]: reason for key, reason in screened.items()}, p
    )


def _differ(rows: Iterable[np.ndarray]) -> bool:
    """Whether any item has more than one rating: all alike have no ranks."""
    return bool(np.any(np.ptp(np.array(list(rows)), axis=0) > 0))


def _clear_songs(ratings: Sequence[Rating], *, mid_anchor: str) -> set[int]:
    """Songs that the anchor degrades: no more than a quarter of the listeners praise it there."""
    praise: dict[int, list[bool]] = {}
    for rating in ratings:
        if rating.item == mid_anchor:
            praise.setdefault(rating.song, []).append(float(rating.value) > GOOD_POINTS)
    alone = len({rating.listener for rating in ratings}) == 1  # nobody else to say that it is the song
    return {song for song, each in praise.items() if alone or sum(each) <= UNCLEAR_SHARE * len(each)}


def why_left_out(
    items: Sequence[dict[str, float]], is_clear: Sequence[bool], *, reference: str, mid_anchor: str
) -> str:
    """Post-screening of one listener after BS.1534-3, 4.1.2: why all of theirs is left out, or an empty text.

    Parameters
    ----------
    items : sequence of dict
        Points by the id of the version, of each trial.
    is_clear : sequence of bool
        Of each trial, whether the anchor tells anything.
    reference, mid_anchor : str
        Ids of the two.
    """
    missed = sum(row[reference] < GOOD_POINTS for row in items)
    fooled = sum(row[mid_anchor] > GOOD_POINTS and clear for row, clear in zip(items, is_clear, strict=True))
    if missed > HIGHEST_SHARE * len(items):
        return f"gave the hidden reference less than {GOOD_POINTS:g} in {missed} of {len(items)}"
    if fooled > HIGHEST_SHARE * len(items):
        return f"gave the 7 kHz anchor more than {GOOD_POINTS:g} in {fooled} of {len(items)}"
    return ""


def _score(label: str, kind: str, points: np.ndarray) -> Score:
    mean = float(points.mean())
    low = high = float("nan")
    if len(points) > 1:
        error = float(stats.sem(points))
        half = error * float(stats.t.ppf((1 + CONFIDENCE) / 2, len(points) - 1))
        low, high = mean - half, mean + half
    q1, median, q3 = (float(value) for value in np.percentile(points, [25, 50, 75]))
    return Score(label, kind, len(points), mean, low, high, median, (q1, q3))


def _differences(session: Session, points: dict[str, np.ndarray]) -> list[Difference]:
    found: list[tuple[tuple[str, str], np.ndarray, float, bool]] = []
    for first, second in combinations(session.candidates, 2):
        difference = points[first.id] - points[second.id]
        if len(difference):
            p, is_exact = sign_flip_p(difference)
            found.append(((first.label, second.label), difference, p, is_exact))
    after_holm = holm([each[2] for each in found])
    return [
        Difference(pair, len(difference), float(difference.mean()), p, corrected, is_exact)
        for (pair, difference, p, is_exact), corrected in zip(found, after_holm, strict=True)
    ]


def sign_flip_p(differences: np.ndarray) -> tuple[float, bool]:
    """Two-sided p of a mean difference when either sign is as likely, and whether all signs were tried."""
    if len(differences) < 2:
        return 1.0, True
    is_exact = 2 ** len(differences) <= PERMUTATIONS
    result = stats.permutation_test(
        (differences,),
        lambda x, axis: np.abs(np.mean(x, axis=axis)),
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=PERMUTATIONS,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue), is_exact


def holm(p: Sequence[float]) -> list[float]:
    """Holm's correction for as many tests."""
    corrected = [0.0] * len(p)
    highest = 0.0
    for rank, index in enumerate(np.argsort(p)):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        corrected[index] = highest
    return corrected


def summary(session: Session, ratings: Sequence[Rating], listeners: dict[str, str]) -> dict[str, Any]:
    """Everything, as JSON holds it."""
    done = {key: len({rating.trial for rating in ratings if rating.listener == key}) for key in listeners}
    form: dict[str, Any] = {
        "session": session.id,
        "method": session.method,
        "trials": session.trials,
        "songs": [song.name for song in session.songs],
        "listeners": [{"name": listeners[key], "trials_done": done[key]} for key in listeners],
    }
    if session.method == "mushra":
        return form | asdict(mushra(session, ratings, listeners))
    return form | {"counts": [asdict(count) for count in counts(session, ratings, listeners)]}
