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
from forestage.design.shortfall import BassShortfall, Shortfall, bass_shortfalls, cap_excess, shortfalls
from forestage.presets import has_designed_filters

from .carried import is_number
from .figures import metrics_of

Grade = Literal["good", "limited", "poor"]

# Up to where a figure is good, and from where on it is poor
SIDES_DEG = (10.0, 20.0)
CENTER_DEG, CENTER_DB = (3.0, 10.0), (3.0, 8.0)
MIDDLE_DEG, MIDDLE_ROOM_DEG = (2.5, 6.0), (10.0, 20.0)
LOST_DB = ((9.0, 12.0), (6.0, 9.0))  # below and above 800 Hz
LEAD_DB = (2.0, 6.0)
AREA_CM2 = (400.0, 100.0)
MOVED_DB = (1.0, -2.0)
DRIVE_DB = (9.0, 13.0)
MATCH_LU = (1.0, 3.0)
LIMITED_DB = (1.5, 6.0)
# Octaves below 800 Hz, and below 1.6 kHz
LOW_OCTAVES, TIME_OCTAVES = 2, 3
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
    figures = _Figures(metrics_of(preset), preset.get("design", {}).get("variant", ""), len(preset.get("drivers", [])))
    subjects = (_sides, _nearness, _center, _middle, _zone, _drive)
    return [line for judge in subjects for line in judge(figures)]


def caveats(preset: Mapping[str, Any], judgements: Sequence[Judgement]) -> list[str]:
    """Why what was judged of a preset may not hold, a sentence each."""
    if not judgements:
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
    return [
        *map(str, _left_out(preset)),
        *map(str, _separation(curves)),
        *map(str, _excess(curves)),
        *map(str, _beam(preset, curves)),
    ]


def _left_out(preset: Mapping[str, Any]) -> Iterator[BassShortfall]:
    rows = preset.get("drivers", [])
    return bass_shortfalls({row["name"]: row["high_pass_hz"] for row in rows if is_number(row.get("high_pass_hz"))})


class _Figures:
    """Figures that may not be there, and of what."""

    def __init__(self, metrics: Mapping[str, Any], variant: str, drivers: int) -> None:
        self.metrics, self.variant, self.drivers = metrics, variant, drivers

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
    grades = [_graded(off, SIDES_DEG)]
    text = f"heard at {_degrees(by_time)} by time and {_degrees(by_level)} by level in the free field"
    in_room = [figures.value("room", f"azimuth_by_{cue}_deg") for cue in ("time", "level")]
    heard = [angle for angle in in_room if angle is not None]
    if len(heard) == 2:
        grades.append(_graded(abs(heard[0] - wanted), SIDES_DEG))
        text += f", at ±{heard[0]:.0f}° and ±{heard[1]:.0f}° in a living room"
    grade = _worst(grades)
    advice = "" if grade == "good" else _wider(figures, is_wide=grades[0] == "good")
    yield Judgement("sides", grade, f"{text}; ±{wanted:g}° is wanted, {SIDES_DEG[0]:g}° off is good{advice}")


def _wider(figures: _Figures, *, is_wide: bool) -> str:
    """What lets sides stand further out: a nearer seat where the room says so, and no room for those that have it."""
    conditions = figures.metrics["conditions"]
    with contextlib.suppress(KeyError, TypeError, ValueError):
        room = {key: conditions[key] for key in ("room_m3", "room_rt60_s")}
        listener = Listener(conditions["seat_m"][0], **room)
        near_m = NEAR_RATIO * listener.omni_critical_m
        if listener.distance_m > near_m:
            elsewhere = "" if is_wide else ", or take --variant free-field where little reflects"
            return f": sit nearer, at {near_m:.1f} m or less{elsewhere}"
    return ""


def _nearness(figures: _Figures) -> Iterator[Judgement]:
    plain, own = (figures.octaves("room", "direct_over_reverberant_db", version) for version in ("plain", "processed"))
    if plain is None or own is None or plain.shape != own.shape:
        return
    lost_db = np.maximum(plain - own, 0.0)
    low, high = float(lost_db[:LOW_OCTAVES].max()), float(lost_db[LOW_OCTAVES:].max())
    grades = [_graded(*each) for each in zip((low, high), LOST_DB, strict=True)]
    text = (
        f"sides lose {low:.0f} dB of direct over reverberant sound below 800 Hz and {high:.0f} dB above "
        f"({LOST_DB[0][0]:g} and {LOST_DB[1][0]:g} dB are good)"
    )
    lead_db, real_db = (figures.value("room", "center_lead_db", version) for version in ("processed", "reference"))
    if lead_db is not None and real_db is not None:
        more_db = lead_db - real_db
        grades.append(_graded(abs(more_db), LEAD_DB))
        text += (
            f"; the centre stands {abs(more_db):.0f} dB {'further' if more_db < 0.0 else 'nearer'} against them than "
            f"between real loudspeakers ({LEAD_DB[0]:g} dB are good)"
        )
        if grades[-1] != "good" and more_db > 0.0:
            text += ", as voices keep the nearness of plain stereo"
    yield Judgement("nearness in a room", _worst(grades), text)


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
        if grades[-1] != "good" and figures.drivers == 2:
            text += "; a third driver, whatever it plays, would even it out"
    yield Judgement("centre", _worst(grades), text)


def _middle(figures: _Figures) -> Iterator[Judgement]:
    off, by_level = (figures.value("panning", f"error_by_{cue}_deg") for cue in ("time", "level"))
    if off is None or by_level is None:
        return
    grades = [_graded(off, MIDDLE_DEG)]
    text = (
        f"sounds between the sides are up to {off:.1f}° off by time and {by_level:.0f}° by level in the free field; "
        f"{MIDDLE_DEG[0]:g}° by time are good"
    )
    in_room = [figures.value("room", f"panning_error_by_{cue}_deg") for cue in ("time", "level")]
    heard = [angle for angle in in_room if angle is not None]
    if len(heard) == 2:
        grades.append(_graded(heard[0], MIDDLE_ROOM_DEG))
        text += f"; {heard[0]:.0f}° and {heard[1]:.0f}° in a living room, {MIDDLE_ROOM_DEG[0]:g}° are good"
    yield Judgement("between", _worst(grades), text)


def _zone(figures: _Figures) -> Iterator[Judgement]:
    area, spot_m = figures.value("zone", "area_cm2"), figures.value("zone", "sweet_spot_m")
    if area is None or spot_m is None:
        return
    grades = [_graded(area, AREA_CM2)]
    text = (
        f"{area:.0f} cm² in which both sides are heard within 10° of their places and 6 dB apart "
        f"({AREA_CM2[0]:g} cm² are good); 6 dB alone are {100 * spot_m:.0f} cm wide"
    )
    moved_db = figures.octaves("zone", "moved_separation_db", "processed")
    if moved_db is not None and len(moved_db) > TIME_OCTAVES:
        below, above = float(moved_db[:TIME_OCTAVES].min()), float(moved_db[TIME_OCTAVES:].min())
        grades.append(_graded(min(below, above), MOVED_DB))
        text += f"; other heads, a little aside, keep {below:.0f} dB below 1.6 kHz and {above:.0f} dB above at worst"
    grade = _worst(grades)
    # A wider zone is for sides that are at their places to begin with
    is_of_use = grade != "good" and area > 0.0 and figures.variant != "wide-zone"
    yield Judgement("zone", grade, text + ("; --variant wide-zone is for heads that move" if is_of_use else ""))


def _drive(figures: _Figures) -> Iterator[Judgement]:
    alone, staged = (figures.value("effort", "most_drive_db", name) for name in ("cancelled", "staged"))
    if alone is None or staged is None:
        return
    grades = [_graded(staged, DRIVE_DB)]
    text = (
        f"up to {staged:.1f} dB more power than plain stereo takes ({alone:.1f} dB without the pair); "
        f"{DRIVE_DB[0]:g} dB are good"
    )
    if grades[0] != "good":
        text += ", --drive-cap takes less, for less width"
    match_lu, limited_db, gain_db = (figures.value("level", key) for key in ("match_lu", "limited_db", "headroom_db"))
    if match_lu is not None and limited_db is not None and gain_db is not None:
        grades += [_graded(match_lu, MATCH_LU), _graded(limited_db, LIMITED_DB)]
        text += (
            f"; loud music plays {-gain_db:.1f} dB down, within {match_lu:.1f} LU of plain stereo ({MATCH_LU[0]:g} LU "
            f"are good), and the limiter takes up to {limited_db:.1f} dB of it ({LIMITED_DB[0]:g} dB are good)"
        )
        if grades[-1] != "good":
            text += f", or none with input_trim_db = {-limited_db:.0f}"
    yield Judgement("drive and level", _worst(grades), text)


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
