"""Commands that measure a real device: parse, call, print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import OVERWRITE, POOR

if TYPE_CHECKING:
    from forestage.measure.plan import Plan
    from forestage.measure.take import Measurement

FOLDER = click.Path(path_type=Path)
STRICT = click.option("--strict", is_flag=True, help="End with 3 where the verdict is poor.")
PLANNED = (
    click.option(
        "--ears", "is_ears", is_flag=True, help="For two microphones in the ears of a head, not one in the free."
    ),
    click.option("--places", "count", type=int, help="How many places; 5 by default, 3 for ears."),
    click.option("--sample-rate", type=int, default=48_000, show_default=True, help="Of player and recorder, in Hz."),
    click.option("--length", "length_s", type=float, default=2.7, show_default=True, help="Of a sweep, in s."),
    click.option("--repeats", type=int, default=2, show_default=True, help="Sweeps of a driver, to be averaged."),
    click.option(
        "--level", "level_db", type=float, default=-6.0, show_default=True, help="Peak in dB over full scale."
    ),
    click.option("--low", "low_hz", type=float, default=16.0, show_default=True, help="Where sweeps begin, in Hz."),
)
SOFA = click.option("--sofa", is_flag=True, help="Write the responses as a SOFA file (responses.sofa), too.")
WINDOW = click.option(
    "--window-ms",
    type=float,
    help="How much of each response counts after its arrival; up to the first reflection by default.",
)


@click.group()
def measure() -> None:
    """Measure a real device: sweeps to play, recordings to take, a device file to design with."""


def _planned(command: Callable[..., None]) -> Callable[..., None]:
    """Options of what is to be measured."""
    for option in reversed(PLANNED):
        command = option(command)
    return command


@measure.command()
@click.argument("device")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write the sweeps and their plan into.")
@_planned
@OVERWRITE
def sweeps(device: str, output: Path, overwrite: bool, **planned: Any) -> None:
    """Write what to play to measure DEVICE, a TOML file or a name that `forestage devices` lists.

    One WAV file of all drivers, one of each, and a plan of where the microphone goes (plan.txt, plan.svg).
    """
    from forestage.measure.written import write_sweeps

    for path in write_sweeps(_plan(device, **planned), output, overwrite=overwrite):
        click.echo(path)


def _plan(device: str, *, is_ears: bool, count: int | None, **options: Any) -> Plan:
    from forestage.acoustics.device_file import load_device
    from forestage.measure.plan import Plan, as_by_ruler, places_for

    spec = load_device(device)
    if count is None:
        count = 3 if is_ears else 5
    if not spec.is_headphones:
        spec = as_by_ruler(spec)
    places = places_for(spec, count=count, is_ears=is_ears)
    return Plan(spec, places, is_ears, **options)


@measure.command()
@click.argument("recordings", type=FOLDER)
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder for the device file, responses and report.")
@click.option("--sweeps", "sweeps_folder", type=FOLDER, help="Folder of the plan; `sweeps` beside RECORDINGS.")
@WINDOW
@SOFA
@STRICT
@OVERWRITE
def take(
    recordings: Path,
    output: Path,
    sweeps_folder: Path | None,
    window_ms: float | None,
    sofa: bool,
    strict: bool,
    overwrite: bool,
) -> None:
    """Find impulse responses in RECORDINGS, a folder of place-1.wav and so on, and say what they are worth.

    Writes a device file that uses them (device.toml, for `forestage design`), and report.html.
    """
    from forestage.measure.take import measure as measured

    window_s = None if window_ms is None else window_ms / 1000
    found = measured(recordings, sweeps=sweeps_folder, window_s=window_s)
    _finish(found, output, strict=strict, overwrite=overwrite, sofa=sofa)


def _finish(
    measurement: Measurement, output: Path, *, strict: bool, overwrite: bool, sofa: bool, kept: Path | None = None
) -> None:
    from forestage.measure.words import findings
    from forestage.measure.written import write_measurement

    written = write_measurement(measurement, output, overwrite=overwrite, recordings=kept, sofa=sofa)
    found = findings(measurement)
    for finding in found:
        click.echo(f"{output}: {finding}")
    click.echo(f"{output}: {len(written)} files; next: forestage design {output / 'device.toml'} -o my-preset.json")
    if strict and any(finding.grade == "poor" for finding in found):
        raise SystemExit(POOR)


@measure.command("run")
@click.argument("device")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder for the device file, responses and report.")
@_planned
@click.option("--output-card", help="Card to play to, by number or part of its name; the system's by default.")
@click.option("--input-card", help="Card to record from; the system's by default.")
@click.option("--wait", "wait_s", type=float, help="Wait so many seconds before each place instead of asking.")
@WINDOW
@SOFA
@STRICT
@OVERWRITE
def run_command(
    device: str,
    output: Path,
    output_card: str | None,
    input_card: str | None,
    wait_s: float | None,
    window_ms: float | None,
    sofa: bool,
    strict: bool,
    overwrite: bool,
    **planned: Any,
) -> None:
    """Measure DEVICE live, through the sound card: `sweeps` and `take` in one, a place after the other.

    Needs sounddevice (pip install 'forestage[live]') and PortAudio. Recordings are kept beside the device file.
    """
    import time
    from tempfile import TemporaryDirectory

    from forestage.measure.folder import checked_folder
    from forestage.measure.live import record
    from forestage.measure.take import measure as measured
    from forestage.measure.written import write_sweeps

    plan = _plan(device, **planned)
    checked_folder(output, overwrite=overwrite)

    def ready(place: int, where: str) -> None:
        click.echo(f"place {place} of {len(plan.places_m)}: {where}")
        if wait_s is None:
            click.pause("press a key when it is there, and keep quiet", err=True)
        else:
            time.sleep(wait_s)

    def again(place: int, text: str) -> bool:
        click.echo(f"place {place}: {text}", err=True)
        return wait_s is None and click.confirm("Again?", default=True, err=True)

    with TemporaryDirectory(prefix="forestage-") as folder:
        recordings, sweeps_folder = Path(folder, "recordings"), Path(folder, "sweeps")
        recordings.mkdir()
        write_sweeps(plan, sweeps_folder)
        record(plan, recordings, ready=ready, again=again, output=_card(output_card), source=_card(input_card))
        window_s = None if window_ms is None else window_ms / 1000
        found = measured(recordings, sweeps=sweeps_folder, window_s=window_s)
        _finish(found, output, strict=strict, overwrite=overwrite, sofa=sofa, kept=recordings)


def _card(text: str | None) -> int | str | None:
    return int(text) if text is not None and text.isdigit() else text


@measure.command()
@click.argument("preset")
@click.option("-o", "--output", type=FOLDER, required=True, help="Folder to write the sweeps and their plan into.")
@click.option("--places", type=int, default=1, show_default=True, help="Places of the head.")
@click.option("--length", "length_s", type=float, default=2.7, show_default=True, help="Of a sweep, in s.")
@click.option("--repeats", type=int, default=2, show_default=True, help="Sweeps of each kind, to be averaged.")
@OVERWRITE
def through(preset: str, output: Path, places: int, length_s: float, repeats: int, overwrite: bool) -> None:
    """Write sweeps through PRESET (factory name or file) for `forestage verify`, as feeds of its drivers."""
    from forestage.measure.through import write_through

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
    from forestage.files import checked_target, written_whole
    from forestage.measure.page import verification_html
    from forestage.measure.verify import verify as verified

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
