"""What a picture shows, in words and as a table, for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage.arrays import FloatArray

OCTAVE_CENTRES_HZ = 1000.0 * 2.0 ** np.arange(-5, 5)
Numbers = Mapping[str, tuple[FloatArray, FloatArray]]  # x and y by name


@dataclass(frozen=True)
class Table:
    """Numbers with their headings: ``corner`` is above the headings of the rows."""

    corner: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[float | None, ...]], ...]


def curve_table(corner: str, curves: Numbers, at: Iterable[float]) -> Table:
    """Curves at some places, None beside their ends.

    Examples
    --------
    >>> curve_table("x", {"line": (np.array([0.0, 2.0]), np.array([0.0, 4.0]))}, [1.0, 3.0]).rows
    (('1', (2.0,)), ('3', (None,)))
    """
    rows = []
    for place in at:
        values = []
        for x, y in curves.values():
            found = float(np.interp(place, x, y, left=np.nan, right=np.nan))
            values.append(found if np.isfinite(found) else None)
        rows.append((heading(place), tuple(values)))
    return Table(corner, tuple(curves), tuple(rows))


def map_table(corner: str, x: ArrayLike, y: ArrayLike, values: ArrayLike, *, columns: int = 5, rows: int = 9) -> Table:
    """Some of the values, shape (y, x), of a map: evenly picked, first and last included."""
    across, along, grid = (np.asarray(each, dtype=np.float64) for each in (x, y, values))
    picked = [
        np.unique(np.linspace(0, len(a) - 1, n).round().astype(int)) for a, n in ((across, columns), (along, rows))
    ]
    return Table(
        corner,
        tuple(heading(value) for value in across[picked[0]]),
        tuple((heading(along[row]), tuple(float(v) for v in grid[row, picked[0]])) for row in picked[1]),
    )


def octaves_within(low_hz: float, high_hz: float) -> list[float]:
    """Centres of the octaves within a range.

    Examples
    --------
    >>> [round(hz) for hz in octaves_within(200.0, 2000.0)]
    [250, 500, 1000, 2000]
    """
    return [hz for hz in OCTAVE_CENTRES_HZ.tolist() if low_hz <= hz <= high_hz]


def in_words(title: str, unit: str, values: Mapping[str, ArrayLike]) -> str:
    """Range of each curve or map.

    Examples
    --------
    >>> in_words("Separation", "dB", {"design": [0.2, 18.04]})
    'Separation: design from 0.2 to 18 dB.'
    """
    ranges = [
        f"{name} from {heading(np.nanmin(each))} to {heading(np.nanmax(each))} {unit}".strip()
        for name, each in ((name, np.asarray(each, dtype=np.float64)) for name, each in values.items())
    ]
    return f"{title}: {'; '.join(ranges)}."


def heading(value: float) -> str:
    """Three digits, with a real minus sign and thousands as k.

    Examples
    --------
    >>> heading(-0.125), heading(16_000.0), heading(-0.0)
    ('−0.125', '16k', '0')
    """
    text = f"{value / 1000:.3g}k" if abs(value) >= 1000 else f"{value + 0.0:.3g}"
    return text.replace("-", "−")
