"""What there is, what is wrong with it, what it is worth, and where hosts find it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import click

from forestage import catalogue, presets, vst3
from forestage._core import Preset, parse_state
from forestage.command import reason

from .options import CHAIN, OVERWRITE, chain_of


@click.command()
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


@click.command()
@click.argument("preset")
@click.argument("other", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="HTML file to write.")
@CHAIN
@OVERWRITE
def report(preset: str, other: str | None, output: Path, chain_file: Path | None, overwrite: bool) -> None:
    """Write a page about PRESET (factory name or file), or about PRESET against OTHER: charts, maps and figures.

    With a chain it also has what the chain does to the level and the spectrum at the ears.
    """
    from forestage.report import write_report

    names = [preset] if other is None else [preset, other]
    path = write_report(names, output, chain=chain_of(chain_file), overwrite=overwrite)
    click.echo(f"{path}: {path.stat().st_size // 1024} KiB")


@click.command("presets")
def list_presets() -> None:
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


@click.command()
def devices() -> None:
    """List the devices that come along; `design` takes them by name, and their files are examples."""
    from forestage.acoustics.device_file import load_device

    files = catalogue.factory_devices()
    width = max(map(len, files))
    for name, path in files.items():
        click.echo(f"{name:{width}}  {load_device(path).text}")
    click.echo(f"Their files are in {catalogue.data_folder('devices')}")


@click.command("install-plugin")
@click.option("--remove", is_flag=True, help="Take the plugin away again.")
def install_plugin(remove: bool) -> None:
    """Copy the plugin to your VST3 and LV2 folders."""
    from forestage import host

    changed = host.install_plugin(remove=remove)
    for path in changed:
        click.echo(f"{'removed' if remove else 'installed'} {path}")
    if not changed:
        click.echo("nothing to remove")
