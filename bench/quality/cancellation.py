"""Crosstalk cancellation by every method, on the exported filters: separation, and what it costs.

One page for all devices; tables of figures in dB per octave.
"""

import numpy as np
from comparison import (
    FREQUENCY_HZ,
    METHODS,
    STEP_HZ,
    designed,
    device_of,
    kemar,
    near_ear_ripple_db,
    plants_at,
    turned_seats,
    two_drivers,
    with_driver_errors,
    with_head,
)
from evidence import Table, write
from scipy.interpolate import PchipInterpolator

from forestage.acoustics.plant import plant
from forestage.constants import SAMPLE_RATE
from forestage.metrics.bands import OCTAVES, octave_means
from forestage.metrics.effort import effort_db
from forestage.metrics.loudness import loudness_lufs, programme
from forestage.metrics.separation import octave_separation_db
from forestage.metrics.zone import moved_seats

# With 9 dB of drive, per octave
WANTED_AT_SEAT = (4.0, 11.0, 12.0, 12.0, 10.5)
WANTED_ELSEWHERE = (2.5, 6.0, 5.5, 5.0, 4.0)
TEXT = """
All figures are of exported filters (256 taps at 48 kHz) in the simulation: spherical heads in the free field, single
scattering. Separation is the near over the far ear, the mean over the octave, of the worse channel. The drive cap is
9 dB over plain stereo; exact inverse, Rayleigh quotient and the recursive methods know none, and Kirkeby and Choueiri
hold each singular value to it, not their sum. Near-ear ripple is that of the near ear against a real pair, which all
designs aim at.

On the smart speaker the minimax design has what was wanted at the seat and at the worst of other heads and places, in
every octave. With a driver off as well, in the worst of its directions, nothing reaches the wanted figures below 1.6
kHz under this cap: the bound, made on the very heads and errors that are scored, stays below them too. There, 400-800
Hz, all capped methods but the closed form are within 0.1 dB of each other, because the cap alone decides; two drivers
leave 1.0 dB to the bound and to Choueiri's (with 11 dB of drive) at 0.8-1.6 kHz. Above, and with three drivers, minimax
is ahead of all others. On the laptop the exact inverse is ahead up to 800 Hz, with 13 dB of drive against 1.4, and far
behind above 1.6 kHz. At the worst of other heads and places seven drivers beat every pair of the soundbar in every
octave. Designs made on the sphere hold on KEMAR.
"""


def worst_separation(plants, filters):
    """Least separation per octave over heads."""
    ears = np.einsum("hedf,dcf->hecf", plants, filters)
    return np.min([octave_separation_db(FREQUENCY_HZ, each) for each in ears], axis=0)


def loudness_db(seat, filters, plain):
    """Loudness of programme noise at the ears, over plain stereo."""
    audio = programme(sample_rate=SAMPLE_RATE, seconds=4.0)
    frequency = np.fft.rfftfreq(audio.shape[1], 1 / SAMPLE_RATE)
    inside = np.clip(frequency, FREQUENCY_HZ[0], FREQUENCY_HZ[-1])
    spectra, response = np.fft.rfft(audio), seat.at(inside)

    def heard(responses):
        between = PchipInterpolator(FREQUENCY_HZ, np.stack([responses.real, responses.imag]), axis=-1)(inside)
        ears = np.einsum("edf,dcf,cf->ef", response, between[0] + 1j * between[1], spectra)
        return loudness_lufs(np.fft.irfft(ears, audio.shape[1]), sample_rate=SAMPLE_RATE)

    return heard(filters) - heard(plain)


def tables_of(title, designs):
    """Tables of one device; ``designs`` maps a name to (device it plays on, responses of the filters)."""
    figures = {"seat": [], "elsewhere": [], "off": [], "turned": [], "price": []}
    heads = {}
    for name, (device, filters) in designs.items():
        if device not in heads:
            held = plants_at(device, moved_seats(device))
            heads[device] = (
                plant(device, step_hz=STEP_HZ),
                {
                    "seat": plants_at(device, [device.listener.seat]),
                    "elsewhere": held,
                    "off": with_driver_errors(held),
                    "turned": plants_at(device, turned_seats(device)),
                },
            )
        seat, plants = heads[device]

        def row(values, name=name):
            return {"method": name} | dict(zip(OCTAVES, map(float, values), strict=True))

        for where, each in plants.items():
            figures[where].append(row(worst_separation(each, filters)))
        effort_values = effort_db(seat, filters, FREQUENCY_HZ).max(axis=0)
        figures["price"].append(
            row(octave_means(FREQUENCY_HZ, effort_values))
            | {
                "most drive (dB)": float(effort_values.max()),
                "near-ear ripple (±dB)": near_ear_ripple_db(device, seat, filters),
                "loudness (LU)": loudness_db(seat, filters, designed(device, None)),
            }
        )
    return [
        Table(f"{title}: separation at the seat (dB)", figures["seat"]),
        Table(f"{title}: worst of {len(moved_seats(device))} other heads and places (dB)", figures["elsewhere"]),
        Table(f"{title}: the same with one driver off by 0.5 dB and 3° (dB)", figures["off"]),
        Table(f"{title}: head turned by 15° at the seat (dB)", figures["turned"]),
        Table(f"{title}: drive over plain stereo (dB), colour, loudness", figures["price"]),
    ]


def all_methods(device):
    return {name: (device, designed(device, method)) for name, method in METHODS.items()}


def more_drivers(device):
    """The designs that use every driver."""
    count = len(device.drivers)
    return {
        f"{name}, {count} drivers": (device, designed(device, METHODS[name]))
        for name in ("least squares", "null steering", "minimax")
    }


def bound(device):
    """How far a design can go: made on the very heads, places and errors that it is then scored on."""
    zone = [plant(device, seat, step_hz=STEP_HZ) for seat in moved_seats(device)]
    count = len(device.drivers)
    return {
        f"bound: minimax made on the scored heads, {count} drivers": (device, designed(device, "minimax", zone=zone))
    }


def summary(tables):
    """The smart speaker against what was wanted of it."""
    at_seat, elsewhere, off = ({row["method"]: row for row in table.rows} for table in tables[:3])
    rows = []
    for what, wanted, scores in (
        ("at the seat", WANTED_AT_SEAT, at_seat),
        ("worst of other heads and places", WANTED_ELSEWHERE, elsewhere),
        ("the same, one driver off", WANTED_ELSEWHERE, off),
    ):
        rows.append({"figure": f"{what}: wanted"} | dict(zip(OCTAVES, wanted, strict=True)))
        for method in ("minimax", "minimax, 3 drivers", *(name for name in scores if name.startswith("bound"))):
            rows.append({"figure": f"{what}: {method}"} | {octave: scores[method][octave] for octave in OCTAVES})
        others = ("exact inverse", "Choueiri", "RACE", "least squares")
        best = {octave: max(scores[method][octave] for method in others) for octave in OCTAVES}
        rows.append({"figure": f"{what}: best of {', '.join(others)}"} | best)
    return Table("Smart speaker: wanted and reached (dB)", rows)


def best_pair(device):
    """Minimax on every pair of drivers that stand opposite each other."""
    places = [driver.position_m for driver in device.drivers]
    pairs = [
        (left, right)
        for left, a in enumerate(places)
        for right, b in enumerate(places)
        if a[1] > 0.0 and np.allclose((a[0], -a[1], a[2]), b)
    ]
    designs = {}
    for pair in pairs:
        device_of_pair = two_drivers(device, pair)
        name = f"minimax, two drivers {2e2 * places[pair[0]][1]:.0f} cm apart"
        designs[name] = device_of_pair, designed(device_of_pair, "minimax")
    return designs


def on_kemar(device):
    """Designs made on the sphere and on KEMAR, both heard by KEMAR."""
    heard = with_head(device, kemar())
    designs = {"plain stereo": (heard, designed(heard, None))}
    for name in ("exact inverse", "least squares", "minimax"):
        designs[f"{name}, made on the sphere"] = heard, designed(device, METHODS[name])
        designs[f"{name}, made on KEMAR"] = heard, designed(heard, METHODS[name])
    return designs


def main():
    speaker, soundbar = device_of("smart-speaker"), device_of("soundbar-7")
    pair = two_drivers(speaker)
    first = tables_of("Smart speaker, 2 m", all_methods(pair) | more_drivers(speaker) | bound(pair) | bound(speaker))
    tables = [
        summary(first),
        *first,
        *tables_of("Laptop, 0.5 m", all_methods(device_of("laptop"))),
        *tables_of("Desktop pair at ±10°", all_methods(device_of("desktop-10"))),
        *tables_of("Soundbar with seven drivers", best_pair(soundbar) | more_drivers(soundbar)),
        *tables_of("Smart speaker with three drivers, heard by KEMAR", on_kemar(speaker)),
        *tables_of("Laptop, heard by KEMAR", on_kemar(device_of("laptop"))),
    ]
    write("cancellation", "Crosstalk cancellation by method", tables, text=TEXT)


if __name__ == "__main__":
    main()
