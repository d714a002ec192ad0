"""What a worker does: one song by one preset, measured while it plays."""

from __future__ import annotations

import errno
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forestage import _core
from forestage.audio_file import StereoReader, open_stereo
from forestage.files import no_file
from forestage.metrics.level import HALF_TAPS, PHASES
from forestage.presets import load_preset
from forestage.render import Renderer, aligned
from forestage.wav_file import WavWriter

from .cluster import run_of_task
from .manifest import Job
from .rows import Row
from .store import Place, at_hand, sha256_of, written

LIMITED_DB = 1.0

Wanted = Callable[[], object]


@lru_cache(maxsize=32)
def _preset(text: str) -> _core.Preset:
    return load_preset(json.loads(text))


def play(job: Job, run: str, known_sha256: str | None = None) -> Row:
    """Do a job on a worker; what goes wrong with it is a row, too.

    Parameters
    ----------
    job : Job
        What to do.
    run : str
        Which run it is of: that has brought the preset here, and with its end the job gives up.
    known_sha256 : str, optional
        Content that the target was made of before: if the song still has it, nothing is to be done.
    """
    preset = _preset(run_of_task(run).texts[job.preset_sha256])
    return row_of(job, preset, known_sha256, wanted=lambda: run_of_task(run))


def row_of(job: Job, preset: _core.Preset, known_sha256: str | None = None, *, wanted: Wanted = lambda: None) -> Row:
    """Do a job here and now; ``wanted`` is called now and then, and may raise what ends it."""
    began = time.process_time()
    row: Row = job.row()
    try:
        row |= _played(job, preset, known_sha256, wanted)
        row["status"] = "done"
    except (MemoryError, OSError, RuntimeError, ValueError) as error:
        row |= {"status": "failed", "error": _reason(error)}
    return row | {"cpu_s": time.process_time() - began, "finished": datetime.now(UTC)}


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "no space left where the sounds go"
    return " ".join(str(error).split()) or type(error).__name__


def _played(job: Job, preset: _core.Preset, known_sha256: str | None, wanted: Wanted) -> Row:
    with at_hand(Place.of(job.source)) as source:
        if not source.is_file():
            raise FileNotFoundError(no_file(source))
        sha256 = sha256_of(source)
        row: Row = {"source_sha256": sha256, "key": job.key(sha256)}
        if sha256 == known_sha256:
            return row | {"unchanged": True}
        with written(Place.of(job.target)) as target:
            row |= rendered(source, target, preset, json.loads(job.settings), wanted=wanted)
            row["target_bytes"] = target.stat().st_size
    return row


def rendered(
    source: Path, target: Path, preset: _core.Preset, settings: Mapping[str, Any], *, wanted: Wanted = lambda: None
) -> Row:
    """Play a file into another, and tell what was heard."""
    notes: list[str] = []
    with open_stereo(source, told=notes.append) as reader, target.open("wb") as file:
        renderer = Renderer(preset, sample_rate=reader.sample_rate, **settings)
        layout = {"channels": renderer.output_channels, "sample_rate": reader.sample_rate}
        song, sound = _Meter(2, reader.sample_rate), _Meter(renderer.output_channels, reader.sample_rate)
        peak = _TruePeak(renderer.output_channels)
        limited: list[bool] = []
        with WavWriter(file, frames=reader.frames, **layout) as writer:
            for block in aligned(renderer, _heard(reader, song)):
                wanted()
                writer.write(block)
                sound.push(block)
                peak.push(block)
                limited.append(renderer.reduction_db > LIMITED_DB)
    return layout | {
        "frames": sound.frames,
        "loudness_in_lufs": song.loudness_lufs,
        "loudness_out_lufs": sound.loudness_lufs,
        "true_peak_out_dbtp": peak.end_dbtp(),
        "gain_db": renderer.gain_db,
        "reduction_db": renderer.most_reduction_db,
        "limited_share": sum(limited) / max(len(limited), 1),
        "side_in_db": song.side_db,
        "side_out_db": sound.side_db,
        "correlation_in": song.correlation,
        "correlation_out": sound.correlation,
        "note": "; ".join(text.removeprefix(f"{reader.name}: ") for text in notes) or None,
    }


def _heard(reader: StereoReader, meter: _Meter) -> Iterator[NDArray[np.float32]]:
    for block in reader.blocks():
        meter.push(block)
        yield block


class _Meter:
    """Figures of sound that comes in blocks: in constant memory."""

    def __init__(self, channels: int, sample_rate: int) -> None:
        self.frames = 0
        self._loudness = _core.LoudnessMeter(float(sample_rate), channel_weights=[1.0] * channels)
        self._left = self._right = self._both = 0.0

    def push(self, block: NDArray[np.float32]) -> None:
        """Hear a block, shape (channels, frames)."""
        self._loudness.push(np.ascontiguousarray(block))
        left, right = (block[row].astype(np.float64) for row in (0, -1))
        self._left += float(left @ left)
        self._right += float(right @ right)
        self._both += float(left @ right)
        self.frames += block.shape[1]

    @property
    def loudness_lufs(self) -> float | None:
        """Integrated; None for silence, or less than it needs."""
        value = self._loudness.integrated_lufs
        return value if math.isfinite(value) else None

    @property
    def side_db(self) -> float | None:
        """Power of left - right over left + right; None where one of them is silent."""
        mid, side = (self._left + self._right + sign * 2 * self._both for sign in (1, -1))
        return 10 * math.log10(side / mid) if min(mid, side) > 1e-9 * (self._left + self._right) else None

    @property
    def correlation(self) -> float | None:
        """Of left and right; None where one is silent."""
        power = math.sqrt(self._left * self._right)
        return self._both / power if power > 0 else None


class _TruePeak:
    """The highest true peak of sound that comes in blocks."""

    def __init__(self, channels: int) -> None:
        self._between = [_core.FirMatrix(PHASES[:, None]) for _ in range(channels)]
        self._most = 1e-10

    def push(self, block: NDArray[np.float32]) -> None:
        """Hear a block, shape (channels, frames)."""
        self._hear(block)
        for lane, between in zip(block, self._between, strict=True):
            self._hear(between.process(lane[None]))

    def _hear(self, sound: NDArray[np.float32]) -> None:
        self._most = max(self._most, float(sound.max()), -float(sound.min()))

    def end_dbtp(self) -> float:
        """End the sound; returns its peak in dB over full scale."""
        self.push(np.zeros((len(self._between), HALF_TAPS), np.float32))
        return 20 * math.log10(self._most)
