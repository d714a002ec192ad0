"""Names to choose by, and what is taken when nothing is chosen.

They stand apart from what they name, which takes numpy and scipy to load: help and completion need the names alone.
"""

import re
from collections.abc import Iterable

METHODS = (
    "exact",
    "kirkeby",
    "choueiri",
    "race",
    "camilladsp",
    "easyeffects",
    "closed-form",
    "least-squares",
    "rayleigh",
    "null-steering",
    "minimax",
)
"""Keys of `forestage.design.cancel.METHODS`."""

ROOMS = ("living-room", "lively-living-room", "kitchen")
"""Keys of `forestage.acoustics.shoebox.ROOMS`."""

VARIANTS = ("standard", "wide-zone", "close", "free-field")
"""Keys of `forestage.design.variants.VARIANTS`."""

METHOD = "minimax"
DRIVE_CAP_DB = 9.0
WIDTH_DEG = 30.0
ROOM_LENGTH_S = 0.5


def pick(value: str, texts: Iterable[str]) -> str | None:
    """Which of the texts is meant, in any case, with spaces, hyphens or underscores; None for none.

    Examples
    --------
    >>> pick("Living Room", ROOMS)
    'living-room'
    """
    return {_folded(text): text for text in texts}.get(_folded(value))


def _folded(text: str) -> str:
    return re.sub(r"[\s_-]+", "-", text.strip().casefold())
