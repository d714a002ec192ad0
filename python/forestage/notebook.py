"""What notebooks show of designs, presets and renderers: small tables in HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING

from . import _core

if TYPE_CHECKING:
    from .design.designer import Design
    from .render import Renderer


def table(title: str, rows: Mapping[str, object]) -> str:
    """Table of names and values under a title; any text is shown as it is.

    Examples
    --------
    >>> table("A & B", {"drivers": 2})
    '<table><caption>A &amp; B</caption><tr><th>drivers</th><td>2</td></tr></table>'
    """
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(str(value))}</td></tr>" for name, value in rows.items())
    return f"<table><caption>{escape(title)}</caption>{''.join(cells)}</table>"


def preset_html(preset: _core.Preset) -> str:
    """Name, drivers and settings of a preset."""
    rows: dict[str, object] = {"text": preset.text, "drivers": ", ".join(preset.drivers), "room": preset.room or "none"}
    return table(preset.name, rows | preset.parameters)


def renderer_html(renderer: Renderer) -> str:
    """What a renderer plays, how, and what it says of it."""
    rows = {"latency": f"{renderer.latency_frames} frames at {renderer.sample_rate:g} Hz", "status": renderer.status}
    return table(repr(renderer), rows | {name: value for name, value in renderer.params.items() if name != "status"})


def design_html(design: Design) -> str:
    """What was designed, for whom, and where it stays short."""
    drivers = ", ".join(driver.name for driver in design.device.drivers)
    rows: dict[str, object] = {
        "text": design.text,
        "drivers": drivers,
        "virtual pair": f"±{design.stereo.width_deg:g}°",
        "cancellation": f"{design.target.method}, at most {design.target.drive_cap_db:g} dB of drive",
        "filters": ", ".join(f"{each.sample_rate / 1000:g}" for each in design.filters) + " kHz",
    }
    short = {f"short ({number})": fall for number, fall in enumerate(design.shortfall(), 1)}
    return table(design.name, rows | short)
