"""`forestage design` and `forestage ears`: presets, made from devices."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forestage import catalogue, choices, presets
from forestage.command import AnyCase, progress_bar
from forestage.files import checked_target

from .options import OVERWRITE, POOR

if TYPE_CHECKING:
    from forestage.acoustics.device import Device
    from forestage.acoustics.measured_head import MeasuredHead
    from forestage.design.result import Design


@click.command()
@click.argument("device")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Preset file to write.")
@click.option(
    "--install",
    metavar="NAME",
    help="Write it under this name into the folder where the plugin and `forestage presets` look, instead of -o.",
)
@click.option(
    "--variant",
    type=AnyCase(choices.VARIANTS),
    default="standard",
    show_default=True,
    help="For whom: the seat, a wider zone around it, a seat half as far away, or the seat where nothing reflects.",
)
@click.option(
    "--width",
    "width_deg",
    type=float,
    default=choices.WIDTH_DEG,
    show_default=True,
    help="Half angle of the pair to be heard, in degrees, 5 to 90.",
)
@click.option(
    "--head",
    type=click.Path(path_type=Path),
    help="SOFA file of the head whose ears the pair is for; a sphere by default.",
)
@click.option(
    "--target", "curve", metavar="HZ:DB,...", help="Separation to aim at, such as 100:0,500:12,7000:12,11000:0."
)
@click.option(
    "--drive-cap",
    "drive_cap_db",
    type=float,
    default=choices.DRIVE_CAP_DB,
    show_default=True,
    help="Most power for the drivers in dB over plain stereo.",
)
@click.option(
    "--method",
    type=AnyCase(choices.METHODS),
    default=choices.METHOD,
    show_default=True,
    help="How the crosstalk is cancelled.",
)
@click.option("--strict", is_flag=True, help="End with 3 where the verdict is poor, or the geometry hard to believe.")
@OVERWRITE
def design(
    device: str,
    output: Path | None,
    install: str | None,
    variant: str,
    width_deg: float,
    head: Path | None,
    curve: str | None,
    drive_cap_db: float,
    method: str,
    strict: bool,
    overwrite: bool,
) -> None:
    """Design the filters for DEVICE, a TOML file or a name that `forestage devices` lists, and write them as a preset.

    Says where the design stays short of its target, and by how much, and ends with a verdict: what is good, limited or
    poor for a listener, and what to change.
    """
    from forestage.acoustics.device_file import load_device
    from forestage.design.cancel import CancelTarget
    from forestage.design.virtual_pair import VirtualPair
    from forestage.report.verdict import verdict

    output = _preset_target(output, install)
    checked_target(output, overwrite=overwrite)
    spec = load_device(device)
    _believed(spec, strict=strict)
    separation_db = CancelTarget.separation_db if curve is None else _curve(curve)
    target = CancelTarget(separation_db=separation_db, drive_cap_db=drive_cap_db, method=method)
    pair = VirtualPair(width_deg=width_deg, head=None if head is None else _head(head))
    result = _designed(spec, variant=variant, target=target, pair=pair)
    result.save(output, overwrite=overwrite)
    click.echo(f"{output}: {result.name}, {output.stat().st_size // 1024} KiB")
    for fall in result.shortfall():
        click.echo(f"{output}: {fall}")
    judgements = verdict(presets.preset_form(output))
    for judgement in judgements:
        click.echo(f"{output}: {judgement}")
    if strict and any(judgement.grade == "poor" for judgement in judgements):
        raise SystemExit(POOR)


def _preset_target(output: Path | None, install: str | None) -> Path:
    """File to write: the one that was named, or one by its name in the user's folder, which is made."""
    if (output is None) == (install is None):
        raise click.UsageError(
            "where to: -o FILE, or --install NAME for the plugin's list; one of the two would be right"
        )
    if output is not None:
        return output
    folder = catalogue.user_preset_folder()
    target = folder / f"{install}.json"
    if not install or not target.resolve().is_relative_to(folder.resolve()):
        raise click.UsageError(f"--install {install!r}: not a name; something like my-laptop would be right")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def _believed(device: Device, *, strict: bool) -> None:
    """Ask about sizes that look like centimetres; where nobody can answer, say so, and end when being strict."""
    from forestage.acoustics.plausible import doubts

    found = doubts(device)
    for doubt in found:
        click.echo(f"{device.name}: {doubt}", err=True)
    if found and strict:
        raise SystemExit(POOR)
    if found and sys.stdin.isatty():
        click.confirm("Design it all the same?", abort=True, err=True)


def _designed(device: Device, **options: Any) -> Design:
    from forestage.design.designer import design as design_for

    with progress_bar(f"Designing {device.name}") as progress:
        return design_for(device, progress=lambda share, _text: progress(share), **options)


def _head(path: Path, **options: Any) -> MeasuredHead:
    from forestage.acoustics.measured_head import load_head

    with progress_bar(f"Reading {path.name}") as progress:
        return load_head(path, progress=progress, **options)


def _curve(text: str) -> tuple[tuple[float, float], ...]:
    """Read ``hz:db,...``; the target checks the values."""
    try:
        points = [tuple(float(number) for number in point.split(":")) for point in text.split(",")]
        return tuple((hz, db) for hz, db in points)
    except ValueError:
        raise click.BadParameter(f"{text!r}; 100:0,500:12 would be right", param_hint="--target") from None


@click.command()
@click.argument("preset")
@click.option("--room", type=AnyCase(choices.ROOMS), default="living-room", show_default=True, help="Which room.")
@click.option("--seat", metavar="X,Y[,Z]", help="Metres in front of the device, to the listener's left, up.")
@click.option("--yaw", "yaw_deg", type=float, default=0.0, help="Turn of the head to its own left, in degrees.")
@click.option("--place", metavar="X,Y,Z", help="Where in the room the device stands; at its west wall by default.")
@click.option("--azimuth", "azimuth_deg", type=float, default=0.0, help="Where the device aims: 90 is along y.")
@click.option("--head", type=click.Path(path_type=Path), help="SOFA file of who listens; the design's by default.")
@click.option(
    "--length", "length_s", type=float, default=choices.ROOM_LENGTH_S, show_default=True, help="Of responses, in s."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Preset file to write; PRESET-ROOM.json by default."
)
@OVERWRITE
def ears(
    preset: str,
    room: str,
    seat: str | None,
    yaw_deg: float,
    place: str | None,
    azimuth_deg: float,
    head: Path | None,
    length_s: float,
    output: Path | None,
    overwrite: bool,
) -> None:
    """Give PRESET a room to hear it in, with the parameter Room, in the headphones monitors.

    PRESET is a factory name, a preset file, or a device file, for which a preset is designed first. Writes a copy with
    long responses to the ears of a listener: from the drivers, and from a reference pair at +-30 degrees in the same
    room. What it had for the free field stays.
    """
    from forestage.acoustics.device_in_room import Rendering
    from forestage.design.room_preset import room_preset

    path = catalogue.preset_path(preset)
    output = checked_target(output or f"{path.stem}-{room}.json", overwrite=overwrite)
    seat_m = None if seat is None else _point(seat, "--seat", "2.0,0.3", least=2)
    position_m = None if place is None else _point(place, "--place", "0.45,1.9,1.0", least=3)
    form = _form(path)
    away_m = {} if seat_m is None else {"distance_m": math.hypot(*seat_m)}
    listener = None if head is None else _head(head, **away_m)
    with progress_bar(f"Listening in the {room}") as progress:
        result = room_preset(
            form,
            room,
            seat_m=seat_m,
            yaw_deg=yaw_deg,
            position_m=position_m,
            azimuth_deg=azimuth_deg,
            head=listener,
            folder=path.parent,
            rendering=Rendering(length_s=length_s),
            progress=progress,
        )
    presets.save_preset(result, output, overwrite=overwrite)
    click.echo(f"{output}: {result['name']}, {result['room']['name']}, {output.stat().st_size // 1024} KiB")


def _form(path: Path) -> dict[str, Any]:
    """A preset in its JSON form: that of a file, or the one that is designed for a device file."""
    if path.suffix == ".toml":
        from forestage.acoustics.device_file import load_device

        return _designed(load_device(path)).preset()
    return presets.preset_form(path)


def _point(text: str, option: str, example: str, *, least: int) -> tuple[float, float, float]:
    """Read ``x,y,z`` in metres; what is left out is 0."""
    try:
        values = [float(number) for number in text.split(",")]
    except ValueError:
        values = []
    if not least <= len(values) <= 3:
        raise click.BadParameter(f"{text!r}; {example} would be right", param_hint=option)
    x, y, z = [*values, 0.0][:3]
    return x, y, z
