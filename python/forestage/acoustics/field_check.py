"""Checks of single fields, for whatever is made in Python or read of a file.

Each takes a value and the field's name, returns the value as plain Python has it, or raises a `ValueError` that names
the field, its value and what would be right.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from numbers import Real
from typing import Any

Check = Callable[[Any, str], Any]

# Characters of a value that a message shows
MOST_SHOWN = 200


def settle(item: object, **checks: Check) -> None:
    """Give fields of a frozen dataclass the values that their checks return."""
    for name, check in checks.items():
        object.__setattr__(item, name, check(getattr(item, name), name))


@contextmanager
def inside(where: str) -> Iterator[None]:
    """Say in messages of checks where the fields are."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}.{error}") from None


def text(value: Any, where: str) -> str:
    """Check a text."""
    if not isinstance(value, str):
        raise ValueError(f"{named(value, where)}: must be a text")
    return value


def line(value: Any, where: str) -> str:
    """Check a name."""
    name = text(value, where)
    if not name.strip():
        raise ValueError(f'{where} = "{name}": must not be empty')
    if len(name) > 100 or not name.isprintable():
        raise ValueError(f"{where} = {name[:40]!r}: must be one line of at most 100 characters")
    return name


def flag(value: Any, where: str) -> bool:
    """Check a truth value."""
    value = _plain(value)
    if not isinstance(value, bool):
        raise ValueError(f"{named(value, where)}: must be true or false")
    return value


def number(value: Any, where: str) -> float:
    """Check a finite number; those of NumPy are some, too."""
    value = _plain(value)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ValueError(f"{named(value, where)}: must be a number")
    try:
        result = float(value)
    except OverflowError:
        raise ValueError(f"{where}: has too many digits; must be a number that a computer holds") from None
    if not math.isfinite(result):
        raise ValueError(f"{where} = {shown(value)}: must be finite")
    return result


def above_zero(value: Any, where: str) -> float:
    """Check a size."""
    result = number(value, where)
    if result <= 0.0:
        raise ValueError(f"{where} = {result}: must be above 0")
    return result


def size_to(most: float) -> Check:
    """Check of a size that is at most so much."""

    def check(value: Any, where: str) -> float:
        result = above_zero(value, where)
        if result > most:
            raise ValueError(f"{where} = {result}: must be at most {most:g}")
        return result

    return check


def within(low: float, high: float) -> Check:
    """Check of a number between two others."""

    def check(value: Any, where: str) -> float:
        result = number(value, where)
        if not low <= result <= high:
            raise ValueError(f"{where} = {result}: must be within {low:g}..{high:g}")
        return result

    return check


def numbers(count: int) -> Check:
    """Check of so many numbers, as a tuple."""

    def check(value: Any, where: str) -> tuple[float, ...]:
        value = _plain(value)
        if not isinstance(value, list | tuple) or len(value) != count:
            raise ValueError(f"{named(value, where)}: must be a list of {count} numbers")
        return tuple(number(item, where) for item in value)

    return check


def one_of(*texts: str) -> Check:
    """Check of a choice."""

    def check(value: Any, where: str) -> str:
        if text(value, where) not in texts:
            raise ValueError(f"{named(value, where)}: must be one of {', '.join(texts)}")
        return str(value)

    return check


def optional(check: Check) -> Check:
    """Check of what may be None."""
    return lambda value, where: None if value is None else check(value, where)


def instance_of(kind: type) -> Check:
    """Check of an object of a class."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, kind):
            raise ValueError(f"{named(value, where)}: must be a {kind.__name__}")
        return value

    return check


def named(value: Any, where: str) -> str:
    """A field with its value, as a message begins; no file holds None, so that it is one that is not there."""
    return f"{where} is missing" if value is None else f"{where} = {shown(value)}"


def shown(value: Any) -> str:
    """A value as a message shows it, however long it is."""
    try:
        text = repr(value)
    except ValueError:  # Python prints no integers of more than some thousand digits
        return "a number of very many digits"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}..."


def _plain(value: Any) -> Any:
    """What NumPy holds, as numbers and lists of Python."""
    return value.tolist() if hasattr(value, "tolist") else value
