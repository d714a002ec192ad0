"""Types of the arrays that everything here computes with."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Taps = NDArray[np.float32]
"""Filters as they are exported and heard."""
