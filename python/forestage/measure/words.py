"""What a measurement is worth, in words: what is good, what is limited, what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from forestage.acoustics.driver import Driver
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.measure.against_model import over_model_db, rulers_design
from forestage.measure.colour import LEAST_SNR_DB, MOST_DISTORTION
from forestage.measure.places import LEAST_OFF_M, MOST_OFF_M, SOUGHT_M
from forestage.measure.quality import LONGEST_S, THIRDS_HZ, hz_text, thirds_within
from forestage.measure.take import Measurement

Grade = Literal["good", "limited", "poor"]

JUDGED_HZ = (100.0, 12_500.0)
GOOD_SNR_DB = 30.0
MOST_DRIFT_PPM = 100.0
# Windows from which on voices are measured whole
GOOD_WINDOW_S = 4e-3
MOST_LEVEL_DB = 1.0
# Of the separation that a design by ruler promises
MOST_LOST_DB = 1.5


@dataclass(frozen=True)
class Finding:
    """A judgement, in a sentence."""

    grade: Grade
    text: str

    def __str__(self) -> str:
        return f"{self.grade}: {self.text}"


def findings(measurement: Measurement) -> list[Finding]:
    """What is wrong with a measurement first, then what is limited, then what is good."""
    found = [
        *_noise(measurement),
        *_distortion(measurement),
        *_reflection(measurement),
        *_drivers(measurement),
        *_places(measurement),
        *_clocks(measurement),
        *_ruler(measurement),
    ]
    return sorted(found, key=lambda finding: ("poor", "limited", "good").index(finding.grade))


def _noise(measurement: Measurement) -> Iterator[Finding]:
    low_hz, high_hz = JUDGED_HZ
    judged = thirds_within(low_hz, high_hz)
    is_quiet = True
    for driver, snr_db in zip(measurement.plan.drivers, measurement.snr_db, strict=True):
        own = judged & _own(driver)
        for least_db, grade in ((LEAST_SNR_DB, "poor"), (GOOD_SNR_DB, "limited")):
            noisy = own & ~(snr_db >= least_db)
            if noisy.any():
                is_quiet = False
                worst = float(np.nanmin(snr_db[noisy]))
                yield Finding(
                    grade,  # type: ignore[arg-type]
                    f"too much noise for {driver.name} {_band(noisy & own)}: {worst:.0f} dB under the sweep at "
                    f"worst, where {GOOD_SNR_DB:g} dB would be good; play louder, sweep longer (--length), or quieten "
                    "the room",
                )
                break
    if is_quiet:
        worst = float(np.nanmin(np.where(judged, measurement.snr_db, np.inf)))
        yield Finding(
            "good", f"noise is at least {worst:.0f} dB under the sweeps, {hz_text(low_hz)} to {hz_text(high_hz)}"
        )


def _distortion(measurement: Measurement) -> Iterator[Finding]:
    found, most, where = 0.0, 0.0, 0
    for driver, each, snr_db in zip(measurement.plan.drivers, measurement.distortion, measurement.snr_db, strict=True):
        own = _own(driver) & thirds_within(50.0, THIRDS_HZ[-1]) & (snr_db >= LEAST_SNR_DB)
        known, possible = (np.where(own, np.nan_to_num(ratio), 0.0) for ratio in (each.found, each.most))
        found = max(found, float(known.max()))
        if possible.max() > most:
            most, where = float(possible.max()), int(np.argmax(possible))
        if (loud := known > MOST_DISTORTION).any():
            at = int(np.argmax(known))
            yield Finding(
                "limited",
                f"{driver.name} distorts by up to {100 * known[at]:.1f} % ({hz_text(THIRDS_HZ[at])}): nothing is "
                f"boosted {_band(loud)}; a low_hz, max_db or thiele_small would spare it",
            )
    if most <= MOST_DISTORTION:
        yield Finding("good", f"distortion is at most {100 * most:.1f} % from 50 Hz on, at the level of the sweeps")
    elif found <= MOST_DISTORTION:
        yield Finding(
            "good",
            f"no distortion of more than {100 * MOST_DISTORTION:g} % stands out of the noise, which may hide up to "
            f"{100 * most:.1f} % ({hz_text(THIRDS_HZ[where])})",
        )


def _reflection(measurement: Measurement) -> Iterator[Finding]:
    window_s = measurement.window_s
    if not measurement.reflections:
        yield Finding("good", f"no reflection stands out in the first {1000 * LONGEST_S:g} ms")
        return
    late_s, level_db, driver, place = measurement.reflections[0]
    path_m = SPEED_OF_SOUND_M_S * late_s
    whose = f"{measurement.plan.drivers[driver].name} at place {place + 1}"
    where = f"reflection at {1000 * late_s:.1f} ms ({level_db:.0f} dB, {whose})"
    if window_s > late_s:
        yield Finding("limited", f"{where}, which stays in: the window is {1000 * window_s:.1f} ms")
        return
    grade: Grade = "good" if window_s >= GOOD_WINDOW_S else "limited"
    more = "" if grade == "good" else (
        f"; a way {100 * path_m:.0f} cm longer than the direct one: move what reflects farther away, or cover it"
    )  # fmt: skip
    yield Finding(grade, f"{where}: responses are cut there, and say little below {hz_text(1.0 / window_s)}{more}")


def _drivers(measurement: Measurement) -> Iterator[Finding]:
    plan = measurement.plan
    names = [driver.name for driver in plan.drivers]
    for name, is_inverted in zip(names, measurement.inverted, strict=True):
        if is_inverted:
            yield Finding(
                "limited",
                f"{name} is inverted against {names[plan.reference]}: the device file says so, and its equaliser turns "
                "it back; better exchange its two wires",
            )
    levels = {name: driver.level_db for name, driver in zip(names, measurement.device.drivers, strict=True)}
    if (spread := max(levels.values()) - min(levels.values())) > MOST_LEVEL_DB:
        told = ", ".join(f"{name} {db:+.1f} dB" for name, db in levels.items())
        yield Finding("limited", f"drivers are {spread:.1f} dB apart ({told}), which their equalisers make up for")
    else:
        yield Finding("good", f"drivers are alike in level within {spread:.1f} dB")


def _places(measurement: Measurement) -> Iterator[Finding]:
    off_m = measurement.off_m
    for place, off in enumerate(off_m.tolist()):
        if abs(off) >= LEAST_OFF_M:
            side = "left" if off > 0 else "right"
            grade: Grade = "limited" if abs(off) <= MOST_OFF_M else "poor"
            far = f"{100 * abs(off):.1f} cm" if abs(off) < SOUGHT_M else f"{100 * SOUGHT_M:g} cm or more"
            more = "the device file has it there" if grade == "limited" else "measure that place again"
            yield Finding(
                grade,
                f"microphone not where it was said: place {place + 1} is {far} farther to the "
                f"listener's {side}, by the times between drivers; {more}",
            )
    worst_db = float(measurement.repeatability_db.max())
    yield Finding("good", f"sweeps repeat within {worst_db:.2f} dB where they are heard well")


def _clocks(measurement: Measurement) -> Iterator[Finding]:
    drifts = [heading.clock.drift_ppm for heading in measurement.headings]
    worst = max(drifts, key=abs)
    yield Finding(
        "good", f"the recorder's clock runs {round(worst):+d} ppm against the player's at most, which is undone"
    )


def _ruler(measurement: Measurement) -> Iterator[Finding]:
    """How far the model by ruler is off, where it can be said: at the ears."""
    if not measurement.plan.is_ears:
        return
    found = rulers_design(measurement)
    lost_db = found.promised_db - found.reached_db
    off_db = float(np.std(over_model_db(measurement)[..., thirds_within(*JUDGED_HZ)]))
    grade: Grade = "good" if lost_db <= MOST_LOST_DB else "limited"
    yield Finding(
        grade,
        f"the model by ruler is {off_db:.1f} dB off at the ears: its design would promise {found.promised_db:.1f} dB "
        f"of separation here and reach {found.reached_db:.1f} dB; design from this measurement",
    )


def _own(driver: Driver) -> NDArray[np.bool_]:
    """Third octaves within the crossover of a driver."""
    return thirds_within(driver.low_hz or 0.0, driver.high_hz or np.inf)


def _band(which: NDArray[np.bool_]) -> str:
    """Where something is so, as a reader has it.

    Examples
    --------
    >>> _band(THIRDS_HZ < 180.0), _band((THIRDS_HZ > 900.0) & (THIRDS_HZ < 2100.0))
    ('below 200 Hz', '1 kHz to 2 kHz')
    """
    first, last = (int(index) for index in np.flatnonzero(which)[[0, -1]])
    low, high = hz_text(THIRDS_HZ[first]), hz_text(THIRDS_HZ[last])
    judged_low = int(np.searchsorted(THIRDS_HZ, 0.99 * JUDGED_HZ[0]))
    if first <= judged_low and last + 1 < len(THIRDS_HZ):
        return f"below {hz_text(THIRDS_HZ[last + 1])}"
    return f"around {low}" if first == last else f"{low} to {high}"
