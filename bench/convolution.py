"""Long filters: forms of convolution side by side, and the whole chain on headphones in a room of 0.5 s.

    .venv/bin/python bench/convolution.py [FOLDER_OF_BENCHES]

Forestage's FIR matrix against the usual uniform partitioning (one convolver per path, on FFTW and on PFFFT),
zita-convolver and JUCE's convolution, as far as `./run bench` found them, in one run of one process. The chain is the
smart-speaker with its three drivers, at the ears in the living room of its preset.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from forestage import factory_presets

ROOT = Path(__file__).resolve().parents[1]


def in_its_room(name):
    """A factory preset whose headphones monitors are always in its room of half a second."""
    preset = json.loads(factory_presets()[name].read_text())
    return preset | {"ears": preset.pop("room")["ears"]}


def main(folder):
    bench = Path(folder) / "bench_convolution"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as preset:
        json.dump(in_its_room("smart-speaker"), preset)
        preset.flush()
        for arguments in ([], [preset.name]):
            subprocess.run([bench, *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/bench")
