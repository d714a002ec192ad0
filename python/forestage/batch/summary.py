"""One page about all that a batch has done: as small for 10^5 songs as for ten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

from forestage.page.chart import chart, chart_html
from forestage.page.template import environment

from .runner import Summary
from .store import Place, written

NAME = "summary.html"
MOST_FAILURES = 200
CHART_PIXELS = 320
PERCENTILES = (0, 5, 25, 50, 75, 95, 100)

Columns = dict[str, NDArray[np.float64]]
CHARTS = {
    "Loudness, sound over song (LU)": lambda row: row["loudness_out_lufs"] - row["loudness_in_lufs"],
    "True peak (dBTP)": lambda row: row["true_peak_out_dbtp"],
    "Side over middle, sound over song (dB)": lambda row: row["side_out_db"] - row["side_in_db"],
    "Time with more than 1 dB of limiting (%)": lambda row: 100 * row["limited_share"],
}
_FIGURES = (
    "loudness_in_lufs", "loudness_out_lufs", "true_peak_out_dbtp", "side_in_db", "side_out_db", "limited_share",
    "frames", "sample_rate", "cpu_s",
)  # fmt: skip


def write_summary(summary: Summary, output: str) -> str:
    """Write the page below the output folder; returns its address."""
    place = Place.of(output) / NAME
    with written(place) as path:
        path.write_text(summary_html(summary), encoding="utf-8")
    return place.address


def summary_html(summary: Summary) -> str:
    """HTML of the page, which loads nothing from anywhere."""
    is_done = pc.equal(summary.table["status"], "done")
    done, failed = summary.table.filter(is_done), summary.table.filter(pc.invert(is_done))
    by_preset = {name: _columns(done.filter(pc.equal(done["preset"], name)))
                 for name in sorted(pc.unique(done["preset"]).to_pylist())}  # fmt: skip
    return (
        environment("forestage.batch")
        .get_template("summary.html.jinja")
        .render(
            songs=pc.count_distinct(summary.table["source"]).as_py(),
            done=len(done),
            failed=len(failed),
            failures=failed.slice(0, MOST_FAILURES).to_pylist(),
            notes=dict(list(summary.notes().items())[:MOST_FAILURES]),
            table=[_line(preset, columns) for preset, columns in by_preset.items()],
            charts=[
                (title, *_chart({preset: value(columns) for preset, columns in by_preset.items()}, f"chart-{index}"))
                for index, (title, value) in enumerate(CHARTS.items())
                if by_preset
            ],
            plotly=get_plotlyjs(),
        )
    )


def _columns(table: pa.Table) -> Columns:
    """Figures as numbers; NaN for what silence has none of."""
    return {name: table[name].cast(pa.float64()).to_numpy() for name in _FIGURES}


def _line(preset: str, columns: Columns) -> dict[str, Any]:
    changes = _there(columns["loudness_out_lufs"] - columns["loudness_in_lufs"])
    seconds = (columns["frames"] / columns["sample_rate"]).sum()
    return {
        "preset": preset,
        "sounds": len(columns["frames"]),
        "hours": seconds / 3600,
        "loudness_lu": np.median(changes) if len(changes) else None,
        "peak_dbtp": columns["true_peak_out_dbtp"].max(),
        "limited": int((columns["limited_share"] > 0).sum()),
        "speed": seconds / max(columns["cpu_s"].sum(), 1e-9),
    }


def _there(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[np.isfinite(values)]


def _chart(values: dict[str, NDArray[np.float64]], div_id: str) -> tuple[str, str]:
    """Words and HTML of a chart with a box for each preset."""
    figure = chart()
    words = []
    for preset, each in values.items():
        there = _there(each)
        if not len(there):
            continue
        least, low, first, median, third, high, most = (float(value) for value in np.percentile(there, PERCENTILES))
        figure.add_box(
            x=[preset], lowerfence=[low], q1=[first], median=[median], q3=[third], upperfence=[high],
            line={"color": "#2a86c4"}, hoverinfo="y",
        )  # fmt: skip
        figure.add_scatter(
            x=[preset, preset], y=[least, most], mode="markers", marker={"color": "#d9662b", "size": 5}, hoverinfo="y"
        )
        words.append(f"{preset}: median {median:.1f}, from {least:.1f} to {most:.1f}")
    figure.update_layout(showlegend=False)
    return "; ".join(words), chart_html(figure, div_id, pixels=CHART_PIXELS)
