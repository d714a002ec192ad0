"""`forestage sweep`: many designs, and the best of them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from .options import OVERWRITE, WithDefault
from .scale import rate_of, scale_or_exit, tell_client


@click.group(cls=WithDefault, default="run")
def sweep() -> None:
    """Design a whole space of devices: a sweep FILE -o OUTPUT, then pick the `best`."""


@sweep.command("run")
@click.argument("space", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, help="Folder, or an address such as s3://bucket/folder.")
@click.option("--with-room", is_flag=True, help="Figures in the living room as well, for twice the time.")
@click.option("--with-presets", is_flag=True, help="Write every preset.")
@click.option("--scheduler", metavar="ADDRESS", help="Dask scheduler, such as tcp://host:8786; else this machine.")
@click.option("--workers", type=click.IntRange(min=1), help="Processes on this machine; one a core by default.")
def run(
    space: Path, output: str, with_room: bool, with_presets: bool, scheduler: str | None, workers: int | None
) -> None:
    """Design all points of SPACE, a TOML file, and go on where an earlier run has stopped.

    Writes a row of figures for each into results/*.parquet, and a page with maps, summary.html.
    """
    with scale_or_exit():
        from forestage.sweep.page import write_page
        from forestage.sweep.runner import sweep as sweep_all
    with click.progressbar(
        length=1000, label=f"Designing {space.name}", file=sys.stderr, item_show_func=rate_of
    ) as bar:
        found = sweep_all(
            space,
            output,
            scheduler=scheduler,
            workers=workers,
            with_room=with_room,
            with_presets=with_presets,
            progress=lambda said: bar.update(round(1000 * said.share) - bar.pos, said),
            started=tell_client,
        )
    page = write_page(found, output)
    for row in found.failures[:20]:
        at = ", ".join(f"{axis} = {row[axis]}" for axis in found.axes)
        click.echo(f"forestage: {at}: {row['error']}", err=True)
    click.echo(f"{page}: {found.done} designed, {found.skipped} before, {found.failed} failed")
    if found.failed:
        raise SystemExit(1)


@sweep.command("best")
@click.argument("space", type=click.Path(path_type=Path))
@click.argument("results")
@click.option("--by", default="separation", show_default=True, help="Figure, by its path or a short name.")
@click.option("--least/--most", default=None, help="Whether less of it is better; a short name knows.")
@click.option("--limit", "limits", multiple=True, metavar="NAME<=VALUE", help="Such as drive<=6; repeatable.")
@click.option("--count", type=click.IntRange(min=1), default=3, show_default=True, help="How many.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write their presets to.")
@OVERWRITE
def best_command(
    space: Path,
    results: str,
    by: str,
    least: bool | None,
    limits: tuple[str, ...],
    count: int,
    output: Path | None,
    overwrite: bool,
) -> None:
    """List the best designs of a sweep of SPACE, whose rows are below RESULTS, and write their presets.

    Short names are separation (mean over octaves, dB), drive (most, dB) and zone_width (m).
    """
    with scale_or_exit():
        from forestage.sweep.best import NAMES, best, figure
        from forestage.sweep.runner import swept
        from forestage.sweep.space import load_space
        from forestage.sweep.task import designed
    loaded = load_space(space)
    found = swept(loaded, results)
    if not found.rows:
        raise ValueError(f"{results}: no designs of {space} there; `forestage sweep run` makes them")
    chosen = best(found.rows, by, least=least, limits=limits, count=count)
    if not chosen:
        raise ValueError(f"none of {len(found.rows)} designs keeps to {', '.join(limits)}")
    points = {point.key: point for point in loaded.points()}
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
    for rank, row in enumerate(chosen, start=1):
        at = ", ".join(f"{axis} {row[axis]:.4g}" if isinstance(row[axis], float) else f"{axis} {row[axis]}"
                       for axis in found.axes)  # fmt: skip
        figures = ", ".join(f"{name} {figure(row, name):.2f}" for name in dict.fromkeys((by, *NAMES)))
        place = ""
        if output is not None:
            path = designed(points[row["key"]], is_whole=True).save(
                output / f"{space.stem}-{rank}.json", overwrite=overwrite
            )
            place = f"{path}: "
        click.echo(f"{place}{at}: {figures}")
