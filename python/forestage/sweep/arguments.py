"""Arguments of `design` that a sweep varies, by their path: ``target.separation_db[3][1]``, ``beam.on_off_db``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from forestage.acoustics.device_file import HEAD, parse_head
from forestage.acoustics.field_check import inside, shown
from forestage.design.beam import BeamTarget
from forestage.design.cancel import METHODS, CancelTarget
from forestage.design.variants import VARIANTS
from forestage.design.virtual_pair import VirtualPair

# What is varied most has names of its own
SHORT = {
    "width_deg": "pair.width_deg",
    "method": "target.method",
    "drive_cap_db": "target.drive_cap_db",
    "pair_drive_cap_db": "pair.drive_cap_db",
}
NONE = "none"  # TOML has no word for it
_DEFAULTS: dict[str, Any] = {"target": CancelTarget(), "beam": BeamTarget(), "pair": VirtualPair()}
_CHOICES: dict[str, Sequence[str]] = {"variant": list(VARIANTS), "target.method": list(METHODS)}
# The head of the pair has the keys of that of a listener
_HEAD = {f"pair.{key}": key for key in HEAD}
_STEP = re.compile(r"[^.\[\]]+|\[\d+\]")


def steps_of(path: str) -> list[str]:
    """Names and indices that a path is made of.

    Examples
    --------
    >>> steps_of("target.separation_db[3][1]")
    ['target', 'separation_db', '[3]', '[1]']
    """
    return _STEP.findall(path)


def argument_path(name: str) -> str:
    """Path of an argument by its path or short name.

    Raises
    ------
    ValueError
        When there is no such argument.
    """
    path = SHORT.get(name, name)
    first, *steps = steps_of(path) or [""]
    if path == "variant" or path in _HEAD:
        return path
    if first not in _DEFAULTS or not steps:
        known = ", ".join(("variant", *SHORT, *(f"{each}.…" for each in _DEFAULTS)))
        raise ValueError(f"design has no {name!r} to vary; there are {known}")
    reduce(lambda owner, step: _part(owner, step, f"design.{path}"), steps, _DEFAULTS[first])
    return path


def design_arguments(values: Mapping[str, Any], folder: str | Path = ".") -> dict[str, Any]:
    """Arguments of `design`, from values by their paths, on top of the defaults.

    Raises
    ------
    ValueError
        For a path that there is not, or a value that is not right.
    """
    made = dict(_DEFAULTS)
    for path, value in values.items():
        if path in _CHOICES and value not in _CHOICES[path]:
            raise ValueError(f"design.{path} = {shown(value)}: must be one of {', '.join(_CHOICES[path])}")
        if path == "variant":
            made["variant"] = value
        elif path not in _HEAD:
            first, *steps = steps_of(path)
            made[first] = _replaced(made[first], steps, value, f"design.{first}")
    head = {key: values[path] for path, key in _HEAD.items() if path in values}
    if head:
        with inside("design.pair"):
            made["pair"] = replace(made["pair"], head=parse_head(head, folder, distance_m=made["pair"].distance_m))
    return made


def _part(owner: Any, step: str, path: str) -> Any:
    """A field of a target, or one of its values."""
    if step.startswith("["):
        index = int(step[1:-1])
        if isinstance(owner, tuple) and index < len(owner):
            return owner[index]
    elif is_dataclass(owner):
        names = [each.name for each in fields(owner)]
        if step in names:
            return getattr(owner, step)
        raise ValueError(f"{path}: there is no {step!r}; there are {', '.join(names)}")
    raise ValueError(f"{path}: there is no {step} in {shown(owner)}")


def _replaced(owner: Any, steps: Sequence[str], value: Any, where: str) -> Any:
    """The same with another value where the steps lead to."""
    if not steps:
        return _like(owner, value, where)
    step, *rest = steps
    is_index = step.startswith("[")
    part = _replaced(_part(owner, step, where), rest, value, f"{where}{step}" if is_index else f"{where}.{step}")
    if is_index:
        index = int(step[1:-1])
        return (*owner[:index], part, *owner[index + 1 :])
    with inside(where):
        try:
            return replace(owner, **{step: part})
        except TypeError as error:
            raise ValueError(f"{step} = {shown(part)}: {error}") from None


def _like(before: Any, value: Any, where: str) -> Any:
    """A value of the kind of the one before."""
    if value == NONE:
        return None
    value = _tuples(value)
    if before is None or isinstance(value, type(before)) or (_is_number(before) and _is_number(value)):
        return value
    wanted = "a number" if _is_number(before) else "a list" if isinstance(before, tuple) else "a text"
    raise ValueError(f"{where} = {shown(value)}: {wanted} would be right")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
