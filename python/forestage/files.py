"""Files that are about to be written."""

from pathlib import Path


def checked_target(path: str | Path, *, overwrite: bool) -> Path:
    """Return the path when it may be written."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: the folder {target.parent} does not exist")
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists already; say --overwrite (overwrite=True) to replace it")
    return target
