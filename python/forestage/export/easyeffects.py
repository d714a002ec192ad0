"""EasyEffects: a preset for two drivers.

Its convolver has one filter a channel and none across. A device that is a mirror image of itself needs none across once
left and right are sum and difference, which EasyEffects' stereo tools (those of Calf) make of them:

    left, right ─ LR > MS ─ middle: 2 (a + b), side: 2 (a - b) ─ LR > MS ─ left driver: a·left + b·right

Each LR > MS halves; but for that, two of them undo each other. Their MS > LR is no way back: in some versions it halves
the middle, and in others it does not.

Sources: EasyEffects' presets (convolver, stereo_tools); Calf, stereo tools.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..audio_file import write_wav
from ..constants import SAMPLE_RATE
from ..params import Value
from ..presets import PresetLike
from .linear import LinearFilters, linear_filters
from .target import checked_targets, text_target, write_text

_MIRROR_DB = -60  # how far a device may be from its mirror image


def export_easyeffects(
    preset: PresetLike, path: str | Path, *, sample_rate: int = SAMPLE_RATE, overwrite: bool = False, **params: Value
) -> list[Path]:
    """Write a preset for EasyEffects, and its impulse response beside it.

    The preset belongs into ``~/.config/easyeffects/output``, and the ``.irs`` file into ``~/.config/easyeffects/irs``;
    from version 8 on into the same folders of ``~/.local/share/easyeffects``.

    Raises
    ------
    ValueError
        For another number of drivers than two, and for a device that is not its own mirror image.
    """
    filters = linear_filters(preset, sample_rate=sample_rate, **params)
    middle, side = _middle_and_side(filters)
    target = text_target(path, "forestage.json")
    kernel = target.with_suffix(".irs")
    checked_targets([target, kernel], overwrite=overwrite)
    write_wav(kernel, np.stack([middle, side]), sample_rate=sample_rate, **params)
    write_text(target, json.dumps(_preset(kernel), indent=4, ensure_ascii=False) + "\n")
    return [target, kernel]


def _middle_and_side(filters: LinearFilters) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if len(filters.drivers) != 2:
        raise ValueError(
            f"{filters.name}: has {len(filters.drivers)} drivers; EasyEffects plays stereo, so two would be right"
        )
    (left, right_to_left), (left_to_right, right) = filters.taps
    off = max(np.abs(left - right).max(), np.abs(right_to_left - left_to_right).max()) / np.abs(filters.taps).max()
    if off > 10 ** (_MIRROR_DB / 20):
        raise ValueError(
            f"{filters.name}: is no mirror image of itself, by {20 * np.log10(off):.0f} dB; EasyEffects has no filters "
            f"across, so at most {_MIRROR_DB} dB would be right. PipeWire plays it: --to pipewire"
        )
    near = (left + right) / 2
    across = (right_to_left + left_to_right) / 2
    return 2 * (near + across), 2 * (near - across)


def _preset(kernel: Path) -> dict[str, Any]:
    convolver = {
        "autogain": False,
        "bypass": False,
        "input-gain": 0.0,
        "ir-width": 100,
        "kernel-name": kernel.stem,
        "kernel-path": str(kernel.resolve()),  # before version 7.1.7
        "output-gain": 0.0,
    }
    return {
        "output": {
            "blocklist": [],
            "plugins_order": ["stereo_tools#0", "convolver#0", "stereo_tools#1"],
            "stereo_tools#0": _stereo_tools(),
            "convolver#0": convolver,
            "stereo_tools#1": _stereo_tools(),
        }
    }


def _stereo_tools() -> dict[str, Any]:
    levels = ("balance-in", "balance-out", "delay", "input-gain", "middle-level", "middle-panorama", "output-gain")
    sides = ("side-balance", "side-level", "stereo-base", "stereo-phase")
    switches = ("bypass", "mutel", "muter", "phasel", "phaser", "softclip")
    return (
        {"mode": "LR > MS (Stereo to Mid-Side)", "sc-level": 1.0}
        | dict.fromkeys(levels + sides, 0.0)
        | dict.fromkeys(switches, False)
    )
