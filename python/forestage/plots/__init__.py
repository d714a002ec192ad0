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
from .top_view import Scene, scene_of, top_view

__all__ = [
    "BLUE",
    "GREEN",
    "GRID",
    "INK",
    "ORANGE",
    "PURPLE",
    "STYLE",
    "Scene",
    "azimuths",
    "beam_pattern",
    "design_page",
    "impulses",
    "lines",
    "scene_of",
    "separation",
    "top_view",
    "zone_map",
]
