"""The filters of a preset one by one, as its designer sees them."""

from pathlib import Path

import numpy as np

from ..audio_file import write_wav
from ..constants import SAMPLE_RATE
from ..files import checked_target
from ..presets import PresetLike, load_preset


def export_wav(
    preset: PresetLike, folder: str | Path, *, sample_rate: int = SAMPLE_RATE, overwrite: bool = False
) -> list[Path]:
    """Write the filters as WAV impulse responses, one channel per driver.

    Writes ``crosstalk.wav`` (weight of the virtual crosstalk, from left and from right), ``cancel-left.wav`` and
    ``cancel-right.wav`` (from the left and right path to the drivers), ``beam.wav`` and ``phantom.wav`` (from
    the centre), ``driver-eq.wav`` and ``bass-from-1.wav`` and so on (from the feed of a driver that leaves its bass to
    others), as far as the preset has them. Alignment delays are written into the files.
    """
    filters = load_preset(preset).filters(sample_rate)
    matrices = {
        "crosstalk": (filters.crosstalk, 0),
        "cancel-left": ([row[0] for row in filters.cancel], filters.cancel_align_frames),
        "cancel-right": ([row[1] for row in filters.cancel], filters.cancel_align_frames),
        "beam": (filters.beam, filters.beam_align_frames),
        "phantom": (filters.phantom, filters.beam_align_frames),
        "driver-eq": (filters.driver_eq, 0),
    }
    for index, rows in enumerate(zip(*filters.bass, strict=True), 1):
        matrices[f"bass-from-{index}"] = (list(rows) if any(map(len, rows)) else [], 0)
    directory = Path(folder)
    directory.mkdir(parents=True, exist_ok=True)
    targets = {
        name: checked_target(directory / f"{name}.wav", overwrite=overwrite)
        for name, (taps, _) in matrices.items()
        if taps
    }
    for name, path in targets.items():
        taps, align_frames = matrices[name]
        frames = align_frames + max(len(fir) for fir in taps)
        audio = np.zeros((len(taps), frames), np.float32)
        for row, fir in zip(audio, taps, strict=True):
            row[align_frames : align_frames + len(fir)] = fir
        write_wav(path, audio, sample_rate=sample_rate)
    return list(targets.values())
