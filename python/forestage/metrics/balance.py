"""How loud and how coloured centre, sides and what is between them are, against a real pair.

The same programmes go through the monitors of the device and of the reference pair. What counts is their difference
beyond one gain for all of them, as loudness is matched anyway: the balance of a mix, and its colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import welch

from forestage.acoustics.pair import pair_ears
from forestage.arrays import ComplexArray, FloatArray
from forestage.constants import SAMPLE_RATE
from forestage.metrics.bands import log_grid
from forestage.metrics.chain import Chain
from forestage.metrics.loudness import loudness_lufs, loudness_weight, programme_spectrum
from forestage.metrics.panning import pan_gains
from forestage.metrics.played import Played
from forestage.render import Renderer
from forestage.short_repr import ShortRepr

SECONDS = 6.0
SEED = 21
THIRDS_HZ = 1000.0 * 2.0 ** (np.arange(-10, 12) / 3)  # 100 Hz to 12.5 kHz
OCTAVES_HZ = 1000.0 * 2.0 ** np.arange(-4.0, 5.0)  # 63 Hz to 16 kHz
MID_PAN = 30.0
FREQUENCY_HZ = log_grid(80.0, 16_000.0, per_octave=96)
SEGMENT_FRAMES = 16384
SETTLE_S = 0.5


@dataclass(frozen=True, repr=False)
class Balance(ShortRepr):
    """Design minus reference at the ears, less what all programmes have in common.

    Attributes
    ----------
    loudness_lu : dict of float
        Per programme.
    third_db : dict of ndarray, shape (len(THIRDS_HZ),)
        Per programme, in third octaves, both ears together.
    """

    loudness_lu: dict[str, float]
    third_db: dict[str, FloatArray]

    @property
    def worst_lu(self) -> float:
        """Largest deviation of the loudness of a programme."""
        return max(abs(value) for value in self.loudness_lu.values())

    @property
    def worst_third_db(self) -> float:
        """Largest deviation of a third octave of a programme."""
        return max(float(np.abs(values).max()) for values in self.third_db.values())


def programmes(*, sample_rate: int = SAMPLE_RATE, seconds: float = SECONDS) -> dict[str, NDArray[np.float32]]:
    """Noise with the spectrum of music: mono, in either channel, between them, and unrelated in both."""
    frames = round(seconds * sample_rate)
    shape = programme_spectrum(np.fft.rfftfreq(frames, 1.0 / sample_rate))
    spectra = np.fft.rfft(np.random.default_rng(SEED).standard_normal((2, frames))) * shape
    noise = np.fft.irfft(spectra, frames)
    noise *= 0.05 / np.std(noise, axis=-1, keepdims=True)
    one = noise[0]
    pans = {"mono": 0.0, "left": 100.0, "right": -100.0, "between": MID_PAN}
    panned = {name: pan_gains(pan)[:, None] * one for name, pan in pans.items()}
    played = panned | {"decorrelated": np.sqrt(0.5) * noise}
    return {name: audio.astype(np.float32) for name, audio in played.items()}


def band_levels_db(audio: ArrayLike, centres_hz: ArrayLike, width_octaves: float, *, sample_rate: int) -> FloatArray:
    """Level of stereo in bands, both channels together, shape (bands,)."""
    frequency, power = welch(np.asarray(audio, dtype=np.float64), sample_rate, nperseg=SEGMENT_FRAMES)
    total = power.sum(axis=0)
    edge = 2.0 ** (width_octaves / 2)
    levels = [total[(frequency >= each / edge) & (frequency < each * edge)].sum() for each in np.asarray(centres_hz)]
    return 10 * np.log10(np.maximum(levels, 1e-30))


def balance(preset: Any, *, parameters: Mapping[str, Any] | None = None) -> Balance:
    """Play the programmes through the headphones monitors of the device and of the pair.

    Parameters
    ----------
    preset : preset
        What `Renderer` takes.
    parameters : mapping, optional
        Parameters of the preset, such as ``room``.
    """
    loudness, thirds = {}, {}
    for name, audio in programmes().items():
        ears = {
            monitor: _played(preset, audio, monitor, parameters) for monitor in ("Headphones", "Headphones Reference")
        }
        design, reference = (loudness_lufs(each, sample_rate=SAMPLE_RATE) for each in ears.values())
        loudness[name] = design - reference
        levels = [band_levels_db(each, THIRDS_HZ, 1 / 3, sample_rate=SAMPLE_RATE) for each in ears.values()]
        thirds[name] = levels[0] - levels[1]
    return _less_common(loudness, thirds)


def balance_of(design: Played, *, sample_rate: int = SAMPLE_RATE) -> dict[str, Balance]:
    """The same from the exported filters at the seat, of "plain" stereo and "processed", the upmix taking all it can.

    Loudness is that of the part between 80 Hz and 16 kHz.
    """
    chain, seat = Chain.of(design, FREQUENCY_HZ, sample_rate=sample_rate), design.plant.at(FREQUENCY_HZ)
    sides, plain = (np.einsum("edf,dcf->ecf", seat, each) for each in (chain.staged, chain.plain))
    center = np.einsum("edf,df->ef", seat, chain.center)
    pair = pair_ears(design.device.listener, FREQUENCY_HZ)
    between = pan_gains(MID_PAN)
    mid = between.min()
    return {
        "plain": _against(_heard(plain, plain.sum(axis=1), between, 0.0), _heard(pair, pair.sum(axis=1), between, 0.0)),
        "processed": _against(_heard(sides, center, between, mid), _heard(pair, pair.sum(axis=1), between, mid)),
    }


def _heard(sides: ComplexArray, center: ComplexArray, between: FloatArray, mid: float) -> dict[str, FloatArray]:
    """Power at both ears together for each programme, shape (n,)."""
    mixed = np.einsum("ecf,c->ef", sides, between - mid) + mid * center
    waves = {"mono": np.sqrt(0.5) * center, "left": sides[:, 0], "right": sides[:, 1], "between": mixed}
    power = {name: np.sum(np.abs(wave) ** 2, axis=0) for name, wave in waves.items()}
    return power | {"decorrelated": 0.5 * (power["left"] + power["right"])}


def _against(design: dict[str, FloatArray], reference: dict[str, FloatArray]) -> Balance:
    weight = (programme_spectrum(FREQUENCY_HZ) ** 2 * FREQUENCY_HZ) * loudness_weight(FREQUENCY_HZ)
    edge = 2.0 ** (1 / 6)
    thirds = (THIRDS_HZ[:, None] / edge <= FREQUENCY_HZ) & (THIRDS_HZ[:, None] * edge > FREQUENCY_HZ)
    loudness = {name: float(10 * np.log10((design[name] @ weight) / (reference[name] @ weight))) for name in design}
    levels = {name: 10 * np.log10((thirds @ design[name]) / (thirds @ reference[name])) for name in design}
    return _less_common(loudness, levels)


def _less_common(loudness: dict[str, float], levels: dict[str, FloatArray]) -> Balance:
    common = (max(loudness.values()) + min(loudness.values())) / 2
    return Balance(
        {name: float(value - common) for name, value in loudness.items()},
        {name: values - common for name, values in levels.items()},
    )


def octaves_db(preset: Any, music: ArrayLike, *, parameters: Mapping[str, Any] | None = None) -> FloatArray:
    """Design minus reference per octave of `OCTAVES_HZ` for music at 48 kHz, less the mean of the octaves."""
    audio = np.asarray(music, dtype=np.float32)
    design, reference = (
        band_levels_db(_played(preset, audio, monitor, parameters), OCTAVES_HZ, 1.0, sample_rate=SAMPLE_RATE)
        for monitor in ("Headphones", "Headphones Reference")
    )
    over: FloatArray = design - reference
    return over - over.mean()


def _played(
    preset: Any, audio: NDArray[np.float32], monitor: str, parameters: Mapping[str, Any] | None
) -> NDArray[np.float32]:
    renderer = Renderer(preset, sample_rate=SAMPLE_RATE, monitor=monitor, **(parameters or {}))
    late = renderer.latency_frames + round(SETTLE_S * SAMPLE_RATE)
    return renderer.process(audio)[:, late:]
