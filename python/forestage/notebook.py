"""What notebooks show of designs, presets and renderers: small tables in HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from . import _core


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
