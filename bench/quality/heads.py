"""What designs do on measured heads that none of them has seen: separation, and where a hard-panned sound is heard."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from comparison import kemar, loudspeakers, with_head
from evidence import Table, write

from forestage.acoustics.measured_head import load_head
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import plant
from forestage.metrics.bands import OCTAVES
from forestage.metrics.localisation import Localiser
from forestage.metrics.panning import heard, panned_feeds
from forestage.metrics.separation import octave_separation_db
from forestage.metrics.width import SEPARATION_HZ

LEFT, RIGHT = 100.0, -100.0
TEXT = """
All designs are made for rigid spheres of three sizes. Here every factory preset is played by the engine to other
listeners at its seat: KEMAR (MIT, Debian's `libmysofa1`) and two people (the examples of `spatialaudiometrics` on PyPI,
CC BY-SA 3.0), whom no design has seen. Separation is that of the cancellation alone, per octave, of the channel that
has less of it; azimuths are those of a sound in the left channel, "pair" those of a real pair at ±30° for the same
head. The sphere, for which presets are designed, stands beside them. Times hold on all heads within 4°; levels, which
ears of flesh shape above 1.6 kHz, mostly tell 3 to 20° less than on the sphere, and people keep half to three quarters
of its separation.
"""


def people():
    """Heads by name; the sphere is the listener's own."""
    examples = Path(find_spec("spatialaudiometrics").submodule_search_locations[0])
    subjects = {f"subject {k}": load_head(next(examples.rglob(f"example_sofa_{k}.sofa"))) for k in (1, 2)}
    return {"sphere": None, "KEMAR": kemar()} | subjects


def tables():
    """Separation and azimuths of all presets on all heads."""
    separations, azimuths = [], []
    heads = people()
    for name, device in loudspeakers().items():
        alone = [panned_feeds(name, pan, upmix=0, stage_crosstalk=0) for pan in (LEFT, RIGHT)]
        staged = panned_feeds(name, LEFT, upmix=0)
        for who, head in heads.items():
            listening = device if head is None else with_head(device, head)
            seat = plant(listening)
            ears = np.stack([heard(seat, *each, SEPARATION_HZ) for each in alone], axis=1)
            octaves = octave_separation_db(SEPARATION_HZ, ears)
            row = dict(zip(OCTAVES, octaves.tolist(), strict=True)) | {"mean": float(octaves.mean())}
            separations.append({"preset": name, "head": who} | row)
            where = {"preset": name, "head": who}
            for cue, grid, azimuth_deg in Localiser.in_place_of(listening.listener).cues():
                where[f"by {cue} (°)"] = float(azimuth_deg(heard(seat, *staged, grid)))
                where[f"pair by {cue} (°)"] = float(azimuth_deg(pair_ears(listening.listener, grid)[:, 0]))
            azimuths.append(where)
    return [Table("Separation (dB)", separations), Table("A sound in the left channel is heard at", azimuths)]


if __name__ == "__main__":
    write("heads", "Heads that no design has seen", tables(), text=TEXT)
