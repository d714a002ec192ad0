"""The command line: parse, call, print."""

import click

from forestage._core import __version__
from forestage.command import run_command

from .audition import audition
from .batch import batch
from .design import design, ears
from .export import export
from .measure import measure, verify
from .presets import devices, install_plugin, list_presets, report, validate
from .render import render
from .sweep import sweep

# Help, --version and completion load nothing more: each command imports what it calls


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__)
def cli() -> None:
    """Make a compact loudspeaker sound like a hi-fi stereo pair."""


for command in (
    audition,
    batch,
    design,
    devices,
    ears,
    export,
    install_plugin,
    list_presets,
    measure,
    render,
    report,
    sweep,
    validate,
    verify,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line."""
    run_command(cli, name="forestage")
