"""What nearness in a room, the image beside the zone and the width of the zone cost each other."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

import numpy as np
from comparison import device_of
from evidence import Table, write

from forestage import design
from forestage.design.cancel import CancelTarget
from forestage.metrics.chain import Chain
from forestage.metrics.in_room import in_room
from forestage.metrics.width import separation, side_azimuth_deg
from forestage.metrics.zone import (
    FREQUENCY_HZ,
    line_of_seats,
    seat_responses,
    seat_separation_db,
    sweet_spot_m,
    zone_area_cm2,
)

DEVICES = ("smart-speaker", "soundbar-7", "tv")
ASIDE = np.linspace(-0.2, 0.2, 17)  # over the distance of the seat
ANY_COST_DB = 99.0
TEXT = """
The default beside designs that leave one of its concerns out, or take it more seriously, each of the whole chain.
"6 dB wide" is the stretch in which the cancellation keeps 6 dB, "beside" the least separation up to a fifth of the
distance to either side, "lost" direct over reverberant sound of a side against plain stereo (below and above 800 Hz),
"5 ms" the separation that is left of it in the first milliseconds above 800 Hz, and "lead" how much more direct over
reverberant sound has the centre than the sides, over what a real pair has there.

- The round speaker has a wide zone only without the room, where its sides lose 10 dB or more: the room alone takes half
  of it, and no other setting gives it back.
- On the soundbar with seven drivers the width of the zone, what is left beside it and the separation of the first
  milliseconds in the room are exchanged for each other; the default takes the last, which is what is heard at home, and
  the variant `wide-zone` the first.
- -2 dB beside the soundbar cost 3 dB and more at the seat, by whatever way: with any share of the way back to plain
  stereo, or with the heads beside counted more among those that the design is made for.
- A zone that is 4 % of the distance wide to either side instead of 3 % is paid for at the seat, and on two drivers
  brings nothing.
"""


def targets(device):
    """Targets by name; the first is the default."""
    usual = CancelTarget()
    zone, room = usual.zone, usual.room
    wider_m = 0.04 * device.listener.distance_m
    return {
        "default": usual,
        "an eighth of the room heard": replace(usual, room=replace(room, weight=room.weight / 8)),
        "no room": replace(usual, room=None),
        "nobody beside": replace(usual, zone=replace(zone, beside_db=None)),
        "neither (free field)": usual.in_free_field(),
        "-2 dB beside at any cost": replace(usual, zone=replace(zone, beside_cost_db=ANY_COST_DB)),
        "heads beside count more": replace(usual, zone=replace(zone, beside_db=3.0)),
        "zone of 4 %": replace(usual, zone=replace(zone, lateral_m=wider_m)),
    }


def row_of(name, which):
    """What one design does."""
    device = device_of(name)
    made = design(device, target=targets(device)[which], sample_rates=(48_000,), render=None)
    distance_m = device.listener.distance_m
    seats = [seat for seat in line_of_seats(device, distance_m, ASIDE * distance_m) if device.is_clear(seat)]
    responses = seat_responses(device, seats, FREQUENCY_HZ)
    beside_db = seat_separation_db(responses, Chain.of(made, FREQUENCY_HZ).cancelled, FREQUENCY_HZ).min()
    room = in_room(made)
    lost_db = np.subtract(*(room["direct_over_reverberant_db"][version] for version in ("plain", "processed")))
    lead_db = room["center_lead_db"]["processed"] - room["center_lead_db"]["reference"]
    return {
        "design": which,
        "6 dB wide (cm)": 100.0 * sweet_spot_m(made)["processed"],
        "zone (cm²)": zone_area_cm2(made)["processed"],
        "at the seat (dB)": float(np.mean(separation(made)["processed"])),
        "beside (dB)": float(beside_db),
        "heard at (°)": float(side_azimuth_deg(made, [made.width_deg])["time"]["processed"][0]),
        "in the room (°)": room["azimuth_by_time_deg"]["processed"],
        "lost below (dB)": float(lost_db[:2].max()),
        "lost above (dB)": float(lost_db[2:].max()),
        "5 ms (dB)": float(np.min(room["early_separation_db"]["processed"][2:])),
        "lead (dB)": float(lead_db),
    }


def main():
    """Rows of all designs."""
    cases = list(product(DEVICES, targets(device_of(DEVICES[0]))))
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(row_of, *zip(*cases, strict=True)))
    tables = [
        Table(name, [row for (device, _), row in zip(cases, rows, strict=True) if device == name]) for name in DEVICES
    ]
    write("trade", "What room, zone and the places beside it cost each other", tables, text=TEXT)


if __name__ == "__main__":
    main()
