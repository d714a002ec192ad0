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

[sample]
kind = "grid"                     # or "latin" with count and seed, or "list": the n-th values together
"""

from __future__ import annotations

import copy
import hashlib
import itertools
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import qmc

from forestage._core import __version__
from forestage.acoustics.device_file import device_table, load_device, parse_device
from forestage.acoustics.field_check import number, shown
from forestage.files import read_text

KINDS = ("grid", "list", "latin")
# Arguments of a design that a sweep may vary
ARGUMENTS = ("variant", "width_deg", "method", "drive_cap_db", "pair_drive_cap_db")
MOST_DESIGNS = 1_000_000
DESIGN = "design."
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")

Value = float | int | str | bool


@dataclass(frozen=True)
class Axis:
    """One thing that is varied.

    Attributes
    ----------
    name : str
        Of its column.
    values : tuple
        What it takes; of a range, its two ends.
    is_range : bool
        Whether anything between the ends is meant.
    fields : dict
        Fields of the device, or ``design.`` and an argument, with the factor that numbers get; None for the value.
    """

    name: str
    values: tuple[Value, ...]
    is_range: bool
    fields: Mapping[str, float | None]


@dataclass(frozen=True)
class Point:
    """One design: values of all axes, the device's table, and arguments of `design`."""

    values: Mapping[str, Value]
    device: Mapping[str, Any]
    arguments: Mapping[str, Value]
    folder: str

    @property
    def key(self) -> str:
        """Hash of all that the design is made of."""
        text = json.dumps([self.device, self.arguments, __version__], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


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
            When one of them is no device; the message has its values.
        """
        return [self._point(dict(zip([axis.name for axis in self.axes], row, strict=True))) for row in self._rows()]

    def _rows(self) -> list[tuple[Value, ...]]:
        if self.kind == "grid":
            return list(itertools.product(*(axis.values for axis in self.axes)))
        if self.kind == "list":
            return list(zip(*(axis.values for axis in self.axes), strict=True))
        shares = qmc.LatinHypercube(len(self.axes), rng=np.random.default_rng(self.seed)).random(self.count)
        return [tuple(_at(axis, share) for axis, share in zip(self.axes, row, strict=True)) for row in shares]

    def _point(self, values: Mapping[str, Value]) -> Point:
        table, arguments = copy.deepcopy(dict(self.device)), {}
        for axis in self.axes:
            for field, factor in axis.fields.items():
                value = values[axis.name] if factor is None else factor * float(values[axis.name])
                if field.startswith(DESIGN):
                    arguments[field.removeprefix(DESIGN)] = value
                else:
                    set_field(table, field, value)
        try:
            parse_device(table, self.folder)
        except ValueError as error:
            at = ", ".join(f"{name} = {value}" for name, value in values.items())
            raise ValueError(f"{at}: {error}") from None
        return Point(values, table, arguments, self.folder)


def _at(axis: Axis, share: float) -> Value:
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
    path = Path(path)
    try:
        return parse_space(tomllib.loads(read_text(path)), path.parent)
    except (tomllib.TOMLDecodeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def parse_space(table: Mapping[str, Any], folder: str | Path = ".") -> Space:
    """Make a space of the parsed TOML table; see `load_space`."""
    _only(table, "", ("device", "vary", "sample"))
    name = table.get("device")
    if not isinstance(name, str):
        raise ValueError(f"device = {shown(name)}: a factory name or a device file would be right")
    beside = Path(folder) / name
    device = load_device(beside if beside.is_file() else name)
    base = device_table(device)
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
        raise ValueError(f"sample.count = {shown(count)}: a Latin hypercube needs 1 to {MOST_DESIGNS}")
    lengths = {len(axis.values) for axis in axes}
    if kind == "list" and len(lengths) > 1:
        raise ValueError(f"vary: lists of {sorted(lengths)} values; those of a list go together, and are as long")
    if kind == "grid" and np.prod([len(axis.values) for axis in axes], dtype=float) > MOST_DESIGNS:
        raise ValueError(f"vary: more than {MOST_DESIGNS} designs in the grid; a Latin hypercube would be right")
    return Space(base, str(Path(folder)), axes, kind, int(count), int(sample.get("seed", 0)))


def _axis(row: Any, place: str, device: Mapping[str, Any], kind: str) -> Axis:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise ValueError(f"{place}: a table with a name would be right")
    _only(row, f"{place}.", ("name", "values", "from", "to", "count", "fields"))
    name = row["name"]
    fields: Mapping[str, float | None] = row.get("fields", {name: None})
    for field in fields:
        if field.startswith(DESIGN):
            argument = field.removeprefix(DESIGN)
            if argument not in ARGUMENTS:
                raise ValueError(f"{place}: design has no {argument!r} to vary; there are {', '.join(ARGUMENTS)}")
        else:
            set_field(copy.deepcopy(dict(device)), field, 0.0)  # says which part of it there is not
    if ("values" in row) == ("from" in row or "to" in row):
        raise ValueError(f"{place} ({name}): either values, or from and to, would be right")
    if "values" in row:
        values = row["values"]
        if not isinstance(values, list) or not values:
            raise ValueError(f"{place}.values = {shown(values)}: a list of values would be right")
        return Axis(name, tuple(values), False, fields)
    low, high = (number(row.get(end), f"{place} ({name}).{end}") for end in ("from", "to"))
    if kind == "latin":
        return Axis(name, (low, high), True, fields)
    count = row.get("count")
    if not isinstance(count, int) or not 2 <= count <= MOST_DESIGNS:
        raise ValueError(f"{place}.count = {shown(count)}: a range needs 2 or more")
    return Axis(name, tuple(float(value) for value in np.linspace(low, high, count)), False, fields)


def set_field(table: dict[str, Any], field: str, value: Any) -> None:
    """Set a field of a device's table by its path, such as ``driver.left.position_m[1]`` or ``listener.distance_m``.

    Raises
    ------
    ValueError
        When the way there does not exist.
    """
    steps = _STEP.findall(field)
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
