"""Audio files as (channels, frames) float32, whole or in blocks."""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np
import soundfile
from numpy.typing import NDArray

from .files import no_file, written_whole
from .wav_file import WavWriter
from .whole_file import is_cut, was_cut

STANDARD_STREAM = "-"
BLOCK_FRAMES = 65_536


class StereoReader:
    """A stereo file that is being read; mono becomes two equal channels.

    Attributes
    ----------
    name : str
        What messages call it.
    sample_rate : int
        In Hz.
    frames : int or None
        Length; None for a stream, which may go on for any time.
    """

    def __init__(self, file: soundfile.SoundFile, name: str, told: Callable[[str], object]) -> None:
        if file.channels > 2:
            raise ValueError(f"{name}: has {file.channels} channels; stereo would be right")
        self.name = name
        self.sample_rate = int(file.samplerate)
        self.frames = int(file.frames) if file.seekable() else None
        self._file, self._told = file, told

    def skip(self, frames: int) -> None:
        """Leave out what comes next, in a file that is not a stream."""
        self._file.seek(frames, os.SEEK_CUR)

    def blocks(self, frames: int = BLOCK_FRAMES) -> Iterator[NDArray[np.float32]]:
        """Sound in blocks, shape (2, at most ``frames``).

        Raises
        ------
        ValueError
            For samples that are NaN or infinite, and when there is no sound at all.
        """
        position = 0
        while True:
            with _as_value_error(self.name):
                block = self._file.read(frames, dtype="float32", always_2d=True)
            if len(block) == 0:
                break
            if not np.isfinite(block).all():
                first_s = (position + int(np.argmin(np.isfinite(block).all(axis=1)))) / self.sample_rate
                raise ValueError(
                    f"{self.name}: holds samples that are NaN or infinite, from {first_s:.3f} s on; mend the file first"
                )
            position += len(block)
            stereo = block.T if block.shape[1] == 2 else np.repeat(block.T, 2, axis=0)
            yield np.ascontiguousarray(stereo)
        if position == 0:
            raise ValueError(f"{self.name}: holds no sound")
        if self.frames is None and (found := was_cut(self._file, position)):
            self._told(f"{self.name}: {found}")


@contextmanager
def _as_value_error(name: str) -> Iterator[None]:
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{name}: not an audio file that can be read ({error.error_string})") from None


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=2)


@contextmanager
def open_stereo(path: str | Path, told: Callable[[str], object] = _warn) -> Iterator[StereoReader]:
    """Open a stereo file (WAV, FLAC, OGG, ...) to be read in blocks; ``"-"`` is the standard input.

    Parameters
    ----------
    path : str or Path
        The file.
    told : callable, optional
        Called with what is worth knowing: that a file ends before its header says so. By default it is a warning.

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError
        When it is not audio, or has more than two channels.
    """
    if str(path) == STANDARD_STREAM:
        with _standard_input() as source, _opened(source, "standard input", told) as reader:
            yield reader
        return
    if not Path(path).is_file():
        raise FileNotFoundError(no_file(path))
    with _opened(str(path), str(path), told) as reader:
        yield reader


@contextmanager
def _opened(source: str | int, name: str, told: Callable[[str], object]) -> Iterator[StereoReader]:
    with _as_value_error(name):
        file = soundfile.SoundFile(source, closefd=False)
    with file:
        reader = StereoReader(file, name, told)
        if file.seekable() and (found := is_cut(file, source)):
            told(f"{name}: {found}")
        yield reader


@contextmanager
def _standard_input() -> Iterator[int]:
    """File descriptor that libsndfile can read from.

    Of what comes through a pipe it can follow WAV only; anything else goes through a file.
    """
    stream = sys.stdin.buffer
    if stream.seekable():
        yield stream.fileno()
        return
    head = stream.read(4)
    if head == b"RIFF":
        with _pumped(head, stream) as descriptor:
            yield descriptor
        return
    with tempfile.TemporaryFile() as file:
        file.write(head)
        for part in iter(lambda: stream.read(1 << 20), b""):
            file.write(part)
        file.seek(0)
        yield file.fileno()


@contextmanager
def _pumped(head: bytes, stream: IO[bytes]) -> Iterator[int]:
    """Put what was read already back in front of a stream, by a pipe that another thread fills."""
    end, begin = os.pipe()

    def pump() -> None:
        with open(begin, "wb", buffering=0) as pipe:
            try:
                pipe.write(head)
                for part in iter(lambda: stream.read1(1 << 16), b""):  # type: ignore[attr-defined]
                    pipe.write(part)
            except BrokenPipeError:  # nobody reads on: what is left is not wanted
                return

    thread = threading.Thread(target=pump, daemon=True)
    thread.start()
    try:
        yield end
    finally:
        os.close(end)


def read_stereo(path: str | Path) -> tuple[NDArray[np.float32], int]:
    """Read a stereo file (WAV, FLAC, OGG, ...); mono becomes two equal channels.

    Returns
    -------
    audio : numpy.ndarray, shape (2, frames), float32
    sample_rate : int
    """
    with open_stereo(path) as source:
        return np.concatenate(list(source.blocks()), axis=1), source.sample_rate


@contextmanager
def wav_writer(path: str | Path, *, channels: int, sample_rate: int, frames: int | None = None) -> Iterator[WavWriter]:
    """Write a WAV file of 32-bit floats in blocks; ``"-"`` is the standard output.

    The file appears when it is whole: what fails in the middle leaves nothing, and what was there before stays.
    From 4 GiB on it is RF64, as it may be when ``frames`` is not known beforehand.
    """
    with (
        opened_target(path) as file,
        WavWriter(file, channels=channels, sample_rate=sample_rate, frames=frames) as writer,
    ):
        yield writer


@contextmanager
def opened_target(path: str | Path) -> Iterator[BinaryIO]:
    """Open what is written, which appears when it is whole; ``"-"`` is the standard output."""
    if str(path) != STANDARD_STREAM:
        with written_whole(path) as file:
            yield file
        return
    yield sys.stdout.buffer
    sys.stdout.buffer.flush()


def write_wav(path: str | Path, audio: NDArray[np.float32], *, sample_rate: int) -> None:
    """Write (channels, frames) as a WAV file of 32-bit floats, from 4 GiB on as RF64."""
    channels, frames = audio.shape
    with wav_writer(path, channels=channels, sample_rate=sample_rate, frames=frames) as writer:
        for start in range(0, frames, BLOCK_FRAMES):
            writer.write(audio[:, start : start + BLOCK_FRAMES])
