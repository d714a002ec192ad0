"""The HTML around charts and tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from forestage.chain import Chain
from forestage.files import checked_target
from forestage.levels import level_text
from forestage.metrics.bands import OCTAVES
from forestage.page.chart import chart_html
from forestage.page.template import environment
from forestage.plots.top_view import scene_of, top_view
from forestage.presets import PresetLike, load_preset, preset_path

from .alternatives import table_of, words_of
from .carried import carried
from .chained import chain_chart, through_chain
from .charts import LABELS, charts
from .figures import Row, conditions, rows
from .verdict import caveats, shortfall_lines, verdict

CHART_PIXELS = 360


def write_report(
    presets: Sequence[PresetLike], target: str | Path, *, chain: Chain | None = None, overwrite: bool = False
) -> Path:
    """Write the report on one preset, or on a second one against the first.

    Parameters
    ----------
    presets : sequence of str, Path, dict or Preset
        One or two presets, see `forestage.load_preset`.
    target : str or Path
        The HTML file.
    chain : Chain, optional
        Effects before and after Forestage, whose part in what is heard the report then shows, too.
    overwrite : bool
        Replace an existing file.
    """
    path = checked_target(target, overwrite=overwrite)
    path.write_text(report_html(presets, chain=chain), encoding="utf-8")
    return path


def report_html(presets: Sequence[PresetLike], *, chain: Chain | None = None) -> str:
    """HTML of the report: one page that loads nothing from anywhere."""
    if not 1 <= len(presets) <= len(LABELS):
        raise ValueError(f"presets: {len(presets)} of them; a report is on 1, or on 2 against each other")
    contents = [carried(json.loads(load_preset(preset).to_json())) for preset in presets]
    folders = [preset_path(preset).parent if isinstance(preset, str | Path) else Path() for preset in presets]
    made = environment("forestage.report")
    made.filters |= {"number": number_text, "change": change_text, "level": _level}
    figures = rows(contents)
    verdicts = [verdict(preset) for preset in contents]
    scenes = [scene_of(preset) for preset in contents]
    chained = None if chain is None else through_chain(presets, chain)
    drawn = charts(contents, folders) + ([] if chained is None else [chain_chart(chained)])
    return made.get_template("page.html.jinja").render(
        title=_title([preset["name"] for preset in contents]),
        presets=list(zip(LABELS, contents, strict=False)),
        verdicts=[
            (judgements, caveats(preset, judgements), shortfall_lines(preset))
            for preset, judgements in zip(contents, verdicts, strict=True)
        ],
        views=[scene and (scene, top_view(scene)) for scene in scenes],
        charts=[
            (chart, chart_html(chart.figure, f"chart-{index}", pixels=CHART_PIXELS), words_of(chart), table_of(chart))
            for index, chart in enumerate(drawn)
        ],
        chain=chain,
        chained=chained,
        totals=_by_group(row for row in figures if not row.is_per_octave),
        per_octave=_by_group(row for row in figures if row.is_per_octave),
        conditions=[conditions(preset) for preset in contents],
        octaves=OCTAVES,
        plotly_js=get_plotlyjs(),
        keys_js=files(__package__).joinpath("keys.js").read_text(encoding="utf-8"),
        provenance=_provenance,
    )


def _title(names: Sequence[str]) -> str:
    """What the report is on; presets of one name are told apart by their labels."""
    if len(set(names)) < len(names):
        names = [f"{name} ({label})" for name, label in zip(names, LABELS, strict=False)]
    return " against ".join(names)


def number_text(value: float | None) -> str:
    """Two decimals with a real minus sign; a dash for none.

    Examples
    --------
    >>> number_text(-0.125), number_text(-0.001), number_text(None)
    ('−0.12', '0.00', '–')
    """
    return "–" if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def _level(level_db: float) -> str:
    return level_text(level_db, 2).replace("-", "−")


def change_text(value: float | None) -> str:
    """Like `number_text`, with its sign.

    Examples
    --------
    >>> change_text(0.5), change_text(-0.5), change_text(0.0)
    ('+0.50', '−0.50', '0.00')
    """
    text = number_text(value)
    return f"+{text}" if value is not None and round(value, 2) > 0.0 else text


def _provenance(design: Mapping[str, Any]) -> str:
    """Where a design comes from, with the hashes of its measured files instead of their bytes."""
    shown = {key: value for key, value in design.items() if key != "metrics"}
    if isinstance(held := design.get("files"), dict):
        shown["files"] = {name: file.get("sha256") for name, file in held.items() if isinstance(file, dict)}
    return json.dumps(shown, indent=1, ensure_ascii=False)


def _by_group(figures: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    return [(group, list(members)) for group, members in groupby(figures, lambda row: row.group)]
