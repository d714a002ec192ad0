"""Run a batch: find what is left to do, hand it to Dask some tasks at a time, and keep a row of each."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dask
import pyarrow as pa
from distributed import Client, Future, KilledWorker, LocalCluster, as_completed

from forestage._core import __version__
from forestage.params import Value
from forestage.presets import PresetLike, load_preset
from forestage.render import Renderer

from .lock import held
from .manifest import Job, NamedPreset, found_songs, jobs_of, named_presets
from .rows import Row, Rows
from .store import Place, clear_parts
from .task import PresetTexts, play

# Of each thread so many tasks are with the scheduler: enough that no worker waits, few enough that it stays small
TASKS_A_THREAD = 4
MONITOR = "Headphones"
NO_WORKERS_S = 60.0
WAIT_S = 0.02


@dataclass(frozen=True)
class Summary:
    """How a batch ended.

    Attributes
    ----------
    done, skipped, failed : int
        Jobs that were done now, were done before, and could not be done.
    table : pyarrow.Table
        A row for each job, see `forestage.batch.rows`.
    """

    done: int
    skipped: int
    failed: int
    table: pa.Table

    def failures(self) -> list[Row]:
        """Rows of what could not be done."""
        return [row for row in self.table.to_pylist() if row["status"] == "failed"]


@dataclass
class Progress:
    """What a batch says while it runs."""

    jobs: int
    skipped: int
    done: int = 0
    failed: int = 0
    began: float = 0.0

    @property
    def left(self) -> int:
        """Jobs that are still to be done."""
        return self.jobs - self.skipped - self.done - self.failed

    @property
    def share(self) -> float:
        """Share that is done, 0..1."""
        return 1.0 - self.left / max(self.jobs, 1)

    @property
    def seconds_left(self) -> float | None:
        """By the rate so far; None before there is one."""
        finished = self.done + self.failed
        return (time.monotonic() - self.began) / finished * self.left if finished else None


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
    place.make()
    with held(place):
        clear_parts(place)
        rows = Rows(place)
        plan = _plan(songs, presets, place, rows.table, {"monitor": monitor} | settings)
        said = Progress(len(plan.todo) + len(plan.done), len(plan.done), began=time.monotonic())
        try:
            if plan.todo:
                with _client(client, scheduler, workers, len(plan.todo)) as at_work:
                    if started is not None:
                        started(at_work)
                    _run(at_work, plan, rows, said, progress)
        finally:
            table = rows.finish(place)
    return Summary(said.done, said.skipped, said.failed, table)


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
    return _plan(songs, presets, place, Rows(place).table, {"monitor": monitor} | settings)


def _plan(
    songs: Sequence[str | Path],
    presets: Sequence[PresetLike],
    output: Place,
    table: pa.Table,
    settings: Mapping[str, Any],
) -> Plan:
    named = named_presets(presets)
    for preset in presets:
        Renderer(load_preset(preset), **settings)  # what no song could be rendered with is an error at once
    jobs = jobs_of(found_songs(songs), named, output, settings)
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
    return Plan(output, named, todo, done)


@contextmanager
def _client(client: Client | None, scheduler: str | None, workers: int | None, most: int) -> Iterator[Client]:
    """The user's own, one to a scheduler, or one to a cluster of this machine, which ends with it."""
    if client is not None:
        yield client
        return
    if scheduler is not None:
        with Client(scheduler, timeout=10, set_as_default=False) as own:
            yield own
        return
    count = min(workers or len(os.sched_getaffinity(0)), most)
    one_thread = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    with (
        dask.config.set({"distributed.nanny.pre-spawn-environ": one_thread}),
        LocalCluster(n_workers=count, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as own,
    ):
        yield own


def _run(client: Client, plan: Plan, rows: Rows, said: Progress, progress: Callable[[Progress], object] | None) -> None:
    name = f"forestage-{uuid.uuid4().hex}"
    texts = PresetTexts(name, {preset.sha256: preset.text for preset in plan.presets}, __version__)
    _register(client, texts)
    earlier = {row["target"]: row for row in rows.table.to_pylist()} if any(known for _, known in plan.todo) else {}
    waiting = iter(plan.todo)
    futures: dict[Future, Job] = {}

    def submit(count: int) -> list[Future]:
        fresh = []
        for _ in range(count):
            task = next(waiting, None)
            if task is None:
                break
            job, known = task
            future = client.submit(play, job, __version__, known, key=f"{name}-{uuid.uuid4().hex}", pure=False)
            futures[future] = job
            fresh.append(future)
        return fresh

    try:
        first = submit(TASKS_A_THREAD * max(2, sum(client.nthreads().values())))
        completed = as_completed(first, loop=client.loop, with_results=True, raise_errors=False)
        company = _Company(client)
        while futures:
            ended = completed.next_batch(block=False)
            if not ended:
                company.check()
                time.sleep(WAIT_S)
            for future, result in ended:
                job = futures.pop(future)
                row = _row_of(future, result, job)
                if row.pop("unchanged", False):
                    row = {**earlier[job.target], **{key: row[key] for key in ("source_stamp", "finished")}}
                rows.add(row)
                said.done += row["status"] == "done"
                said.failed += row["status"] != "done"
                if progress is not None:
                    progress(said)
                for fresh in submit(1):
                    completed.add(fresh)
    finally:
        if client.status == "running":
            client.cancel(list(futures), force=True)
            client.unregister_worker_plugin(name)


class _Company:
    """Whether there is anyone who works."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen = self._asked = time.monotonic()

    def check(self) -> None:
        """Raise when the scheduler has gone, or no worker has been there for a minute."""
        now = time.monotonic()
        if now - self._asked < 1.0:
            return
        self._asked = now
        if self._client.status != "running":
            raise _gone()
        if self._client.nthreads():
            self._seen = now
        elif now - self._seen > NO_WORKERS_S:
            raise ConnectionError(
                f"no worker for {NO_WORKERS_S:g} s; run the same again when there are some: what is done stays done"
            )


def _gone() -> ConnectionError:
    return ConnectionError("the scheduler has gone; run the same again when it is back: what is done stays done")


def _register(client: Client, texts: PresetTexts) -> None:
    answers = client.register_plugin(texts) or {}
    for answer in answers.values():
        if isinstance(answer, dict) and answer.get("status") == "error":
            raise answer["exception"].data if hasattr(answer["exception"], "data") else RuntimeError(str(answer))


def _row_of(future: Future, result: Any, job: Job) -> Row:
    """Of a task that ended; one that killed its workers, again and again, has failed."""
    if future.status == "finished":
        row: Row = result
        return row
    if future.status != "error":
        raise _gone()
    error = result[1]
    if not isinstance(error, KilledWorker):
        raise error
    return job.row() | {
        "status": "failed",
        "error": "its worker died, each time it was tried: of memory, or of a crash",
        "finished": datetime.now(UTC),
    }
