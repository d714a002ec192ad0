"""``python -m forestage.demo [FILE]``: parse, call, print."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from forestage.command import run_command

from .make import Advance, make_demo


@contextmanager
def _bar(text: str, steps: int) -> Iterator[Advance]:
    with click.progressbar(length=steps, label=f"{text:<45}", file=sys.stderr, show_eta=False) as bar:
        yield bar.update
        bar.update(steps - bar.pos)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), show_default=True,
    help="Folder for the page, the sound files and the presets.",
)  # fmt: skip
def cli(file: Path | None, output: Path) -> None:
    """Design the two devices, render FILE through the plugin, and show what comes out on a page.

    FILE is any stereo or mono sound file (WAV, FLAC, OGG, ...); without it, 18 s of music that come with the package.
    """
    started = time.perf_counter()
    demo = make_demo(file, output, progress=_bar)
    seconds = time.perf_counter() - started
    click.echo(f"{demo.page.resolve()}: open it in a browser, with headphones on ({seconds:.0f} s)")


def main() -> None:
    """Run the command."""
    run_command(cli, name="forestage.demo")


if __name__ == "__main__":
    main()
