"""What a design is worth to a listener, in a handful of lines: each good, limited or poor against a stated limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from forestage.acoustics.seat import Listener

from .figures import metrics_of

Grade = Literal["good", "limited", "poor"]

# Up to where a figure is good, and from where on it is poor
SIDES_DEG = (10.0, 20.0)
CENTER_DEG, CENTER_DB = (3.0, 10.0), (3.0, 8.0)
MIDDLE_DEG = (2.5, 6.0)
LOST_DB = ((9.0, 12.0), (6.0, 9.0))  # below and above 800 Hz
AREA_CM2 = (400.0, 100.0)
DRIVE_DB = (9.0, 13.0)
# Octaves below 800 Hz
LOW_OCTAVES = 2
# In front of the critical distance a room hardly takes part; a bit beyond it cancellation still works
NEAR_RATIO = 1.5


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


def judgements(preset: Mapping[str, Any]) -> list[Judgement]:
    """At most six lines on what a preset that was just designed is worth.

    Parameters
    ----------
    preset : mapping
        A preset in its JSON form, with all its figures.
    """
    figures = metrics_of(preset)
    return [
        *_sides(figures),
        *_nearness(figures),
        *_center(figures),
        *_middle(figures),
        *_zone(figures),
        *_drive(figures),
    ]


def _graded(value: float, limits: tuple[float, float]) -> Grade:
    """By how far a value is from 0, or, where the limits fall, how much there is of it."""
    good, poor = limits
    sign = 1.0 if good < poor else -1.0
    if sign * value <= sign * good:
        return "good"
    return "limited" if sign * value <= sign * poor else "poor"


def _worst(grades: Sequence[Grade]) -> Grade:
    return max(grades, key=("good", "limited", "poor").index)


def _sides(figures: Mapping[str, Any]) -> Iterator[Judgement]:
    wanted, width, room = figures["conditions"]["stage_width_deg"], figures["width"], figures.get("room")
    by_time, by_level = (
        [width[f"{side}azimuth_by_{cue}_deg"]["processed"] for side in ("", "right_")] for cue in ("time", "level")
    )
    off = max(abs(by_time[0] - wanted), abs(by_time[1] + wanted))
    text = f"heard at {_degrees(by_time)} by time and {_degrees(by_level)} by level in the free field"
    if room is not None:
        heard = [room[f"azimuth_by_{cue}_deg"]["processed"] for cue in ("time", "level")]
        off = max(off, abs(heard[0] - wanted))
        text += f", at ±{heard[0]:.0f}° and ±{heard[1]:.0f}° in a living room"
    grade = _graded(off, SIDES_DEG)
    advice = "" if grade == "good" else _nearer(figures)
    yield Judgement("sides", grade, f"{text}; ±{wanted:g}° is wanted, {SIDES_DEG[0]:g}° off is good{advice}")


def _nearer(figures: Mapping[str, Any]) -> str:
    """What lets a design do more: a nearer seat, where the room says so."""
    conditions = figures["conditions"]
    if "room_m3" not in conditions:
        return ""
    listener = Listener(conditions["seat_m"][0], room_m3=conditions["room_m3"], room_rt60_s=conditions["room_rt60_s"])
    near_m = NEAR_RATIO * listener.omni_critical_m
    if listener.distance_m <= near_m:
        return ""
    return f": sit nearer, at {near_m:.1f} m or less, or take --variant free-field where little reflects"


def _nearness(figures: Mapping[str, Any]) -> Iterator[Judgement]:
    if "room" not in figures:
        return
    direct = figures["room"]["direct_over_reverberant_db"]
    lost_db = np.subtract(direct["plain"], direct["processed"])
    low, high = float(lost_db[:LOW_OCTAVES].max()), float(lost_db[LOW_OCTAVES:].max())
    grades = [_graded(*each) for each in zip((low, high), LOST_DB, strict=True)]
    grade = _worst(grades)
    lead_db = {name: value for name, value in figures["room"]["center_lead_db"].items() if name != "plain"}
    yield Judgement(
        "nearness in a room",
        grade,
        f"sides lose {low:.0f} dB of direct over reverberant sound below 800 Hz and {high:.0f} dB above "
        f"({LOST_DB[0][0]:g} and {LOST_DB[1][0]:g} dB are good); the centre has {lead_db['processed']:.0f} dB more of "
        f"it than they, {lead_db['reference']:.0f} dB between real loudspeakers",
    )


def _center(figures: Mapping[str, Any]) -> Iterator[Judgement]:
    heard = [figures["width"][f"center_azimuth_by_{cue}_deg"]["processed"] for cue in ("time", "level")]
    grades = [_graded(abs(heard[0]), CENTER_DEG)]
    text = f"heard at {_degrees(heard)} by time and level; {CENTER_DEG[0]:g}° off is good"
    if "center_ripple_db" in figures["colour"]:
        ripple_db = figures["colour"]["center_ripple_db"]["processed"]
        grades.append(_graded(ripple_db, CENTER_DB))
        text += f"; flat on axis within ±{ripple_db:.1f} dB, ±{CENTER_DB[0]:g} dB are good"
        if grades[-1] != "good":
            text += '; drivers in between can play it: channel = "center"'
    yield Judgement("centre", _worst(grades), text)


def _middle(figures: Mapping[str, Any]) -> Iterator[Judgement]:
    errors = figures.get("panning")
    if errors:
        off, by_level = (errors[f"error_by_{cue}_deg"]["processed"] for cue in ("time", "level"))
        text = f"up to {off:.1f}° off by time and {by_level:.0f}° by level"
        yield Judgement(
            "between",
            _graded(off, MIDDLE_DEG),
            f"sounds between the sides are {text}; {MIDDLE_DEG[0]:g}° by time are good",
        )


def _zone(figures: Mapping[str, Any]) -> Iterator[Judgement]:
    if "zone" not in figures:
        return
    area = figures["zone"]["area_cm2"]["processed"]
    spot_cm = 100 * figures["zone"]["sweet_spot_m"]["processed"]
    grade = _graded(area, AREA_CM2)
    advice = "" if grade == "good" else "; --variant wide-zone is for heads that move"
    yield Judgement(
        "zone",
        grade,
        f"{area:.0f} cm² where both sides stay within 10° and 6 dB apart, which they are {spot_cm:.0f} cm wide; "
        f"{AREA_CM2[0]:g} cm² are good{advice}",
    )


def _drive(figures: Mapping[str, Any]) -> Iterator[Judgement]:
    alone, staged = (figures["effort"]["most_drive_db"][name] for name in ("cancelled", "staged"))
    grade = _graded(staged, DRIVE_DB)
    advice = "" if grade == "good" else "; --drive-cap takes less, for less width"
    yield Judgement(
        "drive",
        grade,
        f"up to {staged:.1f} dB more power than plain stereo takes ({alone:.1f} dB without the pair); "
        f"{DRIVE_DB[0]:g} dB are good{advice}",
    )


def _degrees(angles: list[float]) -> str:
    return ", ".join(f"{round(angle)}°" for angle in angles)
