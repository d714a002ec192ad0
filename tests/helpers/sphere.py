"""A rigid sphere without the package: the series of Duda and Martens, with scipy's functions."""

import numpy as np
from scipy.special import eval_legendre, spherical_jn, spherical_yn

from forestage.constants import SPEED_OF_SOUND_M_S

HEAD_M = 0.0875
DISTANCE_M = 2.0
ORDERS = 45


def hankel(order, x, derivative=False):
    return spherical_jn(order, x, derivative) - 1j * spherical_yn(order, x, derivative)


def sphere_ears(azimuth_deg, frequency_hz):
    """At the (left, right) ear, for a source 2 m away."""
    wave_number = 2 * np.pi * frequency_hz / SPEED_OF_SOUND_M_S

    def pressure(angle_deg):
        cosine = np.cos(np.deg2rad(angle_deg))
        terms = [
            (2 * m + 1)
            * eval_legendre(m, cosine)
            * hankel(m, wave_number * DISTANCE_M)
            / hankel(m, wave_number * HEAD_M, derivative=True)
            for m in range(ORDERS)
        ]
        return np.sum(terms, axis=0)

    return np.stack([pressure(90.0 - azimuth_deg), pressure(90.0 + azimuth_deg)])
