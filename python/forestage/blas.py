"""Linear algebra in one thread, whose working memory is there before anything is computed.

NumPy and SciPy each bring an OpenBLAS, which takes its working memory when it first multiplies large matrices. Where
there is none left, NumPy's ends the process without an exception, and SciPy's tries again for ever.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

# Of both libraries, 32 MiB a thread each, and something to spare
WORKING_BYTES = 80 << 20
LARGE = 300
_here = threading.local()

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def one_thread(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function compute in one thread, so that its sums, and with them all bytes, are the same on any machine.

    For many small matrices threads only cost time, too. Raises a `MemoryError` where there is too little to begin with.
    """

    @functools.wraps(function)
    def alone(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if getattr(_here, "is_alone", False):  # looking for libraries to limit takes some milliseconds
            return function(*args, **kwargs)
        reserve()
        with threadpool_limits(limits=1, user_api="blas"):
            _here.is_alone = True
            try:
                return function(*args, **kwargs)
            finally:
                _here.is_alone = False

    return alone


@functools.cache
def reserve() -> None:
    """Let both libraries take their working memory now, once there is enough."""
    from scipy.linalg.blas import dgemm

    np.empty(WORKING_BYTES, dtype=np.uint8)  # given back at once; a MemoryError where it does not fit
    square = np.ones((LARGE, LARGE))
    with threadpool_limits(limits=1, user_api="blas"):
        np.matmul(square, square)
        dgemm(1.0, square, square)
