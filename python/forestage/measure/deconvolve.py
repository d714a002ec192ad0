"""From a recording to impulse responses: the recorder's clock undone, and the sweep divided out.

A recording holds the sound at times that are not those of the player. Its spectrum is evaluated at the player's
frequencies all the same, by a chirp z-transform, so that nothing is interpolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len
from scipy.signal import czt

from forestage.arrays import ComplexArray, FloatArray
from forestage.measure.clock import Clock
from forestage.measure.plan import TAIL_S, Plan
from forestage.measure.sweep import Sweep
from forestage.short_repr import ShortRepr

# Of an impulse response before the first driver could arrive: a driver may be nearer than the one of the markers
BEFORE_S = 0.02
HARMONICS = (2, 3, 4, 5)
# Of a harmonic's impulse response, before the next one begins
MOST_HARMONIC_S = 0.1


@dataclass(frozen=True, repr=False)
class Impulses(ShortRepr):
    """Impulse responses of a driver at a microphone, one a sweep.

    Attributes
    ----------
    linear : ndarray, shape (repeats, frames)
        From `BEFORE_S` before the arrival of the markers' driver on.
    harmonics : ndarray, shape (repeats, orders, frames)
        Responses of the orders of `HARMONICS`.
    """

    linear: FloatArray
    harmonics: FloatArray


def impulses(recording: FloatArray, clock: Clock, plan: Plan, drivers: list[int], driver: int) -> Impulses:
    """Impulse responses of a driver of a recording, shape (frames,), in which so many drivers play."""
    sweep = plan.sweep(driver)
    frames = int(next_fast_len(sweep.frames + round((TAIL_S - BEFORE_S) * plan.sample_rate), real=True))
    starts = [part.frame for part in plan.parts(drivers) if part.driver == driver]
    gain = 10.0 ** (plan.level_db / 20)
    inverse = _inverse(sweep, frames) / gain
    before = round(BEFORE_S * plan.sample_rate)
    found = [np.fft.irfft(inverse * spectrum(recording, clock, start - before, frames), frames) for start in starts]
    linear = np.stack([response[: round(TAIL_S * plan.sample_rate)] for response in found])
    length = round(min(MOST_HARMONIC_S, sweep.early_s(HARMONICS[-1]) - sweep.early_s(HARMONICS[-2])) * plan.sample_rate)
    turned = [before - round(sweep.early_s(order) * plan.sample_rate) for order in HARMONICS]
    lead = length // 8
    harmonics = np.stack([np.stack([np.roll(response, lead - turn)[:length] for turn in turned]) for response in found])
    return Impulses(linear, harmonics)


def spectrum(recording: FloatArray, clock: Clock, start: int, frames: int) -> ComplexArray:
    """Spectrum of what was heard of so many played frames, shape (frames // 2 + 1,)."""
    first = math.ceil(clock.offset + clock.rate * start)
    count = math.floor(clock.rate * frames)
    heard = np.zeros(count)
    begin, end = max(first, 0), min(first + count, len(recording))
    heard[begin - first : max(end, begin) - first] = recording[begin : max(end, begin)]
    bins = frames // 2 + 1
    turn = np.exp(-2j * np.pi / (clock.rate * frames))
    late = (first - clock.offset) / clock.rate - start
    transform = czt(heard, bins, turn)
    return np.asarray(transform * np.exp(-2j * np.pi * late * np.arange(bins) / frames) / clock.rate)


def _inverse(sweep: Sweep, frames: int) -> ComplexArray:
    """One over the spectrum of a sweep within its band, and nothing outside, shape (frames // 2 + 1,)."""
    played = np.fft.rfft(sweep.samples(), frames)
    frequency = np.fft.rfftfreq(frames, 1.0 / sweep.sample_rate)
    low_hz, high_hz = sweep.whole_hz
    octaves = np.log2(np.maximum(frequency, 1e-3))
    up = np.clip((octaves - math.log2(sweep.low_hz)) / (math.log2(low_hz) - math.log2(sweep.low_hz)), 0.0, 1.0)
    down = np.clip((math.log2(sweep.high_hz) - octaves) / (math.log2(sweep.high_hz) - math.log2(high_hz)), 0.0, 1.0)
    band = (0.5 - 0.5 * np.cos(np.pi * up)) * (0.5 - 0.5 * np.cos(np.pi * down))
    inverse = np.zeros(len(played), dtype=np.complex128)
    inside = band > 0.0
    inverse[inside] = band[inside] / played[inside]
    return inverse
