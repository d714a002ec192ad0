"""Play an audio file through a preset into another, in blocks: memory does not grow with the length."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from .apart import call_apart
from .audio_file import BLOCK_FRAMES, STANDARD_STREAM, open_stereo, opened_target
from .chain import Chain
from .levels import to_dbfs
from .presets import PresetLike, load_preset
from .render import Renderer, aligned
from .wav_file import WavWriter

Tail = float | Literal["auto"]
LONGEST_TAIL_S = 600.0


@dataclass(frozen=True)
class Rendered:
    """What was written.

    Attributes
    ----------
    channels, sample_rate, frames : int
        Layout and length of the file.
    peak_dbfs : float
        Its highest sample; -200 for silence.
    gain_db : float
        What ``safe_headroom`` turned everything down by.
    reduction_db : float
        What the limiter took besides, at most.
    status : str
        What the engine had to say.
    note : str
        What is worth knowing about the source: that it is cut off; empty where there is nothing.
    """

    channels: int
    sample_rate: int
    frames: int
    peak_dbfs: float
    gain_db: float
    reduction_db: float
    status: str
    note: str = ""


def render_file(
    source: str | Path,
    target: str | Path,
    preset: PresetLike,
    *,
    chain: Chain | None = None,
    match: Literal["programme"] | None = None,
    tail_s: Tail = 0.0,
    progress: Callable[[float], object] | None = None,
    **settings: Any,
) -> Rendered:
    """Play any stereo file through a preset and write a WAV file of 32-bit floats, aligned with it and as long.

    Parameters
    ----------
    source, target : str or Path
        Files; ``"-"`` is the standard input and output.
    preset : str, Path, dict or Preset
        What plays.
    chain : Chain, optional
        Effects before and after it. They play in a process of their own, so that a plugin that crashes is an error.
    match : "programme", optional
        Plays the file twice: first to measure it, then all headphones monitors, bypass and both presets equally loud
        for this file, exactly; see `Renderer.match`. Another preset to compare with is ``b``.
    tail_s : float or "auto", optional
        Silence that is played behind the end of the source, in s, so that what rings on is not cut off: with "auto" as
        long as `Renderer.tail_frames` says that Forestage may, which rooms need; effects of a chain may take longer.
    progress : callable, optional
        Called with the share that is done, 0..1, where the length is known beforehand.
    **settings
        As for ``Renderer``: parameters by their ids, ``b``, ``headphone_eq``.

    Raises
    ------
    RuntimeError
        When a plugin of the chain crashed; the message has its name.
    ValueError
        To match the standard input, which can be read once, or what a chain makes of the file; for a tail that is
        negative or no number.
    """
    _check_tail(tail_s)
    job: dict[str, Any] = {"source": source, "preset": load_preset(preset), "chain": chain, "settings": settings}
    if match is not None and (chain is not None or str(source) == STANDARD_STREAM):
        raise ValueError("match wants a file without a chain, as it plays it twice")
    job |= {"match": match, "tail_s": tail_s}
    with opened_target(target) as file:
        if chain is not None:
            result: Rendered = call_apart(render_into, file, job, name=str(source), progress=progress)
            return result
        return render_into(file, **job, progress=progress)


def _check_tail(tail_s: Tail) -> None:
    if tail_s != "auto" and not 0.0 <= float(tail_s) <= LONGEST_TAIL_S:
        raise ValueError(f"tail_s is {tail_s!r}; 0 to {LONGEST_TAIL_S:g} s would be right, or 'auto'")


def _silence(frames: int) -> Iterator[NDArray[np.float32]]:
    for start in range(0, frames, BLOCK_FRAMES):
        yield np.zeros((2, min(BLOCK_FRAMES, frames - start)), np.float32)


def _blocks(source: str | Path) -> Iterator[NDArray[np.float32]]:
    with open_stereo(source, told=lambda text: None) as reader:
        yield from reader.blocks(BLOCK_FRAMES)


def render_into(
    file: BinaryIO,
    *,
    source: str | Path,
    preset: PresetLike,
    chain: Chain | None,
    settings: dict[str, Any],
    match: Literal["programme"] | None = None,
    tail_s: Tail = 0.0,
    progress: Callable[[float], object] | None = None,
    at: Callable[[str], object] = lambda place: None,
) -> Rendered:
    """Play a file into one that is open, here and now; see `render_file`, and for ``at`` `Chain.played`."""
    notes: list[str] = []
    with open_stereo(source, told=notes.append) as reader:
        renderer = Renderer(preset, sample_rate=reader.sample_rate, **settings)
        if match is not None:
            renderer.match_passes(lambda: _blocks(source))
        layout = {"channels": renderer.output_channels, "sample_rate": reader.sample_rate}
        peak, done = 0.0, 0
        ringing = renderer.tail_frames - renderer.latency_frames
        tail = ringing if tail_s == "auto" else round(tail_s * reader.sample_rate)
        frames = None if reader.frames is None else reader.frames + tail
        blocks = itertools.chain(reader.blocks(BLOCK_FRAMES), _silence(tail))
        played = aligned(renderer, blocks) if chain is None else chain.played(blocks, renderer, at=at)
        with WavWriter(file, frames=frames, **layout) as writer:
            for block in played:
                writer.write(block)
                peak = max(peak, float(np.abs(block).max()))
                done += block.shape[1]
                if progress is not None and frames:
                    progress(done / frames)
    return Rendered(
        **layout,
        frames=done,
        peak_dbfs=to_dbfs(peak),
        gain_db=renderer.gain_db,
        reduction_db=renderer.most_reduction_db,
        status=renderer.status,
        note="; ".join(notes),
    )


@dataclass(frozen=True)
class Job:
    """One file to render; see `render_file`."""

    source: str | Path
    target: str | Path
    preset: PresetLike
    settings: Mapping[str, Any]
    chain: Chain | None = None
    match: Literal["programme"] | None = None
    tail_s: Tail = 0.0


def render_files(
    files: Sequence[tuple[str | Path, str | Path]],
    preset: PresetLike,
    *,
    chain: Chain | None = None,
    match: Literal["programme"] | None = None,
    tail_s: Tail = 0.0,
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
    chain : Chain, optional
        Effects before and after it; each file has instances of its own.
    match : "programme", optional
        Each file by itself, as in `render_file`.
    tail_s : float or "auto", optional
        As in `render_file`.
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
    _check_tail(tail_s)
    loaded = load_preset(preset)
    jobs = [Job(source, target, loaded, settings, chain, match, tail_s) for source, target in files]
    return render_jobs(jobs, threads=threads, progress=progress)


def render_jobs(
    jobs: Sequence[Job], *, threads: int | None = None, progress: Callable[[float], object] | None = None
) -> list[Rendered | Exception]:
    """Render files, each through a preset and with settings of its own; see `render_files`."""
    for preset, settings in {id(job.settings): (job.preset, job.settings) for job in jobs}.values():
        Renderer(preset, **settings)  # what no file could be rendered with is an error at once
    shares, lock, is_over = [0.0] * len(jobs), Lock(), Event()

    def render(index: int) -> Rendered | Exception:
        def told(share: float) -> None:
            if is_over.is_set():
                raise InterruptedError("stopped")
            with lock:
                shares[index] = share
                if progress is not None:
                    progress(sum(shares) / len(jobs))

        job = jobs[index]
        try:
            how: dict[str, Any] = {"chain": job.chain, "match": job.match, "tail_s": job.tail_s, **job.settings}
            return render_file(job.source, job.target, job.preset, progress=told, **how)
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            return error

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        try:
            return list(pool.map(render, range(len(jobs))))
        except BaseException:  # Ctrl-C ends those that play, and none is begun
            is_over.set()
            pool.shutdown(cancel_futures=True)
            raise
