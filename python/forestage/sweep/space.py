"""What is varied: a TOML file that names a device, ranges of its fields and of the arguments of `design`.

device = "laptop.toml"            # beside this file, or a factory name

[[vary]]
name = "half_spacing_m"           # a column of the results
from = 0.08
to = 0.2
count = 7                         # for a grid; a Latin hypercube takes the range
fields = { "driver.left.position_m[1]" = 1.0, "driver.right.position_m[1]" = -1.0 }   # value times this

[[vary]]
name = "design.width_deg"         # a name that is a field needs none
values = [25, 30, 35]

[[vary]]
name = "aim"                      # values that are tables set several fields at once
values = [{ "design.target.drive_cap_db" = 3 }, { "design.target.room" = "none", "design.target.drive_cap_db" = 9 }]
labels = ["gentle", "bold"]       # what the column says

[sample]
kind = "grid"                     # or "latin" with count and seed, or "list": the n-th values together
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from forestage._core import __version__
from forestage.acoustics.device_file import SPHERE, device_table, load_device, parse_device
from forestage.acoustics.field_check import named, number, shown
from forestage.batch.store import sha256_of
from forestage.catalogue import device_path
from forestage.files import checked_path, read_text

from .arguments import argument_path, design_arguments, steps_of

KINDS = ("grid", "list", "latin")
MOST_DESIGNS = 1_000_000
MOST_CHECKED = 100
DESIGN = "design."
# A head is a sphere or measured: setting one takes the other away
_OTHER_HEAD = {"listener.head_sofa": tuple(SPHERE)} | {f"listener.{key}": ("head_sofa",) for key in SPHERE}

Value = float | int | str | bool


@dataclass(frozen=True)
class Axis:
    """One thing that is varied.

    Attributes
    ----------
    name : str
        Of its column.
    values : tuple
        What it takes; of a range, its two ends. A table has values by their fields.
    is_range : bool
        Whether anything between the ends is meant.
    fields : dict
        Fields of the device, or ``design.`` and an argument, with the factor that numbers get; None for the value.
    labels : tuple of str
        What its column says, if not the values.
    """

    name: str
    values: tuple[Any, ...]
    is_range: bool
    fields: Mapping[str, float | None]
    labels: tuple[str, ...] = ()

    def shown(self, value: Any) -> Value:
        """What the column says of a value."""
        if self.labels:
            return self.labels[self.values.index(value)]
        return value if isinstance(value, float | int | str) else json.dumps(value)

    def settings(self, value: Any) -> Mapping[str, Any]:
        """What a value sets, by fields."""
        if isinstance(value, Mapping):
            return value
        return {field: value if factor is None else factor * float(value) for field, factor in self.fields.items()}


@dataclass(frozen=True)
class Point:
    """One design: what the columns say, the device's table, and arguments of `design` by their paths."""

    values: Mapping[str, Value]
    device: Mapping[str, Any]
    arguments: Mapping[str, Any]
    folder: str

    @property
    def key(self) -> str:
        """Hash of all that the design is made of, with the content of files that it names."""
        files = {name: _sha256(*found) for name, found in _files([self.device, self.arguments], self.folder)}
        text = json.dumps([self.device, self.arguments, files, __version__], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def _files(value: Any, folder: str) -> Iterator[tuple[str, tuple[str, int]]]:
    """Texts in a table that name a file: with its path, and when it was changed."""
    if isinstance(value, str):
        path = Path(folder, value)
        if value and path.is_file():
            yield value, (str(path), path.stat().st_mtime_ns)
    elif isinstance(value, Mapping | list):
        for each in value.values() if isinstance(value, Mapping) else value:
            yield from _files(each, folder)


@lru_cache(maxsize=256)
def _sha256(path: str, _changed_ns: int) -> str:
    return sha256_of(path)


@dataclass(frozen=True)
class Space:
    """A device and what is varied of it."""

    device: Mapping[str, Any]
    folder: str
    axes: tuple[Axis, ...]
    kind: str
    count: int
    seed: int

    def points(self) -> list[Point]:
        """All designs, in order.

        Raises
        ------
        ValueError
            When a value makes no device, or a Latin hypercube or a list soon comes to what is none; the message has the
            values. What only some of them together make of a grid shows when it is designed.
        """
        rows = self._rows()
        points = [self._point(row) for row in rows]
        for index, (row, point) in enumerate(zip(rows, points, strict=True)):
            others = sum(value != first for value, first in zip(row, rows[0], strict=True))
            if others <= 1 if self.kind == "grid" else index < MOST_CHECKED:
                _check(point)
        return points

    def _rows(self) -> Sequence[tuple[Any, ...]]:
        if self.kind == "grid":
            return list(itertools.product(*(axis.values for axis in self.axes)))
        if self.kind == "list":
            return list(zip(*(axis.values for axis in self.axes), strict=True))
        shares = qmc.LatinHypercube(len(self.axes), rng=np.random.default_rng(self.seed)).random(self.count)
        return [tuple(_at(axis, share) for axis, share in zip(self.axes, row, strict=True)) for row in shares]

    def _point(self, row: tuple[Any, ...]) -> Point:
        table: dict[str, Any] = copy.deepcopy(dict(self.device))
        arguments: dict[str, Any] = {}
        for axis, value in zip(self.axes, row, strict=True):
            for field, setting in axis.settings(value).items():
                if field.startswith(DESIGN):
                    arguments[argument_path(field.removeprefix(DESIGN))] = setting
                else:
                    set_field(table, field, setting)
        values = {axis.name: axis.shown(value) for axis, value in zip(self.axes, row, strict=True)}
        return Point(values, table, arguments, self.folder)


def _check(point: Point) -> None:
    try:
        parse_device(point.device, point.folder)
        design_arguments(point.arguments, point.folder)
    except ValueError as error:
        at = ", ".join(f"{name} = {value}" for name, value in point.values.items())
        raise ValueError(f"{at}: {error}") from None


def _at(axis: Axis, share: float) -> Any:
    if axis.is_range:
        low, high = (float(value) for value in axis.values)
        return low + share * (high - low)
    return axis.values[min(int(share * len(axis.values)), len(axis.values) - 1)]


def load_space(path: str | Path) -> Space:
    """Read a sweep file.

    Raises
    ------
    ValueError
        For what is no sweep; the message names the file, the place and what would be right.
    """
    path = checked_path(path, "path", "that of a sweep (.toml)")
    try:
        return parse_space(tomllib.loads(read_text(path)), path.parent)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def parse_space(table: Mapping[str, Any], folder: str | Path = ".") -> Space:
    """Make a space of the parsed TOML table; see `load_space`."""
    _only(table, "", ("device", "vary", "sample"))
    name = table.get("device")
    if not isinstance(name, str):
        raise ValueError(f"{named(name, 'device')}: a factory name or a device file would be right")
    folder = Path(folder).resolve()
    path = folder / name if (folder / name).is_file() else device_path(name)
    base = _seen_from(folder, path.parent, device_table(load_device(path)))
    rows = table.get("vary", [])
    if not isinstance(rows, list) or not rows:
        raise ValueError("vary: a sweep needs something to vary, as [[vary]] tables")
    sample = table.get("sample", {})
    _only(sample, "sample.", ("kind", "count", "seed"))
    kind = sample.get("kind", "grid")
    if kind not in KINDS:
        raise ValueError(f"sample.kind = {shown(kind)}: must be one of {', '.join(KINDS)}")
    axes = tuple(_axis(row, f"vary[{i}]", base, kind) for i, row in enumerate(rows))
    names = [axis.name for axis in axes]
    if len(set(names)) < len(names):
        raise ValueError(f"vary: two of one name among {', '.join(names)}")
    count = sample.get("count", 0)
    if kind == "latin" and not (isinstance(count, int) and 1 <= count <= MOST_DESIGNS):
        raise ValueError(f"{named(count, 'sample.count')}: a Latin hypercube needs 1 to {MOST_DESIGNS}")
    lengths = {len(axis.values) for axis in axes}
    if kind == "list" and len(lengths) > 1:
        raise ValueError(f"vary: lists of {sorted(lengths)} values; those of a list go together, and are as long")
    if kind == "grid" and np.prod([len(axis.values) for axis in axes], dtype=float) > MOST_DESIGNS:
        raise ValueError(f"vary: more than {MOST_DESIGNS} designs in the grid; a Latin hypercube would be right")
    return Space(base, str(folder), axes, kind, int(count), int(sample.get("seed", 0)))


def _axis(row: Any, place: str, device: Mapping[str, Any], kind: str) -> Axis:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise ValueError(f"{place}: a table with a name would be right")
    _only(row, f"{place}.", ("name", "values", "labels", "from", "to", "count", "fields"))
    name = row["name"]
    if ("values" in row) == ("from" in row or "to" in row):
        raise ValueError(f"{place} ({name}): either values, or from and to, would be right")
    values, labels = _values(row, place)
    fields: Mapping[str, float | None] = row.get("fields", {name: None})
    are_tables = bool(values) and all(isinstance(value, Mapping) for value in values)
    for field in dict.fromkeys(itertools.chain(*values)) if are_tables else fields:
        if field.startswith(DESIGN):
            argument_path(field.removeprefix(DESIGN))
        else:
            set_field(copy.deepcopy(dict(device)), field, 0.0)  # says which part of it there is not
    if "values" in row:
        if not are_tables and "fields" in row:
            values = tuple(number(value, f"{place} ({name}).values") for value in values)
        return Axis(name, values, False, {} if are_tables else fields, labels)
    low, high = (number(row.get(end), f"{place} ({name}).{end}") for end in ("from", "to"))
    if kind == "latin":
        return Axis(name, (low, high), True, fields)
    count = row.get("count")
    if not isinstance(count, int) or not 2 <= count <= MOST_DESIGNS:
        raise ValueError(f"{named(count, f'{place}.count')}: a range needs 2 or more")
    return Axis(name, tuple(float(value) for value in np.linspace(low, high, count)), False, fields)


def _values(row: Mapping[str, Any], place: str) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """Values and labels of an axis; none of a range."""
    values, labels = row.get("values", []), row.get("labels", [])
    if not isinstance(values, list) or ("values" in row and not values):
        raise ValueError(f"{place}.values = {shown(values)}: a list of values would be right")
    is_right = isinstance(labels, list) and all(isinstance(label, str) for label in labels)
    if not is_right or (labels and len(set(labels)) != len(values)):
        raise ValueError(f"{place}.labels = {shown(labels)}: a text of its own for each of {len(values)} values")
    return tuple(values), tuple(labels)


def _seen_from(folder: Path, home: Path, value: Any) -> Any:
    """A table with the files that it names, beside its own file, named as from another folder."""
    if isinstance(value, str) and value and folder != home.resolve() and (home / value).is_file():
        return os.path.relpath(home.resolve() / value, folder)
    if isinstance(value, Mapping):
        return {key: _seen_from(folder, home, each) for key, each in value.items()}
    return [_seen_from(folder, home, each) for each in value] if isinstance(value, list) else value


def set_field(table: dict[str, Any], field: str, value: Any) -> None:
    """Set a field of a device's table by its path, such as ``driver.left.position_m[1]`` or ``listener.distance_m``.

    Raises
    ------
    ValueError
        When the way there does not exist.
    """
    steps = steps_of(field)
    place: Any = table
    for index, step in enumerate(steps):
        is_last = index == len(steps) - 1
        if isinstance(place, list):
            key: Any = _row(place, step, field)
        elif isinstance(place, dict) and not step.startswith("[") and (is_last or step in place):
            key = step
        else:
            raise ValueError(f"{field}: there is no {step!r}; such as driver.left.level_db or listener.distance_m")
        if is_last:
            place[key] = value
            for other in _OTHER_HEAD.get(field, ()):
                place.pop(other, None)
        else:
            place = place[key]


def _row(rows: list[Any], step: str, field: str) -> int:
    if step.startswith("["):
        index = int(step[1:-1])
        if index < len(rows):
            return index
        raise ValueError(f"{field}: there are {len(rows)}, counted from 0, so no {step}")
    names = [row.get("name") for row in rows if isinstance(row, dict)]
    if step not in names:
        raise ValueError(f"{field}: there is no {step!r}; there are {', '.join(map(str, names))}")
    return names.index(step)


def _only(table: Mapping[str, Any], place: str, known: tuple[str, ...]) -> None:
    for key in table:
        if key not in known:
            raise ValueError(f"{place}{key}: unknown; there are {', '.join(known)}")
