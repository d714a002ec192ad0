"""Files of sound for batches, which workers import by this name."""

import soundfile

from signals import noise


def write_song(path, *, seed=0, frames=24_000, sample_rate=48_000):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, noise(frames=frames, seed=seed).T, sample_rate)
    return path
