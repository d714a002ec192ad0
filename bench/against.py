"""The chain of this tree against that of an older commit, turn by turn, by processor time.

    .venv/bin/python bench/against.py FOLDER_OF_BENCHES COMMIT

The older core is built below build/against, with the driver of this tree (``play.cpp``) in the place of its own bench.
Nothing is printed where this clone does not have the commit.
Each plays the smart speaker of its tree, half a second at a time in turns, so that whatever else the machine does is in
both; a ratio is the median of those of all turns. Prints one JSON object a line.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRESET = "presets/factory/smart-speaker.json"
TURNS = 101
# Monitor, quality, frames of a block, whether width and amount move
CASES = {
    "Speakers": (0, 0, 128, 0),
    "Headphones": (1, 0, 128, 0),
    "Headphones Plain": (2, 0, 128, 0),
    "Headphones Reference": (3, 0, 128, 0),
    "Speakers, High Quality": (0, 1, 128, 0),
    "Headphones, High Quality": (1, 1, 128, 0),
    "Speakers, blocks of 32": (0, 0, 32, 0),
    "Speakers, blocks of 512": (0, 0, 512, 0),
    "Speakers, width and amount move": (0, 0, 128, 1),
}


def has(commit):
    return (
        subprocess.run(["git", "cat-file", "-e", f"{commit}^{{tree}}"], cwd=ROOT, capture_output=True).returncode == 0
    )


def built(commit):
    """Folder of an older tree, in which its core is built with our driver."""
    folder = ROOT / "build/against" / commit
    folder.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "--keep-newer-files"], cwd=folder, input=archive, check=True, capture_output=True)
    for ours, theirs in (("play.cpp", "chain.cpp"), ("processor_clock.hpp", "processor_clock.hpp")):
        (folder / "bench" / theirs).write_bytes((ROOT / "bench" / ours).read_bytes())
    options = {"PYTHON": "OFF", "PLUGIN": "OFF", "CHECKS": "ON"}
    configure = ["cmake", "-G", "Ninja", "-S", folder, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Release"]
    configure += [f"-DFORESTAGE_{name}={value}" for name, value in options.items()]
    for command in (configure, ["cmake", "--build", folder / "build", "--target", "bench_chain"]):
        subprocess.run(command, check=True, stdout=sys.stderr)
    return folder


class Player:
    def __init__(self, program, preset):
        self.process = subprocess.Popen([program, preset], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def play_ns(self, case):
        self.process.stdin.write(" ".join(map(str, case)) + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def end(self):
        self.process.communicate()


def rows(players):
    """A row for each case; ``players``: the older one, then this tree's."""
    for name, case in CASES.items():
        before, now = zip(*([player.play_ns(case) for player in players] for _ in range(TURNS)), strict=True)
        ratios = [b / n for b, n in zip(before, now, strict=True)]
        yield {
            "name": name,
            "ns_per_frame": statistics.median(now),
            "ns_per_frame_before": statistics.median(before),
            "times_as_fast": statistics.median(ratios),
        }


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("folder", type=Path, help="where the built benches are")
    options.add_argument("commit", help="what to compare with")
    chosen = options.parse_args()
    if not has(chosen.commit):
        sys.stderr.write(
            f"against: no commit {chosen.commit} in this clone; `git fetch --unshallow` brings all of them\n"
        )
        return
    folder = built(chosen.commit)
    players = [
        Player(folder / "build/bench/bench_chain", folder / PRESET),
        Player(chosen.folder / "bench_play", ROOT / PRESET),
    ]
    for row in rows(players):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
    for player in players:
        player.end()


if __name__ == "__main__":
    main()
