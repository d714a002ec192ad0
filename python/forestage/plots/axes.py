"""Pictures of one thing each. Every function takes data and an optional ``ax``, and returns the ``ax``.

Colours are those of Okabe and Ito, which colour-blind people can tell apart; every line also has its own dashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator, NullFormatter
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1b1e23"
GRID = "#c9ced6"
BLUE, ORANGE, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#cc79a7"
STYLE: Mapping[str, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.titlesize": 12,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 11,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.framealpha": 0.0,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
}

_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "linewidth": 2.6},
    {"color": ORANGE, "linestyle": (0, (6, 2)), "linewidth": 1.8},
    {"color": GREEN, "linestyle": (0, (2, 1.5)), "linewidth": 1.8},
    {"color": PURPLE, "linestyle": (0, (6, 2, 1.5, 2)), "linewidth": 1.8},
    {"color": "#e69f00", "linestyle": (0, (1, 1)), "linewidth": 1.8},
    {"color": "#56b4e9", "linestyle": (0, (10, 2)), "linewidth": 1.8},
    {"color": INK, "linestyle": (0, (4, 1.5, 1, 1.5, 1, 1.5)), "linewidth": 1.4},
    {"color": "#7f7f7f", "linestyle": "-", "linewidth": 1.4},
)
_TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)


def lines(
    frequency_hz: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    ylabel: str,
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Levels over frequency, one line per curve; the first is the one to look at, later ones lie over it.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, shown on a logarithmic axis.
    curves : mapping of str to array_like, shape (n,)
        Label and values in dB.
    ylabel : str
        What the values are, with the unit.
    ylim : tuple of float, optional
        Lowest and highest value shown.
    """
    ax = ax or _new_axes()
    for (label, values), look in zip(curves.items(), cycle(_LOOKS), strict=False):
        ax.plot(frequency_hz, values, label=label, **look)
    _frequency_axis(ax, frequency_hz)
    ax.set_ylabel(ylabel)
    ax.grid(visible=True)
    if ylim is not None:
        ax.set_ylim(ylim)
        ax.yaxis.set_major_locator(MultipleLocator(5.0 if ylim[1] - ylim[0] <= 40.0 else 10.0))
    ax.legend(loc="best", handlelength=3.2, ncols=_columns(curves))
    return ax


def separation(
    frequency_hz: ArrayLike,
    *,
    plain_db: ArrayLike,
    processed_db: ArrayLike,
    target_db: ArrayLike,
    ax: Axes | None = None,
) -> Axes:
    """Separation at the ears (near ear over far ear) over frequency: plain, processed and wanted."""
    curves = {"with Forestage": processed_db, "unaided device": plain_db, "target": target_db}
    ax = lines(frequency_hz, curves, ylabel="near ear over far ear (dB)", ylim=(-5.0, 25.0), ax=ax)
    ax.axhline(0.0, color=INK, linewidth=0.8)
    return ax


def beam_pattern(
    frequency_hz: ArrayLike,
    azimuth_deg: ArrayLike,
    level_db: ArrayLike,
    *,
    range_db: float = 18.0,
    ax: Axes | None = None,
) -> Axes:
    """Level around a device over frequency and azimuth, relative to the front.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz.
    azimuth_deg : array_like, shape (k,)
        Azimuths in degrees, 0 to the listener, positive to the listener's left.
    level_db : array_like, shape (k, n)
        Levels in dB, 0 on axis.
    range_db : float
        The colours reach from minus this to plus this; pictures to be compared share it.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.collections[0]`` is what a colour bar wants.
    """
    ax = ax or _new_axes()
    level = np.asarray(level_db, dtype=np.float64)
    ax.pcolormesh(
        frequency_hz,
        azimuth_deg,
        level,
        cmap="RdBu_r",
        vmin=-range_db,
        vmax=range_db,
        shading="gouraud",
        rasterized=True,
    )
    ax.contour(
        frequency_hz, azimuth_deg, level, levels=[-10.0, -3.0, 3.0, 10.0], colors="#1b1e22", linewidths=0.7, alpha=0.6
    )
    _frequency_axis(ax, frequency_hz)
    ax.set_ylabel("azimuth (°), + is the listener's left")
    ax.set_ylim(-180.0, 180.0)
    ax.yaxis.set_major_locator(MultipleLocator(45.0))
    return ax


def impulses(
    times_ms: ArrayLike, filters: Mapping[str, ArrayLike], *, xlim: tuple[float, float], ax: Axes | None = None
) -> Axes:
    """Impulse responses, one line per filter.

    Parameters
    ----------
    times_ms : array_like, shape (n,)
        Times in ms.
    filters : mapping of str to array_like, shape (n,)
        Label and taps.
    xlim : tuple of float
        First and last time shown.
    """
    ax = ax or _new_axes()
    for (label, taps), look in zip(filters.items(), cycle(_LOOKS), strict=False):
        ax.plot(times_ms, taps, label=label, **look)
    ax.set_xlim(xlim)
    ax.set_xlabel("time (ms)")
    ax.set_ylabel("tap")
    ax.grid(visible=True)
    ax.legend(loc="upper right", handlelength=3.2, ncols=_columns(filters))
    return ax


def zone_map(
    lateral_m: ArrayLike,
    distance_m: ArrayLike,
    values: ArrayLike,
    *,
    seat_m: tuple[float, float],
    vmax: float,
    level: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A figure over the seats around a device, seen from above, the device beyond the upper edge.

    Parameters
    ----------
    lateral_m : array_like, shape (n,)
        Places across in metres, positive to the listener's left, which is drawn on the left.
    distance_m : array_like, shape (m,)
        Distances from the device in metres.
    values : array_like, shape (m, n)
        Values of at least 0.
    seat_m : tuple of float
        Lateral place and distance of the seat of the design.
    vmax : float
        Value of the strongest colour.
    level : float, optional
        Value at which to draw a line.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax.collections[0]`` is what a colour bar wants.
    """
    ax = ax or _new_axes()
    values = np.asarray(values, dtype=np.float64)
    ax.pcolormesh(
        lateral_m, distance_m, values, cmap="viridis", vmin=0.0, vmax=vmax, shading="gouraud", rasterized=True
    )
    if level is not None and values.min() < level < values.max():
        ax.contour(lateral_m, distance_m, values, levels=[level], colors="white", linewidths=1.8)
    ax.plot(*seat_m, marker="o", markersize=8, markerfacecolor="white", markeredgecolor=INK)
    # Who looks up the page at the device has left on the left
    ax.invert_xaxis()
    ax.invert_yaxis()
    ax.set_xlabel("to the listener's left (m)")
    ax.set_ylabel("distance (m)")
    return ax


def azimuths(
    stage_width_deg: ArrayLike,
    curves: Mapping[str, ArrayLike],
    *,
    plain_deg: Mapping[str, float],
    ax: Axes | None = None,
) -> Axes:
    """Where a sound in one channel is heard, over the width of the stage.

    Parameters
    ----------
    stage_width_deg : array_like, shape (n,)
        Half angles of the virtual pair in degrees.
    curves : mapping of str to array_like, shape (n,)
        Label and azimuths of the design in degrees.
    plain_deg : mapping of str to float
        The same for plain stereo, which does not depend on the width; drawn thin, in the looks of ``curves``.
    """
    ax = ax or _new_axes()
    end = float(np.max(stage_width_deg))
    ax.plot([0.0, end], [0.0, end], color=INK, linewidth=0.9, linestyle=":", label="real loudspeakers")
    for (label, values), look in zip(curves.items(), cycle(_LOOKS), strict=False):
        ax.plot(stage_width_deg, values, label=label, marker="o", markersize=4, **look)
        if label in plain_deg:
            ax.axhline(plain_deg[label], label=f"{label}, unaided", **{**look, "linewidth": 1.0})
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, 90.0)
    ax.yaxis.set_major_locator(MultipleLocator(15.0))
    ax.set_xlabel("stage width, half angle (°)")
    ax.set_ylabel("azimuth heard (°)")
    ax.grid(visible=True)
    ax.legend(loc="best", handlelength=3.2)
    return ax


def _columns(entries: Mapping[str, Any]) -> int:
    return 1 if len(entries) <= 4 else 2


def _new_axes() -> Axes:
    return Figure(figsize=(7.5, 4.0), layout="constrained").subplots()


def _frequency_axis(ax: Axes, frequency_hz: ArrayLike) -> None:
    frequency = np.asarray(frequency_hz)
    ax.set_xscale("log")
    ax.set_xlim(frequency[0], frequency[-1])
    ax.xaxis.set_ticks([tick for tick in _TICKS_HZ if 0.99 * frequency[0] <= tick <= 1.01 * frequency[-1]])
    ax.xaxis.set_major_formatter(FuncFormatter(_hz_text))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("frequency (Hz)")


def _hz_text(value: float, _position: int | None) -> str:
    return f"{value / 1000:g}k" if value >= 1000.0 else f"{value:g}"
