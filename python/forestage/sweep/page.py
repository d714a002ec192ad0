"""One page about a sweep: maps over two things that were varied, and where separation, drive and zone meet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import plotly.io
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from forestage._core import __version__
from forestage.batch.store import Place, written

from .best import NAMES, figure, front
from .runner import Swept

NAME = "summary.html"
TITLES = {"separation": "Separation (dB)", "drive": "Most drive (dB)", "zone_width": "Sweet spot (m)"}
MOST_MAPS = 6
MOST_ROWS = 100


def write_page(found: Swept, output: str) -> str:
    """Write the page below the output folder; returns its address."""
    place = Place.of(output) / NAME
    with written(place) as path:
        path.write_text(page_html(found), encoding="utf-8")
    return place.address


def page_html(found: Swept) -> str:
    """HTML of the page, which loads nothing from anywhere."""
    good = front(found.rows) if found.rows else []
    charts = [_front_chart(found.rows, good, found.axes)] if found.rows else []
    for one, other in list(itertools.combinations(found.axes, 2))[:MOST_MAPS]:
        charts += [_map_chart(found.rows, one, other, name) for name in NAMES] if found.rows else []
    if len(found.axes) == 1 and found.rows:
        charts += [_line_chart(found.rows, found.axes[0], name) for name in NAMES]
    environment = Environment(
        loader=PackageLoader("forestage.sweep", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("page.html.jinja").render(
        version=__version__,
        designs=len(found.rows),
        axes=found.axes,
        names=list(NAMES),
        titles=TITLES,
        front=[[_shown(row[axis]) for axis in found.axes] + [f"{figure(row, name):.2f}" for name in NAMES]
               for row in good[:MOST_ROWS]],
        failures=found.failures[:MOST_ROWS],
        charts=charts,
        plotly=get_plotlyjs(),
    )  # fmt: skip


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _hover(rows: Sequence[Any], axes: Sequence[str]) -> list[str]:
    return ["<br>".join(f"{name} {_shown(row[name])}" for name in axes) for row in rows]


def _front_chart(rows: Sequence[Any], good: Sequence[Any], axes: Sequence[str]) -> str:
    plot = go.Figure()
    keys = {row["key"] for row in good}
    for name, chosen in (("others", [row for row in rows if row["key"] not in keys]), ("front", list(good))):
        if chosen:
            plot.add_scatter(
                x=[figure(row, "drive") for row in chosen],
                y=[figure(row, "separation") for row in chosen],
                mode="markers",
                name=name,
                text=_hover(chosen, axes),
                marker={
                    "size": 10 if name == "front" else 6,
                    "symbol": "diamond" if name == "front" else "circle",
                    "color": [figure(row, "zone_width") for row in chosen],
                    "coloraxis": "coloraxis",
                },
            )
    plot.update_layout(
        title="What concerns cost each other; diamonds: no other is better in all three",
        xaxis_title=TITLES["drive"],
        yaxis_title=TITLES["separation"],
        coloraxis={"colorscale": "Viridis", "colorbar": {"title": TITLES["zone_width"]}},
        legend={"orientation": "h"},
        height=460,
    )
    return plotly.io.to_html(plot, full_html=False, include_plotlyjs=False)


def _map_chart(rows: Sequence[Any], one: str, other: str, name: str) -> str:
    """Of designs that have both values, the best one: the others differ in what else was varied."""
    sign = 1 if NAMES[name][1] else -1
    cells: dict[tuple[Any, Any], float] = {}
    for row in rows:
        at = (row[one], row[other])
        value = figure(row, name)
        cells[at] = value if at not in cells else sign * max(sign * cells[at], sign * value)
    xs, ys = (sorted({at[i] for at in cells}, key=lambda v: (isinstance(v, str), v)) for i in range(2))
    plot = go.Figure()
    if len(cells) == len(xs) * len(ys):
        plot.add_heatmap(
            x=[_shown(x) for x in xs], y=[_shown(y) for y in ys], colorscale="Viridis",
            z=[[cells[x, y] for x in xs] for y in ys], texttemplate="%{z:.2f}" if len(cells) <= 100 else None,
        )  # fmt: skip
        plot.update_xaxes(type="category")
        plot.update_yaxes(type="category")
    else:
        plot.add_scatter(
            x=[at[0] for at in cells], y=[at[1] for at in cells], mode="markers",
            marker={"color": list(cells.values()), "colorscale": "Viridis", "showscale": True, "size": 9},
        )  # fmt: skip
    plot.update_layout(title=TITLES[name], xaxis_title=one, yaxis_title=other, height=380)
    return plotly.io.to_html(plot, full_html=False, include_plotlyjs=False)


def _line_chart(rows: Sequence[Any], axis: str, name: str) -> str:
    plot = go.Figure()
    plot.add_scatter(x=[row[axis] for row in rows], y=[figure(row, name) for row in rows], mode="lines+markers")
    plot.update_layout(title=TITLES[name], xaxis_title=axis, height=320)
    return plotly.io.to_html(plot, full_html=False, include_plotlyjs=False)
