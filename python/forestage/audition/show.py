"""Results as people read them: tables and conclusions, a plot, CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from forestage import plots
from forestage.files import written_whole

from .analysis import SIGNIFICANT, Count, Mushra, counts, mushra
from .results import Rating
from .session import Session

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CSV_FIELDS = ("listener", "trial", "song", "method", "item", "options", "value", "truth", "seconds", "rated_at")


def text(session: Session, ratings: Sequence[Rating], listeners: dict[str, str]) -> str:
    """Tables, and what they come to in words."""
    lines = []
    for key, name in listeners.items():
        done = len({rating.trial for rating in ratings if rating.listener == key})
        more = "" if done >= session.trials else "; the p below holds for the number of trials that was fixed before"
        lines.append(f"{name}: {done} of {session.trials} trials{more}")
    if not ratings:
        return "\n".join([*lines, "no ratings yet"])
    if session.method == "mushra":
        return "\n".join([*lines, "", *_mushra_lines(mushra(session, ratings, listeners))])
    found = counts(session, ratings, listeners)
    return "\n".join([*lines, "", *_count_lines(found, session.method), "", *conclusions(found, session.method)])


def _count_lines(found: Sequence[Count], method: str) -> list[str]:
    what = "X found" if method == "abx" else "first preferred"
    several = len({count.pair for count in found}) > 1
    rows = [("compared", "of", what, "share", "95 % interval", "p (Holm)" if several else "p")]
    for count in found:
        rows.append(
            (
                " / ".join(count.pair),
                count.group,
                f"{count.hits} of {count.trials}",
                f"{100 * count.hits / count.trials:.0f} %",
                f"{100 * count.low:.0f} to {100 * count.high:.0f} %",
                p_text(count.p_holm),
            )
        )
    return _columns(rows)


def p_text(p: float) -> str:
    """A probability as one reads it.

    Examples
    --------
    >>> p_text(0.0386), p_text(0.00002)
    ('0.039', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def conclusions(found: Sequence[Count], method: str) -> list[str]:
    """What the counts of all listeners come to."""
    lines = []
    for count in (each for each in found if each.group == "all"):
        first, second = count.pair
        chance = f"p = {p_text(count.p_holm)}".replace("= <", "<")
        if method == "abx":
            heard = "can be told apart" if count.p_holm < SIGNIFICANT else "were not told apart"
            lines.append(f"{first} and {second} {heard}: {count.hits} of {count.trials} right, {chance}")
            continue
        hits = max(count.hits, count.trials - count.hits)
        better = first if count.hits == hits else second
        if count.p_holm < SIGNIFICANT:
            lines.append(f"{better} is preferred: {hits} of {count.trials}, {chance}")
        else:
            lines.append(
                f"no preference between {first} and {second} that chance would not make: {better} in {hits} of "
                f"{count.trials}, {chance}"
            )
    return lines


def _mushra_lines(found: Mushra) -> list[str]:
    lines = [f"left out: {name}, who {reason}" for name, reason in found.screened.items()]
    rows = [("version", "ratings", "mean", "95 % interval", "median", "quartiles")]
    for score in found.scores:
        interval = "–" if math.isnan(score.low) else f"{score.low:.1f} to {score.high:.1f}"
        quartiles = "{:.0f} to {:.0f}".format(*score.quartiles)
        rows.append((score.label, str(score.ratings), f"{score.mean:.1f}", interval, f"{score.median:.0f}", quartiles))
    lines += _columns(rows)
    if found.friedman_p is not None:
        lines.append(f"\nall versions alike (Friedman): p = {p_text(found.friedman_p)}".replace("= <", "<"))
    for each in found.differences:
        first, second = each.pair
        how = "exact" if each.is_exact else "permutations"
        lines.append(
            f"{first} − {second}: {each.points:+.1f} points, p = {p_text(each.p_holm)} ({how}, Holm)".replace(
                "= <", "<"
            )
        )
    return lines


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def csv_text(session: Session, ratings: Sequence[Rating], listeners: dict[str, str]) -> str:
    """All ratings, one a line, with the labels of versions; what a spreadsheet would take for a formula is quoted."""
    labels = {version.id: version.label for version in session.versions}
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(CSV_FIELDS)
    for rating in ratings:
        writer.writerow(
            [
                _as_text(listeners[rating.listener]),
                rating.trial + 1,
                _as_text(session.songs[rating.song].name),
                session.method,
                _as_text(labels.get(rating.item, "")),
                _as_text(" | ".join(labels[option] for option in rating.options)),
                _as_text(labels.get(rating.value, rating.value)),
                _as_text(labels.get(rating.truth or "", "")),
                rating.seconds,
                rating.rated_at,
            ]
        )
    return file.getvalue()


def _as_text(value: str) -> str:
    return f"'{value}" if value[:1] in tuple("=+-@\t\r") else value


def save_plot(session: Session, ratings: Sequence[Rating], listeners: dict[str, str], path: Path) -> Path:
    """Draw the results into a PNG or SVG file."""
    figure = Figure(figsize=(7.0, 4.0), layout="constrained")
    ax = figure.add_subplot()
    if session.method == "mushra":
        mushra_plot(mushra(session, ratings, listeners), ax=ax)
    else:
        count_plot(counts(session, ratings, listeners), session.method, ax=ax)
    with written_whole(path) as file:
        figure.savefig(file, format=path.suffix.lstrip(".").lower() or "png", dpi=150)
    return path


def count_plot(found: Sequence[Count], method: str, *, ax: Axes) -> Axes:
    """Draw shares with their intervals, and chance as a line."""
    between = " / " if method == "abx" else " over "
    names = [_plain(f"{between.join(count.pair)}\n{count.group}, {count.trials} trials") for count in found]
    share = np.array([100 * count.hits / count.trials for count in found])
    low, high = (np.array([100 * getattr(count, end) for count in found]) for end in ("low", "high"))
    rows = np.arange(len(found))
    ax.errorbar(share, rows, xerr=[share - low, high - share], fmt="o", color=plots.BLUE, capsize=4)
    ax.axvline(50, color=plots.INK, linestyle=":", linewidth=1)
    ax.set(xlim=(0, 100), yticks=rows, ylim=(len(found) - 0.5, -0.5))
    ax.set_yticklabels(names)
    ax.set_xlabel("X found (%)" if method == "abx" else "preferred (%)")
    return ax


def mushra_plot(found: Mushra, *, ax: Axes) -> Axes:
    """Draw means with their intervals."""
    rows = np.arange(len(found.scores))
    mean = np.array([score.mean for score in found.scores])
    half = np.nan_to_num(np.array([score.high - score.mean for score in found.scores]))
    ax.errorbar(mean, rows, xerr=half, fmt="o", color=plots.BLUE, capsize=4)
    ax.set(xlim=(0, 100), yticks=rows, ylim=(len(found.scores) - 0.5, -0.5))
    ax.set_yticklabels([_plain(score.label) for score in found.scores])
    ax.set_xlabel("points (mean and 95 % interval)")
    return ax


def _plain(label: str) -> str:
    """A label whose signs matplotlib does not take for formulas."""
    return label.replace("\\", "\\\\").replace("$", r"\$")
