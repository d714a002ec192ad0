"""Filters of a beam plan, fitted together to the pattern that they make: what cancels in the air costs nothing."""

from __future__ import annotations

import numpy as np

from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.beam.array import CIRCLE_DEG
from forestage.design.beam.plan import BeamPlan
from forestage.design.filters import MASTER_RATE, delay_for, fit_firs, grid_for, log_fade, taps_for

HEARD_DEG = CIRCLE_DEG[(np.abs(CIRCLE_DEG) <= 110.0) & (CIRCLE_DEG % 10.0 == 0.0)]
AXIS_WEIGHT = 20.0
END_PRICE = 10.0


def beam_firs(plan: BeamPlan, *, sample_rate: int = MASTER_RATE) -> FloatArray:
    """Fitted filters, shape (drivers, taps), to be played with the plan's alignment delays at that rate."""
    frequency = grid_for(sample_rate)
    wanted = plan.responses(frequency) * np.exp(2j * np.pi * frequency * plan.advance_s(sample_rate))
    kernel = pattern_kernel(plan, frequency)
    # The price of the ends is relative to the mean of the kernel, which is to mean the same at all rates
    power = np.trace(kernel).real
    end_price = END_PRICE * power[frequency <= SAMPLE_RATE / 2].mean() / power.mean()
    firs = fit_firs(
        wanted, kernel=kernel, taps=taps_for(sample_rate), delay_frames=delay_for(sample_rate), end_price=end_price
    )
    return plan.array.to_drivers(firs)


def pattern_kernel(plan: BeamPlan, frequency_hz: FloatArray) -> ComplexArray:
    """Weight of the errors of the groups' filters, shape (groups, groups, n)."""
    pattern = plan.array.group_pattern(frequency_hz, HEARD_DEG) / plan.level
    weight = np.where(HEARD_DEG == 0.0, AXIS_WEIGHT, 1.0)
    kernel = np.einsum("a,gaf,haf->ghf", weight, pattern.conj(), pattern)
    # A little weight on the filters themselves where the pattern leaves them open: bass and treble.
    low, high = plan.target.band_hz[0], plan.curves.knots_hz[-1]
    own = 0.01 + 1.0 * (1.0 - log_fade(frequency_hz, 70.0, 250.0)) + 0.3 * log_fade(frequency_hz, high, 1.6 * high)
    for index, group in enumerate(plan.array.groups):
        kernel[index, index] += len(group) * own
    in_band = log_fade(frequency_hz, 0.7 * low, low) * (1.0 - log_fade(frequency_hz, 0.8 * high, high))
    return kernel * (0.3 + 10.0 * in_band) / np.sqrt(np.clip(frequency_hz, 100.0, 20_000.0))
