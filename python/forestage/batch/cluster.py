"""Tasks on a Dask cluster: a window of them at a time, and what becomes of each as it comes."""

from __future__ import annotations

import itertools
import logging
import multiprocessing
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import resource_tracker
from typing import Any

import dask
from distributed import (
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    Reschedule,
    Worker,
    WorkerPlugin,
    as_completed,
    get_worker,
)

from forestage import _core

from .rows import Row

# Of each thread so many tasks are with the scheduler: enough that no worker waits, few enough that it stays small
TASKS_A_THREAD = 4
NO_WORKERS_S = 60.0
WAIT_S = 0.02
# Workers of this machine: what Dask looks at several times a second, in each of its parts, costs a twelfth of the work
OWN_CLUSTER = {
    "distributed.nanny.pre-spawn-environ": {
        name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    },
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.admin.system-monitor.disk": False,
}


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
    with (
        dask.config.set(OWN_CLUSTER),
        _own_cluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as own,
        _ended_at_once(cluster),
    ):
        yield own


def _own_cluster(**options: Any) -> LocalCluster:
    """Start workers of this machine, whom Ctrl-C does not reach: it is for who started them."""
    others = multiprocessing.active_children()
    with ThreadPoolExecutor(1, initializer=_block_interrupts) as thread:  # what it starts inherits that
        starting = thread.submit(LocalCluster, **options)
        try:
            return starting.result()
        except KeyboardInterrupt:
            while not starting.done():  # without its workers it fails, and closes what there is
                for child in set(multiprocessing.active_children()).difference(others):
                    child.kill()
                time.sleep(WAIT_S)
            if starting.exception() is None:
                starting.result().close()
            raise


def _block_interrupts() -> None:
    resource_tracker.ensure_running()  # as it comes to be, it would let them through again
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


@contextmanager
def _ended_at_once(cluster: LocalCluster) -> Iterator[None]:
    """End workers that have nothing to lose any more: asked to go, they may take seconds."""
    try:
        yield
    finally:
        for nanny in cluster.workers.values():
            nanny.auto_restart = False
            if nanny.pid:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)


class VersionError(RuntimeError):
    """A worker runs another version than the one that asked."""


class Run(WorkerPlugin):
    """What a run brings to every worker, once, also to those that join later; it goes when the run is over.

    Parameters
    ----------
    version : str
        Of who asks: another one would make something else.
    texts : mapping of str to str
        What all tasks need, such as presets.
    """

    def __init__(self, version: str, texts: Mapping[str, str] | None = None) -> None:
        self.name = f"forestage-{uuid.uuid4().hex}"
        self.version = version
        self.texts = dict(texts or {})

    def setup(self, worker: Worker) -> None:
        """Refuse a worker of another version."""
        self.check(str(worker.address))

    def check(self, worker: str) -> None:
        """Raise `VersionError` on a worker of another version."""
        here = _core.__version__
        if self.version != here:
            raise VersionError(
                f"worker {worker} runs forestage {here}, this run is of {self.version}; install one version on all"
            )


def run_of_task(name: str) -> Run:
    """The run that a task is of, for the task to ask on its way.

    Raises
    ------
    Reschedule
        When the run is over, or leaves this worker: nobody waits for the task here any more.
    VersionError
        On a worker of another version, which has joined meanwhile.
    """
    worker = get_worker()
    run = worker.plugins.get(name)
    if not isinstance(run, Run):
        raise Reschedule
    run.check(worker.address)
    return run


@contextmanager
def plugged(client: Client, run: Run) -> Iterator[None]:
    """Have a run on all workers, also on those that join later; its error on one of them is raised here.

    With its end tasks of it that are under way give up.
    """
    for answer in (client.register_plugin(run) or {}).values():
        if isinstance(answer, dict) and answer.get("status") == "error":
            raise answer["exception"].data
    try:
        yield
    finally:
        if client.status == "running":
            client.unregister_worker_plugin(run.name)


def results(
    client: Client, function: Callable[..., Row], tasks: Iterable[tuple[Any, ...]]
) -> Iterator[tuple[tuple[Any, ...], Row | None]]:
    """Call a function with the arguments of each task, a window of tasks at a time; results come as they are ready.

    The window grows with the cluster. A task whose workers died, again and again, has None. What is not asked for any
    more is cancelled.

    Raises
    ------
    ConnectionError
        When the scheduler has gone, or no worker has been there for a minute.
    """
    waiting = iter(tasks)
    under_way: dict[Future, tuple[Any, ...]] = {}
    completed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
    company = _Company(client)

    def fill() -> None:
        fresh = list(itertools.islice(waiting, max(0, company.window - len(under_way))))
        if fresh:
            keys = [f"forestage-{uuid.uuid4().hex}" for _ in fresh]
            futures = client.map(function, *zip(*fresh, strict=True), key=keys, pure=False)
            under_way.update(zip(futures, fresh, strict=True))
            completed.update(futures)

    try:
        fill()
        while under_way:
            ended = completed.next_batch(block=False)
            company.check()
            if not ended:
                time.sleep(WAIT_S)
            for future, came in ended:
                yield under_way.pop(future), _result_of(came)
            fill()
    finally:
        if client.status == "running":
            client.cancel(list(under_way), force=True)


def _result_of(came: Any) -> Row | None:
    """What came of a task; its future may know less by now, when the worker has died that kept the result for others.

    Parameters
    ----------
    came : dict, tuple or CancelledError
        A row; type, error and traceback; or what is said of a future that is not wanted any more.
    """
    if isinstance(came, dict):
        return came
    if not isinstance(came, tuple):
        raise _gone()
    error = came[1]
    if isinstance(error, KilledWorker):
        return None
    raise error


def died() -> Row:
    """What the row of a task says whose workers died."""
    error = "its worker died, each time it was tried: of memory, or of a crash"
    return {"status": "failed", "error": error, "finished": datetime.now(UTC)}


class _Company:
    """Who works; asked once a second."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._seen = self._asked = time.monotonic()
        self._threads = sum(client.nthreads().values())

    @property
    def window(self) -> int:
        """How many tasks may be with the scheduler."""
        return TASKS_A_THREAD * max(2, self._threads)

    def check(self) -> None:
        now = time.monotonic()
        if now - self._asked < 1.0:
            return
        self._asked = now
        if self._client.status != "running":
            raise _gone()
        self._threads = sum(self._client.nthreads().values())
        if self._threads:
            self._seen = now
        elif now - self._seen > NO_WORKERS_S:
            raise ConnectionError(
                f"no worker for {NO_WORKERS_S:g} s; run the same again when there are some: what is done stays done"
            )


def _gone() -> ConnectionError:
    return ConnectionError("the scheduler has gone; run the same again when it is back: what is done stays done")
