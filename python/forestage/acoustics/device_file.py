"""Devices as TOML files (``presets/devices``). Every mistake in one is reported with the field and its value."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from forestage.acoustics.device import Device
from forestage.acoustics.driver import Body, Driver, points
from forestage.acoustics.field_check import inside, named, number, numbers, shown, text, within
from forestage.acoustics.head import Head
from forestage.acoustics.measured_driver import (
    MeasuredDirectivity,
    at_common_level,
    load_directivity,
    load_impulse_responses,
)
from forestage.acoustics.measured_ears import (
    LENGTH_S,
    WINDOW_MS,
    EarPlace,
    MeasuredEars,
    Points,
    load_ear_responses,
    load_ears_sofa,
)
from forestage.acoustics.measured_head import MeasuredHead, load_head
from forestage.acoustics.seat import Listener, Vector
from forestage.acoustics.thiele_small import thiele_small
from forestage.catalogue import device_path
from forestage.files import checked_path, read_text

AIM = ("azimuth_deg", "elevation_deg")
CAP = (*AIM, "cap_half_angle_deg")
MEASURED = ("directivity_sofa", "impulse_responses")
# Keys of the spherical head, and what they are called in `Head`
SPHERE = {"head_radius_m": "radius_m", "ear_azimuth_deg": "ear_azimuth_deg", "ear_elevation_deg": "ear_elevation_deg"}
HEAD = ("head_sofa", *SPHERE)
ROOM = ("room_m3", "room_rt60_s")
EARS = ("ears_sofa", "ear_responses")
OF_EARS = ("ears_snr_db", "ears_window_ms")
# What a driver says of itself, but for where it is and what limits it
ELECTRIC = (
    "response_db",
    "max_db",
    "low_hz",
    "high_hz",
    "bass_to",
    "level_db",
    "delay_ms",
    "inverted",
    "is_reference",
    "ear",
)

POINTS = ("response_db", "max_db")


def load_device(path: str | Path) -> Device:
    """Read a device.

    Parameters
    ----------
    path : str or Path
        The name of a factory device such as ``"laptop"``, or a TOML file.

    Returns
    -------
    Device
        The validated device.

    Raises
    ------
    FileNotFoundError
        When there is no such factory device or file.
    ValueError
        When the file is not TOML, or a field is missing, unknown, of the wrong type or out of range; the message names
        the file, the field and its value.
    """
    path = device_path(checked_path(path, "path", "a name, or that of a device file"))
    try:
        return parse_device(tomllib.loads(read_text(path)), folder=path.parent)
    except RecursionError:
        raise ValueError(f"{path}: not TOML that can be read: too many levels of nesting") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def parse_device(table: Mapping[str, Any], folder: str | Path | None = None) -> Device:
    """Make a device of the parsed TOML table; see `load_device`. Files it names are sought in ``folder``."""
    _only(table, "", ("name", "text", "listener", "body", "driver"))
    rows = table.get("driver", [])
    if not isinstance(rows, list) or not rows:
        raise ValueError(f"driver = {shown(rows)}: a device needs drivers, as [[driver]] tables")
    body = _table(table, "body", ("radius_m",)) if "body" in table else None
    listener = _table(table, "listener", ("distance_m", *HEAD, *ROOM, *EARS, *OF_EARS))
    folder = Path(folder or ".")
    drivers = [_driver(row, f"driver[{index}]", folder) for index, row in enumerate(rows)]
    with inside("listener"):
        room = {key: listener[key] for key in ROOM if key in listener}
        ears = _ears(listener, [driver.name for driver in drivers], folder)
        distance_m = listener.get("distance_m")
        head = parse_head({key: listener[key] for key in HEAD if key in listener}, folder, distance_m=distance_m)
        listens = Listener(distance_m, head, **room, ears=ears)  # type: ignore[arg-type]
    return Device(
        name=table.get("name"),  # type: ignore[arg-type]
        text=table.get("text", ""),
        drivers=_at_common_level(drivers),
        listener=listens,
        body=None if body is None else _body(body),
    )


def _body(table: Mapping[str, Any]) -> Body:
    with inside("body"):
        return Body(table.get("radius_m"))  # type: ignore[arg-type]


def device_table(device: Device) -> dict[str, Any]:
    """Write a device as the table that `parse_device` reads."""
    listener: dict[str, Any] = {"distance_m": device.listener.distance_m}
    head = device.listener.head
    if isinstance(head, MeasuredHead):
        listener["head_sofa"] = head.file
    else:
        listener |= {key: getattr(head, field) for key, field in SPHERE.items()}
    usual = Listener(device.listener.distance_m)
    listener |= {key: value for key in ROOM if (value := getattr(device.listener, key)) != getattr(usual, key)}
    if device.listener.ears is not None:
        listener |= device.listener.ears.origin
        if device.listener.ears.snr_db:
            lists = [[list(point) for point in points] for points in device.listener.ears.snr_db]
            listener["ears_snr_db"] = lists if len(lists) > 1 else lists[0]
        if device.listener.ears.window_s != LENGTH_S:
            listener["ears_window_ms"] = 1000.0 * device.listener.ears.window_s
    table = {
        "name": device.name,
        "text": device.text,
        "listener": listener,
        "driver": [_driver_table(driver) for driver in device.drivers],
    }
    if device.body is not None:
        table["body"] = {"radius_m": device.body.radius_m}
    return table


def _driver_table(driver: Driver) -> dict[str, Any]:
    table: dict[str, Any] = {"name": driver.name, "channel": driver.channel}
    if driver.position_m is not None:
        table["position_m"] = list(driver.position_m)
    if driver.cap_half_angle_deg is not None:
        table |= {key: getattr(driver, key) for key in CAP}
    elif driver.directivity is not None:
        table |= driver.directivity.origin
        table |= {key: getattr(driver, key) for key in AIM if getattr(driver, key) != 0.0}
    for key in ELECTRIC:
        value = getattr(driver, key)
        if value not in (None, 0.0, False, ()):
            table[key] = [list(point) for point in value] if key in POINTS else value
    if driver.bass_to is not None:
        table["bass_to"] = list(driver.bass_to)
    if driver.thiele_small is not None:
        told = vars(driver.thiele_small)
        table["thiele_small"] = {key: value for key, value in told.items() if value is not None}
    return table


def parse_head(table: Mapping[str, Any], folder: str | Path, *, distance_m: Any) -> Head | MeasuredHead:
    """Make a head of the keys `HEAD`, heard from a distance; messages name fields within the table."""
    if "head_sofa" not in table:
        return Head(**{field: number(table[key], key) for key, field in SPHERE.items() if key in table})
    for key in SPHERE:
        if key in table:
            raise ValueError(f"{key} = {shown(table[key])}: a measured head (head_sofa) has its own")
    name = text(table["head_sofa"], "head_sofa")
    away_m = max(number(distance_m, "distance_m"), 0.01)
    path = Path(folder) / name
    try:
        return replace(_measured_head(path, path.stat().st_mtime_ns if path.is_file() else 0, away_m), file=name)
    except ValueError as error:
        raise ValueError(f"head_sofa: {error}") from error


@lru_cache(maxsize=4)
def _measured_head(path: Path, _changed_ns: int, distance_m: float) -> MeasuredHead:
    """Of a file as it is: many devices may have one head, and it takes a while to understand it."""
    return load_head(path, distance_m=distance_m)


def _ears(listener: Mapping[str, Any], drivers: list[str], folder: Path) -> MeasuredEars | None:
    """What was measured at the ears; messages name fields within the listener's table."""
    if not any(key in listener for key in EARS):
        _refuse(listener, "", OF_EARS, "goes with ears_sofa or ear_responses")
        return None
    window_s = within(*WINDOW_MS)(listener.get("ears_window_ms", 1000.0 * LENGTH_S), "ears_window_ms") / 1000.0
    snr_db = _snr_db(listener.get("ears_snr_db", ()), "ears_snr_db")
    key = next(key for key in EARS if key in listener)
    try:
        if key == "ears_sofa":
            _refuse(listener, "", ("ear_responses",), "a plant with ears_sofa has none")
            name = text(listener[key], key)
            return replace(load_ears_sofa(folder / name, snr_db=snr_db), origin={key: name}, window_s=window_s)
        rows = [_ear_row(row, index, drivers, folder) for index, row in enumerate(_rows(listener[key]))]
        read = load_ear_responses(rows, drivers=len(drivers), snr_db=snr_db)
        return replace(read, origin={key: listener[key]}, window_s=window_s)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from error


def _snr_db(value: Any, where: str) -> tuple[Points, ...]:
    """One list of points for all places, or a list of such lists, one a place."""
    try:
        is_by_place = isinstance(value[0][0], list | tuple)
    except (IndexError, KeyError, TypeError):
        is_by_place = False
    if not is_by_place:
        return (points(value, where),) if value else ()
    return tuple(points(each, f"{where}[{index}]") for index, each in enumerate(value))


def _rows(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{shown(value)}: must be a list of {{file, driver, position_m}}")
    return value


def _ear_row(row: Any, index: int, drivers: list[str], folder: Path) -> tuple[Path, int, EarPlace]:
    if not isinstance(row, Mapping):
        raise ValueError(f"[{index}] = {shown(row)}: must be a table {{file, driver, position_m}}")
    _only(row, f"[{index}]", ("file", "driver", "position_m", "yaw_deg"))
    name = text(row.get("driver"), f"[{index}].driver")
    if name not in drivers:
        raise ValueError(f'[{index}].driver = "{name}": must be one of {", ".join(drivers)}')
    yaw_deg = within(-180.0, 180.0)(row.get("yaw_deg", 0.0), f"[{index}].yaw_deg")
    path = folder / text(row.get("file"), f"[{index}].file")
    return path, drivers.index(name), EarPlace(_position(row, f"[{index}]"), yaw_deg)


def _at_common_level(drivers: list[Driver]) -> tuple[Driver, ...]:
    """Drivers whose measured ones share a level; see `at_common_level`."""
    measured = [driver.directivity for driver in drivers if driver.directivity is not None]
    levelled = iter(at_common_level(measured) if measured else [])
    return tuple(
        driver if driver.directivity is None else replace(driver, directivity=next(levelled)) for driver in drivers
    )


def _driver(row: Any, where: str, folder: Path) -> Driver:
    if not isinstance(row, Mapping):
        raise ValueError(f"{where} = {shown(row)}: must be a table")
    _only(row, where, ("name", "channel", "position_m", *CAP, *MEASURED, *ELECTRIC, "thiele_small"))
    fields = {key: row[key] for key in ELECTRIC if key in row} | _place(row, where, folder)
    if "thiele_small" in row:
        fields["thiele_small"] = thiele_small(row["thiele_small"], f"{where}.thiele_small")
    with inside(where):
        return Driver(row.get("name"), row.get("channel"), **fields)  # type: ignore[arg-type]


def _place(row: Mapping[str, Any], where: str, folder: Path) -> dict[str, Any]:
    """Where a driver is and what it radiates: a measured one, a point, or a cap on the body."""
    if "directivity_sofa" in row:
        _refuse(row, where, ("impulse_responses", "cap_half_angle_deg"), "a driver with directivity_sofa has none")
        aim = {key: row[key] for key in AIM if key in row}
        return {"position_m": _position(row, where), "directivity": _from_sofa(row, where, folder), **aim}
    if "impulse_responses" in row:
        _refuse(row, where, CAP, "impulse_responses tell positions, so that there is no aim")
        return {"position_m": _position(row, where), "directivity": _from_impulses(row, where, folder)}
    if "position_m" in row:
        _refuse(row, where, CAP, "a driver has either position_m or a cap, not both")
        return {"position_m": _position(row, where)}
    if "cap_half_angle_deg" in row:
        return {"azimuth_deg": row.get("azimuth_deg")} | {key: row[key] for key in CAP if key in row}
    return {}


def _from_sofa(row: Mapping[str, Any], where: str, folder: Path) -> MeasuredDirectivity:
    name = text(row["directivity_sofa"], f"{where}.directivity_sofa")
    try:
        return replace(load_directivity(folder / name), origin={"directivity_sofa": name})
    except ValueError as error:
        raise ValueError(f"{where}.directivity_sofa: {error}") from error


def _from_impulses(row: Mapping[str, Any], where: str, folder: Path) -> MeasuredDirectivity:
    items, where = row["impulse_responses"], f"{where}.impulse_responses"
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise ValueError(f"{where} = {shown(items)}: must be a list of {{file, position_m}}")
    files = []
    for index, item in enumerate(items):
        here = f"{where}[{index}]"
        _only(item, here, ("file", "position_m"))
        files.append((folder / text(item.get("file"), f"{here}.file"), _position(item, here)))
    try:
        directivity = load_impulse_responses(files, position_m=_position(row, where))
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    return replace(directivity, origin={"impulse_responses": [dict(item) for item in items]})


def _position(row: Mapping[str, Any], where: str) -> Vector:
    x, y, z = numbers(3)(row.get("position_m"), f"{where}.position_m")
    return x, y, z


def _refuse(row: Mapping[str, Any], where: str, keys: tuple[str, ...], why: str) -> None:
    for key in keys:
        if key in row:
            raise ValueError(f"{where}.{key} = {shown(row[key])}: {why}")


def _join(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _only(table: Mapping[str, Any], where: str, keys: tuple[str, ...]) -> None:
    for key in table:
        if key not in keys:
            raise ValueError(f"{_join(where, key)} = {shown(table[key])}: unknown key; allowed: {', '.join(keys)}")


def _table(table: Mapping[str, Any], key: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
    value = table.get(key)
    if not isinstance(value, Mapping):
        raise ValueError(f"{named(value, key)}: must be a table [{key}]")
    _only(value, key, keys)
    return value
