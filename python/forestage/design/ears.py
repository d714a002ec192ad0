"""Impulse responses for the headphones monitors: from the drivers, and from an ideal pair, to the listener's ears.

In the free field, or in a room. Either way the direct sound of plain left is where time and level are counted from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len
from scipy.optimize import minimize_scalar

from forestage.acoustics.device import Device, Seat
from forestage.acoustics.device_in_room import HALF_A_SECOND, REFERENCE_DEG, DeviceInRoom, Rendering
from forestage.acoustics.driver_response import driver_responses, early_s
from forestage.acoustics.head import SPEED_OF_SOUND_M_S, ComplexArray, FloatArray
from forestage.acoustics.image_sources import Progress
from forestage.acoustics.plant import geometry
from forestage.design.driver_eq import LEAD_S, equalisers
from forestage.design.filters import grid_for, to_fir

SAMPLE_RATE = 48_000
DELAY_FRAMES = 20
TAPS = 256
LONGEST_S = 2.0  # that a preset may hold


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
    response = geometry(device).at(frequency) * driver_responses(device, frequency)
    near = _plain_left(device, response, frequency)
    delay = _delay_frames(device)
    taps = TAPS - DELAY_FRAMES + delay
    device_firs, pair_firs = (
        _firs(responses, first, frequency, taps=taps, delay_frames=delay)
        for responses, first in ((response, near), (pair, pair[0, 0]))
    )
    return EarFirs(device_firs, pair_firs, delay)


def room_ear_firs(
    scene: DeviceInRoom, seat: Seat, *, rendering: Rendering = HALF_A_SECOND, progress: Progress | None = None
) -> EarFirs:
    """Ear responses of a device in a room, and of the reference pair in the same room, as long as they are rendered.

    Parameters
    ----------
    scene : DeviceInRoom
        The device in its room.
    seat : Seat
        The head, in the frame of the device.
    rendering : Rendering
        Length and images; at the sample rate of ear responses, 48 kHz.
    progress : callable, optional
        Called with the share that is done, 0..1.
    """
    if rendering.sample_rate != SAMPLE_RATE:
        raise ValueError(f"rendering.sample_rate = {rendering.sample_rate}: must be {SAMPLE_RATE}, as in every preset")
    if rendering.length_s > LONGEST_S:
        raise ValueError(f"length_s = {rendering.length_s}: must be at most {LONGEST_S:g}, which a preset holds")
    device, reference = scene.device, scene.reference(seat)
    heard = scene.ears(seat, rendering, progress=progress and (lambda share: progress(share / 2)))
    pair = reference.ears(seat, rendering, progress=progress and (lambda share: progress(0.5 + share / 2)))
    taps = heard.shape[-1]
    transform = 2 * next_fast_len(taps)
    frequency = np.fft.rfftfreq(transform, 1 / SAMPLE_RATE).astype(np.float64)
    delay = _delay_frames(device)
    drivers = driver_responses(device, frequency)
    direct, direct_s = _direct(scene, seat, frequency)
    pair_direct, pair_s = _direct(reference, seat, frequency)
    device_firs, pair_firs = (
        _firs(responses * np.exp(2j * np.pi * frequency * late_s), first, frequency, taps=taps, delay_frames=delay)
        for responses, late_s, first in (
            (np.fft.rfft(heard, transform) * drivers, direct_s, _plain_left(device, direct * drivers, frequency)),
            (np.fft.rfft(pair, transform), pair_s, pair_direct[0, 0]),
        )
    )
    return EarFirs(device_firs, pair_firs, delay)


def _direct(scene: DeviceInRoom, seat: Seat, frequency: FloatArray) -> tuple[ComplexArray, float]:
    """What arrives first, shape (2, drivers, n), and its delay, which is taken out of it."""
    free = geometry(scene.device, seat)
    return free.at(frequency), free.delay_s


def _plain_left(device: Device, response: ComplexArray, frequency: FloatArray) -> ComplexArray:
    """Plain left at the left ear."""
    feeds = equalisers(device, frequency, sample_rate=SAMPLE_RATE) * device.plain_gains[:, :1]
    return np.sum(response[0] * feeds, axis=0)


def _delay_frames(device: Device) -> int:
    """Delay of ear responses: drivers that their equalisers hold back come earlier than the sum that arrives after."""
    held_s = early_s(device).max() + LEAD_S if early_s(device).any() else 0.0
    return DELAY_FRAMES + int(np.ceil(held_s * SAMPLE_RATE))


def _firs(
    response: ComplexArray, near: ComplexArray, frequency: FloatArray, *, taps: int, delay_frames: int
) -> FloatArray:
    """Filters at the time and level that bring ``near`` to the delay and 0 dB."""
    # The band ends before half the sample rate, so that a delay between two frames stays short.
    band = 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 20_000.0) / 3_500.0, 0.0, 1.0))
    gain = 1.0 / np.abs(near[np.argmin(np.abs(frequency - 200.0))])
    early = np.exp(2j * np.pi * frequency * _peak_s(near * band, frequency))
    return to_fir(gain * response * band * early, taps=taps, delay_frames=delay_frames)


def _peak_s(response: ComplexArray, frequency: FloatArray) -> float:
    """Time of the largest value of the impulse response, between frames."""
    impulse = np.abs(np.fft.irfft(response))
    frames = len(impulse)
    first = (int(np.argmax(impulse)) + frames // 2) % frames - frames // 2

    def level(time_frames: float) -> float:
        return -abs(np.sum(response * np.exp(2j * np.pi * frequency * time_frames / SAMPLE_RATE)).real)

    found = minimize_scalar(level, bounds=(first - 1.0, first + 1.0), method="bounded", options={"xatol": 1e-4})
    return float(found.x) / SAMPLE_RATE
