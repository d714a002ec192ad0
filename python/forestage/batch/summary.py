"""One page about all that a batch has done."""

from __future__ import annotations

from statistics import median
from typing import Any

import plotly.graph_objects as go
import plotly.io
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from forestage._core import __version__

from .rows import Row
from .runner import Summary
from .store import Place, written

NAME = "summary.html"
MOST_FAILURES = 200
CHARTS = {
    "Loudness, sound over song (LU)": lambda row: _difference(row, "loudness_out_lufs", "loudness_in_lufs"),
    "True peak (dBTP)": lambda row: row["true_peak_out_dbtp"],
    "Side over middle, sound over song (dB)": lambda row: _difference(row, "side_out_db", "side_in_db"),
    "Time with more than 1 dB of limiting (%)": lambda row: 100 * row["limited_share"],
}


def write_summary(summary: Summary, output: str) -> str:
    """Write the page below the output folder; returns its address."""
    place = Place.of(output) / NAME
    with written(place) as path:
        path.write_text(summary_html(summary), encoding="utf-8")
    return place.address


def summary_html(summary: Summary) -> str:
    """HTML of the page, which loads nothing from anywhere."""
    rows = summary.table.to_pylist()
    done = [row for row in rows if row["status"] == "done"]
    presets = sorted({row["preset"] for row in done})
    failures = summary.failures()
    environment = Environment(
        loader=PackageLoader("forestage.batch", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("summary.html.jinja").render(
        version=__version__,
        songs=len({row["source"] for row in rows}),
        done=len(done),
        failures=failures[:MOST_FAILURES],
        more=max(0, len(failures) - MOST_FAILURES),
        table=[_line(preset, [row for row in done if row["preset"] == preset]) for preset in presets],
        charts=[_chart(title, value, done, presets) for title, value in CHARTS.items()] if done else [],
        plotly=get_plotlyjs(),
    )


def _difference(row: Row, of: str, over: str) -> float | None:
    return None if row[of] is None or row[over] is None else row[of] - row[over]


def _line(preset: str, rows: list[Row]) -> dict[str, Any]:
    changes = [
        value for row in rows if (value := _difference(row, "loudness_out_lufs", "loudness_in_lufs")) is not None
    ]
    return {
        "preset": preset,
        "songs": len(rows),
        "hours": sum(row["frames"] / row["sample_rate"] for row in rows) / 3600,
        "loudness_lu": median(changes) if changes else None,
        "peak_dbtp": max(row["true_peak_out_dbtp"] for row in rows),
        "limited": sum(row["limited_share"] > 0 for row in rows),
        "speed": sum(row["frames"] / row["sample_rate"] for row in rows) / max(sum(row["cpu_s"] for row in rows), 1e-9),
    }


def _chart(title: str, value: Any, rows: list[Row], presets: list[str]) -> str:
    figure = go.Figure()
    for preset in presets:
        values = [value(row) for row in rows if row["preset"] == preset]
        figure.add_box(y=[each for each in values if each is not None], name=preset, boxpoints="outliers")
    figure.update_layout(title=title, height=340, showlegend=False, margin={"l": 50, "r": 20, "t": 50, "b": 40})
    return plotly.io.to_html(figure, full_html=False, include_plotlyjs=False)
