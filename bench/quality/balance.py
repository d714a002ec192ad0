"""How centre and sides balance, through the engine, for every factory preset."""

import numpy as np
from comparison import loudspeakers
from evidence import Table, write
from scipy.signal import resample_poly

from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT
from forestage.constants import SAMPLE_RATE
from forestage.metrics.balance import OCTAVES_HZ, THIRDS_HZ, balance, octaves_db

MUSIC = {
    "the demo's excerpt": EXCERPT,
    "Sectoid, Feelings": "/usr/share/games/fretsonfire/data/songs/sectoid/Feelings/song.ogg",
}
SONG_S = (40, 60)

TEXT = """
Noise with the spectrum of music goes through the Headphones and the Headphones Reference monitor: in the middle, in
either channel, 30 % to the left, and unrelated in both. The tables have design minus reference, less what all of these
have in common, by loudness (BS.1770) and in third octaves from 100 Hz to 12.5 kHz, both ears together. Music has the
same difference per octave, less its mean. "flat centre" is `center_presence` at 100.
"""


def music():
    """Excerpts at 48 kHz."""
    for name, path in MUSIC.items():
        audio, rate = read_stereo(path)
        if path != EXCERPT:
            audio = audio[:, SONG_S[0] * rate : SONG_S[1] * rate]
        yield name, audio if rate == SAMPLE_RATE else resample_poly(audio, 160, 147, axis=-1)


def balance_tables():
    """Balance of all presets with noise, and with music."""
    rows, octaves = [], []
    songs = dict(music())
    for name in loudspeakers():
        for version, settings in (("", {}), (", flat centre", {"center_presence": 100})):
            found = balance(name, parameters=settings)
            loudness = {f"{programme} (LU)": round(value, 2) for programme, value in found.loudness_lu.items()}
            worst = max(found.third_db, key=lambda programme: np.abs(found.third_db[programme]).max())  # noqa: B023
            at = int(np.argmax(np.abs(found.third_db[worst])))
            most = {"third octave at most (dB)": round(float(found.third_db[worst][at]), 1)}
            rows.append({"preset": name + version} | loudness | most | {"of": f"{worst}, {THIRDS_HZ[at]:.0f} Hz"})
        for song, audio in songs.items():
            levels = np.round(octaves_db(name, audio), 1).tolist()
            bands = [f"{hz:.0f} Hz" for hz in OCTAVES_HZ]
            octaves.append({"preset": name, "music": song} | dict(zip(bands, levels, strict=True)))
    return [
        Table("Noise: design minus reference", rows),
        Table("Music: design minus reference per octave, in dB", octaves),
    ]


if __name__ == "__main__":
    write("balance", "Balance of centre and sides", balance_tables(), text=TEXT)
