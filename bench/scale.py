"""What batches and sweeps cost beside the work itself, and how that grows; figures are ratios within one run.

Prints a table: two workers against one process that does the same, and against two processes without a cluster, which
is what the machine can give; cost of a task; memory of the scheduler; start of a run that has nothing left to do; the
end by Ctrl-C; what a catalogue takes; and how many workers one scheduler keeps busy, by tasks that only wait.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

import numpy as np
import psutil
import soundfile
from distributed import Client, LocalCluster, Worker
from threadpoolctl import threadpool_limits

import forestage.batch
from forestage.batch.cluster import open_client, results
from forestage.batch.manifest import Job, found_songs, jobs_of, named_presets
from forestage.batch.rows import SCHEMA, Rows
from forestage.batch.runner import plan
from forestage.batch.store import Place
from forestage.batch.task import row_of
from forestage.presets import load_preset
from forestage.render_file import render_file
from forestage.sweep.runner import sweep
from forestage.sweep.space import parse_space

PRESETS = ["laptop", "smart-speaker", "tv"]
SETTINGS = {"monitor": "Headphones"}
CATALOGUE_SONGS = 10**8
CATALOGUE_PRESETS = 4
SONG_S = 180.0
PIECE_S = 10.0
CTRL_C_AFTER_S = (1.0, 1.3, 1.6, 1.9, 2.2)
LAPTOPS = """
device = "laptop"
[[vary]]
name = "listener.distance_m"
from = 0.4
to = 0.8
count = 100
"""
PARTS = ("workers", "tasks", "start", "interrupt", "designs", "scheduler")


def write_songs(folder: Path, *, songs: int, seconds: float) -> list[Path]:
    """Noise, each song another; the sound does not matter here."""
    folder.mkdir(parents=True)
    paths = []
    for seed in range(songs):
        paths.append(folder / f"{seed:03}.wav")
        with soundfile.SoundFile(paths[-1], "w", 48_000, 2, "PCM_16") as file:
            rng = np.random.default_rng(seed)
            for begin_s in np.arange(0.0, seconds, PIECE_S):
                file.write(rng.normal(0.0, 0.05, (round(48_000 * min(PIECE_S, seconds - begin_s)), 2)))
    return paths


def row(what: str, figure: str) -> None:
    """Print a line of the table."""
    print(f"| {what} | {figure} |", flush=True)


class Spent:
    """Seconds by the clock, and processor time of this process and all below it."""

    def __init__(self) -> None:
        self._began, self._cpu = time.monotonic(), _cpu_s()

    def so_far(self) -> tuple[float, float]:
        """Clock and processor."""
        return time.monotonic() - self._began, _cpu_s() - self._cpu


def _cpu_s() -> float:
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    ended = own.cpu_times()
    return sum(each.user + each.system for each in times) + ended.children_user + ended.children_system


def in_a_loop(jobs: Iterable[Job], presets: Mapping[str, object]) -> None:
    """Do jobs one after the other, as a worker does them."""
    for job in jobs:
        done = row_of(job, presets[job.preset])
        assert done["status"] == "done", done


def _alone(jobs: list[Job], ready: Barrier) -> None:
    presets = {name: load_preset(name) for name in PRESETS}
    in_a_loop(jobs[:3], presets)
    ready.wait()
    in_a_loop(jobs, presets)
    ready.wait()


def workers_against_one(folder: Path, *, songs: int, seconds: float) -> float:
    """Print how much faster two workers are; returns seconds a second of song takes one process."""
    paths = write_songs(folder / "songs", songs=songs, seconds=seconds)

    def jobs(name: str) -> list[Job]:
        return jobs_of(found_songs(paths), named_presets(PRESETS), Place.of(folder / name), SETTINGS)

    presets = {name: load_preset(name) for name in PRESETS}
    in_a_loop(jobs("warm")[:3], presets)
    spent = Spent()
    in_a_loop(jobs("alone"), presets)
    alone_s, alone_cpu_s = spent.so_far()
    spent = Spent()
    for job in jobs("plain"):
        render_file(job.source, job.target.replace("plain", "alone"), presets[job.preset], **SETTINGS)
    plain_s, _ = spent.so_far()

    own = multiprocessing.get_context("spawn")
    ready = own.Barrier(3)
    halves = [jobs(f"pair-{side}")[side::2] for side in range(2)]
    pair = [own.Process(target=_alone, args=(half, ready)) for half in halves]
    for process in pair:
        process.start()
    ready.wait()
    spent = Spent()
    ready.wait()
    pair_s, pair_cpu_s = spent.so_far()
    for process in pair:
        process.join()

    with open_client(None, workers=2, most=2) as client:
        workers_s, workers_cpu_s = seconds_of(client, paths, folder / "processes")
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        threads_s, _ = seconds_of(client, paths, folder / "threads")

    sounds = songs * len(PRESETS)
    row(f"two workers against one process, {sounds} sounds of {seconds:g} s", f"{alone_s / workers_s:.2f} ×")
    row("two processes without a cluster against one: what the machine gives", f"{alone_s / pair_s:.2f} ×")
    row(
        "two workers against the same process when it only renders, and measures nothing",
        f"{plain_s / workers_s:.2f} ×",
    )
    row("one worker of two threads against one process", f"{alone_s / threads_s:.2f} ×")
    row("processor time of a sound: one process, two processes, two workers with all that serves them",
        ", ".join(f"{1e3 * cpu_s / sounds:.0f} ms" for cpu_s in (alone_cpu_s, pair_cpu_s, workers_cpu_s)))  # fmt: skip
    return alone_cpu_s / sounds / seconds


def seconds_of(client: Client, paths: list[Path], output: Path) -> tuple[float, float]:
    """Clock and processor of a batch, after songs that load what workers need."""
    forestage.batch.render(paths[:2], PRESETS, output / "warm", client=client)
    spent = Spent()
    forestage.batch.render(paths, PRESETS, output / "out", client=client)
    return spent.so_far()


def nothing(_number: int) -> dict[str, str]:
    """A task that does nothing."""
    return {"status": "done"}


def pause(_number: int, seconds: float) -> dict[str, str]:
    """A task that takes a while and no processor."""
    time.sleep(seconds)
    return {"status": "done"}


def empty_tasks(count: int) -> tuple[float, float, float]:
    """Seconds and processor time a task, and bytes a task that the scheduler grows by."""
    with open_client(None, workers=2, most=2) as client:
        own = psutil.Process()  # the scheduler lives here
        sum(1 for _ in results(client, nothing, ((i,) for i in range(5000))))
        before, spent = own.memory_info().rss, Spent()
        sum(1 for _ in results(client, nothing, ((i,) for i in range(count))))
        clock_s, cpu_s = spent.so_far()
        return clock_s / count, cpu_s / count, (own.memory_info().rss - before) / count


def start_of_a_done_run(folder: Path, *, jobs: int) -> float:
    """Seconds until a run of so many jobs knows that all of them are done; the sounds are empty files."""
    songs, output = folder / "many", Place.of(folder / "done")
    songs.mkdir(parents=True)
    for i in range(-(-jobs // len(PRESETS))):
        (songs / f"{i:06}.wav").touch()
    found = jobs_of(found_songs([songs]), named_presets(PRESETS), output, SETTINGS)
    for preset in PRESETS:
        (Path(output.path) / preset).mkdir(parents=True)
    rows = Rows(output, SCHEMA, name="target")
    for job in found:
        Path(job.target).touch()
        rows.add(job.row() | {"status": "done", "target_bytes": 0, "finished": datetime.now(UTC)})
    rows.flush()  # as a run leaves them that was killed: in many files
    began = time.monotonic()
    left = plan([songs], PRESETS, output.path).todo
    assert not left, f"{len(left)} would be done again"
    return time.monotonic() - began


def tell_ctrl_c(folder: Path) -> None:
    """Print how long after Ctrl-C in the middle of the work nothing works on it any more, here and on a cluster."""
    write_songs(folder / "long", songs=4, seconds=300.0)
    (folder / "space.toml").write_text(LAPTOPS)
    commands = {
        "batch": ["batch", str(folder / "long"), "--presets", "laptop"],
        "sweep": ["sweep", str(folder / "space.toml")],
    }
    for name, words in commands.items():
        here = [interrupted([*words, "--workers", "2"], folder / name, after_s) for after_s in CTRL_C_AFTER_S]
        row(f"from Ctrl-C in a {name} until all processes are gone, {len(here)} times", spread(here))
    with cluster_elsewhere() as client:
        for name, words in commands.items():
            there = [
                interrupted([*words, "--scheduler", client.scheduler.address], folder / f"{name}-there", after_s,
                            is_over=lambda: not any(client.run(busy).values()))
                for after_s in CTRL_C_AFTER_S
            ]  # fmt: skip
            row(f"the same on another cluster, until no worker works on the {name}", spread(there))


def spread(seconds: list[float]) -> str:
    """Median and most."""
    return f"{median(seconds):.1f} s, at most {max(seconds):.1f} s"


def busy(dask_worker: Worker) -> int:
    """How many tasks a worker works on."""
    return int(dask_worker.state.executing_count)


def interrupted(words: list[str], out: Path, after_s: float, *, is_over: Callable[[], bool] = lambda: True) -> float:
    """Seconds from Ctrl-C, some time after something was begun, until the command and all that it started are over."""
    with subprocess.Popen(
        [sys.executable, "-m", "forestage", *words, "-o", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a terminal of its own: Ctrl-C goes to all that runs there
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as command:
        while not [*out.glob("*/.*part*"), *out.glob("results/*.parquet")]:
            time.sleep(0.02)
        time.sleep(after_s)
        own = psutil.Process(command.pid)
        everyone = [own, *own.children(recursive=True)]
        began = time.monotonic()
        os.killpg(command.pid, signal.SIGINT)
        while not (all(map(has_ended, everyone)) and is_over()):
            time.sleep(0.01)
        took_s = time.monotonic() - began
    assert not list(out.glob("*/.*part*")), "something half was left"
    shutil.rmtree(out)
    return took_s


def has_ended(process: psutil.Process) -> bool:
    """Whether it is over, also when nobody has asked how it ended: init takes seconds to ask about orphans."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@contextmanager
def cluster_elsewhere() -> Iterator[Client]:
    """A client of a scheduler with two workers that are commands of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    commands = [["dask_scheduler", "--host", "127.0.0.1", "--port", str(port)]]
    commands += [["dask_worker", address, "--nthreads", "1"]] * 2
    with ExitStack() as stack:
        for name, *words in commands:
            process = subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{name}", *words, "--no-dashboard"],
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        client = stack.enter_context(Client(address, timeout=60, set_as_default=False))
        client.wait_for_workers(2)
        yield client


def designs(folder: Path, *, count: int) -> tuple[float, float]:
    """Clock and processor a design of the laptop with its figures, by a sweep of so many on two workers."""
    vary = [{"name": "listener.distance_m", "from": 0.4, "to": 0.8}, {"name": "design.width_deg", "from": 20, "to": 40}]
    space = parse_space({"device": "laptop", "vary": vary, "sample": {"kind": "latin", "count": count}})
    with open_client(None, workers=2, most=2) as client:
        sweep(parse_space({"device": "laptop", "vary": [vary[0] | {"count": 2}]}), folder / "warm", client=client)
        spent = Spent()
        sweep(space, folder / "swept", client=client)
        clock_s, cpu_s = spent.so_far()
    return clock_s / count, cpu_s / count


def kept_busy(*, workers: int, task_s: float, rounds: int) -> tuple[float, float]:
    """Share of the time that workers work whose tasks only wait, and tasks a second; two processes hold all threads."""
    tasks = workers * rounds
    with (
        LocalCluster(n_workers=2, threads_per_worker=workers // 2, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        sum(1 for _ in results(client, nothing, ((i,) for i in range(2 * workers))))
        began = time.monotonic()
        sum(1 for _ in results(client, pause, ((i, task_s) for i in range(tasks))))
        took_s = time.monotonic() - began
    return rounds * task_s / took_s, tasks / took_s


def tell_scheduler(song_s: float, *, rounds: int) -> None:
    """Print how many workers one scheduler keeps busy, by songs of 3 minutes and by ten of them in one task."""
    for songs in (1, 10):
        for workers in (32, 128, 512):
            busy, rate = kept_busy(workers=workers, task_s=songs * song_s, rounds=rounds)
            row(f"{workers} workers, tasks of {songs * song_s:.1f} s ({songs} of 3 minutes): busy, tasks a second",
                f"{100 * busy:.0f} %, {rate:.0f}")  # fmt: skip


def tell_catalogue(song_s: float) -> None:
    """Print what a catalogue takes."""
    sounds = CATALOGUE_SONGS * CATALOGUE_PRESETS
    row("a song of 3 minutes by one preset, one core", f"{song_s:.2f} s")
    row(
        "10⁸ songs by 4 presets", f"{sounds * song_s / 3600:,.0f} core hours, {sounds * SONG_S * 384_000 / 1e15:.0f} PB"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of a song")
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--designs", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=10, help="tasks of each worker that waits")
    options = parser.parse_args()
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # of processes to come
    threadpool_limits(1)
    print(f"Load before: {os.getloadavg()[0]:.1f}\n\n| what | figure |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder, song_s = Path(name), 1.6
        if "workers" in options.parts:
            song_s = SONG_S * workers_against_one(folder / "workers", songs=options.songs, seconds=options.seconds)
            tell_catalogue(song_s)
        if "tasks" in options.parts:
            task_s, cpu_s, task_bytes = empty_tasks(options.jobs)
            row("an empty task: clock, processor, share of a song of 3 minutes",
                f"{1e3 * task_s:.2f} ms, {1e3 * cpu_s:.2f} ms, {100 * cpu_s / song_s:.2f} %")  # fmt: skip
            row(f"scheduler, a task, over {options.jobs:,}", f"{task_bytes:.0f} bytes")
        if "start" in options.parts:
            row(f"start of a run with all of {options.jobs:,} jobs done",
                f"{start_of_a_done_run(folder / 'start', jobs=options.jobs):.1f} s")  # fmt: skip
        if "interrupt" in options.parts:
            tell_ctrl_c(folder / "interrupt")
        if "designs" in options.parts:
            clock_s, cpu_s = designs(folder / "designs", count=options.designs)
            row("a design of the laptop with its figures: processor, and clock on two workers",
                f"{cpu_s:.2f} s, {clock_s:.2f} s; 1000 of them {1000 * clock_s / 60:.0f} minutes")  # fmt: skip
        if "scheduler" in options.parts:
            tell_scheduler(song_s, rounds=options.rounds)


if __name__ == "__main__":
    main()
