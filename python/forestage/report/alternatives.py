"""Charts in words and as tables."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from forestage.plots.alternatives import Table, curve_table, in_words, map_table, octaves_within

from .charts import Chart

PLACES = 9


def table_of(chart: Chart) -> Table:
    """Numbers of a chart: of its lines at some places, or of its map."""
    x_title, y_title = _titles(chart.figure)
    surface = next((trace for trace in chart.figure.data if hasattr(trace, "z")), None)
    if surface is not None:
        return map_table(f"{y_title} \\ {x_title}", surface.x, surface.y, surface.z)
    lines = {trace.name: (np.asarray(trace.x), np.asarray(trace.y)) for trace in chart.figure.data}
    low = min(float(np.min(x)) for x, _ in lines.values())
    high = max(float(np.max(x)) for x, _ in lines.values())
    if chart.figure.layout.xaxis.type == "log":
        return curve_table(x_title, lines, octaves_within(low, high))
    low, high = chart.figure.layout.xaxis.range or (low, high)
    return curve_table(x_title, lines, np.linspace(low, high, PLACES).tolist())


def words_of(chart: Chart) -> str:
    """What a chart shows, and between which values."""
    x_title, y_title = _titles(chart.figure)
    surfaces = [trace for trace in chart.figure.data if hasattr(trace, "z")]
    if surfaces:
        unit = surfaces[0].colorbar.title.text
        return f"{in_words(chart.title, unit, {'values': surfaces[0].z})} {y_title} over {x_title}."
    return (
        f"{in_words(chart.title, '', {trace.name: trace.y for trace in chart.figure.data})} {y_title} over {x_title}."
    )


def _titles(figure: go.Figure) -> tuple[str, str]:
    return figure.layout.xaxis.title.text, figure.layout.yaxis.title.text
