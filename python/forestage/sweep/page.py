"""One page about a sweep: maps over two things that were varied, and where separation, drive and zone meet."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from forestage.batch.store import Place, written
from forestage.page.chart import chart, chart_html
from forestage.page.template import environment

from .best import NAMES, figure, front
from .runner import Swept

NAME = "summary.html"
TITLES = {"separation": "Separation (dB)", "drive": "Most drive (dB)", "zone_width": "Sweet spot (m)"}
MOST_MAPS = 6
MOST_ROWS = 100
CHART_PIXELS = 360
COLOURS = "Viridis"
LINE = "#2a86c4"

Row = Mapping[str, Any]
Shown = tuple[str, str, go.Figure]


def write_page(found: Swept, output: str) -> str:
    """Write the page below the output folder; returns its address."""
    place = Place.of(output) / NAME
    with written(place) as path:
        path.write_text(page_html(found), encoding="utf-8")
    return place.address


def page_html(found: Swept) -> str:
    """HTML of the page, which loads nothing from anywhere."""
    good = front(found.rows) if found.rows else []
    pairs = list(itertools.combinations(found.axes, 2))
    made = environment("forestage.sweep")
    made.filters["shown"] = shown
    return made.get_template("page.html.jinja").render(
        designs=len(found.rows),
        axes=found.axes,
        names=list(NAMES),
        titles=TITLES,
        front=[
            [shown(row[axis]) for axis in found.axes] + [f"{figure(row, name):.2f}" for name in NAMES]
            for row in good[:MOST_ROWS]
        ],
        more_front=max(0, len(good) - MOST_ROWS),
        failed=len(found.failures),
        failures=found.failures[:MOST_ROWS],
        charts=[
            (title, text, chart_html(plot, f"chart-{index}", pixels=CHART_PIXELS))
            for index, (title, text, plot) in enumerate(_charts(found, good, pairs[:MOST_MAPS]) if found.rows else [])
        ],
        maps=MOST_MAPS,
        more_maps=max(0, len(pairs) - MOST_MAPS),
        plotly=get_plotlyjs(),
    )


def shown(value: Any) -> str:
    """A value as it is read."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _charts(found: Swept, good: Sequence[Row], pairs: Sequence[tuple[str, str]]) -> list[Shown]:
    charts = [_front_chart(found.rows, good, found.axes)]
    for one, other in pairs:
        charts += [_map_chart(found.rows, one, other, name, has_others=len(found.axes) > 2) for name in NAMES]
    if len(found.axes) == 1:
        charts += [_line_chart(found.rows, found.axes[0], name) for name in NAMES]
    return charts


def _hover(rows: Sequence[Row], axes: Sequence[str]) -> list[str]:
    return ["<br>".join(f"{name} {shown(row[name])}" for name in axes) for row in rows]


def _front_chart(rows: Sequence[Row], good: Sequence[Row], axes: Sequence[str]) -> Shown:
    plot = chart(TITLES["drive"], TITLES["separation"])
    keys = {row["key"] for row in good}
    others = [row for row in rows if row["key"] not in keys]
    for name, chosen, marker in (
        ("others", others, {"size": 6, "symbol": "circle"}),
        ("front", good, {"size": 11, "symbol": "diamond"}),
    ):
        if chosen:
            plot.add_scatter(
                x=[figure(row, "drive") for row in chosen],
                y=[figure(row, "separation") for row in chosen],
                mode="markers",
                name=name,
                text=_hover(chosen, axes),
                marker=marker | {"color": [figure(row, "zone_width") for row in chosen], "coloraxis": "coloraxis"},
            )
    plot.update_layout(
        showlegend=False,
        coloraxis={"colorscale": COLOURS, "colorbar": {"title": TITLES["zone_width"], "thickness": 14}},
    )
    return (
        "What concerns cost each other",
        "Diamonds: no other design is better in all three. The colour is the sweet spot.",
        plot,
    )


def _map_chart(rows: Sequence[Row], one: str, other: str, name: str, *, has_others: bool) -> Shown:
    sign = 1 if NAMES[name][1] else -1
    cells: dict[tuple[Any, Any], float] = {}
    for row in rows:
        at = (row[one], row[other])
        value = figure(row, name)
        cells[at] = value if at not in cells else sign * max(sign * cells[at], sign * value)
    xs, ys = (sorted({at[i] for at in cells}, key=lambda v: (isinstance(v, str), v)) for i in range(2))
    plot = chart(one, other)
    bar = {"colorscale": COLOURS, "colorbar": {"thickness": 14}}
    is_whole = len(cells) == len(xs) * len(ys)
    if is_whole:
        plot.add_heatmap(
            x=[shown(x) for x in xs], y=[shown(y) for y in ys], z=[[cells[x, y] for x in xs] for y in ys],
            texttemplate="%{z:.2f}" if len(cells) <= 100 else None, **bar,
        )  # fmt: skip
        plot.update_xaxes(type="category", showgrid=False)
        plot.update_yaxes(type="category", showgrid=False)
    else:
        plot.add_scatter(
            x=[at[0] for at in cells], y=[at[1] for at in cells], mode="markers",
            marker={"color": list(cells.values()), "showscale": True, "size": 9, **bar},
        )  # fmt: skip
    best_of = "Of designs with both values, the best one: they differ in what else was varied."
    return TITLES[name], best_of if has_others and is_whole else "", plot


def _line_chart(rows: Sequence[Row], axis: str, name: str) -> Shown:
    plot = chart(axis, TITLES[name])
    ordered = rows if isinstance(rows[0][axis], str) else sorted(rows, key=lambda row: row[axis])
    plot.add_scatter(
        x=[row[axis] for row in ordered],
        y=[figure(row, name) for row in ordered],
        mode="lines+markers",
        line={"color": LINE},
    )
    return TITLES[name], "", plot
