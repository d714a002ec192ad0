"""What a preset carries beside its sound, in the shapes that a report reads.

Nothing but a report depends on ``design``, so anything may stand there: other versions add to it, people edit it. What
is not as it should be is left out, with a warning that names its place.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from typing import Any

from forestage.metrics.bands import OCTAVES

# A check, and what it wants
Kind = tuple[Callable[[Any], bool], str]

NOT_FIGURES = ("conditions", "azimuth_over_width_deg")
BEAM_LEVELS = ("on_off_db", "white_noise_gain_db")


def carried(preset: Mapping[str, Any]) -> dict[str, Any]:
    """Copy of a preset in its JSON form, whose ``design`` holds no figures, aims and conditions of other shapes."""
    reader = _Reader(str(preset["name"]))
    design = dict(preset.get("design", {}))
    for key, checked in {"metrics": _metrics, "stereo": _stereo, "beam_target": _beam_target}.items():
        if key in design:
            design[key] = checked(reader, design[key], f"design.{key}")
    return dict(preset) | {"design": design}


class _Reader:
    """Takes what passes a check, and warns of what does not."""

    def __init__(self, name: str) -> None:
        self.name = name

    def mapping(self, value: Any, place: str) -> dict[str, Any]:
        return value if self.passes(isinstance(value, dict), place, "a group of values") else {}

    def passes(self, is_right: bool, place: str, wanted: str) -> bool:
        if not is_right:
            warnings.warn(f"{self.name}: {place} is left out of the report: {wanted} would be right", stacklevel=6)
        return is_right


def is_number(value: Any) -> bool:
    """Whether a value is a number that can be drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 and math.isfinite(value)


def _is_list(value: Any, count: int) -> bool:
    return isinstance(value, list) and len(value) == count and all(map(is_number, value))


# Figures that the verdict and the pictures read, and those of other kinds that tables show
_KINDS: dict[str, Kind] = {
    "separation_db": (lambda value: _is_list(value, len(OCTAVES)), f"a list of {len(OCTAVES)} numbers"),
    "sweet_spot_m": (is_number, "a number"),
    "most_drive_db": (is_number, "a number"),
    **{
        f"{side}azimuth_by_{cue}_deg": (is_number, "a number")
        for side in ("", "right_", "center_")
        for cue in ("time", "level")
    },
}
_ANY_KIND: Kind = (
    lambda value: is_number(value) or _is_list(value, len(OCTAVES)),
    f"a number, or {len(OCTAVES)} of them",
)
_CONDITIONS: dict[str, Kind] = {
    "seat_m": (lambda value: _is_list(value, 3), "a list of 3 numbers"),
    "stage_width_deg": (is_number, "a number"),
    "sweet_spot_db": (is_number, "a number"),
}
_ANY_CONDITION: Kind = (
    lambda value: all(
        isinstance(item, str) or is_number(item) for item in (value if isinstance(value, list) else [value])
    ),
    "a text or a number, or a list of these",
)


def _metrics(reader: _Reader, value: Any, place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for group, figures in reader.mapping(value, place).items():
        here = f"{place}.{group}"
        if group == "conditions":
            found[group] = _kept(reader, figures, here, _CONDITIONS)
            continue
        found[group] = {}
        for key, versions in reader.mapping(figures, here).items():
            if key == "azimuth_over_width_deg":
                found[group][key] = _over_width(reader, versions, f"{here}.{key}")
            else:
                found[group][key] = _kept(reader, versions, f"{here}.{key}", repeat(_KINDS.get(key, _ANY_KIND)))
    return found


def _kept(reader: _Reader, value: Any, place: str, kinds: Iterable[Kind] | Mapping[str, Kind]) -> dict[str, Any]:
    """Items of a group that are of their kind: all of one, or each of its own."""
    group = reader.mapping(value, place)
    each = (kinds.get(key, _ANY_CONDITION) for key in group) if isinstance(kinds, Mapping) else kinds
    return {
        key: item
        for (key, item), (is_right, wanted) in zip(group.items(), each, strict=False)
        if reader.passes(is_right(item), f"{place}.{key}", wanted)
    }


def _over_width(reader: _Reader, value: Any, place: str) -> dict[str, Any]:
    curves = reader.mapping(value, place)
    widths = curves.get("stage_width")
    if not reader.passes(isinstance(widths, list) and len(widths) > 0, f"{place}.stage_width", "a list of numbers"):
        return {}
    count = len(widths)  # type: ignore[arg-type]
    return _kept(reader, curves, place, repeat((lambda item: _is_list(item, count), f"a list of {count} numbers")))


def _stereo(reader: _Reader, value: Any, place: str) -> dict[str, Any] | None:
    pair = reader.mapping(value, place)
    is_right = all(is_number(pair.get(key)) for key in ("width_deg", "distance_m"))
    return pair if reader.passes(is_right, place, "width_deg and distance_m as numbers") else None


def _beam_target(reader: _Reader, value: Any, place: str) -> dict[str, Any] | None:
    target = reader.mapping(value, place)
    is_right = _is_list(target.get("judged_hz"), 2) and all(
        target.get(key) is None or is_number(target[key]) for key in BEAM_LEVELS
    )
    return target if reader.passes(is_right, place, "judged_hz of 2 numbers, levels as numbers") else None
