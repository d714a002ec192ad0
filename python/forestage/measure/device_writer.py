"""Device files as a person would write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def device_toml(table: Mapping[str, Any], *, comment: str = "") -> str:
    """Text of a device file for a table that `parse_device` reads.

    Examples
    --------
    >>> print(device_toml({"name": "A", "listener": {"distance_m": 1.0}, "driver": [{"name": "l"}]}))
    name = "A"
    <BLANKLINE>
    [listener]
    distance_m = 1.0
    <BLANKLINE>
    [[driver]]
    name = "l"
    <BLANKLINE>
    """
    lines = [f"# {line}" for line in comment.splitlines()]
    lines += [f"{key} = {_value(value)}" for key, value in table.items() if not _is_table(value) and value != ""]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{key}]", *_rows(value)]
    for row in table["driver"]:
        lines += ["", "[[driver]]", *_rows(row)]
    return "\n".join(lines) + "\n"


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _rows(table: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in table.items()]


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_value(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        if value and isinstance(value[0], Mapping):
            return "[\n" + "".join(f"  {_value(each)},\n" for each in value) + "]"
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
