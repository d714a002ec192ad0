"""Where drivers cannot give what balance asks for: the centre stays behind the sides, or the sides behind a pair."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forestage.design.shortfall import Shortfall, shortfalls
from forestage.metrics.balance import THIRDS_HZ, balance_of
from forestage.metrics.played import Played

TOLERANCE_DB = 3.0


def balance_shortfalls(design: Played, *, sample_rate: int) -> Iterator[Shortfall]:
    """Third octaves in which mono is more than 3 dB softer against the sides than before a real pair.

    And those in which the sides are that much softer than a real pair's, over what they are in the middle.
    """
    third_db = balance_of(design, sample_rate=sample_rate)["processed"].third_db
    short_db = np.mean([third_db["left"], third_db["right"]], axis=0) - third_db["mono"]
    yield from shortfalls("centre level against the sides", THIRDS_HZ, np.where(short_db > TOLERANCE_DB, short_db, 0.0))
    sides_db = np.minimum(third_db["left"], third_db["right"])
    dull_db = np.median(sides_db) - sides_db
    yield from shortfalls("level of the sides", THIRDS_HZ, np.where(dull_db > TOLERANCE_DB, dull_db, 0.0))
