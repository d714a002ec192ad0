"""From recordings of sweeps to a measured device: impulse responses, what they are worth, and a device file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.fields import ears
from forestage.acoustics.seat import Seat
from forestage.arrays import FloatArray
from forestage.blas import one_thread
from forestage.constants import SPEED_OF_SOUND_M_S
from forestage.measure.clock import Clock, find_clock
from forestage.measure.colour import Heard, coloured
from forestage.measure.deconvolve import Impulses, impulses
from forestage.measure.places import aside_m, check_order, corrected, distances_m
from forestage.measure.plan import Place, Plan, load_plan
from forestage.measure.quality import (
    LONGEST_S,
    THIRDS_HZ,
    Distortion,
    Spectra,
    arrival,
    distortion,
    first_reflection_s,
    gated,
    harmonics,
    later_s,
    spectra,
    thirds_within,
)
from forestage.measure.recording import Take, find_plan, find_takes, read_recording
from forestage.short_repr import ShortRepr

# Before the first reflection, the window ends
BEFORE_REFLECTION_S = 0.15e-3
SHORTEST_WINDOW_S = 0.7e-3
MOST_APART_DB = 1.0
APART_HZ, APART_SNR_DB = (200.0, 8000.0), 30.0
LEAST_ALIKE = 0.3


@dataclass(frozen=True)
class Heading:
    """A recording, and how its clock ran."""

    take: Take
    clock: Clock


@dataclass(frozen=True, eq=False, repr=False)
class Measurement(ShortRepr):
    """A measured device.

    Attributes
    ----------
    plan : Plan
        What was to be measured.
    headings : list of Heading
        Recordings and their clocks.
    repeats : list, by driver and place and ear
        Impulse responses of every sweep, shape (repeats, frames); they begin `BEFORE_S` before the markers' arrival.
    harmonics : list, by driver and place and ear
        Responses of harmonics of every sweep, shape (repeats, orders, frames).
    window_s : float, optional
        Of responses after their arrival; up to the first reflection by default.
    """

    plan: Plan
    headings: list[Heading]
    repeats: list[list[list[FloatArray]]]
    harmonics: list[list[list[FloatArray]]]
    asked_window_s: float | None = None

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.plan.sample_rate

    @cached_property
    def means(self) -> FloatArray:
        """Impulse responses, shape (drivers, places, ears, frames)."""
        return np.array([[[ear.mean(axis=0) for ear in place] for place in driver] for driver in self.repeats])

    @cached_property
    def arrivals(self) -> FloatArray:
        """Frames at which they arrive, shape (drivers, places, ears)."""
        return np.apply_along_axis(arrival, -1, self.means, self.sample_rate)

    @cached_property
    def reflections(self) -> list[tuple[float, float, int, int]]:
        """First reflections: (seconds, dB, driver, place), the earliest first."""
        found = []
        for (driver, place, _ear), _ in np.ndenumerate(self.arrivals):
            if (first := first_reflection_s(self.means[driver, place, _ear], self.sample_rate)) is not None:
                found.append((*first, driver, place))
        return sorted(found)

    @cached_property
    def window_s(self) -> float:
        """How long after their arrival responses count: to the first reflection, or as was asked."""
        if self.asked_window_s is not None:
            return self.asked_window_s
        if not self.reflections:
            return LONGEST_S
        return max(self.reflections[0][0] - BEFORE_REFLECTION_S, SHORTEST_WINDOW_S)

    @cached_property
    def gated(self) -> FloatArray:
        """Impulse responses without the room, shape (drivers, places, ears, frames)."""
        result = np.empty_like(self.means)
        for index, first in np.ndenumerate(self.arrivals):
            result[index] = gated(self.means[index], int(first), self.window_s, self.sample_rate)
        return result

    @cached_property
    def spectra(self) -> list[list[list[Spectra]]]:
        """Signal and noise in third octaves, by driver, place and ear."""
        return [
            [
                [
                    spectra(ear, int(self.arrivals[d, p, e]), self.window_s, self.sample_rate)
                    for e, ear in enumerate(place)
                ]
                for p, place in enumerate(driver)
            ]
            for d, driver in enumerate(self.repeats)
        ]

    @cached_property
    def snr_db(self) -> FloatArray:
        """Signal over noise in third octaves, least of places and ears, shape (drivers, 31)."""
        return self.snr_by_place_db.min(axis=1)

    @cached_property
    def snr_by_place_db(self) -> FloatArray:
        """The same of every place, shape (drivers, places, 31)."""
        return np.array(
            [[np.min([ear.snr_db for ear in place], axis=0) for place in driver] for driver in self.spectra]
        )

    @cached_property
    def distortion(self) -> list[Distortion]:
        """Total harmonic distortion of drivers, in the median of places and ears."""
        return [
            distortion(
                [
                    harmonics(linear, early, self.sample_rate, self.plan.sweep(d).whole_hz[1])
                    for places in zip(self.repeats[d], self.harmonics[d], strict=True)
                    for linear, early in zip(*places, strict=True)
                ],
                repeats=min(len(ear) for place in self.repeats[d] for ear in place),
            )
            for d in range(len(self.repeats))
        ]

    @cached_property
    def repeatability_db(self) -> FloatArray:
        """Most that sweeps of a driver at a place differ in any well heard third octave, shape (drivers, places)."""
        return np.array(
            [
                [max(map(self._apart_db, place, self.spectra[d][p])) for p, place in enumerate(driver)]
                for d, driver in enumerate(self.repeats)
            ]
        )

    def _apart_db(self, repeats: FloatArray, heard: Spectra) -> float:
        levels = []
        for each in repeats:
            pair = np.stack([each, each])
            levels.append(spectra(pair, arrival(each, self.sample_rate), self.window_s, self.sample_rate).signal)
        counts = (heard.snr_db >= APART_SNR_DB) & thirds_within(*APART_HZ)
        apart_db = 10 * np.log10(np.max(levels, axis=0) / np.maximum(np.min(levels, axis=0), 1e-30))
        return float(np.max(apart_db, initial=0.0, where=counts))

    @cached_property
    def late_s(self) -> FloatArray:
        """Delays from place to place over those of the markers' driver, as `expected_s`, shape (drivers, places)."""
        first = self.gated[:, :, 0]
        late = np.array([[later_s(place, driver[0], self.sample_rate)[0] for place in driver] for driver in first])
        return late - late[self.plan.reference]

    @cached_property
    def off_m(self) -> FloatArray:
        """How far aside of its place each microphone was, shape (places,)."""
        if self.plan.is_ears:
            return np.zeros(len(self.plan.places_m))
        return aside_m(self.plan, self.late_s)

    @property
    def places_m(self) -> tuple[Place, ...]:
        """Where microphones were."""
        return corrected(self.plan, self.off_m)

    @cached_property
    def inverted(self) -> list[bool]:
        """Which drivers have another polarity than the markers' driver, by the place in the middle."""
        middle = len(self.plan.places_m) // 2
        reference = self.gated[self.plan.reference, middle, 0]
        alike = [later_s(driver[middle, 0], reference, self.sample_rate)[1] for driver in self.gated]
        return [each < -LEAST_ALIKE for each in alike]

    @cached_property
    def heard(self) -> list[Heard]:
        """Levels of drivers in the mean over places, over those of flat ones, with what limits an equaliser."""
        power = np.array([[[ear.signal for ear in place] for place in driver] for driver in self.spectra])
        level_db = 10 * np.log10(np.maximum(np.mean(power / self._model_power(), axis=(1, 2)), 1e-30))
        distorted = [each.found for each in self.distortion]
        return [Heard(*each) for each in zip(level_db, self.snr_db, distorted, strict=True)]

    def _model_power(self) -> FloatArray:
        """Power of drivers that are flat at 1 m, shape (drivers, places, 1 or 2 ears, 31 or 1)."""
        if not self.plan.is_ears:
            return distances_m(self.plan, np.array(self.places_m))[:, :, None, None] ** -2.0
        listener = self.plan.device.listener
        seats = [Seat(place, head=listener.head) for place in self.plan.places_m]
        modelled = np.array([ears(self.plan.device.fields, seat, THIRDS_HZ) for seat in seats])
        return np.abs(modelled.transpose(2, 0, 1, 3)) ** 2

    @cached_property
    def device(self) -> Device:
        """The device of the plan with what its equalisers make up for; without measured responses."""
        return coloured(self.plan.device, self.heard, inverted=self.inverted, window_s=self.window_s)

    def flights_s(self) -> FloatArray:
        """From the markers' driver to every place: what frame `BEFORE_S` is late by, shape (places,)."""
        return distances_m(self.plan, np.array(self.places_m))[self.plan.reference] / SPEED_OF_SOUND_M_S


@one_thread
def measure(recordings: str | Path, *, sweeps: str | Path | None = None, window_s: float | None = None) -> Measurement:
    """Find the impulse responses of a device in recordings of its sweeps.

    Parameters
    ----------
    recordings : str or Path
        Folder of WAV files, a place each (``place-1.wav``), or a place and driver each (``place-1-left.wav``).
    sweeps : str or Path, optional
        Folder of the sweeps and their plan; beside the recordings by default.
    window_s : float, optional
        How much of every response counts after its arrival; up to the first reflection by default.

    Raises
    ------
    FileNotFoundError
        When there is no plan, or no recordings.
    ValueError
        When a recording cannot be used; the message names it, what is wrong, and what to do.
    """
    folder = Path(recordings)
    plan = load_plan(find_plan(folder, None if sweeps is None else Path(sweeps)))
    if window_s is not None and not SHORTEST_WINDOW_S <= window_s <= 0.5:
        raise ValueError(f"window_s = {window_s}: must be within {SHORTEST_WINDOW_S}..0.5")
    takes = find_takes(folder, plan)
    headings = []
    found: dict[tuple[int, int], list[list[Impulses]]] = {}
    for take in takes:
        drivers = list(take.drivers)
        audio = read_recording(take.path, plan, frames=plan.frames(drivers))
        try:
            clock = find_clock(audio[int(np.argmax(np.mean(audio**2, axis=1)))], plan, drivers)
        except ValueError as error:
            raise ValueError(f"{take.path}: {error}") from None
        headings.append(Heading(take, clock))
        for driver in drivers:
            heard = [impulses(ear, clock, plan, drivers, driver) for ear in audio]
            found.setdefault((driver, take.place), []).append(heard)
    counts = range(len(plan.places_m))
    by_ear = [
        [list(zip(*found[driver, place], strict=True)) for place in counts] for driver in range(len(plan.drivers))
    ]
    measurement = Measurement(
        plan,
        headings,
        [[[np.concatenate([take.linear for take in ear]) for ear in place] for place in driver] for driver in by_ear],
        [
            [[np.concatenate([take.harmonics for take in ear]) for ear in place] for place in driver]
            for driver in by_ear
        ],
        window_s,
    )
    _check(measurement)
    return measurement


def _check(measurement: Measurement) -> None:
    """Refuse what says two things at once."""
    plan = measurement.plan
    apart = measurement.repeatability_db
    driver, place = np.unravel_index(int(np.argmax(apart)), apart.shape)
    if apart[driver, place] > MOST_APART_DB:
        names = sorted({head.take.path.name for head in measurement.headings if head.take.place == place})
        raise ValueError(
            f"{' and '.join(names)}: sweeps of {plan.drivers[int(driver)].name} disagree by "
            f"{apart[driver, place]:.1f} dB; something moved or sounded meanwhile, record that place again"
        )
    if not plan.is_ears:
        check_order(plan, measurement.late_s)
