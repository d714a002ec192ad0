"""Sizes that no loudspeaker in a room has: centimetres typed as metres."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forestage.acoustics.device import Device

MOST_WIDTH_M = 4.0
MOST_SEAT_M = 12.0
MOST_BODY_M = 0.6


def doubts(device: Device) -> list[str]:
    """What is hard to believe about the geometry of a device, a line each, with what may have been meant.

    Examples
    --------
    >>> from forestage.acoustics.driver import Driver
    >>> from forestage.acoustics.seat import Listener
    >>> drivers = (Driver("l", "left", (0.0, 7.0, 0.0)), Driver("r", "right", (0.0, -7.0, 0.0)))
    >>> for line in doubts(Device("Laptop", drivers, Listener(50.0))):
    ...     print(line)
    the drivers stand 14 m apart; was 0.14 m meant? Sizes are in metres
    the listener sits 50 m away; was 0.5 m meant? Sizes are in metres
    """
    return [f"{text}; was {value / 100:g} m meant? Sizes are in metres" for text, value in _too_large(device)]


def _too_large(device: Device) -> Iterator[tuple[str, float]]:
    if device.is_headphones:
        return
    centres = np.array([field.centre_m for field in device.fields])
    width_m = round(float(np.linalg.norm(centres[:, None] - centres, axis=-1).max()), 4)
    if width_m > MOST_WIDTH_M:
        yield f"the drivers stand {width_m:g} m apart", width_m
    if device.listener.distance_m > MOST_SEAT_M:
        yield f"the listener sits {device.listener.distance_m:g} m away", device.listener.distance_m
    if device.body is not None and device.body.radius_m > MOST_BODY_M:
        yield f"the body has a radius of {device.body.radius_m:g} m", device.body.radius_m
