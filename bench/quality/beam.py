"""Centre beams by every method, on the exported filters: pattern, drive, tolerance and colour, for all devices."""

import numpy as np
from evidence import Table, write
from threadpoolctl import threadpool_limits

from forestage.acoustics.crossover import crossover
from forestage.acoustics.device_file import load_device
from forestage.acoustics.plant import directivity, plant
from forestage.constants import SAMPLE_RATE
from forestage.design.beam import METHODS, BeamTarget, beam_firs, plan_beam, spread_on_off_db
from forestage.design.skew import aligned_plain
from forestage.firs import response_of
from forestage.metrics.directivity import AZIMUTH_DEG, on_off_db, white_noise_gain_db, window_db

JUDGED_HZ = np.geomspace(300.0, 1250.0, 60)
THIRDS_HZ = 1000.0 * 2.0 ** (np.arange(-7, 7) / 3)
AXIS_HZ = np.geomspace(100.0, 10_000.0, 300)
COARSE_HZ = np.geomspace(300.0, 1250.0, 18)
COMPARED = ("smart-speaker", "smart-speaker-up", "five-driver-speaker", "soundbar-3", "soundbar-7")
PAIRS = ("laptop", "asymmetric-pair")
TEXT = """
All figures are of exported filters (256 taps at 48 kHz) in the simulation, at the listener's distance. On/off is the
mean power within ±45° over the mean power at 70 to 110° on both sides; the window is the level within ±45° against the
axis; white noise gain is the power on axis over driver power, against the strongest single driver; all of 300 to
1250 Hz. Drive is the power of all drivers, behind their crossovers, over that of plain stereo with the same level on
axis. Lost is what on/off loses when every driver is off by 0.5 dB and 3° (standard deviations, 400 devices): the median
device and the worst 5 % of them, at the worst frequency. Ripple is half the range of the level on axis, 100 Hz to
10 kHz. Directivity index is the power on axis, at that distance, over the mean power in all directions; its lead over
the plain mix, in which the left and the right drivers play alike, is what the beam is worth in a room
([depth](depth.md)).

The superdirective beam has the most directivity index that the drivers allow within the white noise gain. The ratio
search is to lead by 2 dB on average, and nowhere to be behind; front over sides and window come after that. Drivers
around a body have both. Points in a line do not: what a soundbar sends to ±45° it sends all around itself, so that its
beam is as narrow there as its plain mix, but evener within ±10°, where people sit. On three points 36 cm apart the lead
ends at 1.7 dB, and with a driver on top of a body at 0.4 dB: that beam is hardly more than the plain mix. The variant
`wide-zone` does not ask for a lead, and keeps the window.

All methods fade to the plain mix in the bass and to the centre driver above the band; the ratio search, the default, is
the only one that is searched again on what its filters do.
"""


class Beam:
    """The exported beam of a device."""

    def __init__(self, name, **target):
        self.device = load_device(name)
        self.plant = plant(self.device)
        self.plan = plan_beam(self.device, self.plant, target=BeamTarget(**target))
        self.firs = beam_firs(self.plan, sample_rate=SAMPLE_RATE)

    def responses(self, frequency):
        return response_of(self.firs, frequency, sample_rate=SAMPLE_RATE)

    def pressure(self, frequency):
        return np.einsum("daf,df->af", directivity(self.device, frequency, AZIMUTH_DEG), self.responses(frequency))

    def axis_db(self, frequency=AXIS_HZ):
        field = directivity(self.device, frequency, [0.0])[:, 0]
        return 20 * np.log10(np.abs(np.sum(field * self.responses(frequency), axis=0)))

    def drive_db(self, frequency=AXIS_HZ):
        """Power behind the crossovers over that of plain stereo, both for the same level on axis."""
        plain = aligned_plain(self.plant, frequency).sum(axis=1)
        field = directivity(self.device, frequency, [0.0])[:, 0]
        passed = np.stack([crossover(driver, frequency) for driver in self.device.drivers])
        power = [
            np.sum(np.abs(passed * drive) ** 2, axis=0) / np.abs(np.sum(field * drive, axis=0)) ** 2
            for drive in (self.responses(frequency), plain)
        ]
        return 10 * np.log10(power[0] / power[1])

    def lost_db(self, frequency=JUDGED_HZ):
        """On/off lost by the median device, and by the worst 5 %."""
        field = directivity(self.device, frequency, AZIMUTH_DEG)
        spread = spread_on_off_db(field, self.responses(frequency), AZIMUTH_DEG)
        return on_off_db(self.pressure(frequency)) - np.percentile(spread, [50, 5], axis=0)

    def index_db(self, responses):
        """Directivity index of drivers' responses, with the power on axis as it is at the listener's distance."""
        array = self.plan.array
        return array.problem(COARSE_HZ, self.plan.target).directivity_index_db(array.to_groups(responses))

    def figures(self):
        pressure = self.pressure(JUDGED_HZ)
        on_off, (low, high) = on_off_db(pressure), window_db(pressure)
        gain = white_noise_gain_db(self.device, self.firs, JUDGED_HZ, sample_rate=SAMPLE_RATE)
        lost, axis = self.lost_db(), self.axis_db()
        index = self.index_db(self.responses(COARSE_HZ))
        lead = index - self.index_db(np.repeat(self.device.plain_gains.sum(axis=1)[:, None], len(COARSE_HZ), axis=1))
        return {
            "on/off, least": on_off.min(),
            "mean": on_off.mean(),
            "window, lowest": low.min(),
            "highest": high.max(),
            "white noise gain, least": gain.min(),
            "directivity index": index.mean(),
            "over plain mix, mean": lead.mean(),
            "over plain mix, least": lead.min(),
            "on/off, least, worst 5 %": (on_off - lost[1]).min(),
            "lost, median": lost[0].max(),
            "lost, worst 5 %": lost[1].max(),
            "ripple on axis ±": np.ptp(axis) / 2,
            "drive, mean": self.drive_db(JUDGED_HZ).mean(),
        }


def plain_mixes(device, frequency):
    """On/off of mixing to the stereo drivers, to all, and to the centre drivers, for devices with a centre."""
    field = directivity(device, frequency, AZIMUTH_DEG)
    center = np.array([driver.channel == "center" for driver in device.drivers])
    both = np.array([driver.channel == "both" for driver in device.drivers])
    mixes = {"left and right": ~center, "all drivers": center | ~center, "centre drivers": center | both}
    return {name: on_off_db(np.tensordot(gains.astype(float), field, 1)) for name, gains in mixes.items()}


def by_method(name, beams):
    rows = [{"method": method, **beam.figures()} for method, beam in beams.items()]
    edge = beams["ratio-search"].plan.curves.knots_hz[-1]
    note = f"The array helps up to {edge:.0f} Hz and fades out above."
    return Table(f"{name}: all methods, 300 to 1250 Hz, dB", rows, note)


def by_third(name, beams):
    rows = [
        {"beam": method, **{f"{hz:.0f} Hz": round(value, 3) + 0.0 for hz, value in zip(THIRDS_HZ, values, strict=True)}}
        for method, values in [
            *((method, on_off_db(beam.pressure(THIRDS_HZ))) for method, beam in beams.items()),
            *plain_mixes(beams["ratio-search"].device, THIRDS_HZ).items(),
        ]
    ]
    return Table(f"{name}: on/off in dB at third-octave centres", rows)


def frontier():
    rows = []
    for floor_db in (-2.85, -4.35):
        for goal_db in (9.1, 10.0, 11.0, 12.0, 14.0):
            beam = Beam("smart-speaker", on_off_db=goal_db, window_db=(floor_db, 0.6))
            figures = beam.figures()
            kept = ("on/off, least", "mean", "window, lowest", "white noise gain, least", "lost, worst 5 %")
            rows.append({"goal": goal_db, "window asked": floor_db, **{key: figures[key] for key in kept}})
    note = "Goal and window are met together up to about 10 dB in 3 dB, and 12 dB in 4.5 dB; beyond, they are traded."
    return Table("smart-speaker: how far the default goes, dB", rows, note)


def shortfalls(beams):
    rows = [
        {
            "device": name,
            "figure": fall.figure,
            "from Hz": round(fall.low_hz),
            "to Hz": round(fall.high_hz),
            "short by dB": fall.short_db,
        }
        for name, beam in beams.items()
        for fall in beam.plan.shortfall
    ]
    note = "Devices without a centre driver play the centre from all drivers alike; nothing is steered."
    return Table("Where the default stays short of its target, as the design reports it", rows, note)


@threadpool_limits.wrap(limits=1, user_api="blas")
def main():
    beams = {name: {method: Beam(name, method=method) for method in METHODS} for name in COMPARED}
    defaults = {name: beams[name]["ratio-search"] for name in COMPARED} | {name: Beam(name) for name in PAIRS}
    tables = [table(name, beams[name]) for name in COMPARED for table in (by_method, by_third)]
    write("beam", "Centre beams", [*tables, frontier(), shortfalls(defaults)], text=TEXT)


if __name__ == "__main__":
    main()
