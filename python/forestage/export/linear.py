"""What a preset does without its upmix: from left and right to each driver, as impulse responses.

They are what the engine itself answers to an impulse, at the settings of the preset: nothing is computed twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._core import Preset
from ..audio_file import write_wav
from ..constants import SAMPLE_RATE
from ..params import Value
from ..presets import PresetLike, load_preset
from ..render import Renderer
from ..short_repr import ShortRepr

# Below the threshold of the limiter, and a power of two, so that scaling back is exact
_IMPULSE = 2.0**-10
_HEARD_S = 0.5  # an impulse response has long ended by then
_SILENT = 1e-7  # of the largest sample: what lies under it at both ends is cut off
_FIXED = {"monitor", "upmix", "upmix_quality", "solo", "center_focus", "center_level_db", "room", "slot"}
SIDES = ("left", "right")


@dataclass(frozen=True, repr=False)
class LinearFilters(ShortRepr):
    """Impulse responses from left and right to the drivers.

    Attributes
    ----------
    name : str
        Of the preset.
    drivers : tuple of str
        In the order of the feeds.
    taps : numpy.ndarray, shape (drivers, 2, frames), float32
        From left and right to each driver.
    sample_rate : int
        In Hz.
    gain_db : float
        The gain for headroom that is in the taps, 0 or less. Above it a limiter guards the plugin; a convolver clips.
    delay_frames : int
        How late the taps are: where an impulse goes straight through.
    """

    name: str
    drivers: tuple[str, ...]
    taps: NDArray[np.float32]
    sample_rate: int
    gain_db: float
    delay_frames: int

    def summary(self) -> list[str]:
        """What a user should know who opens the file, line by line."""
        return [
            f"Forestage: {self.name}, for {', '.join(self.drivers)}, in this order, at {self.sample_rate} Hz",
            "The virtual pair and the cancellation of crosstalk, without the upmix: the centre is not beamed",
            f"{self.delay_frames / self.sample_rate * 1e3:.1f} ms late; {-self.gain_db:.1f} dB are taken off for"
            " headroom, and peaks beyond them clip",
        ]


def linear_filters(preset: PresetLike, *, sample_rate: int = SAMPLE_RATE, **params: Value) -> LinearFilters:
    """Listen to what a preset makes of an impulse at left and at right, with nothing taken out for the centre.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        As for `load_preset`.
    sample_rate : int
        In Hz.
    **params
        Parameters by their ids, such as ``amount=80``, as far as they concern the drivers.

    Raises
    ------
    ValueError
        For a parameter that the filters have no part of, such as ``upmix``.
    """
    for param_id in _FIXED & params.keys():
        raise ValueError(f"{param_id}: filters have no such setting; they play from left and right to the drivers")
    loaded = load_preset(preset)
    heard = [_heard(loaded, side, sample_rate, params) for side in range(2)]
    renderer = heard[0][0]
    taps = np.stack([feeds for _, feeds in heard], axis=1)
    loud = np.flatnonzero(np.abs(taps).max(axis=(0, 1)) > _SILENT * np.abs(taps).max())
    first, last = int(loud[0]), int(loud[-1])
    return LinearFilters(
        name=loaded.name,
        drivers=tuple(loaded.drivers),
        taps=np.ascontiguousarray(taps[:, :, first : last + 1]),
        sample_rate=sample_rate,
        gain_db=renderer.gain_db,
        delay_frames=renderer.latency_frames - first,
    )


def _heard(
    preset: Preset, side: int, sample_rate: int, params: Mapping[str, Any]
) -> tuple[Renderer, NDArray[np.float32]]:
    renderer = Renderer(preset, sample_rate=sample_rate, monitor="Speakers", upmix=0, **params)
    x = np.zeros((2, round(_HEARD_S * sample_rate)), np.float32)
    x[side, 0] = _IMPULSE
    return renderer, renderer.process(x)[: len(preset.drivers)] / np.float32(_IMPULSE)


def write_sides(filters: LinearFilters, files: Sequence[Path]) -> None:
    """Write one WAV file for left and one for right, a channel per driver."""
    for side, path in enumerate(files):
        write_wav(path, filters.taps[:, side], sample_rate=filters.sample_rate)
