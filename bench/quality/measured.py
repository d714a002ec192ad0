"""A device measured in a simulated laboratory: ruler against measurement against truth."""

from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
from evidence import DOCS, Table, write
from laboratory import LabDriver, Laboratory, Recorder, record_all

from forestage import design, load_device
from forestage.acoustics import fields
from forestage.acoustics.head import Head
from forestage.design.filters import delay_for
from forestage.firs import response_of
from forestage.measure.page import charts, save_svg
from forestage.measure.plan import Plan, as_by_ruler, places_for
from forestage.measure.quality import THIRDS_HZ
from forestage.measure.take import measure
from forestage.measure.written import plan_picture, write_measurement, write_sweeps

RATE = 48_000
IMAGES = DOCS.parent / "images"
FREQUENCY_HZ = np.geomspace(300.0, 7000.0, 150)
LEFT = LabDriver((0.0, 0.14, 0.0), gain_db=2.0, corner_hz=120.0, second=0.08)
RIGHT = LabDriver((0.0, -0.14, 0.0), gain_db=-2.0, late_s=2e-4, corner_hz=160.0, resonance=(1800.0, 3.0, 2.0))
FLOOR = (2, -0.9, 0.6)
LAB = Laboratory([LEFT, RIGHT], [FLOOR], Recorder(drift_ppm=-200.0, noise_dbfs=-70.0))
CONDITIONS = {
    "nothing": Laboratory([replace(LEFT, second=0.0), RIGHT], recorder=Recorder(noise_dbfs=-110.0)),
    "clocks 200 ppm apart": Laboratory(
        [replace(LEFT, second=0.0), RIGHT], recorder=Recorder(drift_ppm=-200.0, noise_dbfs=-110.0)
    ),
    "2 % of distortion": Laboratory([LEFT, RIGHT], recorder=Recorder(noise_dbfs=-110.0)),
    "noise": Laboratory([replace(LEFT, second=0.0), RIGHT], recorder=Recorder(noise_dbfs=-50.0)),
    "a floor 90 cm below": Laboratory(
        [replace(LEFT, second=0.0), RIGHT], [FLOOR], recorder=Recorder(noise_dbfs=-110.0)
    ),
    "all of it": LAB,
}
HEADS_M = (0.08, 0.0875, 0.095)
ASIDE_M = (0.0, 0.015, -0.015)
TEXT = """
A laptop whose drivers are 4 dB and 0.2 ms apart, with colours of their own, is measured in a laboratory that is made of
formulas (`bench/quality/laboratory.py`): points that bend their feed, a mirror for a floor, a recorder that starts late
with a clock of its own, and noise.

- Impulse responses come out within 0.3 dB and 2 us wherever they are 30 dB over the noise, whatever is in the way.
- A design from a ruler's numbers keeps less than half of the separation on such drivers; one from measured responses,
  in the free or at the ears, reaches what a design from the truth does, within 0.2 dB, with both sides equally loud.
- What was measured at one listener's ears serves larger and smaller heads as well as a design from the truth does.
"""


def measured(laboratory, folder, *, is_ears=False):
    """Measure the laptop in a laboratory."""
    device = as_by_ruler(load_device("laptop"))
    plan = Plan(device, places_for(device, count=3 if is_ears else 5, is_ears=is_ears), is_ears, length_s=1.0)
    write_sweeps(plan, folder / "sweeps")
    return measure(record_all(folder / "sweeps", laboratory, is_ears=is_ears))


def accuracy(name, laboratory):
    """How far impulse responses are from the truth, where they are heard."""
    with TemporaryDirectory() as folder:
        found = measured(laboratory, Path(folder))
    frequency = np.arange(max(1.5 / found.window_s, 100.0), 12_000.0, 20.0)
    turns = np.exp(-2j * np.pi * np.outer(frequency, np.arange(found.gated.shape[-1])) / RATE)
    levels_db, times_s, count = [], [], 0
    for index, driver in enumerate(laboratory.drivers):
        for place, point in enumerate(found.places_m):
            flight_s = found.flights_s()[place] - 0.02
            truth = laboratory.recorder.gain * laboratory.response(driver, point, frequency, is_direct=True)
            ratio = turns @ found.gated[index, place, 0] / truth * np.exp(-2j * np.pi * frequency * flight_s)
            heard = np.interp(frequency, THIRDS_HZ, found.spectra[index][place][0].snr_db) > 30.0
            levels_db.append(np.abs(20 * np.log10(np.abs(ratio[heard]))).max())
            times_s.append(np.where(heard & (frequency > 1000), -np.unwrap(np.angle(ratio)) / frequency, np.nan))
            count += heard.sum()
    times_s = np.array(times_s) / (2 * np.pi)
    return {
        "in the way": name,
        "heard (%)": 100.0 * count / (len(frequency) * len(levels_db)),
        "level (dB)": float(np.max(levels_db)),
        "time (µs)": 1e6 * float(np.nanmax(np.abs(times_s - np.nanmedian(times_s)))),
        "clock (ppm)": found.headings[0].clock.drift_ppm,
        "window (ms)": 1000 * found.window_s,
        "from (Hz)": float(frequency[0]),
    }


@contextmanager
def truth():
    """Inside, every plant is that of the laboratory."""

    def heard(sources, seat, frequency_hz):
        responses = np.stack([driver.response(np.asarray(frequency_hz)) for driver in LAB.drivers])
        return fields.ears(sources, seat, frequency_hz) * responses

    with patch("forestage.acoustics.plant.ears", heard):
        yield


def reached(made, *, head_m=None):
    """Separation and unevenness at the near ears of a design in the laboratory, without its floor."""
    filters = made.filter_set(RATE)
    lab = replace(LAB, head=Head() if head_m is None else Head(head_m))
    weights = response_of(filters.cancel, FREQUENCY_HZ, sample_rate=RATE, delay_frames=delay_for(RATE))
    if len(filters.driver_eq):
        weights = weights * response_of(filters.driver_eq, FREQUENCY_HZ, sample_rate=RATE)[:, None]
    hz = np.concatenate([[0.0], FREQUENCY_HZ])
    ears = []
    for y in ASIDE_M:
        plant = np.stack([lab.ears(each, (0.5, y, 0.0), hz, is_direct=True)[:, 1:] for each in LAB.drivers], axis=1)
        ears.append(np.abs(np.einsum("edf,dcf->ecf", plant, weights)))
    ears = np.array(ears)
    separation = 20 * np.log10([ears[:, 0, 0] / ears[:, 1, 0], ears[:, 1, 1] / ears[:, 0, 1]])
    near_db = 20 * np.log10([ears[0, 0, 0], ears[0, 1, 1]])
    return {
        "at the seat (dB)": float(separation[:, 0].mean()),
        "1.5 cm aside (dB)": float(separation[:, 1:].mean()),
        "near ear, sd (dB)": float(near_db.std(axis=1).mean()),
        "sides apart (dB)": float(abs(np.diff(near_db.mean(axis=1))[0])),
    }


def designs(folder):
    """Designs by what they know, and pictures of the measurement."""
    quick = {"sample_rates": (RATE,), "render": None}
    ruler = load_device("laptop")
    made = {"a ruler's numbers": design(ruler, **quick)}
    for name, is_ears in (("five places", False), ("the ears, three places", True)):
        place = folder / name.replace(" ", "-")
        place.mkdir()
        found = measured(LAB, place, is_ears=is_ears)
        write_measurement(found, place / "laptop")
        made[name] = design(load_device(place / "laptop" / "device.toml"), **quick)
        if not is_ears:
            save_svg(plan_picture(found.plan), IMAGES / "measure-plan.svg")
            save_svg(charts(found)[-1][2], IMAGES / "measure-impulses.svg")
    with truth():
        made["the truth"] = design(ruler, **quick)
    return made


def main():
    """Write the tables."""
    with TemporaryDirectory() as folder:
        made = designs(Path(folder))
    by_head = [
        {"design from": name} | {f"head {200 * m:.3g} cm": reached(each, head_m=m)["at the seat (dB)"] for m in HEADS_M}
        for name, each in made.items()
    ]
    tables = [
        Table(
            "Impulse responses against the truth",
            [accuracy(name, laboratory) for name, laboratory in CONDITIONS.items()],
            note="Worst of two drivers and five places; times from 1 kHz on, but for one latency of all.",
        ),
        Table(
            "What designs reach in the laboratory",
            [{"design from": name} | reached(each) for name, each in made.items()],
            note="Mean separation of both sides, 300 Hz to 7 kHz, with equalisers, in the free field; minimax.",
        ),
        Table("The same for other heads", by_head, note="Separation at the seat in dB; designs are for 17.5 cm."),
    ]
    write("measured", "A measured device", tables, text=TEXT)


if __name__ == "__main__":
    main()
