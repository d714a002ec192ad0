"""What a room makes of a design: the reverberation that its drivers leave at an ear, and how much of that may be.

Cancellation is paid for in radiated power, and what is radiated comes back from everywhere. In a diffuse field weights
w of the drivers leave ``w^H R w`` at each ear, with

    R = K / r^2

where K is the mean power in all directions (`forestage.acoustics.plant.mean_power`) and r the critical distance of a
point source in the listener's room. The direct sound of both ears over it is what makes a sound near.
What matters is thus the distance of the seat over r, by R and by nothing else: in front of a laptop it says next to
nothing, across a living room it says most.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.plant import mean_power
from forestage.arrays import ComplexArray, FloatArray
from forestage.short_repr import ShortRepr


@dataclass(frozen=True, repr=False)
class RoomTarget(ShortRepr):
    """How near sounds stay in the listener's room.

    Parameters
    ----------
    weight : float
        Share of the reverberation that counts as heard at every ear while the far ears are made quiet.
    drive_share : float
        Share of that which is counted by the drivers' power, wherever it goes: errors of drivers do not cancel.
    loss_db : tuple of (float, float)
        Most that direct over reverberant sound may lose against plain stereo, as (Hz, dB) points, for the cancellation
        alone and with the virtual pair; straight over the logarithm of frequency, held outside. Half a dB of it is
        left to the filters.
    near_db : float
        Direct over reverberant sound that is near enough whatever plain stereo has.
    center_lead_db : float
        Most direct over reverberant sound that the centre may have over the sides: 2 dB more than between two
        loudspeakers. It is never less than their centre has, so that voices do not sink.
    """

    weight: float = 0.004
    drive_share: float = 0.1
    loss_db: tuple[tuple[float, float], ...] = ((600.0, 8.3), (1000.0, 5.5))
    near_db: float = 0.0
    center_lead_db: float = 1.4

    def __post_init__(self) -> None:
        for name in ("weight", "drive_share"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0.0):
                raise ValueError(f"{name} = {getattr(self, name)}: must be finite and not negative")
        points = np.array(self.loss_db, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"loss_db = {self.loss_db}: must be finite (Hz, dB) points")
        if points[0, 0] <= 0.0 or np.any(np.diff(points[:, 0]) <= 0.0) or points[:, 1].min() < 0.0:
            raise ValueError(f"loss_db = {self.loss_db}: frequencies must rise from above 0, losses be 0 or more")
        for name in ("near_db", "center_lead_db"):
            if not np.isfinite(getattr(self, name)):
                raise ValueError(f"{name} = {getattr(self, name)}: must be finite")


@dataclass(frozen=True, repr=False)
class Reverberation(ShortRepr):
    """What the room leaves at an ear, on the grid of a problem.

    Attributes
    ----------
    power : ndarray of complex, shape (n, drivers, drivers)
        Matrices R: weights w leave ``w^H R w`` at each ear.
    weighed : ndarray of complex, shape (n, drivers, drivers)
        The part that counts as heard while the far ears are made quiet.
    loss : ndarray, shape (n,)
        Most reverberation over direct sound, relative to plain stereo.
    near : float
        Reverberation at an ear over the direct sound at both that is near enough.
    lead : float
        Least reverberation over direct sound of the centre, relative to the sides.
    """

    power: ComplexArray
    weighed: ComplexArray
    loss: FloatArray
    near: float
    lead: float

    @classmethod
    def of(cls, device: Device, frequency_hz: FloatArray, target: RoomTarget) -> Reverberation:
        """Compute it for a device."""
        power = mean_power(device, frequency_hz) / device.listener.omni_critical_m**2
        alone = np.einsum("fdd->f", power).real / power.shape[-1]
        weighed = target.weight * (power + target.drive_share * alone[:, None, None] * np.eye(power.shape[-1]))
        hz, loss_db = np.array(target.loss_db).T
        loss = 10.0 ** (np.interp(np.log(np.maximum(frequency_hz, 1.0)), np.log(hz), loss_db) / 10)
        near, lead = 10.0 ** (-target.near_db / 10) / 2.0, 10.0 ** (-target.center_lead_db / 10)
        return cls(power, weighed, loss, near, lead)

    def at_an_ear(self, weights: ComplexArray, others: ComplexArray | None = None) -> ComplexArray:
        """``w^H R v`` of weights (drivers, channels, n), and v the same or others, shape (channels, n)."""
        others = weights if others is None else others
        heard: ComplexArray = np.einsum("dcf,fde,ecf->cf", weights.conj(), self.power, others, optimize=True)
        return heard

    def most(self, plain: ComplexArray, wanted: ComplexArray) -> FloatArray:
        """Most power at an ear for the cancellation, whose near ears are those wanted of plain stereo, shape (2, n)."""
        return np.maximum(self.loss * self.at_an_ear(plain).real, self.near * np.abs(wanted) ** 2)

    def most_with_pair(self, plain: ComplexArray, ears: ComplexArray) -> FloatArray:
        """Most power at an ear over the direct sound at both, by what plain stereo has, shape (2, n)."""
        return np.maximum(self.loss * self.at_an_ear(plain).real / np.sum(np.abs(ears) ** 2, axis=0), self.near)
