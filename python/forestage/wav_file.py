"""WAV files of 32-bit floats of any length, written as the sound is made, to a file or into a pipe.

libsndfile cannot write WAV into a pipe, and ends a plain WAV file at 4 GiB without a word. Format: EBU Tech 3306
(RF64), of which a plain WAV file is the form for less than 4 GiB.
"""

from __future__ import annotations

import os
import struct
from types import TracebackType
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

LARGEST_RIFF = 2**32 - 1  # bytes, in a field of 32 bits; as a size it means that another place has it, or no one
BYTES_PER_SAMPLE = 4
_FLOAT = 3  # WAVE_FORMAT_IEEE_FLOAT
_EXTENSIBLE = 0xFFFE
_FLOAT_GUID = bytes.fromhex("0300000000001000800000aa00389b71")
_NO_SPEAKERS = 0  # channel mask: driver feeds are numbered, so that no program takes the sixth for a subwoofer


def wav_header(channels: int, sample_rate: int, frames: int | None) -> bytes:
    """Everything before the samples; always as long, so that it can be written anew.

    Parameters
    ----------
    channels : int
        Channels; more than two are numbered, not placed.
    sample_rate : int
        In Hz.
    frames : int or None
        Length; None when nobody knows it, as in a stream. From 4 GiB on this is RF64.
    """
    frame_bytes = channels * BYTES_PER_SAMPLE
    form = _FLOAT if channels <= 2 else _EXTENSIBLE
    layout = struct.pack("<HHIIHH", form, channels, sample_rate, sample_rate * frame_bytes, frame_bytes, 32)
    layout += b"\0\0" if form == _FLOAT else struct.pack("<HHI", 22, 32, _NO_SPEAKERS) + _FLOAT_GUID
    data_bytes = LARGEST_RIFF if frames is None else frames * frame_bytes

    def header(riff: bytes, riff_size: int, long_sizes: bytes, frames_field: int, data_size: int) -> bytes:
        chunks = long_sizes + _chunk(b"fmt ", layout) + _chunk(b"fact", struct.pack("<I", frames_field))
        return riff + struct.pack("<I", riff_size) + b"WAVE" + chunks + b"data" + struct.pack("<I", data_size)

    unused = _chunk(b"JUNK", bytes(28))
    after_size = len(header(b"RIFF", 0, unused, 0, 0)) - 8
    riff_bytes = after_size + data_bytes
    if frames is None:
        return header(b"RIFF", LARGEST_RIFF, unused, LARGEST_RIFF, LARGEST_RIFF)
    if riff_bytes < LARGEST_RIFF:
        return header(b"RIFF", riff_bytes, unused, frames, data_bytes)
    sizes = _chunk(b"ds64", struct.pack("<QQQI", riff_bytes, data_bytes, frames, 0))
    return header(b"RF64", LARGEST_RIFF, sizes, LARGEST_RIFF, LARGEST_RIFF)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


class WavWriter:
    """Writes blocks as they are made; memory does not grow with the length.

    Parameters
    ----------
    file : binary file
        Opened for writing; stays open. A pipe will do when the length is known, and nearly always when it is not.
    channels : int
        Rows of every block.
    sample_rate : int
        In Hz.
    frames : int, optional
        How many there will be. Where more or fewer come, the header is mended when the file can be sought in.
    """

    def __init__(self, file: BinaryIO, *, channels: int, sample_rate: int, frames: int | None = None) -> None:
        self._file = file
        self._layout = channels, sample_rate
        self._announced = frames
        self._written = 0
        # What may need RF64 is RF64 from the first byte, as nothing could be put right in a file that was cut off
        may_grow = frames is None and file.seekable()
        self._start = file.tell() if file.seekable() else 0
        file.write(wav_header(channels, sample_rate, LARGEST_RIFF if may_grow else frames))

    def write(self, block: NDArray[np.float32]) -> None:
        """Append a block, shape (channels, frames)."""
        self._file.write(np.ascontiguousarray(block.T, dtype="<f4").data)
        self._written += block.shape[1]

    def __enter__(self) -> WavWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._written != self._announced and self._file.seekable():
            self._file.seek(self._start)
            self._file.write(wav_header(*self._layout, self._written))
            self._file.seek(0, os.SEEK_END)
