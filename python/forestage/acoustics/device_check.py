"""What a device must keep to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from forestage.acoustics.field_check import above_zero, number, numbers, shown, text
from forestage.acoustics.head import Head
from forestage.acoustics.measured_driver import WIDEST_GAP_DEG, MeasuredField

if TYPE_CHECKING:
    from forestage.acoustics.device import Device, Driver

MAX_DRIVERS = 16
MOST_DISTANCE_M = 100.0
CROSSOVER_RANGE_HZ = (20.0, 16_000.0)
MAX_LEVEL_DB = 24.0
MAX_RELATIVE_DELAY_MS = 2.5


def check_order(driver: Driver) -> None:
    """Refuse a crossover whose edges are the wrong way round."""
    if driver.octaves <= 0.0:
        raise ValueError(f"high_hz = {driver.high_hz}: must be above low_hz = {driver.low_hz}")


def half_angle(value: Any, where: str) -> float:
    """Check the half opening angle of a cap."""
    result = number(value, where)
    if not 0.0 < result <= 90.0:
        raise ValueError(f"{where} = {result}: must be above 0 and at most 90")
    return result


def response(value: Any, where: str) -> tuple[tuple[float, ...], ...]:
    """Check a measured response."""
    if not isinstance(value, list | tuple | np.ndarray):
        raise ValueError(f"{where} = {shown(value)}: must be a list of [hz, db] pairs")
    points = tuple(numbers(2)(pair, f"{where}[{index}]") for index, pair in enumerate(value))
    previous_hz = 0.0
    for index, (hz, db) in enumerate(points):
        if hz <= previous_hz:
            raise ValueError(f"{where}[{index}] = [{hz}, {db}]: frequencies must be above 0 and rising")
        previous_hz = hz
    return points


def distance(value: Any, where: str) -> float:
    """Check how far away a listener is."""
    result = above_zero(value, where)
    if result > MOST_DISTANCE_M:
        raise ValueError(f"{where} = {result}: must be at most {MOST_DISTANCE_M:g}")
    return result


def head(value: Any, where: str) -> Any:
    """Check that something hears."""
    if not (hasattr(value, "ears") and hasattr(value, "radius_m")):
        raise ValueError(f"{where} = {shown(value)}: must be a Head, or what load_head returns")
    return value


def drivers(value: Any, where: str) -> tuple[Any, ...]:
    """Check a sequence, as a tuple."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"{where} = {shown(value)}: must be a tuple of Driver")
    return tuple(value)


def one_line(value: Any, where: str) -> str:
    """Check what is said about a device."""
    result = text(value, where)
    if len(result) > 1000 or not result.isprintable():
        raise ValueError(f"{where} = {result[:40]!r}...: must be one line of at most 1000 characters")
    return result


def check_device(device: Device) -> None:
    """Refuse a device that cannot be, with a `ValueError` that names the field, its value and what would be right."""
    if not device.drivers:
        raise ValueError("driver = []: a device needs drivers")
    if len(device.drivers) > MAX_DRIVERS:
        raise ValueError(f"driver: {len(device.drivers)} of them; must be at most {MAX_DRIVERS}")
    _check_listener(device)
    names: set[str] = set()
    for index, driver in enumerate(device.drivers):
        where = f"driver[{index}]"
        if driver.name in names:
            raise ValueError(f'{where}.name = "{driver.name}": another driver has this name')
        names.add(driver.name)
        _check_place(device, driver, where)
    _check_delays(device)
    _check_sides(device)


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
    above_zero(head.radius_m, "listener.head_radius_m")
    if isinstance(head, Head) and not 0.0 < head.ear_azimuth_deg < 180.0:
        raise ValueError(f"listener.ear_azimuth_deg = {head.ear_azimuth_deg}: must be above 0 and below 180")
    if isinstance(head, Head) and not -90.0 < head.ear_elevation_deg < 90.0:
        raise ValueError(f"listener.ear_elevation_deg = {head.ear_elevation_deg}: must be within -90..90")
    reach = head.radius_m
    if body is not None:
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
    for index, other in enumerate(device.drivers[: device.drivers.index(driver)]):
        if other.position_m is None and np.allclose(other.axis, driver.axis):
            raise ValueError(f"{where}.azimuth_deg = {driver.azimuth_deg}: driver[{index}] points there too")


def _check_delays(device: Device) -> None:
    delays = [driver.delay_ms for driver in device.drivers]
    spread = max(delays) - min(delays)
    if spread > MAX_RELATIVE_DELAY_MS:
        raise ValueError(
            f"driver[].delay_ms = {delays}: {spread:g} ms apart; the equalisers make up for {MAX_RELATIVE_DELAY_MS} ms"
        )
