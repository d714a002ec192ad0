"""A chain as a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from forestage.files import checked_path, no_file, read_text

from .chain import Chain
from .effect import FILES, Effect


def load_chain(path: str | Path) -> Chain:
    """Read a chain from a TOML file: tables ``[[before]]`` and ``[[after]]``, each with the fields of `Effect`.

    Files that it names are sought beside it.

    Raises
    ------
    FileNotFoundError
        When there is no such file, or no such plugin.
    ValueError
        When it is not TOML, or an effect, a parameter or a value is not right; the message has its place.
    """
    file = checked_path(path, "path", "that of a chain (.toml)")
    if not file.is_file():
        raise FileNotFoundError(no_file(file, "a chain (.toml)"))
    try:
        table = tomllib.loads(read_text(file))
        unknown = [key for key in table if key not in ("before", "after")]
        if unknown or not table:
            wrong = ", ".join(unknown) or "nothing in it"
            raise ValueError(f"{wrong}; [[before]] and [[after]] would be right")
        return Chain(**{key: tuple(_effects(table[key], key, file.parent)) for key in table})
    except RecursionError:
        raise ValueError(f"{file}: not TOML that can be read: too many levels of nesting") from None
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{file}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def _effects(rows: Any, key: str, folder: Path) -> list[Effect]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{key} = {rows!r}; tables [[{key}]] would be right")
    known = [each.name for each in fields(Effect)]
    found = []
    for index, row in enumerate(rows):
        place = f"{key}[{index}]"
        try:
            unknown = [name for name in row if name not in known]
            if unknown:
                raise ValueError(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}")
            _check_types(row)
            found.append(Effect(**row | {name: _beside(folder, row[name]) for name in FILES if name in row}))
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{place}: {error}") from None
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    return found


def _check_types(row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        wanted = dict if name == "parameters" else str
        if not isinstance(value, wanted):
            raise ValueError(f"{name} = {value!r}; {'a table' if wanted is dict else 'a text'} would be right")


def _beside(folder: Path, name: str) -> Path:
    """A file by the name that a chain has for it: beside the chain when it is there."""
    beside = folder / Path(name).expanduser()
    return beside if beside.exists() else Path(name)
