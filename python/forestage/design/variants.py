"""Variants of a preset: for whom it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from forestage.acoustics.device import Device
from forestage.design.beam import BeamTarget
from forestage.design.cancel import CancelTarget

CLOSE_RATIO = 0.5
WIDE_LATERAL_RATIO = 0.06
WIDE_YAW_DEG = 20.0


@dataclass(frozen=True)
class Variant:
    """What a variant changes.

    Parameters
    ----------
    title : str
        What is added to the name of the preset; empty for the standard one.
    is_wide : bool
        Made for heads that move twice as far, and for listeners all over the window of the beam: less separation at the
        seat and more beside it, and an even centre rather than a near one.
    is_close : bool
        Made for a listener at half the distance.
    is_free_field : bool
        Best where nothing reflects, at the very seat: wider and further apart there, and more reverberant in a room.
    """

    title: str
    is_wide: bool = False
    is_close: bool = False
    is_free_field: bool = False

    def of(self, device: Device, target: CancelTarget, beam: BeamTarget) -> tuple[Device, CancelTarget, BeamTarget]:
        """The device with the listener of the variant, and the targets for the listeners."""
        if self.is_close:
            listener = replace(device.listener, distance_m=CLOSE_RATIO * device.listener.distance_m)
            device = replace(device, listener=listener)
        if self.is_wide:
            lateral_m = WIDE_LATERAL_RATIO * device.listener.distance_m
            # Errors of the drivers narrow the zone, so they count by half
            zone = replace(
                target.zone,
                lateral_m=lateral_m,
                yaw_deg=WIDE_YAW_DEG,
                driver_error_db=0.5 * target.zone.driver_error_db,
                driver_error_deg=0.5 * target.zone.driver_error_deg,
            )
            target = replace(target, zone=zone)
            beam = replace(beam, carry_db=None)
        if self.is_free_field:
            target = target.in_free_field()
        return device, target, beam


VARIANTS: Mapping[str, Variant] = {
    "standard": Variant(""),
    "wide-zone": Variant("Wide Zone", is_wide=True),
    "close": Variant("Close", is_close=True),
    "free-field": Variant("Free Field", is_free_field=True),
}
