"""Where a sound is heard, from what arrives at the two ears.

Two figures for the two cues of the ears: the azimuth that their times tell, below 1.5 kHz in the bands of the ear, and
the azimuth that their levels tell, above. Each is the azimuth of the real source, on a circle around the same head,
that gives the same cue. They agree for a real source, and part where an image falls apart.

The model listener of Barumerli et al. (2023; package ``bayesian_listener``) is not used here: it gives one random
answer from a single time of the envelopes, in steps of a frame, and a single level difference, and cannot say that cues
disagree. ``bench/quality/localisation.py`` plays it the same sounds: where the cues agree, it agrees with both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.head import HeadModel
from forestage.acoustics.seat import Listener
from forestage.arrays import ComplexArray, FloatArray
from forestage.metrics.bands import ear_bands, ear_centres_hz
from forestage.short_repr import ShortRepr

TIME_HZ = np.arange(100.0, 2001.0, 20.0)
TIME_BAND_HZ = (200.0, 1500.0)
TIME_CENTRES_HZ = ear_centres_hz(low_hz=TIME_BAND_HZ[0], high_hz=TIME_BAND_HZ[1], count=12)
TIME_BANDS = ear_bands(TIME_HZ, low_hz=TIME_BAND_HZ[0], high_hz=TIME_BAND_HZ[1], count=12)
LEVEL_HZ = np.arange(1000.0, 10_001.0, 50.0)
# Times count most around 600 Hz: the fit of Stern, Zeiberg and Trahiotis (1988), in dB, held from 1.2 kHz on
_DOMINANCE_DB = -np.polyval([-3.992e-8, 1.126e-4, -9.383e-2, 0.0], np.minimum(TIME_HZ, 1200.0))
TIME_WEIGHT = 10 ** (TIME_BANDS @ _DOMINANCE_DB / TIME_BANDS.sum(axis=1) / 10)
LEVEL_BANDS = ear_bands(LEVEL_HZ, low_hz=1600.0, high_hz=8000.0, count=12)
AZIMUTH_DEG = np.arange(-90.0, 90.1, 1.5)


@dataclass(frozen=True, repr=False)
class Localiser(ShortRepr):
    """A listener who knows what real sources in front sound like.

    Attributes
    ----------
    phases : ndarray of complex, shape (azimuths, TIME_HZ)
        Right over left ear, magnitude 1, for a source at each of `AZIMUTH_DEG`.
    level_db : ndarray, shape (azimuths,)
        Left over right ear, mean of the shares that they have in the energy of each of `LEVEL_BANDS`.
    """

    phases: ComplexArray
    level_db: FloatArray

    @classmethod
    def of(cls, head: HeadModel, *, distance_m: float) -> Localiser:
        """Listen to sources around a head."""
        azimuth = np.deg2rad(AZIMUTH_DEG)
        circle = distance_m * np.stack([np.cos(azimuth), np.sin(azimuth), np.zeros_like(azimuth)], axis=-1)
        left, right = head.ears(TIME_HZ, circle)
        ratio = right / left
        return cls(ratio / np.abs(ratio), _level_db(head.ears(LEVEL_HZ, circle)))

    @classmethod
    def in_place_of(cls, listener: Listener) -> Localiser:
        """Listen with a listener's head, to sources as far away as the device."""
        return cls.of(listener.head, distance_m=listener.distance_m)

    def cues(self) -> Iterator[tuple[str, FloatArray, Callable[[ComplexArray], FloatArray]]]:
        """Both cues by name, the frequencies that they need the ears at, and how they are heard."""
        yield "time", TIME_HZ, self.time_azimuth_deg
        yield "level", LEVEL_HZ, self.level_azimuth_deg

    def time_azimuth_deg(self, ears: ArrayLike, *, within_hz: tuple[float, float] = TIME_BAND_HZ) -> FloatArray:
        """Azimuth that the times between the ears tell.

        Parameters
        ----------
        ears : array_like of complex, shape (2, ..., TIME_HZ)
            Pressure at the (left, right) ear on `TIME_HZ`.
        within_hz : tuple of float
            Where the centres of the bands that count are; all by default.

        Returns
        -------
        ndarray, shape (...)
            Degrees, positive to the listener's left: where the ears' signals, brought together in time as for a real
            source, are most alike. A band counts by its coherence, so that one whose times disagree weighs little, and
            by the weight that listeners give it.
        """
        left, right = np.asarray(ears)
        energy = np.sqrt((np.abs(left) ** 2 @ TIME_BANDS.T) * (np.abs(right) ** 2 @ TIME_BANDS.T))
        weight = TIME_WEIGHT * ((within_hz[0] <= TIME_CENTRES_HZ) & (within_hz[1] >= TIME_CENTRES_HZ))
        cross = np.einsum("...b,bf,...f->...f", weight / energy, TIME_BANDS, right * left.conj())
        likeness = (cross @ self.phases.conj().T).real
        return _peak_deg(likeness)

    def level_azimuth_deg(self, ears: ArrayLike) -> FloatArray:
        """Azimuth that the levels at the ears tell, between 1.6 and 8 kHz.

        Parameters
        ----------
        ears : array_like of complex, shape (2, ..., LEVEL_HZ)
            Pressure at the (left, right) ear on `LEVEL_HZ`.

        Returns
        -------
        ndarray, shape (...)
            Degrees, positive to the listener's left. An ear has a share in the energy of each band, whatever the colour
            of the sound; the shares of all bands together tell the side. For real sources they fall again towards 90
            degrees (for the sphere from 66 degrees on); the azimuth nearer to the front is given.
        """
        first, last = int(np.argmin(self.level_db)), int(np.argmax(self.level_db))
        rising = np.maximum.accumulate(self.level_db[first : last + 1])
        return np.interp(_level_db(np.asarray(ears)), rising, AZIMUTH_DEG[first : last + 1])


def _level_db(ears: ComplexArray) -> FloatArray:
    energy = np.abs(ears) ** 2 @ LEVEL_BANDS.T
    left, right = np.mean(energy / energy.sum(axis=0), axis=-1)
    return 10 * np.log10(left / right)


def _peak_deg(score: FloatArray) -> FloatArray:
    """Azimuth of the highest score, between the azimuths of the table by a parabola through three points."""
    best = np.argmax(score, axis=-1)
    middle = np.clip(best, 1, score.shape[-1] - 2)[..., None]
    before, at, after = (np.take_along_axis(score, middle + step, axis=-1)[..., 0] for step in (-1, 0, 1))
    bend = before - 2 * at + after
    shift = np.where(bend < 0.0, 0.5 * (before - after) / np.where(bend < 0.0, bend, 1.0), 0.0)
    inside = (best > 0) & (best < score.shape[-1] - 1)
    return AZIMUTH_DEG[best] + np.where(inside, shift, 0.0) * (AZIMUTH_DEG[1] - AZIMUTH_DEG[0])
