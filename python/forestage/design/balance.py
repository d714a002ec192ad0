"""Where the centre gives way: it takes more than drivers may give, and stays behind the sides."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forestage.design.shortfall import Shortfall, shortfalls
from forestage.metrics.balance import THIRDS_HZ, balance_of
from forestage.metrics.played import Played

TOLERANCE_DB = 3.0


def center_shortfalls(design: Played, *, sample_rate: int) -> Iterator[Shortfall]:
    """Third octaves in which mono is more than 3 dB softer against the sides than before a real pair."""
    third_db = balance_of(design, sample_rate=sample_rate)["processed"].third_db
    short_db = np.mean([third_db["left"], third_db["right"]], axis=0) - third_db["mono"]
    yield from shortfalls("centre level against the sides", THIRDS_HZ, np.where(short_db > TOLERANCE_DB, short_db, 0.0))
