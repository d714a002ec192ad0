"""Too little memory for linear algebra is an exception, in time: not the end of the process, nor a wait for ever."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import resource
import numpy as np
from scipy.linalg.blas import dgemm
from forestage import blas
from forestage.acoustics.device_file import load_device
from forestage.acoustics.plant import plant

def leave(more_bytes):
    pages = int(open("/proc/self/statm").read().split()[0])
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more_bytes, most))

device = load_device("laptop")
leave(24 << 20)
try:
    plant(device)
except MemoryError:
    print("too little memory")
leave(400 << 20)
blas.reserve()
leave(24 << 20)
square = np.ones((400, 400))
print((square @ square)[0, 0], dgemm(1.0, square, square)[0, 0])
"""


@pytest.mark.slow
def test_too_little_memory_for_linear_algebra_is_an_exception():
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert result.stdout == "too little memory\n400.0 400.0\n", result.stderr
