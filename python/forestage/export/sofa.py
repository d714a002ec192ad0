"""The linear part as a SOFA file (AES69), for tools of acoustics."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import __version__
from ..choices import WIDTH_DEG
from ..constants import SAMPLE_RATE
from ..files import checked_target
from ..params import Value
from ..presets import PresetLike, load_preset
from .linear import linear_filters

PAIR_DISTANCE_M = 2.0  # of the virtual pair: only its direction means something


def export_sofa(
    preset: PresetLike, path: str | Path, *, sample_rate: int = SAMPLE_RATE, overwrite: bool = False, **params: Value
) -> Path:
    """Write filters from left and right to the drivers, by the convention ``GeneralFIR-E``.

    Emitters are left and right, where the pair is to be heard; receivers are the drivers, in the order of the feeds.

    Raises
    ------
    ModuleNotFoundError
        Without the package ``sofar``.
    ValueError
        For a file that does not end in ``.sofa``.
    """
    target = checked_target(path, overwrite=overwrite)
    if target.suffix != ".sofa":
        raise ValueError(f"{target}: its name would have to end in .sofa")
    loaded = load_preset(preset)
    filters = linear_filters(loaded, sample_rate=sample_rate, **params)
    file = new_sofa("GeneralFIR-E", title=f"Forestage: {filters.name}")
    file.GLOBAL_Comment = "; ".join([*filters.summary(), f"receivers: {', '.join(filters.drivers)}"])
    file.Data_IR = filters.taps.transpose(0, 2, 1)[None].astype(float)
    file.Data_SamplingRate = float(sample_rate)
    file.Data_Delay = np.zeros((1, len(filters.drivers), 2))
    form = json.loads(loaded.to_json())
    file.ReceiverPosition = _driver_positions_m(form, len(filters.drivers))
    file.EmitterPosition = _pair_positions_m(form["parameters"].get("stage_width_deg", WIDTH_DEG))
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}.") as folder:
        whole = Path(folder) / target.name
        write_sofa(file, whole)
        os.replace(whole, target)
    return target


def sofar_package() -> ModuleType:
    """Return the package that writes SOFA files.

    Raises
    ------
    ModuleNotFoundError
        When it is not installed; the message says how it is.
    """
    try:
        import sofar
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "SOFA files are written by the package sofar: pip install 'forestage[sofa]'"
        ) from None
    package: ModuleType = sofar
    return package


def new_sofa(convention: str, *, title: str) -> Any:
    """Make an empty file of a convention, made by Forestage."""
    file = sofar_package().Sofa(convention)
    file.GLOBAL_Title = title
    file.GLOBAL_ApplicationName, file.GLOBAL_ApplicationVersion = "Forestage", __version__
    return file


def write_sofa(file: Any, path: Path) -> None:
    """Write a file that `new_sofa` made."""
    sofar_package().write_sofa(str(path), file)


def _driver_positions_m(form: dict[str, Any], drivers: int) -> NDArray[np.float64]:
    """Where the drivers are in the file of the device, if the preset says so; else all at the origin."""
    rows = form.get("design", {}).get("device", {}).get("driver", [])
    if len(rows) != drivers:
        return np.zeros((drivers, 3))
    return np.array([row["position_m"] for row in rows], float)


def _pair_positions_m(half_angle_deg: float) -> NDArray[np.float64]:
    angle = np.deg2rad(half_angle_deg)
    return PAIR_DISTANCE_M * np.array([[np.cos(angle), side * np.sin(angle), 0.0] for side in (1, -1)])
