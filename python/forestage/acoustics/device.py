"""What a device is: drivers, the body that carries them, and where its listener sits.

Devices are TOML files (``presets/devices``). Every mistake in one is reported with the field and its value.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from forestage.acoustics.head import FloatArray, Head

Channel = Literal["left", "right", "center"]
MAX_DRIVERS = 16
CHANNELS: tuple[Channel, ...] = ("left", "right", "center")
Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Driver:
    """One driver: a point at ``position_m`` in the free field, or a cap piston on the spherical body.

    Parameters
    ----------
    name : str
        Unique name.
    channel : {"left", "right", "center"}
        "left" and "right" play plain stereo and cancel the crosstalk; "center" only takes part in the centre beam.
    position_m : tuple of float, optional
        (x, y, z) from the device's origin: x to the listener, y to the listener's left, z up.
    azimuth_deg, elevation_deg, cap_half_angle_deg : float, optional
        Axis and half opening angle of a cap piston on the body.
    response_db : tuple of (float, float)
        Measured deviation from flat as (Hz, dB) breakpoints, to be equalised; empty for none.
    """

    name: str
    channel: Channel
    position_m: Vector | None = None
    azimuth_deg: float = 0.0
    elevation_deg: float = 0.0
    cap_half_angle_deg: float | None = None
    response_db: tuple[tuple[float, float], ...] = ()

    @property
    def y_position(self) -> float:
        """How far to the listener's left: metres for a point, share of the body's radius for a cap."""
        return self.position_m[1] if self.position_m is not None else float(self.axis[1])

    @property
    def axis(self) -> FloatArray:
        """Unit vector of a cap piston's axis, shape (3,)."""
        azimuth, elevation = np.deg2rad(self.azimuth_deg), np.deg2rad(self.elevation_deg)
        level = np.cos(elevation)
        return np.array([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)])


@dataclass(frozen=True)
class Body:
    """A rigid sphere around the device's origin."""

    radius_m: float


@dataclass(frozen=True)
class Listener:
    """A listener in front of the device, at (distance_m, 0, 0), who faces it."""

    distance_m: float
    head: Head = Head()


@dataclass(frozen=True)
class Device:
    """A loudspeaker and its listener.

    Examples
    --------
    >>> drivers = (Driver("l", "left", (0.0, 0.1, 0.0)), Driver("r", "right", (0.0, -0.1, 0.0)))
    >>> device = Device("Pair", drivers, Listener(1.0))
    >>> device.slug, device.index("right"), device.has_center
    ('pair', 1, False)
    """

    name: str
    drivers: tuple[Driver, ...]
    listener: Listener
    body: Body | None = None
    text: str = ""

    def __post_init__(self) -> None:
        _check(self)

    @property
    def slug(self) -> str:
        """Name in lower case with hyphens."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-") or "device"

    @property
    def has_center(self) -> bool:
        """Whether a third driver makes a centre beam possible."""
        return any(driver.channel == "center" for driver in self.drivers)

    @property
    def stereo(self) -> list[int]:
        """Positions in ``drivers`` of the left and the right driver."""
        return [self.index("left"), self.index("right")]

    def index(self, channel: Channel) -> int:
        """Position in ``drivers`` of the first driver of a channel."""
        return [driver.channel for driver in self.drivers].index(channel)


def load_device(path: str | Path) -> Device:
    """Read a device file.

    Parameters
    ----------
    path : str or Path
        A TOML file.

    Returns
    -------
    Device
        The validated device.

    Raises
    ------
    ValueError
        When the file is not TOML, or a field is missing, unknown, of the wrong type or out of range; the message names
        the file, the field and its value.
    """
    path = Path(path)
    try:
        return parse_device(tomllib.loads(path.read_text(encoding="utf-8")))
    except (ValueError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error


def parse_device(table: Mapping[str, Any]) -> Device:
    """Make a device of the parsed TOML table; see `load_device`."""
    _only(table, "", ("name", "text", "listener", "body", "driver"))
    rows = table.get("driver", [])
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"driver = {rows!r}: a device needs drivers, as [[driver]] tables")
    body = _table(table, "body", ("radius_m",)) if "body" in table else None
    listener = _table(table, "listener", ("distance_m", "head_radius_m", "ear_azimuth_deg"))
    head = Head(
        _number(listener, "listener", "head_radius_m", default=Head.radius_m),
        _number(listener, "listener", "ear_azimuth_deg", default=Head.ear_azimuth_deg),
    )
    return Device(
        name=_text(table, "", "name"),
        text=_text(table, "", "text", default=""),
        drivers=tuple(_driver(row, f"driver[{index}]") for index, row in enumerate(rows)),
        listener=Listener(_number(listener, "listener", "distance_m"), head),
        body=None if body is None else Body(_number(body, "body", "radius_m")),
    )


def _driver(row: Any, where: str) -> Driver:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} = {row!r}: must be a table")
    piston = ("azimuth_deg", "elevation_deg", "cap_half_angle_deg")
    _only(row, where, ("name", "channel", "position_m", "response_db", *piston))
    channel = _channel(row, where)
    if "position_m" in row:
        for key in piston:
            if key in row:
                raise ValueError(f"{where}.{key} = {row[key]!r}: a driver has either position_m or a cap, not both")
        values = _numbers(row["position_m"], f"{where}.position_m", 3)
        return Driver(
            _text(row, where, "name"), channel, (values[0], values[1], values[2]), response_db=_response(row, where)
        )
    if "cap_half_angle_deg" not in row:
        raise ValueError(f"{where}: needs position_m (a point) or cap_half_angle_deg (a cap on the body)")
    return Driver(
        _text(row, where, "name"),
        channel,
        azimuth_deg=_number(row, where, "azimuth_deg"),
        elevation_deg=_number(row, where, "elevation_deg", default=0.0),
        cap_half_angle_deg=_number(row, where, "cap_half_angle_deg"),
        response_db=_response(row, where),
    )


def _channel(row: Mapping[str, Any], where: str) -> Channel:
    text = _text(row, where, "channel")
    for channel in CHANNELS:
        if text == channel:
            return channel
    raise ValueError(f'{where}.channel = "{text}": must be one of {", ".join(CHANNELS)}')


def _response(row: Mapping[str, Any], where: str) -> tuple[tuple[float, float], ...]:
    pairs = row.get("response_db", [])
    if not isinstance(pairs, list):
        raise ValueError(f"{where}.response_db = {pairs!r}: must be a list of [hz, db] pairs")
    points = [_numbers(pair, f"{where}.response_db[{index}]", 2) for index, pair in enumerate(pairs)]
    return tuple((point[0], point[1]) for point in points)


def _check(device: Device) -> None:
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
        if driver.position_m is not None:
            _check_point(device, driver, where)
        else:
            _check_cap(device, driver, where)
    for channel in ("left", "right"):
        count = sum(driver.channel == channel for driver in device.drivers)
        if count != 1:
            raise ValueError(
                f'driver[].channel = "{channel}": a device needs exactly one such driver, this has {count}'
            )
    _check_sides(device)


def _check_line(text: str, where: str) -> None:
    if len(text) > 100 or not text.isprintable():
        raise ValueError(f"{where} = {text[:40]!r}: must be one line of at most 100 characters")


def _check_sides(device: Device) -> None:
    left, right = (device.drivers[index].y_position for index in device.stereo)
    if left <= right:
        raise ValueError(
            f'driver[{device.index("left")}].channel = "left": stands to the right of the right driver, or above it; '
            "y and azimuth are positive to the listener's left"
        )


def _check_listener(device: Device) -> None:
    listener, head, body = device.listener, device.listener.head, device.body
    _above_zero(head.radius_m, "listener.head_radius_m")
    if not 0.0 < head.ear_azimuth_deg < 180.0:
        raise ValueError(f"listener.ear_azimuth_deg = {head.ear_azimuth_deg}: must be above 0 and below 180")
    _above_zero(listener.distance_m, "listener.distance_m")
    reach = head.radius_m
    if body is not None:
        _above_zero(body.radius_m, "body.radius_m")
        reach += body.radius_m
    if listener.distance_m <= reach:
        raise ValueError(
            f"listener.distance_m = {listener.distance_m}: the device would be inside the head; must be above {reach:g}"
        )


def _check_point(device: Device, driver: Driver, where: str) -> None:
    position = driver.position_m
    assert position is not None
    if not all(math.isfinite(value) for value in position):
        raise ValueError(f"{where}.position_m = {list(position)}: must be finite")
    if device.body is not None:
        raise ValueError(f"{where}.position_m = {list(position)}: on a body drivers are caps (azimuth_deg, ...)")
    centre = (device.listener.distance_m, 0.0, 0.0)
    if math.dist(position, centre) <= device.listener.head.radius_m:
        raise ValueError(
            f"{where}.position_m = {list(position)}: inside the listener's head "
            f"(radius {device.listener.head.radius_m} m at {list(centre)})"
        )
    for index, other in enumerate(device.drivers[: device.drivers.index(driver)]):
        if other.position_m == position:
            raise ValueError(f"{where}.position_m = {list(position)}: driver[{index}] stands there too")


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


def _above_zero(value: float, where: str) -> None:
    if not (math.isfinite(value) and value > 0.0):
        raise ValueError(f"{where} = {value}: must be above 0")


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _only(table: Mapping[str, Any], where: str, keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise ValueError(f"{_join(where, key)} = {table[key]!r}: unknown key; allowed: {', '.join(keys)}")


def _table(table: Mapping[str, Any], key: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    value = table.get(key)
    if not isinstance(value, Mapping):
        raise ValueError(f"{key} = {value!r}: must be a table [{key}]")
    _only(value, key, keys)
    return value


def _text(table: Mapping[str, Any], where: str, key: str, *, default: str | None = None) -> str:
    value = table.get(key, default)
    if not isinstance(value, str):
        raise ValueError(f"{_join(where, key)} = {value!r}: must be a text")
    return value


def _number(table: Mapping[str, Any], where: str, key: str, *, default: float | None = None) -> float:
    return _finite(table.get(key, default), _join(where, key))


def _numbers(value: Any, where: str, count: int) -> list[float]:
    if not isinstance(value, list) or len(value) != count:
        raise ValueError(f"{where} = {value!r}: must be a list of {count} numbers")
    return [_finite(item, where) for item in value]


def _finite(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{where} = {value!r}: must be a number")
    if not math.isfinite(value):
        raise ValueError(f"{where} = {value!r}: must be finite")
    return float(value)
