"""Where panned sounds are heard, through the engine, for every factory preset."""

import numpy as np
from comparison import kemar, loudspeakers, with_head
from evidence import Table, write

from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import plant
from forestage.metrics.localisation import LEVEL_HZ, TIME_HZ, Localiser
from forestage.metrics.panning import PANS, QUALITIES, heard, pan_gains, panned_feeds

SHOWN = ("smart-speaker", "smart-speaker-free-field", "laptop", "soundbar-7", "tv", "asymmetric-pair")
TEXT = """
Noise is panned at constant power from the centre (0 %) to the left channel (100 %), in steps of 10 %, and played by
the engine to the drivers, alone or with other sounds around it: one in the centre as loud, and one at either side half
as loud. What of the driver feeds follows the source makes the ears of a listener at the seat;
`forestage.metrics.localisation` tells where these hear it, by time and by level, and where they hear it from a real
pair at ±30°. "At most" is the largest difference over all pans. The sphere is the head that presets are designed for;
KEMAR (MIT), which no design has seen, hears the same feeds, "on average" over the pans.
"""


def listeners(device):
    """Whoever hears the feeds of a device: a seat, what localises there, and a real pair in its place."""
    for each in (device, with_head(device, kemar())):
        listener = each.listener
        yield plant(each), Localiser.in_place_of(listener), listener


def azimuths(played, seat, localiser, listener):
    """Azimuths by (time, level) over the pans, of the device and of a real pair, each of shape (2, pans)."""
    gains = pan_gains(PANS)
    found = []
    for grid, azimuth_deg in ((TIME_HZ, localiser.time_azimuth_deg), (LEVEL_HZ, localiser.level_azimuth_deg)):
        ears = np.stack([heard(seat, *each, grid) for each in played], axis=1)
        pair = np.einsum("ecf,cp->epf", pair_ears(listener, grid), gains)
        found.append((azimuth_deg(ears), azimuth_deg(pair)))
    return tuple(np.stack(each) for each in zip(*found, strict=True))


def panning_tables():
    """Errors of all presets, and the curves of some."""
    errors, curves = [], []
    for name, device in loudspeakers().items():
        people = list(listeners(device))
        for quality in QUALITIES:
            for in_mix in (False, True):
                played = [panned_feeds(name, pan, upmix_quality=quality, in_mix=in_mix) for pan in PANS]
                (sphere, real), (dummy, real_dummy) = (azimuths(played, *person) for person in people)
                worst, mean = np.abs(sphere - real).max(axis=1), np.abs(dummy - real_dummy).mean(axis=1)
                what = {"preset": name, "upmix": quality, "heard": "in a mix" if in_mix else "alone"}
                columns = ("at most by time (°)", "at most by level (°)", "KEMAR by time (°)", "KEMAR by level (°)")
                errors.append(what | dict(zip(columns, np.round([*worst, *mean], 1).tolist(), strict=True)))
                if name in SHOWN and not in_mix and quality == QUALITIES[0]:
                    for cue, ours, theirs in zip(("time", "level"), sphere, real, strict=True):
                        cells = [f"{a:.0f} / {b:.0f}" for a, b in zip(ours, theirs, strict=True)]
                        pans = [f"{pan} %" for pan in PANS]
                        curves.append({"preset": name, "by": cue} | dict(zip(pans, cells, strict=True)))
    return [
        Table("Deviation from a real pair, in degrees", errors),
        Table("Heard at / heard from a real pair at, alone, in degrees", curves),
    ]


if __name__ == "__main__":
    write("panning", "Where panned sounds are heard", panning_tables(), text=TEXT)
