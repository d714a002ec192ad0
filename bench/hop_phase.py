"""How much a render depends on the frame that it starts at: the hops of the upmix begin there.

    python bench/hop_phase.py

The same music is played from frame 0 and from frames within the first hops on; once the averages have settled, what
differs is given over the sound itself, in dB: the worst of all starts, per quality and monitor.
"""

from __future__ import annotations

import numpy as np

from forestage import Renderer
from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT
from quality.evidence import Table, markdown

SECONDS = 8
SETTLED_S = 2
STARTS = (1, 7, 12, 100, 263, 501, 1024, 1500)


def difference_db(music: np.ndarray, sample_rate: int, start: int, **settings) -> float:
    """Power of the difference between renders from frame 0 and from ``start`` on, over that of the render."""
    whole = Renderer("smart-speaker", sample_rate=sample_rate, **settings).process(music)
    later = Renderer("smart-speaker", sample_rate=sample_rate, **settings).process(music[:, start:])
    settled = SETTLED_S * sample_rate
    same = whole[:, start + settled :]
    return float(10 * np.log10(np.mean((later[:, settled:] - same) ** 2) / np.mean(same**2)))


def worst() -> list[dict[str, str | float]]:
    """Worst difference of all starts: a row for each quality and monitor."""
    music, sample_rate = read_stereo(EXCERPT)
    music = music[:, : SECONDS * sample_rate]
    return [
        {
            "quality": quality,
            "monitor": monitor,
            "dB": max(
                difference_db(music, sample_rate, start, upmix_quality=quality, monitor=monitor) for start in STARTS
            ),
        }
        for quality in ("Low Latency", "High Quality")
        for monitor in ("Speakers", "Headphones")
    ]


if __name__ == "__main__":
    print(markdown(Table("Difference of two renders that start elsewhere", worst())))
