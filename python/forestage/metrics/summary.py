"""All figures of a design in one table, with the conditions they hold for."""

from __future__ import annotations

from typing import Any

import numpy as np

from forestage.acoustics.crossover import high_passes_hz
from forestage.acoustics.driver import Side
from forestage.acoustics.head import Head, HeadModel
from forestage.constants import SAMPLE_RATE
from forestage.metrics import balance, colour, depth, effort, in_room, panning, width, zone
from forestage.metrics.bands import OCTAVES, octave_means
from forestage.metrics.played import Played

# What the names of the figures of a side begin with; those of the left one came first
SIDES: dict[Side, str] = {"left": "", "right": "right_"}


def design_metrics(design: Played, *, with_room: bool = True) -> dict[str, Any]:
    """All figures of a design, rounded, as they go into a preset.

    Every group has a "plain" figure, what the device does unaided, beside the "processed" one; lists are per octave. In
    "effort" and "colour" of the near ear, plain stereo is what is compared with.

    Parameters
    ----------
    design : Played
        The design, its filters as they are exported at 48 kHz.
    with_room : bool
        Figures in a room as well, which take longer than all others.

    Returns
    -------
    dict
        "conditions", "width", "effort", "colour", but for headphones "panning", "balance", "depth" and "zone", and
        "room" for what fits into one, see `in_room`; "bass" where some of it is left out.
    """
    found: dict[str, Any] = {
        "conditions": _conditions(design),
        "width": _width(design),
        "effort": _effort(design),
        "colour": {"near_ear_ripple_db": colour.near_ear_ripple_db(design)},
    }
    if not design.device.is_headphones:
        found["colour"]["center_ripple_db"] = colour.center_ripple_db(design)
        found["panning"] = {f"error_by_{cue}_deg": error for cue, error in panning.panning_error_deg(design).items()}
        balances = balance.balance_of(design)
        found["balance"] = {
            "loudness_lu": {name: each.worst_lu for name, each in balances.items()},
            "third_octave_db": {name: each.worst_third_db for name, each in balances.items()},
        }
        by_version = depth.center_depth(design)
        found["depth"] = {
            figure: {name: figures[figure] for name, figures in by_version.items()} for figure in by_version["plain"]
        }
        found["zone"] = {
            "sweet_spot_m": zone.sweet_spot_m(design),
            "area_cm2": zone.zone_area_cm2(design),
            "moved_separation_db": zone.moved_separation_db(design),
        }
        heard = in_room.in_room(design) if with_room else None
        if heard is not None:
            found["conditions"]["heard_in"] = f"{in_room.ROOM.name.lower()}, {len(in_room.ASIDE)} places"
            found["room"] = heard
    if left_out := high_passes_hz(design.device):
        found["bass"] = {"high_pass_hz": left_out}
    return _rounded(found)


def _conditions(design: Played) -> dict[str, Any]:
    seat = design.device.listener.seat
    return {
        "field": "free field",
        "seat_m": list(seat.position_m),
        "head": _head_text(seat.head),
        "filters": f"as exported at {SAMPLE_RATE} Hz",
        "stage_width_deg": design.width_deg,
        "octaves": list(OCTAVES),
        "room_m3": design.device.listener.room_m3,
        "room_rt60_s": design.device.listener.room_rt60_s,
        "sweet_spot_db": zone.SWEET_SPOT_DB,
    }


def _head_text(head: HeadModel) -> str:
    if not isinstance(head, Head):
        return "measured head"
    return f"rigid sphere of {100 * head.radius_m:g} cm radius, ears at ±{head.ear_azimuth_deg:g}°"


def _width(design: Played) -> dict[str, Any]:
    widths_deg = sorted({*width.WIDTHS_DEG, design.width_deg})
    sides = {side: width.side_azimuth_deg(design, widths_deg, side=side) for side in SIDES}
    center = width.center_azimuth_deg(design)
    at = widths_deg.index(design.width_deg)
    figures: dict[str, Any] = {}
    if not design.device.is_headphones:
        figures["separation_db"] = width.separation(design)
    over_width: dict[str, Any] = {"stage_width": widths_deg}
    for cue in center:
        for side, prefix in SIDES.items():
            versions = sides[side][cue]
            figures[f"{prefix}azimuth_by_{cue}_deg"] = {
                name: values[at] if name == "processed" else values[0] for name, values in versions.items()
            }
            over_width[f"{prefix}{cue}"] = versions["processed"]
        figures[f"center_azimuth_by_{cue}_deg"] = center[cue]
    figures["azimuth_over_width_deg"] = over_width
    figures["interaural_coherence"] = {name: values.mean() for name, values in width.coherence(design).items()}
    return figures


def _effort(design: Played) -> dict[str, Any]:
    curves = effort.drive(design)
    return {
        "drive_db": {name: octave_means(effort.FREQUENCY_HZ, curve) for name, curve in curves.items()},
        "most_drive_db": {name: curve.max() for name, curve in curves.items()},
    }


def _rounded(value: Any) -> Any:
    """Plain lists and numbers of two decimals."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_rounded(item) for item in value]
    return round(float(value), 2) + 0.0 if isinstance(value, float | np.floating) else value
