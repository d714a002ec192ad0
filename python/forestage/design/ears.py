"""Impulse responses for the headphones monitors: from the drivers, and from an ideal pair, to the listener's ears.

In the free field, or in a room. Time and level are counted from the direct sound of plain stereo, both sides alike:
from when the first of its near ears hears it, and from what both hear in the mean. What arrives earlier still, from
drivers that stand nearer, gets a longer delay in front.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import next_fast_len
from scipy.optimize import minimize_scalar

from forestage._core import LONGEST_EARS_S
from forestage.acoustics.device import Device
from forestage.acoustics.device_in_room import HALF_A_SECOND, DeviceInRoom, Rendering
from forestage.acoustics.driver_response import driver_responses, early_s
from forestage.acoustics.image_sources import Progress
from forestage.acoustics.pair import own_ears, pair_ears
from forestage.acoustics.plant import geometry
from forestage.acoustics.seat import Seat
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.design.driver_eq import LEAD_S, bass_equalisers, equalisers
from forestage.design.filters import grid_for, to_fir
from forestage.short_repr import ShortRepr

DELAY_FRAMES = 20
TAPS = 256
# Ear responses become longer at both ends until they are right to 0.1 dB, and to -60 dB of the loudest frequency
TOLERANCE = 10.0 ** (0.1 / 20) - 1.0
LOUDEST_SHARE = 0.1
RIGHT_HZ = (20.0, 12_000.0)
DELAY_STEP, MOST_DELAY_FRAMES = 8, 2000
TAPS_STEP, MOST_TAPS = 128, 4096


@dataclass(frozen=True, repr=False)
class EarFirs(ShortRepr):
    """Ear responses at 48 kHz: plain stereo reaches the first of its near ears after `delay_frames`.

    At 200 Hz its near ears have 0 dB in the mean of their power.

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
    pair = pair_ears(device.listener, frequency)
    response = geometry(device).at(frequency) * driver_responses(device, frequency)
    device_ears = _counted(response, _plain_near(device, response, frequency), frequency)
    reference_ears = _counted(pair, own_ears(pair), frequency)
    delay = _delay_frames(device, device_ears, frequency)
    taps = _taps(np.concatenate([device_ears, reference_ears], axis=1), frequency, delay)
    device_firs, pair_firs = (to_fir(ears, taps=taps, delay_frames=delay) for ears in (device_ears, reference_ears))
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
    if rendering.length_s > LONGEST_EARS_S:
        raise ValueError(f"length_s = {rendering.length_s}: must be at most {LONGEST_EARS_S:g}, which a preset holds")
    device, reference = scene.device, scene.reference(seat)
    heard = scene.ears(seat, rendering, progress=progress and (lambda share: progress(share / 2)))
    pair = reference.ears(seat, rendering, progress=progress and (lambda share: progress(0.5 + share / 2)))
    taps = heard.shape[-1]
    transform = 2 * next_fast_len(taps)
    frequency = np.fft.rfftfreq(transform, 1 / SAMPLE_RATE).astype(np.float64)
    drivers = driver_responses(device, frequency)
    direct, direct_s = _direct(scene, seat, frequency)
    direct *= drivers
    pair_direct, pair_s = _direct(reference, seat, frequency)
    plain_near = _plain_near(device, direct, frequency)
    delay = _delay_frames(device, _counted(direct, plain_near, frequency), frequency)
    device_firs, pair_firs = (
        to_fir(
            _counted(responses * np.exp(2j * np.pi * frequency * late_s), near, frequency),
            taps=taps,
            delay_frames=delay,
        )
        for responses, late_s, near in (
            (np.fft.rfft(heard, transform) * drivers, direct_s, plain_near),
            (np.fft.rfft(pair, transform), pair_s, own_ears(pair_direct)),
        )
    )
    return EarFirs(device_firs, pair_firs, delay)


def _direct(scene: DeviceInRoom, seat: Seat, frequency: FloatArray) -> tuple[ComplexArray, float]:
    """What arrives first, shape (2, drivers, n), and its delay, which is taken out of it."""
    free = geometry(scene.device, seat)
    return free.at(frequency), free.delay_s


def _plain_near(device: Device, response: ComplexArray, frequency: FloatArray) -> ComplexArray:
    """Near ears of plain stereo, shape (2, n)."""
    feeds = equalisers(device, frequency, sample_rate=SAMPLE_RATE)[:, None] * device.plain_gains[..., None]
    if len(bass := bass_equalisers(device, frequency, sample_rate=SAMPLE_RATE)):
        feeds += np.einsum("dif,ic->dcf", bass, device.plain_gains)
    return np.stack([np.sum(response[side] * feeds[:, side], axis=0) for side in (0, 1)])


def _counted(response: ComplexArray, near: ComplexArray, frequency: FloatArray) -> ComplexArray:
    """Responses in the band, at the time and level that bring the near ears to 0."""
    # The band ends before half the sample rate, so that a delay between two frames stays short.
    band = 0.5 + 0.5 * np.cos(np.pi * np.clip((frequency - 20_000.0) / 3_500.0, 0.0, 1.0))
    left, right = np.abs(near[:, np.argmin(np.abs(frequency - 200.0))]) ** 2
    gain = 1.0 / np.sqrt((left + right) / 2)
    first_s = min(_peak_s(side * band, frequency) for side in near)
    return gain * response * band * np.exp(2j * np.pi * frequency * first_s)


def _delay_frames(device: Device, response: ComplexArray, frequency: FloatArray) -> int:
    """Delay in front of ear responses, so that none of them is cut where it begins.

    Nearer drivers come before plain stereo does, and so do those that their equalisers hold back.
    """
    held_s = early_s(device).max() + LEAD_S if early_s(device).any() else 0.0
    least = DELAY_FRAMES + int(np.ceil(held_s * SAMPLE_RATE))
    half = len(frequency) - 1
    most = min(MOST_DELAY_FRAMES, half)
    # All of them end alike, so that only the beginnings differ
    longest = np.fft.rfft(to_fir(response, taps=most + half, delay_frames=most), 2 * half, axis=-1)
    for delay in range(least, most, DELAY_STEP):
        if _is_right(to_fir(response, taps=delay + half, delay_frames=delay), longest, frequency):
            return delay
    raise ValueError(
        f'device "{device.name}": a driver reaches the ears over {1000 * most / SAMPLE_RATE:.0f} ms '
        "before plain stereo does; its distance, or its measured delay, cannot be right"
    )


def _taps(response: ComplexArray, frequency: FloatArray, delay_frames: int) -> int:
    """Length of ear responses with which none of them is cut where it ends, within what short filters may have."""
    for taps in range(TAPS - DELAY_FRAMES + delay_frames, MOST_TAPS, TAPS_STEP):
        if _is_right(to_fir(response, taps=taps, delay_frames=delay_frames), response, frequency):
            return taps
    return MOST_TAPS


def _is_right(firs: FloatArray, response: ComplexArray, frequency: FloatArray) -> bool:
    """Whether filters have the level of the responses to within the tolerance; what is cut off shows there first."""
    audible = (frequency >= RIGHT_HZ[0]) & (frequency <= RIGHT_HZ[1])
    wanted = np.abs(response[..., audible])
    level = np.abs(np.fft.rfft(firs, 2 * (len(frequency) - 1), axis=-1)[..., audible])
    counts = np.maximum(wanted, LOUDEST_SHARE * wanted.max(axis=-1, keepdims=True))
    return bool(np.all(np.abs(level - wanted) <= TOLERANCE * counts))


def _peak_s(response: ComplexArray, frequency: FloatArray) -> float:
    """Time of the largest value of the impulse response, between frames."""
    impulse = np.abs(np.fft.irfft(response))
    frames = len(impulse)
    first = (int(np.argmax(impulse)) + frames // 2) % frames - frames // 2

    def level(time_frames: float) -> float:
        return -abs(np.sum(response * np.exp(2j * np.pi * frequency * time_frames / SAMPLE_RATE)).real)

    found = minimize_scalar(level, bounds=(first - 1.0, first + 1.0), method="bounded", options={"xatol": 1e-4})
    return float(found.x) / SAMPLE_RATE
