"""Designs that many tests look at and none changes."""

from typing import Any

from forestage.design.designer import design
from forestage.design.result import Design
from once import once_a_run
from places import DEVICES


@once_a_run
def designed(name: str) -> Design:
    """A device's standard design, calibrated, at all rates."""
    return design(DEVICES / f"{name}.toml")


@once_a_run
def preset_of(name: str) -> dict[str, Any]:
    """Its preset in its JSON form, with figures and maps."""
    return designed(name).preset()


def figures_of(name: str) -> dict[str, Any]:
    """Its figures."""
    return preset_of(name)["design"]["metrics"]
