"""What is to be measured: a device, its drivers one after the other, and the places of the microphone.

    lead │ marker  sweep sweep │ marker  sweep sweep │ ... │ last marker

One driver, the left one that filters are relative to, plays all markers, also in files of another driver. They tell
when the recorder began, how fast its clock is and whether it lost anything; and as they come from one driver, times
between drivers are kept from file to file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import device_table, parse_device
from forestage.acoustics.driver import Driver
from forestage.arrays import FloatArray
from forestage.files import read_text
from forestage.measure.sweep import Sweep, marker

SCHEMA = 1
PLAN_NAME = "plan.json"
LEAD_S, PAUSE_S, TAIL_S = 0.6, 0.3, 0.6
LOWEST_HZ = 16.0
HIGHEST_SHARE = 0.49
MARKER_HZ = (800.0, 8000.0)
SAMPLE_RATES = (44_100, 48_000, 88_200, 96_000)
LENGTHS_S = (0.5, 30.0)
LEVELS_DB = (-60.0, 0.0)
REPEATS = (2, 20)
PLACES = (4, 41)
# How far to the side microphones go: as far as the ears of a listener who sits beside the middle do
ASIDE = (0.1, 0.1)

Place = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """What is played once: a marker (no driver), or one sweep of a driver; ``frame`` is where it begins."""

    frame: int
    driver: int | None


@dataclass(frozen=True)
class Plan:
    """A measurement that is to be made.

    Parameters
    ----------
    device : Device
        The device as a ruler has it.
    places_m : tuple of tuple of float
        Where the microphone goes, in the device's frame; or the middles of heads, for ears.
    is_ears : bool
        Whether two microphones are in the ears of a head that faces the device.
    sample_rate : int
        In Hz.
    length_s : float
        Of a sweep.
    repeats : int
        Sweeps of a driver.
    level_db : float
        Peak of sweeps in dB over full scale.
    low_hz : float
        Where sweeps begin, but for drivers with a crossover: those begin an octave below it.
    """

    device: Device
    places_m: tuple[Place, ...]
    is_ears: bool = False
    sample_rate: int = 48_000
    length_s: float = 2.7
    repeats: int = 2
    level_db: float = -6.0
    low_hz: float = LOWEST_HZ

    def __post_init__(self) -> None:
        if self.device.is_headphones:
            raise ValueError(f"{self.device.name}: headphones have no place for a microphone; nothing to measure")
        if self.sample_rate not in SAMPLE_RATES:
            allowed = ", ".join(map(str, SAMPLE_RATES))
            raise ValueError(f"sample_rate = {self.sample_rate}: must be one of {allowed}")
        least = 1 if self.is_ears else PLACES[0]
        for name, value, (low, high) in (
            ("length_s", self.length_s, LENGTHS_S),
            ("level_db", self.level_db, LEVELS_DB),
            ("repeats", self.repeats, REPEATS),
            ("low_hz", self.low_hz, (5.0, 1000.0)),
            ("places", len(self.places_m), (least, PLACES[1])),
        ):
            if not low <= value <= high:
                raise ValueError(f"{name} = {value}: must be within {low:g}..{high:g}")

    @property
    def reference(self) -> int:
        """The driver that plays the markers."""
        return self.device.references[0]

    @property
    def names(self) -> list[str]:
        """Names of files, a driver each: what a file name may hold."""
        safe = [re.sub(r"[^A-Za-z0-9]+", "-", driver.name).strip("-").lower() or "driver" for driver in self.drivers]
        return [f"{name}-{index + 1}" if safe.count(name) > 1 else name for index, name in enumerate(safe)]

    @property
    def drivers(self) -> tuple[Driver, ...]:
        """Drivers of the device."""
        return self.device.drivers

    def sweep(self, driver: int) -> Sweep:
        """The sweep of a driver."""
        edge_hz = self.drivers[driver].low_hz
        low_hz = self.low_hz if edge_hz is None else max(self.low_hz, edge_hz / 2)
        return Sweep(low_hz, HIGHEST_SHARE * self.sample_rate, self.length_s, self.sample_rate)

    def marker(self, *, is_last: bool = False, speed: float = 1.0) -> FloatArray:
        """The chirp of the markers, upwards; downwards for the last one, so that it is not taken for another.

        It is within the band of who plays the markers. ``speed`` is that of a recorder's clock, for what it hears.
        """
        driver = self.drivers[self.reference]
        low_hz, high_hz = MARKER_HZ
        low_hz, high_hz = max(low_hz, driver.low_hz or 0.0), min(high_hz, driver.high_hz or math.inf)
        if high_hz < 2.0 * low_hz:
            raise ValueError(
                f"{driver.name}: plays {driver.low_hz or 0:g} to {driver.high_hz or math.inf:g} Hz, too little for "
                f"markers; is_reference = true at a left driver that plays {MARKER_HZ[0]:g} to {MARKER_HZ[1]:g} Hz"
            )
        return marker(low_hz, high_hz, self.sample_rate, is_downwards=is_last, speed=speed)

    def parts(self, drivers: Sequence[int]) -> list[Part]:
        """What is played, in order: a marker before the sweeps of every driver, and one at the end."""
        return list(self._parts(drivers))

    def _parts(self, drivers: Sequence[int]) -> Iterator[Part]:
        frame = self._frames(LEAD_S)
        for driver in drivers:
            yield Part(frame, None)
            frame += len(self.marker()) + self._frames(PAUSE_S)
            for _ in range(self.repeats):
                yield Part(frame, driver)
                frame += self.sweep(driver).frames + self._frames(TAIL_S)
        yield Part(frame, None)

    def frames(self, drivers: Sequence[int]) -> int:
        """Length of a file."""
        return self.parts(drivers)[-1].frame + len(self.marker()) + self._frames(LEAD_S)

    def audio(self, drivers: Sequence[int]) -> NDArray[np.float32]:
        """What to play, shape (drivers, frames)."""
        audio = np.zeros((len(self.drivers), self.frames(drivers)))
        gain = 10.0 ** (self.level_db / 20)
        sounds = {driver: self.sweep(driver).samples() for driver in drivers}
        parts = self.parts(drivers)
        for part in parts:
            sound = self.marker(is_last=part is parts[-1]) if part.driver is None else sounds[part.driver]
            channel = self.reference if part.driver is None else part.driver
            audio[channel, part.frame : part.frame + len(sound)] = gain * sound
        return audio.astype(np.float32)

    def _frames(self, time_s: float) -> int:
        return round(time_s * self.sample_rate)

    def form(self) -> dict[str, Any]:
        """JSON form, which `parse_plan` reads."""
        return {
            "forestage_plan": SCHEMA,
            "device": device_table(self.device),
            "places_m": [list(place) for place in self.places_m],
            "is_ears": self.is_ears,
            "sample_rate": self.sample_rate,
            "length_s": self.length_s,
            "repeats": self.repeats,
            "level_db": self.level_db,
            "low_hz": self.low_hz,
        }


def places_for(device: Device, *, count: int = 5, is_ears: bool = False) -> tuple[Place, ...]:
    """Places on a line across the listening area; for ears the seat, and heads to both sides of it.

    Examples
    --------
    >>> from forestage.acoustics.device_file import load_device
    >>> places_for(load_device("laptop"))
    ((0.5, 0.2, 0.0), (0.5, 0.1, 0.0), (0.5, 0.0, 0.0), (0.5, -0.1, 0.0), (0.5, -0.2, 0.0))
    """
    distance_m = device.listener.distance_m
    if count == 1:
        return ((distance_m, 0.0, 0.0),)
    wide_m = max(0.06 * distance_m, 0.04) if is_ears else ASIDE[0] + max(0.2 * distance_m, ASIDE[1])
    return tuple((distance_m, round(y, 3) + 0.0, 0.0) for y in np.linspace(wide_m, -wide_m, count).tolist())


def as_by_ruler(device: Device) -> Device:
    """The device by its geometry alone: points, without what was measured or is made up for."""

    def bare(driver: Driver) -> Driver:
        place: dict[str, Any] = {}
        if driver.cap_half_angle_deg is not None and device.body is not None:
            x, y, z = (device.body.radius_m * driver.axis).round(6).tolist()
            place = {"position_m": (x, y, z), "cap_half_angle_deg": None}
        return replace(
            driver, **place, azimuth_deg=0.0, elevation_deg=0.0, directivity=None, response_db=(), level_db=0.0,
            delay_ms=0.0, inverted=False,
        )  # fmt: skip

    listener = replace(device.listener, ears=None)
    return replace(device, drivers=tuple(map(bare, device.drivers)), listener=listener, body=None)


def parse_plan(form: Mapping[str, Any], folder: Path) -> Plan:
    """Read the JSON form of a plan; files that its device names are sought in ``folder``."""
    if form.get("forestage_plan") != SCHEMA:
        raise ValueError(f"forestage_plan = {form.get('forestage_plan')!r}: must be {SCHEMA}; make the sweeps anew")
    try:
        places = tuple((float(x), float(y), float(z)) for x, y, z in form["places_m"])
        return Plan(
            parse_device(form["device"], folder),
            places,
            bool(form["is_ears"]),
            int(form["sample_rate"]),
            float(form["length_s"]),
            int(form["repeats"]),
            float(form["level_db"]),
            float(form["low_hz"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{error}: missing, or of the wrong kind; make the sweeps anew") from None


def load_plan(path: Path) -> Plan:
    """Read the plan that `write_sweeps` has written."""
    try:
        form = json.loads(read_text(path))
        if not isinstance(form, Mapping):
            raise ValueError("not a plan")
        return parse_plan(form, path.parent)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
