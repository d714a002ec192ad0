"""What the metrics look at."""

from __future__ import annotations

from typing import Protocol

from forestage.acoustics.device import Device
from forestage.acoustics.plant import Plant
from forestage.firs import FilterSet


class Played(Protocol):
    """A device that plays through filters: a `Design`, or whatever else has these."""

    @property
    def device(self) -> Device:
        """The loudspeaker and its listener."""

    @property
    def plant(self) -> Plant:
        """From its drivers to the ears of the listener."""

    @property
    def width_deg(self) -> float:
        """Azimuth of the left loudspeaker of the virtual pair."""

    def filter_set(self, sample_rate: int = ...) -> FilterSet:
        """Filters at one sample rate."""
