"""The report on a measurement: one page that loads nothing from anywhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from forestage.arrays import FloatArray
from forestage.design.shortfall import runs
from forestage.measure.against_model import over_model_db
from forestage.measure.quality import NOMINAL_HZ, THIRDS_HZ, thirds_within
from forestage.measure.take import Measurement
from forestage.measure.verify import OFF_M, TURNED_DEG, Claim, Verification
from forestage.measure.words import findings
from forestage.page.template import environment
from forestage.plots.axes import BLUE, GREEN, INK, ORANGE, PURPLE, STYLE, lines

if TYPE_CHECKING:
    from collections.abc import Mapping

# Pictures of the same data are the same bytes
LOOK: Any = {**STYLE, "svg.hashsalt": "forestage"}
SHOWN_MS = 25.0
RANGE_HZ = (40.0, 20_000.0)
SURE = (
    "Bands are how sure the measurement is: what noise leaves, and what the promise changes by for a head "
    f"{100 * OFF_M:g} cm ahead and aside of its place and turned by {TURNED_DEG:g}°. Grey is not judged: the window is "
    "too short there, or noise too loud."
)
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, "#e69f00", "#56b4e9", INK, "#7f7f7f")


def svg(figure: Figure) -> str:
    """A figure to stand in a page."""
    text = io.StringIO()
    with rc_context(LOOK):
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue().partition("<svg")[1] + text.getvalue().partition("<svg")[2]


def save_svg(figure: Figure, path: Path) -> None:
    """Write a figure as a picture of its own."""
    with rc_context(LOOK):
        figure.savefig(path, metadata={"Date": None})


def charts(measurement: Measurement) -> list[tuple[str, str, Figure]]:
    """Title, text and figure of every chart of the report."""
    names = [driver.name for driver in measurement.plan.drivers]
    with rc_context(LOOK):
        drawn = [draw(measurement, names) for draw in (_levels, _noise, _distortion, _impulses)]
        return [*drawn, _over_model(measurement, names)] if measurement.plan.is_ears else drawn


def report_html(measurement: Measurement) -> str:
    """HTML of the report."""
    names = [driver.name for driver in measurement.plan.drivers]
    drawn = [(title, text, svg(figure)) for title, text, figure in charts(measurement)]
    recordings = [
        {
            "name": heading.take.path.name,
            "late_ms": 1000 * heading.clock.offset / measurement.sample_rate,
            "drift_ppm": heading.clock.drift_ppm,
        }
        for heading in measurement.headings
    ]
    return (
        environment("forestage.measure")
        .get_template("page.html.jinja")
        .render(
            title=f"{measurement.plan.device.name}, measured",
            note="",
            of_what="driver",
            findings=findings(measurement),
            charts=drawn,
            recordings=recordings,
            bands=NOMINAL_HZ,
            rows=_rows(measurement, names),
        )
    )


def verification_html(verification: Verification) -> str:
    """HTML of the page on a preset at real ears."""
    verdicts = verification.verdicts()
    with rc_context(LOOK):
        drawn = [
            (claim.name[:1].upper() + claim.name[1:], claim.text, svg(_claim(claim, verification.known)))
            for claim in verification.claims()
        ]
    return (
        environment("forestage.measure")
        .get_template("page.html.jinja")
        .render(
            title=f"{verification.preset['name']}, at real ears",
            note=SURE,
            of_what="claim",
            findings=verdicts,
            charts=drawn,
            recordings=[],
            bands=NOMINAL_HZ,
            rows=[
                (claim.name, what, [round(float(value), 1) + 0.0 for value in np.broadcast_to(values, 31)])
                for claim in verification.claims()
                for what, values in (
                    ("promised (dB)", claim.promised_db),
                    ("measured (dB)", claim.measured_db),
                    ("sure to (dB)", claim.unsure_db),
                    ("of that, noise (dB)", claim.noise_db),
                    ("of that, place (dB)", claim.place_db),
                )
            ],
        )
    )


def _claim(claim: Claim, known: NDArray[np.bool_]) -> Figure:
    hz, measured = _shown(claim.measured_db)
    _, promised = _shown(claim.promised_db)
    _, unsure = _shown(claim.unsure_db)
    ax = lines(hz, {"measured": measured, "promised": promised}, ylabel=f"{claim.name} (dB)")
    ax.fill_between(hz, measured - unsure, measured + unsure, color=BLUE, alpha=0.15, linewidth=0)
    half = 10.0**0.05
    for run in runs(~known):
        ax.axvspan(THIRDS_HZ[run][0] / half, THIRDS_HZ[run][-1] * half, color=INK, alpha=0.08, linewidth=0)
    ax.set_xlim(*RANGE_HZ)
    middle = float(np.median(promised))
    ax.set_ylim(middle - 25.0, middle + 25.0)
    return _figure(ax)


def _shown(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    inside = thirds_within(*RANGE_HZ)
    return THIRDS_HZ[inside], values[..., inside]


def _curves(names: list[str], values: FloatArray) -> Mapping[str, FloatArray]:
    return dict(zip(names, values, strict=True))


def _levels(measurement: Measurement, names: list[str]) -> tuple[str, str, Figure]:
    levels = np.array([heard.level_db for heard in measurement.heard])
    hz, shown = _shown(levels - np.nanmax(levels))
    ax = lines(hz, _curves(names, shown), ylabel="level at 1 m (dB)", ylim=(-40.0, 5.0))
    ax.axvline(1.0 / measurement.window_s, color=INK, linewidth=0.8)
    text = (
        f"Mean over all places. Left of the line ({1 / measurement.window_s:.0f} Hz), the window is too short to tell."
    )
    return "Level of the drivers", text, _figure(ax)


def _noise(measurement: Measurement, names: list[str]) -> tuple[str, str, Figure]:
    hz, shown = _shown(measurement.snr_db)
    ax = lines(hz, _curves(names, shown), ylabel="signal over noise (dB)", ylim=(0.0, 90.0))
    ax.axhline(30.0, color=INK, linewidth=0.8)
    return "Signal over noise", "In third octaves, at the worst place. 30 dB and more are good.", _figure(ax)


def _distortion(measurement: Measurement, names: list[str]) -> tuple[str, str, Figure]:
    hz, shown = _shown(100 * np.array([each.found for each in measurement.distortion]))
    _, hidden = _shown(100 * np.array([each.hidden for each in measurement.distortion]))
    ax = lines(hz, _curves(names, shown), ylabel="harmonic distortion (%)")
    for line, values in zip(ax.get_lines(), hidden, strict=True):
        ax.plot(hz, values, color=line.get_color(), linewidth=0.8, linestyle=":")
    ax.set_yscale("log", nonpositive="mask")
    ax.set_ylim(0.01, 30.0)
    ax.axhline(3.0, color=INK, linewidth=0.8)
    text = (
        "Second to fifth harmonic over the fundamental, at the level of the sweeps. Noise is taken off; dotted: how "
        "much more it may hide."
    )
    return "Distortion", text, _figure(ax)


def _impulses(measurement: Measurement, names: list[str]) -> tuple[str, str, Figure]:
    ax = Figure(figsize=(7.5, 4.0), layout="constrained").subplots()
    middle = len(measurement.plan.places_m) // 2
    rate = measurement.sample_rate
    for driver, name in enumerate(names):
        response = measurement.means[driver, middle, 0]
        first = int(measurement.arrivals[driver, middle, 0])
        part = response[max(first - round(1e-3 * rate), 0) :][: round(SHOWN_MS * rate / 1000)]
        level_db = 20 * np.log10(np.maximum(np.abs(part) / np.abs(response).max(), 1e-5))
        ax.plot(
            1000 * np.arange(len(part)) / rate - 1.0, level_db, color=COLOURS[driver % 8], label=name, linewidth=1.0
        )
    ax.axvline(1000 * measurement.window_s, color=INK, linewidth=1.4, linestyle="--", label="end of the window")
    for late_s, _, _, place in measurement.reflections:
        if place == middle:
            ax.axvline(1000 * late_s, color=ORANGE, linewidth=1.4, linestyle=":", label="first reflection")
            break
    ax.set_ylim(-70.0, 3.0)
    ax.set_xlim(-1.0, SHOWN_MS - 1.0)
    ax.set_xlabel("after the direct sound (ms)")
    ax.set_ylabel("level (dB)")
    ax.grid(visible=True)
    ax.legend(loc="upper right")
    return "Impulse responses", f"At place {middle + 1}. What comes after the window is the room's.", _figure(ax)


def _over_model(measurement: Measurement, names: list[str]) -> tuple[str, str, Figure]:
    """Every driver at both ears of the seat, over the model by ruler."""
    hz, shown = _shown(over_model_db(measurement))
    curves = {
        f"{name}, {ear} ear": shown[driver, index]
        for driver, name in enumerate(names)
        for index, ear in enumerate(("left", "right"))
    }
    ax = lines(hz, curves, ylabel="measured over model (dB)", ylim=(-15.0, 15.0))
    text = "At the seat, drivers as they are over flat ones by ruler; what differs, a design by ruler does not know."
    return "Measured over model", text, _figure(ax)


def _figure(ax: object) -> Figure:
    figure = getattr(ax, "figure", None)
    assert isinstance(figure, Figure)
    return figure


def _rows(measurement: Measurement, names: list[str]) -> list[tuple[str, str, list[float | None]]]:
    """Figures of drivers in third octaves, for the table."""
    rows: list[tuple[str, str, list[float | None]]] = []
    for driver, name in enumerate(names):
        level_db = measurement.heard[driver].level_db - np.nanmax(measurement.heard[driver].level_db)
        for what, values in (
            ("level (dB)", level_db),
            ("signal over noise (dB)", measurement.snr_db[driver]),
            ("distortion (%)", 100 * measurement.distortion[driver].found),
            ("hidden in noise (%)", 100 * measurement.distortion[driver].hidden),
        ):
            rows.append((name, what, [float(value) if np.isfinite(value) else None for value in values]))
    return rows
