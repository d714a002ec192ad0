"""What becomes of sound that walls scatter: a diffuse field beside the images of a shoebox.

Sound along direction u meets wall w ``c |u_n| / (2 l_n)`` times a second, n the axis of the wall. Of a hit, images keep
the share ``(1 - scattering)(1 - absorption)`` of the energy, and ``scattering (1 - absorption)`` goes to the diffuse
field, of which every hit leaves ``1 - mean absorption``, ``c S / (4 V)`` times a second: Eyring's decay.

After n hits of one wall the diffuse field has ``scattering (1 - absorption) (q^n - p^n) / (q - p)``, with p and q what
images and diffuse field keep of a hit. With a decay in time in the place of steps, energy goes to it at the rate of the
hits times ``scattering (1 - absorption)`` over the logarithmic mean of q and p: then no energy is lost on the way.
Reflections are split like this by others too: Ewert et al., Acta Acust. 9 (2025), doi 10.1051/aacus/2024062.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.spherical_harmonics import product_quadrature
from forestage.arrays import FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S

STEP_S = 1e-3
DIRECTIONS_ORDER = 20
# In the place of 0, for logarithms
NOTHING = 1e-9


def diffuse_energy(
    dimensions_m: tuple[float, float, float], absorption: ArrayLike, scattering: ArrayLike, length_s: float
) -> FloatArray:
    """Energy of the diffuse field every `STEP_S`, over that of images in a room whose walls keep everything.

    Parameters
    ----------
    dimensions_m : tuple of float
        Of the room.
    absorption : array_like, shape (6, bands)
        Of the walls, as in `forestage.acoustics.shoebox.Room`.
    scattering : array_like, shape (bands,)
        Share of what walls reflect that they scatter.
    length_s : float
        How long it is wanted.

    Returns
    -------
    ndarray, shape (bands, steps), or (bands, 0) without scattering

    Examples
    --------
    Walls that absorb nothing turn all sound into diffuse sound:

    >>> energy = diffuse_energy((5.0, 4.0, 2.6), np.zeros((6, 1)), [0.3], 1.0)
    >>> energy[0, [0, 10, 1000]].round(2).tolist()
    [0.0, 0.4, 1.0]
    """
    taken, scattered = np.asarray(absorption, dtype=np.float64), np.asarray(scattering, dtype=np.float64)
    if not scattered.any():
        return np.zeros((len(scattered), 0))
    return _energy(dimensions_m, tuple(map(tuple, taken.tolist())), tuple(scattered.tolist()), length_s)


# All drivers and ears of a scene are in the same room
@lru_cache(maxsize=4)
def _energy(
    dimensions_m: tuple[float, float, float],
    absorption: tuple[tuple[float, ...], ...],
    scattering: tuple[float, ...],
    length_s: float,
) -> FloatArray:
    taken, scattered = np.array(absorption), np.array(scattering)
    length = np.array(dimensions_m)
    areas = np.repeat(length.prod() / length, 2)
    around = product_quadrature(DIRECTIONS_ORDER)
    weights = around.weights / around.weights.sum()
    hits = SPEED_OF_SOUND_M_S * np.repeat(np.abs(around.directions) / (2 * length), 2, axis=1)
    time = np.arange(0.0, length_s + 2 * STEP_S, STEP_S)
    energy = np.empty((len(scattered), len(time)))
    for band, (absorbed, share) in enumerate(zip(taken.T, scattered, strict=True)):
        kept = np.maximum((1.0 - share) * (1.0 - absorbed), NOTHING)
        kept_diffuse = max(1.0 - float(areas @ absorbed / areas.sum()), NOTHING)
        image_rate = hits @ -np.log(kept)
        diffuse_rate = float(weights @ hits.sum(axis=1)) * -np.log(kept_diffuse)
        fed = weights * (hits @ (share * (1.0 - absorbed) / _logarithmic_mean(kept, kept_diffuse)))
        # (exp(-diffuse t) - exp(-image t)) / (image - diffuse), whichever rate is greater
        slow = np.minimum(image_rate, diffuse_rate)
        apart = np.maximum(np.abs(image_rate - diffuse_rate), NOTHING)
        energy[band] = (np.exp(-np.outer(time, slow)) * -np.expm1(-np.outer(time, apart))) @ (fed / apart)
    energy.flags.writeable = False
    return energy


def _logarithmic_mean(a: FloatArray, b: float) -> FloatArray:
    ratio = np.log(a / b)
    return b * np.where(np.abs(ratio) < NOTHING, 1.0, np.expm1(ratio) / np.where(ratio == 0.0, 1.0, ratio))
