"""What reaches a listener in a room: how near a device sounds, how far apart the ears are, and where sides are heard.

Figures are means over places in the dry living room of `forestage.acoustics.shoebox` (azimuths are medians), by the
image model with walls that scatter. The device stands as devices do (`forestage.acoustics.device_in_room`), with the
ears of its listener where the design wants them. "Direct" is what the free field brings, "reverberant" everything else,
so that the length of filters does not count as reverberation. Listeners localise by the first sound: by 5 ms here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from forestage.acoustics.device import Device
from forestage.acoustics.device_in_room import BEHIND_M, HEIGHT_M, SCATTERING, DeviceInRoom, Rendering
from forestage.acoustics.driver_response import to_drivers
from forestage.acoustics.fields import phasors
from forestage.acoustics.image_sources import Images
from forestage.acoustics.shoebox import ROOMS
from forestage.arrays import ComplexArray, FloatArray
from forestage.metrics.bands import OCTAVE_EDGES_HZ
from forestage.metrics.chain import Chain
from forestage.metrics.localisation import Localiser
from forestage.metrics.panning import pan_gains
from forestage.metrics.played import Played
from forestage.metrics.room import onset_frame
from forestage.short_repr import ShortRepr

ROOM = ROOMS["living-room"]
ASIDE = (0.46, 0.42, 0.6)  # places of the device, in shares of the room's width
SAMPLE_RATE = 24_000
RENDERING = Rendering(0.4, SAMPLE_RATE, 10_000.0, Images(until_s=0.05, scattering=SCATTERING))
FIRST_MS = 5.0
PANS = (25.0, 50.0, 75.0)
# Filters look ahead: what is played comes so much later
AHEAD_FRAMES = round(0.01 * SAMPLE_RATE)
FRAMES = next_fast_len(round(RENDERING.length_s * SAMPLE_RATE) + 8 * AHEAD_FRAMES, real=True)
BIN_HZ: FloatArray = rfftfreq(FRAMES, 1 / SAMPLE_RATE)
LATE: ComplexArray = np.exp(-2j * np.pi * BIN_HZ * AHEAD_FRAMES / SAMPLE_RATE)

# What reaches the ears, and what is direct of it
Heard = tuple[FloatArray, FloatArray]


@dataclass(frozen=True, repr=False)
class _Place(ShortRepr):
    """What the ears hear of every driver, and what is direct of it, shape (2, drivers, bins)."""

    ears: ComplexArray
    direct: ComplexArray

    def play(self, feeds: ComplexArray) -> Heard:
        """Ears, and what is direct of them, shape (channels, 2, frames), of feeds (drivers, channels, bins)."""
        heard, direct = (
            irfft(np.einsum("edf,dcf->cef", each, feeds, optimize=True), FRAMES) for each in (self.ears, self.direct)
        )
        return heard, direct


def in_room(design: Played) -> dict[str, dict[str, FloatArray | float]] | None:
    """Figures of a design in the living room, of plain stereo, and of a pair of loudspeakers at +-30 degrees there.

    Parameters
    ----------
    design : Played
        The design, its filters as they are exported; not of headphones.

    Returns
    -------
    dict, optional
        For "plain", "processed" and "reference", lists over octaves:
        ``direct_over_reverberant_db``: of a sound in one channel, the mean of both, energies of both ears together;
        ``early_separation_db``: near over far ear in the first 5 ms, of the channel that has less; "processed" is the
        cancellation alone, "staged" is with the virtual pair;
        ``azimuth_by_time_deg`` and ``azimuth_by_level_deg``: where a sound in the left channel is heard in the first
        5 ms, from both channels;
        ``center_lead_db``: how much more direct over reverberant sound has one in the centre;
        ``panning_error_by_time_deg`` and ``panning_error_by_level_deg``: how far sounds between the sides are heard, in
        the first 5 ms, from where the pair in the room puts them, at most over `PANS`.
        None where the device or its listener do not fit into the room.
    """
    try:
        places, pairs = zip(*_places(design.device), strict=True)
    except ValueError:
        return None
    chain = Chain.of(design, BIN_HZ)

    def played_by_drivers(feeds: ComplexArray) -> ComplexArray:
        return to_drivers(design.device, feeds, BIN_HZ) * LATE

    pair = np.repeat(np.eye(2, dtype=np.complex128)[:, :, None], len(BIN_HZ), axis=-1) * LATE
    listener = design.device.listener
    localiser = Localiser.in_place_of(listener)
    fed = {
        "plain": (places, played_by_drivers(chain.plain), played_by_drivers(chain.plain_center[:, None])),
        "processed": (places, played_by_drivers(chain.staged), played_by_drivers(chain.center[:, None])),
        "reference": (pairs, pair, pair.sum(axis=1, keepdims=True)),
    }
    played = {
        name: [(place.play(sides), place.play(center)) for place in there]
        for name, (there, sides, center) in fed.items()
    }
    heard = {name: _figures(each, localiser) for name, each in played.items()}
    panned = {name: _panned_deg(each, localiser) for name, each in played.items()}
    for name, figures in heard.items():
        by_time, by_level = np.abs(panned[name] - panned["reference"]).max(axis=0)
        figures |= {"panning_error_by_time_deg": float(by_time), "panning_error_by_level_deg": float(by_level)}
    found = {figure: {name: figures[figure] for name, figures in heard.items()} for figure in heard["plain"]}
    separation = found["early_separation_db"]
    separation["staged"] = separation["processed"]
    cancelled = played_by_drivers(chain.cancelled)
    separation["processed"] = np.mean([_early_separation_db(*each.play(cancelled)) for each in places], axis=0)
    return found


def _places(device: Device) -> Iterator[tuple[_Place, _Place]]:
    """The device, and the pair in its place, wherever they stand."""
    seat = device.listener.seat
    for aside in ASIDE:
        here = DeviceInRoom(device, ROOM, (BEHIND_M, aside * ROOM.dimensions_m[1], HEIGHT_M))
        device_place, pair_place = (
            _Place(
                *(
                    rfft(each.astype(np.float64), FRAMES)
                    for each in (scene.ears(seat, RENDERING), scene.direct(seat, RENDERING))
                )
            )
            for scene in (here, here.reference(seat))
        )
        yield device_place, pair_place


def _figures(places: Sequence[tuple[Heard, Heard]], localiser: Localiser) -> dict[str, FloatArray | float]:
    """Figures of what is heard of the (left, right) channel, and of the centre, over places."""
    near_db, lead_db, separation_db, azimuth_deg = [], [], [], []
    for (ears, direct), (middle, middle_direct) in places:
        near_db.append(np.mean([_direct_db(*each) for each in zip(ears, direct, strict=True)], axis=0))
        lead_db.append(np.mean(_direct_db(middle[0], middle_direct[0]) - near_db[-1]))
        separation_db.append(_early_separation_db(ears, direct))
        # The right channel as the left one of a mirrored listener
        first = np.stack([_first(ears[0], direct[0]), _first(ears[1], direct[1])[::-1]])
        azimuth_deg += [_azimuths_deg(each, localiser) for each in first]
    by_time, by_level = np.median(azimuth_deg, axis=0)
    return {
        "direct_over_reverberant_db": np.mean(near_db, axis=0),
        "early_separation_db": np.mean(separation_db, axis=0),
        "azimuth_by_time_deg": float(by_time),
        "azimuth_by_level_deg": float(by_level),
        "center_lead_db": float(np.mean(lead_db)),
    }


def _panned_deg(places: Sequence[tuple[Heard, Heard]], localiser: Localiser) -> FloatArray:
    """Azimuths by time and by level of sounds between the sides, medians over places and both sides, (pans, 2)."""
    gains = pan_gains(PANS)
    mid = gains.mean(axis=0)
    azimuth_deg = []
    for sides, center in places:
        # Of left, right and centre; the upmix takes all of the mid
        parts = [np.concatenate(both) for both in zip(sides, center, strict=True)]
        for turn in (1, -1):  # the right side as the left one of a mirrored listener
            mix = np.concatenate([gains[::turn] - mid, [mid]])
            heard, direct = (np.einsum("cef,cp->pef", each, mix) for each in parts)
            first = [_first(*each)[::turn] for each in zip(heard, direct, strict=True)]
            azimuth_deg.append([_azimuths_deg(each, localiser) for each in first])
    return np.median(azimuth_deg, axis=0)


def _direct_db(ears: FloatArray, direct: FloatArray) -> FloatArray:
    """Direct over reverberant energy of both ears together, per octave."""
    quotient: FloatArray = _energy(direct).sum(axis=0) / _energy(ears - direct).sum(axis=0)
    return 10 * np.log10(quotient)


def _early_separation_db(ears: FloatArray, direct: FloatArray) -> FloatArray:
    left, right = (_energy(_first(*each)) for each in zip(ears, direct, strict=True))
    return 10 * np.log10(np.minimum(left[0] / left[1], right[1] / right[0]))


def _first(ears: FloatArray, direct: FloatArray) -> FloatArray:
    """What arrives in the first milliseconds after the direct sound begins, faded out over the last quarter."""
    frames = FIRST_MS / 1e3 * SAMPLE_RATE
    after = np.arange(ears.shape[-1]) - onset_frame(direct)
    return ears * np.clip((frames - after) / (0.25 * frames), 0.0, 1.0)


def _azimuths_deg(ears: FloatArray, localiser: Localiser) -> tuple[float, float]:
    """Azimuth by time and by level of impulse responses (2, frames)."""
    end = 1 + int(np.flatnonzero(np.any(ears, axis=0))[-1])
    turns = np.arange(end, dtype=np.float64) * (2 * np.pi / SAMPLE_RATE)
    by_time, by_level = (
        float(azimuth_deg(ears[:, :end] @ phasors(turns, frequency))) for _, frequency, azimuth_deg in localiser.cues()
    )
    return by_time, by_level


def _energy(signals: FloatArray) -> FloatArray:
    """Energy per octave, shape (..., 5)."""
    power = np.abs(rfft(signals)) ** 2
    frequency = rfftfreq(signals.shape[-1], 1 / SAMPLE_RATE)
    edges = zip(OCTAVE_EDGES_HZ[:-1], OCTAVE_EDGES_HZ[1:], strict=True)
    return np.stack([power[..., (low <= frequency) & (frequency < high)].sum(axis=-1) for low, high in edges], axis=-1)
