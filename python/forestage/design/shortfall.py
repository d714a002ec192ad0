"""Where a design stays short of its target, and by how much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

NOTABLE_DB = 0.5
# Above a cap
NOTABLE_EXCESS_DB = 0.2


@dataclass(frozen=True)
class Shortfall:
    """A band in which a figure stays short of its target.

    Examples
    --------
    >>> print(Shortfall("separation", 200.0, 710.0, 6.25))
    separation is up to 6.2 dB short of its target from 200 to 710 Hz
    """

    figure: str
    low_hz: float
    high_hz: float
    short_db: float

    def __str__(self) -> str:
        return (
            f"{self.figure} is up to {self.short_db:.1f} dB short of its target "
            f"from {self.low_hz:.0f} to {self.high_hz:.0f} Hz"
        )


@dataclass(frozen=True)
class CapExcess:
    """A band in which drivers get more than they should.

    Examples
    --------
    >>> print(CapExcess("drive", "its cap", 100.0, 112.0, 0.4))
    drive is up to 0.4 dB above its cap from 100 to 112 Hz
    """

    figure: str
    cap: str
    low_hz: float
    high_hz: float
    over_db: float

    def __str__(self) -> str:
        return (
            f"{self.figure} is up to {self.over_db:.1f} dB above {self.cap} "
            f"from {self.low_hz:.0f} to {self.high_hz:.0f} Hz"
        )


@dataclass(frozen=True)
class ImageShortfall:
    """A band in which sounds are not heard where they should be, by the times at the ears.

    Attributes
    ----------
    low_hz, high_hz : float
        The band.
    wanted_deg, heard_deg : tuple of float
        Azimuths of a sound in the left channel, in the centre and in the right channel, positive to the left.
    alone : {"left", "right"}, optional
        The side that plays there alone, so that nothing can be done about it.

    Examples
    --------
    >>> print(ImageShortfall(200.0, 1500.0, (30.0, 0.0, -30.0), (21.0, -3.0, -26.0)))
    image is off from 200 to 1500 Hz: left, centre and right are heard at 21°, -3°, -26°, not at 30°, 0°, -30°
    """

    low_hz: float
    high_hz: float
    wanted_deg: tuple[float, float, float]
    heard_deg: tuple[float, float, float]
    alone: str | None = None

    def __str__(self) -> str:
        wanted, heard = (", ".join(f"{round(angle)}°" for angle in each) for each in (self.wanted_deg, self.heard_deg))
        cause = f", where the {self.alone} side plays alone" if self.alone else ""
        return (
            f"image is off from {self.low_hz:.0f} to {self.high_hz:.0f} Hz{cause}: "
            f"left, centre and right are heard at {heard}, not at {wanted}"
        )


@dataclass(frozen=True)
class BassShortfall:
    """Bass that a high-pass leaves out, as no driver plays it.

    Examples
    --------
    >>> print(BassShortfall(("left", "right"), 150.0))
    bass below 150 Hz of left and right is left out by a high-pass, as no other driver plays it
    """

    drivers: tuple[str, ...]
    below_hz: float

    def __str__(self) -> str:
        return (
            f"bass below {self.below_hz:.0f} Hz of {' and '.join(self.drivers)} is left out by a high-pass, "
            "as no other driver plays it"
        )


def bass_shortfalls(high_passes_hz: Mapping[str, float]) -> Iterator[BassShortfall]:
    """What high-passes leave out, drivers with the same edge together."""
    for below_hz in sorted(set(high_passes_hz.values())):
        yield BassShortfall(tuple(name for name, edge in high_passes_hz.items() if edge == below_hz), below_hz)


@dataclass(frozen=True)
class MeasurementShortfall:
    """A measurement whose directions do not tell all of the band in which crosstalk is cancelled.

    Examples
    --------
    >>> print(MeasurementShortfall("head", 2994.7))
    crosstalk is cancelled up to 2995 Hz, as the directions of the measured head tell no more
    """

    of: str
    highest_hz: float

    def __str__(self) -> str:
        cause = f"as the directions of the measured {self.of} tell no more"
        return f"crosstalk is cancelled up to {self.highest_hz:.0f} Hz, {cause}"


def shortfalls(figure: str, frequency_hz: ArrayLike, short_db: ArrayLike) -> Iterator[Shortfall]:
    """Bands in which ``short_db``, shape (n,), is notable (above 0.5 dB), from low to high.

    Examples
    --------
    >>> [fall.high_hz for fall in shortfalls("drive", [100.0, 200.0, 300.0, 400.0], [1.0, 2.0, 0.0, 3.0])]
    [200.0, 400.0]
    """
    frequency, short = np.asarray(frequency_hz, dtype=np.float64), np.asarray(short_db, dtype=np.float64)
    for band in runs(short > NOTABLE_DB):
        inside = frequency[band]
        yield Shortfall(figure, float(inside[0]), float(inside[-1]), float(short[band].max()))


def cap_excess(
    frequency_hz: ArrayLike, over_db: ArrayLike, *, figure: str = "drive", cap: str = "its cap"
) -> Iterator[CapExcess]:
    """Bands in which ``over_db``, shape (n,), is above 0.2 dB, from low to high."""
    frequency, over = np.asarray(frequency_hz, dtype=np.float64), np.asarray(over_db, dtype=np.float64)
    for band in runs(over > NOTABLE_EXCESS_DB):
        inside = frequency[band]
        yield CapExcess(figure, cap, float(inside[0]), float(inside[-1]), float(over[band].max()))


def runs(is_inside: ArrayLike) -> Iterator[slice]:
    """Stretches of an array of booleans that are true.

    Examples
    --------
    >>> list(runs([True, False, True, True]))
    [slice(0, 1, None), slice(2, 4, None)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(is_inside, dtype=int), [0]])))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield slice(int(first), int(end))
