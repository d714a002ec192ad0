"""Performance tables: ``./run bench``. Prints them, and writes the same rows to build/bench.json.

Each figure is a median over many runs in a process of its own; ratios compare rows of the same run. Absolute times hold
for the machine that is named at the top.
"""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

from quality.evidence import Table, markdown

ROOT = Path(__file__).resolve().parents[1]


def rows_of(*command):
    """Rows that a bench prints, one JSON object a line."""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def processor_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main(folder):
    machine = f"{processor_name()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    sys.stdout.write(f"Machine: {machine}\n")
    tables = {
        "FIR matrix against a register-blocked direct form, same flags, same run": rows_of(folder / "bench_fir_matrix"),
        "long filters without added latency, 48 kHz, processor time of all threads": rows_of(
            sys.executable, ROOT / "bench/convolution.py", folder
        ),
        "smart-speaker chain, 48 kHz, block 128, one core": rows_of(
            folder / "bench_chain", ROOT / "presets/factory/smart-speaker.json"
        ),
        "dearest block of 32 frames after events, smart-speaker and laptop": rows_of(
            folder / "bench_worst_block",
            *(ROOT / f"presets/factory/{name}.json" for name in ("smart-speaker", "laptop")),
        ),
        "instances of smart-speaker and laptop, processor time": rows_of(
            folder / "bench_instances", *(ROOT / f"presets/factory/{name}.json" for name in ("smart-speaker", "laptop"))
        ),
        "smart-speaker in pedalboard, 48 kHz, buffer 128": rows_of(sys.executable, ROOT / "bench/pedalboard_host.py"),
        "rooms against pyroomacoustics, 48 kHz, 0.445 s, 38 000 images": rows_of(
            sys.executable, ROOT / "bench/room.py"
        ),
    }
    for title, rows in tables.items():
        sys.stdout.write(f"\n{markdown(Table(title, rows))}\n")
    (ROOT / "build" / "bench.json").write_text(json.dumps({"machine": machine, "tables": tables}, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
