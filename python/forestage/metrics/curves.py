"""Curves over frequency of what a device plays, by the names that a preset has for them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from forestage.arrays import ComplexArray, FloatArray
from forestage.firs import response_of
from forestage.metrics.directivity import on_off_db, pattern, white_noise_gain_db
from forestage.metrics.effort import effort_db
from forestage.metrics.played import Played
from forestage.metrics.separation import ear_responses, plain_responses, separation_db

LEAST_LEVEL = 1e-4


def separation_curves(played: Played, frequency_hz: ArrayLike, *, sample_rate: int) -> dict[str, FloatArray]:
    """Separation at the seat in dB, of the channel that has less of it: of plain stereo and of the cancellation."""
    filters = played.filter_set(sample_rate)
    processed = ear_responses(
        played.plant, filters.cancel, frequency_hz, sample_rate=sample_rate, delay_frames=filters.delay_frames
    )
    responses = {"plain": plain_responses(played.plant, frequency_hz), "processed": processed}
    return {f"separation_{name}": separation_db(ears).min(axis=0) for name, ears in responses.items()}


def drive_curve(played: Played, frequency_hz: ArrayLike, *, sample_rate: int) -> dict[str, FloatArray]:
    """What the cancellation asks of all drivers in dB, for the channel that asks for more; see `effort_db`."""
    return {"drive": effort_db(played.plant, _cancel(played, frequency_hz, sample_rate), frequency_hz).max(axis=0)}


def reference_curves(played: Played, frequency_hz: ArrayLike, *, sample_rate: int) -> dict[str, FloatArray]:
    """Levels in dB at the near and the far reference driver, for a sound on the left."""
    cancel = _cancel(played, frequency_hz, sample_rate)[played.device.references, 0]
    near, far = 20 * np.log10(np.maximum(np.abs(cancel), LEAST_LEVEL))
    return {"near_driver": near, "far_driver": far}


def beam_curves(played: Played, frequency_hz: ArrayLike, *, sample_rate: int) -> dict[str, FloatArray]:
    """Front over sides of the centre in dB, beside a plain mix and all drivers alike; nothing without a beam."""
    device, beam = played.device, played.filter_set(sample_rate).beam
    if not len(beam):
        return {}
    plain = np.zeros((len(device.drivers), 1))
    plain[device.references] = 1.0
    named: dict[str, ArrayLike] = {
        "beam_on_off": beam,
        "plain_mix_on_off": plain,
        "all_drivers_on_off": np.ones((len(device.drivers), 1)),
    }
    curves = {
        name: on_off_db(pattern(device, firs, frequency_hz, sample_rate=sample_rate)) for name, firs in named.items()
    }
    return curves | {"beam_white_noise_gain": white_noise_gain_db(device, beam, frequency_hz, sample_rate=sample_rate)}


def _cancel(played: Played, frequency_hz: ArrayLike, sample_rate: int) -> ComplexArray:
    return response_of(played.filter_set(sample_rate).cancel, frequency_hz, sample_rate=sample_rate)
