"""How long a batch will take, from a sample of it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forestage.audio_file import open_stereo, write_wav
from forestage.presets import load_preset

from .runner import Plan
from .store import Place, at_hand
from .task import rendered

SAMPLE_S = 20.0
SAMPLE_BYTES = 4


@dataclass(frozen=True)
class Estimate:
    """What is left to do, by the size of the files.

    Attributes
    ----------
    cpu_s : float
        Processor time of all jobs.
    output_bytes : float
        Size of what is written.
    sample : str
        The song, of middle size, that was rendered in part.
    heard_s : float
        How much of it.
    """

    cpu_s: float
    output_bytes: float
    sample: str
    heard_s: float


def estimate(plan: Plan, settings: Mapping[str, Any]) -> Estimate:
    """Do the begin of a song of middle size by each preset; the rest goes by the size of the files.

    Raises
    ------
    OSError, ValueError
        When no song can be read; the message is on the last one.
    """
    jobs = sorted((job for job, _ in plan.todo), key=lambda job: job.source_bytes)
    middle = jobs[len(jobs) // 2].source_bytes
    songs = {job.source: job.source_bytes for job in sorted(jobs, key=lambda job: abs(job.source_bytes - middle))}
    for rest, (source, size) in enumerate(songs.items(), start=1 - len(songs)):
        try:
            sample = _sample(source, plan, settings)
        except (OSError, ValueError):
            if rest == 0:
                raise
            continue
        many = sum(job.source_bytes for job in jobs) / max(size, 1)  # as many of the sample
        return replace(sample, cpu_s=many * sample.cpu_s, output_bytes=many * sample.output_bytes)
    raise ValueError("nothing to do; a plan with something to do would be right")


def _sample(source: str, plan: Plan, settings: Mapping[str, Any]) -> Estimate:
    """What one song takes by one preset."""
    presets = [load_preset(json.loads(each.text)) for each in plan.presets]
    with at_hand(Place.of(source)) as path, tempfile.TemporaryDirectory(prefix="forestage-") as folder:
        begin, sound = Path(folder) / "begin.wav", Path(folder) / "sound.wav"
        with open_stereo(path) as reader:
            block = next(iter(reader.blocks(round(SAMPLE_S * reader.sample_rate))))
            frames, sample_rate = reader.frames or block.shape[1], reader.sample_rate
        write_wav(begin, block, sample_rate=sample_rate)
        began = time.process_time()
        channels = [rendered(begin, sound, preset, settings)["channels"] for preset in presets]
        cpu_s = (time.process_time() - began) / len(presets)
    size = frames * SAMPLE_BYTES * float(np.mean(channels))
    return Estimate(cpu_s * frames / block.shape[1], size, source, block.shape[1] / sample_rate)
