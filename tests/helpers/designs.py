"""Designs that many tests look at and none changes: each is made once in a session."""

from functools import cache

from forestage.design.designer import design
from forestage.design.result import Design
from places import DEVICES


@cache
def designed(name: str) -> Design:
    """A device's standard design, calibrated, at all rates."""
    return design(DEVICES / f"{name}.toml")


@cache
def preset_of(name: str) -> dict:
    """Its preset, in its JSON form."""
    return designed(name).preset()
