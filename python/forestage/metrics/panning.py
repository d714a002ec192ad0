"""Where sounds between left and right are heard: amplitude-panned sources through the whole chain of the engine.

A source of noise is panned at constant power and played by a preset, alone or inside a mix. What of the feeds follows
the source, its cross spectrum with them, makes the ears of a listener; the azimuths that these tell are held against
those of a real pair that plays the same. The upmix moves all the time: what it does on average is what is heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.signal import csd, welch

from forestage.acoustics.device import Device
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import Plant, plant
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.metrics.chain import Chain
from forestage.metrics.localisation import Localiser
from forestage.metrics.played import Played
from forestage.render import Renderer
from forestage.short_repr import ShortRepr

PANS = tuple(range(10, 101, 10))
SECONDS = 3.0
SEGMENT_FRAMES = 4096
SEED = 20
QUALITIES = ("Low Latency", "High Quality")
# What an upmix may take of the mid of a sound
TAKEN = (0.0, 0.5, 1.0)
# A mix around the source: a centre of the same power, and each side with half of it
CENTER_GAIN, SIDE_GAIN = 1.0, 0.7


@dataclass(frozen=True, repr=False)
class Panning(ShortRepr):
    """Azimuths over the pans, in degrees, positive to the left; shape (pans,) each.

    Attributes
    ----------
    pan : ndarray
        From 0 (centre) to 100 (left channel alone).
    time_deg, level_deg : ndarray
        As the device is heard, by the times and by the levels at the ears.
    reference_time_deg, reference_level_deg : ndarray
        The same for a real pair.
    """

    pan: FloatArray
    time_deg: FloatArray
    level_deg: FloatArray
    reference_time_deg: FloatArray
    reference_level_deg: FloatArray

    @property
    def time_error_deg(self) -> float:
        """Largest deviation by time."""
        return float(np.abs(self.time_deg - self.reference_time_deg).max())

    @property
    def level_error_deg(self) -> float:
        """Largest deviation by level."""
        return float(np.abs(self.level_deg - self.reference_level_deg).max())


def pan_gains(pan: ArrayLike) -> FloatArray:
    """Gains of the (left, right) channel at constant power, shape (2, ...).

    Examples
    --------
    >>> pan_gains([0.0, 100.0]).round(3).tolist()
    [[0.707, 1.0], [0.707, 0.0]]
    """
    angle = np.pi / 4 * (1.0 - np.asarray(pan, dtype=np.float64) / 100.0)
    return np.stack([np.cos(angle), np.sin(angle)])


def panned_feeds(
    preset: Any, pan: float, *, upmix_quality: str = QUALITIES[0], in_mix: bool = False, **parameters: Any
) -> tuple[FloatArray, ComplexArray]:
    """What of the driver feeds follows a panned source.

    Parameters
    ----------
    preset : preset
        What `Renderer` takes.
    pan : float
        0 to 100.
    upmix_quality : str
        How the centre is found.
    in_mix : bool
        Play other sounds beside it: one in the centre, and one at either side.
    parameters
        Other parameters of the preset.

    Returns
    -------
    frequency_hz : ndarray, shape (n,)
    feeds : ndarray of complex, shape (drivers, n)
        Transfer functions from the source, as late as the chain is.
    """
    frames = round(SECONDS * SAMPLE_RATE)
    random = np.random.default_rng(SEED)
    shape = 1.0 / np.sqrt(np.maximum(np.fft.rfftfreq(frames, 1.0 / SAMPLE_RATE), 50.0))
    source, center, left, right = np.fft.irfft(np.fft.rfft(random.standard_normal((4, frames))) * shape, frames)
    stereo = pan_gains(pan)[:, None] * source
    if in_mix:
        stereo = stereo + CENTER_GAIN * np.sqrt(0.5) * center + SIDE_GAIN * np.stack([left, right])
    stereo *= 0.05 / np.std(source)
    settings: dict[str, Any] = {"safe_headroom": "Off", "level_match": "Off", "upmix_quality": upmix_quality}
    renderer = Renderer(preset, sample_rate=SAMPLE_RATE, monitor="Speakers", **(settings | parameters))
    late = renderer.latency_frames
    feeds = renderer.process(np.pad(stereo, ((0, 0), (0, late))).astype(np.float32))[:, late:]
    frequency, power = welch(source, SAMPLE_RATE, nperseg=SEGMENT_FRAMES)
    cross = np.stack([csd(source, feed, SAMPLE_RATE, nperseg=SEGMENT_FRAMES)[1] for feed in feeds])
    return frequency, cross / power / (0.05 / np.std(source))


def heard(seat: Plant, frequency_hz: FloatArray, feeds: ComplexArray, grid_hz: FloatArray) -> ComplexArray:
    """Ears of a listener for feeds, on another grid, shape (2, n)."""
    real, imaginary = (
        np.stack([np.interp(grid_hz, frequency_hz, row) for row in part]) for part in (feeds.real, feeds.imag)
    )
    ears: ComplexArray = np.einsum("edf,df->ef", seat.at(grid_hz), real + 1j * imaginary)
    return ears


def panning(
    preset: Any,
    device: Device,
    *,
    pans: ArrayLike = PANS,
    upmix_quality: str = QUALITIES[0],
    in_mix: bool = False,
    seat: Plant | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Panning:
    """Play panned sources and tell where they are heard.

    Parameters
    ----------
    preset : preset
        What `Renderer` takes.
    device : Device
        Its device, with the listener that is to hear it.
    pans : array_like
        0 (centre) to 100 (left channel alone); below 0 to the right.
    upmix_quality, in_mix
        As for `panned_feeds`.
    seat : Plant, optional
        From drivers to the listener, of the device by default.
    parameters : mapping, optional
        Other parameters of the preset.
    """
    seat = plant(device) if seat is None else seat
    listener = device.listener
    localiser = Localiser.in_place_of(listener)
    pan = np.asarray(pans, dtype=np.float64)
    played = [
        panned_feeds(preset, each, upmix_quality=upmix_quality, in_mix=in_mix, **(parameters or {})) for each in pan
    ]
    found = []
    for _, grid, azimuth_deg in localiser.cues():
        device_ears = np.stack([heard(seat, *each, grid) for each in played], axis=1)
        pair = np.einsum("ecf,cp->epf", pair_ears(listener, grid), pan_gains(pan))
        found.append([azimuth_deg(device_ears), azimuth_deg(pair)])
    (time, real_time), (level, real_level) = found
    return Panning(pan, time, level, real_time, real_level)


def panning_error_deg(design: Played) -> dict[str, dict[str, float]]:
    """How far sounds between the sides are from where a real pair puts them, at most over all pans.

    From the exported filters, whatever share of the mid the upmix takes.

    Returns
    -------
    dict
        ``["time" or "level"]["plain" or "processed"]``, in degrees.
    """
    listener = design.device.listener
    localiser = Localiser.in_place_of(listener)
    gains = pan_gains(np.concatenate([-np.array(PANS), PANS]))
    found = {}
    for cue, grid, azimuth_deg in localiser.cues():
        chain, seat = Chain.of(design, grid), design.plant.at(grid)
        real = azimuth_deg(np.einsum("ecf,cp->epf", pair_ears(listener, grid), gains))
        plain = np.einsum("edf,dcf,cp->epf", seat, chain.plain, gains)
        staged, center = np.einsum("edf,dcf->ecf", seat, chain.staged), np.einsum("edf,df->ef", seat, chain.center)
        mids = [taken * gains.mean(axis=0) for taken in TAKEN]
        played = [np.einsum("ecf,cp->epf", staged, gains - mid) + center[:, None] * mid[:, None] for mid in mids]
        found[cue] = {
            "plain": float(np.abs(azimuth_deg(plain) - real).max()),
            "processed": max(float(np.abs(azimuth_deg(each) - real).max()) for each in played),
        }
    return found
