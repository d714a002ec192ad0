"""Values as they stand in the JSON form of a preset."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from forestage.acoustics.head import Head, HeadModel
from forestage.arrays import FloatArray
from forestage.design.ears import SAMPLE_RATE, EarFirs
from forestage.files import checked_target, written_whole
from forestage.firs import FilterSet, encode_fir

SCHEMA = 1


def save_form(form: Mapping[str, Any], path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a preset; an existing file is only replaced when asked to."""
    target = checked_target(path, overwrite=overwrite)
    with written_whole(target) as file:
        file.write(f"{json.dumps(form, indent=1)}\n".encode())
    return target


def filters_form(filters: FilterSet) -> dict[str, Any]:
    """All filters at one rate."""
    return {
        "sample_rate": filters.sample_rate,
        "delay_frames": filters.delay_frames,
        "cancel_align_frames": filters.cancel_align_frames,
        "beam_align_frames": filters.beam_align_frames,
        "crosstalk_delay_frames": filters.crosstalk_delay_frames,
        "crosstalk": [encode_fir(fir) for fir in filters.crosstalk],
        "cancel": [[encode_fir(fir) for fir in row] for row in filters.cancel],
        "beam": [encode_fir(fir) for fir in filters.beam],
        "phantom": [encode_fir(fir) for fir in filters.phantom],
        "driver_eq": [encode_fir(fir) for fir in filters.driver_eq],
    }


def ears_form(ears: EarFirs, *, half: bool = False) -> dict[str, Any]:
    """Ear responses; ``half`` as for `encode_fir`."""
    return {
        "sample_rate": SAMPLE_RATE,
        "delay_frames": ears.delay_frames,
        "device": [[encode_fir(fir, half=half) for fir in row] for row in ears.device],
        "reference": [[encode_fir(fir, half=half) for fir in row] for row in ears.reference],
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


def head_form(head: HeadModel) -> dict[str, Any] | str:
    """Who listens: the numbers of a spherical head, or the name of the file of a measured one."""
    return asdict(head) if isinstance(head, Head) else Path(getattr(head, "file", "another head")).name
