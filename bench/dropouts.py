"""A minute of sound through PipeWire, in real time: how many half seconds are not what the engine plays.

    python bench/dropouts.py [SECONDS]

Noise goes to the sink that `forestage export --to pipewire` writes, with the plugin or with convolvers, and from a null
sink of eight channels it is recorded. A half second in which any channel is more than -90 dB off, or that stands
elsewhere than it should after the one before, is a drop-out. Prints a row of JSON for each.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile

from forestage import Renderer
from quality.pipewire_card import RATE, card, drop_outs, missing_tools

PRESET = "soundbar-7"
SECONDS = 60.0
WAYS = {"plugin": {"upmix": 0}, "convolvers": {"convolvers": True}}


def played(way, sound):
    """What arrives at the card, and what should."""
    with TemporaryDirectory(prefix="forestage-") as name, card(Path(name)) as made:
        made.start_chain(PRESET, **WAYS[way])
        # What plays it ends before the last of it is heard
        after = np.zeros((RATE, len(sound)), np.float32)
        soundfile.write(made.folder / "in.wav", np.concatenate([sound.T, after]), RATE, subtype="FLOAT")
        heard = made.capture(made.folder / "in.wav", made.folder / "out.wav")
    right = Renderer(PRESET, sample_rate=RATE, monitor="Speakers", upmix=0).process(sound)
    return heard[: len(right)], right


def main():
    """Play, and print what was found."""
    if missing := missing_tools():
        raise SystemExit(f"{missing[0]} is not installed (Debian: pipewire pipewire-bin wireplumber dbus)")
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    frames = round(seconds * RATE)
    sound = np.random.default_rng(6).uniform(-0.1, 0.1, (2, frames)).astype(np.float32)
    for way in WAYS:
        wrong, parts, worst_db = drop_outs(*played(way, sound))
        row = {
            "way": way,
            "seconds": seconds,
            "half_seconds": parts,
            "drop_outs": wrong,
            "others_db": round(worst_db, 1),
        }
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
