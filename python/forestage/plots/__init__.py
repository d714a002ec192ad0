"""Pictures of designs and measurements."""

from .axes import (
    BLUE,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    STYLE,
    azimuths,
    beam_pattern,
    impulses,
    lines,
    separation,
    zone_map,
)
from .page import design_page

__all__ = [
    "BLUE",
    "GREEN",
    "GRID",
    "INK",
    "ORANGE",
    "PURPLE",
    "STYLE",
    "azimuths",
    "beam_pattern",
    "design_page",
    "impulses",
    "lines",
    "separation",
    "zone_map",
]
