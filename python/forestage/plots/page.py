"""A page about one design, as for a paper: what it does at the seat, to the drivers, and around the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike

from forestage.acoustics.plant import directivity
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.metrics import width
from forestage.metrics.bands import OCTAVE_EDGES_HZ, log_grid
from forestage.metrics.chain import Chain
from forestage.metrics.colour import near_ear_db
from forestage.metrics.directivity import AZIMUTH_DEG, on_off_db
from forestage.metrics.effort import effort_db
from forestage.metrics.played import Played
from forestage.metrics.separation import separation_db
from forestage.metrics.summary import design_metrics
from forestage.metrics.zone import SWEET_SPOT_DB, zone_maps

from . import axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FREQUENCY_HZ = log_grid(100.0, 12_800.0, per_octave=24)
PATTERN_HZ = log_grid(100.0, 10_000.0, per_octave=16)
AUDIBLE_DB = -60.0
PANEL_INCHES = (5.6, 2.9)
TABLE_INCHES = 2.6
FONT_SIZE = 9.5
_STYLE: dict[Any, Any] = {
    **axes.STYLE,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "figure.facecolor": "white",
    "font.size": FONT_SIZE,
    "legend.fontsize": 8.5,
}


class Target(Protocol):
    """What the cancellation was to reach."""

    def curve_db(self, frequency_hz: ArrayLike, /) -> FloatArray:
        """Separation."""

    def cap_db(self, frequency_hz: ArrayLike, /) -> FloatArray:
        """Most drive."""


class Pictured(Played, Protocol):
    """What a page shows: what plays, by its name, and its target."""

    @property
    def name(self) -> str:
        """The title."""

    @property
    def target(self) -> Target:
        """Of the cancellation."""


@dataclass(frozen=True)
class _Content:
    """A design and what several panels show of it."""

    design: Pictured
    chain: Chain
    figures: Mapping[str, Any]


def design_page(design: Pictured) -> Figure:
    """Draw everything there is to see about a design.

    Parameters
    ----------
    design : Pictured
        A finished design, or whatever else has these; its filters are those exported at 48 kHz.

    Returns
    -------
    matplotlib.figure.Figure
        A portrait page, to be saved as PDF, SVG or PNG.
    """
    content = _Content(design, Chain.of(design, FREQUENCY_HZ), design_metrics(design))
    draws = [_draw_filters, _draw_impulses, _draw_azimuth, _draw_colour]
    if not design.device.is_headphones:
        draws = [_draw_separation, _draw_drive, *draws, _draw_zone]
        draws += [_draw_on_off, _draw_plain_center, _draw_beam] if design.device.can_beam else [_draw_plain_center]
    rows = len(draws) // 2
    with matplotlib.rc_context(_STYLE):
        page = Figure(figsize=(2 * PANEL_INCHES[0], rows * PANEL_INCHES[1] + TABLE_INCHES), layout="constrained")
        page.suptitle(design.name, fontsize=17, fontweight="bold")
        heights = [rows * PANEL_INCHES[1], TABLE_INCHES]
        pictures, tables = np.asarray(page.subfigures(2, 1, height_ratios=heights))
        for draw, ax in zip(draws, pictures.subplots(rows, 2).flat, strict=True):
            draw(content, ax)
        for draw, ax in zip((_draw_octaves, _draw_totals), tables.subplots(1, 2), strict=True):
            draw(content, ax)
    return page


def _draw_separation(content: _Content, ax: Axes) -> None:
    design, chain = content.design, content.chain
    plain, processed = (
        separation_db(width.ears(design, FREQUENCY_HZ, filters)).min(axis=0)
        for filters in (chain.plain, chain.cancelled)
    )
    axes.separation(
        FREQUENCY_HZ, plain_db=plain, processed_db=processed, target_db=design.target.curve_db(FREQUENCY_HZ), ax=ax
    )
    ax.set_title("Separation of the ears")


def _draw_drive(content: _Content, ax: Axes) -> None:
    design, chain = content.design, content.chain
    curves = {
        "cancellation": effort_db(design.plant, chain.cancelled, FREQUENCY_HZ).max(axis=0),
        "with the virtual pair": effort_db(design.plant, chain.staged, FREQUENCY_HZ).max(axis=0),
        "cap of the cancellation": design.target.cap_db(FREQUENCY_HZ),
    }
    axes.lines(FREQUENCY_HZ, curves, ylabel="power over plain stereo (dB)", ylim=(-10.0, 15.0), ax=ax)
    ax.set_title("Drive for the same near ear")


def _draw_filters(content: _Content, ax: Axes) -> None:
    curves = {name: _level_db(response) for name, response in _side_filters(content).items()}
    axes.lines(FREQUENCY_HZ, curves, ylabel="gain (dB)", ylim=(-40.0, 15.0), ax=ax)
    ax.set_title("Filters of the left channel, per driver")


def _draw_impulses(content: _Content, ax: Axes) -> None:
    filters = content.design.filter_set(SAMPLE_RATE)
    names = [driver.name for driver in content.design.device.drivers]
    shown = {name: filters.cancel[names.index(name), 0] for name in _side_filters(content)}
    times_ms = (np.arange(filters.cancel.shape[-1]) - filters.delay_frames) * 1000.0 / SAMPLE_RATE
    axes.impulses(times_ms, shown, xlim=(max(times_ms[0], -1.5), min(times_ms[-1], 2.5)), ax=ax)
    ax.set_title("The same in time")


def _side_filters(content: _Content) -> dict[str, ComplexArray]:
    """Filters of the left channel that are not silent, by the name of their driver."""
    names = [driver.name for driver in content.design.device.drivers]
    responses = zip(names, content.chain.cancelled[:, 0], strict=True)
    return {name: response for name, response in responses if _level_db(response).max() > AUDIBLE_DB}


def _draw_azimuth(content: _Content, ax: Axes) -> None:
    figures = content.figures["width"]
    over_width = figures["azimuth_over_width_deg"]
    labels = {"time": "by time", "level": "by level"}
    plain = {cue: figures[f"azimuth_by_{cue}_deg"].get("plain") for cue in labels}
    axes.azimuths(
        over_width["stage_width"],
        {label: over_width[cue] for cue, label in labels.items()},
        plain_deg={label: plain[cue] for cue, label in labels.items() if plain[cue] is not None},
        ax=ax,
    )
    ax.set_title("Where a sound in the left channel is heard")


def _draw_colour(content: _Content, ax: Axes) -> None:
    design, chain = content.design, content.chain
    curves = {
        "near ear, cancellation": near_ear_db(design.plant, chain.cancelled, FREQUENCY_HZ)[0],
        "near ear, with the virtual pair": near_ear_db(design.plant, chain.staged, FREQUENCY_HZ)[0],
    }
    if not design.device.is_headphones:
        axis = directivity(design.device, FREQUENCY_HZ, [0.0])[:, 0]
        on_axis = _level_db(np.sum(axis * chain.center, axis=0))
        curves["centre on axis"] = on_axis - on_axis.mean()
    axes.lines(FREQUENCY_HZ, curves, ylabel="level (dB)", ylim=(-10.0, 10.0), ax=ax)
    ax.set_title("Colour: near ear over plain stereo" + (", and centre" if "centre on axis" in curves else ""))


def _draw_zone(content: _Content, ax: Axes) -> None:
    zone = next(zone for zone in zone_maps(content.design) if zone["name"] == "separation_processed")
    axes.zone_map(
        zone["lateral_m"],
        zone["distance_m"],
        np.reshape(zone["values"], (len(zone["distance_m"]), -1)),
        seat_m=(0.0, content.design.device.listener.distance_m),
        vmax=15.0,
        level=SWEET_SPOT_DB,
        ax=ax,
    )
    ax.figure.colorbar(ax.collections[0], ax=ax, label="separation (dB)", extend="both")
    ax.set_title(f"Separation off the seat (line: {SWEET_SPOT_DB:g} dB)")


def _draw_on_off(content: _Content, ax: Axes) -> None:
    chain = Chain.of(content.design, PATTERN_HZ)
    curves = {
        "beam": on_off_db(_pattern(content.design, chain.flat_center)),
        "plain mix": on_off_db(_pattern(content.design, chain.plain_center)),
    }
    axes.lines(PATTERN_HZ, curves, ylabel="front over sides (dB)", ylim=(-15.0, 25.0), ax=ax)
    ax.set_title("Centre: power within ±45° over 70° to 110°")


def _draw_plain_center(content: _Content, ax: Axes) -> None:
    _draw_pattern(content.design, Chain.of(content.design, PATTERN_HZ).plain_center, ax)
    ax.set_title("Centre around the device: plain mix")


def _draw_beam(content: _Content, ax: Axes) -> None:
    _draw_pattern(content.design, Chain.of(content.design, PATTERN_HZ).flat_center, ax)
    ax.set_title("Centre around the device: beam")


def _draw_pattern(design: Played, filters: ComplexArray, ax: Axes) -> None:
    level = _level_db(_pattern(design, filters))
    axes.beam_pattern(PATTERN_HZ, AZIMUTH_DEG, level - level[np.argmin(np.abs(AZIMUTH_DEG))], ax=ax)
    ax.set_ylabel("azimuth (°)")
    bar = ax.figure.colorbar(ax.collections[0], ax=ax, extend="both", label="relative to the front (dB)")
    bar.locator = MultipleLocator(6.0)
    bar.update_ticks()


def _pattern(design: Played, filters: ComplexArray) -> ComplexArray:
    return np.einsum("daf,df->af", directivity(design.device, PATTERN_HZ, AZIMUTH_DEG), filters)


def _level_db(response: ArrayLike) -> FloatArray:
    return 20 * np.log10(np.maximum(np.abs(response), 1e-5))


def _draw_octaves(content: _Content, ax: Axes) -> None:
    figures = content.figures
    rows: list[tuple[str, Sequence[float]]] = [("drive", figures["effort"]["drive_db"]["cancelled"])]
    if "depth" in figures:
        separation, depth = figures["width"]["separation_db"], figures["depth"]
        rows = [("separation, plain", separation["plain"]), ("separation", separation["processed"]), *rows]
        for label, key in (("directivity index", "directivity_index_db"), ("front over sides", "front_over_sides_db")):
            rows += [(f"{label}, plain mix", depth[key]["plain"])]
            rows += [(label, depth[key]["processed"])] if content.design.device.can_beam else []
    cells = [[label, *(f"{value:.1f}" for value in values)] for label, values in rows]
    heads = [f"{low / 1000:g}–{high / 1000:g}" for low, high in pairwise(OCTAVE_EDGES_HZ)]
    _draw_table(ax, [["dB, per octave (kHz)", *heads], *cells], widths=[0.35, *[0.13] * len(heads)])


def _draw_totals(content: _Content, ax: Axes) -> None:
    figures, conditions = content.figures, content.figures["conditions"]
    wide, colour, most = figures["width"], figures["colour"], figures["effort"]["most_drive_db"]
    rows = [
        _total("left by time", wide["azimuth_by_time_deg"], "°"),
        _total("centre by time", wide["center_azimuth_by_time_deg"], "°"),
        _total("right by time", wide["right_azimuth_by_time_deg"], "°"),
        _total("left by level", wide["azimuth_by_level_deg"], "°"),
        _total("coherence of the ears", wide["interaural_coherence"], ""),
    ]
    if "zone" in figures:
        distance = {key: row[2] for key, row in figures["depth"]["critical_distance_m"].items()}
        rows += [
            _total(f"sweet spot, {conditions['sweet_spot_db']:g} dB", figures["zone"]["sweet_spot_m"], " m"),
            _total("critical distance, 1 kHz", distance, " m"),
            _total("ripple of the centre, ±", colour["center_ripple_db"], " dB"),
        ]
    rows += [
        ["ripple of the near ear, ±", "–", f"{colour['near_ear_ripple_db']['cancelled']:.1f} dB"],
        ["the same with the virtual pair, ±", "–", f"{colour['near_ear_ripple_db']['staged']:.1f} dB"],
        ["most drive", "–", f"{most['cancelled']:.1f} dB"],
    ]
    head = f"{conditions['seat_m'][0]:g} m, {conditions['field']}, {conditions['head'].split(',')[0]}"
    _draw_table(ax, [[head, "unaided", "design"], *rows], widths=[0.66, 0.17, 0.17])


def _total(label: str, figures: Mapping[str, float], unit: str) -> list[str]:
    digits = 1 if unit in ("°", " dB") else 2
    return [label, *(f"{figures[key]:.{digits}f}{unit}" if key in figures else "–" for key in ("plain", "processed"))]


def _draw_table(ax: Axes, cells: Sequence[Sequence[str]], *, widths: Sequence[float]) -> None:
    """Draw lines of text under a head, the first column to the left, the others to the right."""
    ax.set_axis_off()
    box = Bbox.from_extents(0.0, 1.0 - 0.1 * len(cells), 1.0, 1.0)
    table = ax.table(cells, colWidths=widths, bbox=box, edges="B")
    table.auto_set_font_size(value=False)
    table.set_fontsize(FONT_SIZE)
    for (row, column), cell in table.get_celld().items():
        cell.set_edgecolor(axes.INK if row == 0 else axes.GRID)
        cell.set_text_props(ha="left" if column == 0 else "right", weight="bold" if row == 0 else "normal")
        cell.PAD = 0.02
