"""Music in, through the plugin, out to files; and what the files measure."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import ArrayLike, NDArray
from scipy.signal import resample_poly

from forestage import host
from forestage.audio_file import wav_writer
from forestage.constants import SAMPLE_RATE
from forestage.levels import to_dbfs
from forestage.metrics.loudness import loudness_lufs
from forestage.params import BY_ID, Value, session_values
from forestage.presets import load_preset, preset_form

Audio = NDArray[np.float32]
BLOCK_FRAMES = 65_536
RESPONSE_FRAMES = 4096
SHORTEST_S = 0.4  # one block of BS.1770
SUBTYPE = "PCM_24"  # every browser plays it, and it holds what the plugin's floats hold
_OVERSAMPLING = 4
_CONTEXT_FRAMES = 64


@dataclass(frozen=True)
class Levels:
    """What a file measures.

    Attributes
    ----------
    loudness_lufs : float or None
        BS.1770, for two channels of at least 0.4 s with sound above its gate of -70 LUFS.
    peak_dbfs : tuple of float
        Highest sample of each channel.
    true_peak_dbfs : float
        Highest value of any channel, four times oversampled.
    """

    loudness_lufs: float | None
    peak_dbfs: tuple[float, ...]
    true_peak_dbfs: float


class Player:
    """The VST3 in pedalboard, fed in blocks.

    Parameters
    ----------
    preset : path of a preset.
    sample_rate : int
        In Hz.
    **params
        Host parameters by id.
    """

    def __init__(self, preset: Path, *, sample_rate: int, **params: Any) -> None:
        self.sample_rate = sample_rate
        drivers = len(load_preset(preset).drivers)
        self.channels = max(2, drivers) if params.get("monitor") == "Speakers" else 2
        self._plugin: Any = host.load_plugin(preset, None, **params)

    def play(self, stereo: Audio, *, advance: Callable[[int], object] | None = None) -> Iterator[Audio]:
        """Play stereo, shape (2, frames); blocks as long as what went in, not yet aligned with it."""
        frames = stereo.shape[1]
        for start in range(0, frames, BLOCK_FRAMES):
            part = stereo[:, start : start + BLOCK_FRAMES]
            # pedalboard wants one row per output, and takes a block with few frames for one with few channels
            block = np.zeros((self.channels, BLOCK_FRAMES), np.float32)
            block[:2, : part.shape[1]] = part
            yield self._plugin.process(block, self.sample_rate, buffer_size=1024, reset=False)
            if advance is not None:
                advance(part.shape[1])

    def aligned(self, stereo: Audio, *, advance: Callable[[int], object] | None = None) -> Iterator[Audio]:
        """Play stereo; blocks that together are as long as it, with the reported latency taken out."""
        frames = stereo.shape[1]
        skip, written = None, 0
        padded = np.concatenate([stereo, np.zeros((2, BLOCK_FRAMES), np.float32)], axis=1)
        for block in self.play(padded, advance=advance):
            if skip is None:  # the latency is right once the plugin knows the rate; pedalboard may have taken it out
                skip = self.latency_frames - (BLOCK_FRAMES - block.shape[1])
            block = block[:, skip : skip + frames - written]
            skip, written = 0, written + block.shape[1]
            if block.shape[1]:
                yield block

    @property
    def latency_frames(self) -> int:
        """Latency the plugin reports at the rate of the last block."""
        return int(self._plugin.reported_latency_samples)

    @property
    def status(self) -> str:
        """What the plugin says about what it plays."""
        return str(self._plugin.status)


class Probe:
    """The VST3, asked with impulses: one plugin for all questions, because loading it takes longest."""

    def __init__(self, preset: Path, *, sample_rate: int = SAMPLE_RATE) -> None:
        self.sample_rate = sample_rate
        self._plugin: Any = host.load_plugin(preset)
        self._preset = load_preset(preset)
        self._form = preset_form(preset)

    def responses(self, stereo_gains: ArrayLike, frames: int = RESPONSE_FRAMES, /, **params: Value) -> Audio:
        """Send one impulse.

        Parameters
        ----------
        stereo_gains : array_like, shape (2,)
            How much of it goes to the left and the right input.
        frames : int
            Length of the answer.
        **params
            Host parameters by id; all others are the preset's.

        Returns
        -------
        ndarray, shape (drivers or 2, frames)
            What comes out, from the moment the impulse goes in.
        """
        for param_id, value in session_values(self._preset, params).items():
            self._plugin.parameters[param_id].raw_value = BY_ID[param_id].normalised(value)
        self._plugin.reset()
        lead, level = 4096, 0.125  # the parameters have settled, and the limiter is far
        channels = max(2, len(self._preset.drivers)) if params.get("monitor") == "Speakers" else 2
        impulse = np.zeros((channels, lead + frames), np.float32)
        impulse[:2, lead] = level * np.asarray(stereo_gains)
        played = self._plugin.process(impulse, self.sample_rate, buffer_size=1024, reset=False)
        taken_out = impulse.shape[1] - played.shape[1]  # what pedalboard took out as latency
        return played[:, lead - taken_out :] / np.float32(level)

    def ears_gain_db(self, *, in_room: bool) -> float:
        """Gain that the preset gives the device's ears in the room or in the free field."""
        return float((self._form["room"] if in_room else self._form)["loudness"]["device_ears_db"])

    @property
    def latency_frames(self) -> int:
        """Latency that the plugin reports after the first question."""
        return int(self._plugin.reported_latency_samples)


def write_blocks(path: Path, blocks: Iterator[Audio], *, sample_rate: int) -> None:
    """Write blocks as a WAV file of floats."""
    first = next(blocks)
    with wav_writer(path, channels=first.shape[0], sample_rate=sample_rate) as writer:
        writer.write(first)
        for block in blocks:
            writer.write(block)


def copy_with_gain(source: Path, target: Path, *, gain_db: float) -> None:
    """Copy a WAV file with a gain, to 24 bits."""
    with (
        soundfile.SoundFile(source) as file,
        soundfile.SoundFile(target, "w", file.samplerate, file.channels, SUBTYPE, format="WAV") as out,
    ):
        for block in file.blocks(BLOCK_FRAMES, dtype="float32"):
            out.write(block * np.float32(10 ** (gain_db / 20)))


def write_script(source: Path, folder: Path) -> Path:
    """Write a WAV file as a script with its samples for the page's player, as pages on a disk may load no sound."""
    audio, sample_rate = soundfile.read(source, dtype="int32", always_2d=True)
    flac = io.BytesIO()
    soundfile.write(flac, audio, sample_rate, SUBTYPE, format="FLAC")
    target = folder / f"{source.stem}.js"
    text = base64.b64encode(flac.getvalue()).decode("ascii")
    target.write_text(f"sounds[{json.dumps(source.stem)}] = {json.dumps(text)};\n", encoding="ascii")
    return target


def true_peak_dbfs(path: Path) -> float:
    """Highest value of any channel between the samples too."""
    highest = 0.0
    with soundfile.SoundFile(path) as file:
        for block in file.blocks(BLOCK_FRAMES, overlap=_CONTEXT_FRAMES, dtype="float32", always_2d=True):
            highest = max(highest, float(np.abs(resample_poly(block, _OVERSAMPLING, 1, axis=0)).max()))
    return to_dbfs(highest)


def measure(path: Path) -> Levels:
    """Measure a file as it lies on the disk."""
    audio, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    loudness = None
    if audio.shape[1] == 2 and len(audio) >= SHORTEST_S * sample_rate and np.any(audio):
        found = loudness_lufs(audio.T, sample_rate=sample_rate)
        loudness = found if np.isfinite(found) else None
    peaks = np.abs(audio).max(axis=0)
    return Levels(loudness, tuple(to_dbfs(float(peak)) for peak in peaks), true_peak_dbfs(path))
