"""Folders that are written whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forestage.files import errors_named


@contextmanager
def folder_written_whole(folder: str | Path, *, overwrite: bool) -> Iterator[Path]:
    """A new folder to write into, whose files go to ``folder`` when all of them are there."""
    target = checked_folder(folder, overwrite=overwrite)
    parent = target.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with errors_named(target, parent):
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=parent))
    try:
        with errors_named(target, made):
            yield made
            target.mkdir(exist_ok=True)
            for path in sorted(made.iterdir()):
                os.replace(path, target / path.name)
    finally:
        shutil.rmtree(made)


def checked_folder(folder: str | Path, *, overwrite: bool) -> Path:
    """Return the folder when it may be written into; those that it is in need not exist."""
    target = Path(folder)
    for above in (target, *target.parents):
        if above.exists() and not above.is_dir():
            raise FileExistsError(f"{above} exists already, and is a file; a folder would be right")
    if target.is_dir() and any(target.iterdir()) and not overwrite:
        raise FileExistsError(f"{target} holds files already; say --overwrite (overwrite=True) to replace them")
    return target
