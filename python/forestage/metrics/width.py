"""How wide a design sounds at its own seat: separation of the ears, azimuth of a side sound, coherence of noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from forestage.acoustics.driver import Side
from forestage.acoustics.pair import pair_ears
from forestage.arrays import ComplexArray, FloatArray
from forestage.metrics.bands import log_grid
from forestage.metrics.chain import Chain
from forestage.metrics.localisation import Localiser
from forestage.metrics.played import Played
from forestage.metrics.separation import octave_separation_db

SEPARATION_HZ = log_grid(200.0, 6400.0, per_octave=24)
COHERENCE_HZ = np.arange(360.0, 2821.0, 10.0)
COHERENCE_OCTAVES_HZ = (500.0, 1000.0, 2000.0)
LAG_S = np.arange(-100, 101) * 1e-5
WIDTHS_DEG = (5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0)


def separation(design: Played) -> dict[str, FloatArray]:
    """Separation per octave in dB of plain stereo and of the design, shape (5,); see `octave_separation_db`.

    It is that of the cancellation alone: the virtual pair adds crosstalk on purpose.
    """
    chain = Chain.of(design, SEPARATION_HZ)
    return {
        name: octave_separation_db(SEPARATION_HZ, ears(design, SEPARATION_HZ, filters))
        for name, filters in (("plain", chain.plain), ("processed", chain.cancelled))
    }


def side_azimuth_deg(
    design: Played, widths_deg: Sequence[float] = WIDTHS_DEG, *, side: Side = "left"
) -> dict[str, dict[str, FloatArray]]:
    """Azimuth of a sound in one channel alone, in degrees, positive to the left.

    Parameters
    ----------
    design : Played
        The design, its filters as they are exported.
    widths_deg : sequence of float
        Half angles of the virtual pair, which are what real loudspeakers there would give.
    side : {"left", "right"}
        The channel.

    Returns
    -------
    dict
        ``["time" or "level"]["plain" or "processed"]``, see `Localiser`; shape (1,) for plain stereo and (widths,) for
        the design. Headphones have no plain stereo: a sound in one ear alone has no azimuth.
    """
    channel = ("left", "right").index(side)
    found: dict[str, dict[str, FloatArray]] = {}
    for cue, frequency, azimuth_deg in Localiser.in_place_of(design.device.listener).cues():
        chains = [Chain.of(design, frequency, width_deg=width_deg) for width_deg in widths_deg]
        staged = np.stack([chain.staged[:, channel] for chain in chains], axis=1)
        found[cue] = {"processed": azimuth_deg(ears(design, frequency, staged))}
        if not design.device.is_headphones:
            found[cue]["plain"] = azimuth_deg(ears(design, frequency, chains[0].plain[:, channel : channel + 1]))
    return found


def center_azimuth_deg(design: Played) -> dict[str, dict[str, float]]:
    """Azimuth of a sound in the centre alone, in degrees: ``["time" or "level"]["plain" or "processed"]``."""
    found = {}
    for cue, frequency, azimuth_deg in Localiser.in_place_of(design.device.listener).cues():
        chain = Chain.of(design, frequency)
        heard = azimuth_deg(ears(design, frequency, np.stack([chain.plain_center, chain.center], axis=1)))
        found[cue] = {"plain": float(heard[0]), "processed": float(heard[1])}
    return found


def coherence(design: Played) -> dict[str, FloatArray]:
    """Coherence of the ears for unrelated noise in both channels, in the octaves around 500, 1000 and 2000 Hz.

    Returns
    -------
    dict
        "plain", "processed", and "reference" for real loudspeakers where the virtual ones are: `interaural_coherence`.
    """
    chain = Chain.of(design, COHERENCE_HZ)
    heard = {
        "plain": ears(design, COHERENCE_HZ, chain.plain),
        "processed": ears(design, COHERENCE_HZ, chain.staged),
        "reference": pair_ears(design.device.listener, COHERENCE_HZ, width_deg=design.width_deg),
    }
    return {name: interaural_coherence(COHERENCE_HZ, responses) for name, responses in heard.items()}


def interaural_coherence(frequency_hz: ArrayLike, responses: ArrayLike) -> FloatArray:
    """Interaural cross-correlation coefficient (IACC of ISO 3382-1) of steady noise from unrelated sources.

    Parameters
    ----------
    frequency_hz : array_like, shape (n,)
        Frequencies in Hz, evenly spaced, over the octaves around 500, 1000 and 2000 Hz.
    responses : array_like of complex, shape (2, sources, n)
        Responses at the (left, right) ear.

    Returns
    -------
    ndarray, shape (3,)
        The largest correlation of the ears within +-1 ms: 1 for one point, low for a wide and enveloping sound.
    """
    frequency = np.asarray(frequency_hz, dtype=np.float64)
    left, right = np.asarray(responses)
    cross = np.sum(right * left.conj(), axis=0)
    energy = np.sum(np.abs([left, right]) ** 2, axis=1)
    found = []
    for centre_hz in COHERENCE_OCTAVES_HZ:
        inside = np.abs(np.log2(frequency / centre_hz)) <= 0.5
        lags = np.exp(2j * np.pi * np.outer(LAG_S, frequency[inside]))
        correlation = np.abs((lags @ cross[inside]).real).max()
        found.append(correlation / np.sqrt(energy[:, inside].sum(axis=-1).prod()))
    return np.array(found)


def ears(design: Played, frequency_hz: ArrayLike, filters: ComplexArray) -> ComplexArray:
    """Ears at the design's seat for filters (drivers, k, n), shape (2, k, n)."""
    return np.einsum("edf,dkf->ekf", design.plant.at(frequency_hz), filters)
