"""The demo's page: figures as inline SVG in the page's own colours, and a template around them."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator

from forestage import __version__, _core, plots
from forestage.metrics.directivity import AZIMUTH_DEG, FRONT_DEG, SIDES_DEG

from .measure import (
    BEAM_BAND_HZ,
    DEPTH_BAND_HZ,
    FREQUENCY_HZ,
    JUDGED_BAND_HZ,
    OCTAVES_HZ,
    PATTERN_HZ,
    SAMPLE_RATE,
    Facts,
)

if TYPE_CHECKING:
    from .make import Demo, DeviceDemo

# What is offered to listen to, in this order: monitor, button, explanation
VERSIONS = (
    ("", "Original", "the music as it is"),
    ("Headphones Plain", "Device alone", "what the device does unaided"),
    ("Headphones", "With Forestage", "the device with its design"),
    ("Headphones Reference", "Reference pair", "what it is meant to sound like: ideal loudspeakers at ±30°"),
)
HALF_WIDTH, FULL_WIDTH = (6.4, 3.8), (12.0, 4.4)  # inches
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
    environment = Environment(
        loader=PackageLoader("forestage.demo", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {"db": decibels, "mean": np.mean}
    licence = (demo.source.parent / "excerpt-licence.txt").read_text(encoding="utf-8") if demo.is_excerpt else ""
    return environment.get_template("page.html.jinja").render(
        demo=demo,
        versions=VERSIONS,
        high_quality_latency_s=_upmix_latency_s("High Quality"),
        low_latency_s=_upmix_latency_s("Low Latency"),
        pictures={device.preset.stem: _pictures(device) for device in demo.devices},
        spread_lu={device.preset.stem: loudness_spread_lu(device) for device in demo.devices},
        player_js=files(__package__).joinpath("player.js").read_text(encoding="utf-8"),
        licence=licence,
        statuses=sorted({t.status for device in demo.devices for t in device.tracks.values()} - {"OK"}),
        depth_band_hz=DEPTH_BAND_HZ,
        version=__version__,
        octaves_hz=OCTAVES_HZ,
        beam_band_hz=BEAM_BAND_HZ,
        judged_band_hz=JUDGED_BAND_HZ,
        front_deg=FRONT_DEG,
        sides_deg=SIDES_DEG,
        sample_rate=SAMPLE_RATE,
    )


def _upmix_latency_s(quality: str) -> float:
    return _core.Upmix(SAMPLE_RATE, quality=quality).latency_frames / SAMPLE_RATE


def decibels(value: float | None, digits: int = 1) -> str:
    """Write a level with a real minus sign; a dash for none.

    >>> decibels(-3.14159), decibels(-0.001), decibels(None)
    ('−3.1', '0.0', '–')
    """
    if value is None or not np.isfinite(value):
        return "–"
    text = f"{round(float(value), digits) + 0.0:.{digits}f}"
    return text.replace("-", "−")


def loudness_spread_lu(device: DeviceDemo) -> float | None:
    """Loudest minus quietest of what is to be listened to, without the original, as the plugin played it."""
    heard = [tracks[monitor] for tracks in (device.tracks, device.room_tracks) for monitor, *_ in VERSIONS if monitor]
    values = [t.levels.loudness_lufs - t.gain_db for t in heard if t.levels.loudness_lufs is not None]
    return max(values) - min(values) if values else None


def _pictures(device: DeviceDemo) -> dict[str, str]:
    facts, name = device.facts, device.preset.stem
    drawers: dict[str, Callable[[Facts], Figure]] = {
        "separation": _draw_separation,
        "stage": _draw_stage,
        "filters": _draw_filters,
    }
    if facts.beam is not None:
        drawers |= {"beam": _draw_beam, "on_off": _draw_on_off}
    pictures = {}
    for key, draw in drawers.items():
        style: dict[Any, Any] = {**plots.STYLE, "svg.hashsalt": f"{name}-{key}"}
        with matplotlib.rc_context(style):
            pictures[key] = svg(draw(facts))
    return pictures


def _draw_separation(facts: Facts) -> Figure:
    curves = facts.separation
    figure, ax = _figure()
    plots.separation(
        FREQUENCY_HZ, plain_db=curves["plain"], processed_db=curves["processed"], target_db=curves["target"], ax=ax
    )
    return figure


def _draw_stage(facts: Facts) -> Figure:
    curves = {
        "with Forestage": facts.stage["Headphones"],
        "device alone": facts.stage["Headphones Plain"],
        "reference pair": facts.stage["Headphones Reference"],
    }
    figure, ax = _figure()
    plots.lines(FREQUENCY_HZ, curves, ylabel="left ear over right ear (dB)", ylim=(-10.0, 25.0), ax=ax)
    return figure


def _draw_filters(facts: Facts) -> Figure:
    panels: dict[str, Mapping[str, np.ndarray]] = {"left channel": facts.side_filters}
    if facts.beam is not None:
        panels["centre"] = facts.center_filters
    figure = Figure(figsize=HALF_WIDTH if len(panels) == 1 else FULL_WIDTH, layout="constrained")
    for ax, (title, filters) in zip(np.ravel(figure.subplots(1, len(panels))), panels.items(), strict=True):
        audible = {f"{name} driver": level for name, level in filters.items() if level.max() > -60.0}
        plots.lines(FREQUENCY_HZ, audible, ylabel="gain (dB)", ylim=(-40.0, 15.0), ax=ax)
        ax.set_title(f"from the {title}")
    return figure


def _draw_beam(facts: Facts) -> Figure:
    assert facts.beam is not None
    figure = Figure(figsize=FULL_WIDTH, layout="constrained")
    axes = figure.subplots(1, 2, sharey=True, gridspec_kw={"wspace": 0.06})
    for ax, title, level in ((axes[0], "plain mix", facts.beam.plain_db), (axes[1], "beam", facts.beam.beam_db)):
        plots.beam_pattern(PATTERN_HZ, AZIMUTH_DEG, level, ax=ax)
        ax.set_title(title)
    axes[1].set_ylabel("")
    bar = figure.colorbar(axes[0].collections[0], ax=axes, extend="both", label="level relative to the front (dB)")
    bar.locator = MultipleLocator(6.0)
    bar.update_ticks()
    return figure


def _draw_on_off(facts: Facts) -> Figure:
    assert facts.beam is not None
    figure, ax = _figure()
    curves = {"beam": facts.beam.beam_on_off_db, "plain mix": facts.beam.plain_on_off_db}
    plots.lines(PATTERN_HZ, curves, ylabel="front over sides (dB)", ylim=(-15.0, 25.0), ax=ax)
    ax.axvspan(*BEAM_BAND_HZ, color=plots.BLUE, alpha=0.1, linewidth=0)
    return figure


def _figure() -> tuple[Figure, matplotlib.axes.Axes]:
    figure = Figure(figsize=HALF_WIDTH, layout="constrained")
    return figure, figure.subplots()


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
