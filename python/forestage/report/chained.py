"""What a chain of effects around Forestage does to level and spectrum, measured on what it plays."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from forestage.arrays import FloatArray
from forestage.audio_file import read_stereo, write_wav
from forestage.chain import Chain
from forestage.constants import SAMPLE_RATE
from forestage.metrics.bands import log_grid
from forestage.metrics.loudness import loudness_lufs, programme
from forestage.presets import PresetLike, load_preset
from forestage.render_file import Rendered, render_file
from forestage.short_repr import ShortRepr

from .charts import Chart, add_line, frequency_figure

MONITOR = "Headphones"
THIRDS_HZ = log_grid(40.0, 16_000.0, per_octave=3)
LOUD_DB = 12.0  # makes the programme as loud as a mix, so that compressors have something to do


@dataclass(frozen=True, repr=False)
class Chained(ShortRepr):
    """One preset with a chain and without.

    Attributes
    ----------
    gain_db : dict
        Power at the ears with the chain over that without, in thirds of octaves: of the whole, and of its parts.
    levels : tuple of float
        Loudness in LUFS without and with, peak in dBFS without and with, and what the limiter took in dB.
    """

    gain_db: dict[str, FloatArray]
    levels: tuple[float, ...]
    monitor: str = MONITOR


def through_chain(presets: Sequence[PresetLike], chain: Chain) -> list[Chained]:
    """Play noise with the spectrum of music through each preset, with the chain, with its first part, and without."""
    audio = 10 ** (LOUD_DB / 20) * programme()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / "programme.wav"
        write_wav(source, audio.astype(np.float32), sample_rate=SAMPLE_RATE)
        return [_chained(load_preset(preset), chain, source) for preset in presets]


def _chained(preset: PresetLike, chain: Chain, source: Path) -> Chained:
    target = source.with_name("ears.wav")
    thirds, loudness = {}, {}
    rendered: dict[str, Rendered] = {}
    for name, part in (("without", None), ("before", replace(chain, after=())), ("with", chain)):
        rendered[name] = render_file(source, target, preset, chain=part, monitor=MONITOR)
        ears, _ = read_stereo(target)
        thirds[name], loudness[name] = _thirds_db(ears), loudness_lufs(ears, sample_rate=SAMPLE_RATE)
    gain_db = {"whole chain": thirds["with"] - thirds["without"]}
    if chain.before and chain.after:
        gain_db["before Forestage"] = thirds["before"] - thirds["without"]
        gain_db["after Forestage"] = thirds["with"] - thirds["before"]
    both = ("without", "with")
    return Chained(
        gain_db,
        (
            *(loudness[name] for name in both),
            *(rendered[name].peak_dbfs for name in both),
            *(rendered[name].reduction_db for name in both),
        ),
    )


def _thirds_db(ears: np.ndarray) -> FloatArray:
    """Power of both ears in the third of an octave around each of THIRDS_HZ."""
    power = np.sum(np.abs(np.fft.rfft(np.asarray(ears, dtype=np.float64))) ** 2, axis=0)
    hz = np.fft.rfftfreq(ears.shape[1], 1 / SAMPLE_RATE)
    edges = np.searchsorted(hz, [THIRDS_HZ * 2 ** (-1 / 6), THIRDS_HZ * 2 ** (1 / 6)])
    total = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray(10 * np.log10(np.maximum(total[edges[1]] - total[edges[0]], 1e-30)))


def chain_chart(chained: Sequence[Chained]) -> Chart:
    """What the chain does to the spectrum at the ears."""
    figure = frequency_figure("level at the ears (dB)")
    for index, each in enumerate(chained):
        for colour, (name, values) in enumerate(each.gain_db.items()):
            add_line(figure, THIRDS_HZ, values, name, index, len(chained), colour)
    return Chart("What the chain changes", figure, "With the chain over without, noise with the spectrum of music.")
