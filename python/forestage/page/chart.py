"""Charts to zoom in (Plotly), in the colours of their page."""

from __future__ import annotations

import plotly.graph_objects as go
import plotly.io

QUIET = "rgba(128, 128, 128, 0.3)"


def chart(x_title: str = "", y_title: str = "") -> go.Figure:
    """Empty chart without a background, so that it suits light and dark pages; the page colours its texts."""
    figure = go.Figure()
    figure.update_layout(
        template=None,
        margin={"l": 60, "r": 12, "t": 12, "b": 50},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        font={"family": "system-ui, 'DejaVu Sans', sans-serif", "size": 12},
        hoverlabel={"bgcolor": "white", "font": {"color": "black"}},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0.0, "bgcolor": "rgba(0, 0, 0, 0)"},
    )
    for axis, title in ((figure.update_xaxes, x_title), (figure.update_yaxes, y_title)):
        axis(title={"text": title}, gridcolor=QUIET, zerolinecolor=QUIET, linecolor=QUIET, automargin=True)
    return figure


def chart_html(figure: go.Figure, div_id: str, *, pixels: int) -> str:
    """HTML of a chart of a height; the page has the script."""
    html: str = plotly.io.to_html(
        figure,
        config={"responsive": True, "displayModeBar": False},
        include_plotlyjs=False,
        full_html=False,
        div_id=div_id,
        default_height=pixels,
    )
    return html
