"""What designs do on measured heads that none of them has seen: separation, and where a hard-panned sound is heard."""

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from comparison import STEP_HZ, device_of, kemar, loudspeakers, with_head
from evidence import Table, write

from forestage.acoustics.measured_head import load_head
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import plant
from forestage.design.cancel import CancelTarget, cancel_problem, solve, zone_plants
from forestage.design.cancel.firs import SOLVE_HZ, Solution
from forestage.design.virtual_pair import VirtualPair, closed_form_far_ear, crosstalk_weight, with_even_near_ears
from forestage.metrics.bands import OCTAVES
from forestage.metrics.localisation import Localiser
from forestage.metrics.panning import heard, panned_feeds
from forestage.metrics.separation import octave_separation_db
from forestage.metrics.width import SEPARATION_HZ

LEFT, RIGHT = 100.0, -100.0
LEFT_OUT_ON = ("laptop", "tv", "soundbar-3")
TEXT = """
All designs are made for rigid spheres of three sizes. Here every factory preset is played by the engine to other
listeners at its seat: KEMAR (MIT, Debian's `libmysofa1`) and two people (the examples of `spatialaudiometrics` on PyPI,
CC BY-SA 3.0), whom no design has seen. Separation is that of the cancellation alone, per octave, of the channel that
has less of it; azimuths are those of a sound in the left channel, "pair" those of a real pair at ±30° for the same
head. The sphere, for which presets are designed, stands beside them. Times hold on all heads within 4°; levels, which
ears of flesh shape above 1.6 kHz, mostly tell 3 to 20° less than on the sphere, and people keep half to three quarters
of its separation.

Would designs do better with measured heads among those that they are made for? Each of the three is left out once, the
other two join the spheres at the seat and to either side of it, and the one left out judges ("with people"), beside the
design for spheres alone; solutions before filters, and the azimuth by level of a sound in the left channel. People gain
some dB below 800 Hz and lose as much above, where no two heads are alike; the level cue stays where it is, and KEMAR
loses. So presets are made for spheres.
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


def left_out_table():
    """Designs with and without measured heads, on the measured head that neither has seen."""
    measured = {who: head for who, head in people().items() if head is not None}
    rows = []
    for name in LEFT_OUT_ON:
        device = device_of(name)
        target, seat = CancelTarget(), plant(device, step_hz=STEP_HZ)
        spheres = zone_plants(device, target)
        for out, head in measured.items():
            others = [each for who, each in measured.items() if who != out]
            for made_for, extra in (("spheres", []), ("with people", others)):
                zone = [plant(device, each, step_hz=STEP_HZ) for each in measured_seats(device, extra)]
                problem = cancel_problem(device, seat, SOLVE_HZ, target=target, zone=[*spheres, *zone])
                rows.append({"device": name, "made for": made_for, "heard by": out} | judged(device, head, problem))
    return Table("Two heads in the design, the third judges", rows)


def measured_seats(device, heads):
    """The seat and places to either side of it, for each head."""
    own = device.listener.seat
    x, y, z = own.position_m
    aside_m = 0.03 * device.listener.distance_m
    return [replace(own, position_m=(x, y + side, z), head=head) for head in heads for side in (-aside_m, 0.0, aside_m)]


def judged(device, head, problem):
    """Separation per octave and the azimuth by level of a sound in the left channel, of a solution on a head."""
    pair = VirtualPair().heard_by(device)
    solution = with_even_near_ears(Solution(problem, solve(problem, "minimax")), pair)
    feed = crosstalk_weight(solution, pair) * closed_form_far_ear(pair.width_deg, SOLVE_HZ)
    staged = replace(solution, weights=solution.weights + feed * solution.weights[:, ::-1])
    listening = with_head(device, head)
    seat = plant(listening)
    octaves = octave_separation_db(
        SEPARATION_HZ, np.einsum("edf,dcf->ecf", seat.at(SEPARATION_HZ), solution.at(SEPARATION_HZ))
    )
    cues = {cue: (grid, azimuth_deg) for cue, grid, azimuth_deg in Localiser.in_place_of(listening.listener).cues()}
    grid, azimuth_deg = cues["level"]
    level_deg = float(azimuth_deg(np.einsum("edf,df->ef", seat.at(grid), staged.at(grid)[:, 0])))
    return dict(zip(OCTAVES, octaves.tolist(), strict=True)) | {
        "mean": float(octaves.mean()),
        "by level (°)": level_deg,
    }


if __name__ == "__main__":
    write("heads", "Heads that no design has seen", [*tables(), left_out_table()], text=TEXT)
