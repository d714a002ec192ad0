"""CamillaDSP: a configuration in YAML, with its filters beside it.

Source: CamillaDSP, README of version 3 (devices, mixers, filters `Conv` and `Limiter`, pipeline).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..constants import SAMPLE_RATE
from ..params import Value
from ..presets import PresetLike
from .linear import SIDES, LinearFilters, linear_filters, write_sides
from .target import checked_targets, text_target, write_text

_CHUNK_FRAMES = 1024
_CAPTURE = "hw:Loopback,1"


def export_camilladsp(
    preset: PresetLike,
    path: str | Path,
    *,
    card: str | None = None,
    sample_rate: int = SAMPLE_RATE,
    overwrite: bool = False,
    **params: Value,
) -> list[Path]:
    """Write a configuration for CamillaDSP 3, and the filters that it names, in the same folder.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        As for `load_preset`.
    path : str or Path
        A file, or a folder.
    card : str, optional
        ALSA device that the drivers are connected to, in the order of the preset; ``default`` without.
    sample_rate : int
        Of the filters and the card, in Hz.
    **params
        As for `linear_filters`.
    """
    filters = linear_filters(preset, sample_rate=sample_rate, **params)
    target = text_target(path, "forestage.yml")
    sides = [target.with_name(f"{target.stem}-{side}.wav") for side in SIDES]
    checked_targets([target, *sides], overwrite=overwrite)
    write_sides(filters, sides)
    comments = "".join(f"# {line}\n" for line in filters.summary())
    # JSON is YAML, and keeps every name and path as it is
    sections = (f"{key}: {json.dumps(value, indent=2, ensure_ascii=False)}\n"
                for key, value in _configuration(filters, sides, card or "default").items())  # fmt: skip
    write_text(target, comments + "".join(sections))
    return [target, *sides]


def _configuration(filters: LinearFilters, sides: list[Path], card: str) -> dict[str, Any]:
    drivers = range(len(filters.drivers))
    convolved = [(driver, side) for driver in drivers for side in range(2)]
    return {
        "title": f"Forestage: {filters.name}",
        "devices": {
            "samplerate": filters.sample_rate,
            "chunksize": _CHUNK_FRAMES,
            "capture": {"type": "Alsa", "channels": 2, "device": _CAPTURE, "format": "S32_LE"},
            "playback": {"type": "Alsa", "channels": len(filters.drivers), "device": card, "format": "S32_LE"},
        },
        "mixers": {
            "to filters": _mixer(2, [[side] for _, side in convolved]),
            "to drivers": _mixer(len(convolved), [[2 * driver, 2 * driver + 1] for driver in drivers]),
        },
        "filters": {
            **{
                f"{SIDES[side]} to {filters.drivers[driver]}": {
                    "type": "Conv",
                    "parameters": {"type": "Wav", "filename": sides[side].name, "channel": driver},
                }
                for driver, side in convolved
            },
            "full scale": {"type": "Limiter", "parameters": {"clip_limit": 0.0, "soft_clip": False}},
        },
        "pipeline": [
            {"type": "Mixer", "name": "to filters"},
            *(
                {"type": "Filter", "channels": [i], "names": [f"{SIDES[side]} to {filters.drivers[driver]}"]}
                for i, (driver, side) in enumerate(convolved)
            ),
            {"type": "Mixer", "name": "to drivers"},
            {"type": "Filter", "channels": list(drivers), "names": ["full scale"]},
        ],
    }


def _mixer(inputs: int, outputs: list[list[int]]) -> dict[str, Any]:
    return {
        "channels": {"in": inputs, "out": len(outputs)},
        "mapping": [
            {"dest": dest, "sources": [{"channel": channel, "gain": 0, "inverted": False} for channel in sources]}
            for dest, sources in enumerate(outputs)
        ],
    }
