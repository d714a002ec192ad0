"""What work without a host costs: designs with their figures, ears in a room, rendering of a song, loading.

    .venv/bin/python bench/offline.py

Processor time of all threads, with one thread for linear algebra. Each row is a process of its own, so that nothing is
in a cache; imports do not count.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SONG_S = 120
RATE = 48_000


def designing(name):
    from forestage import design, load_device

    def work():
        with tempfile.TemporaryDirectory() as folder:
            design(load_device(name)).save(Path(folder) / "preset.json")

    return work


def listening(name):
    from forestage import factory_presets
    from forestage.design.room_preset import room_preset
    from forestage.presets import preset_form

    form = preset_form(factory_presets()[name])
    return lambda: room_preset(form, "living-room")


def rendering(quality):
    from forestage.audio_file import write_wav
    from forestage.render_file import render_file

    folder = tempfile.mkdtemp()
    source, target = Path(folder) / "song.wav", Path(folder) / "feeds.wav"
    write_wav(
        source, 0.1 * np.random.default_rng(0).standard_normal((2, SONG_S * RATE)).astype(np.float32), sample_rate=RATE
    )

    def work():
        render_file(source, target, "smart-speaker", monitor="Speakers", upmix_quality=quality)
        for path in (source, target):
            path.unlink()
        os.rmdir(folder)

    return work


def loading():
    from forestage import Renderer

    return lambda: Renderer("smart-speaker")


CASES = {
    **{
        f"design and save, {name}": (designing, name) for name in ("smart-speaker", "five-driver-speaker", "soundbar-7")
    },
    **{f"ears in the living room, {name}": (listening, name) for name in ("smart-speaker", "five-driver-speaker")},
    **{f"render a file of {SONG_S} s, {name}": (rendering, name) for name in ("Low Latency", "High Quality")},
    "load a preset into a Renderer": (loading,),
}


def main():
    for name in CASES:
        result = subprocess.run([sys.executable, __file__, name], capture_output=True, text=True, check=True)
        sys.stdout.write(result.stdout)
        sys.stdout.flush()


def measure(name):
    make, *arguments = CASES[name]
    work = make(*arguments)
    start = time.process_time()
    work()
    row = {"name": name, "cpu_s": time.process_time() - start}
    if "render" in name:
        row["x_real_time"] = SONG_S / row["cpu_s"]
    sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    measure(sys.argv[1]) if len(sys.argv) == 2 else main()
