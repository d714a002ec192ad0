"""What a device must keep to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forestage.acoustics.head import Head
from forestage.acoustics.measured_driver import WIDEST_GAP_DEG, MeasuredField

if TYPE_CHECKING:
    from forestage.acoustics.device import Device, Driver

MAX_DRIVERS = 16
MOST_DISTANCE_M = 100.0
CROSSOVER_RANGE_HZ = (20.0, 16_000.0)
MAX_LEVEL_DB = 24.0
MAX_RELATIVE_DELAY_MS = 2.5


def check_device(device: Device) -> None:
    """Refuse a device that cannot be, with a `ValueError` that names the field, its value and what would be right."""
    if not device.name.strip():
        raise ValueError(f'name = "{device.name}": must not be empty')
    _check_line(device.name, "name")
    if len(device.text) > 1000 or not device.text.isprintable():
        raise ValueError(f"text = {device.text[:40]!r}...: must be one line of at most 1000 characters")
    if not device.drivers:
        raise ValueError("driver = []: a device needs drivers")
    if len(device.drivers) > MAX_DRIVERS:
        raise ValueError(f"driver: {len(device.drivers)} of them; must be at most {MAX_DRIVERS}")
    _check_listener(device)
    names: set[str] = set()
    for index, driver in enumerate(device.drivers):
        where = f"driver[{index}]"
        if not driver.name.strip():
            raise ValueError(f'{where}.name = "{driver.name}": must not be empty')
        _check_line(driver.name, f"{where}.name")
        if driver.name in names:
            raise ValueError(f'{where}.name = "{driver.name}": another driver has this name')
        names.add(driver.name)
        _check_response(driver, where)
        _check_band(driver, where)
        _check_aim(driver, where)
        _check_place(device, driver, where)
    _check_delays(device)
    _check_sides(device)


def _check_line(text: str, where: str) -> None:
    if len(text) > 100 or not text.isprintable():
        raise ValueError(f"{where} = {text[:40]!r}: must be one line of at most 100 characters")


def _check_sides(device: Device) -> None:
    middle: dict[str, float] = {}
    for side in ("left", "right"):
        drivers = [driver for driver in device.drivers if driver.channel == side]
        if not drivers:
            raise ValueError(f'driver[].channel = "{side}": a device needs at least one such driver, this has none')
        references = [driver.name for driver in drivers if driver.is_reference]
        if len(references) > 1:
            raise ValueError(f"driver[].is_reference: both {references[0]} and {references[1]}; a side has one at most")
        middle[side] = float(np.mean([driver.y_position for driver in drivers]))
    for index, driver in enumerate(device.drivers):
        if driver.is_reference and driver.channel not in middle:
            raise ValueError(f'driver[{index}].is_reference = true: only a "left" or "right" driver can be')
    # Measured drivers may all stand at the middle of their device, and differ by where they were measured to radiate.
    is_measured = any(driver.directivity is not None for driver in device.drivers)
    is_apart = middle["left"] > middle["right"] or (is_measured and middle["left"] == middle["right"])
    if not device.is_headphones and not is_apart:
        raise ValueError(
            f'driver[{device.index("left")}].channel = "left": stands to the right of the right driver, or above it; '
            "y and azimuth are positive to the listener's left"
        )


def _check_listener(device: Device) -> None:
    listener, head, body = device.listener, device.listener.head, device.body
    _above_zero(head.radius_m, "listener.head_radius_m")
    if isinstance(head, Head) and not 0.0 < head.ear_azimuth_deg < 180.0:
        raise ValueError(f"listener.ear_azimuth_deg = {head.ear_azimuth_deg}: must be above 0 and below 180")
    if isinstance(head, Head) and not -90.0 < head.ear_elevation_deg < 90.0:
        raise ValueError(f"listener.ear_elevation_deg = {head.ear_elevation_deg}: must be within -90..90")
    _above_zero(listener.distance_m, "listener.distance_m")
    if listener.distance_m > MOST_DISTANCE_M:
        raise ValueError(f"listener.distance_m = {listener.distance_m}: must be at most {MOST_DISTANCE_M:g}")
    reach = head.radius_m
    if body is not None:
        _above_zero(body.radius_m, "body.radius_m")
        reach += body.radius_m
    if listener.distance_m <= reach:
        raise ValueError(
            f"listener.distance_m = {listener.distance_m}: the device would be inside the head; must be above {reach:g}"
        )


def _check_place(device: Device, driver: Driver, where: str) -> None:
    if driver.directivity is not None and driver.position_m is None:
        raise ValueError(f"{where}: needs position_m, where the origin of its measurement is")
    if driver.ear is not None:
        _check_capsule(device, driver, where)
    elif device.is_headphones:
        raise ValueError(f"{where}: has no ear, but other drivers do; headphones have nothing else")
    elif driver.position_m is not None:
        _check_point(device, driver, where)
    else:
        _check_cap(device, driver, where)


def _check_capsule(device: Device, driver: Driver, where: str) -> None:
    if driver.position_m is not None or driver.cap_half_angle_deg is not None or device.body is not None:
        raise ValueError(f'{where}.ear = "{driver.ear}": a headphone capsule has no position, cap or body')
    if driver.channel not in (driver.ear, "both"):
        raise ValueError(
            f'{where}.channel = "{driver.channel}": the capsule at the {driver.ear} ear plays {driver.ear} or both'
        )


def _check_point(device: Device, driver: Driver, where: str) -> None:
    position = driver.position_m
    assert position is not None
    if not all(abs(value) <= MOST_DISTANCE_M for value in position):
        raise ValueError(f"{where}.position_m = {list(position)}: must be within +-{MOST_DISTANCE_M:g} m")
    if device.body is not None:
        raise ValueError(f"{where}.position_m = {list(position)}: on a body drivers are caps (azimuth_deg, ...)")
    _check_gap(device, driver, where)
    centre = device.listener.seat.position_m
    if math.dist(position, centre) <= device.listener.head.radius_m:
        raise ValueError(
            f"{where}.position_m = {list(position)}: inside the listener's head "
            f"(radius {device.listener.head.radius_m} m at {list(centre)})"
        )
    for index, other in enumerate(device.drivers[: device.drivers.index(driver)]):
        if other.position_m == position and driver.directivity is None and other.directivity is None:
            raise ValueError(f"{where}.position_m = {list(position)}: driver[{index}] stands there too")


def _check_gap(device: Device, driver: Driver, where: str) -> None:
    """Refuse a driver that was not measured where its listener is."""
    if driver.directivity is None or not len(driver.directivity.directions):
        return
    field = MeasuredField(driver.directivity, driver.position_m or (0, 0, 0), driver.azimuth_deg, driver.elevation_deg)
    gap_deg = float(driver.directivity.gap_deg(field.seen([device.listener.seat.position_m]))[0])
    if gap_deg > WIDEST_GAP_DEG:
        raise ValueError(
            f"{where}.{next(iter(driver.directivity.origin), 'directivity')}: leaves a gap of {gap_deg:.0f} degrees "
            f"around the listener; must have a direction at least every {WIDEST_GAP_DEG:g} degrees there"
        )


def _check_cap(device: Device, driver: Driver, where: str) -> None:
    cap = driver.cap_half_angle_deg
    if cap is None:
        raise ValueError(f"{where}: needs position_m (a point) or cap_half_angle_deg (a cap on the body)")
    if device.body is None:
        raise ValueError(f"{where}.cap_half_angle_deg = {cap}: a cap needs a [body] with radius_m")
    if not 0.0 < cap <= 90.0:
        raise ValueError(f"{where}.cap_half_angle_deg = {cap}: must be above 0 and at most 90")
    for index, other in enumerate(device.drivers[: device.drivers.index(driver)]):
        if other.position_m is None and np.allclose(other.axis, driver.axis):
            raise ValueError(f"{where}.azimuth_deg = {driver.azimuth_deg}: driver[{index}] points there too")


def _check_aim(driver: Driver, where: str) -> None:
    if not -360.0 <= driver.azimuth_deg <= 360.0:
        raise ValueError(f"{where}.azimuth_deg = {driver.azimuth_deg}: must be within -360..360")
    if not -90.0 <= driver.elevation_deg <= 90.0:
        raise ValueError(f"{where}.elevation_deg = {driver.elevation_deg}: must be within -90..90")


def _check_response(driver: Driver, where: str) -> None:
    previous_hz = 0.0
    for index, (hz, db) in enumerate(driver.response_db):
        if not (math.isfinite(hz) and math.isfinite(db)) or hz <= previous_hz:
            raise ValueError(
                f"{where}.response_db[{index}] = [{hz}, {db}]: must be finite, with frequencies above 0 and rising"
            )
        previous_hz = hz


def _check_band(driver: Driver, where: str) -> None:
    low, high = CROSSOVER_RANGE_HZ
    for key in ("low_hz", "high_hz"):
        edge = getattr(driver, key)
        if edge is not None and not low <= edge <= high:
            raise ValueError(f"{where}.{key} = {edge}: must be within {low:g}..{high:g}")
    if driver.octaves <= 0.0:
        raise ValueError(f"{where}.high_hz = {driver.high_hz}: must be above low_hz = {driver.low_hz}")
    if not abs(driver.level_db) <= MAX_LEVEL_DB:
        raise ValueError(f"{where}.level_db = {driver.level_db}: must be within +-{MAX_LEVEL_DB:g}")


def _check_delays(device: Device) -> None:
    delays = [driver.delay_ms for driver in device.drivers]
    if not all(math.isfinite(delay) for delay in delays):
        raise ValueError(f"driver[].delay_ms = {delays}: must be finite")
    spread = max(delays) - min(delays)
    if spread > MAX_RELATIVE_DELAY_MS:
        raise ValueError(
            f"driver[].delay_ms = {delays}: {spread:g} ms apart; the equalisers make up for {MAX_RELATIVE_DELAY_MS} ms"
        )


def _above_zero(value: float, where: str) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{where} = {value}: must be above 0")
