"""Play an audio file through a preset into another, in blocks: memory does not grow with the length."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .audio_file import BLOCK_FRAMES, StereoReader, open_stereo, wav_writer
from .presets import PresetLike, load_preset
from .render import Renderer


@dataclass(frozen=True)
class Rendered:
    """What was written.

    Attributes
    ----------
    channels, sample_rate, frames : int
        Layout and length of the file.
    peak_dbfs : float
        Its highest sample.
    gain_db : float
        What ``safe_headroom`` turned everything down by.
    reduction_db : float
        What the limiter took besides, at most.
    status : str
        What the engine had to say.
    """

    channels: int
    sample_rate: int
    frames: int
    peak_dbfs: float
    gain_db: float
    reduction_db: float
    status: str


def render_file(
    source: str | Path,
    target: str | Path,
    preset: PresetLike,
    *,
    progress: Callable[[float], object] | None = None,
    **settings: Any,
) -> Rendered:
    """Play any stereo file through a preset and write a WAV file of 32-bit floats, as long and aligned with it.

    Parameters
    ----------
    source, target : str or Path
        Files; ``"-"`` is the standard input and output.
    preset : str, Path, dict or Preset
        What plays.
    progress : callable, optional
        Called with the share that is done, 0..1, where the length is known beforehand.
    **settings
        As for ``Renderer``: parameters by their ids, ``headphone_eq``.
    """
    with open_stereo(source) as reader:
        renderer = Renderer(preset, sample_rate=reader.sample_rate, **settings)
        layout = {"channels": renderer.output_channels, "sample_rate": reader.sample_rate}
        peak, done = 0.0, 0
        with wav_writer(target, frames=reader.frames, **layout) as writer:
            for block in _aligned(renderer, reader):
                writer.write(block)
                peak = max(peak, float(np.abs(block).max()))
                done += block.shape[1]
                if progress is not None and reader.frames:
                    progress(done / reader.frames)
    return Rendered(
        **layout,
        frames=done,
        peak_dbfs=20 * math.log10(max(peak, 1e-10)),
        gain_db=renderer.gain_db,
        reduction_db=renderer.most_reduction_db,
        status=renderer.status,
    )


def render_files(
    files: Sequence[tuple[str | Path, str | Path]],
    preset: PresetLike,
    *,
    threads: int | None = None,
    progress: Callable[[float], object] | None = None,
    **settings: Any,
) -> list[Rendered | Exception]:
    """Play several files through a preset, several at a time; see `render_file`.

    Parameters
    ----------
    files : sequence of (source, target)
        What is played, and what is written.
    preset : str, Path, dict or Preset
        What plays.
    threads : int, optional
        How many at a time; as many as the machine has cores by default.
    progress : callable, optional
        Called with the share that is done, 0..1, by any thread, one at a time.
    **settings
        As for ``Renderer``.

    Returns
    -------
    list of Rendered or Exception
        A file that could not be rendered has its error here; the others are rendered all the same.
    """
    loaded = load_preset(preset)
    Renderer(loaded, **settings)  # what no file could be rendered with is an error at once
    shares, lock, is_over = [0.0] * len(files), Lock(), Event()

    def render(index: int) -> Rendered | Exception:
        def told(share: float) -> None:
            if is_over.is_set():
                raise InterruptedError("stopped")
            with lock:
                shares[index] = share
                if progress is not None:
                    progress(sum(shares) / len(files))

        try:
            return render_file(*files[index], loaded, progress=told, **settings)
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            return error

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        try:
            return list(pool.map(render, range(len(files))))
        except BaseException:  # Ctrl-C ends those that play, and none is begun
            is_over.set()
            pool.shutdown(cancel_futures=True)
            raise


def _aligned(renderer: Renderer, reader: StereoReader) -> Iterator[NDArray[np.float32]]:
    """Play all of a file, with the latency taken out at the begin and made up for at the end."""
    late = early = renderer.latency_frames
    for block in reader.blocks(BLOCK_FRAMES):
        played = renderer.process(block)[:, early:]
        early = max(0, early - block.shape[1])
        if played.shape[1]:
            yield played
    if late:
        yield renderer.process(np.zeros((2, late), np.float32))[:, early:]
