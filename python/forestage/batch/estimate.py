"""How long a batch will take, from a sample of it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from forestage.audio_file import open_stereo
from forestage.presets import load_preset
from forestage.render import Renderer

from .runner import Plan
from .store import Place, at_hand

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
    """Render the begin of the song of middle size by each preset; the rest goes by the size of the files."""
    jobs = sorted((job for job, _ in plan.todo), key=lambda job: job.source_bytes)
    job = jobs[len(jobs) // 2]
    with at_hand(Place.of(job.source)) as path, open_stereo(path) as reader:
        block = next(iter(reader.blocks(round(SAMPLE_S * reader.sample_rate))))
        heard_s = block.shape[1] / reader.sample_rate
        began = time.process_time()
        channels = []
        for preset in plan.presets:
            renderer = Renderer(load_preset(json.loads(preset.text)), sample_rate=reader.sample_rate, **settings)
            renderer.process(block)
            channels.append(renderer.output_channels)
        cpu_s = (time.process_time() - began) / len(plan.presets)
        seconds = reader.frames / reader.sample_rate if reader.frames else heard_s
        songs = sum(job.source_bytes for job in jobs) / max(job.source_bytes, 1)  # as many of the sample
        size = seconds * reader.sample_rate * SAMPLE_BYTES * float(np.mean(channels))
    return Estimate(songs * seconds / heard_s * cpu_s, songs * size, job.source, heard_s)
