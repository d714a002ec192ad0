"""Recordings of sweeps: read, and refused with a reason and what to do where they are no good."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from forestage.arrays import FloatArray
from forestage.measure.plan import PLAN_NAME, Plan
from forestage.whole_file import is_cut

# A recorder that runs for longer than this besides the sweeps was forgotten
MOST_MORE_S = 120.0
SILENT_DBFS = -80.0
# Samples at the peak in a row; below full scale, where something on the way may have clipped, so many times
CLIPPED_RUN = 3
CLIPPED_SHARE = 1.0 - 1e-6
FULL_SCALE = 0.99
CLIPPED_TIMES = 5
ENDINGS = (".wav", ".flac", ".w64", ".aiff", ".aif")


@dataclass(frozen=True)
class Take:
    """A recording of sweeps at a place: of all drivers, or of one; ``number`` counts those of the same.

    Examples
    --------
    >>> take_of(Path("place-2-left-take-3.wav"), ["left", "right"])
    Take(path=PosixPath('place-2-left-take-3.wav'), place=1, drivers=(0,), number=3)
    """

    path: Path
    place: int
    drivers: tuple[int, ...]
    number: int


def take_of(path: Path, names: Sequence[str]) -> Take | None:
    """What a file is a recording of, by its name: ``place-2.wav``, ``place-2-left.wav``, ``place-2-take-2.wav``."""
    match = re.fullmatch(r"place-(\d+)(?:-(.+?))??(?:-take-(\d+))?", path.stem.lower())
    if match is None or int(match[1]) < 1:
        return None
    if match[2] not in (None, "all", *names):
        return None
    drivers = tuple(range(len(names))) if match[2] in (None, "all") else (list(names).index(match[2]),)
    return Take(path, int(match[1]) - 1, drivers, int(match[3] or 1))


def find_takes(folder: Path, plan: Plan) -> list[Take]:
    """All recordings of a folder, which must have every driver at every place.

    Raises
    ------
    FileNotFoundError
        When there is no such folder.
    ValueError
        When a name says nothing, or something is missing.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: no such folder; one with place-1.wav and so on would be right")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    takes = []
    for path in files:
        take = take_of(path, plan.names)
        if take is None or take.place >= len(plan.places_m):
            raise ValueError(
                f"{path}: names no recording of the plan; place-1.wav to place-{len(plan.places_m)}.wav would be "
                f"right, or place-1-{plan.names[0]}.wav and so on"
            )
        takes.append(take)
    there = {(take.place, driver) for take in takes for driver in take.drivers}
    for place in range(len(plan.places_m)):
        for driver, name in enumerate(plan.names):
            if (place, driver) not in there:
                raise ValueError(
                    f"{folder}: has no recording of {plan.drivers[driver].name} at place {place + 1}; "
                    f"place-{place + 1}.wav of {plan.device.slug}-all.wav, or place-{place + 1}-{name}.wav, is missing"
                )
    return takes


def find_plan(recordings: Path, sweeps: Path | None) -> Path:
    """Where the plan of recordings is: in the folder that is named, with them, or in ``sweeps`` beside them."""
    folders = [sweeps] if sweeps is not None else [recordings, recordings.absolute().parent / "sweeps"]
    for folder in folders:
        if (folder / PLAN_NAME).is_file():
            return folder / PLAN_NAME
    where = " or ".join(map(str, folders))
    raise FileNotFoundError(
        f"{PLAN_NAME} is not in {where}; --sweeps FOLDER, of `forestage measure sweeps`, would tell where"
    )


def read_recording(path: Path, plan: Plan, *, frames: int) -> FloatArray:
    """Read a recording of so many frames of sweeps, shape (1 or 2 ears, frames).

    Raises
    ------
    ValueError
        For what is not audio, of another rate, of the wrong channels, far too long or short, silent, or clipped.
    """
    channels = 2 if plan.is_ears else 1
    try:
        with soundfile.SoundFile(path) as file:
            _check_header(file, plan, channels, frames)
            if found := is_cut(file, str(path)):
                raise ValueError(f"{found}; copy it again, or record again")
            audio = file.read(dtype="float64", always_2d=True).T
    except soundfile.SoundFileError as error:
        raise ValueError(f"{path}: not a readable audio file ({error})") from error
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    try:
        return _checked(audio, channels, plan.sample_rate)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _check_header(file: soundfile.SoundFile, plan: Plan, channels: int, frames: int) -> None:
    """Check what a header says, before it sizes anything."""
    if file.samplerate != plan.sample_rate:
        raise ValueError(
            f"is recorded at {file.samplerate} Hz, and the sweeps are for {plan.sample_rate} Hz; set the recorder to "
            f"{plan.sample_rate} Hz, or make sweeps with --sample-rate {file.samplerate}"
        )
    if file.channels < channels:
        raise ValueError("is mono: a recording of two ears has two channels, left and right; record in stereo")
    if file.channels > 2:
        raise ValueError(f"has {file.channels} channels; {channels} would be right")
    needed_s, has_s = frames / plan.sample_rate, file.frames / plan.sample_rate
    if has_s > needed_s + MOST_MORE_S:
        raise ValueError(
            f"is {has_s / 60:.0f} minutes long, and the sweeps take {needed_s:.0f} s; cut it to them, a second before "
            "the first chirp to a second after the last"
        )


def _checked(audio: FloatArray, channels: int, sample_rate: int) -> FloatArray:
    if not np.isfinite(audio).all():
        raise ValueError("holds samples that are NaN or infinite; export it from the recorder again")
    if channels == 1 and len(audio) == 2:
        audio = _one_of_two(audio)
    for row, ear in zip(audio, ("left", "right"), strict=False):
        whose = f"in the {ear} channel " if channels == 2 else ""
        peak = float(np.abs(row).max(initial=0.0))
        if peak < 10.0 ** (SILENT_DBFS / 20):
            raise ValueError(
                f"is silent {whose}(below {SILENT_DBFS:g} dBFS); choose the microphone as the recorder's input"
            )
        if (at := _clipped_at(row, peak)) is not None:
            over_db = 20 * math.log10(peak)
            raise ValueError(
                f"is clipped {whose}at {at / sample_rate:.2f} s ({over_db:.1f} dBFS); turn the microphone's gain down "
                "by 6 dB, and record again"
            )
    return audio[:channels]


def _one_of_two(audio: FloatArray) -> FloatArray:
    """A microphone that a recorder wrote into two channels, or into one of them."""
    peaks = np.abs(audio).max(axis=1, initial=0.0)
    if np.abs(audio[0] - audio[1]).max(initial=0.0) <= 1e-3 * peaks.max(initial=0.0):
        return audio[:1]
    if peaks.min() < 10.0 ** (SILENT_DBFS / 20):
        return audio[[int(np.argmax(peaks))]]
    raise ValueError(
        "has two different channels, and a measurement microphone is one; record in mono, or plan for two ears with "
        "--ears"
    )


def _clipped_at(row: FloatArray, peak: float) -> int | None:
    """The first frame of several in a row that stand at the peak; None for none."""
    runs = []
    for side in (row, -row):
        at_peak = np.convolve(side >= CLIPPED_SHARE * peak, np.ones(CLIPPED_RUN, dtype=int), "valid")
        runs += np.flatnonzero(np.diff(at_peak == CLIPPED_RUN, prepend=False, append=False))[::2].tolist()
    return min(runs) if len(runs) >= (1 if peak >= FULL_SCALE else CLIPPED_TIMES) else None
