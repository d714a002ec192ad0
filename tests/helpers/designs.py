"""Designs that many tests look at and none changes."""

from typing import Any

from forestage.design.designer import design
from forestage.design.result import Design
from forestage.metrics.summary import design_metrics
from forestage.metrics.zone import zone_maps
from once import once_a_run
from places import DEVICES
from stub_design import shipped


@once_a_run
def designed(name: str) -> Design:
    """A device's standard design, calibrated, at all rates."""
    return design(DEVICES / f"{name}.toml")


@once_a_run
def preset_of(name: str) -> dict[str, Any]:
    """Its preset, in its JSON form."""
    return designed(name).preset()


@once_a_run
def figures_of(name: str) -> dict[str, Any]:
    """Figures of a factory preset by today's code."""
    return design_metrics(shipped(name))


@once_a_run
def maps_of(name: str) -> list[dict[str, Any]]:
    """Maps of a factory preset by today's code."""
    return zone_maps(shipped(name))
