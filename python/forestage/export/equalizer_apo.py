"""Equalizer APO: a configuration of commands, with its filters beside it.

Source: Equalizer APO, "Configuration reference" (Copy with virtual channels, Channel, Convolution).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..audio_file import write_wav
from ..constants import SAMPLE_RATE
from ..params import Value
from ..presets import PresetLike
from .linear import SIDES, linear_filters
from .target import checked_channels, checked_targets, text_target, write_text

_CHANNELS = {
    2: ("L", "R"),
    3: ("L", "R", "C"),
    4: ("L", "R", "RL", "RR"),
    5: ("L", "R", "C", "RL", "RR"),
    6: ("L", "R", "C", "SUB", "RL", "RR"),
    7: ("L", "R", "C", "RL", "RR", "SL", "SR"),
    8: ("L", "R", "C", "SUB", "RL", "RR", "SL", "SR"),
}


def export_equalizer_apo(
    preset: PresetLike,
    path: str | Path,
    *,
    channels: Sequence[str] | None = None,
    sample_rate: int = SAMPLE_RATE,
    overwrite: bool = False,
    **params: Value,
) -> list[Path]:
    """Write a configuration for Equalizer APO, and one WAV file for each pair of input and driver beside it.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        As for `load_preset`.
    path : str or Path
        A file that ``config.txt`` includes, or a folder.
    channels : sequence of str, optional
        Channel of the card for each driver, by Equalizer APO's names; the usual ones for 2 to 8 drivers without.
    sample_rate : int
        Of the card, in Hz: Equalizer APO does not convert filters.
    **params
        As for `linear_filters`.
    """
    filters = linear_filters(preset, sample_rate=sample_rate, **params)
    drivers = range(len(filters.drivers))
    if channels is None:
        channels = _CHANNELS.get(len(filters.drivers), ())
    checked_channels(channels, filters.drivers, "Equalizer APO")
    target = text_target(path, "forestage.txt")
    files = [[target.with_name(f"{target.stem}-{side}-{driver + 1}.wav") for driver in drivers] for side in SIDES]
    checked_targets([target, *files[0], *files[1]], overwrite=overwrite)
    for side, row in enumerate(files):
        for driver, file in enumerate(row):
            write_wav(file, filters.taps[driver, side][None], sample_rate=sample_rate)
    inputs = [[f"FROM{side}{driver + 1}" for driver in drivers] for side in "LR"]
    lines = [
        *(f"# {line}" for line in filters.summary()),
        "Channel: all",
        "Copy: " + " ".join(f"{name}={side}" for side, row in zip("LR", inputs, strict=True) for name in row),
    ]
    for row, names in zip(files, inputs, strict=True):
        for file, name in zip(row, names, strict=True):
            lines += [f"Channel: {name}", f"Convolution: {file.name}"]
    sums = (f"{channel}={inputs[0][i]}+{inputs[1][i]}" for i, channel in enumerate(channels))
    lines += ["Channel: all", "Copy: " + " ".join(sums)]
    write_text(target, "".join(f"{line}\n" for line in lines))
    return [target, *files[0], *files[1]]
