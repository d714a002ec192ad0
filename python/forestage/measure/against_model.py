"""What was measured at the ears against the model by ruler, and what a design of that model would be worth."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import driver_responses
from forestage.acoustics.measured_ears import EarPlace, MeasuredEars
from forestage.acoustics.plant import geometry
from forestage.arrays import FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.designer import design
from forestage.firs import response_of
from forestage.measure.equalised import equalised_impulses
from forestage.measure.quality import THIRDS_HZ
from forestage.measure.take import Measurement
from forestage.metrics.separation import separation_db

JUDGED_HZ = (300.0, 7000.0)
PER_OCTAVE = 24


def device_at_ears(measurement: Measurement) -> Device:
    """The device of the plan with what was measured at its listener's ears."""
    places = tuple(EarPlace(place) for place in measurement.places_m)
    impulses = equalised_impulses(measurement).transpose(1, 2, 0, 3)
    ears = MeasuredEars(places, impulses, float(measurement.sample_rate))
    device = measurement.device
    return replace(device, listener=replace(device.listener, ears=ears))


def over_model_db(measurement: Measurement) -> FloatArray:
    """Level at the seat's ears over the model's, but for the mean of all, shape (drivers, 2 ears, 31)."""
    device = device_at_ears(measurement)
    made_up = driver_responses(device, THIRDS_HZ)
    measured = geometry(device).at(THIRDS_HZ) * made_up
    over_db = 20 * np.log10(np.abs(measured / geometry(measurement.plan.device).at(THIRDS_HZ)))
    return np.asarray((over_db - over_db.mean()).swapaxes(0, 1), dtype=np.float64)


@dataclass(frozen=True)
class RulersDesign:
    """Mean separation at the seat in dB that a design by the ruler's numbers promises, and what it would reach."""

    promised_db: float
    reached_db: float


def rulers_design(measurement: Measurement) -> RulersDesign:
    """Design for the ruler's device, and hear it on the measured one."""
    low_hz, high_hz = max(JUDGED_HZ[0], 1.5 / measurement.window_s), JUDGED_HZ[1]
    frequency = np.geomspace(low_hz, high_hz, round(PER_OCTAVE * np.log2(high_hz / low_hz)))
    made = design(measurement.plan.device, sample_rates=(SAMPLE_RATE,), render=None)
    filters = made.filter_set(SAMPLE_RATE)
    weights = response_of(filters.cancel, frequency, sample_rate=SAMPLE_RATE, delay_frames=filters.delay_frames)
    device = device_at_ears(measurement)
    plants = (made.plant.at(frequency), geometry(device).at(frequency) * driver_responses(device, frequency))
    promised, reached = (float(separation_db(np.einsum("edf,dcf->ecf", each, weights)).mean()) for each in plants)
    return RulersDesign(promised, reached)
