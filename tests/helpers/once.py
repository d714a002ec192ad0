"""What takes seconds to make and is only looked at: made once in a run, by whichever process needs it first."""

import fcntl
import os
import pickle
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path

FOLDER = "FORESTAGE_TESTS_ONCE"  # of the environment: where a run of pytest keeps it, see `conftest.py`


def once_a_run(make: Callable) -> Callable:
    """Keep what a function of texts returns: whoever comes while it is being made waits."""

    @cache
    @wraps(make)
    def made(*names: str):
        path = Path(os.environ[FOLDER], "-".join([make.__name__, *names]))
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not path.exists():
                path.write_bytes(pickle.dumps(make(*names)))
        return pickle.loads(path.read_bytes())

    return made
