"""Impulse responses for the headphones monitors: from the drivers, and from an ideal pair, to the listener's ears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from forestage.acoustics.device import Device
from forestage.acoustics.driver_response import driver_responses, early_s
from forestage.acoustics.head import SPEED_OF_SOUND_M_S, ComplexArray, FloatArray
from forestage.acoustics.plant import geometry
from forestage.design.driver_eq import LEAD_S, equalisers
from forestage.design.filters import grid_for, to_fir

SAMPLE_RATE = 48_000
DELAY_FRAMES = 20
TAPS = 256
REFERENCE_DEG = 30.0


@dataclass(frozen=True)
class EarFirs:
    """Ear responses at 48 kHz: plain left reaches the left ear after `delay_frames`, at 0 dB at 200 Hz.

    Attributes
    ----------
    device : ndarray, shape (2, drivers, taps)
        To the (left, right) ear from each driver's feed, after its equaliser.
    reference : ndarray, shape (2, 2, taps)
        To the (left, right) ear from the (left, right) loudspeaker at +-30 degrees.
    delay_frames : int
        Modelling delay in them.
    """

    device: FloatArray
    reference: FloatArray
    delay_frames: int = DELAY_FRAMES


def ear_firs(device: Device) -> EarFirs:
    """Ear responses of a device, from its driver feeds, and of the reference pair at the same distance."""
    frequency = grid_for(SAMPLE_RATE)
    distance = device.listener.distance_m
    angle = np.deg2rad(REFERENCE_DEG)
    towards = np.array([np.cos(angle), np.sin(angle), 0.0])
    pair = device.listener.head.ears(frequency, distance * np.stack([towards, towards * [1.0, -1.0, 1.0]]))
    pair *= np.exp(2j * np.pi * frequency * distance / SPEED_OF_SOUND_M_S)
    bare = geometry(device)
    response = bare.at(frequency) * driver_responses(device, frequency)
    feeds = equalisers(device, frequency, sample_rate=SAMPLE_RATE) * bare.plain[:, :1]
    near = np.sum(response[0] * feeds, axis=0)
    # Drivers that their equalisers hold back come earlier than the sum that is to arrive after the delay.
    held_s = early_s(device).max() + LEAD_S if early_s(device).any() else 0.0
    delay = DELAY_FRAMES + int(np.ceil(held_s * SAMPLE_RATE))
    device_firs, pair_firs = (
        _firs(responses, first, frequency, delay_frames=delay)
        for responses, first in ((response, near), (pair, pair[0, 0]))
    )
    return EarFirs(device_firs, pair_firs, delay)


def _firs(response: ComplexArray, near: ComplexArray, frequency: FloatArray, *, delay_frames: int) -> FloatArray:
    """Filters at the time and level that bring ``near`` to the delay and 0 dB."""
    # The band ends before half the sample rate, so that a delay between two frames stays short.
    band = 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 20_000.0) / 3_500.0, 0.0, 1.0))
    gain = 1.0 / np.abs(near[np.argmin(np.abs(frequency - 200.0))])
    early = np.exp(2j * np.pi * frequency * _peak_s(near * band, frequency))
    return to_fir(gain * response * band * early, taps=TAPS - DELAY_FRAMES + delay_frames, delay_frames=delay_frames)


def _peak_s(response: ComplexArray, frequency: FloatArray) -> float:
    """Time of the largest value of the impulse response, between frames."""
    impulse = np.abs(np.fft.irfft(response))
    frames = len(impulse)
    first = (int(np.argmax(impulse)) + frames // 2) % frames - frames // 2

    def level(time_frames: float) -> float:
        return -abs(np.sum(response * np.exp(2j * np.pi * frequency * time_frames / SAMPLE_RATE)).real)

    found = minimize_scalar(level, bounds=(first - 1.0, first + 1.0), method="bounded", options={"xatol": 1e-4})
    return float(found.x) / SAMPLE_RATE
