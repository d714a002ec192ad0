"""From a device to everything a preset holds: filters at all rates, ear responses, gains, and the curves to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from forestage import notebook
from forestage.acoustics.device import Device, Seat
from forestage.acoustics.device_file import load_device
from forestage.acoustics.head import ComplexArray, FloatArray
from forestage.acoustics.plant import Plant, plant
from forestage.design.beam import BeamPlan, BeamTarget, beam_firs, plan_beam
from forestage.design.calibrate import Loudness, Render, calibrate, render_with_core
from forestage.design.cancel import CAPPED, CancelTarget, cancel_problem, solve
from forestage.design.cancel.firs import SOLVE_HZ, Solution, cancel_firs, guarded
from forestage.design.center_mix import center_firs
from forestage.design.driver_eq import driver_eq_firs
from forestage.design.ears import EarFirs, ear_firs
from forestage.design.filters import (
    MASTER_RATE,
    SAMPLE_RATES,
    delay_for,
    sample_firs,
)
from forestage.design.preset_form import playable_form, preset_form, save_form
from forestage.design.shortfall import ImageShortfall, Shortfall
from forestage.design.skew import Skew
from forestage.design.variants import VARIANTS
from forestage.design.virtual_stereo import CROSSTALK_DELAY_S, VirtualStereo, crosstalk_firs
from forestage.metrics.image import image_shortfalls
from forestage.metrics.separation import ear_responses, plain_responses
from forestage.metrics.summary import design_metrics
from forestage.short_repr import ShortRepr, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Progress = Callable[[float, str], None]
Taps = NDArray[np.float32]


@dataclass(frozen=True, repr=False)
class FilterSet(ShortRepr):
    """All filters at one sample rate, as they are exported.

    Attributes
    ----------
    sample_rate, delay_frames, cancel_align_frames, beam_align_frames : int
        Rate, modelling delay inside the filters, and extra delay of the two paths.
    crosstalk_delay_frames : int
        Modelling delay inside the crosstalk filters.
    crosstalk : ndarray of float32, shape (2, taps)
        Weight of the virtual crosstalk from the (left, right) channel.
    cancel : ndarray of float32, shape (drivers, 2, taps)
        From the (left, right) channel to each driver.
    beam : ndarray of float32, shape (drivers, taps)
        From the centre to each driver; (0, 0) without a centre driver.
    driver_eq : ndarray of float32, shape (drivers, taps)
        Equalisation of the drivers; (0, 0) for none.
    """

    sample_rate: int
    delay_frames: int
    cancel_align_frames: int
    beam_align_frames: int
    crosstalk_delay_frames: int
    crosstalk: Taps
    cancel: Taps
    beam: Taps
    driver_eq: Taps


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
    stereo: VirtualStereo
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
        return notebook.design_html(self)

    @property
    def name(self) -> str:
        """Name of the preset: the device's, and what differs from its standard design."""
        usual, pair = CancelTarget(), VirtualStereo()
        parts = [self.device.name, VARIANTS[self.variant].title]
        if self.stereo.width_deg != pair.width_deg:
            parts.append(f"{self.stereo.width_deg:g}°")
        if self.stereo.head is not None:
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
        return f"{self.device.text} For a listener{zone} at {self.device.listener.distance_m:g} m.".strip()

    def filter_set(self, sample_rate: int = 48_000) -> FilterSet:
        """Filters at one sample rate."""
        for filters in self.filters:
            if filters.sample_rate == sample_rate:
                return filters
        rates = ", ".join(str(filters.sample_rate) for filters in self.filters)
        raise ValueError(f"sample_rate = {sample_rate}: the design has {rates}")

    def simulate(
        self,
        seats: Sequence[Seat | ArrayLike] | None = None,
        *,
        frequency_hz: ArrayLike | None = None,
        sample_rate: int = 48_000,
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

    def shortfall(self) -> tuple[Shortfall | ImageShortfall, ...]:
        """Where the design stays short of its target, and by how much."""
        rate = min((filters.sample_rate for filters in self.filters), key=lambda rate: abs(rate - 48_000))
        steered = self.beam_plan.shortfall if self.beam_plan is not None else ()
        return (*image_shortfalls(self, sample_rate=rate), *self.cancellation.shortfall(), *steered)

    def metrics(self) -> dict[str, Any]:
        """Figures of width, depth, listening zone, colour and effort, and what they hold for; see `design_metrics`."""
        return design_metrics(self)

    def plot(self) -> Figure:
        """A page of curves, maps and figures, as for a paper."""
        from forestage.plots import design_page  # matplotlib takes its time to load

        return design_page(self)

    def preset(self) -> dict[str, Any]:
        """The preset in its JSON form."""
        return preset_form(self)

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the preset; an existing file is only replaced when asked to."""
        return save_form(self.preset(), path, overwrite=overwrite)


# One thread, so that the sums, and with them the bytes of the file, do not depend on the number of cores.
@threadpool_limits.wrap(limits=1, user_api="blas")
def design(
    device: Device | str | Path,
    *,
    variant: str = "standard",
    target: CancelTarget | None = None,
    beam: BeamTarget | None = None,
    stereo: VirtualStereo | None = None,
    sample_rates: Sequence[int] = SAMPLE_RATES,
    progress: Progress | None = None,
    render: Render | None = render_with_core,
) -> Design:
    """Design all filters for a device.

    Parameters
    ----------
    device : Device, str or Path
        A device, or its TOML file.
    variant : str
        A key of `forestage.design.variants.VARIANTS`: for whom it is made.
    target : CancelTarget, optional
        Target of the crosstalk cancellation.
    beam : BeamTarget, optional
        Target of the centre beam.
    stereo : VirtualStereo, optional
        The pair of loudspeakers to be heard.
    sample_rates : sequence of int
        Rates to export at, in Hz. A preset file, and so the calibration, needs all of `SAMPLE_RATES`; fewer are for a
        quick look with ``render=None``.
    progress : callable, optional
        Called as ``progress(fraction, text)``.
    render : callable, optional
        Plays a preset for the loudness calibration, see `calibrate`; None leaves all gains at 0 dB.

    Returns
    -------
    Design
        The same on every run.
    """
    report: Progress = progress or _silent
    device = device if isinstance(device, Device) else load_device(device)
    if variant not in VARIANTS:
        raise ValueError(f'variant = "{variant}": must be one of {", ".join(VARIANTS)}')
    device, target, beam = VARIANTS[variant].of(device, target or CancelTarget(), beam or BeamTarget())
    stereo = stereo or VirtualStereo()
    for rate in sample_rates:
        if not 8_000 <= rate <= MASTER_RATE:
            raise ValueError(f"sample_rates: {rate} is out of range; must be within 8000..{MASTER_RATE}")
    if render is not None and set(sample_rates) != set(SAMPLE_RATES):
        raise ValueError(
            f"sample_rates = {list(sample_rates)}: a preset needs all of {list(SAMPLE_RATES)}, or render=None"
        )
    report(0.0, "simulating the device and the listener")
    seat = plant(device)
    ears = ear_firs(device)
    report(0.2, "designing the crosstalk cancellation")
    problem = cancel_problem(device, seat, SOLVE_HZ, target=target)
    solution = Solution(problem, solve(problem, target.method))
    if target.method in CAPPED:
        solution = guarded(solution)
    cancel_master = cancel_firs(solution)
    crosstalk_master = crosstalk_firs(solution, stereo)
    report(0.4, "designing the centre beam" if device.has_center else "no centre driver, no beam")
    center = _center(device, seat, beam)
    filters = []
    for index, rate in enumerate(sample_rates):
        report(0.5 + 0.3 * index / len(sample_rates), f"filters at {rate} Hz")
        beam_taps, cancel_align, beam_align = center.sample(rate)
        filters.append(
            FilterSet(
                rate,
                delay_for(rate),
                cancel_align,
                beam_align,
                delay_for(rate, delay_s=CROSSTALK_DELAY_S),
                sample_firs(crosstalk_master, sample_rate=rate, delay_s=CROSSTALK_DELAY_S).astype(np.float32),
                sample_firs(cancel_master, sample_rate=rate).astype(np.float32),
                beam_taps.astype(np.float32),
                driver_eq_firs(device, sample_rate=rate).astype(np.float32),
            )
        )
    finished = Design(device, variant, target, beam, stereo, seat, solution, center.plan, tuple(filters), ears)
    if render is not None:
        report(0.8, "calibrating the loudness")
        finished = replace(finished, loudness=calibrate(playable_form(finished), render=render))
    report(1.0, "done")
    return finished


def _silent(_fraction: float, _text: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class _Center:
    """The centre's filters at any rate; without any it is mixed plain."""

    plan: BeamPlan | None
    master: FloatArray

    def sample(self, rate: int) -> tuple[FloatArray, int, int]:
        """Filters, and the frames that the (cancel, beam) path waits."""
        if not len(self.master):
            return self.master, 0, 0
        if self.plan is None:
            return sample_firs(self.master, sample_rate=rate), 0, 0
        advance_s = self.plan.advance_s(rate) - self.plan.advance_s(MASTER_RATE)
        return sample_firs(self.master, sample_rate=rate, advance_s=advance_s), *self.plan.align_frames(rate)


def _center(device: Device, seat: Plant, target: BeamTarget) -> _Center:
    if device.has_center and not device.is_headphones:
        plan = plan_beam(device, seat, target=target)
        return _Center(plan, beam_firs(plan))
    # A symmetric pair has nothing to steer; a skewed one at least has its sides brought together.
    return _Center(None, center_firs(device, seat) if Skew.of(seat) else np.zeros((0, 0)))
