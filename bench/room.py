"""Rooms against pyroomacoustics: the same room, images and length, each in a process of its own, one thread.

    .venv/bin/python bench/room.py

A pair is an omnidirectional source and receiver; fifty are one source and receivers at 50 places, in one call. The last
case is a device of 3 drivers that turns to 5 directions, heard by 2 ears at 50 places: 1500 responses with directivity
on both sides (first-order patterns, which both know). A ratio above 1 means that Forestage is faster, by processor
time. Memory is the peak of the process, without what Python and the libraries take before they begin.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

from forestage.constants import SAMPLE_RATE

SOURCE = (1.1, 1.9, 1.2)
MAX_ORDER = 30
LENGTH_S = 0.445  # the last image of that order arrives just before
LENGTHS_S = {5: 0.079, 10: 0.148, 20: 0.294, 30: 0.44}  # of other orders, as pyroomacoustics has them
DRIVERS_DEG = (0.0, 90.0, -90.0)
ORIENTATIONS_DEG = (-60.0, -30.0, 0.0, 30.0, 60.0)
EARS_DEG = (90.0, -90.0)
PLACES = [(x, y, 1.2) for x in np.linspace(2.0, 4.6, 10) for y in np.linspace(0.6, 3.4, 5)]


def axes(*turns_deg):
    angle = np.deg2rad(np.add.outer(*turns_deg).ravel() if len(turns_deg) > 1 else turns_deg[0])
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)


SOURCE_AXES = axes(DRIVERS_DEG, ORIENTATIONS_DEG)
EAR_AXES = axes(np.add(EARS_DEG, 180.0))


def pairs_forestage(order, places):
    def make():
        from forestage.acoustics.image_sources import Images
        from forestage.acoustics.room import room_response

        where = {"source_m": SOURCE, "receiver_m": places, "length_s": LENGTHS_S[order]}
        return lambda: room_response(box(), **where, images=Images(max_order=order), threads=1)

    return make


def pairs_pyroomacoustics(order, places):
    def make():
        pra = other_library()

        def run():
            room = pra.ShoeBox(box().dimensions_m, fs=SAMPLE_RATE, materials=pra.Material(0.3), max_order=order)
            room.add_source(SOURCE)
            room.add_microphone(np.transpose(places))
            room.compute_rir()
            return room.rir

        return run

    return make


def device_tensor():
    from forestage.acoustics.image_sources import Images
    from forestage.acoustics.room import room_tensor

    sources, ears = cardioids(SOURCE_AXES), cardioids(EAR_AXES)

    def run():
        return np.stack(
            [
                room_tensor(
                    box(),
                    source_m=SOURCE,
                    receiver_m=place,
                    source_order=1,
                    receiver_order=1,
                    length_s=LENGTH_S,
                    images=Images(max_order=MAX_ORDER),
                    threads=1,
                ).responses(sources, ears)
                for place in PLACES
            ]
        )

    return run


def device_direct():
    from forestage.acoustics.image_sources import Images
    from forestage.acoustics.room import room_response

    sources, ears = cardioids(SOURCE_AXES), cardioids(EAR_AXES)

    def run():
        return np.stack(
            [
                room_response(
                    box(),
                    source_m=SOURCE,
                    receiver_m=place,
                    source=sources,
                    receiver=ears,
                    length_s=LENGTH_S,
                    images=Images(max_order=MAX_ORDER),
                    threads=1,
                )
                for place in PLACES
            ]
        )

    return run


def device_pyroomacoustics():
    pra = other_library()
    cardioid = pra.directivities.Cardioid

    def run():
        room = pra.ShoeBox(box().dimensions_m, fs=SAMPLE_RATE, materials=pra.Material(0.3), max_order=MAX_ORDER)
        for axis in SOURCE_AXES:
            room.add_source(SOURCE, directivity=cardioid(axis))
        places = np.repeat(PLACES, 2, axis=0).T
        room.add_microphone(places, directivity=[cardioid(axis) for axis in EAR_AXES] * len(PLACES))
        room.compute_rir()
        return room.rir

    return run


def cardioids(axes):
    """Harmonics of half of 1 + cos of the angle to each axis, shape (n, 4)."""
    from forestage.acoustics.spherical_harmonics import real_sh

    return 2 * np.pi * np.array([1, 1 / 3, 1 / 3, 1 / 3]) * real_sh(axes, 1)


def box():
    from forestage.acoustics.shoebox import Room

    return Room("Box", (5.0, 4.0, 2.6), 0.3)


def other_library():
    import pyroomacoustics as pra

    pra.constants.set("num_threads", 1)
    pra.constants.set("rir_hpf_enable", False)
    return pra


def pairs(order, places):
    return {"forestage": pairs_forestage(order, places), "pyroomacoustics": pairs_pyroomacoustics(order, places)}


CASES = {
    **{f"one pair, order {order}": (15, pairs(order, [PLACES[13]])) for order in LENGTHS_S},
    **{f"50 pairs, order {order}": (5, pairs(order, PLACES)) for order in (5, 10, 30)},
    "3 drivers x 2 ears x 50 places x 5 orientations": (
        1,
        {
            "forestage, tensor": device_tensor,
            "forestage, direct": device_direct,
            "pyroomacoustics": device_pyroomacoustics,
        },
    ),
}


def measure(case, method):
    """Median processor time and added memory of one method, in this process."""
    runs, methods = CASES[case]
    run = methods[method]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(runs):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    return {"cpu_s": statistics.median(seconds), "memory_mb": memory}


def rows():
    """All cases, each with its ratio to pyroomacoustics in the same run."""
    result = []
    for case, (_, methods) in CASES.items():
        measured = {method: in_process(case, method) for method in methods}
        reference = measured["pyroomacoustics"]["cpu_s"]
        for method, figures in measured.items():
            result.append({"case": case, "method": method, **figures, "ratio": reference / figures["cpu_s"]})
    return result


def in_process(case, method):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, case, method]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return json.loads(output)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        sys.stdout.write(json.dumps(measure(sys.argv[1], sys.argv[2])))
    else:
        for row in rows():
            sys.stdout.write(json.dumps(row) + "\n")
