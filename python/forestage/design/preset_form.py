"""A design in the JSON form of a preset, with the curves to draw and what is needed to make it again."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.head import FloatArray, Head, HeadModel
from forestage.design.filters import response_of
from forestage.design.preset_device import device_form
from forestage.files import checked_target, written_whole
from forestage.metrics.directivity import on_off_db, pattern, white_noise_gain_db
from forestage.metrics.effort import effort_db
from forestage.metrics.loudness import PROGRAMME_SEED
from forestage.metrics.separation import plain_responses, separation_db
from forestage.metrics.zone import zone_maps

if TYPE_CHECKING:
    from forestage.design.designer import Design, FilterSet
    from forestage.design.ears import EarFirs
    from forestage.design.virtual_stereo import VirtualStereo

SCHEMA = 1
HALF = "f16:"  # begins the text of float16 taps
LONG_TAPS = 4096  # shorter filters stay float32, here and in fir_text.cpp


def encode_fir(fir: ArrayLike, *, half: bool = False) -> str:
    """Base64 of little-endian float32 taps; an empty text is silence.

    Parameters
    ----------
    fir : array_like, shape (taps,)
        The filter.
    half : bool
        Round long filters to float16, -74 dB beside each tap, for half the text. For room responses.

    Examples
    --------
    >>> encode_fir([1.0]), encode_fir([0.0, 0.0])
    ('AACAPw==', '')
    """
    is_half = half and np.size(fir) > LONG_TAPS
    taps = np.asarray(fir, dtype="<f2" if is_half else "<f4")
    return (HALF if is_half else "") + base64.b64encode(taps.tobytes()).decode("ascii") if np.any(taps) else ""


def decode_fir(text: str) -> FloatArray:
    """Taps of an encoded filter, in double precision.

    Examples
    --------
    >>> decode_fir("AACAPw==").tolist(), decode_fir("f16:ADw=").tolist()
    ([1.0], [1.0])
    """
    dtype = "<f2" if text.startswith(HALF) else "<f4"
    return np.frombuffer(base64.b64decode(text.removeprefix(HALF)), dtype=dtype).astype(np.float64)


def save_form(form: Mapping[str, Any], path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a preset; an existing file is only replaced when asked to."""
    target = checked_target(path, overwrite=overwrite)
    with written_whole(target) as file:
        file.write(f"{json.dumps(form, indent=1)}\n".encode())
    return target


def preset_form(design: Design) -> dict[str, Any]:
    """Everything of a preset: what plays, what the editor and the report draw, and where it comes from."""
    form = playable_form(design)
    return form | {
        "analysis": analysis(design),
        "maps": zone_maps(design),
        "design": provenance(design, form["filters"]) | {"metrics": design.metrics()},
    }


def playable_form(design: Design) -> dict[str, Any]:
    """What of a preset is heard; a preset in itself."""
    device = design.device
    return {
        "schema": SCHEMA,
        "name": design.name,
        "device": device.slug,
        "text": design.text,
        "parameters": {"stage_width_deg": design.stereo.width_deg},
        "drivers": [
            {"name": driver.name, "plain_left_gain": float(left), "plain_right_gain": float(right)}
            for driver, (left, right) in zip(device.drivers, device.plain_gains, strict=True)
        ],
        "filters": [_filters(filters) for filters in design.filters],
        "ears": ears_form(design.ears),
        "loudness": asdict(design.loudness),
    }


def _filters(filters: FilterSet) -> dict[str, Any]:
    return {
        "sample_rate": filters.sample_rate,
        "delay_frames": filters.delay_frames,
        "cancel_align_frames": filters.cancel_align_frames,
        "beam_align_frames": filters.beam_align_frames,
        "crosstalk_delay_frames": filters.crosstalk_delay_frames,
        "crosstalk": [encode_fir(fir) for fir in filters.crosstalk],
        "cancel": [[encode_fir(fir) for fir in row] for row in filters.cancel],
        "beam": [encode_fir(fir) for fir in filters.beam],
        "driver_eq": [encode_fir(fir) for fir in filters.driver_eq],
    }


def ears_form(ears: EarFirs, *, half: bool = False) -> dict[str, Any]:
    """Ear responses as a preset holds them; ``half`` as for `encode_fir`."""
    from forestage.design.ears import SAMPLE_RATE

    return {
        "sample_rate": SAMPLE_RATE,
        "delay_frames": ears.delay_frames,
        "device": [[encode_fir(fir, half=half) for fir in row] for row in ears.device],
        "reference": [[encode_fir(fir, half=half) for fir in row] for row in ears.reference],
    }


def analysis(design: Design) -> list[dict[str, Any]]:
    """Curves for the editor and the report, of the exported filters where there is a choice."""
    frequency = np.geomspace(20.0, 20_000.0, 181)
    filters = min(design.filters, key=lambda filters: abs(filters.sample_rate - 48_000))
    rate = filters.sample_rate
    frequency = frequency[frequency < 0.45 * rate]
    seen = design.simulate(frequency_hz=frequency, sample_rate=rate)
    stereo = design.device.stereo
    cancel = response_of(filters.cancel, frequency, sample_rate=rate)
    responses = 20 * np.log10(np.maximum(np.abs(cancel[stereo, 0]), 1e-4))
    curves = {
        "separation_plain": separation_db(plain_responses(design.plant, frequency)).min(axis=0),
        "separation_processed": separation_db(seen.processed[0]).min(axis=0),
        "separation_design": design.cancellation.separation_db(frequency).min(axis=0),
        "separation_target": design.target.curve_db(frequency),
        "drive": effort_db(design.plant, cancel, frequency).max(axis=0),
        "drive_cap": design.target.cap_db(frequency),
        "near_driver": responses[0],
        "far_driver": responses[1],
    }
    if len(filters.beam):
        curves |= _beam_curves(design, filters, frequency)
    return [
        {
            "name": name,
            "unit": "dB",
            "frequency_hz": [round(float(value), 2) for value in frequency],
            "values": [round(float(value), 3) for value in values],
        }
        for name, values in curves.items()
    ]


def _beam_curves(design: Design, filters: FilterSet, frequency: FloatArray) -> dict[str, FloatArray]:
    device, rate = design.device, filters.sample_rate
    plain = np.zeros((len(device.drivers), 1))
    plain[device.stereo] = 1.0
    everything = np.ones((len(device.drivers), 1))
    named: dict[str, ArrayLike] = {
        "beam_on_off": filters.beam,
        "plain_mix_on_off": plain,
        "all_drivers_on_off": everything,
    }
    curves = {name: on_off_db(pattern(device, firs, frequency, sample_rate=rate)) for name, firs in named.items()}
    curves["beam_white_noise_gain"] = white_noise_gain_db(device, filters.beam, frequency, sample_rate=rate)
    return curves


def provenance(design: Design, filters: list[dict[str, Any]]) -> dict[str, Any]:
    """What is needed to make the design again, and a hash of its filters."""
    from forestage._core import __version__  # needs the built core, which nothing else here does

    digest = hashlib.sha256()
    for table in filters:
        sides = [text for row in table["cancel"] for text in row]
        for text in [*table["crosstalk"], *sides, *table["beam"], *table["driver_eq"]]:
            digest.update(text.encode("ascii") + b"\n")
    return device_form(design.device) | {
        "variant": design.variant,
        "target": asdict(design.target),
        "stereo": _stereo(design.stereo),
        "beam_target": asdict(design.beam_target),
        "programme_seed": PROGRAMME_SEED,
        "forestage": __version__,
        "filters_sha256": digest.hexdigest(),
    }


def _stereo(stereo: VirtualStereo) -> dict[str, Any]:
    table = {"width_deg": stereo.width_deg, "distance_m": stereo.distance_m, "drive_cap_db": stereo.drive_cap_db}
    return table | {"head": "closed form" if stereo.head is None else head_form(stereo.head)}


def head_form(head: HeadModel) -> dict[str, Any] | str:
    """Who listens: the numbers of a spherical head, or the name of the file of a measured one."""
    return asdict(head) if isinstance(head, Head) else Path(getattr(head, "file", "another head")).name
