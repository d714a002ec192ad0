"""What a centre beam aims at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forestage.short_repr import ShortRepr


@dataclass(frozen=True, repr=False)
class BeamTarget(ShortRepr):
    """What the beam of the centre aims at.

    Parameters
    ----------
    method : str
        One of `METHODS`.
    on_off_db : float
        Mean power within +-45 degrees over mean power within 70 to 110 degrees on both sides.
    window_db : tuple of float
        Bounds of the level within +-45 degrees, relative to the axis.
    white_noise_gain_db : float
        Least power on axis over driver power, relative to the strongest single driver.
    carry_db : float, optional
        Directivity index (power on axis over mean power in all directions) over that of the plain mix, on average where
        the beam is judged, and nowhere less than 0: what makes the centre sound near. It is reached as far as the
        drivers can, at the cost of front over sides and window. None: these come first, for listeners all over the
        window.
    spread_db, spread_deg : float
        Standard deviation of the drivers' gains and phases that the power to the sides includes.
    null_deg, null_derivatives, null_width : tuple of float, int, float
        Where the methods "lcmv" and "null-shape" put their nulls, how many derivatives over azimuth "lcmv" puts to zero
        there too, and the length scale of the nulls of "null-shape": the chord on the unit circle.
    band_hz : tuple of float
        Where all this is asked for, as far up as the device gains by it.
    judged_hz : tuple of float
        Where the exported filters are judged by it, see `BeamPlan.shortfall`.
    flat_hz, flat_db : tuple of float, float
        Where, and how far, the level on axis may be from flat; a figure to be reported.
    fade_octaves : float
        From this far above the band on the middle plays alone.
    """

    method: str = "ratio-search"
    on_off_db: float = 9.1
    window_db: tuple[float, float] = (-2.85, 0.6)
    white_noise_gain_db: float = -5.0
    carry_db: float | None = 2.0
    spread_db: float = 0.5
    spread_deg: float = 3.0
    null_deg: tuple[float, ...] = (-90.0, 90.0)
    null_derivatives: int = 0
    null_width: float = 0.5
    band_hz: tuple[float, float] = (280.0, 4000.0)
    judged_hz: tuple[float, float] = (300.0, 1250.0)
    flat_hz: tuple[float, float] = (100.0, 10_000.0)
    flat_db: float = 1.0
    fade_octaves: float = 0.7

    def __post_init__(self) -> None:
        for name in ("band_hz", "judged_hz", "flat_hz"):
            low, high = getattr(self, name)
            if not 0.0 < low < high <= 20_000.0:
                raise ValueError(f"{name} = {(low, high)}: must be rising, above 0 and at most 20000")
        if not self.fade_octaves > 0.0:
            raise ValueError(f"fade_octaves = {self.fade_octaves}: must be above 0")
        if not self.window_db[0] < 0.0 < self.window_db[1]:
            raise ValueError(f"window_db = {self.window_db}: must be below and above 0")
        if not (self.null_deg and all(20.0 <= abs(angle) <= 180.0 for angle in self.null_deg)):
            raise ValueError(f"null_deg = {self.null_deg}: must be angles of 20 to 180 degrees to a side")
        if self.null_derivatives not in range(4):
            raise ValueError(f"null_derivatives = {self.null_derivatives}: must be 0, 1, 2 or 3")
        for name in ("null_width", "spread_db", "spread_deg"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0.0):
                raise ValueError(f"{name} = {getattr(self, name)}: must be finite and not negative")

        if self.carry_db is not None and not (np.isfinite(self.carry_db) and self.carry_db >= 0.0):
            raise ValueError(f"carry_db = {self.carry_db}: must be finite and not negative, or None")

    @property
    def spread_power(self) -> float:
        """Variance of a driver's complex gain, relative to its power."""
        return float((np.log(10.0) / 20.0 * self.spread_db) ** 2 + np.deg2rad(self.spread_deg) ** 2)
