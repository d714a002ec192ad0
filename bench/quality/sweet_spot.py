"""The absolute sweet spot: how far a head may move sideways before the separation falls below 6 dB."""

import numpy as np
from comparison import FREQUENCY_HZ, METHODS, STEP_HZ, designed, device_of, near_ear_ripple_db, two_drivers
from evidence import Table, write

from forestage.acoustics.plant import plant
from forestage.design.beam import BeamTarget
from forestage.design.cancel import CancelTarget
from forestage.design.variants import VARIANTS
from forestage.metrics.effort import effort_db
from forestage.metrics.separation import octave_separation_db
from forestage.metrics.zone import line_of_seats, seat_responses, seat_separation_db, sweet_spot_width_m

LATERAL_M = np.arange(-0.6, 0.601, 0.025)
BAND = (FREQUENCY_HZ >= 200.0) & (FREQUENCY_HZ <= 6400.0)
TEXT = """
Contiguous width, around the seat and at its distance, in which the mean separation of the octaves from 200 to 6400 Hz
(weaker channel, exported filters, free field, spherical head) stays at 6 dB or more. A method with a narrow sweet spot
may still separate more at its own seat; that, and what it costs, stands beside it. Near-ear ripple is that of the near
ear against a real pair, which all designs aim at.
"""


def row_of(name, device, filters):
    """What one design does along the line of seats."""
    seat = plant(device, step_hz=STEP_HZ)
    distance_m = device.listener.distance_m
    responses = seat_responses(device, line_of_seats(device, distance_m, LATERAL_M), FREQUENCY_HZ[BAND])
    beside_db = seat_separation_db(responses, filters[..., BAND], FREQUENCY_HZ[BAND])
    ears = np.einsum("edf,dcf->ecf", seat.at(FREQUENCY_HZ), filters)
    return {
        "design": name,
        "sweet spot (cm)": 100.0 * sweet_spot_width_m(LATERAL_M, beside_db),
        "at the seat (dB)": float(octave_separation_db(FREQUENCY_HZ, ears).mean()),
        "most drive (dB)": float(effort_db(seat, filters, FREQUENCY_HZ).max()),
        "near-ear ripple (±dB)": near_ear_ripple_db(device, seat, filters),
    }


def table_of(title, device, *, pair_too):
    """Every method on the reference pair, then the variants of the preset on all drivers."""
    pair = two_drivers(device) if pair_too else device
    rows = [row_of(name, pair, designed(pair, method)) for name, method in METHODS.items()]
    if pair_too:
        rows.append(row_of(f"minimax, {len(device.drivers)} drivers", device, designed(device, "minimax")))
    rows.append(row_of("minimax, wide zone, all drivers", device, _wide(device)))
    return Table(f"{title}, {device.listener.distance_m:g} m", rows)


def _wide(device):
    device, target, _ = VARIANTS["wide-zone"].of(device, CancelTarget().in_free_field(), BeamTarget())
    return designed(device, "minimax", target=target)


def main():
    tables = [
        table_of("Smart speaker", device_of("smart-speaker"), pair_too=True),
        table_of("Soundbar with seven drivers", device_of("soundbar-7"), pair_too=True),
        table_of("Desktop pair at ±10°", device_of("desktop-10"), pair_too=False),
        table_of("Laptop", device_of("laptop"), pair_too=False),
    ]
    write("sweet-spot", "Width of the sweet spot", tables, text=TEXT)


if __name__ == "__main__":
    main()
