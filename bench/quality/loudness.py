"""Matched loudness: what `level_match` leaves between all that is compared, on twenty pieces of six kinds."""

from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np
from evidence import Table, write
from level import pieces

from forestage import Renderer
from forestage.constants import SAMPLE_RATE
from forestage.match import integrated_lufs

PRESETS = ("smart-speaker", "laptop")
EARS = ("Headphones", "Headphones Plain", "Headphones Reference")
COMPARED = [*({"slot": slot, "monitor": monitor} for slot, monitor in product("AB", EARS)), {"bypass": True}]
SECONDS = 10
LATER_SECONDS = 3

TEXT = f"""
Ten seconds of twenty pieces of six kinds, each at 0 dBTP and -9 LUFS as loud masters are (shorter ones are repeated),
play through slot A ({PRESETS[0]}) and slot B ({PRESETS[1]}), all three headphones monitors of each, and bypass.
The figure is the largest difference of integrated loudness (BS.1770-5, of what leaves the engine, limiter and all)
between any two of these seven.

"Calibrated" is what presets carry. "Programme, as heard" is all ten seconds as somebody hears them who starts with no
knowledge, with the first seconds of searching in it; "begun later" is the same for a start three seconds into the
piece, whose begin then comes last. "Programme, its gains" is what would be left if the gains that are found after these
ten seconds had played from the begin; they are held against those of `Renderer.match`, which `forestage render --match
programme` plays with: to 0.01 LU (`tests/core/test_programme_match.py`).
What is left as heard is music whose begin is not like the rest: after three seconds of it the gain may only creep by
0.1 dB a second.
"""


def aligned(renderer, x):
    """What is heard of x, without the latency."""
    late = renderer.latency_frames
    return renderer.process(np.concatenate([x, np.zeros((2, late), np.float32)], axis=1))[:, late:]


def apart_lu(x, **settings):
    """Largest difference between what is compared, and the renderer that played last."""
    loudness = []
    for each in COMPARED:
        renderer = Renderer(*PRESETS, sample_rate=SAMPLE_RATE, **settings, **each)
        loudness.append(integrated_lufs(aligned(renderer, x), sample_rate=SAMPLE_RATE))
    return float(np.ptp(loudness)), renderer


def row(item):
    """Figures of a piece."""
    (kind, name), audio = item
    x = repeated(audio)
    calibrated, _ = apart_lu(x, level_match="Calibrated")
    heard, played = apart_lu(x, level_match="Programme")
    later, _ = apart_lu(np.roll(x, -LATER_SECONDS * SAMPLE_RATE, axis=1), level_match="Programme")
    exact = Renderer(*PRESETS, sample_rate=SAMPLE_RATE)
    exact.match(x)
    left = np.subtract(played.match_found_db, exact.match_found_db)
    return {
        "kind": kind,
        "piece": name,
        "Calibrated": round(calibrated, 2),
        "Programme, as heard": round(heard, 3),
        "begun later": round(later, 3),
        "Programme, its gains": round(float(np.ptp([*left.ravel(), 0.0])), 3),
    }


def repeated(audio):
    """As long as it takes, shape (2, frames)."""
    times = -(-SECONDS * SAMPLE_RATE // audio.shape[1])
    return np.ascontiguousarray(np.tile(audio, times)[:, : SECONDS * SAMPLE_RATE])


def main():
    """A row a piece, and the worst of all."""
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(row, pieces().items()))
    worst = {name: max(each[name] for each in rows) for name in list(rows[0])[2:]}
    rows.append({"kind": "all", "piece": "the worst"} | worst)
    write("loudness", "Matched loudness", [Table("Largest difference in LU", rows)], text=TEXT)


if __name__ == "__main__":
    main()
