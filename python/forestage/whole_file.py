"""Whether a sound file has all the sound that its header announces: libsndfile plays what is there without a word.

A header that holds nothing, or the most that fits, knows no length: who writes into a pipe cannot come back to it.
Sources: RIFF by Microsoft and IBM, EBU Tech 3306 (RF64), Sony's Wave64, Apple's AIFF.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import soundfile

MISSING_S = 0.01  # less is what careless writers count wrongly, such as their own header
MOST_CHUNKS = 10_000
SAMPLE_BYTES = (1, 2, 3, 4, 8)


@dataclass(frozen=True)
class _Form:
    """How a kind of file tells the size of what it holds.

    Attributes
    ----------
    first : int
        Bytes before the first chunk.
    head : str
        Name and size of a chunk, for `struct`.
    counted : int
        Bytes of the head that the size counts, too.
    step : int
        Chunks begin at multiples of so many bytes.
    data : bytes
        Name of the chunk with the sound.
    """

    first: int
    head: str
    counted: int
    step: int
    data: bytes


_RIFF = _Form(12, "<4sI", 0, 2, b"data")
_FORMS = {
    b"RIFF": _RIFF,
    b"RF64": _RIFF,
    b"BW64": _RIFF,
    b"RIFX": _Form(12, ">4sI", 0, 2, b"data"),
    b"FORM": _Form(12, ">4sI", 0, 2, b"SSND"),
    b"riff": _Form(40, "<16sQ", 24, 8, bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")),
}


def is_cut(file: soundfile.SoundFile, source: str | int) -> str | None:
    """Say how much of a file is there when its header announces more; None for whole files, and for what cannot tell.

    Parameters
    ----------
    file : soundfile.SoundFile
        The file as libsndfile has opened it.
    source : str or int
        Its path, or a descriptor that can be sought in; where it is read is left as it is.
    """
    descriptor = source if isinstance(source, int) else os.open(source, os.O_RDONLY)
    try:
        announced, there = _sound_bytes(descriptor)
    finally:
        if descriptor is not source:
            os.close(descriptor)
    if not 0 < there < announced:
        return None
    there_s = file.frames / file.samplerate
    return _told(there_s, there_s * announced / there)


def was_cut(file: soundfile.SoundFile, frames: int) -> str | None:
    """Say the same of a stream that has ended after so many frames."""
    if any(_is_unknown(file.frames * file.channels * width) for width in SAMPLE_BYTES):
        return None
    return _told(frames / file.samplerate, file.frames / file.samplerate)


def _told(there_s: float, announced_s: float) -> str | None:
    if announced_s - there_s < MISSING_S:
        return None
    return f"is cut off: {there_s:.2f} s are there, and its header announces {announced_s:.2f} s"


def check_whole(file: soundfile.SoundFile, path: Path) -> None:
    """Raise `ValueError` for a file that is cut off."""
    if found := is_cut(file, str(path)):
        raise ValueError(f"{path}: {found}; copy or record it again")


def _sound_bytes(descriptor: int) -> tuple[int, int]:
    """Bytes of sound that a header announces, and those that are there at most; zeros where it does not tell."""
    length = os.fstat(descriptor).st_size
    form = _FORMS.get(os.pread(descriptor, 4, 0))
    if form is None:
        return 0, 0
    head, at, long_size = struct.Struct(form.head), form.first, None
    for _ in range(MOST_CHUNKS):
        read = os.pread(descriptor, head.size, at)
        if len(read) < head.size:
            break
        name, size = head.unpack(read)
        size -= form.counted
        at += head.size
        if name == b"ds64":
            _, long_size = struct.unpack("<QQ", os.pread(descriptor, 16, at).ljust(16, b"\0"))
        if name == form.data:
            if size == 2**32 - 1 and long_size is not None:
                size = long_size
            return (0 if _is_unknown(size) else size), length - at
        if size < 0:
            break
        at += -(-size // form.step) * form.step
    return 0, 0


def _is_unknown(size: int) -> bool:
    """Whether a size stands for none: nothing, or next to the most in 31, 32, 63 or 64 bits, in whole frames."""
    return size <= 0 or any(2**bits - 0x2000 <= size <= 2**bits for bits in (31, 32, 63, 64))
