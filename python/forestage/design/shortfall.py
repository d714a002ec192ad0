"""Where a design stays short of its target, and by how much."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

NOTABLE_DB = 0.5


@dataclass(frozen=True)
class Shortfall:
    """A band in which a figure stays short of its target.

    Examples
    --------
    >>> print(Shortfall("separation", 200.0, 710.0, 6.25))
    separation is up to 6.2 dB short of its target from 200 to 710 Hz
    """

    figure: str
    low_hz: float
    high_hz: float
    short_db: float

    def __str__(self) -> str:
        return (
            f"{self.figure} is up to {self.short_db:.1f} dB short of its target "
            f"from {self.low_hz:.0f} to {self.high_hz:.0f} Hz"
        )


def shortfalls(figure: str, frequency_hz: ArrayLike, short_db: ArrayLike) -> Iterator[Shortfall]:
    """Bands in which ``short_db``, shape (n,), is notable (above 0.5 dB), from low to high.

    Examples
    --------
    >>> [fall.high_hz for fall in shortfalls("drive", [100.0, 200.0, 300.0, 400.0], [1.0, 2.0, 0.0, 3.0])]
    [200.0, 400.0]
    """
    frequency, short = np.asarray(frequency_hz, dtype=np.float64), np.asarray(short_db, dtype=np.float64)
    is_short = np.concatenate([[False], short > NOTABLE_DB, [False]])
    edges = np.flatnonzero(np.diff(is_short.astype(int)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield Shortfall(figure, float(frequency[first]), float(frequency[end - 1]), float(short[first:end].max()))
