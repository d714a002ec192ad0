"""The demo's page: figures as inline SVG in the page's own colours, and a template around them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from forestage import _core, plots
from forestage.arrays import FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.levels import level_text
from forestage.metrics.directivity import AZIMUTH_DEG, FRONT_DEG, SIDES_DEG
from forestage.page.template import environment
from forestage.plots.alternatives import Table, curve_table, in_words, map_table, octaves_within
from forestage.plots.top_view import scene_of, top_view
from forestage.presets import preset_form

from .content import Demo, DeviceDemo
from .measure import (
    BEAM_BAND_HZ,
    DEPTH_BAND_HZ,
    FREQUENCY_HZ,
    JUDGED_BAND_HZ,
    OCTAVES_HZ,
    PATTERN_HZ,
    Facts,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What is offered to listen to, in this order: monitor, button, explanation
VERSIONS = (
    ("", "Original", "the music as it is"),
    ("Headphones Plain", "Device alone", "what the device does unaided"),
    ("Headphones", "With Forestage", "the device with its design"),
    ("Headphones Reference", "Reference pair", "what it is meant to sound like: ideal loudspeakers at ±30°"),
)
SIZE_INCHES = (5.2, 3.5)
AUDIBLE_DB = -60.0
_CSS_COLOURS = {
    plots.INK: "var(--ink)",
    plots.GRID: "var(--grid)",
    plots.BLUE: "var(--blue)",
    plots.ORANGE: "var(--orange)",
    plots.GREEN: "var(--green)",
    plots.PURPLE: "var(--purple)",
}
_SVG_SIZE = re.compile(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"|(<svg[^>]*?) height="[^"]*" width="[^"]*"')


def render(demo: Demo) -> str:
    """HTML of the page; the sound files are expected beside it."""
    made = environment("forestage.demo")
    made.filters |= {"db": decibels, "mean": np.mean}
    scenes = {device.preset.stem: scene_of(preset_form(device.preset)) for device in demo.devices}
    licence = (demo.source.parent / "excerpt-licence.txt").read_text(encoding="utf-8") if demo.is_excerpt else ""
    return made.get_template("page.html.jinja").render(
        demo=demo,
        versions=VERSIONS,
        high_quality_latency_s=_upmix_latency_s("High Quality"),
        low_latency_s=_upmix_latency_s("Low Latency"),
        pictures={device.preset.stem: _pictures(device) for device in demo.devices},
        views={name: (scene, top_view(scene)) for name, scene in scenes.items() if scene},
        spread_lu={device.preset.stem: loudness_spread_lu(device) for device in demo.devices},
        player_js=_script("forestage", "pages", "fade.js") + _script(__package__, "player.js"),
        licence=licence,
        statuses=sorted({t.status for device in demo.devices for t in device.tracks.values()} - {"OK"}),
        depth_band_hz=DEPTH_BAND_HZ,
        octaves_hz=OCTAVES_HZ,
        beam_band_hz=BEAM_BAND_HZ,
        judged_band_hz=JUDGED_BAND_HZ,
        front_deg=FRONT_DEG,
        sides_deg=SIDES_DEG,
        sample_rate=SAMPLE_RATE,
    )


def _script(package: str, *path: str) -> str:
    return files(package).joinpath(*path).read_text(encoding="utf-8")


def _upmix_latency_s(quality: str) -> float:
    return _core.Upmix(SAMPLE_RATE, quality=quality).latency_frames / SAMPLE_RATE


def decibels(value: float | None, digits: int = 1) -> str:
    """Write a level with a real minus sign; a dash for none.

    Examples
    --------
    >>> decibels(-3.14159), decibels(-0.001), decibels(-200.0), decibels(None)
    ('−3.1', '0.0', 'silent', '–')
    """
    if value is None or not np.isfinite(value):
        return "–"
    return level_text(value, digits).replace("-", "−")


def loudness_spread_lu(device: DeviceDemo) -> float | None:
    """Loudest minus quietest of what is to be listened to, without the original, as the plugin played it."""
    heard = [tracks[monitor] for tracks in (device.tracks, device.room_tracks) for monitor, *_ in VERSIONS if monitor]
    values = [t.levels.loudness_lufs - t.gain_db for t in heard if t.levels.loudness_lufs is not None]
    return max(values) - min(values) if values else None


@dataclass(frozen=True)
class Picture:
    """A figure as SVG, in words and as a table."""

    svg: str
    words: str
    table: Table


def _pictures(device: DeviceDemo) -> dict[str, Picture]:
    facts, name = device.facts, device.preset.stem
    drawers: dict[str, Callable[[Facts, Axes], tuple[str, Table]]] = {
        "separation": _draw_separation,
        "stage": _draw_stage,
        "filters": _draw_filters,
    }
    if facts.beam is not None:
        drawers |= {
            "center_filters": _draw_center_filters,
            "on_off": _draw_on_off,
            "plain": partial(_draw_pattern, "plain mix"),
            "beam": partial(_draw_pattern, "beam"),
        }
    pictures = {}
    for key, draw in drawers.items():
        style: dict[Any, Any] = {**plots.STYLE, "svg.hashsalt": f"{name}-{key}"}
        with matplotlib.rc_context(style):
            figure = Figure(figsize=SIZE_INCHES, layout="constrained")
            words, table = draw(facts, figure.subplots())
            pictures[key] = Picture(svg(figure), words, table)
    return pictures


def _said(title: str, frequency_hz: FloatArray, curves: Mapping[str, FloatArray]) -> tuple[str, Table]:
    places = octaves_within(frequency_hz[0], frequency_hz[-1])
    table = curve_table("Hz", {name: (frequency_hz, curve) for name, curve in curves.items()}, places)
    return in_words(title, "dB", curves), table


def _draw_separation(facts: Facts, ax: Axes) -> tuple[str, Table]:
    curves = facts.separation
    plots.separation(
        FREQUENCY_HZ, plain_db=curves["plain"], processed_db=curves["processed"], target_db=curves["target"], ax=ax
    )
    shown = {"unaided": curves["plain"], "with Forestage": curves["processed"], "target": curves["target"]}
    return _said("Separation of the ears over frequency", FREQUENCY_HZ, shown)


def _draw_stage(facts: Facts, ax: Axes) -> tuple[str, Table]:
    curves = {
        "with Forestage": facts.stage["Headphones"],
        "device alone": facts.stage["Headphones Plain"],
        "reference pair": facts.stage["Headphones Reference"],
    }
    plots.lines(FREQUENCY_HZ, curves, ylabel="left ear over right ear (dB)", ylim=(-10.0, 25.0), ax=ax)
    return _said("Left ear over right ear over frequency", FREQUENCY_HZ, curves)


def _draw_filters(facts: Facts, ax: Axes) -> tuple[str, Table]:
    return _draw_levels("left channel", facts.side_filters, ax)


def _draw_center_filters(facts: Facts, ax: Axes) -> tuple[str, Table]:
    return _draw_levels("centre", facts.center_filters, ax)


def _draw_levels(source: str, filters: Mapping[str, FloatArray], ax: Axes) -> tuple[str, Table]:
    audible = {f"{name} driver": level for name, level in filters.items() if level.max() > AUDIBLE_DB}
    plots.lines(FREQUENCY_HZ, audible, ylabel="gain (dB)", ylim=(-40.0, 15.0), ax=ax)
    ax.set_title(f"from the {source}")
    return _said(f"Gain from the {source} to the drivers over frequency", FREQUENCY_HZ, audible)


def _draw_pattern(which: str, facts: Facts, ax: Axes) -> tuple[str, Table]:
    assert facts.beam is not None
    level_db = facts.beam.beam_db if which == "beam" else facts.beam.plain_db
    plots.beam_pattern(PATTERN_HZ, AZIMUTH_DEG, level_db, ax=ax)
    ax.set_title(which)
    bar = ax.figure.colorbar(ax.collections[0], ax=ax, extend="both", label="level relative to the front (dB)")
    bar.locator = MultipleLocator(6.0)
    bar.update_ticks()
    words = in_words(f"Level of the {which} around the device over frequency", "dB", {which: level_db})
    return words, map_table("azimuth (°) \\ Hz", PATTERN_HZ, AZIMUTH_DEG, level_db)


def _draw_on_off(facts: Facts, ax: Axes) -> tuple[str, Table]:
    assert facts.beam is not None
    curves = {"beam": facts.beam.beam_on_off_db, "plain mix": facts.beam.plain_on_off_db}
    plots.lines(PATTERN_HZ, curves, ylabel="front over sides (dB)", ylim=(-15.0, 25.0), ax=ax)
    ax.axvspan(*BEAM_BAND_HZ, color=plots.BLUE, alpha=0.1, linewidth=0)
    return _said("Front over sides over frequency", PATTERN_HZ, curves)


def svg(figure: Figure) -> str:
    """Write a figure as an SVG element that takes its colours from the page and fills its width."""
    text = io.StringIO()
    figure.savefig(text, format="svg", dpi=160, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    element = text.getvalue()
    element = element[element.index("<svg") :]
    element = _SVG_SIZE.sub(lambda match: match[1] or match[2], element, count=1)
    element = element.replace("'DejaVu Sans'", "'DejaVu Sans', Verdana, sans-serif")
    for colour, variable in _CSS_COLOURS.items():
        element = element.replace(colour, variable)
    return element
