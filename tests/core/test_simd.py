"""Loops for AVX2 and the plain ones that any machine runs: both are the same sound."""

import os
import subprocess
import sys

import numpy as np
import pytest

from signals import noise, rms_db

RENDER = """
import sys
import numpy as np
from forestage import Renderer
x, folder = np.load(sys.argv[1]), sys.argv[2]
for monitor in ("Speakers", "Headphones"):
    for quality in ("Low Latency", "High Quality"):
        renderer = Renderer("smart-speaker", monitor=monitor, upmix_quality=quality, room="On")
        renderer.process(x)
        renderer.set(stage_width_deg=45)
        np.save(f"{folder}/{monitor} {quality}.npy", renderer.process(x))
"""


def rendered(folder, source, **environment):
    folder.mkdir()
    subprocess.run([sys.executable, "-c", RENDER, source, folder], env=os.environ | environment, check=True)
    return {path.stem: np.load(path) for path in folder.iterdir()}


def has_avx2():
    with open("/proc/cpuinfo", encoding="ascii") as lines:
        return any(line.startswith("flags") and " avx2 " in line and " fma " in line for line in lines)


@pytest.mark.skipif(not has_avx2(), reason="this machine has no AVX2: there is one path only")
def test_plain_loops_sound_as_those_for_avx2_do(tmp_path):
    np.save(tmp_path / "x.npy", noise(frames=24_000))
    fast = rendered(tmp_path / "fast", tmp_path / "x.npy")
    plain = rendered(tmp_path / "plain", tmp_path / "x.npy", FORESTAGE_SIMD="baseline")
    assert len(fast) == len(plain) == 4
    for name, y in fast.items():
        assert not np.array_equal(plain[name], y), "the environment chose nothing"
        assert rms_db(plain[name] - y) - rms_db(y) <= -120, name
