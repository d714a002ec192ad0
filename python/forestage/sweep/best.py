"""Which designs of a sweep to take: limits on figures, what to have most of, and the front where concerns meet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

# Short names of what sweeps are mostly about, and whether more is better
NAMES: Mapping[str, tuple[str, bool]] = {
    "separation": ("width.separation_db.processed.mean", True),
    "drive": ("effort.most_drive_db.staged", False),
    "zone_width": ("zone.sweet_spot_m.processed", True),
}
_LIMIT = re.compile(r"(?P<name>[^<>=]+)(?P<sign><=|>=)(?P<value>[-+0-9.eE]+)$")


def figure(row: Mapping[str, Any], name: str) -> float:
    """A figure of a row, by its path or by a short name.

    Raises
    ------
    ValueError
        When there is none of this name, or it is no number.
    """
    path = NAMES[name][0] if name in NAMES else name
    if path not in row:
        near = [each for each in row if name.split(".")[0] in each][:8]
        there = f"such as {', '.join(near)}" if near else f"short names are {', '.join(NAMES)}"
        raise ValueError(f"{name}: no such figure; {there}")
    value = row[path]
    if not isinstance(value, int | float):
        raise ValueError(f"{name} = {value!r}: no number to compare by")
    return float(value)


def within(rows: Sequence[Mapping[str, Any]], limits: Sequence[str]) -> list[Mapping[str, Any]]:
    """Rows that keep to limits such as ``drive<=6`` or ``zone.sweet_spot_m.processed>=0.2``."""
    kept = list(rows)
    for text in limits:
        found = _LIMIT.match(text.replace(" ", ""))
        if found is None:
            raise ValueError(f"{text!r}: a limit such as drive<=6 would be right")
        name, value = found["name"], float(found["value"])
        sign = 1 if found["sign"] == "<=" else -1
        kept = [row for row in kept if sign * figure(row, name) <= sign * value]
    return kept


def best(
    rows: Sequence[Mapping[str, Any]], by: str, *, least: bool | None = None, limits: Sequence[str] = (), count: int = 1
) -> list[Mapping[str, Any]]:
    """The designs with most of a figure, or least, within limits.

    Parameters
    ----------
    rows : sequence of dict
        Of a sweep.
    by : str
        A figure, by its path or a short name.
    least : bool, optional
        Whether less is better; by default as it is for the short name, and more for any other.
    limits : sequence of str
        Such as ``drive<=6``.
    count : int
        How many.
    """
    is_less_better = not NAMES.get(by, ("", True))[1] if least is None else least
    kept = within(rows, limits)
    return sorted(kept, key=lambda row: figure(row, by) * (1 if is_less_better else -1))[:count]


def front(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = tuple(NAMES)) -> list[Mapping[str, Any]]:
    """Rows that no other row is as good as or better than in all of some short names, and better in one."""
    signs = [1.0 if NAMES[name][1] else -1.0 for name in names]
    goods = [tuple(sign * figure(row, name) for sign, name in zip(signs, names, strict=True)) for row in rows]
    return [
        row
        for row, good in zip(rows, goods, strict=True)
        if not any(other != good and all(a >= b for a, b in zip(other, good, strict=True)) for other in goods)
    ]
