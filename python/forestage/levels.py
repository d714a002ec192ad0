"""How levels over full scale are told, silence too."""

from __future__ import annotations

import math

SILENCE_DBFS = -200.0


def to_dbfs(peak: float) -> float:
    """Level of a sample in dB over full scale, `SILENCE_DBFS` for one that is 0.

    Examples
    --------
    >>> to_dbfs(0.1), to_dbfs(0.0)
    (-20.0, -200.0)
    """
    return max(20 * math.log10(peak), SILENCE_DBFS) if peak > 0.0 else SILENCE_DBFS


def level_text(level_db: float, digits: int = 1, *, before: str = "", after: str = "") -> str:
    """Write a level between two texts, or that there is none.

    Examples
    --------
    >>> level_text(-3.14159, after=" dBFS"), level_text(-0.001), level_text(to_dbfs(0.0), before="peak ")
    ('-3.1 dBFS', '0.0', 'silent')
    """
    if level_db <= SILENCE_DBFS:
        return "silent"
    return f"{before}{round(float(level_db), digits) + 0.0:.{digits}f}{after}"
