"""Call what may crash in a process of its own: ``python -m forestage.apart JOB STATUS TARGET``.

The arguments are file descriptors: of what to call, pickled, of where to tell how it goes, and of the file to write.
Plugins of others may crash, and print what they like; nobody else is touched by it.
"""

from __future__ import annotations

import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

ERRORS = (FileNotFoundError, OSError, MemoryError, ValueError, TypeError, RuntimeError)


def call_apart(
    function: Callable[..., Any],
    file: BinaryIO,
    arguments: Mapping[str, Any],
    *,
    name: str,
    progress: Callable[[float], object] | None = None,
) -> Any:
    """Call ``function(file, **arguments, progress=..., at=...)`` in a process of its own, and return what it does.

    Parameters
    ----------
    function : callable
        Of a module, so that the other process finds it. It tells ``progress`` the share that is done, and ``at`` what
        it is at, which is what an error names after a crash.
    file : binary file
        What it writes.
    arguments : mapping
        What pickles.
    name : str
        What errors call the job.
    progress : callable, optional
        Called with the share that is done, 0..1.

    Raises
    ------
    RuntimeError
        When the process crashed.
    """
    job_end, job_begin = os.pipe()
    status_end, status_begin = os.pipe()
    handed = (job_end, status_begin, os.dup(file.fileno()))  # a copy, as the standard output is nobody's there
    file.flush()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", __name__, *map(str, handed)],
        pass_fds=handed,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for descriptor in handed:
        os.close(descriptor)
    place = ""
    try:
        with open(status_end, "rb") as status:
            _send((function, arguments), job_begin)
            while True:
                try:
                    kind, value = pickle.load(status)
                except (EOFError, pickle.UnpicklingError):  # it has ended, perhaps within a word
                    break
                if kind == "done":
                    return value
                if kind == "error":
                    raise type(value)(str(value) if name in str(value) else f"{name}: {value}")
                if kind == "at":
                    place = value
                elif progress is not None:
                    progress(value)
    except BaseException:
        process.kill()
        raise
    finally:
        code = process.wait()
    ending = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    raise RuntimeError(f"{name}: {place or 'the process that plays it'} crashed ({ending})")


def _send(job: Any, descriptor: int) -> None:
    try:
        with open(descriptor, "wb") as pipe:
            pickle.dump(job, pipe)
    except BrokenPipeError:  # it has ended already, and its status tells why
        return


def main(job_end: int, status_begin: int, target: int) -> None:
    """Do the job."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(job_end, "rb") as pipe:
        function, arguments = pickle.load(pipe)
    with open(status_begin, "wb", buffering=0) as status, open(target, "wb", closefd=False) as file:

        def tell(kind: str, value: Any) -> None:
            status.write(pickle.dumps((kind, value)))

        try:
            done = function(
                file, **arguments, progress=lambda share: tell("share", share), at=lambda place: tell("at", place)
            )
            file.flush()
            tell("done", done)
        except ERRORS as error:
            tell("error", _portable(error))
        os._exit(0)  # a plugin that crashes while it is taken down has done its work


def _portable(error: Exception) -> Exception:
    """The error as one that any process can read."""
    return next(kind for kind in ERRORS if isinstance(error, kind))(str(error))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
