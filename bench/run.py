"""Performance tables: ``./run bench``. Prints them, and writes them to docs/evidence/speed.md and build/bench.json.

Every figure is processor time, a median over several runs in a process of its own; ratios compare rows of the same run.
So that machines compare, each cost is held against a fixed piece of work, done before and after its table, and that
ratio against the one of the last release in bench/base.json. ``--store`` makes that file anew, ``--only WORD`` runs the
tables with a word in their title again and keeps the others as they were. ``--against COMMIT`` says which older chain
plays in turns with this one. Nothing fails when a figure is worse.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # also for the benches, before numpy is loaded

import numpy as np  # noqa: E402

from forestage import __version__  # noqa: E402
from quality.evidence import Table, markdown  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
BASE = ROOT / "bench/base.json"
PAGE = ROOT / "docs/evidence/speed.md"
RESULTS = ROOT / "build/bench.json"
# Columns that tell what a row costs, the first that it has; any unit will do
COSTS = ("ns_per_frame", "ns_per_output_frame", "cpu_ms", "cpu_s")
AGAINST_BASE = "times as fast as the base"
BEFORE = "ebc7a1f"  # the tree before the work on speed
TEXT = """\
What the engine and the design cost, and what others take for the same, measured in one run.
A cost is processor time of one thread or of all, as a table says, so that other work on the machine hardly counts.
`{column}`, where it stands, compares with `bench/base.json`, stored with {base}.
Both are held against a fixed piece of work: the ratio holds on machines of a kind, and to a third between kinds.
"""


def reference_s():
    """Processor time of the fixed piece of work: transforms, products of matrices, and interpreted code."""
    random = np.random.default_rng(0)
    signals, square = random.standard_normal((32, 8192)), random.standard_normal((256, 256))

    def work():
        start = time.process_time()
        for _ in range(4):
            np.fft.irfft(np.fft.rfft(signals) * 0.5)
            square @ square
        sum(k * k for k in range(50_000))
        return time.process_time() - start

    return statistics.median(work() for _ in range(9))


def rows_of(*command):
    """Rows that a bench prints, one JSON object a line."""
    result = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def processor_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def window_bench():
    """The bench of the window, which lives where the plugin was built."""
    return next(ROOT.glob("build/*/plugin/window/bench_window"), "bench_window")


def commands(folder, commit):
    """What each table is made by; ``commit``: what the chain plays in turns with."""
    factory = ROOT / "presets/factory"
    two = [factory / f"{name}.json" for name in ("smart-speaker", "laptop")]
    return {
        "FIR matrix against a register-blocked direct form, same flags, same run": [folder / "bench_fir_matrix"],
        "long filters without added latency, 48 kHz, processor time of all threads": [
            sys.executable,
            ROOT / "bench/convolution.py",
            folder,
        ],
        "smart-speaker chain, 48 kHz, block 128, one core": [folder / "bench_chain", factory / "smart-speaker.json"],
        f"the chain of this tree and that of {commit}, in turns, smart-speaker, 48 kHz": [
            sys.executable,
            ROOT / "bench/against.py",
            folder,
            commit,
        ],
        "dearest block of 32 frames after events, smart-speaker and laptop": [folder / "bench_worst_block", *two],
        "instances of smart-speaker and laptop, processor time": [
            folder / "bench_instances",
            *two,
            *(factory / f"{name}.json" for name in ("five-driver-speaker", "soundbar-7")),
        ],
        "the plugin's window, smart-speaker, 48 kHz, block 128, processor time": [window_bench()],
        "smart-speaker in pedalboard, 48 kHz, buffer 128": [sys.executable, ROOT / "bench/pedalboard_host.py"],
        "from Python: designs, ears in a room, rendering, one thread": [sys.executable, ROOT / "bench/offline.py"],
        "rooms against pyroomacoustics, 48 kHz, one thread": [sys.executable, ROOT / "bench/room.py"],
    }


def key_of(row):
    """What tells a row from others of its table: its texts."""
    return ", ".join(value for value in row.values() if isinstance(value, str))


def cost_of(row):
    """What a row costs, or None."""
    if "x_real_time" in row and not set(COSTS) & set(row):
        return 1.0 / row["x_real_time"]
    return next((row[column] for column in COSTS if column in row), None)


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path, help="where the built benches are")
    options.add_argument("--store", action="store_true", help="make bench/base.json anew")
    options.add_argument(
        "--against", default=BEFORE, metavar="COMMIT", help="the older chain, %(default)s if not given"
    )
    options.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="tables with these in their titles")
    chosen = options.parse_args()
    machine = f"{processor_name()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    base = json.loads(BASE.read_text()) if BASE.exists() else {"stored_with": "nothing", "tables": {}}
    sys.stdout.write(f"Machine: {machine}\n")
    all_made_by = commands(chosen.folder, chosen.against)
    made_by = {title: command for title, command in all_made_by.items() if any(word in title for word in chosen.only)}
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results = known if known.get("machine") == machine else {"machine": machine, "tables": {}, "relative_costs": {}}
    for title, command in made_by.items():
        before = reference_s()
        rows = rows_of(*command)
        if not rows:  # it has said why
            continue
        reference = (before + reference_s()) / 2
        costs = {key_of(row): cost_of(row) / reference for row in rows if cost_of(row)}
        for row in rows:
            of_base = base["tables"].get(title, {}).get(key_of(row))
            if of_base and cost_of(row):
                row[AGAINST_BASE] = of_base / costs[key_of(row)]
        results["tables"][title], results["relative_costs"][title] = rows, costs
        RESULTS.write_text(json.dumps(results, indent=2) + "\n")
        sys.stdout.write(f"\n{markdown(Table(title, rows))}\n")
        sys.stdout.flush()
    if chosen.store:
        rounded = {
            title: {key: float(f"{cost:.4g}") for key, cost in costs.items()}
            for title, costs in results["relative_costs"].items()
        }
        stored_with = f"forestage {__version__} on {datetime.date.today().isoformat()}"
        BASE.write_text(json.dumps({"stored_with": stored_with, "tables": rounded}, indent=1) + "\n")
    parts = [
        "# Speed",
        TEXT.format(column=AGAINST_BASE, base=base["stored_with"]).strip(),
        f"Made by `./run bench` on {machine}.",
    ]
    tables = [Table(title, results["tables"][title]) for title in all_made_by if title in results["tables"]]
    PAGE.write_text("\n\n".join([*parts, *map(markdown, tables)]) + "\n")


if __name__ == "__main__":
    main()
