"""What commands that run on a cluster say."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from distributed import Client

    from forestage.batch.cluster import Progress


@contextmanager
def scale_or_exit() -> Iterator[None]:
    """Say what to install when what is imported here is not there; what Dask logs from now on is not for users."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise click.ClickException(str(missing)) from None
    for name in ("distributed", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def rate_of(said: Progress | None) -> str:
    """What a bar says beside itself: how many, how fast, how many failed."""
    finished = said.done + said.failed if said else 0
    if said is None or not finished:
        return ""
    rate = finished / max(time.monotonic() - said.began, 1e-9)
    return f"{finished} of {said.left + finished}, {rate:.1f} a second, {said.failed} failed"


def tell_client(client: Client) -> None:
    """Say who works, and where to look at it."""
    count = len(client.nthreads())
    click.echo(f"{count} {'worker' if count == 1 else 'workers'}; dashboard: {client.dashboard_link}", err=True)
