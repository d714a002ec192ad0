"""Files by address, on a disk or on an object store (fsspec): found, told apart, and written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from forestage.files import errors_named

_PART = ".part-"  # in the names of files that are being written
_STAMPS = ("size", "mtime", "created", "ETag", "etag", "LastModified", "last_modified", "md5")
_HASH_BYTES = 1 << 20


@dataclass(frozen=True)
class Place:
    """A file system and a path in it."""

    fs: fsspec.AbstractFileSystem
    path: str

    @classmethod
    def of(cls, address: str | Path) -> Place:
        """Find the file system of an address; without ``protocol://`` it is a path on this machine.

        Raises
        ------
        ValueError
            When nothing is installed that knows such an address.
        """
        try:
            fs, path = fsspec.core.url_to_fs(str(address))
        except ImportError as error:
            raise ValueError(f"{address}: {error}, by pip install") from None
        return cls(fs, path.rstrip("/"))

    def __truediv__(self, name: str) -> Place:
        return Place(self.fs, f"{self.path}/{name}")

    @property
    def address(self) -> str:
        """As a user writes it: a plain path on this machine."""
        return self.path if self.is_local else str(self.fs.unstrip_protocol(self.path))

    @property
    def is_local(self) -> bool:
        """Whether it is on a disk."""
        return isinstance(self.fs, LocalFileSystem)

    def files(self) -> dict[str, Mapping[str, Any]]:
        """Everything below it: what the file system knows of each file, by path; read anew, not from a cache."""
        self.fs.invalidate_cache()
        try:
            found: dict[str, Mapping[str, Any]] = self.fs.find(self.path, detail=True)
        except FileNotFoundError:
            return {}
        return found

    def make(self) -> None:
        """Make the folder, where there are folders."""
        self.fs.makedirs(self.path, exist_ok=True)


def stamp(info: Mapping[str, Any]) -> str:
    """What tells a file from the same one after a change, without reading it: size, times, the store's own tag."""
    known = [f"{key}={info[key]}" for key in _STAMPS if info.get(key) is not None]
    return hashlib.sha256(";".join(known).encode()).hexdigest()[:16]


def sha256_of(path: str | Path) -> str:
    """Hash of the content of a file on this machine."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def at_hand(place: Place) -> Iterator[Path]:
    """A file on this machine with the content of another: itself, or a copy that goes away again."""
    if place.is_local:
        yield Path(place.path)
        return
    with tempfile.TemporaryDirectory(prefix="forestage-") as folder:
        path = Path(folder) / place.path.rsplit("/", 1)[-1]
        place.fs.get_file(place.path, str(path))
        yield path


@contextmanager
def written(place: Place) -> Iterator[Path]:
    """A file on this machine to be written, which then takes its place: by a rename, or by one upload."""
    if place.is_local:
        target = Path(place.path)
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name}{_PART}{uuid.uuid4().hex[:12]}")
        try:
            with errors_named(target, part):
                yield part
                with part.open("rb") as file:
                    os.fsync(file.fileno())  # a name that appears for good stands for content that is there for good
                os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
        return
    with tempfile.TemporaryDirectory(prefix="forestage-") as folder:
        path = Path(folder) / place.path.rsplit("/", 1)[-1]
        yield path
        place.fs.put_file(str(path), place.path)


def clear_parts(folder: Place) -> None:
    """Take away what runs that were killed had half written; nobody else may be writing."""
    if not folder.is_local or not Path(folder.path).is_dir():
        return
    for part in Path(folder.path).rglob(f".*{_PART}*"):
        part.unlink(missing_ok=True)


@contextmanager
def cleared(folder: Place) -> Iterator[None]:
    """Leave nothing half written when what writes into a folder is ended in the middle."""
    try:
        yield
    except BaseException:
        clear_parts(folder)
        raise
