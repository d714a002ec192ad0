"""Whether left, centre and right are heard where they should be, and where one side cannot help the other."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from forestage.design.shortfall import ImageShortfall, runs
from forestage.design.skew import BALANCED_DB, GRID_HZ, Skew
from forestage.metrics.chain import Chain
from forestage.metrics.localisation import TIME_BAND_HZ, TIME_CENTRES_HZ, TIME_HZ, Localiser
from forestage.metrics.played import Played
from forestage.metrics.width import ears

TOLERANCE_DEG = 3.0


def image_shortfalls(design: Played, *, sample_rate: int) -> Iterator[ImageShortfall]:
    """Where one of left, centre and right is more than 3 degrees off its place, by the times at the ears.

    Over all of the band of the times, and in parts of it where one side plays at least 6 dB more than the other one,
    over what is usual for them.
    """
    listener, width_deg = design.device.listener, design.width_deg
    localiser = Localiser.in_place_of(listener)
    chain = Chain.of(design, TIME_HZ, sample_rate=sample_rate)
    pressure = ears(design, TIME_HZ, np.stack([chain.staged[:, 0], chain.center, chain.staged[:, 1]], axis=1))
    wanted = (width_deg, 0.0, -width_deg)
    for low_hz, high_hz, alone in [(*TIME_BAND_HZ, None), *_one_sided(design)]:
        left, center, right = localiser.time_azimuth_deg(pressure, within_hz=(low_hz, high_hz)).tolist()
        if np.any(np.abs(np.subtract((left, center, right), wanted)) > TOLERANCE_DEG):
            yield ImageShortfall(low_hz, high_hz, wanted, (left, center, right), alone)


def _one_sided(design: Played) -> Iterator[tuple[float, float, str]]:
    """Bands in which one side plays alone, with a band of the ear inside, and that side."""
    skew = Skew.of(design.plant)
    if skew is None:
        return
    inside = (TIME_BAND_HZ[0] <= GRID_HZ) & (TIME_BAND_HZ[1] >= GRID_HZ)
    for side, more_db in (("left", skew.uneven_db), ("right", -skew.uneven_db)):
        for run in runs(inside & (more_db > BALANCED_DB[0])):
            low_hz, high_hz = float(GRID_HZ[run][0]), float(GRID_HZ[run][-1])
            if np.any((low_hz <= TIME_CENTRES_HZ) & (high_hz >= TIME_CENTRES_HZ)):
                yield low_hz, high_hz, side
