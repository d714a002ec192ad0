"""Rooms by other means: the image list of pyroomacoustics, summed as exact delays; and patterns to listen with."""

import numpy as np
import pyroomacoustics as pra

from forestage.acoustics.shoebox import OCTAVES_HZ


def first_order(axis, omni):
    """Harmonics of ``omni + (1 - omni) cos`` of the angle to ``axis``: the cardioid family, shape (1, 4)."""
    x, y, z = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    gradient = (1 - omni) * np.sqrt(4 * np.pi / 3)
    return np.array([[omni * np.sqrt(4 * np.pi), gradient * y, gradient * z, gradient * x]])


def other_room(room, *, source_m, receiver_m, max_order, sample_rate, source=None, receiver=None):
    """The same room in pyroomacoustics, images found; ``source`` and ``receiver`` are (axis, omni)."""
    pra.constants.set("rir_hpf_enable", False)
    walls = [
        pra.Material({"coeffs": wall.tolist(), "center_freqs": list(OCTAVES_HZ)})
        if np.ptp(wall)
        else pra.Material(wall[0])
        for wall in room.absorption
    ]
    names = ("west", "east", "south", "north", "floor", "ceiling")
    other = pra.ShoeBox(
        room.dimensions_m, fs=sample_rate, materials=dict(zip(names, walls, strict=True)), max_order=max_order
    )
    patterns = [p and pra.directivities.CardioidFamily(np.array(p[0], dtype=float), p[1]) for p in (source, receiver)]
    other.add_source(source_m, directivity=patterns[0])
    other.add_microphone(receiver_m, directivity=patterns[1])
    other.image_source_model()
    return other


def exact_spectrum(other, frequency_hz, band_weights=None):
    """Spectrum of a room of pyroomacoustics: its images, its damping and its patterns, with exact delays.

    Damping per octave is interpolated with ``band_weights``, shape (bands, n); it has one octave more, at 16 kHz.
    """
    source = other.sources[0]
    ways = source.images - other.mic_array.R
    distance = np.linalg.norm(ways, axis=0)
    gains = source.damping / distance
    if source.directivity is not None:
        gains = gains * source.directivity.get_response_cartesian(source.directions[0].T)
    if other.mic_array.directivity[0] is not None:
        gains = gains * other.mic_array.directivity[0].get_response_cartesian(ways.T)
    turns = np.exp(-2j * np.pi * np.outer(distance / other.c, frequency_hz))
    if len(gains) == 1:
        return gains[0] @ turns
    return np.sum(band_weights * (gains[: len(band_weights)] @ turns), axis=0)


def spectrum_at(response, frequency_hz, sample_rate):
    return response @ np.exp(-2j * np.pi * np.outer(np.arange(len(response)) / sample_rate, frequency_hz))


def error_db(ours, truth):
    """Energy of the difference over that of the truth."""
    return 10 * np.log10(np.sum(np.abs(ours - truth) ** 2, axis=-1) / np.sum(np.abs(truth) ** 2, axis=-1))
