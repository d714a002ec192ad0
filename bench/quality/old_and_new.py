"""Old against new for every preset: those of before designs knew rooms, pairs and balance, and those of this folder."""

import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from evidence import Table, write

from forestage import Renderer, factory_presets, load_preset
from forestage.acoustics.plant import plant
from forestage.constants import SAMPLE_RATE
from forestage.design.preset_device import preset_device
from forestage.metrics.chain import Chain
from forestage.metrics.summary import design_metrics
from forestage.metrics.zone import FREQUENCY_HZ, line_of_seats, seat_responses, seat_separation_db
from forestage.presets import preset_form

# The last ones of before
OLD = "9e368d3"
ASIDE = np.linspace(-0.2, 0.2, 17)  # over the distance of the seat
TEXT = """
Presets as they were before designs knew rooms, balance and pairs, from the history of this repository, and as they are,
both by today's metrics. What fell did so for what stands beside it:

- Separation at the seat and the sweet spot pay for nearness in a room ("lost in the room" is direct over reverberant
  sound against plain stereo, below and above 800 Hz) and for an image that does not turn over beside the zone ("beside"
  is the least separation up to a fifth of the distance to either side).
- The azimuth of the sides pays for nearness on round bodies across a room, and with it the zone in which both sides are
  at their places.
- What drivers get rises for near ears that are a pair's, where a body's own have no treble.
- "Lead" is how much more direct over reverberant sound has the centre than the sides, over what a real pair has there:
  the centre keeps the nearness of plain stereo, the sides do not.
- "Turned down" is the gain in front of the drivers: the worst case of all inputs, for the design alone, and now that of
  loud programme, for plain stereo and bypass as well.
"""


def old_presets(folder, revision):
    """Files of the presets of a revision that are still made, by name."""
    found = {}
    for name in factory_presets():
        shown = subprocess.run(
            ["git", "show", f"{revision}:presets/factory/{name}.json"],
            cwd=Path(__file__).parent,
            capture_output=True,
            check=False,
        )
        if shown.returncode == 0:
            found[name] = folder / f"{name}.json"
            found[name].write_bytes(shown.stdout)
    return found


def played(path):
    """A preset's filters and its device, as metrics look at them."""
    form = preset_form(path)
    device, filters = preset_device(form), load_preset(path).filters(SAMPLE_RATE)
    return SimpleNamespace(
        device=device,
        plant=plant(device),
        width_deg=form["parameters"]["stage_width_deg"],
        filter_set=lambda sample_rate=SAMPLE_RATE: filters,
    )


def figures(path, headroom):
    """Figures of one preset by column, as texts."""
    design = played(path)
    found = {"heard at, time (°)": "", "heard at, level (°)": ""}
    metrics = design_metrics(design)
    for cue in ("time", "level"):
        found[f"heard at, {cue} (°)"] = f"{metrics['width'][f'azimuth_by_{cue}_deg']['processed']:.0f}"
    found["most drive (dB)"] = f"{metrics['effort']['most_drive_db']['staged']:.1f}"
    found["turned down (dB)"] = f"{-Renderer(path, monitor='Speakers', safe_headroom=headroom).gain_db:.1f}"
    if design.device.is_headphones:
        return found
    distance_m = design.device.listener.distance_m
    seats = [
        seat for seat in line_of_seats(design.device, distance_m, ASIDE * distance_m) if design.device.is_clear(seat)
    ]
    responses = seat_responses(design.device, seats, FREQUENCY_HZ)
    beside_db = seat_separation_db(responses, Chain.of(design, FREQUENCY_HZ).cancelled, FREQUENCY_HZ).min()
    zone, panning, balance = (metrics[group] for group in ("zone", "panning", "balance"))
    found |= {
        "at the seat (dB)": f"{np.mean(metrics['width']['separation_db']['processed']):.1f}",
        "6 dB wide (cm)": f"{100 * zone['sweet_spot_m']['processed']:.0f}",
        "zone (cm²)": f"{zone['area_cm2']['processed']:.0f}",
        "beside (dB)": f"{beside_db:.1f}",
        "panning, time (°)": f"{panning['error_by_time_deg']['processed']:.1f}",
        "panning, level (°)": f"{panning['error_by_level_deg']['processed']:.0f}",
        "balance (LU)": f"{balance['loudness_lu']['processed']:.1f}",
        "balance, thirds (dB)": f"{balance['third_octave_db']['processed']:.1f}",
    }
    if "room" in metrics:
        room = metrics["room"]
        lost_db = np.subtract(*(room["direct_over_reverberant_db"][version] for version in ("plain", "processed")))
        lead_db = room["center_lead_db"]["processed"] - room["center_lead_db"]["reference"]
        found |= {
            "lost in the room (dB)": f"{lost_db[:2].max():.0f}, {lost_db[2:].max():.0f}",
            "5 ms apart above 800 Hz (dB)": f"{min(room['early_separation_db']['processed'][2:]):.1f}",
            "lead (dB)": f"{lead_db:.1f}",
        }
    return found


def row_of(name, old, new):
    """A preset's row, each figure old and new."""
    before, after = figures(old, "Strict"), figures(new, "Programme")
    return {"preset": name} | {column: f"{before[column]} → {value}" for column, value in after.items()}


def main(revision):
    """Rows of all presets."""
    with tempfile.TemporaryDirectory() as folder, ProcessPoolExecutor() as pool:
        old = old_presets(Path(folder), revision)
        if not old:
            raise SystemExit(f"{revision}: this copy of the repository has no presets of that revision")
        new = factory_presets()
        rows = list(pool.map(row_of, old, old.values(), [new[name] for name in old]))
    write("old-and-new", "Presets, old and new", [Table("Old → new", rows)], text=TEXT)


if __name__ == "__main__":
    main(*(sys.argv[1:] or [OLD]))
