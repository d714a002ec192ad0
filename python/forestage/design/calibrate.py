"""Static gains that make all monitors, and the design and the plain device, equally loud."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forestage.metrics.loudness import loudness_lufs, programme
from forestage.render import Renderer

SAMPLE_RATE = 48_000

Render = Callable[[Mapping[str, Any], NDArray[np.float32], str], NDArray[np.float32]]


@dataclass(frozen=True)
class Loudness:
    """Gains of a preset, in dB.

    Attributes
    ----------
    processed_db : float
        Brings the design to plain stereo on the same device, at the ears.
    device_ears_db : float
        Brings plain stereo on the device, at the ears, to the loudness of the input.
    reference_ears_db : float
        The same for the reference pair.
    """

    processed_db: float = 0.0
    device_ears_db: float = 0.0
    reference_ears_db: float = 0.0


def render_with_core(preset: Mapping[str, Any], audio: NDArray[np.float32], monitor: str) -> NDArray[np.float32]:
    """Play audio at 48 kHz through the engine; the default of `calibrate`."""
    return Renderer(preset, sample_rate=SAMPLE_RATE, monitor=monitor).process(audio)


def calibrate(preset: Mapping[str, Any], *, render: Render = render_with_core) -> Loudness:
    """Measure the gains of a preset.

    Parameters
    ----------
    preset : mapping
        A preset in its JSON form; its gains do not matter.
    render : callable
        ``render(preset, audio, monitor)`` plays stereo at 48 kHz and returns what the ears get.
    """
    neutral = dict(preset) | {"loudness": {"processed_db": 0.0, "device_ears_db": 0.0, "reference_ears_db": 0.0}}
    audio = programme(sample_rate=SAMPLE_RATE)
    source = loudness_lufs(audio, sample_rate=SAMPLE_RATE)
    design, plain, reference = (
        loudness_lufs(render(neutral, audio, monitor), sample_rate=SAMPLE_RATE)
        for monitor in ("Headphones", "Headphones Plain", "Headphones Reference")
    )
    return Loudness(round(plain - design, 3), round(source - plain, 3), round(source - reference, 3))
