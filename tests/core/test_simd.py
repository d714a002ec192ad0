"""Loops for AVX-512, those for AVX2 and the plain ones that any machine runs: all are the same sound."""

import os
import subprocess
import sys

import numpy as np
import pytest

from signals import noise, rms_db

RENDER = """
import sys
import numpy as np
from forestage import Renderer, upmix
x, folder = np.load(sys.argv[1]), sys.argv[2]
qualities = ("Low Latency", "High Quality")
cases = [(monitor, quality, 48_000) for monitor in ("Speakers", "Headphones") for quality in qualities]
for monitor, quality, rate in [*cases, ("Headphones", "Low Latency", 192_000)]:
    renderer = Renderer("smart-speaker", monitor=monitor, upmix_quality=quality, room="On", sample_rate=rate)
    renderer.process(x)
    renderer.set(stage_width_deg=45)
    np.save(f"{folder}/{monitor} {quality} {rate}.npy", renderer.process(x))
for rate in (8000, 192_000):
    np.save(f"{folder}/upmix {rate}.npy", upmix(x, sample_rate=rate, quality="High Quality")[2])
"""


ROOMS = """
import sys
import numpy as np
from forestage.acoustics.image_sources import Images
from forestage.acoustics.room import OMNI, room_response, room_tensor
from forestage.acoustics.shoebox import Room
folder = sys.argv[2]
room = Room("Uneven", (5.0, 4.0, 2.6), np.linspace(0.05, 0.6, 42).reshape(6, 7))
where = {"source_m": (1.1, 1.9, 1.2), "receiver_m": (3.4, 2.3, 1.1), "length_s": 0.08}
patterns = np.random.default_rng(0).standard_normal((2, 16, 20)).astype(np.float32)
np.save(f"{folder}/omni.npy", room_response(room, **where)[0])
np.save(f"{folder}/tail.npy", room_response(room, **where, images=Images(until_s=0.02, scattering=0.2))[0])
np.save(f"{folder}/patterns.npy", room_response(room, **where, source=patterns, receiver=patterns)[0])
np.save(f"{folder}/tensor.npy", room_tensor(room, **where, source_order=1, receiver_order=1).responses(OMNI, OMNI)[0])
"""


def rendered(folder, source, code=RENDER, **environment):
    folder.mkdir()
    subprocess.run([sys.executable, "-c", code, source, folder], env=os.environ | environment, check=True)
    return {path.stem: np.load(path) for path in folder.iterdir()}


def has(*wanted):
    with open("/proc/cpuinfo", encoding="ascii") as lines:
        flags = next(set(line.split()) for line in lines if line.startswith("flags"))
    return flags.issuperset(wanted)


@pytest.mark.skipif(not has("avx2", "fma"), reason="this machine has no AVX2: there is one path only")
@pytest.mark.parametrize(
    "plainer",
    [
        "baseline",
        pytest.param("avx2", marks=pytest.mark.skipif(not has("avx512f", "avx512dq", "avx512vl"), reason="no AVX-512")),
    ],
)
def test_plainer_loops_sound_as_the_best_ones_do(tmp_path, plainer):
    np.save(tmp_path / "x.npy", noise(frames=24_000))
    fast = rendered(tmp_path / "fast", tmp_path / "x.npy")
    plain = rendered(tmp_path / "plain", tmp_path / "x.npy", FORESTAGE_SIMD=plainer)
    assert len(fast) == len(plain) == 7
    for name, y in fast.items():
        assert not np.array_equal(plain[name], y), "the environment chose nothing"
        assert rms_db(plain[name] - y) - rms_db(y) <= -120, name


@pytest.mark.skipif(not has("avx2", "fma"), reason="this machine has no AVX2: there is one path only")
@pytest.mark.slow
def test_plain_loops_hear_rooms_as_those_for_avx2_do(tmp_path):
    fast = rendered(tmp_path / "fast", "-", ROOMS)
    plain = rendered(tmp_path / "plain", "-", ROOMS, FORESTAGE_SIMD="baseline")
    assert len(fast) == len(plain) == 4
    for name, h in fast.items():
        assert not np.array_equal(plain[name], h), "the environment chose nothing"
        assert np.max(rms_db(plain[name] - h) - rms_db(h)) <= -110, name
