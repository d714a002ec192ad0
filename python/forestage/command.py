"""What all commands have in common: how they end, what they show meanwhile, how they read a choice."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import click

from .choices import pick
from .params import Value

INTERRUPTED = 130  # as a shell says of what SIGINT ended


class AnyCase(click.Choice[str]):
    """A choice in any spelling that `pick` knows, whose messages keep that of its texts."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the text of the choice."""
        return super().convert(pick(value, self.choices) or value, param, ctx)


def settings_of(pairs: Iterable[str]) -> dict[str, Value]:
    """Read ``id=value`` pairs of the option ``--set``; what takes them checks ids and values.

    Examples
    --------
    >>> settings_of(["amount=50", "room=On"])
    {'amount': 50.0, 'room': 'On'}
    """
    settings: dict[str, Value] = {}
    for pair in pairs:
        param_id, equals, text = pair.partition("=")
        if not equals:
            raise click.BadParameter(f"{pair!r}; id=value would be right, such as amount=50", param_hint="--set")
        try:
            settings[param_id] = float(text)
        except ValueError:
            settings[param_id] = text
    return settings


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on the standard error; yields what takes the share that is done, 0..1."""
    with click.progressbar(length=1000, label=label, file=sys.stderr) as bar:
        yield lambda share: bar.update(round(1000 * share) - bar.pos)


def run_command(command: click.Command, *, name: str, arguments: list[str] | None = None) -> None:
    """Run a command and exit: 0 for success, 1 for what could not be done, 2 for a wrong call, 130 after Ctrl-C.

    A command may end with another code by itself, as a strict one does that is not content.
    """
    try:
        with warnings.catch_warnings():
            warnings.showwarning = lambda message, *_, **__: click.echo(f"{name}: {message}", err=True)
            command.main(arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        raise SystemExit(error.exit_code) from None
    except (click.Abort, KeyboardInterrupt):
        click.echo(f"{name}: interrupted", err=True)
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:  # who reads our output has enough of it, and Python shall not complain when it flushes
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except (MemoryError, OSError, RuntimeError, TypeError, ValueError) as error:
        click.echo(f"{name}: {reason(error)}", err=True)
        raise SystemExit(1) from None


def reason(error: Exception) -> str:
    """One line that says what is wrong, and what to do where that is not plain."""
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        return f"{error.filename}: {error.strerror.lower()}"
    if isinstance(error, MemoryError):
        return f"not enough memory{f' ({error})' if str(error) else ''}: close other programs, or take less at a time"
    return " ".join(str(error).split()) or type(error).__name__
