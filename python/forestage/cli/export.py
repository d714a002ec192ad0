"""`forestage export`: presets for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from forestage.command import AnyCase, settings_of
from forestage.constants import SAMPLE_RATE

from .options import HEADPHONE_EQ, OVERWRITE

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _names(context: click.Context, option: click.Parameter, text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]


@click.command()
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
@OVERWRITE
def export(preset: str, form: str, output: Path, pairs: tuple[str, ...], overwrite: bool, **options: Any) -> None:
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
    from forestage import export as written_for

    writers: dict[str, Callable[..., Path | list[Path]]] = {
        "camilladsp": written_for.export_camilladsp,
        "easyeffects": written_for.export_easyeffects,
        "equalizerapo": written_for.export_equalizer_apo,
        "pipewire": written_for.export_pipewire,
        "sofa": written_for.export_sofa,
        "vstpreset": written_for.export_vstpreset,
        "wav": written_for.export_wav,
    }
    written = writers[form](preset, output, overwrite=overwrite, **given)
    for path in written if isinstance(written, list) else [written]:
        click.echo(path)
