"""One short line for dataclasses that hold much."""

from __future__ import annotations

import reprlib
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any

LONGEST = 180


class ShortRepr:
    """A ``repr`` of what differs from the defaults, with arrays by their shape; for ``@dataclass(repr=False)``."""

    def __repr__(self) -> str:
        held = [(each, getattr(self, each.name)) for each in fields(self) if each.repr]  # type: ignore[arg-type]
        told = ", ".join(f"{each.name}={short(value)}" for each, value in held if not _is_default(each, value))
        name = type(self).__name__
        return f"{name}({told})" if len(name + told) <= LONGEST else f"{name}({told[: LONGEST - len(name)]}...)"


def short(value: Any) -> str:
    """Write a value shortly, on one line."""
    return _SHORT.repr(value)


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 80
        self.maxtuple = self.maxlist = self.maxdict = 3

    def repr_ndarray(self, x: Any, _level: int) -> str:
        return f"array{x.shape}"

    def repr_instance(self, x: Any, level: int) -> str:
        return f"{type(x).__name__}(...)" if is_dataclass(x) else super().repr_instance(x, level)


_SHORT = _Short()


def _is_default(each: Field[Any], value: Any) -> bool:
    if each.default is MISSING or hasattr(value, "shape"):
        return False
    return bool(value == each.default)
