"""Run a batch: find what is left to do, hand it to Dask some tasks at a time, and keep a row of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from distributed import Client

from forestage._core import __version__
from forestage.params import Value
from forestage.presets import PresetLike, load_preset
from forestage.render import Renderer

from .cluster import Progress, Run, died, open_client, plugged, results
from .lock import held
from .manifest import Job, NamedPreset, found_songs, jobs_of, named_presets
from .rows import SCHEMA, Row, Rows, read
from .store import Place, clear_parts, cleared
from .task import play

if TYPE_CHECKING:
    import pandas as pd

MONITOR = "Headphones"


@dataclass(frozen=True)
class Summary:
    """How a batch ended.

    Attributes
    ----------
    done, skipped, failed : int
        Jobs that were done now, were done before, and could not be done.
    table : pyarrow.Table
        A row for each of these jobs, see `forestage.batch.rows`.
    """

    done: int
    skipped: int
    failed: int
    table: pa.Table = field(repr=False)

    def frame(self) -> pd.DataFrame:
        """The table as a DataFrame of pandas."""
        return self.table.to_pandas()

    def failures(self) -> list[Row]:
        """Rows of what could not be done."""
        return [row for row in self.table.to_pylist() if row["status"] == "failed"]

    def notes(self) -> dict[str, str]:
        """What is worth knowing about songs that were done, by their addresses."""
        rows = self.table.select(["source", "status", "note"]).to_pylist()
        return {row["source"]: row["note"] for row in rows if row["status"] == "done" and row["note"]}


@dataclass(frozen=True)
class Plan:
    """What a batch would do.

    Attributes
    ----------
    todo : list of (Job, str or None)
        Jobs, each with the content that its target was made of before.
    done : list of Job
        Jobs whose target is there, made of the same.
    """

    output: Place
    presets: list[NamedPreset]
    todo: list[tuple[Job, str | None]]
    done: list[Job]


def render(
    songs: Sequence[str | Path],
    presets: Sequence[PresetLike],
    output: str | Path,
    *,
    client: Client | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
    progress: Callable[[Progress], object] | None = None,
    started: Callable[[Client], object] | None = None,
    monitor: str = MONITOR,
    **settings: Value,
) -> Summary:
    """Render songs by presets into a folder, each once, however often it is run.

    Parameters
    ----------
    songs : sequence of str or Path
        Folders, patterns, files and lists (``.txt``, or ``.csv`` with a column ``source``), by any address of fsspec.
    presets : sequence of str, Path, dict or Preset
        What each song is played through.
    output : str or Path
        Folder, by any address of fsspec: sounds are ``preset/song.wav`` there, and rows are in ``results``.
    client : distributed.Client, optional
        A cluster that is used as it is; else ``scheduler``, an address, or else a cluster of this machine.
    workers : int, optional
        Processes of a cluster of this machine; one a core by default.
    progress : callable, optional
        Called with a `Progress` after each job.
    started : callable, optional
        Called with the client when the cluster is there.
    monitor : str
        What to write: driver feeds (one channel each) or ears.
    **settings
        Other parameters by their ids, such as ``amount=80``.

    Returns
    -------
    Summary

    Raises
    ------
    HeldError
        When another batch is at work in the folder.
    VersionError
        When a worker runs another version.
    """
    place = Place.of(output)
    named, jobs = _checked(songs, presets, place, {"monitor": monitor} | settings)
    place.make()
    with held(place):
        clear_parts(place)
        rows = Rows(place, SCHEMA, name="target")
        plan = _plan(named, jobs, place, rows.table)
        said = Progress(len(plan.todo) + len(plan.done), len(plan.done), began=time.monotonic())
        if plan.todo:
            with (
                cleared(place),
                rows,
                open_client(client, scheduler=scheduler, workers=workers, most=len(plan.todo)) as at_work,
            ):
                if started is not None:
                    started(at_work)
                _run(at_work, plan, rows, said, progress)
        table = rows.finish()
    own = pa.array(job.target for job in jobs)  # the folder may hold results of songs that are not asked for any more
    return Summary(said.done, said.skipped, said.failed, table.filter(pc.is_in(table["target"], own)))


def plan(
    songs: Sequence[str | Path],
    presets: Sequence[PresetLike],
    output: str | Path,
    *,
    monitor: str = MONITOR,
    **settings: Value,
) -> Plan:
    """Tell what `render` would do."""
    place = Place.of(output)
    named, jobs = _checked(songs, presets, place, {"monitor": monitor} | settings)
    return _plan(named, jobs, place, read(place, SCHEMA, name="target"))


def _checked(
    songs: Sequence[str | Path], presets: Sequence[PresetLike], output: Place, settings: Mapping[str, Any]
) -> tuple[list[NamedPreset], list[Job]]:
    """Presets and jobs; what no song could be rendered with is an error here, before anything is written."""
    named = named_presets(presets)
    for preset in presets:
        Renderer(load_preset(preset), **settings)
    return named, jobs_of(found_songs(songs), named, output, settings)


def _plan(presets: list[NamedPreset], jobs: list[Job], output: Place, table: pa.Table) -> Plan:
    there = {Place(output.fs, path).address: int(info["size"]) for path, info in output.files().items()}
    names = ("target", "target_bytes", "source", "source_stamp", "preset_sha256", "settings", "forestage")
    columns = [table[name].to_pylist() for name in (*names, "status", "source_sha256")]
    before = {row[0]: row[1:] for row in zip(*columns, strict=True)}
    todo: list[tuple[Job, str | None]] = []
    done = []
    for job in jobs:
        size, *made_of, status, sha256 = before.get(job.target, (None,) * 8)
        is_there = status == "done" and size is not None and there.get(job.target) == size
        if is_there and tuple(made_of) == job.made_of:
            done.append(job)
        else:
            # The same but for the song's stamp: its content may be what it was
            is_same = is_there and tuple(made_of[2:]) == job.made_of[2:]
            todo.append((job, sha256 if is_same else None))
    return Plan(output, presets, todo, done)


def _run(client: Client, plan: Plan, rows: Rows, said: Progress, progress: Callable[[Progress], object] | None) -> None:
    run = Run(__version__, {each.sha256: each.text for each in plan.presets})
    earlier = {row["target"]: row for row in rows.table.to_pylist()} if any(known for _, known in plan.todo) else {}
    with plugged(client, run):
        for (job, *_), result in results(client, play, ((job, run.name, known) for job, known in plan.todo)):
            row: Row = job.row() | died() if result is None else result
            if row.pop("unchanged", False):
                row = {**earlier[job.target], **{key: row[key] for key in ("source_stamp", "finished")}}
            rows.add(row)
            said.count(row)
            if progress is not None:
                progress(said)
