"""What is installed besides, for parts of the package that not everybody needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needed(extra: str) -> Iterator[None]:
    """Say how to install what is imported here.

    Parameters
    ----------
    extra : str
        Of the package's optional dependencies.

    Raises
    ------
    ModuleNotFoundError
        When something of it is not there.
    """
    try:
        yield
    except ModuleNotFoundError as missing:
        told = f"{missing.name} is not installed: pip install 'forestage[{extra}]'"
        raise ModuleNotFoundError(told, name=missing.name) from None
