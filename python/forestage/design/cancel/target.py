"""What the crosstalk cancellation aims at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.interpolate import PchipInterpolator

from forestage.arrays import FloatArray
from forestage.choices import DRIVE_CAP_DB, METHOD
from forestage.design.cancel.room import RoomTarget
from forestage.design.filters import log_fade
from forestage.design.zone import Zone
from forestage.short_repr import ShortRepr

DEFAULT_CURVE = ((100.0, 0.0), (250.0, 4.0), (500.0, 11.0), (1000.0, 18.0), (7000.0, 18.0), (11_000.0, 0.0))


@dataclass(frozen=True, repr=False)
class CancelTarget(ShortRepr):
    """What the cancellation aims at.

    Parameters
    ----------
    separation_db : tuple of (float, float)
        Target cancellation gain: power at the near over power at the far ear in the mean over the zone, as (Hz, dB)
        points, smooth in the logarithm of frequency between them and held outside. The design stops there.
    drive_cap_db : float
        Most power the drivers may get, over plain stereo with the same near ear.
    drive_rise_hz : tuple of float
        The cap rises from 0 dB at the first frequency to its full value at the second, smooth in the logarithm of
        frequency: in the bass much drive buys next to no separation.
    method : str
        A key of `forestage.design.cancel.METHODS`.
    zone : Zone
        What the robust methods design for.
    room : RoomTarget, optional
        How near sounds stay in the listener's room, which "least-squares" and "minimax" look after; None for a design
        that is best in the free field.

    Examples
    --------
    >>> CancelTarget().curve_db([50.0, 250.0, 1000.0, 12000.0]).round().astype(int).tolist()
    [0, 4, 18, 0]
    """

    separation_db: tuple[tuple[float, float], ...] = DEFAULT_CURVE
    drive_cap_db: float = DRIVE_CAP_DB
    drive_rise_hz: tuple[float, float] = (100.0, 250.0)
    method: str = METHOD
    zone: Zone = Zone()
    room: RoomTarget | None = RoomTarget()

    def __post_init__(self) -> None:
        points = np.array(self.separation_db, dtype=np.float64)
        if points.ndim != 2 or points.shape[0] < 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"separation_db = {self.separation_db}: must be two or more finite (Hz, dB) points")
        if points[:, 1].min() < 0.0 or points[:, 1].max() > 60.0:
            raise ValueError(f"separation_db = {self.separation_db}: levels must be within 0..60 dB")
        if points[0, 0] <= 0.0 or np.any(np.diff(points[:, 0]) <= 0.0):
            raise ValueError(f"separation_db = {self.separation_db}: frequencies must be above 0 and rising")
        if not 0.0 <= self.drive_cap_db <= 40.0:
            raise ValueError(f"drive_cap_db = {self.drive_cap_db}: must be within 0..40")
        if not 0.0 < self.drive_rise_hz[0] < self.drive_rise_hz[1]:
            raise ValueError(f"drive_rise_hz = {self.drive_rise_hz}: must be above 0 and rising")

    def in_free_field(self) -> CancelTarget:
        """The same for where nothing reflects and nobody sits beside the zone: best at the seat, and there alone."""
        return replace(self, room=None, zone=replace(self.zone, beside_db=None))

    def curve_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """Target separation in dB, shape (n,)."""
        points = np.array(self.separation_db, dtype=np.float64)
        octaves = np.log2(np.clip(np.asarray(frequency_hz, dtype=np.float64), points[0, 0], points[-1, 0]))
        return PchipInterpolator(np.log2(points[:, 0]), points[:, 1])(octaves)

    def cap_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """Drive cap in dB, shape (n,)."""
        return self.drive_cap_db * log_fade(frequency_hz, *self.drive_rise_hz)
