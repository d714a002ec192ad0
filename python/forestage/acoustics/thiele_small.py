"""How far the diaphragm of a driver goes, and so how much it may be fed: its small-signal parameters.

A voltage U at a driver in a closed box, or in free air, moves it by

    x = U Bl / Re / (K - w^2 M + j w R)        K = 1 / Cms + rho c^2 Sd^2 / Vb        R = Rms + Bl^2 / Re

(Small, "Direct-radiator loudspeaker system analysis", 1972); the inductance of its coil, which only matters above the
bass, is left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.field_check import number, optional, settle, within
from forestage.arrays import FloatArray
from forestage.constants import SPEED_OF_SOUND_M_S

# Of air at 20 degrees: density times the square of the speed of sound
STIFFNESS_PA = 1.204 * SPEED_OF_SOUND_M_S**2
# What is known of a driver comes in one of these forms
BY_VOLUME, BY_MASS = ("qts", "vas_l", "sd_cm2"), ("mms_g", "bl_tm")


@dataclass(frozen=True)
class ThieleSmall:
    """Parameters of a driver as its data sheet has them, and what it is played by.

    Either ``qts``, ``vas_l`` and ``sd_cm2``, or ``mms_g`` and ``bl_tm``, tell the driver.

    Parameters
    ----------
    volts : float
        Peak voltage at full scale of plain stereo.
    xmax_mm : float
        How far it may go to one side.
    fs_hz, re_ohm : float
        Resonance in free air, and resistance of the coil.
    qts, vas_l, sd_cm2 : float, optional
        Total quality factor, equivalent volume and area of the diaphragm.
    mms_g, bl_tm : float, optional
        Moving mass and force factor.
    qms : float, optional
        Mechanical quality factor; without it all damping counts as electric, and excursion as too much at most.
    box_l : float, optional
        Volume of its closed box, for which ``sd_cm2`` must be known; free air by default.
    most_volts : float, optional
        Most peak voltage that it bears.

    Examples
    --------
    >>> driver = ThieleSmall(volts=8.0, xmax_mm=2.0, fs_hz=100.0, re_ohm=4.0, qts=0.5, vas_l=1.0, sd_cm2=50.0)
    >>> driver.most_db([10.0, 100.0, 1000.0]).round(1).tolist()
    [-5.5, 0.5, 34.5]
    """

    volts: float
    xmax_mm: float
    fs_hz: float
    re_ohm: float
    qts: float | None = None
    vas_l: float | None = None
    sd_cm2: float | None = None
    mms_g: float | None = None
    bl_tm: float | None = None
    qms: float | None = None
    box_l: float | None = None
    most_volts: float | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            volts=within(0.01, 1000.0),
            xmax_mm=within(0.01, 100.0),
            fs_hz=within(5.0, 5000.0),
            re_ohm=within(0.1, 1000.0),
            qts=optional(within(0.05, 10.0)),
            vas_l=optional(within(1e-4, 1e4)),
            sd_cm2=optional(within(0.1, 1e4)),
            mms_g=optional(within(1e-3, 1e4)),
            bl_tm=optional(within(0.01, 100.0)),
            qms=optional(within(0.1, 100.0)),
            box_l=optional(within(1e-4, 1e4)),
            most_volts=optional(within(0.01, 1000.0)),
        )
        known = [key for key in (*BY_VOLUME, *BY_MASS) if getattr(self, key) is not None]
        given = set(known) - ({"sd_cm2"} if self.mms_g is not None else set())
        if given not in (set(BY_VOLUME), set(BY_MASS)):
            raise ValueError(
                f"{', '.join(known) or 'nothing'}: must be either {', '.join(BY_VOLUME)} or {', '.join(BY_MASS)}"
            )
        if self.box_l is not None and self.sd_cm2 is None:
            raise ValueError(f"box_l = {self.box_l}: needs sd_cm2, the area that presses on the air of the box")
        if self.qts is not None and self.qms is not None and self.qms <= self.qts:
            raise ValueError(f"qms = {self.qms}: must be above qts = {self.qts}, which has it in it")

    def excursion_mm(self, frequency_hz: ArrayLike) -> FloatArray:
        """How far it goes to one side for a sine at full scale, shape (n,)."""
        turn = 2.0 * math.pi * np.asarray(frequency_hz, dtype=np.float64)
        mass, stiffness, force, resistance = self._mechanics()
        box = 0.0 if self.box_l is None else self._air_n_m(self.box_l)
        moved: FloatArray = np.abs(
            1000.0 * self.volts * force / self.re_ohm / (stiffness + box - turn**2 * mass + 1j * turn * resistance)
        )
        return moved

    def most_db(self, frequency_hz: ArrayLike) -> FloatArray:
        """The most it may be fed, over full scale of plain stereo, shape (n,)."""
        most: FloatArray = self.xmax_mm / self.excursion_mm(frequency_hz)
        if self.most_volts is not None:
            most = np.minimum(most, self.most_volts / self.volts)
        return 20.0 * np.log10(most)

    def _mechanics(self) -> tuple[float, float, float, float]:
        """Mass in kg, stiffness in N/m without the box, force factor in Tm, and resistance in Ns/m."""
        turn = 2.0 * math.pi * self.fs_hz
        if self.mms_g is not None and self.bl_tm is not None:
            mass = self.mms_g / 1000.0
            lost = 0.0 if self.qms is None else turn * mass / self.qms
            return mass, turn**2 * mass, self.bl_tm, lost + self.bl_tm**2 / self.re_ohm
        assert self.vas_l is not None
        assert self.qts is not None
        stiffness = self._air_n_m(self.vas_l)
        mass = stiffness / turn**2
        electric = self.qts if self.qms is None else self.qts * self.qms / (self.qms - self.qts)
        return mass, stiffness, math.sqrt(turn * mass * self.re_ohm / electric), turn * mass / self.qts

    def _air_n_m(self, volume_l: float) -> float:
        """Stiffness of so much air at the diaphragm."""
        assert self.sd_cm2 is not None
        return STIFFNESS_PA * (self.sd_cm2 / 1e4) ** 2 / (volume_l / 1e3)


def thiele_small(value: object, where: str) -> ThieleSmall:
    """Read the table of a device file."""
    if not isinstance(value, dict):
        raise ValueError(f"{where} = {value!r}: must be a table such as {{ volts = 8.0, xmax_mm = 2.0, ... }}")
    allowed = ThieleSmall.__dataclass_fields__
    for key in value:
        if key not in allowed:
            raise ValueError(f"{where}.{key} = {value[key]!r}: unknown key; allowed: {', '.join(allowed)}")
    for key in ("volts", "xmax_mm", "fs_hz", "re_ohm"):
        number(value.get(key), f"{where}.{key}")
    try:
        return ThieleSmall(**value)
    except ValueError as error:
        raise ValueError(f"{where}.{error}") from None
