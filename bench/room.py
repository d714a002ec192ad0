"""Rooms against pyroomacoustics: same room, images and length, each in a process of its own, on one core and on two.

    .venv/bin/python bench/room.py

One pair is an omnidirectional source and receiver. The other case is a device of 3 drivers that turns to 5 directions,
heard by 2 ears at 50 places: 1500 responses with directivity on both sides (first-order patterns, which both know).
A ratio above 1 means that Forestage is faster. Memory is the peak of the process, without what Python and the libraries
take before they begin.
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
DRIVERS_DEG = (0.0, 90.0, -90.0)
ORIENTATIONS_DEG = (-60.0, -30.0, 0.0, 30.0, 60.0)
EARS_DEG = (90.0, -90.0)
PLACES = [(x, y, 1.2) for x in np.linspace(2.0, 4.6, 10) for y in np.linspace(0.6, 3.4, 5)]


def axes(*turns_deg):
    angle = np.deg2rad(np.add.outer(*turns_deg).ravel() if len(turns_deg) > 1 else turns_deg[0])
    return np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)


SOURCE_AXES = axes(DRIVERS_DEG, ORIENTATIONS_DEG)
EAR_AXES = axes(np.add(EARS_DEG, 180.0))


def pair_forestage(threads):
    from forestage.acoustics.image_sources import Images
    from forestage.acoustics.room import room_response

    def run():
        images = Images(max_order=MAX_ORDER)
        return room_response(
            box(), source_m=SOURCE, receiver_m=PLACES[13], length_s=LENGTH_S, images=images, threads=threads
        )

    return run


def pair_pyroomacoustics(threads):
    pra = other_library(threads)

    def run():
        room = pra.ShoeBox(box().dimensions_m, fs=SAMPLE_RATE, materials=pra.Material(0.3), max_order=MAX_ORDER)
        room.add_source(SOURCE)
        room.add_microphone(PLACES[13])
        room.compute_rir()
        return room.rir

    return run


def device_tensor(threads):
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
                    threads=threads,
                ).responses(sources, ears)
                for place in PLACES
            ]
        )

    return run


def device_direct(threads):
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
                    threads=threads,
                )
                for place in PLACES
            ]
        )

    return run


def device_pyroomacoustics(threads):
    pra = other_library(threads)
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


def other_library(threads):
    import pyroomacoustics as pra

    pra.constants.set("num_threads", threads)
    pra.constants.set("rir_hpf_enable", False)
    return pra


CASES = {
    "one pair": (9, {"forestage": pair_forestage, "pyroomacoustics": pair_pyroomacoustics}),
    "3 drivers x 2 ears x 50 places x 5 orientations": (
        1,
        {
            "forestage, tensor": device_tensor,
            "forestage, direct": device_direct,
            "pyroomacoustics": device_pyroomacoustics,
        },
    ),
}


def measure(case, method, threads):
    """Median seconds and added memory of one method, in this process."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    runs, methods = CASES[case]
    run = methods[method](threads)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1e3
    return {"seconds": statistics.median(seconds), "memory_mb": memory}


def rows():
    """All cases, each with its ratio to pyroomacoustics in the same run."""
    result = []
    for case, (_, methods) in CASES.items():
        for threads in (1, 2):
            measured = {method: in_process(case, method, threads) for method in methods}
            reference = measured["pyroomacoustics"]["seconds"]
            for method, figures in measured.items():
                ratio = reference / figures["seconds"]
                result.append({"case": case, "cores": threads, "method": method, **figures, "ratio": ratio})
    return result


def in_process(case, method, threads):
    count = str(threads)
    environment = os.environ | {"OMP_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count}
    command = [sys.executable, __file__, case, method, count]
    output = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    return json.loads(output)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        sys.stdout.write(json.dumps(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]))))
    else:
        for row in rows():
            sys.stdout.write(json.dumps(row) + "\n")
