"""Files that are about to be written, and texts that are read."""

from __future__ import annotations

import codecs
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

MOST_TEXT_BYTES = 64 << 20
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def checked_target(path: str | Path, *, overwrite: bool) -> Path:
    """Return the path when it may be written."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: the folder {target.parent} does not exist")
    if os.path.lexists(target) and not overwrite:  # also a link to nothing, which is someone's
        raise FileExistsError(f"{target} exists already; say --overwrite (overwrite=True) to replace it")
    return target


@contextmanager
def written_whole(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place when it is whole; on an error what was there before stays.

    A device or a named pipe is written to as it is.
    """
    target = Path(path).resolve()
    if target.exists() and not target.is_file():
        with errors_named(path, target), target.open("wb") as file:
            yield file
        return
    name = target.parent / f".{target.name}.{secrets.token_hex(8)}"
    try:  # in front of what makes the file: an interrupt may come right behind it
        with errors_named(path, name):
            with open(name, "xb", opener=_open_private) as file:
                yield file
            os.chmod(name, target.stat().st_mode if target.exists() else 0o666 & ~_umask())
            os.replace(name, target)
    except BaseException:
        with suppress(OSError):
            name.unlink()
        raise


@contextmanager
def errors_named(path: str | Path, written: Path) -> Iterator[None]:
    """Errors of the system that name what is written meanwhile, or nothing, such as a full disk, name the path."""
    try:
        yield
    except OSError as error:
        if error.errno is None or (error.filename is not None and not Path(error.filename).is_relative_to(written)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from None


def checked_path(value: object, name: str, right: str) -> Path:
    """Return an argument as a path; ``right`` is what messages say would be right."""
    if not isinstance(value, str | os.PathLike):
        raise TypeError(f"{name} is {value!r}, of type {type(value).__name__}; {right} would be right")
    return Path(value)


def no_file(path: str | Path, right: str | None = None) -> str:
    """What messages say of a path that is no file, and what would be right."""
    if Path(path).is_dir():
        return f"{path}: is a folder; {right or 'a file'} would be right"
    return f"{path}: no such file" + (f"; {right} would be right" if right else "")


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def read_text(path: str | Path) -> str:
    """Read a text file in UTF-8 or UTF-16, with a byte order mark, as Windows editors write one, or without."""
    with Path(path).open("rb") as file:
        data = file.read(MOST_TEXT_BYTES + 1)
    if len(data) > MOST_TEXT_BYTES:
        raise ValueError(f"has more than {MOST_TEXT_BYTES} bytes; at most that many are read")
    mark, encoding = _encoding(data)
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"byte {len(mark) + error.start} is no text in {encoding}; UTF-8 or UTF-16 would be right"
        ) from error


def _encoding(data: bytes) -> tuple[bytes, str]:
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            return mark, encoding
    # The first character of a device file or a preset is ASCII, so that a zero beside it tells of UTF-16.
    return b"", {0: "utf-16-be", 1: "utf-16-le"}.get(data[:2].find(0), "utf-8")
