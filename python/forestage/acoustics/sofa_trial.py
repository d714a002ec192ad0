"""Reads all of a SOFA file, as a script in a process of its own, before anything else does.

A damaged header can make the HDF5 library run for ever or crash, in the middle of a call that nothing can interrupt;
here that ends with this process. What else is wrong with a file does not matter yet.
"""

from __future__ import annotations

import math
import resource
import sys
import time
from typing import Any

import netCDF4
import numpy as np

STRUCTURE_S = 2
VALUES_PER_S = 2**22
# As many as are ever read of one variable, so many at a time
MOST_VALUES = 2**28
BLOCK = 2**20


def main(path: str) -> None:
    """Read names, texts and numbers of a file, under a limit of CPU time that grows with what there is to read."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _allow(STRUCTURE_S)
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        _read_texts(file)
        for variable in file.variables.values():
            _read_texts(variable)
        numbers = [variable for variable in file.variables.values() if _is_readable(variable)]
        _allow(STRUCTURE_S + sum(int(variable.size) for variable in numbers) // VALUES_PER_S)
        for variable in numbers:
            _read(variable)


def _allow(more_s: int) -> None:
    """Limit the CPU time from now on."""
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + more_s, most))


def _read_texts(owner: Any) -> None:
    for name in owner.ncattrs():
        owner.getncattr(name)


def _is_readable(variable: Any) -> bool:
    return getattr(variable.dtype, "kind", "") in tuple("fiu") and 0 < variable.size <= MOST_VALUES


def _read(variable: Any) -> None:
    if not variable.shape:
        variable[...]
        return
    step = max(1, BLOCK // int(np.prod(variable.shape[1:], dtype=np.int64)))
    for start in range(0, variable.shape[0], step):
        variable[start : start + step]


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Exception:  # the reader finds the same, and has words for it
        sys.exit(0)
