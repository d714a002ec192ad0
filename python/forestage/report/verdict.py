"""What a preset comes to: a verdict, and where it falls short, from what its file holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from forestage.design.shortfall import Shortfall, shortfalls
from forestage.metrics.zone import SWEET_SPOT_DB
from forestage.presets import has_designed_filters

from .figures import metrics_of

TOLERANCE_DEG = 3.0
UNEVEN_DEG = 1.0
CUES = {"time": "azimuth_by_time_deg", "level": "azimuth_by_level_deg"}
CENTRE_CURVES = {
    "beam front over sides": ("beam_on_off", "on_off_db"),
    "beam white noise gain": ("beam_white_noise_gain", "white_noise_gain_db"),
}


def verdict(preset: Mapping[str, Any]) -> str:
    """Two sentences on what a preset reaches.

    Parameters
    ----------
    preset : mapping
        A preset in its JSON form.
    """
    figures = metrics_of(preset)
    azimuth = {cue: figures.get("width", {}).get(key, {}) for cue, key in CUES.items()}
    if any("processed" not in versions for versions in azimuth.values()):
        return "This preset carries no figures by which it could be judged."
    count = len(shortfall_lines(preset))
    doubt = "" if has_designed_filters(preset) else " Its filters were changed since: figures are those of its design."
    judgement = f"Short of its targets in {count} {'place' if count == 1 else 'places'}" if count else "As wanted"
    heard = " and ".join(f"{versions['processed']:.0f}° by {cue}" for cue, versions in azimuth.items())
    wanted = _wanted_deg(preset)
    aim = f" where {wanted:g}° is wanted" if wanted is not None else ""
    plain = azimuth["time"].get("plain")
    unaided = f"; the unaided device has {plain:.0f}°" if plain is not None else ""
    return (
        f"{judgement}: a sound in the left channel is heard at {heard}{aim}{unaided}. {_reach(figures)}".strip() + doubt
    )


def _reach(figures: Mapping[str, Any]) -> str:
    """The second sentence: separation, zone and effort."""
    separation = {name: float(np.mean(values)) for name, values in figures["width"].get("separation_db", {}).items()}
    zone_db = figures.get("conditions", {}).get("sweet_spot_db", SWEET_SPOT_DB)
    zone_m = figures.get("zone", {}).get("sweet_spot_m", {}).get("processed")
    drive_db = figures.get("effort", {}).get("most_drive_db", {}).get("staged")
    parts = []
    if {"processed", "plain"} <= separation.keys():
        parts.append(f"The ears are {separation['processed']:.1f} dB apart (unaided {separation['plain']:.1f} dB)")
    if zone_m is not None:
        parts.append(f"by {zone_db:g} dB or more in a zone {100 * zone_m:.0f} cm wide")
    if drive_db is not None:
        parts.append(f"for up to {drive_db:.1f} dB more power than plain stereo takes")
    return f"{', '.join(parts)}." if {"processed", "plain"} <= separation.keys() else ""


def shortfall_lines(preset: Mapping[str, Any]) -> list[str]:
    """Where a preset misses its targets by more than 3° or 0.5 dB, a line each.

    Examples
    --------
    >>> width = {"azimuth_by_time_deg": {"processed": 41.0}}
    >>> shortfall_lines({"design": {"metrics": {"conditions": {"stage_width_deg": 30.0}, "width": width}}})
    ['stage by time is 11° too wide: 41° instead of 30°']
    """
    return [*_stage(preset), *map(str, _separation(preset)), *map(str, _centre(preset))]


def _wanted_deg(preset: Mapping[str, Any]) -> float | None:
    width_deg = metrics_of(preset).get("conditions", {}).get("stage_width_deg")
    return None if width_deg is None else float(width_deg)


def _stage(preset: Mapping[str, Any]) -> Iterator[str]:
    wanted = _wanted_deg(preset)
    if wanted is None:
        return
    width = metrics_of(preset).get("width", {})
    for cue, key in CUES.items():
        left, right, center = (width.get(f"{which}{key}", {}).get("processed") for which in ("", "right_", "center_"))
        if left is not None and abs(left - wanted) > TOLERANCE_DEG:
            wrong = "too wide" if left > wanted else "too narrow"
            yield f"stage by {cue} is {abs(left - wanted):.0f}° {wrong}: {left:.0f}° instead of {wanted:g}°"
        # Like sides need no second line
        is_uneven = left is not None and right is not None and abs(left + right) > UNEVEN_DEG
        if is_uneven and abs(right + wanted) > TOLERANCE_DEG:
            yield f"right by {cue} is {abs(right + wanted):.0f}° off: {right:.0f}° instead of {-wanted:g}°"
        if center is not None and abs(center) > TOLERANCE_DEG:
            yield f"centre by {cue} is {abs(center):.0f}° off: {center:.0f}° instead of 0°"


def _separation(preset: Mapping[str, Any]) -> Iterator[Shortfall]:
    curves = _curves(preset)
    if {"separation_target", "separation_processed"} <= curves.keys():
        frequency_hz, target_db = curves["separation_target"]
        reached_db = np.interp(frequency_hz, *curves["separation_processed"])
        yield from shortfalls("separation at the seat", frequency_hz, target_db - reached_db)


def _centre(preset: Mapping[str, Any]) -> Iterator[Shortfall]:
    target, curves = preset.get("design", {}).get("beam_target"), _curves(preset)
    if not target:
        return
    low_hz, high_hz = target["judged_hz"]
    for figure, (name, key) in CENTRE_CURVES.items():
        if name in curves and target.get(key) is not None:
            frequency_hz, values = curves[name]
            judged = (low_hz <= frequency_hz) & (frequency_hz <= high_hz)
            yield from shortfalls(figure, frequency_hz[judged], target[key] - values[judged])


def _curves(preset: Mapping[str, Any]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        curve["name"]: (np.asarray(curve["frequency_hz"], dtype=np.float64), np.asarray(curve["values"]))
        for curve in preset.get("analysis", [])
    }
