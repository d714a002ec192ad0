"""Run a sweep: what is left of it, on a cluster, a row a design."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forestage.extras import needed

with needed("scale"):
    import pyarrow as pa
    from distributed import Client

from forestage._core import __version__
from forestage.batch.cluster import Progress, Run, died, open_client, plugged, results
from forestage.batch.lock import held
from forestage.batch.rows import Row, Rows, read
from forestage.batch.store import Place, clear_parts, cleared

from .space import Point, Space, load_space
from .task import design_point

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), metadata={"text": "hash of all that the design is made of"}),
        pa.field("status", pa.string(), metadata={"text": "done, or failed"}),
        pa.field("error", pa.string(), metadata={"text": "why it failed"}),
        pa.field("values", pa.string(), metadata={"text": "what was varied, as JSON"}),
        pa.field("figures", pa.string(), metadata={"text": "figures by their path, as JSON"}),
        pa.field("preset", pa.string(), metadata={"text": "address of the preset, if it was written"}),
        pa.field("cpu_s", pa.float64(), metadata={"text": "processor time"}),
        pa.field("finished", pa.timestamp("us", tz="UTC"), metadata={"text": "when"}),
    ]
)


@dataclass(frozen=True)
class Swept:
    """What a sweep has found.

    Attributes
    ----------
    done, skipped, failed : int
        Designs that were made now, were there before, and could not be made.
    axes : tuple of str
        What was varied.
    rows : list of dict
        One a design that was made: what was varied and all figures by their path, flat, with ``key``.
    failures : list of dict
        What could not be made: what was varied, and ``error``.
    """

    done: int
    skipped: int
    failed: int
    axes: tuple[str, ...]
    rows: list[dict[str, Any]] = field(repr=False)
    failures: list[dict[str, Any]] = field(repr=False)

    def table(self) -> pa.Table:
        """Rows as a table, a column for each axis and figure."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))
        return pa.table({name: [row.get(name) for row in self.rows] for name in names})

    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame of pandas."""
        return self.table().to_pandas()


def sweep(
    space: Space | str | Path,
    output: str | Path,
    *,
    client: Client | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    with_room: bool = False,
    with_presets: bool = False,
    progress: Callable[[Progress], object] | None = None,
    started: Callable[[Client], object] | None = None,
) -> Swept:
    """Design all points of a space, each once, however often it is run.

    Parameters
    ----------
    space : Space, str or Path
        What is varied, or the file that says so.
    output : str or Path
        Folder, by any address of fsspec.
    client, scheduler, workers
        As for `forestage.batch.render`.
    with_room : bool
        Figures in the living room as well, for twice the time.
    with_presets : bool
        Write every preset, designed at all sample rates, which takes several times as long.
    progress, started : callable, optional
        As for `forestage.batch.render`.
    """
    space = space if isinstance(space, Space) else load_space(space)
    points = space.points()
    place = Place.of(output)
    place.make()
    with held(place):
        clear_parts(place)
        rows = Rows(place, SCHEMA, name="key")
        there = {row["key"]: row for row in rows.table.to_pylist()}
        todo = [point for point in points if not _is_done(there.get(point.key), with_room, with_presets)]
        said = Progress(len(points), len(points) - len(todo), began=time.monotonic())
        if todo:
            run = Run(__version__)
            tasks = ((point, run.name, with_room, _target(place, point) if with_presets else None) for point in todo)
            with (
                cleared(place),
                rows,
                open_client(client, scheduler=scheduler, workers=workers, most=len(todo)) as at_work,
            ):
                if started is not None:
                    started(at_work)
                with plugged(at_work, run):
                    for (point, *_), result in results(at_work, design_point, tasks):
                        row: Row = result or {"key": point.key, "values": json.dumps(dict(point.values))} | died()
                        rows.add(row)
                        said.count(row)
                        if progress is not None:
                            progress(said)
        table = rows.finish()
    return _swept(said, space, points, table)


def swept(space: Space | str | Path, output: str | Path) -> Swept:
    """Read what sweeps of a space have found so far."""
    space = space if isinstance(space, Space) else load_space(space)
    points = space.points()
    return _swept(Progress(len(points), len(points)), space, points, read(Place.of(output), SCHEMA, name="key"))


def _is_done(row: Row | None, with_room: bool, with_presets: bool) -> bool:
    if row is None or row["status"] != "done":
        return False
    has_room = any(name.startswith("room.") for name in json.loads(row["figures"]))
    has_preset = row["preset"] is not None and Place.of(row["preset"]).fs.exists(Place.of(row["preset"]).path)
    return (has_room or not with_room) and (has_preset or not with_presets)


def _target(place: Place, point: Point) -> str:
    return (place / f"presets/{point.key[:12]}.json").address


def _swept(said: Progress, space: Space, points: Sequence[Point], table: pa.Table) -> Swept:
    there = {row["key"]: row for row in table.to_pylist()}
    rows, failures = [], []
    for point in points:
        row = there.get(point.key)
        if row is None:
            continue
        values = dict(point.values)
        if row["status"] == "done":
            rows.append({"key": point.key, **values, **json.loads(row["figures"])})
        else:
            failures.append({"key": point.key, **values, "error": row["error"]})
    axes = tuple(axis.name for axis in space.axes)
    return Swept(said.done, said.skipped, len(failures), axes, rows, failures)
