"""Impulse responses for the headphones monitors: from the drivers, and from an ideal pair, to the listener's ears."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize_scalar

from forestage.acoustics.device import Device
from forestage.acoustics.head import SPEED_OF_SOUND_M_S, ComplexArray, FloatArray, ears_from_point
from forestage.acoustics.plant import Plant
from forestage.design.driver_eq import driver_responses
from forestage.design.filters import grid_for, to_fir

SAMPLE_RATE = 48_000
DELAY_FRAMES = 32
TAPS = 256
REFERENCE_DEG = 30.0


@dataclass(frozen=True)
class EarFirs:
    """Ear responses at 48 kHz; the near ear of the left source peaks at frame 32 and is at about 0 dB at 200 Hz.

    Attributes
    ----------
    device : ndarray, shape (2, drivers, taps)
        To the (left, right) ear from each driver.
    reference : ndarray, shape (2, 2, taps)
        To the (left, right) ear from the (left, right) loudspeaker at +-30 degrees.
    """

    device: FloatArray
    reference: FloatArray


def ear_firs(device: Device, plant: Plant) -> EarFirs:
    """Ear responses of a device and of the reference pair at the same distance."""
    frequency = grid_for(SAMPLE_RATE)
    distance = device.listener.distance_m
    angle = np.deg2rad(REFERENCE_DEG)
    pair = [
        ears_from_point(
            frequency,
            head=device.listener.head,
            position_m=[-distance * np.cos(angle), side * distance * np.sin(angle), 0.0],
        )
        for side in (1.0, -1.0)
    ]
    response = plant.at(frequency) * driver_responses(device, frequency)[None]
    away = np.exp(2j * np.pi * frequency * distance / SPEED_OF_SOUND_M_S)
    return EarFirs(_firs(response, frequency, plant.stereo[0]), _firs(np.stack(pair, axis=1) * away, frequency, 0))


def _firs(response: ComplexArray, frequency: FloatArray, first: int) -> FloatArray:
    # The band ends before half the sample rate, so that a delay between two frames stays short.
    response = response * (0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 20_000.0) / 3_500.0, 0.0, 1.0)))
    near = response[0, first]
    gain = 1.0 / np.abs(near[np.argmin(np.abs(frequency - 200.0))])
    early = np.exp(2j * np.pi * frequency * _peak_s(near, frequency))
    return to_fir(gain * response * early, taps=TAPS, delay_frames=DELAY_FRAMES)


def _peak_s(response: ComplexArray, frequency: FloatArray) -> float:
    """Time of the largest value of the impulse response, between frames."""
    impulse = np.abs(np.fft.irfft(response))
    frames = len(impulse)
    first = (int(np.argmax(impulse)) + frames // 2) % frames - frames // 2

    def level(time_frames: float) -> float:
        return -abs(np.sum(response * np.exp(2j * np.pi * frequency * time_frames / SAMPLE_RATE)).real)

    found = minimize_scalar(level, bounds=(first - 1.0, first + 1.0), method="bounded", options={"xatol": 1e-4})
    return float(found.x) / SAMPLE_RATE
