"""What the two forms of the room kernel cost, and from how many pairs on the tensor pays.

Times are CPU seconds of one thread, the least of three runs, so that what else a machine does counts little; they are
the only figures under docs/evidence that differ from run to run.
"""

import math
import time

import matplotlib as mpl
import numpy as np
from evidence import DOCS, Table, write
from matplotlib.figure import Figure

from forestage.acoustics.image_sources import Images
from forestage.acoustics.room import room_response, room_tensor
from forestage.acoustics.shoebox import ROOMS, Room

LIVING_ROOM = ROOMS["living-room"]
PLACES = {"source_m": (1.0, 2.0, 1.1), "receiver_m": (3.2, 2.3, 1.2)}
SOURCE_TAPS, RECEIVER_TAPS = 64, 128
MANY_PAIRS = 16
SMALL = {"room": Room("Small", (5.0, 4.0, 2.6), 1 - 0.85**2), "length_s": 0.15, "sample_rate": 16_000}
HOME = {"room": LIVING_ROOM, "length_s": 0.4, "sample_rate": 48_000}


def cpu_s(function, *args, **kwargs):
    """Result of a call, and the least CPU time of three."""
    times = []
    for _ in range(3):
        start = time.process_time()
        result = function(*args, **kwargs)
        times.append(time.process_time() - start)
    return result, min(times)


def patterns(count, order, taps, seed):
    return np.random.default_rng(seed).standard_normal((count, (order + 1) ** 2, taps)).astype(np.float32)


def costs(case, source_order, receiver_order, *, taps, images=None):
    """Tensor against direct form for patterns of (source, receiver) taps: the first pair, and every further one."""
    where = {**PLACES, **case, "images": images or Images(), "threads": 1}
    tensor, build_s = cpu_s(room_tensor, **where, source_order=source_order, receiver_order=receiver_order)
    many = MANY_PAIRS
    source, receiver = patterns(many, source_order, taps[0], 1), patterns(1, receiver_order, taps[1], 2)
    ours, contraction_s = cpu_s(tensor.responses, source, receiver)
    truth, direct_s = cpu_s(room_response, **where, source=source, receiver=receiver)
    _, first_s = cpu_s(room_response, **where, source=source[:1], receiver=receiver)
    more_s = (direct_s - first_s) / (many - 1)
    saved_s = more_s - contraction_s / many
    return {
        "orders": f"{source_order} x {receiver_order}",
        "tensor, s": build_s,
        "tensor, MB": tensor.spectrum.nbytes / 1e6,
        "contraction of a pair, ms": 1e3 * contraction_s / many,
        "direct form of one pair, ms": 1e3 * first_s,
        "of each further pair, ms": 1e3 * more_s,
        "pairs from which the tensor pays": max(1, math.ceil(1 + (build_s - first_s) / saved_s))
        if saved_s > 0
        else math.inf,
        "difference, dB": float(np.max(10 * np.log10(np.sum((ours - truth) ** 2, -1) / np.sum(truth**2, -1)))),
    }


FLAT, FIRS = (1, 1), (SOURCE_TAPS, RECEIVER_TAPS)


def against_pairs(*, taps):
    """Cost of all pairs of a device that turns, in front of two ears, for the orders 5 x 7."""
    rows = []
    tensor, build_s = cpu_s(
        room_tensor, LIVING_ROOM, **PLACES, source_order=5, receiver_order=7, length_s=0.4, threads=1
    )
    for sources in (1, 2, 5, 15, 50, 150) if taps == FLAT else (1, 2, 5, 15):
        source, receiver = patterns(sources, 5, taps[0], 1), patterns(2, 7, taps[1], 2)
        _, contraction_s = cpu_s(tensor.responses, source, receiver)
        _, direct_s = cpu_s(
            room_response, LIVING_ROOM, **PLACES, source=source, receiver=receiver, length_s=0.4, threads=1
        )
        kind = "flat" if taps == FLAT else f"FIRs, {taps[0]} and {taps[1]} taps"
        rows.append(
            {"patterns": kind, "pairs": 2 * sources, "tensor, s": build_s + contraction_s, "direct form, s": direct_s}
        )
    return rows


def plot(by_pairs, by_orders, by_length):
    mpl.rcParams.update({"svg.hashsalt": "room-cost", "svg.fonttype": "none"})
    figure = Figure(figsize=(12, 4), layout="constrained")
    panels = figure.subplots(1, 3)
    for (kind, rows), color in zip(by_pairs.items(), ("C0", "C3"), strict=True):
        pairs = [row["pairs"] for row in rows]
        panels[0].loglog(pairs, [row["tensor, s"] for row in rows], f"{color}-o", label=f"tensor, {kind}")
        panels[0].loglog(pairs, [row["direct form, s"] for row in rows], f"{color}--s", label=f"direct, {kind}")
    panels[0].set(xlabel="pairs of source and receiver", title="Living room, 0.4 s, orders 5 x 7")
    names = [row["orders"] for row in by_orders]
    panels[1].semilogy(names, [row["tensor, s"] for row in by_orders], "C0-o", label="tensor")
    for key, style in (("contraction of a pair, ms", "C2-^"), ("direct form of one pair, ms", "C0--s")):
        panels[1].semilogy(names, [row[key] / 1e3 for row in by_orders], style, label=key.removesuffix(", ms"))
    panels[1].set(xlabel="orders of source x receiver", title="Living room, 0.4 s, flat patterns")
    length = [row["length, s"] for row in by_length]
    panels[2].loglog(length, [row["tensor, s"] for row in by_length], "C0-o", label="tensor, all images")
    panels[2].loglog(
        length, [row["with tail after 0.1 s, s"] for row in by_length], "C2-^", label="tensor, tail from 0.1 s"
    )
    panels[2].loglog(
        length, [row["direct form of one pair, ms"] / 1e3 for row in by_length], "C0--s", label="direct, one pair"
    )
    panels[2].set(xlabel="length of the response in s", title="Living room, orders 3 x 5")
    panels[2].set_xticks(length, [f"{value:g}" for value in length], minor=False)
    panels[2].set_xticks([], minor=True)
    for panel in panels:
        panel.set_ylabel("CPU seconds")
        panel.grid(which="major", alpha=0.3)
        panel.legend(fontsize=8, frameon=False)
    figure.savefig(DOCS / "room-cost.svg", metadata={"Date": None})


def main():
    reproduced = [costs(SMALL, order, order, taps=FLAT) for order in (1, 3, 5)]
    by_orders = [costs(HOME, *orders, taps=FLAT) for orders in ((1, 1), (3, 3), (3, 5), (5, 7), (7, 9))]
    with_firs = [costs(HOME, *orders, taps=FIRS) for orders in ((1, 1), (3, 5), (5, 7))]
    by_reflections = [
        {"reflections": count, **costs({**HOME, "length_s": 0.6}, 3, 5, taps=FLAT, images=Images(max_order=count))}
        for count in (5, 10, 20, 40)
    ]
    by_length = []
    for length in (0.1, 0.2, 0.4, 0.8):
        row = {"length, s": length, **costs({**HOME, "length_s": length}, 3, 5, taps=FLAT)}
        _, tail_s = cpu_s(
            room_tensor,
            LIVING_ROOM,
            **PLACES,
            source_order=3,
            receiver_order=5,
            length_s=length,
            images=Images(until_s=0.1),
            threads=1,
        )
        by_length.append({**row, "with tail after 0.1 s, s": tail_s})
    by_pairs = {"flat": against_pairs(taps=FLAT), "FIRs": against_pairs(taps=FIRS)}
    DOCS.mkdir(parents=True, exist_ok=True)
    plot(by_pairs, by_orders, by_length)
    write(
        "room-cost",
        "What a room costs",
        [
            Table(
                "Tensor and direct form in a small room",
                reproduced,
                "5 x 4 x 2.6 m, walls that keep 0.85 of the pressure, 16 kHz, 0.15 s (11 000 images), flat patterns.",
            ),
            Table("Against the orders of source and receiver, flat patterns", by_orders, HOME_NOTE),
            Table(
                f"Against the orders, patterns of {SOURCE_TAPS} (source) and {RECEIVER_TAPS} taps (receiver)",
                with_firs,
                HOME_NOTE + " In the direct form every image convolves two FIRs.",
            ),
            Table(
                "Against the order of the images, orders 3 x 5, flat patterns",
                by_reflections,
                "The same room and 0.6 s, images of up to so many reflections: they too grow with the cube.",
            ),
            Table(
                "Against the length, orders 3 x 5, flat patterns", by_length, "Images grow with the cube of the length."
            ),
            Table("Against the number of pairs, orders 5 x 7", by_pairs["flat"] + by_pairs["FIRs"], HOME_NOTE),
        ],
        text=TEXT,
    )


HOME_NOTE = "The dry living room (53 m³, frequency-dependent walls), 48 kHz, 0.4 s (220 000 images)."
TEXT = """
`room_tensor` expands a room once over pairs of spherical harmonics of source and receiver; a pair of patterns is then a
contraction. `room_response` follows every image with the patterns of a pair. Times are CPU seconds of one thread and
hold for one machine; their ratios travel better. Pairs share what the direct form does once per image (finding it, its
harmonics, the receiver's side), so that a further source costs much less than the first. With flat patterns that is a
few sums and one interpolation kernel, and the tensor needs dozens of pairs to pay at low orders and hundreds at high
ones; with patterns that are FIRs (any measured driver, any head) it pays from ten pairs on: two orientations of a
device.
`bench/room.py` holds both against pyroomacoustics.

![Cost over pairs, orders and length](room-cost.svg)
"""

if __name__ == "__main__":
    main()
