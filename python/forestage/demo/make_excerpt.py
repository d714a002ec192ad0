"""Make excerpt.ogg again: ``python -m forestage.demo.make_excerpt``. Needs Debian's fretsonfire-songs-sectoid.

The passage was chosen by numbers: of all 18 s windows of the four songs (300 Hz to 6 kHz) it is the one where the
guitar stem is a lead in the very centre (side 24 dB below mid) while the rest is wide (side 6 dB below mid).
"""

from pathlib import Path

import numpy as np
import soundfile

SONG = Path("/usr/share/games/fretsonfire/data/songs/sectoid/Escape from chaosland")
START_S = 58.2
LENGTH_S = 18.0
FADE_IN_S = 0.03
FADE_OUT_S = 0.8
PEAK_DB = -2.0
WRITE_FRAMES = 4096  # libsndfile's Vorbis encoder overflows its stack on long writes


def make(target: Path) -> None:
    """Add song and guitar, cut, fade, scale, write."""
    stems = []
    for name in ("song.ogg", "guitar.ogg"):
        with soundfile.SoundFile(SONG / name) as file:
            sample_rate = file.samplerate
            file.seek(round(START_S * sample_rate))
            stems.append(file.read(round(LENGTH_S * sample_rate), dtype="float64"))
    music = np.sum(stems, axis=0)
    rise, fall = round(FADE_IN_S * sample_rate), round(FADE_OUT_S * sample_rate)
    music[:rise] *= np.sin(0.5 * np.pi * np.arange(rise) / rise)[:, None] ** 2
    music[-fall:] *= np.cos(0.5 * np.pi * np.arange(fall) / fall)[:, None] ** 2
    music *= 10 ** (PEAK_DB / 20) / np.abs(music).max()
    with soundfile.SoundFile(
        target, "w", sample_rate, 2, format="OGG", subtype="VORBIS", compression_level=0.2
    ) as file:
        for start in range(0, len(music), WRITE_FRAMES):
            file.write(music[start : start + WRITE_FRAMES])


if __name__ == "__main__":
    make(Path(__file__).with_name("excerpt.ogg"))
