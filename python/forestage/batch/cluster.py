"""Tasks on a Dask cluster: a window of them at a time, and what becomes of each as it comes."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dask
from distributed import Client, Future, KilledWorker, LocalCluster, WorkerPlugin, as_completed

from .rows import Row

# Of each thread so many tasks are with the scheduler: enough that no worker waits, few enough that it stays small
TASKS_A_THREAD = 4
NO_WORKERS_S = 60.0
WAIT_S = 0.02


@dataclass
class Progress:
    """What a run says meanwhile."""

    jobs: int
    skipped: int
    done: int = 0
    failed: int = 0
    began: float = 0.0

    def count(self, row: Row) -> None:
        """Take a row that has come."""
        self.done += row["status"] == "done"
        self.failed += row["status"] != "done"

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


@contextmanager
def open_client(
    client: Client | None, *, scheduler: str | None = None, workers: int | None = None, most: int = 1
) -> Iterator[Client]:
    """The user's own client, one to a scheduler, or one to a cluster of this machine, which ends with it.

    Parameters
    ----------
    client : distributed.Client, optional
        Used as it is.
    scheduler : str, optional
        An address.
    workers : int, optional
        Processes of this machine, of one thread each; one a core by default.
    most : int
        How many have something to do.
    """
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


class NamedPlugin(WorkerPlugin):
    """A plugin with a name to take it away by."""

    name: str


@contextmanager
def plugged(client: Client, plugin: NamedPlugin) -> Iterator[None]:
    """Have a plugin on all workers, also on those that join later; its error on one of them is raised here."""
    for answer in (client.register_plugin(plugin) or {}).values():
        if isinstance(answer, dict) and answer.get("status") == "error":
            raise answer["exception"].data
    try:
        yield
    finally:
        if client.status == "running":
            client.unregister_worker_plugin(plugin.name)


def results(
    client: Client, function: Callable[..., Row], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], Row | None]]:
    """Call a function with the arguments of each task, a window of tasks at a time; results come as they are ready.

    A task whose workers died, again and again, has None. What is not asked for any more is cancelled.

    Raises
    ------
    ConnectionError
        When the scheduler has gone, or no worker has been there for a minute.
    """
    waiting = iter(tasks)
    under_way: dict[Future, tuple[Any, ...]] = {}

    def submit() -> Iterator[Future]:
        for task in waiting:
            future = client.submit(function, *task, key=f"forestage-{uuid.uuid4().hex}", pure=False)
            under_way[future] = task
            yield future

    fresh = submit()
    window = TASKS_A_THREAD * max(2, sum(client.nthreads().values()))
    try:
        first = [future for _, future in zip(range(window), fresh, strict=False)]
        completed = as_completed(first, loop=client.loop, with_results=True, raise_errors=False)
        company = _Company(client)
        while under_way:
            ended = completed.next_batch(block=False)
            if not ended:
                company.check()
                time.sleep(WAIT_S)
            for future, result in ended:
                yield under_way.pop(future), _result_of(future, result)
                another = next(fresh, None)
                if another is not None:
                    completed.add(another)
    finally:
        if client.status == "running":
            client.cancel(list(under_way), force=True)


def _result_of(future: Future, result: Any) -> Row | None:
    if future.status == "finished":
        row: Row = result
        return row
    if future.status != "error":
        raise _gone()
    error = result[1]
    if isinstance(error, KilledWorker):
        return None
    raise error


def died() -> Row:
    """What the row of a task says whose workers died."""
    error = "its worker died, each time it was tried: of memory, or of a crash"
    return {"status": "failed", "error": error, "finished": datetime.now(UTC)}


class _Company:
    """Whether there is anyone who works."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen = self._asked = time.monotonic()

    def check(self) -> None:
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
