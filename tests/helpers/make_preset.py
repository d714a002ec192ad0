"""Small valid presets for tests of the file format, as the objects that json.dumps takes."""

import base64
import json

import numpy as np

from forestage import _core, factory_presets
from forestage._core import SAMPLE_RATES


def fir_text(taps, *, half: bool = False) -> str:
    """Taps as a preset file holds them: float32, or float16 as long filters were before schema 2."""
    if half:  # all low bytes, then all high ones
        planes = np.asarray(taps, dtype="<f2").view(np.uint8).reshape(-1, 2).T
        return "f16p:" + base64.b64encode(planes.tobytes()).decode("ascii")
    return base64.b64encode(np.asarray(taps, dtype="<f4").tobytes()).decode("ascii")


def taps_of(text: str) -> np.ndarray:
    """Those of any text in a preset."""
    if text.startswith("flac"):
        return _core.decode_fir(text)
    return np.frombuffer(base64.b64decode(text), "<f4")


def impulse_text(*, at: int, frames: int = 8, gain: float = 1.0) -> str:
    taps = np.zeros(frames)
    taps[at] = gain
    return fir_text(taps)


def make_filter_set(*, sample_rate: int, drivers: int, frames: int = 8) -> dict:
    tap = impulse_text(at=4, frames=frames)
    return {
        "sample_rate": sample_rate,
        "delay_frames": 4,
        "cancel_align_frames": 0,
        "beam_align_frames": 2,
        "crosstalk_delay_frames": 3,
        "crosstalk": [impulse_text(at=3, frames=frames), impulse_text(at=3, frames=frames, gain=0.5)],
        "cancel": [[tap, ""] if i % 2 == 0 else ["", tap] for i in range(drivers)],
        "beam": [tap] * drivers,
        "phantom": [impulse_text(at=5, frames=frames)] * drivers,
        "driver_eq": [impulse_text(at=0, frames=1)] * drivers,
    }


def make_preset(*, drivers: int = 3, frames: int = 8) -> dict:
    """Every key, optional ones too; every filter an impulse or silence."""
    tap = impulse_text(at=2, gain=0.5)
    long_tap = _core.encode_fir(0.25 * (np.arange(6000) == 2).astype(np.float32))
    return {
        "schema": _core.PRESET_SCHEMA,
        "name": "Tiny",
        "device": "tiny-speaker",
        "text": "A speaker for tests: größer klingt 5 Ω.",
        "parameters": {"stage_width_deg": 25, "center_level_db": -1.5, "level_match": 1},
        "drivers": [
            {"name": f"driver {i}", "plain_left_gain": 1 - i % 2, "plain_right_gain": i % 2} for i in range(drivers)
        ],
        "filters": [make_filter_set(sample_rate=rate, drivers=drivers, frames=frames) for rate in SAMPLE_RATES],
        "ears": {
            "sample_rate": 48_000,
            "delay_frames": 2,
            "device": [[tap] * drivers, [tap] * drivers],
            "reference": [[tap, ""], ["", tap]],
        },
        "loudness": {"processed_db": -1.25, "device_ears_db": 0.1, "reference_ears_db": 2},
        "room": {
            "name": "Tiny room",
            "ears": {
                "sample_rate": 48_000,
                "delay_frames": 2,
                "device": [[long_tap] * drivers, [long_tap] * drivers],
                "reference": [[long_tap, ""], ["", long_tap]],
            },
            "loudness": {"processed_db": -2, "device_ears_db": -3, "reference_ears_db": 1},
        },
        "analysis": [
            {"name": "separation_target", "unit": "dB", "frequency_hz": [100, 1000.5, 10_000], "values": [0, 12.5, -3]}
        ],
        "maps": [
            {
                "name": "separation",
                "unit": "dB",
                "lateral_m": [-0.25, 0, 0.25],
                "distance_m": [1, 2],
                "values": [3, 9, 2.5, 5, 12, 4],
            }
        ],
        "directions": {
            "azimuth_deg": [-90, 0, 90],
            "frequency_hz": [500, 1000],
            "drivers": [fir_text(np.linspace(-1, 1, 12))] * drivers,
        },
        "design": {"seed": 7, "geometry": {"radius_m": 0.09, "azimuth_deg": [90, -90, 0]}, "hash": "00ff"},
    }


def small(name: str, gain: float) -> dict:
    """A preset of a kilobyte or two, for tests of what a plugin does with presets, whatever they hold."""
    preset = make_preset(drivers=2) | {"name": name, "text": ""}
    for key in ("room", "analysis", "maps", "directions", "design"):
        del preset[key]
    for filters in preset["filters"]:
        filters["cancel"][0][0] = impulse_text(at=4, gain=gain)
    return preset


# By the names of the files that are the first programs, and one more
SMALL = {"smart-speaker": small("One", 1.0), "laptop": small("Two", 0.9), "tv": small("Three", 0.8)}


def with_later_alignment(name: str, *, frames: int) -> dict:
    """A factory preset whose paths all come `frames` later."""
    preset = json.loads(factory_presets()[name].read_text())
    for filters in preset["filters"]:
        filters["cancel_align_frames"] += frames
        filters["beam_align_frames"] += frames
    return preset


def with_long_ears(name: str, *, sample_rate: int = 48_000, duration_s: float = 0.5) -> dict:
    """A factory preset that has a synthetic room in place of the free field, and no other."""
    preset = json.loads(factory_presets()[name].read_text())
    preset.pop("room", None)
    preset["ears"] = room_ears(
        len(preset["drivers"]), sample_rate=sample_rate, delay_frames=round(0.002 * sample_rate), duration_s=duration_s
    )
    return preset


def with_room(name: str, *, duration_s: float = 0.5) -> dict:
    """A factory preset that has a synthetic room of its own, with gains unlike those of the free field."""
    preset = json.loads(factory_presets()[name].read_text())
    free = preset["ears"]
    ears = room_ears(
        len(preset["drivers"]),
        sample_rate=free["sample_rate"],
        delay_frames=free["delay_frames"],
        duration_s=duration_s,
    )
    gains = {"processed_db": -4.0, "device_ears_db": -2.0, "reference_ears_db": -1.0}
    return preset | {"room": {"name": "Hall", "ears": ears, "loudness": gains}}


def room_ears(drivers: int, *, sample_rate: int, delay_frames: int, duration_s: float) -> dict:
    """Ears in a synthetic room: an impulse, then noise of -12 dB that decays by 60 dB."""
    rng = np.random.default_rng(8)
    frames = round(duration_s * sample_rate)

    def response():
        tail = rng.standard_normal(frames) * 10 ** (-3 * np.arange(frames) / frames)
        tail[: delay_frames + 1] = 0
        tail *= 10 ** (-12 / 20) / np.linalg.norm(tail)
        tail[delay_frames] = 1
        return fir_text(0.5 * tail)

    return {
        "sample_rate": sample_rate,
        "delay_frames": delay_frames,
        "device": [[response() for _ in range(drivers)] for _ in range(2)],
        "reference": [[response() for _ in range(2)] for _ in range(2)],
    }
