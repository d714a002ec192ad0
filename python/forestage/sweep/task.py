"""What a worker does: one design, its figures, and if asked the preset."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from forestage.acoustics.device_file import parse_device
from forestage.batch.cluster import run_of_task
from forestage.batch.rows import Row
from forestage.batch.store import Place, written
from forestage.constants import SAMPLE_RATE
from forestage.design.designer import Progress, design
from forestage.design.result import Design
from forestage.metrics.summary import design_metrics

from .arguments import design_arguments
from .space import Point


def design_point(point: Point, run: str, with_room: bool, target: str | None) -> Row:
    """Design a point, and tell its figures; what goes wrong is a row, too.

    Parameters
    ----------
    point : Point
        What is designed.
    run : str
        Which run it is of; with its end the design is given up.
    with_room : bool
        Figures in the living room as well, which take as long as all else.
    target : str, optional
        Address to write the preset to, which is then designed at all sample rates.
    """
    run_of_task(run)  # of this version, and still wanted

    def told(_share: float, _text: str) -> None:
        run_of_task(run)

    began = time.process_time()
    row: Row = {"key": point.key, "values": json.dumps(dict(point.values)), "preset": target}
    try:
        made = designed(point, is_whole=target is not None, progress=told)
        figures = flat(design_metrics(made, with_room=with_room))
        if target is not None:
            with written(Place.of(target)) as path:
                made.save(path)
        row |= {"status": "done", "figures": json.dumps(figures)}
    except (ArithmeticError, MemoryError, OSError, RuntimeError, ValueError) as error:
        row |= {"status": "failed", "error": " ".join(str(error).split()) or type(error).__name__}
    return row | {"cpu_s": time.process_time() - began, "finished": datetime.now(UTC)}


def designed(point: Point, *, is_whole: bool, progress: Progress | None = None) -> Design:
    """Design a point at 48 kHz, or as a whole preset: at all rates, with its loudness."""
    quick: dict[str, Any] = {} if is_whole else {"sample_rates": (SAMPLE_RATE,), "render": None}
    device = parse_device(point.device, point.folder)
    return design(device, progress=progress, **design_arguments(point.arguments, point.folder), **quick)


def flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, float | str | None]:
    """Figures by their path, such as ``zone.sweet_spot_m.processed``; of a list its mean, least and most."""
    found: dict[str, float | str | None] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        elif isinstance(value, list):
            numbers = [each for each in value if isinstance(each, int | float)]
            if numbers and len(numbers) == len(value):
                found[f"{name}.mean"] = sum(numbers) / len(numbers)
                found[f"{name}.least"] = min(numbers)
                found[f"{name}.most"] = max(numbers)
        elif isinstance(value, int | float):
            found[name] = float(value) if math.isfinite(value) else None
        elif value is None or isinstance(value, str):
            found[name] = value
    return found
