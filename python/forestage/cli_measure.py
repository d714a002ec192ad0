"""Commands that measure a real device: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from .measure.plan import Plan
    from .measure.take import Measurement

POOR = 3  # what --strict ends with

FOLDER = click.Path(path_type=Path)
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace existing files.")
STRICT = click.option("--strict", is_flag=True, help="End with 3 where the verdict is poor.")
WINDOW = click.option(
    "--window-ms",
    type=float,
    help="How much of each response counts after its arrival; up to the first reflection by default.",
)


@click.group()
def measure() -> None:
    """Measure a real device: sweeps to play, recordings to take, a device file to design with."""


@measure.command()
@click.argument("device")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write the sweeps and their plan into.")
@click.option("--ears", "is_ears", is_flag=True, help="For two microphones in the ears of a head, not one in the free.")
@click.option("--places", "count", type=int, help="How many places; 5 by default, 3 for ears.")
@click.option("--sample-rate", type=int, default=48_000, show_default=True, help="Of player and recorder, in Hz.")
@click.option("--length", "length_s", type=float, default=2.7, show_default=True, help="Of a sweep, in s.")
@click.option("--repeats", type=int, default=2, show_default=True, help="Sweeps of a driver, to be averaged.")
@click.option("--level", "level_db", type=float, default=-6.0, show_default=True, help="Peak in dB over full scale.")
@click.option("--low", "low_hz", type=float, default=16.0, show_default=True, help="Where sweeps begin, in Hz.")
@OVERWRITE
def sweeps(
    device: str,
    output: Path,
    is_ears: bool,
    count: int | None,
    sample_rate: int,
    length_s: float,
    repeats: int,
    level_db: float,
    low_hz: float,
    overwrite: bool,
) -> None:
    """Write what to play to measure DEVICE, a TOML file or a name that `forestage devices` lists.

    One WAV file of all drivers, one of each, and a plan of where the microphone goes (plan.txt, plan.svg).
    """
    from .measure.written import write_sweeps

    plan = _plan(device, is_ears, count, sample_rate, length_s, repeats, level_db, low_hz)
    for path in write_sweeps(plan, output, overwrite=overwrite):
        click.echo(path)


def _plan(
    device: str,
    is_ears: bool,
    count: int | None,
    sample_rate: int,
    length_s: float,
    repeats: int,
    level_db: float,
    low_hz: float,
) -> Plan:
    from .acoustics.device_file import load_device
    from .measure.plan import Plan, as_by_ruler, places_for

    spec = load_device(device)
    if count is None:
        count = 3 if is_ears else 5
    if not spec.is_headphones:
        spec = as_by_ruler(spec)
    places = places_for(spec, count=count, is_ears=is_ears)
    return Plan(spec, places, is_ears, sample_rate, length_s, repeats, level_db, low_hz)


@measure.command()
@click.argument("recordings", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder for the device file, responses and report.")
@click.option("--sweeps", "sweeps_folder", type=FOLDER, help="Folder of the plan; `sweeps` beside RECORDINGS.")
@WINDOW
@STRICT
@OVERWRITE
def take(
    recordings: Path,
    output: Path,
    sweeps_folder: Path | None,
    window_ms: float | None,
    strict: bool,
    overwrite: bool,
) -> None:
    """Find impulse responses in RECORDINGS, a folder of place-1.wav and so on, and say what they are worth.

    Writes a device file that uses them (device.toml, for `forestage design`), and report.html.
    """
    from .measure.take import measure as measured

    window_s = None if window_ms is None else window_ms / 1000
    _finish(measured(recordings, sweeps=sweeps_folder, window_s=window_s), output, strict=strict, overwrite=overwrite)


def _finish(measurement: Measurement, output: Path, *, strict: bool, overwrite: bool) -> None:
    from .measure.words import findings
    from .measure.written import write_measurement

    written = write_measurement(measurement, output, overwrite=overwrite)
    found = findings(measurement)
    for finding in found:
        click.echo(f"{output}: {finding}")
    click.echo(f"{output}: {len(written)} files; next: forestage design {output / 'device.toml'} -o my-preset.json")
    if strict and any(finding.grade == "poor" for finding in found):
        raise SystemExit(POOR)


@measure.command()
@click.argument("preset")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write the sweeps and their plan into.")
@click.option("--places", type=int, default=1, show_default=True, help="Places of the head.")
@click.option("--length", "length_s", type=float, default=2.7, show_default=True, help="Of a sweep, in s.")
@click.option("--repeats", type=int, default=2, show_default=True, help="Sweeps of each kind, to be averaged.")
@OVERWRITE
def through(preset: str, output: Path, places: int, length_s: float, repeats: int, overwrite: bool) -> None:
    """Write sweeps through PRESET (factory name or file) for `forestage verify`, as feeds of its drivers."""
    from .measure.through import write_through

    for path in write_through(preset, output, places=places, length_s=length_s, repeats=repeats, overwrite=overwrite):
        click.echo(path)


@click.command()
@click.argument("folder", type=FOLDER)
@click.argument("recordings", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, help="HTML page to write.")
@STRICT
@OVERWRITE
def verify(folder: Path, recordings: Path, output: Path | None, strict: bool, overwrite: bool) -> None:
    """Hold RECORDINGS at real ears against what the preset in FOLDER promised, claim by claim.

    FOLDER is what `forestage measure through` has written; RECORDINGS has place-1.wav and so on, left ear first.
    """
    from .files import checked_target, written_whole
    from .measure.page import verification_html
    from .measure.verify import verify as verified

    if output is not None:
        checked_target(output, overwrite=overwrite)
    found = verified(folder, recordings)
    if output is not None:
        with written_whole(output) as file:
            file.write(verification_html(found).encode())
    verdicts = found.verdicts()
    for verdict in verdicts:
        click.echo(f"{recordings}: {verdict}")
    if strict and any(verdict.grade == "poor" for verdict in verdicts):
        raise SystemExit(POOR)
