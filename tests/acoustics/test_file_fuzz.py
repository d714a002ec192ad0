"""Structured mutations of measurements and device files: each is read, or refused with a message, within a second."""

import copy
import random
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forestage.acoustics.device_file import parse_device
from forestage.acoustics.head_measurement import read_measurement
from forestage.acoustics.measured_head import load_head
from forestage.acoustics.sofa import SofaFile
from measurements import ring_directions, sphere_head, write_sofa

MUTATIONS = 10_000
LIMIT_S = 1.0
NUMBERS = [
    0.0,
    -0.0,
    -1.0,
    1e-300,
    1e-30,
    1e5,
    1e9,
    1e30,
    1e300,
    -1e30,
    5e-324,
    float("nan"),
    float("inf"),
    2.0**31,
    48.0,
]


def assert_read_or_refused(read: Callable[[], Any], what: str, *, names: str = "") -> bool:
    """Whether it was read; fails on any exception but a ValueError with a message, and on one that takes too long."""
    start = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read()
    except ValueError as error:
        is_read, message = False, str(error)
    except Exception as error:
        pytest.fail(f"{what}: {error!r}")
    else:
        is_read, message = True, names
    assert names in message, what
    assert len(message) < 1000, what
    assert time.process_time() - start < LIMIT_S, what
    return is_read


TABLE = {
    "name": "Pair",
    "text": "Two drivers.",
    "listener": {"distance_m": 2.0, "head_radius_m": 0.0875, "ear_azimuth_deg": 90.0, "ear_elevation_deg": 0.0},
    "driver": [
        {
            "name": "l",
            "channel": "left",
            "position_m": [0.0, 0.14, 0.0],
            "response_db": [[100.0, -3.0], [200.0, 0.0]],
            "low_hz": 100.0,
            "high_hz": 9000.0,
            "level_db": -2.0,
            "delay_ms": 0.3,
            "inverted": True,
            "is_reference": True,
        },
        {"name": "r", "channel": "right", "position_m": [0.0, -0.14, 0.0]},
        {
            "name": "c",
            "channel": "center",
            "position_m": [0.0, 0.0, 0.0],
            "impulse_responses": [{"file": "none.wav", "position_m": [1.0, 0.0, 0.0]}],
        },
    ],
}
BALL = {
    "name": "Ball",
    "listener": {"distance_m": 2.0},
    "body": {"radius_m": 0.09},
    "driver": [
        {"name": side, "channel": side, "azimuth_deg": aim, "elevation_deg": 0.0, "cap_half_angle_deg": 16.0}
        for side, aim in (("left", 90.0), ("right", -90.0))
    ],
}
ODD = [
    *NUMBERS,
    10**400,
    int("f" * 5000, 16),
    -1,
    True,
    "",
    "x",
    "\0",
    "é" * 500,
    [],
    [[]],
    {},
    {"x": 1},
    [1.0] * 3,
    [0] * 9,
]


def places(value: Any, path: tuple = ()) -> list[tuple]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(place for key, item in inside for place in places(item, (*path, key)))]


def changed_table(rng: random.Random) -> tuple[dict, str]:
    table = copy.deepcopy(rng.choice((TABLE, BALL)))
    said = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(places(table))
        owner: Any = table
        for key in path[:-1]:
            owner = owner[key]
        how = rng.choice(("set", "set", "set", "delete", "copy"))
        if how == "delete":
            del owner[path[-1]]
        elif how == "copy" and isinstance(owner, list):
            owner.extend(copy.deepcopy(owner[path[-1]]) for _ in range(rng.choice((1, 20))))
        else:
            owner[path[-1]] = copy.deepcopy(rng.choice(ODD))
        said.append(f"{how} {path}")
        if not places(table):
            break
    return table, "; ".join(said)


def test_device_tables_with_any_values_are_read_or_refused(tmp_path):
    rng = random.Random(1)
    is_read = [
        assert_read_or_refused(lambda table=table: parse_device(table, tmp_path), what)
        for table, what in (changed_table(rng) for _ in range(MUTATIONS))
    ]
    assert 100 < sum(is_read) < MUTATIONS / 2


class Variable:
    """A variable of a netCDF file in memory."""

    def __init__(self, values: Any, texts: dict[str, Any]) -> None:
        self.values, self.texts = np.asarray(values), texts
        self.dtype, self.shape = self.values.dtype, self.values.shape

    def __getitem__(self, place: Any) -> Any:
        return self.values[place]

    def getncattr(self, name: str) -> Any:
        return self.texts[name]


class Dataset(Variable):
    """A SOFA file in memory, as netCDF4 would open it."""

    def __init__(self, variables: dict[str, Variable], texts: dict[str, Any]) -> None:
        super().__init__(0, texts)
        self.variables = variables

    def set_auto_mask(self, _: bool) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> tuple[Path, Dataset]:
    import netCDF4

    sofa = sphere_head(ring_directions(24.0), sample_rate=16_000)
    sofa.Data_IR = sofa.Data_IR[..., :64]
    path = write_sofa(tmp_path_factory.mktemp("fuzz") / "head.sofa", sofa)
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        variables = {
            name: Variable(values[...], {key: values.getncattr(key) for key in values.ncattrs()})
            for name, values in file.variables.items()
        }
        return path, Dataset(variables, {key: file.getncattr(key) for key in file.ncattrs()})


UNITS = [
    "metre",
    "degree, degree, metre",
    "cm",
    "",
    "parsec",
    "radian, radian, metre",
    ",",
    3,
    None,
    "a" * 400,
    "spherical",
]


def changed_file(rng: random.Random, file: Dataset) -> tuple[Dataset, str]:
    variables, said = dict(file.variables), []
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(sorted(variables))
        texts = dict(variables[name].texts)
        if not 0 < variables[name].values.size < 10**6:
            continue
        values = np.array(variables[name].values)
        how = rng.choice(("one", "all", "scale", "cut", "repeat", "shape", "kind", "text", "drop", "huge"))
        number = rng.choice(NUMBERS)
        if how in ("one", "all", "scale") and values.size and values.dtype.kind == "f":
            with np.errstate(all="ignore"):
                if how == "one":
                    values.reshape(-1)[rng.randrange(values.size)] = number
                else:
                    values = np.full_like(values, number) if how == "all" else values * number
        elif how == "cut":
            values = values[: rng.randrange(len(values) + 1)] if values.ndim else values
        elif how == "repeat":
            values = np.concatenate([values] * rng.choice((2, 3))) if values.ndim else values
        elif how == "shape":
            values = values.reshape(rng.choice(((-1,), (*values.shape, 1), (1, *values.shape), values.shape[::-1])))
        elif how == "kind":
            values = rng.choice((values.astype(str), values.astype(object), values.astype("S"), values[..., :0]))
        elif how == "text" and texts:
            texts[rng.choice(sorted(texts))] = rng.choice(UNITS)
        elif how == "huge":
            values = np.broadcast_to(values.reshape(-1)[:1], rng.choice(((2**40,), (2**20, 2, 2**20), (2**36, 3))))
        variables[name] = Variable(values, texts)
        if how == "drop":
            del variables[name]
        said.append(f"{how} {name} {number}")
    return Dataset(variables, file.texts), "; ".join(said)


def test_head_files_with_any_values_are_read_or_refused(good, monkeypatch):
    path, file = good
    rng = random.Random(2)
    read = 0
    for index in range(MUTATIONS):
        changed, what = changed_file(rng, file)
        monkeypatch.setattr("netCDF4.Dataset", lambda _path, changed=changed: changed)

        def check() -> None:
            with SofaFile(path, convention="SimpleFreeFieldHRIR") as sofa:
                read_measurement(sofa, distance_m=2.0)

        is_checked = assert_read_or_refused(check, what, names=f"{path}: ")
        # What passes the checks is worked on; a part of it is enough.
        if is_checked and index % 20 == 0:
            read += assert_read_or_refused(lambda: load_head(path), what, names=f"{path}: ")
    assert read > 20


def test_damaged_bytes_of_head_files_are_read_or_refused(good):
    path, _ = good
    data = path.read_bytes()
    rng = random.Random(3)
    for index in range(150):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 2, 8))):
            place = rng.randrange(len(data))
            part = rng.choice((bytes([rng.randrange(256)]), b"\xff" * 4, b"\0" * 8, b"\xff\xff\xff\x7f"))
            damaged[place : place + len(part)] = part
        other = path.with_name("damaged.sofa")
        other.write_bytes(damaged[: rng.randrange(len(data))] if index % 20 == 0 else damaged)
        assert_read_or_refused(lambda other=other: load_head(other), f"bytes {index}", names=f"{other}: ")
