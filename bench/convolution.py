"""Long filters: forms of convolution side by side, and the whole chain on headphones in a room of 0.5 s.

    .venv/bin/python bench/convolution.py [FOLDER_OF_BENCHES]

Forestage's FIR matrix against the usual uniform partitioning (one convolver per path) and, where it is installed,
zita-convolver (Debian: libzita-convolver-dev), in one run of one process. The chain is the smart-speaker with its three
drivers and ear responses of decaying noise.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from make_preset import with_long_ears  # noqa: E402 - after the path to it


def main(folder):
    bench = Path(folder) / "bench_convolution"
    with tempfile.NamedTemporaryFile("w", suffix=".json") as preset:
        json.dump(with_long_ears("smart-speaker"), preset)
        preset.flush()
        for arguments in ([], [preset.name]):
            subprocess.run([bench, *arguments], check=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/bench")
