"""`forestage batch`: many songs by many presets."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forestage.command import AnyCase, settings_of
from forestage.params import BY_ID

from .options import WithLists
from .scale import rate_of, scale_or_exit, tell_client

if TYPE_CHECKING:
    from forestage.batch.runner import Plan


@click.command(cls=WithLists)
@click.argument("songs", nargs=-1, required=True)
@click.option(
    "-p", "--presets", multiple=True, required=True, metavar="PRESET...",
    help="Factory names or preset files, all words up to the next option; -p takes one, and may be repeated.",
)  # fmt: skip
@click.option("-o", "--output", required=True, help="Folder, or an address such as s3://bucket/folder.")
@click.option(
    "-m", "--monitor", type=AnyCase(BY_ID["monitor"].choices), default="Headphones", show_default=True,
    help="What to write: driver feeds (one channel each) or ears.",
)  # fmt: skip
@click.option("--room", type=AnyCase(("On", "Off")), help="Headphones in the room of the preset.")
@click.option("-s", "--set", "pairs", multiple=True, metavar="ID=VALUE", help="Any other parameter; repeatable.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786; else this machine.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes on this machine; one a core by default.")
@click.option("--dry-run", is_flag=True, help="Say what would be done and about how long it takes; do nothing.")
def batch(
    songs: tuple[str, ...],
    presets: tuple[str, ...],
    output: str,
    monitor: str,
    room: str | None,
    pairs: tuple[str, ...],
    scheduler: str | None,
    workers: int | None,
    dry_run: bool,
) -> None:
    """Render SONGS by presets, on all cores or on a cluster, and go on where an earlier run has stopped.

    SONGS are folders, patterns, files and lists (.txt, or .csv with a column "source"), here or at an address such as
    s3://bucket/songs/*.flac. Sounds are written as preset/song.wav, with a row for each in results/*.parquet and a page
    about these SONGS and presets, summary.html. Ends with 1 when a song could not be rendered; the next run tries it
    again.
    """
    with scale_or_exit():
        from forestage import batch as many
        from forestage.batch.runner import plan
        from forestage.batch.summary import write_summary
    settings: dict[str, Any] = settings_of(pairs) | {"monitor": monitor} | ({"room": room} if room else {})
    if dry_run:
        _tell_plan(plan(songs, presets, output, **settings), settings, workers)
        return
    began = time.monotonic()
    label = f"Rendering to {output}"
    with click.progressbar(length=1000, label=label, file=sys.stderr, item_show_func=rate_of) as bar:
        summary = many.render(
            songs,
            presets,
            output,
            scheduler=scheduler,
            workers=workers,
            progress=lambda said: bar.update(round(1000 * said.share) - bar.pos, said),
            started=tell_client,
            **settings,
        )
    page = write_summary(summary, output)
    for song, note in summary.notes().items():
        click.echo(f"forestage: {song}: {note}", err=True)
    for row in summary.failures():
        click.echo(f"forestage: {row['source']} by {row['preset']}: {row['error']}", err=True)
    took = f"{time.monotonic() - began:.0f} s"
    click.echo(f"{page}: {summary.done} done, {summary.skipped} done before, {summary.failed} failed, in {took}")
    if summary.failed:
        raise SystemExit(1)


def _tell_plan(plan: Plan, settings: dict[str, Any], workers: int | None) -> None:
    from forestage.batch.estimate import estimate

    songs = len({job.source for job, _ in plan.todo})
    names = ", ".join(preset.name for preset in plan.presets)
    click.echo(f"{len(plan.todo)} to do ({songs} songs by {names}), {len(plan.done)} done before")
    if not plan.todo:
        return
    guess = estimate(plan, settings)
    cores = workers or len(os.sched_getaffinity(0))
    click.echo(
        f"about {guess.cpu_s:.0f} s of processor time, {guess.cpu_s / cores:.0f} s on {cores} cores of this machine, "
        f"and {guess.output_bytes / 1e9:.2f} GB, by {guess.heard_s:.0f} s of {Path(guess.sample).name}"
    )
