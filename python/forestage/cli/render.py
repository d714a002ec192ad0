"""`forestage render`: files of sound, played through a preset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from forestage.command import AnyCase, progress_bar, reason, settings_of
from forestage.files import checked_target
from forestage.levels import level_text
from forestage.params import BY_ID

from .options import CHAIN, HEADPHONE_EQ, OVERWRITE, chain_of

if TYPE_CHECKING:
    from forestage.render_file import Rendered


class _Tail(click.ParamType):
    """Seconds, or ``auto``."""

    name = "tail"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return seconds, or ``auto`` as it is."""
        try:
            return "auto" if value == "auto" else float(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of seconds nor 'auto'", param, ctx)


@click.command()
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
@click.option(
    "--tail", "tail_s", type=_Tail(), default=0.0, metavar="SECONDS|auto",
    help="Go on behind the end of SOURCE for what rings on, as rooms do; auto: as long as Forestage may. [default: 0]",
)  # fmt: skip
@OVERWRITE
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
    tail_s: float | Literal["auto"],
    overwrite: bool,
) -> None:
    """Play SOURCE, any stereo file, through a preset and write TARGET, a WAV file of 32-bit floats.

    The result is as long as SOURCE and aligned with it: the latency is taken out, and what rings on behind its end, as
    a room does, is left out without --tail. From 4 GiB on it is RF64. A dash is the standard input or output:
    ffmpeg -i talk.mp4 -f wav - | forestage render - - -p laptop | aplay

    With a folder, each SOURCE becomes a file of its name there, as many at a time as the machine has cores:
    forestage render album/*.flac -o album-on-laptop -p laptop

    With --match programme all monitors of a preset are equally loud to a hundredth of a LU, and so are two presets that
    name each other: forestage render song.flac a.wav -p laptop --match programme --against tablet
    """
    from forestage.audio_file import STANDARD_STREAM
    from forestage.render_file import Rendered, render_file, render_files

    settings: dict[str, Any] = {"monitor": monitor, "headphone_eq": headphone_eq} | settings_of(pairs)
    settings |= {"chain": chain_of(chain_file), "match": match, "tail_s": tail_s}
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
    peak = level_text(result.peak_dbfs, before="peak ", after=" dBFS")
    gains = f"gain {result.gain_db:.1f} dB, limited by {result.reduction_db:.1f} dB"
    click.echo(f"{target}: {layout}, {peak}, {gains}", err=err)
    if result.peak_dbfs > 0.0:
        click.echo(f"{target}: clips: above full scale, where most players and files end", err=err)
    if result.note:
        click.echo(f"forestage: {result.note}", err=True)
    if result.status != "OK":
        click.echo(f"{target}: {result.status}", err=err)
