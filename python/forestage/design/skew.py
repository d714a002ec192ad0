"""How the two sides of plain stereo differ at their near ears, and what brings them together.

Drivers of other bands, roll-offs, places or distances make one side arrive later, in another phase and at another level
than the other one, differently at each frequency. A pair whose near ears do not agree has no image between its sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forestage.acoustics.plant import Plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.design.filters import log_fade
from forestage.metrics.bands import octave_window
from forestage.short_repr import ShortRepr

GRID_HZ: FloatArray = np.geomspace(20.0, 20_000.0, 961)
LEVEL_HZ = (200.0, 8000.0)
DELAY_HZ = (200.0, 2000.0)
SMOOTHING_OCTAVES = 1 / 6
ALIKE_DB = 3.0
# Levels this far apart are brought together, less and less of them up to where one side does not play at all
BALANCED_DB = (6.0, 18.0)
# Sides that differ by less, as places rounded to whole micrometres make them, are alike
ROUNDING = 1e-3
# A side that is so much quieter than usual has no phase worth following
SILENT_DB = 24.0


@dataclass(frozen=True, repr=False)
class Skew(ShortRepr):
    """Left over right near ear of plain stereo, on `GRID_HZ`.

    Attributes
    ----------
    phase : ndarray, shape (n,)
        Unwrapped, smoothed, in radians.
    level_db : ndarray, shape (n,)
        Level.
    common_db : float
        The level difference that most frequencies have.
    """

    phase: FloatArray
    level_db: FloatArray
    common_db: float

    @classmethod
    def of(cls, seat: Plant) -> Skew | None:
        """Compare the sides at a seat; None where they are alike but for `ROUNDING`."""
        left, right = near_ears_of_plain(seat, GRID_HZ)
        ratio = left / right
        if np.all(np.abs(ratio - 1.0) < ROUNDING):
            return None
        level_db = 20.0 * np.log10(np.abs(ratio))
        common_db = _most_common_db(level_db[_within(LEVEL_HZ)])
        return cls(_smooth_phase(ratio, np.abs(level_db - common_db) < SILENT_DB), level_db, common_db)

    @property
    def uneven_db(self) -> FloatArray:
        """How much more the left side plays than the right one, over what is usual, shape (n,)."""
        return self.level_db - self.common_db

    @property
    def remedy(self) -> ComplexArray:
        """Log gain + j phase to give to the (left, right) channel, shape (2, n).

        At each frequency the earlier side waits for the later one, as only that is causal, and both get the mean of
        their levels.
        """
        steps = np.diff(self.phase)
        left, right = (np.cumsum(np.append(0.0, np.minimum(side, 0.0))) for side in (-steps, steps))
        right += np.angle(np.exp(1j * self.phase[0]))
        share = 1.0 - log_fade(np.maximum(np.abs(self.uneven_db), 1e-3), *BALANCED_DB)
        gain = (self.common_db + share * self.uneven_db) * np.log(10.0) / 40.0
        return np.stack([1j * left - gain, 1j * right + gain])


def near_ears_of_plain(seat: Plant, frequency_hz: ArrayLike) -> ComplexArray:
    """Near ears of the (left, right) channel of plain stereo, shape (2, n)."""
    ears: ComplexArray = np.einsum("cdf,dc->cf", seat.at(frequency_hz), seat.plain)
    return ears


def aligned_plain(seat: Plant, frequency_hz: ArrayLike) -> ComplexArray:
    """Gains of plain stereo, shape (drivers, 2, n), that reach both near ears in the same phase and at the same level.

    A device whose sides differ is skewed when it plays plain stereo; the design puts it right.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    skew = Skew.of(seat)
    if skew is None:
        return np.repeat(seat.plain[:, :, None].astype(np.complex128), len(frequency), axis=-1)
    inside = np.log(np.clip(frequency, GRID_HZ[0], GRID_HZ[-1]))
    gain, phase = (
        np.stack([np.interp(inside, np.log(GRID_HZ), side) for side in part])
        for part in (skew.remedy.real, skew.remedy.imag)
    )
    # Outside the grid phases go on as those of delays do
    outside = frequency / np.clip(frequency, GRID_HZ[0], GRID_HZ[-1])
    align: ComplexArray = np.exp(gain + 1j * phase * outside)
    return seat.plain[:, :, None] * align


def _within(band_hz: tuple[float, float]) -> NDArray[np.bool_]:
    return (band_hz[0] <= GRID_HZ) & (band_hz[1] >= GRID_HZ)


def _most_common_db(level_db: FloatArray) -> float:
    alike = np.abs(level_db[:, None] - level_db) < ALIKE_DB
    return float(np.mean(level_db[alike[np.argmax(alike.sum(axis=1))]]))


def _smooth_phase(ratio: ComplexArray, is_known: NDArray[np.bool_]) -> FloatArray:
    """Phase of a ratio, its delay taken out before smoothing and put back; straight over what is not known."""
    omega, octaves = 2.0 * np.pi * GRID_HZ, np.log2(GRID_HZ)
    timed = _within(DELAY_HZ)
    later_s = -float(np.polyfit(omega[timed], np.unwrap(np.angle(ratio[timed])), 1)[0])
    window = octave_window(GRID_HZ, SMOOTHING_OCTAVES)
    still = window @ (ratio / np.abs(ratio) * np.exp(1j * omega * later_s) * is_known)
    known = np.unwrap(np.angle(still[is_known]))
    return np.interp(octaves, octaves[is_known], known) - omega * later_s
