"""What measured heads and drivers need of SOFA files (AES69): positions in metres, values, and errors with names.

Of a file only what is asked for is read, and only after its shape was checked, so that a damaged header costs nothing.
What a damaged header does to the library that reads it is found out first, in a process of its own (`sofa_trial`).
"""

from __future__ import annotations

import math
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from forestage.arrays import FloatArray
from forestage.files import no_file

RADIANS = {"degree": np.pi / 180, "deg": np.pi / 180, "radian": 1.0, "rad": 1.0}
METRES = {"metre": 1.0, "meter": 1.0, "m": 1.0, "centimetre": 0.01, "cm": 0.01, "millimetre": 0.001, "mm": 0.001}
USUAL_UNITS = {"cartesian": "metre", "spherical": "degree, degree, metre"}
MOST_VALUES = 2**25
TRIAL = Path(__file__).with_name("sofa_trial.py")
# Of time on the wall, for a file that does not come; CPU time has its own limit
LONGEST_TRIAL_S = 600.0
# Beyond any measurement in SI units, but below what netCDF files hold where nothing was written
LARGEST = 1e9


class MeasurementWarning(UserWarning):
    """Something about a measurement was not as it says: what, and what was made of it."""


class SofaFile:
    """A SOFA file of a known convention, open while it is used as a context.

    Parameters
    ----------
    path : str or Path
        The file.
    convention : str or tuple of str
        The convention it must follow, as "SimpleFreeFieldHRIR", or one of several.

    Raises
    ------
    ValueError
        When there is no such file, or it is something else, or lacks something; the message names the file and what.
    """

    def __init__(self, path: str | Path, *, convention: str | tuple[str, ...]) -> None:
        import netCDF4  # takes a while, and few need it

        self.path = Path(path)
        if not self.path.is_file():
            raise ValueError(no_file(path))
        _try(self.path)
        try:
            # Not verified against the convention: many useful files break a rule that nothing here needs.
            self._file: Any = netCDF4.Dataset(self.path)
            self._file.set_auto_mask(False)
        except Exception as error:  # netCDF4 raises whatever comes to it
            raise ValueError(f"{path}: not a readable SOFA file ({error})") from error
        found = self.text("GLOBAL_SOFAConventions")
        conventions = (convention,) if isinstance(convention, str) else convention
        if found not in conventions:
            self._file.close()
            raise self.error("GLOBAL_SOFAConventions", f'= "{found}": must be {" or ".join(conventions)}')

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def error(self, name: str, text: str) -> ValueError:
        """An error that names the file and one of its variables."""
        return ValueError(f"{self.path}: {name} {text}")

    def has(self, name: str) -> bool:
        """Whether the file has a variable."""
        return _stored(name) in self._file.variables

    def text(self, name: str) -> str:
        """A text that the file must have."""
        owner, _, attribute = name.rpartition("_")
        try:
            value = (self._file if owner == "GLOBAL" else self._variable(owner)).getncattr(attribute)
        except Exception:  # as above
            value = None
        value = value.strip(" \t\r\n\0") if isinstance(value, str) else ""
        if not value:
            raise self.error(name, "is missing")
        return value

    def shape(self, name: str, *, dimensions: int) -> tuple[int, ...]:
        """Shape of a variable; dimensions of size 1 that the file left out at the end are put back."""
        stored = tuple(self._variable(name).shape)
        shape = stored + (1,) * (dimensions - len(stored))
        if len(shape) != dimensions or 0 in shape:
            raise self.error(name, f"has the shape {shape}: must have {dimensions} dimensions that are not empty")
        return shape

    def values(self, name: str, *, dimensions: int, rows: slice = slice(None)) -> FloatArray:
        """A variable of finite numbers, or some of its rows, in the `shape` that it has."""
        shape = self.shape(name, dimensions=dimensions)
        shape = (len(range(shape[0])[rows]), *shape[1:])
        if math.prod(shape) > MOST_VALUES:
            raise self.error(name, f"has the shape {shape}: must have at most {MOST_VALUES} values")
        variable = self._variable(name)
        if getattr(variable.dtype, "kind", "") not in tuple("fiu"):
            raise self.error(name, f"holds {variable.dtype}: must be numbers")
        try:
            value = np.asarray(variable[rows if variable.shape else ...], dtype=np.float64).reshape(shape)
        except Exception as error:  # as above
            raise self.error(name, f"cannot be read ({error})") from error
        wrong = np.argwhere(~(np.abs(value) <= LARGEST))
        if len(wrong):
            place = ", ".join(map(str, wrong[0] + np.array([rows.start or 0] + [0] * (dimensions - 1))))
            number = value[tuple(wrong[0])]
            limit = f"within +-{LARGEST:g}" if np.isfinite(number) else "finite"
            raise self.error(f"{name}[{place}]", f"= {number}: must be {limit}")
        return value

    def positions(self, name: str, count: int) -> FloatArray:
        """Positions of the source or the listener in ``count`` measurements, in metres, shape (count or 1, 3)."""
        coordinates = self._per_measurement(name, count)
        return self._cartesian(name, coordinates, kind=self.text(f"{name}_Type"), units=self.text(f"{name}_Units"))

    def local_positions(self, name: str) -> FloatArray:
        """Positions of receivers or emitters in the frame of what carries them, in metres, shape (n, 3)."""
        coordinates = self.values(name, dimensions=3)
        if np.any(coordinates != coordinates[:, :, :1]):
            raise self.error(name, f"has the shape {coordinates.shape}: they must not move between measurements")
        kind, units = self.text(f"{name}_Type"), self.text(f"{name}_Units")
        return self._cartesian(name, coordinates[:, :, 0], kind=kind, units=units)

    def frames(self, entity: str, count: int) -> FloatArray:
        """Axes (ahead, left, up) of "Listener" or "Source" as rows, shape (count or 1, 3, 3)."""
        view, top = f"{entity}View", f"{entity}Up"
        if not self.has(view):
            return np.eye(3)[None]
        kind = self.text(f"{view}_Type")
        try:
            units = self.text(f"{view}_Units")
        except ValueError:  # a direction needs none
            units = USUAL_UNITS.get(kind, "")
        ahead, up = (
            self._cartesian(name, self._per_measurement(name, count), kind=kind, units=units) for name in (view, top)
        )
        left = np.cross(up, ahead)
        if np.any(np.linalg.norm(left, axis=-1) < 1e-6):
            raise self.error(top, f"= {up[0].tolist()}: must not point along {view}")
        axes = np.stack([np.broadcast_to(ahead, left.shape), left, np.cross(ahead, left)], axis=1)
        return axes / np.linalg.norm(axes, axis=-1, keepdims=True)

    def _variable(self, name: str) -> Any:
        if not self.has(name):
            raise self.error(name, "is missing")
        return self._file.variables[_stored(name)]

    def _per_measurement(self, name: str, count: int) -> FloatArray:
        values = self.values(name, dimensions=2)
        if len(values) not in (1, count):
            raise self.error(name, f"has {len(values)} rows, for {count} measurements")
        return values

    def _cartesian(self, name: str, coordinates: FloatArray, *, kind: str, units: str) -> FloatArray:
        if coordinates.shape[1] != 3:
            raise self.error(name, f"has the shape {coordinates.shape}: must have 3 coordinates")
        if kind not in USUAL_UNITS:
            raise self.error(f"{name}_Type", f'= "{kind}": must be {" or ".join(USUAL_UNITS)}')
        given = [unit.removesuffix("s") for unit in re.split(r"[,;\s]+", units.lower().replace("meter", "metre"))]
        lengths = given if kind == "cartesian" else given[2:]
        angles = given[: len(given) - len(lengths)]
        if (
            len(set(lengths)) != 1
            or lengths[0] not in METRES
            or len(set(angles)) > 1
            or not RADIANS.keys() >= set(angles)
        ):
            other = "" if kind == "cartesian" else ", or radians"
            raise self.error(f"{name}_Units", f'= "{units}": must be {USUAL_UNITS[kind]}{other}')
        metres = METRES[lengths[0]]
        if kind == "cartesian":
            return metres * coordinates
        azimuth, elevation = (RADIANS[angles[0]] * coordinates[:, :2]).T
        level = np.cos(elevation)
        towards = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)
        return metres * coordinates[:, 2:] * towards


def _try(path: Path) -> None:
    """Refuse a file that another process could not read to its end."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        tried = subprocess.run(
            [sys.executable, "-P", str(TRIAL), str(path.absolute())],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=LONGEST_TRIAL_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"{path}: not a readable SOFA file (reading it takes over {LONGEST_TRIAL_S:g} s)") from None
    if tried.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise ValueError(f"{path}: not a readable SOFA file (its structure is damaged: reading it does not end)")
    if tried.returncode < 0:
        name = signal.Signals(-tried.returncode).name
        raise ValueError(f"{path}: not a readable SOFA file (its structure is damaged: reading it ends in {name})")
    if tried.returncode > 0:
        said = tried.stderr.decode(errors="replace").strip().rpartition("\n")[-1]
        raise OSError(f"{path}: the process that tries SOFA files failed: {said}")


def _stored(name: str) -> str:
    """Name of a variable in the file."""
    return name.replace("Data_", "Data.", 1)
