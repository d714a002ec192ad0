"""What a batch costs beside the rendering itself, and how it grows; by the clock, on a machine that does nothing else.

Prints a table: two workers against one process, cost of a task, memory of the scheduler, start of a run that has
nothing left to do, and what a catalogue of any size would take at that rate.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import soundfile
from distributed import Client, LocalCluster

import forestage.batch
from forestage.batch.cluster import open_client, results
from forestage.batch.manifest import found_songs, jobs_of, named_presets
from forestage.batch.rows import SCHEMA, Rows
from forestage.batch.runner import plan
from forestage.batch.store import Place
from forestage.render_file import render_file

PRESETS = ["laptop", "smart-speaker", "tv"]
CATALOGUE_SONGS = 10**8
CATALOGUE_PRESETS = 4
SONG_S = 180.0


def write_songs(folder: Path, *, songs: int, seconds: float) -> list[Path]:
    """Noise, each song another; the sound does not matter here."""
    folder.mkdir()
    paths = []
    for seed in range(songs):
        x = np.random.default_rng(seed).normal(0.0, 0.05, (round(48_000 * seconds), 2))
        paths.append(folder / f"{seed:03}.wav")
        soundfile.write(paths[-1], x, 48_000, subtype="PCM_16")
    return paths


def workers_against_one(folder: Path, *, songs: int, seconds: float) -> tuple[float, float, float]:
    """Seconds of one process in a loop, of two workers, and of one with two threads; their start is not counted."""
    paths = write_songs(folder / "songs", songs=songs, seconds=seconds)
    (folder / "alone").mkdir()
    began = time.monotonic()
    for preset in PRESETS:
        for path in paths:
            render_file(path, folder / "alone" / f"{preset}-{path.stem}.wav", preset)
    alone = time.monotonic() - began
    with open_client(None, workers=2, most=2) as client:
        processes = seconds_of(client, paths, folder / "processes")
    with (
        LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        threads = seconds_of(client, paths, folder / "threads")
    return alone, processes, threads


def seconds_of(client: Client, paths: list[Path], output: Path) -> float:
    """Of a batch, after two songs that load what workers need."""
    forestage.batch.render(paths[:2], PRESETS, output / "warm", client=client)
    began = time.monotonic()
    forestage.batch.render(paths, PRESETS, output / "out", client=client)
    return time.monotonic() - began


def nothing(_number: int) -> dict[str, str]:
    """A task that does nothing."""
    return {"status": "done"}


def empty_tasks(count: int) -> tuple[float, float]:
    """Seconds a task, and bytes a task that the scheduler grows by."""
    with open_client(None, workers=2, most=2) as client:
        own = psutil.Process()  # the scheduler lives here
        sum(1 for _ in results(client, nothing, ((i,) for i in range(2000))))
        before, began = own.memory_info().rss, time.monotonic()
        sum(1 for _ in results(client, nothing, ((i,) for i in range(count))))
        return (time.monotonic() - began) / count, (own.memory_info().rss - before) / count


def start_of_a_done_run(folder: Path, *, jobs: int) -> float:
    """Seconds until a run of so many jobs knows that all of them are done; the sounds are empty files."""
    songs, output = folder / "many", Place.of(folder / "done")
    songs.mkdir()
    for i in range(jobs // len(PRESETS)):
        (songs / f"{i:06}.wav").touch()
    found = jobs_of(found_songs([songs]), named_presets(PRESETS), output, {"monitor": "Headphones"})
    for preset in PRESETS:
        (Path(output.path) / preset).mkdir(parents=True)
    rows = []
    for job in found:
        Path(job.target).touch()
        rows.append(job.row() | {"status": "done", "target_bytes": 0, "finished": datetime.now(UTC)})
    written = Rows(output, SCHEMA, name="target")
    written._write(pa.Table.from_pylist(rows, schema=SCHEMA))
    began = time.monotonic()
    left = plan([songs], PRESETS, output.path).todo
    assert not left, f"{len(left)} would be done again"
    return time.monotonic() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of a song")
    parser.add_argument("--jobs", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alone, processes, threads = workers_against_one(folder, songs=options.songs, seconds=options.seconds)
        task_s, task_bytes = empty_tasks(options.jobs)
        start = start_of_a_done_run(folder, jobs=options.jobs)
    sounds = options.songs * len(PRESETS)
    song_s = alone / sounds * SONG_S / options.seconds
    core_hours = CATALOGUE_SONGS * CATALOGUE_PRESETS * song_s / 3600
    petabytes = CATALOGUE_SONGS * CATALOGUE_PRESETS * SONG_S * 48_000 * 8 / 1e15
    print("| what | figure |\n|---|---|")
    print(f"| two workers against one process, {sounds} sounds | {alone / processes:.2f} × |")
    print(f"| one worker of two threads against one process | {alone / threads:.2f} × |")
    print(f"| an empty task | {1e3 * task_s:.2f} ms, {100 * task_s / song_s:.2f} % of a song of 3 minutes |")
    print(f"| scheduler, a task | {task_bytes:.0f} bytes, over {options.jobs} |")
    print(f"| start of a run with all of {options.jobs} jobs done | {start:.1f} s |")
    print(f"| a song of 3 minutes by one preset, one core | {song_s:.2f} s |")
    print(f"| 10⁸ songs by 4 presets | {core_hours:,.0f} core hours, {petabytes:.0f} PB of 32-bit floats |")
    print(f"| the same, tasks that one scheduler hands out | {1 / task_s:.0f} a second, "
          f"{CATALOGUE_SONGS * CATALOGUE_PRESETS * task_s / 86_400:.1f} days |")  # fmt: skip


if __name__ == "__main__":
    main()
