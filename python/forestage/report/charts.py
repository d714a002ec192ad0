"""Interactive charts of presets, from what their files hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from forestage.acoustics.plant import directivity
from forestage.arrays import FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.preset_device import preset_device
from forestage.firs import decode_fir, response_of
from forestage.metrics.bands import log_grid
from forestage.metrics.directivity import AZIMUTH_DEG
from forestage.metrics.zone import SWEET_SPOT_DB
from forestage.page.chart import chart

from .figures import metrics_of

Preset = Mapping[str, Any]

FREQUENCY_HZ = log_grid(20.0, 20_000.0, per_octave=20)
PATTERN_HZ = log_grid(100.0, 10_000.0, per_octave=10)
LABELS = ("A", "B")
# At least 3:1 against white and against near-black
COLOURS = ("#2a86c4", "#d9662b", "#1f9a74", "#b0619a", "#8a7a2a", "#7d7f86", "#6a6fd0", "#c4506a")
TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


@dataclass(frozen=True)
class Chart:
    """A chart with its heading and, where it needs one, an explanation."""

    title: str
    figure: go.Figure
    text: str = ""


@dataclass(frozen=True)
class CurveChart:
    """Which curves of a preset's analysis share a chart: name in the file -> label."""

    title: str
    axis: str
    curves: Mapping[str, str]
    text: str = ""


CURVE_CHARTS = (
    CurveChart(
        "Separation of the ears",
        "near ear over far ear (dB)",
        {"separation_processed": "design", "separation_plain": "unaided device", "separation_target": "target"},
        "At the seat of the design, crosstalk cancellation alone.",
    ),
    CurveChart(
        "Drive for the same near ear",
        "power over plain stereo (dB)",
        {"drive": "design", "drive_cap": "cap"},
        "What the cancellation asks of all drivers together.",
    ),
    CurveChart(
        "Centre: front over sides",
        "front over sides (dB)",
        {"beam_on_off": "beam", "plain_mix_on_off": "plain mix", "all_drivers_on_off": "all drivers alike"},
        "Power within ±45° over power within 70° to 110° on both sides.",
    ),
)


@dataclass(frozen=True)
class MapLook:
    """How a kind of map is drawn: its heading, range of the colours, step of the lines, colours and explanation."""

    title: str
    low: float
    high: float
    step: float
    colours: str
    text: str = ""


MAP_LOOKS = {
    "separation": MapLook(
        "Separation",
        0.0,
        15.0,
        3.0,
        "Viridis",
        f"Mean of the octaves, weaker channel; {SWEET_SPOT_DB:g} dB is the sweet spot.",
    ),
    "azimuth_error": MapLook(
        "Azimuth error of a left sound",
        -40.0,
        40.0,
        10.0,
        "RdBu",
        "By time, against a real loudspeaker pair; below 0 too far in.",
    ),
    "center_level": MapLook(
        "Level of the centre", -6.0, 6.0, 1.5, "RdBu", "Relative to the seat, loss over distance taken out."
    ),
}
MAP_VERSIONS = {"plain": "unaided device", "processed": "design"}


def charts(presets: Sequence[Preset], folders: Sequence[str | Path] | None = None) -> list[Chart]:
    """All charts that the presets have something for; two presets are overlaid, or stand beside each other.

    Measured files that a preset does not hold are sought in its folder, then in the working directory.
    """
    known = [_curve_chart(presets, chart) for chart in CURVE_CHARTS]
    found = [*known, _azimuth_chart(presets), *_filter_charts(presets), *_other_curves(presets)]
    return (
        [chart for chart in found if chart is not None]
        + _map_charts(presets)
        + _pattern_charts(presets, folders or ["."] * len(presets))
    )


def _curve_chart(presets: Sequence[Preset], chart: CurveChart) -> Chart | None:
    figure = frequency_figure(chart.axis)
    for index, preset in enumerate(presets):
        curves = {curve["name"]: curve for curve in preset.get("analysis", [])}
        for colour, (name, label) in enumerate(chart.curves.items()):
            if name in curves:
                curve = curves[name]
                add_line(figure, curve["frequency_hz"], curve["values"], label, index, len(presets), colour)
    return Chart(chart.title, figure, chart.text) if figure.data else None


def _other_curves(presets: Sequence[Preset]) -> list[Chart]:
    """Curves that no chart is made for, one chart per unit."""
    known = {name for chart in CURVE_CHARTS for name in chart.curves}
    names: dict[str, dict[str, str]] = {}
    for preset in presets:
        for curve in preset.get("analysis", []):
            if curve["name"] not in known:
                names.setdefault(curve["unit"], {})[curve["name"]] = curve["name"].replace("_", " ")
    found = [_curve_chart(presets, CurveChart("Other curves", unit, curves)) for unit, curves in names.items()]
    return [chart for chart in found if chart is not None]


def _azimuth_chart(presets: Sequence[Preset]) -> Chart | None:
    figure = _figure("stage width, half angle (°)", "azimuth heard (°)")
    widths: list[float] = []
    for index, preset in enumerate(presets):
        over_width = metrics_of(preset).get("width", {}).get("azimuth_over_width_deg", {})
        for colour, cue in enumerate(("time", "level")):
            if cue in over_width:
                widths = over_width["stage_width"]
                add_line(figure, widths, over_width[cue], f"by {cue}", index, len(presets), colour)
    if not widths:
        return None
    line = {"color": "gray", "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, widths[-1]], y=[0, widths[-1]], name="real loudspeakers", line=line, mode="lines")
    return Chart(
        "Where a sound in the left channel is heard", figure, "At the seat, free field, from the cues of the ears."
    )


def _filter_charts(presets: Sequence[Preset]) -> list[Chart | None]:
    level = frequency_figure("gain (dB)", low=-40.0, high=15.0)
    time = _figure("time (ms)", "tap")
    centre = frequency_figure("gain (dB)", low=-40.0, high=15.0)
    for index, preset in enumerate(presets):
        filters = next(filters for filters in preset["filters"] if filters["sample_rate"] == SAMPLE_RATE)
        names = [driver["name"] for driver in preset["drivers"]]
        late = filters["delay_frames"]
        for colour, (name, row) in enumerate(zip(names, filters["cancel"], strict=True)):
            taps = decode_fir(row[0])
            if len(taps):
                add_line(level, FREQUENCY_HZ, _gain_db(taps, late), name, index, len(presets), colour)
                times_ms = (np.arange(len(taps)) - late) * 1000.0 / SAMPLE_RATE
                add_line(time, times_ms, taps, name, index, len(presets), colour)
        for colour, (name, text) in enumerate(zip(names, filters.get("beam", []), strict=False)):
            taps = decode_fir(text)
            if len(taps):
                add_line(centre, FREQUENCY_HZ, _gain_db(taps, late), name, index, len(presets), colour)
    time.update_xaxes(range=[-1.5, 2.5])
    return [
        Chart("Filters of the left channel, per driver", level),
        Chart("The same in time", time),
        Chart("Filters of the centre, per driver", centre) if centre.data else None,
    ]


def _gain_db(taps: ArrayLike, delay_frames: int) -> FloatArray:
    response = response_of(taps, FREQUENCY_HZ, sample_rate=SAMPLE_RATE, delay_frames=delay_frames)
    return 20 * np.log10(np.maximum(np.abs(response), 1e-5))


def _map_charts(presets: Sequence[Preset]) -> list[Chart]:
    found = []
    names = dict.fromkeys(each["name"] for preset in presets for each in preset.get("maps", []))
    for name in names:
        for index, preset in enumerate(presets):
            for each in preset.get("maps", []):
                if each["name"] == name:
                    found.append(_map_chart(preset, each, _prefix(index, len(presets))))
    return found


def _map_chart(preset: Preset, each: Mapping[str, Any], prefix: str) -> Chart:
    kind, _, version = each["name"].rpartition("_")
    values = np.reshape(each["values"], (len(each["distance_m"]), len(each["lateral_m"])))
    spread = float(np.ptp(values)) or 1.0
    title = each["name"].replace("_", " ")
    look = MAP_LOOKS.get(kind) or MapLook(title, float(values.min()), float(values.max()), spread / 6, "Viridis")
    figure = _figure("to the listener's left (m)", "distance from the device (m)")
    figure.add_contour(
        x=each["lateral_m"],
        y=each["distance_m"],
        z=values,
        zmin=look.low,
        zmax=look.high,
        colorscale=look.colours,
        contours={"start": look.low, "end": look.high, "size": look.step, "showlabels": True, "coloring": "heatmap"},
        colorbar={"title": {"text": each["unit"]}, "thickness": 12, "outlinewidth": 0},
        hovertemplate=f"%{{x:.2f}} m, %{{y:.2f}} m: %{{z:.1f}} {each['unit']}<extra></extra>",
    )
    seat_m = metrics_of(preset).get("conditions", {}).get("seat_m")
    if seat_m:
        marker = {"color": "white", "size": 10, "line": {"color": "black", "width": 1}}
        figure.add_scatter(x=[seat_m[1]], y=[seat_m[0]], mode="markers", marker=marker, name="seat", showlegend=False)
    # Seen from above with the device beyond the upper edge, the listener's left is on the left
    figure.update_xaxes(autorange="reversed")
    figure.update_yaxes(autorange="reversed")
    heading = f"{prefix}{look.title}, {MAP_VERSIONS.get(version, version)}" if kind in MAP_LOOKS else f"{prefix}{title}"
    return Chart(heading, figure, look.text)


def _pattern_charts(presets: Sequence[Preset], folders: Sequence[str | Path]) -> list[Chart]:
    """Centre around the device, where the file says what the device is."""
    found = []
    for index, (preset, folder) in enumerate(zip(presets, folders, strict=True)):
        filters = next(filters for filters in preset["filters"] if filters["sample_rate"] == SAMPLE_RATE)
        firs = [decode_fir(text) for text in filters.get("beam", [])]
        if not firs or "device" not in preset.get("design", {}):
            continue
        try:
            field = directivity(preset_device(preset, folder=folder), PATTERN_HZ, AZIMUTH_DEG)
        except (ValueError, OSError) as error:
            warnings.warn(f"{preset['name']}: no chart of the centre around the device: {error}", stacklevel=3)
            continue
        responses = [
            response_of(taps, PATTERN_HZ, sample_rate=SAMPLE_RATE) if len(taps) else np.zeros(len(PATTERN_HZ))
            for taps in firs
        ]
        level = 20 * np.log10(np.abs(np.einsum("daf,df->af", field, responses)))
        figure = frequency_figure("azimuth (°), + is the listener's left", low=-180.0, high=180.0)
        figure.add_heatmap(
            x=PATTERN_HZ,
            y=AZIMUTH_DEG,
            z=level - level[np.argmin(np.abs(AZIMUTH_DEG))],
            zmin=-18.0,
            zmax=18.0,
            colorscale="RdBu_r",
            colorbar={"title": {"text": "dB"}, "thickness": 12, "outlinewidth": 0},
            hovertemplate="%{x:.0f} Hz, %{y:.0f}°: %{z:.1f} dB<extra></extra>",
        )
        figure.update_yaxes(dtick=45)
        figure.update_xaxes(range=np.log10(PATTERN_HZ[[0, -1]]).tolist())
        title = f"{_prefix(index, len(presets))}Centre around the device: beam"
        found.append(
            Chart(title, figure, "Level relative to the front, at the listener's distance, without a listener.")
        )
    return found


def _prefix(index: int, count: int) -> str:
    return f"{LABELS[index]} · " if count > 1 else ""


def add_line(figure: go.Figure, x: ArrayLike, y: ArrayLike, label: str, index: int, count: int, colour: int) -> None:
    """Draw a line of preset ``index`` of ``count``: solid for the first, dashed for the second."""
    line = {"color": COLOURS[colour % len(COLOURS)], "dash": "solid" if index == 0 else "dash", "width": 2}
    figure.add_scatter(x=x, y=y, name=_prefix(index, count) + label, mode="lines", line=line)


def frequency_figure(y_title: str, *, low: float | None = None, high: float | None = None) -> go.Figure:
    """Empty chart over frequency."""
    figure = _figure("frequency (Hz)", y_title)
    texts = [f"{hz / 1000:g}k" if hz >= 1000 else f"{hz:g}" for hz in TICKS_HZ]
    figure.update_xaxes(type="log", tickvals=TICKS_HZ, ticktext=texts, hoverformat=".3s")
    if low is not None and high is not None:
        figure.update_yaxes(range=[low, high])
    return figure


def _figure(x_title: str, y_title: str) -> go.Figure:
    """Empty chart, whose lines are all told of at once."""
    figure = chart(x_title, y_title)
    figure.update_layout(hovermode="x unified")
    return figure
