"""What a preset does at real ears against what its design promised: one verdict a claim.

Two things make a measured value unsure: noise, and where the head was. The second is what the promise itself changes by
when the head is `OFF_M` ahead or aside of its place, or turned by `TURNED_DEG`: nobody sits just where a ruler says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from forestage._core import ChainResponse
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.measure.clock import find_clock
from forestage.measure.deconvolve import impulses
from forestage.measure.quality import (
    LONGEST_S,
    THIRDS_HZ,
    arrival,
    first_reflection_s,
    hz_text,
    spectra,
    third_octaves,
    thirds_within,
)
from forestage.measure.recording import find_takes, read_recording
from forestage.measure.take import BEFORE_REFLECTION_S, SHORTEST_WINDOW_S
from forestage.measure.through import NAMES, PROGRAMMES, ThroughPlan, load_through
from forestage.measure.words import Finding, Grade
from forestage.presets import load_preset
from forestage.short_repr import ShortRepr

JUDGED_HZ = (300.0, 7000.0)
# What windows tell
WINDOW_PERIODS = 1.5
PER_THIRD = 12
# Of measured against promised, up to where a claim is good, and from where on it is poor
MOST_OFF_DB = (2.0, 4.0)
MOST_SKEW_DB = (1.5, 3.0)
LEAST_SNR_DB = 10.0
# How exactly a head is where it was said
OFF_M, TURNED_DEG = 0.01, 2.0
TINY = 1e-30


@dataclass(frozen=True, repr=False)
class Claim(ShortRepr):
    """What a design promised, what was measured, and how sure that is, in third octaves.

    Attributes
    ----------
    name : str
        What it is about.
    promised_db, measured_db : ndarray, shape (31,)
        Values.
    noise_db, place_db : ndarray, shape (31,)
        How far noise, and a head that is not where it was said, may have moved the measured one.
    text : str
        What its name means.
    is_skew : bool
        Whether both should be 0.
    is_least : bool
        Whether more than was promised is as good.
    """

    name: str
    promised_db: FloatArray
    measured_db: FloatArray
    noise_db: FloatArray
    place_db: FloatArray | float = 0.0
    text: str = ""
    is_skew: bool = False
    is_least: bool = False

    @property
    def unsure_db(self) -> FloatArray:
        """How sure the measured value is, noise and place together, shape (31,)."""
        return np.hypot(self.noise_db, self.place_db)

    @property
    def off_db(self) -> FloatArray:
        """How far from its promise it is, shape (31,)."""
        off_db = self.promised_db - self.measured_db
        return np.maximum(off_db, 0.0) if self.is_least else np.abs(off_db)


@dataclass(frozen=True)
class Subject:
    """What a claim is about: one ear over the other, or one ear alone, while a programme plays."""

    name: str
    programme: str
    ear: int
    kind: Literal["least", "both", "colour", "skew"]

    @property
    def played(self) -> int:
        """Position of the programme."""
        return NAMES.index(self.programme)

    @property
    def places(self) -> slice:
        """Which places count: the centre is in the middle at the seat alone."""
        return slice(0, 1) if self.kind == "skew" else slice(None)

    @property
    def ears(self) -> list[int]:
        """Which ears count."""
        return [self.ear] if self.kind == "colour" else [0, 1]


TEXTS = {
    "least": "Near over far ear while this side plays alone; more than promised is as good.",
    "both": "The same without the preset.",
    "colour": "The ear of this side while it plays alone, over its own mean.",
    "skew": "While both sides play alike: 0 dB is in the middle.",
}


def _of_side(side: str, ear: int) -> tuple[Subject, ...]:
    return (
        Subject(f"separation, {side}", side, ear, "least"),
        Subject(f"separation unaided, {side}", f"unaided {side}", ear, "both"),
        Subject(f"near ear, {side}", side, ear, "colour"),
    )


SUBJECTS = (*_of_side("left", 0), *_of_side("right", 1), Subject("centre, left over right ear", "centre", 0, "skew"))


@dataclass(frozen=True, eq=False, repr=False)
class Verification(ShortRepr):
    """Sweeps through a preset at the ears.

    Attributes
    ----------
    plan : ThroughPlan
        What was played.
    preset : Mapping
        Through what.
    heard : list, by place and programme and ear
        Impulse responses of every sweep, shape (repeats, frames).
    """

    plan: ThroughPlan
    preset: Mapping[str, Any]
    heard: list[list[list[FloatArray]]]

    @cached_property
    def window_s(self) -> float:
        """Up to the first reflection of the unaided sides, whose sound is short."""
        rate = self.plan.sample_rate
        found = [
            first_reflection_s(ear.mean(axis=0), rate)
            for place in self.heard
            for programme in (NAMES.index("unaided left"), NAMES.index("unaided right"))
            for ear in place[programme]
        ]
        earliest = min((first[0] for first in found if first is not None), default=LONGEST_S)
        return max(min(earliest - BEFORE_REFLECTION_S, LONGEST_S), SHORTEST_WINDOW_S)

    @cached_property
    def levels(self) -> tuple[FloatArray, FloatArray]:
        """Power and its noise in third octaves, each of shape (places, programmes, 2 ears, 31)."""
        rate = self.plan.sample_rate
        found = []
        for place in self.heard:
            unaided = place[NAMES.index("unaided left")] + place[NAMES.index("unaided right")]
            first = min(arrival(ear.mean(axis=0), rate) for ear in unaided)
            # The cancellation's echoes go on after the direct sound, and begin before it
            lead_s = 2e-3
            found.append(
                [
                    [spectra(ear, first - round(lead_s * rate), self.window_s + lead_s, rate) for ear in ears]
                    for ears in place
                ]
            )
        signal = np.array([[[ear.signal for ear in ears] for ears in place] for place in found])
        noise = np.array([[[ear.noise for ear in ears] for ears in place] for place in found])
        return np.maximum(signal - noise, TINY), np.maximum(noise, TINY)

    @cached_property
    def promised(self) -> FloatArray:
        """Power in third octaves as the design has it, shape (places, programmes, 2 ears, 31)."""
        return self._promised(self._seats())

    @cached_property
    def moved(self) -> list[FloatArray]:
        """The same for heads that are not where they were said, both ways of each kind."""
        return [
            self._promised(self._seats(**{key: sign * by}))
            for key, by in (("ahead_m", OFF_M), ("aside_m", OFF_M), ("yaw_deg", TURNED_DEG))
            for sign in (-1.0, 1.0)
        ]

    def _seats(self, *, ahead_m: float = 0.0, aside_m: float = 0.0, yaw_deg: float = 0.0) -> list[Seat]:
        head = self.plan.device.listener.head
        return [Seat((x + ahead_m, y + aside_m, z), yaw_deg, head) for x, y, z in self.plan.places_m]

    def _promised(self, seats: Sequence[Seat]) -> FloatArray:
        step = 2.0 ** (1.0 / (3 * PER_THIRD))
        frequency = 17.0 * step ** np.arange(int(np.log(20_500.0 / 17.0) / np.log(step)))
        filters = load_preset(dict(self.preset)).filters(self.plan.sample_rate)
        response = ChainResponse(filters, self.plan.device.plain_gains, frequency)
        result = []
        for seat in seats:
            to_ears = plant(self.plan.device, seat).at(frequency)
            row = []
            for inputs, settings in PROGRAMMES.values():
                sides, centre = response.feeds({key: value for key, value in settings.items() if key != "upmix"})
                feeds: ComplexArray = (
                    centre if inputs == (1.0, 1.0) else np.einsum("dcf,c->df", sides, np.array(inputs))
                )
                row.append(np.abs(np.einsum("edf,df->ef", to_ears, feeds)) ** 2)
            result.append(row)
        # Sweeps hold the same energy in every part of an octave, and so do the points here
        return third_octaves(frequency, np.array(result))

    @property
    def known(self) -> NDArray[np.bool_]:
        """Third octaves that the window and the noise leave, shape (31,)."""
        power, noise = self.levels
        snr_db = (
            10 * np.log10(power / noise).min(axis=(0, 2))[[NAMES.index("unaided left"), NAMES.index("unaided right")]]
        )
        low_hz = max(JUDGED_HZ[0], WINDOW_PERIODS / self.window_s)
        known: NDArray[np.bool_] = thirds_within(low_hz, JUDGED_HZ[1]) & (snr_db.min(axis=0) >= LEAST_SNR_DB)
        return known

    def claims(self) -> list[Claim]:
        """What is told of each of `SUBJECTS`: separation with and without the preset, near ears, and the centre."""
        power, noise = self.levels
        return [
            Claim(
                subject.name,
                self._value_db(subject, self.promised),
                self._value_db(subject, power),
                _noise_db(*(each[subject.places, subject.played][:, subject.ears] for each in (power, noise))),
                self._place_db(subject),
                TEXTS[subject.kind],
                is_skew=subject.kind == "skew",
                is_least=subject.kind == "least",
            )
            for subject in SUBJECTS
        ]

    def _value_db(self, subject: Subject, power: FloatArray) -> FloatArray:
        """Value of a subject, shape (31,), of power (places, programmes, 2 ears, 31)."""
        heard = 10 * np.log10(np.maximum(power[subject.places, subject.played], TINY))
        if subject.kind != "colour":
            return np.mean(heard[:, subject.ear] - heard[:, 1 - subject.ear], axis=0)
        near: FloatArray = heard[0, subject.ear]
        return near - np.mean(near[self.known]) if self.known.any() else near

    def _place_db(self, subject: Subject) -> FloatArray:
        """How far its value goes, shape (31,), where the head is off in all ways at once."""
        here = self._value_db(subject, self.promised)
        away = [self._value_db(subject, each) - here for each in self.moved]
        # Both directions of each way were looked at
        return np.sqrt(np.sum(np.square(away), axis=0) / 2)

    def verdicts(self) -> list[Finding]:
        """One a claim, in the order of `claims`."""
        return list(self._verdicts())

    def _verdicts(self) -> Iterator[Finding]:
        known = self.known
        if not known.any():
            yield Finding("poor", "nothing was heard well enough to judge: play louder, or measure in a quieter room")
            return
        band = f"{hz_text(THIRDS_HZ[known][0])} to {hz_text(THIRDS_HZ[known][-1])}"
        for claim in self.claims():
            promised, found = float(claim.promised_db[known].mean()), float(claim.measured_db[known].mean())
            off_db = float(np.sqrt(np.mean(claim.off_db[known] ** 2)))
            unsure_db = float(np.sqrt(np.mean(claim.unsure_db[known] ** 2)))
            good_db, poor_db = MOST_SKEW_DB if claim.is_skew else MOST_OFF_DB
            grade: Grade = "good"
            if off_db > good_db + unsure_db:
                grade = "limited" if off_db <= poor_db + unsure_db else "poor"
            values = "" if claim.name.startswith("near ear") else f"{_db(found)}, promised {_db(promised)}; "
            off = f"{off_db:.1f} dB {'short of it' if claim.is_least else 'apart'} in third octaves"
            yield Finding(grade, f"{claim.name}, {band}: {values}{off} (sure to {unsure_db:.1f} dB)")


def _db(value: float) -> str:
    """Decibels of one decimal, without a sign at 0."""
    return f"{round(value, 1) + 0.0:.1f} dB"


def _noise_db(power: FloatArray, noise: FloatArray) -> FloatArray:
    """How far noise may move levels, both ears together, shape (31,), of power (places, ears, 31)."""
    share = np.sqrt(np.mean(np.sum(noise / power, axis=1), axis=0) / len(power))
    return np.minimum(20 * np.log10(1.0 + share), 20.0)


@one_thread
def verify(folder: str | Path, recordings: str | Path) -> Verification:
    """Hold recordings of sweeps through a preset against its design.

    Parameters
    ----------
    folder : str or Path
        What `write_through` has written.
    recordings : str or Path
        Folder of ``place-1.wav`` and so on, of two channels: left and right ear.

    Raises
    ------
    FileNotFoundError
        When a folder or a file is missing.
    ValueError
        When a recording cannot be used; the message names it, what is wrong, and what to do.
    """
    plan, preset = load_through(Path(folder))
    programmes = plan.programmes
    found: dict[int, list[list[FloatArray]]] = {}
    for take in find_takes(Path(recordings), plan):
        audio = read_recording(take.path, plan, frames=plan.frames(programmes))
        try:
            clock = find_clock(audio[int(np.argmax(np.mean(audio**2, axis=1)))], plan, programmes)
        except ValueError as error:
            raise ValueError(f"{take.path}: {error}") from None
        heard = [[impulses(ear, clock, plan, programmes, index).linear for ear in audio] for index in programmes]
        known = found.get(take.place)
        found[take.place] = heard if known is None else [
            [np.concatenate(pair) for pair in zip(*ears, strict=True)] for ears in zip(known, heard, strict=True)
        ]  # fmt: skip
    return Verification(plan, preset, [found[place] for place in range(len(plan.places_m))])
