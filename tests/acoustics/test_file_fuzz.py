"""Structured mutations of measurements and device files: each is read, or refused with a message, within a second."""

import copy
import random
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest
import soundfile

from forestage.acoustics.device_file import parse_device
from forestage.acoustics.fields import PointSource
from forestage.acoustics.head_measurement import read_measurement
from forestage.acoustics.measured_driver import load_directivity, load_impulse_responses, read_directivity, read_impulse
from forestage.acoustics.measured_head import load_head
from forestage.acoustics.sofa import SofaFile
from measurements import directivity, grid_directions, ring_directions, sphere_head, write_sofa
from trees import places_in

MUTATIONS = 10_000
LIMIT_S = 1.0
CONVENTIONS = {"head": "SimpleFreeFieldHRIR", "driver": "FreeFieldDirectivityTF"}
LOADERS: dict[str, Callable[[Path], Any]] = {"head": load_head, "driver": load_directivity}
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
            "max_db": [[60.0, -6.0], [120.0, 9.0]],
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


def changed_table(rng: random.Random) -> tuple[dict, str]:
    table = copy.deepcopy(rng.choice((TABLE, BALL)))
    said = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        path = rng.choice(places_in(table))
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
        if not places_in(table):
            break
    return table, "; ".join(said)


@pytest.mark.slow
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


def opened(path: Path) -> Dataset:
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        variables = {
            name: Variable(values[...], {key: values.getncattr(key) for key in values.ncattrs()})
            for name, values in file.variables.items()
        }
        return Dataset(variables, {key: file.getncattr(key) for key in file.ncattrs()})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def head(folder) -> Path:
    sofa = sphere_head(ring_directions(24.0), sample_rate=16_000)
    sofa.Data_IR = sofa.Data_IR[..., :64]
    return write_sofa(folder / "head.sofa", sofa)


@pytest.fixture(scope="module")
def driver(folder) -> Path:
    frequency_hz = np.arange(200.0, 2001.0, 200.0)
    sofa = directivity(PointSource((0.0, 0.0, 0.0)), grid_directions(30.0), azimuth_deg=0.0, frequency_hz=frequency_hz)
    return write_sofa(folder / "driver.sofa", sofa)


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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["head", "driver"])
def test_sofa_files_with_any_values_are_read_or_refused(kind, request, monkeypatch):
    """Each is checked, and a part of what passes is worked on."""
    path, rng, read = request.getfixturevalue(kind), random.Random(2), 0
    file = opened(path)
    monkeypatch.setattr("forestage.acoustics.sofa._try", lambda path: None)  # this one is good, and not what is read
    for index in range(MUTATIONS):
        changed, what = changed_file(rng, file)
        monkeypatch.setattr("netCDF4.Dataset", lambda _path, changed=changed: changed)

        def check() -> None:
            with SofaFile(path, convention=CONVENTIONS[kind]) as sofa:
                read_measurement(sofa, distance_m=2.0) if kind == "head" else read_directivity(sofa)

        is_checked = assert_read_or_refused(check, what, names=f"{path}: ")
        if is_checked and index % 40 == 0:
            read += assert_read_or_refused(lambda: LOADERS[kind](path), what, names=f"{path}: ")
    assert read > 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["head", "driver"])
def test_damaged_bytes_of_sofa_files_are_read_or_refused(kind, request):
    path = request.getfixturevalue(kind)
    data = path.read_bytes()
    rng = random.Random(3)
    for index in range(16):
        damaged = bytearray(data)
        for _ in range(rng.choice((1, 2, 8))):
            place = rng.randrange(len(data))
            part = rng.choice((bytes([rng.randrange(256)]), b"\xff" * 4, b"\0" * 8, b"\xff\xff\xff\x7f"))
            damaged[place : place + len(part)] = part
        other = path.with_name("damaged.sofa")
        other.write_bytes(damaged[: rng.randrange(len(data))] if index % 20 == 0 else damaged)
        assert_read_or_refused(lambda other=other: LOADERS[kind](other), f"bytes {index}", names=f"{other}: ")


def changed_wav(rng: random.Random, data: bytes) -> bytes:
    """Numbers of the header, mostly, then any bytes and lengths."""
    damaged = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        size = rng.choice((1, 2, 4, 8))
        number = rng.choice((0, 1, 2, 3, 0x7FFF_FFFF, 0x8000_0000, 2**64 - 1, rng.getrandbits(32)))
        place = 2 * rng.randrange(30) if rng.random() < 0.8 else rng.randrange(len(data))
        damaged[place : place + size] = (number % 256**size).to_bytes(size, "little")
    return bytes(damaged[: rng.randrange(len(data))] if rng.random() < 0.1 else damaged)


@pytest.mark.slow
@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24"])
def test_impulse_responses_of_drivers_with_any_bytes_are_read_or_refused(subtype, folder):
    path, other = folder / "impulse.wav", folder / "damaged.wav"
    impulse = np.zeros(512)
    impulse[100:140] = np.hanning(40)
    soundfile.write(path, impulse, 48_000, subtype=subtype)
    data, rng, read = path.read_bytes(), random.Random(4), 0
    good = [(path, (1.0, y, 0.0)) for y in (-0.2, 0.0, 0.2)]
    for index in range(MUTATIONS // 2):
        other.write_bytes(changed_wav(rng, data))
        is_checked = assert_read_or_refused(lambda: read_impulse(other), f"wav {index}", names=f"{other}: ")
        if is_checked and index % 250 == 0:
            files = [*good, (other, (1.0, 0.4, 0.0))]
            read += assert_read_or_refused(
                lambda files=files: load_impulse_responses(files, position_m=(0.0, 0.0, 0.0)), f"wav {index}"
            )
    assert read > 2
