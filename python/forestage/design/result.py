"""A finished design: what plays, what it reaches, and the preset that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from forestage import notebook
from forestage._core import PRESET_SCHEMA, __version__
from forestage.acoustics.crossover import bass_routes, high_passes_hz, with_bass
from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import room_db
from forestage.acoustics.measured_driver import USUAL_TRUSTED_HZ
from forestage.acoustics.plant import Plant, plant
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray, FloatArray
from forestage.blas import one_thread
from forestage.constants import SAMPLE_RATE
from forestage.design.balance import balance_shortfalls
from forestage.design.beam import BeamPlan, BeamTarget
from forestage.design.calibrate import Loudness
from forestage.design.cancel import CancelTarget
from forestage.design.cancel.firs import Solution
from forestage.design.ears import EarFirs
from forestage.design.image import image_shortfalls
from forestage.design.preset_device import device_form
from forestage.design.preset_form import (
    curves_form,
    directions_form,
    ears_form,
    filters_form,
    head_form,
)
from forestage.design.shortfall import (
    BassShortfall,
    CapExcess,
    ImageShortfall,
    MeasurementShortfall,
    Shortfall,
    bass_shortfalls,
    cap_excess,
)
from forestage.design.variants import VARIANTS
from forestage.design.virtual_pair import VirtualPair
from forestage.firs import FilterSet
from forestage.metrics.chain import Chain
from forestage.metrics.curves import beam_curves, drive_curve, reference_curves, separation_curves
from forestage.metrics.loudness import PROGRAMME_SEED
from forestage.metrics.separation import ear_responses, plain_responses
from forestage.metrics.summary import design_metrics
from forestage.metrics.zone import zone_maps
from forestage.presets import filters_sha256, save_preset
from forestage.short_repr import ShortRepr, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ANALYSIS_HZ: FloatArray = np.geomspace(20.0, 20_000.0, 181)


@dataclass(frozen=True, repr=False)
class Simulation(ShortRepr):
    """Responses at the ears for several seats, shape (seats, 2 ears, 2 channels, n)."""

    frequency_hz: FloatArray
    plain: ComplexArray
    processed: ComplexArray


@dataclass(frozen=True)
class Design:
    """A finished design. `preset` gives the file's content, `save` writes it."""

    device: Device
    variant: str
    target: CancelTarget
    beam_target: BeamTarget
    pair: VirtualPair
    plant: Plant
    cancellation: Solution
    beam_plan: BeamPlan | None
    filters: tuple[FilterSet, ...]
    ears: EarFirs
    loudness: Loudness = Loudness()

    def __repr__(self) -> str:
        rates = ", ".join(f"{each.sample_rate / 1000:g}" for each in self.filters)
        return f"<Design {short(self.name)}, {len(self.device.drivers)} drivers, {rates[:60]} kHz>"

    def _repr_html_(self) -> str:
        rows: dict[str, object] = {
            "text": self.text,
            "drivers": ", ".join(driver.name for driver in self.device.drivers),
            "virtual pair": f"±{self.width_deg:g}°",
            "cancellation": f"{self.target.method}, at most {self.target.drive_cap_db:g} dB of drive",
            "filters": ", ".join(f"{each.sample_rate / 1000:g}" for each in self.filters) + " kHz",
        }
        falls = {f"short ({number})": fall for number, fall in enumerate(self.shortfall(), 1)}
        return notebook.table(self.name, rows | falls)

    @property
    def name(self) -> str:
        """Name of the preset: the device's, and what differs from its standard design."""
        usual, usual_pair = CancelTarget(), VirtualPair()
        parts = [self.device.name, VARIANTS[self.variant].title]
        if self.pair.width_deg != usual_pair.width_deg:
            parts.append(f"{self.pair.width_deg:g}°")
        if self.pair.head is not None:
            parts.append("Own Head")
        if self.target.method != usual.method:
            parts.append(self.target.method)
        if self.target.separation_db != usual.separation_db:
            parts.append("Own Target")
        if self.target.drive_cap_db != usual.drive_cap_db:
            parts.append(f"Drive {self.target.drive_cap_db:g} dB")
        return " ".join(part for part in parts if part)

    @property
    def text(self) -> str:
        """What the preset says about itself: the device, and for whom it is made."""
        if self.device.is_headphones:
            return self.device.text
        zone = " who moves," if VARIANTS[self.variant].is_wide else ""
        left_out = max(high_passes_hz(self.device).values(), default=0.0)
        bass = f" Without bass below {left_out:g} Hz." if left_out else ""
        return f"{self.device.text} For a listener{zone} at {self.device.listener.distance_m:g} m.{bass}".strip()

    def filter_set(self, sample_rate: int = SAMPLE_RATE) -> FilterSet:
        """Filters at one sample rate."""
        for filters in self.filters:
            if filters.sample_rate == sample_rate:
                return filters
        rates = ", ".join(str(filters.sample_rate) for filters in self.filters)
        raise ValueError(f"sample_rate = {sample_rate}: the design has {rates}")

    @property
    def width_deg(self) -> float:
        """Azimuth of the left loudspeaker of the virtual pair."""
        return self.pair.width_deg

    def simulate(
        self,
        seats: Sequence[Seat | ArrayLike] | None = None,
        *,
        frequency_hz: ArrayLike | None = None,
        sample_rate: int = SAMPLE_RATE,
    ) -> Simulation:
        """Responses at the ears of the exported filters and of plain stereo.

        Parameters
        ----------
        seats : sequence of Seat or of array_like, shape (3,), optional
            Heads, or the centre of the listener's own head in metres; the listener's seat by default.
        frequency_hz : array_like, shape (n,), optional
            Frequencies in Hz; 20 Hz to 20 kHz by default.
        sample_rate : int
            Which filters.
        """
        frequency = np.geomspace(20.0, 20_000.0, 400)
        if frequency_hz is not None:
            frequency = np.asarray(frequency_hz, dtype=np.float64)
        plants = [self.plant]
        if seats is not None:
            plants = [plant(self.device, self._seat(seat)) for seat in seats]
        filters = self.filter_set(sample_rate)
        processed = [
            ear_responses(seat, filters.cancel, frequency, sample_rate=sample_rate, delay_frames=filters.delay_frames)
            for seat in plants
        ]
        return Simulation(
            frequency, np.stack([plain_responses(seat, frequency) for seat in plants]), np.stack(processed)
        )

    def _seat(self, seat: Seat | ArrayLike) -> Seat:
        if isinstance(seat, Seat):
            return seat
        x, y, z = np.asarray(seat, dtype=np.float64)
        return replace(self.device.listener.seat, position_m=(float(x), float(y), float(z)))

    def shortfall(self) -> tuple[Shortfall | BassShortfall | ImageShortfall | MeasurementShortfall | CapExcess, ...]:
        """Where the design stays short of its target or beyond its caps, and by how much."""
        steered = self.beam_plan.shortfall if self.beam_plan is not None else ()
        # The one that tells least is what counts
        limits = sorted((limit, name) for name, limit in self.device.limits_hz.items() if limit < USUAL_TRUSTED_HZ)
        known = [MeasurementShortfall(name, limit) for limit, name in limits[:1]]
        images = image_shortfalls(self, sample_rate=self._shown_rate)
        given_way = () if self.device.is_headphones else balance_shortfalls(self, sample_rate=self._shown_rate)
        bass = bass_shortfalls(high_passes_hz(self.device))
        return (*known, *bass, *images, *self.cancellation.shortfall(), *self._beyond_caps(), *steered, *given_way)

    def _beyond_caps(self) -> Iterator[CapExcess]:
        """Where the exported filters ask for more than the drive cap, or of a driver for more than its limit."""
        rate = self._shown_rate
        frequency = ANALYSIS_HZ[0.45 * rate > ANALYSIS_HZ]
        drive_db = drive_curve(self, frequency, sample_rate=rate)["drive"]
        yield from cap_excess(frequency, drive_db - self.target.cap_db(frequency))
        if not any(driver.is_limited for driver in self.device.drivers):
            return
        chain = Chain.of(self, frequency, sample_rate=rate)
        feeds = np.concatenate([chain.staged, chain.center[:, None], chain.flat_center[:, None]], axis=1)
        most = np.abs(with_bass(self.device, feeds, frequency)).max(axis=1)
        for driver, feed in zip(self.device.drivers, most, strict=True):
            cap = "its max_db" if driver.thiele_small is None else "its limit"
            over_db = 20 * np.log10(np.maximum(feed, 1e-6)) + self.loudness.processed_db - room_db(driver, frequency)
            yield from cap_excess(frequency, over_db, figure=f"driver {driver.name}", cap=cap)

    def metrics(self) -> dict[str, Any]:
        """Figures of width, depth, zone, colour, effort and level, and what they hold for; see `design_metrics`.

        "level", of calibrated designs, has the gain for loud music, what limiters take besides, and how far design and
        plain stereo are apart in loudness at most.
        """
        loudness = self.loudness
        if loudness.headroom_db is None:
            return design_metrics(self)
        level = {key: {"processed": getattr(loudness, key)} for key in ("match_lu", "headroom_db", "limited_db")}
        return design_metrics(self) | {"level": level}

    def plot(self) -> Figure:
        """A page of curves, maps and figures, as for a paper."""
        from forestage.plots import design_page  # matplotlib takes its time to load

        return design_page(self)

    def playable(self) -> dict[str, Any]:
        """What of a preset is heard, in its JSON form; a preset in itself."""
        device = self.device
        return {
            "schema": PRESET_SCHEMA,
            "name": self.name,
            "device": device.slug,
            "text": self.text,
            "parameters": {"stage_width_deg": self.width_deg},
            "drivers": self._routes(),
            "filters": [filters_form(filters) for filters in self.filters],
            "ears": ears_form(self.ears),
            "loudness": self.loudness.form(),
        }

    def _routes(self) -> list[dict[str, Any]]:
        """What plain stereo is to each driver, and where nobody plays its bass."""
        left_out = high_passes_hz(self.device)
        return [
            {"name": driver.name, "plain_left_gain": float(left), "plain_right_gain": float(right)}
            | ({"high_pass_hz": left_out[driver.name]} if driver.name in left_out else {})
            for driver, (left, right) in zip(self.device.drivers, self.device.plain_gains, strict=True)
        ]

    # Many small matrices: threads only cost time, and so does turning them off again and again
    @one_thread
    def preset(self) -> dict[str, Any]:
        """The preset in its JSON form: what plays, what the editor and the report draw, and where it comes from."""
        return self.playable() | {
            "analysis": self._analysis(),
            "maps": zone_maps(self),
            **({} if self.device.is_headphones else {"directions": directions_form(self.device)}),
            "design": self.provenance() | {"metrics": self.metrics()},
        }

    def provenance(self) -> dict[str, Any]:
        """What is needed to make the design again, and a hash of its filters."""
        head = "closed form" if self.pair.head is None else head_form(self.pair.head)
        drivers = self.device.drivers
        played_by: dict[str, list[str]] = {}
        for route in bass_routes(self.device):
            played_by.setdefault(drivers[route.source].name, []).append(drivers[route.target].name)
        bass: dict[str, Any] = {"bass_played_by": played_by} if played_by else {}
        return (
            device_form(self.device)
            | bass
            | {
                "variant": self.variant,
                "target": asdict(self.target),
                "stereo": {
                    "width_deg": self.width_deg,
                    "distance_m": self.pair.distance_m,
                    "drive_cap_db": self.pair.drive_cap_db,
                    "head": head,
                },
                "beam_target": asdict(self.beam_target),
                "programme_seed": PROGRAMME_SEED,
                "forestage": __version__,
                "filters_sha256": filters_sha256([filters_form(filters) for filters in self.filters]),
            }
        )

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the preset; an existing file is only replaced when asked to."""
        return save_preset(self.preset(), path, overwrite=overwrite)

    @property
    def _shown_rate(self) -> int:
        """Rate of the filters that curves and figures are of, where there is a choice."""
        return min((filters.sample_rate for filters in self.filters), key=lambda rate: abs(rate - SAMPLE_RATE))

    def _analysis(self) -> list[dict[str, Any]]:
        """Curves of the exported filters, and of what was wanted."""
        rate = self._shown_rate
        frequency = ANALYSIS_HZ[0.45 * rate > ANALYSIS_HZ]
        curves = separation_curves(self, frequency, sample_rate=rate)
        curves["separation_design"] = self.cancellation.separation_db(frequency).min(axis=0)
        curves["separation_target"] = self.target.curve_db(frequency)
        curves |= drive_curve(self, frequency, sample_rate=rate)
        curves["drive_cap"] = self.target.cap_db(frequency)
        curves |= reference_curves(self, frequency, sample_rate=rate)
        curves |= beam_curves(self, frequency, sample_rate=rate)
        return curves_form(frequency, curves)
