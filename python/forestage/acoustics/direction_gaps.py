"""How measured directions lie on the sphere: the gaps between them, and how far they are apart."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from forestage.acoustics.spherical_harmonics import fibonacci_quadrature
from forestage.arrays import FloatArray

# Directions in which gaps are sought, and the median width of a gap in a square grid over the distance of its points:
# half of the cell is within sqrt(1 / (2 pi)) of a point
AROUND = 2000
MEDIAN_GAP = 2.0 / np.sqrt(2.0 * np.pi)


def gap_deg(directions: FloatArray, around: FloatArray) -> FloatArray:
    """Width of the empty caps around unit vectors."""
    chord, _ = cKDTree(directions).query(around)
    return 2.0 * np.rad2deg(2.0 * np.arcsin(np.minimum(chord / 2.0, 1.0)))


def apart_deg(directions: FloatArray) -> float:
    """How far directions of a square grid that leaves gaps as these do would be apart."""
    return float(np.median(gap_deg(directions, fibonacci_quadrature(AROUND).directions)) / MEDIAN_GAP)
