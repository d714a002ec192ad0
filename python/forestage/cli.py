"""The command line: parse, call, print."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import click

from . import catalogue, choices, presets, vst3
from ._core import Preset, __version__, parse_state
from .audition.commands import audition
from .cli_batch import batch
from .cli_measure import measure, verify
from .cli_sweep import sweep
from .command import AnyCase, progress_bar, reason, run_command, settings_of
from .constants import SAMPLE_RATE
from .files import checked_target
from .params import BY_ID

# Help, --version and completion load nothing more: each command imports what it calls

if TYPE_CHECKING:
    from collections.abc import Callable

    from forestage.design.result import Design

    from .acoustics.device import Device
    from .acoustics.measured_head import MeasuredHead
    from .chain import Chain
    from .render_file import Rendered

POOR = 3  # what --strict ends with

# What `forestage export` takes besides, by form
EXPORT_OPTIONS = {
    "camilladsp": {"card", "sample_rate", "set"},
    "easyeffects": {"sample_rate", "set"},
    "equalizerapo": {"channels", "sample_rate", "set"},
    "pipewire": {"card", "channels", "convolvers", "sample_rate", "set"},
    "sofa": {"sample_rate", "set"},
    "vstpreset": {"b", "headphone_eq"},
    "wav": {"sample_rate"},
}

HEADPHONE_EQ = click.option(
    "--headphone-eq",
    type=click.Path(path_type=Path),
    help="Equaliser of your headphones: parametric text (.txt, AutoEq) or impulse responses (.wav).",
)

CHAIN = click.option(
    "--chain",
    "chain_file",
    type=click.Path(path_type=Path),
    help="Effects before and after Forestage, as on a track of a DAW: a TOML file (docs/chain.md).",
)


def _names(context: click.Context, option: click.Parameter, text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


def _chain(path: Path | None) -> Chain | None:
    if path is None:
        return None
    from .chain import load_chain

    return load_chain(path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__)
def cli() -> None:
    """Make a compact loudspeaker sound like a hi-fi stereo pair."""


@cli.command("design")
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
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def design_command(
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
    from .acoustics.device_file import load_device
    from .design.cancel import CancelTarget
    from .design.virtual_pair import VirtualPair
    from .report.verdict import verdict

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
    from .acoustics.plausible import doubts

    found = doubts(device)
    for doubt in found:
        click.echo(f"{device.name}: {doubt}", err=True)
    if found and strict:
        raise SystemExit(POOR)
    if found and sys.stdin.isatty():
        click.confirm("Design it all the same?", abort=True, err=True)


def _designed(device: Device, **options: Any) -> Design:
    from .design.designer import design

    with progress_bar(f"Designing {device.name}") as progress:
        return design(device, progress=lambda share, _text: progress(share), **options)


def _head(path: Path, **options: Any) -> MeasuredHead:
    from .acoustics.measured_head import load_head

    with progress_bar(f"Reading {path.name}") as progress:
        return load_head(path, progress=progress, **options)


def _curve(text: str) -> tuple[tuple[float, float], ...]:
    """Read ``hz:db,...``; the target checks the values."""
    try:
        points = [tuple(float(number) for number in point.split(":")) for point in text.split(",")]
        return tuple((hz, db) for hz, db in points)
    except ValueError:
        raise click.BadParameter(f"{text!r}; 100:0,500:12 would be right", param_hint="--target") from None


@cli.command()
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
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
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
    from .acoustics.device_in_room import Rendering
    from .design.room_preset import room_preset

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
        from .acoustics.device_file import load_device

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


@cli.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="SOURCE TARGET | SOURCE... -o FOLDER"
)
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), help="Folder for what becomes of each SOURCE."
)
@click.option("-p", "--preset", required=True, help="Factory name or preset file.")
@click.option(
    "-m", "--monitor", type=AnyCase(BY_ID["monitor"].choices), default="Headphones", show_default=True,
    help="What to write: driver feeds (one channel each) or ears.",
)  # fmt: skip
@click.option("-s", "--set", "pairs", multiple=True, metavar="ID=VALUE", help="Any other parameter; repeatable.")
@HEADPHONE_EQ
@CHAIN
@click.option("--match", type=AnyCase(["programme"]), help="Play all that is compared equally loud, for this music.")
@click.option("--against", metavar="PRESET", help="With --match: another preset that is to be as loud.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
def render(
    files: tuple[Path, ...],
    folder: Path | None,
    preset: str,
    monitor: str,
    pairs: tuple[str, ...],
    headphone_eq: Path | None,
    chain_file: Path | None,
    match: Literal["programme"] | None,
    against: str | None,
    overwrite: bool,
) -> None:
    """Play SOURCE, any stereo file, through a preset and write TARGET, a WAV file of 32-bit floats.

    The result is as long as SOURCE and aligned with it: the latency is taken out. From 4 GiB on it is RF64. A dash is
    the standard input or output: ffmpeg -i talk.mp4 -f wav - | forestage render - - -p laptop | aplay

    With a folder, each SOURCE becomes a file of its name there, as many at a time as the machine has cores:
    forestage render album/*.flac -o album-on-laptop -p laptop

    With --match programme all monitors of a preset are equally loud to a hundredth of a LU, and so are two presets that
    name each other: forestage render song.flac a.wav -p laptop --match programme --against tablet
    """
    from .audio_file import STANDARD_STREAM
    from .render_file import Rendered, render_file, render_files

    settings: dict[str, Any] = {"monitor": monitor, "headphone_eq": headphone_eq} | settings_of(pairs)
    settings |= {"chain": _chain(chain_file), "match": match}
    if against is not None:
        if match is None:
            raise click.UsageError("--against goes with --match programme")
        settings["b"] = against
    if folder is not None:
        targets = _targets(files, folder, overwrite=overwrite)
        with progress_bar(f"Rendering {len(files)} files") as progress:
            results = render_files(list(zip(files, targets, strict=True)), preset, progress=progress, **settings)
        for target, result in zip(targets, results, strict=True):
            if isinstance(result, Rendered):
                _tell(target, result)
            else:
                click.echo(f"forestage: {reason(result)}", err=True)
        if not all(isinstance(result, Rendered) for result in results):
            raise SystemExit(1)
        return
    if len(files) != 2:
        raise click.UsageError(f"got {len(files)} files; SOURCE TARGET would be right, or SOURCE... -o FOLDER")
    source, target = files
    is_piped = str(target) == STANDARD_STREAM
    if not is_piped:
        checked_target(target, overwrite=overwrite)
        if target.suffix.lower() != ".wav":
            raise click.BadParameter(f"{target}: a name that ends in .wav would be right", param_hint="TARGET")
    with progress_bar(f"Rendering {source.name}") as progress:
        result = render_file(source, target, preset, progress=progress, **settings)
    _tell(target, result, err=is_piped)


def _targets(sources: tuple[Path, ...], folder: Path, *, overwrite: bool) -> list[Path]:
    """Where what becomes of each source goes; nothing is begun where one of them cannot."""
    sources_of: dict[Path, Path] = {}
    for source in sources:
        target = folder / f"{source.stem}.wav"
        if target in sources_of:
            raise ValueError(
                f"{sources_of[target]}, {source}: both would become {target}; they need names, or folders, of their own"
            )
        sources_of[target] = source
    folder.mkdir(exist_ok=True)
    return [checked_target(target, overwrite=overwrite) for target in sources_of]


def _tell(target: Path, result: Rendered, *, err: bool = False) -> None:
    """Say what was written, and what is worth knowing about it."""
    seconds = result.frames / result.sample_rate
    layout = f"{result.channels} channels, {seconds:.2f} s at {result.sample_rate} Hz"
    levels = f"peak {result.peak_dbfs:.1f} dBFS, gain {result.gain_db:.1f} dB, limited by {result.reduction_db:.1f} dB"
    click.echo(f"{target}: {layout}, {levels}", err=err)
    if result.peak_dbfs > 0.0:
        click.echo(f"{target}: clips: above full scale, where most players and files end", err=err)
    if result.status != "OK":
        click.echo(f"{target}: {result.status}", err=err)


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
def validate(files: tuple[Path, ...]) -> None:
    """Check FILES, presets (.json) or what hosts load (.vstpreset); says what is wrong, and where."""
    is_bad = False
    for path in files:
        try:
            held = _held(path)
        except (ValueError, OSError) as error:
            is_bad = True
            click.echo(reason(error), err=True)
        else:
            click.echo(f"{path}: OK, " + "; ".join(map(_told, held)))
    if is_bad:
        raise SystemExit(1)


def _told(preset: Preset) -> str:
    """What a preset is, in a line."""
    changed = "" if presets.has_designed_filters(json.loads(preset.to_json())) else ", filters changed since the design"
    return f"{preset.name}, {len(preset.drivers)} drivers{changed}"


def _held(path: Path) -> list[Preset]:
    """Presets in a file."""
    if path.suffix.lower() != ".vstpreset":
        return [presets.load_preset(path)]
    try:
        state = parse_state(vst3.state_of(path.read_bytes()))
        for note in cast(list[str], state["notes"]):
            raise ValueError(note)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return [preset for preset in (state["a"], state["b"]) if isinstance(preset, Preset)]


@cli.command("export")
@click.argument("preset")
@click.option("--to", "form", type=AnyCase(sorted(EXPORT_OPTIONS)), required=True, help="What to make of it.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="File; for wav a folder.")
@click.option("--slot-b", "b", help="Preset for the second slot; empty without it.")
@HEADPHONE_EQ
@click.option("--sample-rate", type=int, help=f"Of the filters, in Hz.  [default: {SAMPLE_RATE}]")
@click.option("--convolvers", is_flag=True, default=None, help="Let PipeWire convolve, where there is no plugin.")
@click.option("--card", help="What the drivers are connected to: a node of PipeWire, or an ALSA device.")
@click.option("--channels", callback=_names, metavar="NAME,...", help="Channel of the card for each driver.")
@click.option("-s", "--set", "pairs", multiple=True, metavar="ID=VALUE", help="Any parameter; repeatable.")
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
def export_command(
    preset: str, form: str, output: Path, pairs: tuple[str, ...], overwrite: bool, **options: Any
) -> None:
    """Export PRESET (factory name or file) for other programs.

    \b
    vstpreset     state of the plugin, for any VST3 host (--slot-b, --headphone-eq)
    pipewire      sink for the whole system that runs the plugin (--card, --channels, --set), or
                  its own convolvers (--convolvers, --sample-rate)
    camilladsp    configuration and filters (--card, --sample-rate, --set)
    equalizerapo  configuration and filters (--channels, --sample-rate, --set)
    easyeffects   preset and filter, for two drivers (--sample-rate, --set)
    sofa          filters from left and right to the drivers (--sample-rate, --set)
    wav           each filter of the design by itself (--sample-rate)

    All but vstpreset, and pipewire with the plugin, play the pair and the cancellation without the upmix.
    """  # noqa: D301
    given = {name: value for name, value in options.items() if value is not None} | ({"set": pairs} if pairs else {})
    for name in given.keys() - EXPORT_OPTIONS[form]:
        fit = ", ".join(sorted(each for each, names in EXPORT_OPTIONS.items() if name in names))
        option = "--slot-b" if name == "b" else f"--{name.replace('_', '-')}"
        raise click.BadParameter(f"goes with --to {fit}, not with {form}", param_hint=option)
    given |= settings_of(given.pop("set", ()))
    from . import export

    writers: dict[str, Callable[..., Path | list[Path]]] = {
        "camilladsp": export.export_camilladsp,
        "easyeffects": export.export_easyeffects,
        "equalizerapo": export.export_equalizer_apo,
        "pipewire": export.export_pipewire,
        "sofa": export.export_sofa,
        "vstpreset": export.export_vstpreset,
        "wav": export.export_wav,
    }
    written = writers[form](preset, output, overwrite=overwrite, **given)
    for path in written if isinstance(written, list) else [written]:
        click.echo(path)


@cli.command()
@click.argument("preset")
@click.argument("other", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="HTML file to write.")
@CHAIN
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def report(preset: str, other: str | None, output: Path, chain_file: Path | None, overwrite: bool) -> None:
    """Write a page about PRESET (factory name or file), or about PRESET against OTHER: charts, maps and figures.

    With a chain it also has what the chain does to the level and the spectrum at the ears.
    """
    from .report import write_report

    names = [preset] if other is None else [preset, other]
    path = write_report(names, output, chain=_chain(chain_file), overwrite=overwrite)
    click.echo(f"{path}: {path.stat().st_size // 1024} KiB")


cli.add_command(audition)


@cli.command("presets")
def presets_command() -> None:
    """List the factory presets, and then your own."""
    named = catalogue.factory_presets() | catalogue.listed_user_presets()
    # A path would push all texts aside
    widest = max(map(len, (*catalogue.factory_presets(), *catalogue.user_presets())))
    for name, path in named.items():
        try:
            preset = presets.load_preset(path)
            click.echo(f"{name:{widest}}  {preset.name}: {', '.join(preset.drivers)}. {preset.text}")
        except ValueError as error:
            click.echo(f"{name:{widest}}  cannot be read: {error}")


@cli.command("devices")
def devices_command() -> None:
    """List the devices that come along; `design` takes them by name, and their files are examples."""
    from .acoustics.device_file import load_device

    devices = catalogue.factory_devices()
    width = max(map(len, devices))
    for name, path in devices.items():
        click.echo(f"{name:{width}}  {load_device(path).text}")
    click.echo(f"Their files are in {catalogue.data_folder('devices')}")


@cli.command("install-plugin")
@click.option("--remove", is_flag=True, help="Take the plugin away again.")
def install_plugin(remove: bool) -> None:
    """Copy the plugin to your VST3 and LV2 folders."""
    from . import host

    changed = host.install_plugin(remove=remove)
    for path in changed:
        click.echo(f"{'removed' if remove else 'installed'} {path}")
    if not changed:
        click.echo("nothing to remove")


cli.add_command(batch)
cli.add_command(measure)
cli.add_command(sweep)
cli.add_command(verify)


def main() -> None:
    """Run the command line."""
    run_command(cli, name="forestage")
