"""Audio files as (channels, frames) float32."""

from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray


def read_stereo(path: str | Path) -> tuple[NDArray[np.float32], int]:
    """Read a stereo file (WAV, FLAC, OGG, ...); mono becomes two equal channels.

    Returns
    -------
    audio : numpy.ndarray, shape (2, frames), float32
    sample_rate : int
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        frames, sample_rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: not an audio file that can be read ({error.error_string})") from None
    audio = np.ascontiguousarray(frames.T)
    if audio.shape[0] == 1:
        audio = np.repeat(audio, 2, axis=0)
    if audio.shape[0] != 2:
        raise ValueError(f"{path}: has {audio.shape[0]} channels; stereo would be right")
    if audio.shape[1] == 0:
        raise ValueError(f"{path}: holds no sound")
    if not np.isfinite(audio).all():
        raise ValueError(f"{path}: holds samples that are NaN or infinite; mend the file first")
    return audio, int(sample_rate)


def write_wav(path: str | Path, audio: NDArray[np.float32], *, sample_rate: int) -> None:
    """Write (channels, frames) as a WAV file of 32-bit floats."""
    try:
        soundfile.write(str(path), audio.T, sample_rate, subtype="FLOAT", format="WAV")
    except soundfile.LibsndfileError as error:
        raise OSError(f"{path}: cannot be written ({error.error_string})") from None
