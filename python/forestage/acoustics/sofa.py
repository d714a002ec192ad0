"""What measured heads and drivers need of SOFA files (AES69): positions in metres, values, and errors with names."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import sofar

from forestage.acoustics.head import FloatArray

RADIANS = {"degree": np.pi / 180, "radian": 1.0}
USUAL_UNITS = {"cartesian": "metre", "spherical": "degree, degree, metre"}


class SofaFile:
    """A SOFA file of a known convention.

    Parameters
    ----------
    path : str or Path
        The file.
    convention : str
        The convention it must follow, as "SimpleFreeFieldHRIR".

    Raises
    ------
    ValueError
        When there is no such file, or it is something else, or lacks something; the message names the file and what.
    """

    def __init__(self, path: str | Path, *, convention: str) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ValueError(f"{path}: no such file")
        try:
            # Not verified: many useful files break a rule that nothing here needs.
            self._content = sofar.read_sofa(str(path), verify=False, verbose=False)
        except Exception as error:  # sofar and netCDF4 raise whatever comes to them
            raise ValueError(f"{path}: not a readable SOFA file ({error})") from error
        found = self.text("GLOBAL_SOFAConventions")
        if found != convention:
            raise self.error("GLOBAL_SOFAConventions", f'= "{found}": must be {convention}')

    def error(self, name: str, text: str) -> ValueError:
        """An error that names the file and one of its variables."""
        return ValueError(f"{self.path}: {name} {text}")

    def text(self, name: str) -> str:
        """A text that the file must have."""
        value = getattr(self._content, name, None)
        if not isinstance(value, str) or not value:
            raise self.error(name, "is missing")
        return value

    def values(self, name: str, *, dimensions: int) -> FloatArray:
        """A variable of finite numbers; dimensions of size 1 that the file left out at the end are put back."""
        raw = getattr(self._content, name, None)
        if raw is None:
            raise self.error(name, "is missing")
        try:
            value = np.ma.filled(np.ma.asarray(raw, dtype=np.float64), np.nan)
        except (TypeError, ValueError):
            raise self.error(name, f"= {raw!r}: must be numbers") from None
        value = value.reshape(value.shape + (1,) * (dimensions - value.ndim))
        if value.ndim != dimensions or value.size == 0:
            raise self.error(name, f"has the shape {value.shape}: must have {dimensions} dimensions that are not empty")
        wrong = np.argwhere(~np.isfinite(value))
        if len(wrong):
            place = ", ".join(map(str, wrong[0]))
            raise self.error(f"{name}[{place}]", f"= {value[tuple(wrong[0])]}: must be finite")
        return value

    def positions(self, name: str, count: int) -> FloatArray:
        """Positions of the source or the listener in ``count`` measurements, in metres, shape (count or 1, 3)."""
        coordinates = self._per_measurement(name, count)
        return self._cartesian(name, coordinates, kind=self.text(f"{name}_Type"), units=self.text(f"{name}_Units"))

    def local_positions(self, name: str) -> FloatArray:
        """Positions of receivers or emitters in the frame of what carries them, in metres, shape (n, 3)."""
        coordinates = self.values(name, dimensions=3)
        if coordinates.shape[2] != 1:
            raise self.error(name, f"has the shape {coordinates.shape}: they must not move between measurements")
        kind, units = self.text(f"{name}_Type"), self.text(f"{name}_Units")
        return self._cartesian(name, coordinates[:, :, 0], kind=kind, units=units)

    def frames(self, entity: str, count: int) -> FloatArray:
        """Axes (ahead, left, up) of "Listener" or "Source" as rows, shape (count or 1, 3, 3)."""
        view, top = f"{entity}View", f"{entity}Up"
        if not hasattr(self._content, view):
            return np.eye(3)[None]
        kind = self.text(f"{view}_Type")
        units = getattr(self._content, f"{view}_Units", USUAL_UNITS.get(kind, ""))
        ahead, up = (
            self._cartesian(name, self._per_measurement(name, count), kind=kind, units=units) for name in (view, top)
        )
        left = np.cross(up, ahead)
        if np.any(np.linalg.norm(left, axis=-1) < 1e-6):
            raise self.error(top, f"= {up[0].tolist()}: must not point along {view}")
        axes = np.stack([np.broadcast_to(ahead, left.shape), left, np.cross(ahead, left)], axis=1)
        return axes / np.linalg.norm(axes, axis=-1, keepdims=True)

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
        given = [unit.rstrip("s").replace("meter", "metre") for unit in re.split(r"[,\s]+", units.strip().lower())]
        if kind == "cartesian":
            if set(given) != {"metre"}:
                raise self.error(f"{name}_Units", f'= "{units}": must be metre')
            return coordinates
        if len(given) != 3 or given[0] not in RADIANS or given[1] != given[0] or given[2] != "metre":
            raise self.error(f"{name}_Units", f'= "{units}": must be {USUAL_UNITS[kind]}, or radians')
        azimuth, elevation = (RADIANS[given[0]] * coordinates[:, :2]).T
        level = np.cos(elevation)
        towards = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)
        return coordinates[:, 2:] * towards
