"""Where an export goes: a text that a program reads, and what lies beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..files import checked_target, written_whole


def text_target(path: str | Path, name: str) -> Path:
    """The file that is meant: one that ends as ``name`` does, or else ``name`` in a folder."""
    target = Path(path)
    if target.suffix == Path(name).suffix and not target.is_dir():
        return target
    return target / name


def checked_targets(targets: Iterable[Path], *, overwrite: bool) -> None:
    """Check all files before one of them is written; their folder is made."""
    for target in targets:
        target.parent.mkdir(parents=True, exist_ok=True)
        checked_target(target, overwrite=overwrite)


def write_text(path: Path, text: str) -> None:
    """Write a text whole or not at all."""
    with written_whole(path) as file:
        file.write(text.encode())


def checked_channels(channels: Sequence[str], drivers: Sequence[str], program: str) -> None:
    """Check that every driver has a channel of its own.

    Raises
    ------
    ValueError
        When there are more or fewer channels than drivers, or one is named twice.
    """
    if len(channels) != len(drivers) or len(set(channels)) != len(channels):
        raise ValueError(
            f"channels {','.join(channels) or 'none'}: {program} needs one for each driver, each once: "
            f"{len(drivers)} for {', '.join(drivers)}"
        )
