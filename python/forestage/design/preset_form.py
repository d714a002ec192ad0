"""Values as they stand in the JSON form of a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.head import Head, HeadModel
from forestage.acoustics.plant import directivity
from forestage.arrays import FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.ears import EarFirs
from forestage.firs import FilterSet, encode_fir, fixed_point

DIRECTIONS_DEG = np.arange(-180.0, 180.0, 15.0)
DIRECTIONS_HZ = np.array(
    [200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500, 3150, 4000, 5000, 6300, 8000, 10_000, 12_500.0]
)


def filters_form(filters: FilterSet) -> dict[str, Any]:
    """All filters at one rate."""
    return {each.name: _form(getattr(filters, each.name)) for each in fields(filters)}


def _form(value: Any) -> Any:
    """Numbers as they are, filters as texts, in as many lists as there are axes before the taps."""
    if not isinstance(value, np.ndarray):
        return value
    return encode_fir(value) if value.ndim == 1 else [_form(row) for row in value]


def ears_form(ears: EarFirs) -> dict[str, Any]:
    """Ear responses."""
    return {
        "sample_rate": SAMPLE_RATE,
        "delay_frames": ears.delay_frames,
        "device": _form(fixed_point(ears.device)),
        "reference": _form(fixed_point(ears.reference)),
    }


def curves_form(frequency_hz: FloatArray, curves_db: Mapping[str, FloatArray]) -> list[dict[str, Any]]:
    """Curves by name, as numbers to read."""
    return [
        {
            "name": name,
            "unit": "dB",
            "frequency_hz": [round(float(value), 2) for value in frequency_hz],
            "values": [round(float(value), 3) for value in values],
        }
        for name, values in curves_db.items()
    ]


def directions_form(device: Device) -> dict[str, Any]:
    """What each driver sends around the device, on the circle of the listener, for pictures of beams."""
    pressure = directivity(device, DIRECTIONS_HZ, DIRECTIONS_DEG)
    # Parts of float16: a picture shows no more, and packages hold less
    parts = np.stack([pressure.real, pressure.imag], axis=-1).astype(np.float16).astype(np.float32)
    return {
        "azimuth_deg": DIRECTIONS_DEG.tolist(),
        "frequency_hz": DIRECTIONS_HZ.tolist(),
        "drivers": [encode_fir(driver.ravel()) for driver in parts],
    }


def head_form(head: HeadModel) -> dict[str, Any] | str:
    """Who listens: the numbers of a spherical head, or the name of the file of a measured one."""
    return asdict(head) if isinstance(head, Head) else Path(getattr(head, "file", "another head")).name
