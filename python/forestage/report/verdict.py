"""The verdict on a preset: a handful of lines, each good, limited or poor against a stated limit.

The command line and the report say the same, from what the preset's file holds. What a file lacks has no line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from forestage.acoustics.seat import Listener
from forestage.arrays import FloatArray
from forestage.design.shortfall import Shortfall, cap_excess, shortfalls
from forestage.presets import has_designed_filters

from .carried import is_number
from .figures import metrics_of

Grade = Literal["good", "limited", "poor"]

# Up to where a figure is good, and from where on it is poor
SIDES_DEG = (10.0, 20.0)
CENTER_DEG, CENTER_DB = (3.0, 10.0), (3.0, 8.0)
MIDDLE_DEG = (2.5, 6.0)
LOST_DB = ((9.0, 12.0), (6.0, 9.0))  # below and above 800 Hz
AREA_CM2 = (400.0, 100.0)
DRIVE_DB = (9.0, 13.0)
MATCH_LU = (1.0, 3.0)
LIMITED_DB = (1.5, 6.0)
# Octaves below 800 Hz
LOW_OCTAVES = 2
# In front of the critical distance a room hardly takes part; a bit beyond it cancellation still works
NEAR_RATIO = 1.5
CENTRE_CURVES = {
    "beam front over sides": ("beam_on_off", "on_off_db"),
    "beam white noise gain": ("beam_white_noise_gain", "white_noise_gain_db"),
}


@dataclass(frozen=True)
class Judgement:
    """One line of the verdict.

    Examples
    --------
    >>> print(Judgement("zone", "limited", "142 cm²"))
    zone: limited: 142 cm²
    """

    subject: str
    grade: Grade
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.grade}: {self.text}"


def verdict(preset: Mapping[str, Any]) -> list[Judgement]:
    """At most six lines on what a preset is worth to a listener.

    Parameters
    ----------
    preset : mapping
        A preset in its JSON form, with all or some of its figures.
    """
    figures = _Figures(metrics_of(preset))
    subjects = (_sides, _nearness, _center, _middle, _zone, _drive)
    return [line for judge in subjects for line in judge(figures)]


def doubts(preset: Mapping[str, Any]) -> list[str]:
    """Why a verdict may not hold, a sentence each."""
    if not verdict(preset):
        return ["This preset carries no figures by which it could be judged."]
    if not has_designed_filters(preset):
        return ["Its filters were changed since: figures are those of its design."]
    return []


def shortfall_lines(preset: Mapping[str, Any]) -> list[str]:
    """Where over frequency a preset misses its targets by more than 0.5 dB, or its drive cap by 0.2, a line each.

    Examples
    --------
    >>> curves = {"drive": [3.0, 9.5], "drive_cap": [9.0, 9.0]}
    >>> rows = [{"name": name, "frequency_hz": [200, 400], "values": db} for name, db in curves.items()]
    >>> shortfall_lines({"analysis": rows})
    ['drive is up to 0.5 dB above its cap from 400 to 400 Hz']
    """
    curves = _curves(preset)
    return [*map(str, _separation(curves)), *map(str, _excess(curves)), *map(str, _beam(preset, curves))]


class _Figures:
    """Figures that may not be there."""

    def __init__(self, metrics: Mapping[str, Any]) -> None:
        self.metrics = metrics

    def value(self, group: str, key: str, version: str | None = "processed") -> float | None:
        """One figure, None where it is none."""
        found = self.metrics.get(group, {}).get(key)
        if version is not None:
            found = found.get(version) if isinstance(found, Mapping) else None
        return float(found) if is_number(found) else None

    def octaves(self, group: str, key: str, version: str) -> FloatArray | None:
        """A figure per octave."""
        found = self.metrics.get(group, {}).get(key, {}).get(version)
        return np.asarray(found, dtype=np.float64) if isinstance(found, list) and all(map(is_number, found)) else None

    def azimuths(self, cue: str, sounds: Sequence[str]) -> list[float]:
        """Where sounds are heard, those that are there: "" is left, "right_", "center_"."""
        found = [self.value("width", f"{sound}azimuth_by_{cue}_deg") for sound in sounds]
        return [angle for angle in found if angle is not None]


def _graded(value: float, limits: tuple[float, float]) -> Grade:
    """By how far a value is from 0, or, where the limits fall, how much there is of it."""
    good, poor = limits
    sign = 1.0 if good < poor else -1.0
    if sign * value <= sign * good:
        return "good"
    return "limited" if sign * value <= sign * poor else "poor"


def _worst(grades: Sequence[Grade]) -> Grade:
    return max(grades, key=("good", "limited", "poor").index)


def _sides(figures: _Figures) -> Iterator[Judgement]:
    wanted = figures.value("conditions", "stage_width_deg", None)
    by_time, by_level = (figures.azimuths(cue, ("", "right_")) for cue in ("time", "level"))
    if wanted is None or len(by_time) < 2 or len(by_level) < 2:
        return
    off = max(abs(by_time[0] - wanted), abs(by_time[1] + wanted))
    text = f"heard at {_degrees(by_time)} by time and {_degrees(by_level)} by level in the free field"
    in_room = [figures.value("room", f"azimuth_by_{cue}_deg") for cue in ("time", "level")]
    heard = [angle for angle in in_room if angle is not None]
    if len(heard) == 2:
        off = max(off, abs(heard[0] - wanted))
        text += f", at ±{heard[0]:.0f}° and ±{heard[1]:.0f}° in a living room"
    grade = _graded(off, SIDES_DEG)
    advice = "" if grade == "good" else _nearer(figures)
    yield Judgement("sides", grade, f"{text}; ±{wanted:g}° is wanted, {SIDES_DEG[0]:g}° off is good{advice}")


def _nearer(figures: _Figures) -> str:
    """What lets a design do more: a nearer seat, where the room says so."""
    conditions = figures.metrics["conditions"]
    with contextlib.suppress(KeyError, TypeError, ValueError):
        room = {key: conditions[key] for key in ("room_m3", "room_rt60_s")}
        listener = Listener(conditions["seat_m"][0], **room)
        near_m = NEAR_RATIO * listener.omni_critical_m
        if listener.distance_m > near_m:
            return f": sit nearer, at {near_m:.1f} m or less, or take --variant free-field where little reflects"
    return ""


def _nearness(figures: _Figures) -> Iterator[Judgement]:
    plain, own = (figures.octaves("room", "direct_over_reverberant_db", version) for version in ("plain", "processed"))
    if plain is None or own is None or plain.shape != own.shape:
        return
    lost_db = plain - own
    low, high = float(lost_db[:LOW_OCTAVES].max()), float(lost_db[LOW_OCTAVES:].max())
    grade = _worst([_graded(*each) for each in zip((low, high), LOST_DB, strict=True)])
    text = (
        f"sides lose {low:.0f} dB of direct over reverberant sound below 800 Hz and {high:.0f} dB above "
        f"({LOST_DB[0][0]:g} and {LOST_DB[1][0]:g} dB are good)"
    )
    lead_db, real_db = (figures.value("room", "center_lead_db", version) for version in ("processed", "reference"))
    if lead_db is not None and real_db is not None:
        text += f"; the centre has {lead_db:.0f} dB more of it than they, {real_db:.0f} dB between real loudspeakers"
    yield Judgement("nearness in a room", grade, text)


def _center(figures: _Figures) -> Iterator[Judgement]:
    heard = [angle for cue in ("time", "level") for angle in figures.azimuths(cue, ("center_",))]
    if len(heard) < 2:
        return
    grades = [_graded(abs(heard[0]), CENTER_DEG)]
    text = f"heard at {_degrees(heard)} by time and level; {CENTER_DEG[0]:g}° off is good"
    ripple_db = figures.value("colour", "center_ripple_db")
    if ripple_db is not None:
        grades.append(_graded(ripple_db, CENTER_DB))
        text += f"; flat on axis within ±{ripple_db:.1f} dB, ±{CENTER_DB[0]:g} dB are good"
        if grades[-1] != "good":
            text += '; drivers in between can play it: channel = "center"'
    yield Judgement("centre", _worst(grades), text)


def _middle(figures: _Figures) -> Iterator[Judgement]:
    off, by_level = (figures.value("panning", f"error_by_{cue}_deg") for cue in ("time", "level"))
    if off is None or by_level is None:
        return
    yield Judgement(
        "between",
        _graded(off, MIDDLE_DEG),
        f"sounds between the sides are up to {off:.1f}° off by time and {by_level:.0f}° by level; "
        f"{MIDDLE_DEG[0]:g}° by time are good",
    )


def _zone(figures: _Figures) -> Iterator[Judgement]:
    area, spot_m = figures.value("zone", "area_cm2"), figures.value("zone", "sweet_spot_m")
    if area is None or spot_m is None:
        return
    grade = _graded(area, AREA_CM2)
    advice = "" if grade == "good" else "; --variant wide-zone is for heads that move"
    yield Judgement(
        "zone",
        grade,
        f"{area:.0f} cm² where both sides stay within 10° and 6 dB apart, which they are {100 * spot_m:.0f} cm wide; "
        f"{AREA_CM2[0]:g} cm² are good{advice}",
    )


def _drive(figures: _Figures) -> Iterator[Judgement]:
    alone, staged = (figures.value("effort", "most_drive_db", name) for name in ("cancelled", "staged"))
    if alone is None or staged is None:
        return
    grades = [_graded(staged, DRIVE_DB)]
    text = (
        f"up to {staged:.1f} dB more power than plain stereo takes ({alone:.1f} dB without the pair); "
        f"{DRIVE_DB[0]:g} dB are good"
    )
    match_lu, limited_db, gain_db = (figures.value("level", key) for key in ("match_lu", "limited_db", "headroom_db"))
    if match_lu is not None and limited_db is not None and gain_db is not None:
        grades += [_graded(match_lu, MATCH_LU), _graded(limited_db, LIMITED_DB)]
        text += (
            f"; loud music plays {-gain_db:.1f} dB down, within {match_lu:.1f} LU of plain stereo ({MATCH_LU[0]:g} LU "
            f"are good), and the limiter takes up to {limited_db:.1f} dB of it ({LIMITED_DB[0]:g} dB are good)"
        )
    grade = _worst(grades)
    advice = "" if grade == "good" else "; --drive-cap takes less, for less width"
    yield Judgement("drive and level", grade, text + advice)


def _degrees(angles: list[float]) -> str:
    return ", ".join(f"{round(angle)}°" for angle in angles)


Curves = Mapping[str, tuple[FloatArray, FloatArray]]


def _curves(preset: Mapping[str, Any]) -> Curves:
    return {
        curve["name"]: (np.asarray(curve["frequency_hz"], dtype=np.float64), np.asarray(curve["values"]))
        for curve in preset.get("analysis", [])
    }


def _separation(curves: Curves) -> Iterator[Shortfall]:
    if {"separation_target", "separation_processed"} <= curves.keys():
        frequency_hz, target_db = curves["separation_target"]
        reached_db = np.interp(frequency_hz, *curves["separation_processed"])
        yield from shortfalls("separation at the seat", frequency_hz, target_db - reached_db)


def _excess(curves: Curves) -> Iterator[object]:
    if {"drive", "drive_cap"} <= curves.keys():
        frequency_hz, cap_db = curves["drive_cap"]
        yield from cap_excess(frequency_hz, np.interp(frequency_hz, *curves["drive"]) - cap_db)


def _beam(preset: Mapping[str, Any], curves: Curves) -> Iterator[Shortfall]:
    target = preset.get("design", {}).get("beam_target")
    if not target:
        return
    low_hz, high_hz = target["judged_hz"]
    for figure, (name, key) in CENTRE_CURVES.items():
        if name in curves and target.get(key) is not None:
            frequency_hz, values = curves[name]
            judged = (low_hz <= frequency_hz) & (frequency_hz <= high_hz)
            yield from shortfalls(figure, frequency_hz[judged], target[key] - values[judged])
