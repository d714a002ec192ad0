"""From a device to everything a preset holds: filters at all rates, ear responses, gains, and the curves to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import load_device
from forestage.acoustics.plant import Plant, plant
from forestage.arrays import FloatArray
from forestage.blas import one_thread
from forestage.design.beam import BeamPlan, BeamTarget, beam_firs, plan_beam
from forestage.design.calibrate import Render, calibrate, render_with_core
from forestage.design.cancel import CAPPED, CancelTarget, cancel_problem, solve
from forestage.design.cancel.firs import SOLVE_HZ, Solution, cancel_firs, guarded
from forestage.design.center_mix import center_firs
from forestage.design.driver_eq import bass_firs, driver_eq_firs
from forestage.design.ears import ear_firs
from forestage.design.filters import (
    MASTER_RATE,
    SAMPLE_RATES,
    delay_for,
    sample_firs,
)
from forestage.design.phantom import phantom_firs
from forestage.design.result import Design
from forestage.design.skew import Skew
from forestage.design.variants import VARIANTS
from forestage.design.virtual_pair import (
    CROSSTALK_DELAY_S,
    VirtualPair,
    crosstalk_firs,
    far_feed,
    with_even_near_ears,
)
from forestage.firs import FilterSet, fixed_point

Progress = Callable[[float, str], None]


# One thread, so that the sums, and with them the bytes of the file, do not depend on the number of cores.
@one_thread
def design(
    device: Device | str | Path,
    *,
    variant: str = "standard",
    target: CancelTarget | None = None,
    beam: BeamTarget | None = None,
    pair: VirtualPair | None = None,
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
    pair : VirtualPair, optional
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
    pair = pair or VirtualPair()
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
    heard_pair = pair.heard_by(device)
    solution = with_even_near_ears(solution, heard_pair)
    cancel_master = cancel_firs(solution)
    crosstalk_master = crosstalk_firs(solution, heard_pair)
    report(0.4, "designing the centre beam" if device.can_beam else "two drivers at a time, no beam")
    center = _center(device, seat, beam)
    far = far_feed(crosstalk_master, pair.width_deg)
    phantom_master = phantom_firs(device, seat, cancel_master, far, center.plan, problem)
    filters = []
    for index, rate in enumerate(sample_rates):
        report(0.5 + 0.3 * index / len(sample_rates), f"filters at {rate} Hz")
        beam_taps, cancel_align, beam_align = center.sample(rate)
        phantom_taps = sample_firs(phantom_master, sample_rate=rate, advance_s=center.moved_s(rate))
        filters.append(
            FilterSet(
                rate,
                delay_for(rate),
                cancel_align,
                beam_align,
                delay_for(rate, delay_s=CROSSTALK_DELAY_S),
                fixed_point(sample_firs(crosstalk_master, sample_rate=rate, delay_s=CROSSTALK_DELAY_S)),
                fixed_point(sample_firs(cancel_master, sample_rate=rate)),
                fixed_point(beam_taps),
                fixed_point(phantom_taps),
                fixed_point(driver_eq_firs(device, sample_rate=rate)),
                fixed_point(bass_firs(device, sample_rate=rate)),
            )
        )
    finished = Design(device, variant, target, beam, pair, seat, solution, center.plan, tuple(filters), ears)
    if render is not None:
        report(0.8, "calibrating the loudness")
        finished = replace(finished, loudness=calibrate(finished.playable(), render=render))
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
        return sample_firs(self.master, sample_rate=rate, advance_s=self.moved_s(rate)), *self.plan.align_frames(rate)

    def moved_s(self, rate: int) -> float:
        """How much earlier than at the highest rate the filters are, as alignment delays are whole frames."""
        return 0.0 if self.plan is None else self.plan.advance_s(rate) - self.plan.advance_s(MASTER_RATE)


def _center(device: Device, seat: Plant, target: BeamTarget) -> _Center:
    if device.can_beam:
        plan = plan_beam(device, seat, target=target)
        return _Center(plan, beam_firs(plan))
    # A symmetric pair has nothing to steer; a skewed one at least has its sides brought together.
    return _Center(None, center_firs(device, seat) if Skew.of(seat) else np.zeros((0, 0)))
