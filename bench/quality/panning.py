"""Where panned sounds are heard, and how centre and sides balance, through the engine, for every factory preset."""

import numpy as np
from comparison import kemar, with_head
from evidence import Table, write
from scipy.signal import resample_poly

from forestage import factory_presets
from forestage.acoustics.pair import pair_ears
from forestage.acoustics.plant import plant
from forestage.audio_file import read_stereo
from forestage.demo.content import EXCERPT
from forestage.design.preset_device import preset_device
from forestage.metrics.balance import OCTAVES_HZ, THIRDS_HZ, balance, octaves_db
from forestage.metrics.localisation import LEVEL_HZ, TIME_HZ, Localiser
from forestage.metrics.panning import PANS, QUALITIES, heard, pan_gains, panned_feeds
from forestage.presets import preset_form

SHOWN = ("smart-speaker", "smart-speaker-free-field", "laptop", "soundbar-7", "tv", "asymmetric-pair")
MUSIC = {
    "the demo's excerpt": EXCERPT,
    "Sectoid, Feelings": "/usr/share/games/fretsonfire/data/songs/sectoid/Feelings/song.ogg",
}
SONG_S = (40, 60)

PANNING_TEXT = """
Noise is panned at constant power from the centre (0 %) to the left channel (100 %), in steps of 10 %, and played by
the engine to the drivers, alone or with other sounds around it: one in the centre as loud, and one at either side half
as loud. What of the driver feeds follows the source makes the ears of a listener at the seat;
`forestage.metrics.localisation` tells where these hear it, by time and by level, and where they hear it from a real
pair at ±30°. "At most" is the largest difference over all pans. The sphere is the head that presets are designed for;
KEMAR (MIT), which no design has seen, hears the same feeds, "on average" over the pans.
"""
BALANCE_TEXT = """
Noise with the spectrum of music goes through the Headphones and the Headphones Reference monitor: in the middle, in
either channel, 30 % to the left, and unrelated in both. The tables have design minus reference, less what all of these
have in common, by loudness (BS.1770) and in third octaves from 100 Hz to 12.5 kHz, both ears together. Music has the
same difference per octave, less its mean. "flat centre" is `center_presence` at 100.
"""


def presets():
    """Every factory preset but the headphones, with its device."""
    forms = {name: preset_form(path) for name, path in factory_presets().items()}
    return {name: preset_device(form) for name, form in forms.items() if name != "headphones"}


def listeners(device):
    """Whoever hears the feeds of a device: a seat, what localises there, and a real pair in its place."""
    for each in (device, with_head(device, kemar())):
        listener = each.listener
        yield plant(each), Localiser.in_place_of(listener), listener


def azimuths(played, seat, localiser, listener):
    """Azimuths by (time, level) over the pans, of the device and of a real pair, each of shape (2, pans)."""
    gains = pan_gains(PANS)
    found = []
    for grid, azimuth_deg in ((TIME_HZ, localiser.time_azimuth_deg), (LEVEL_HZ, localiser.level_azimuth_deg)):
        ears = np.stack([heard(seat, *each, grid) for each in played], axis=1)
        pair = np.einsum("ecf,cp->epf", pair_ears(listener, grid), gains)
        found.append((azimuth_deg(ears), azimuth_deg(pair)))
    return tuple(np.stack(each) for each in zip(*found, strict=True))


def panning_tables():
    """Errors of all presets, and the curves of some."""
    errors, curves = [], []
    for name, device in presets().items():
        people = list(listeners(device))
        for quality in QUALITIES:
            for in_mix in (False, True):
                played = [panned_feeds(name, pan, upmix_quality=quality, in_mix=in_mix) for pan in PANS]
                (sphere, real), (dummy, real_dummy) = (azimuths(played, *person) for person in people)
                worst, mean = np.abs(sphere - real).max(axis=1), np.abs(dummy - real_dummy).mean(axis=1)
                what = {"preset": name, "upmix": quality, "heard": "in a mix" if in_mix else "alone"}
                columns = ("at most by time (°)", "at most by level (°)", "KEMAR by time (°)", "KEMAR by level (°)")
                errors.append(what | dict(zip(columns, np.round([*worst, *mean], 1).tolist(), strict=True)))
                if name in SHOWN and not in_mix and quality == QUALITIES[0]:
                    for cue, ours, theirs in zip(("time", "level"), sphere, real, strict=True):
                        cells = [f"{a:.0f} / {b:.0f}" for a, b in zip(ours, theirs, strict=True)]
                        pans = [f"{pan} %" for pan in PANS]
                        curves.append({"preset": name, "by": cue} | dict(zip(pans, cells, strict=True)))
    return [
        Table("Deviation from a real pair, in degrees", errors),
        Table("Heard at / heard from a real pair at, alone, in degrees", curves),
    ]


def music():
    """Excerpts at 48 kHz."""
    for name, path in MUSIC.items():
        audio, rate = read_stereo(path)
        if path != EXCERPT:
            audio = audio[:, SONG_S[0] * rate : SONG_S[1] * rate]
        yield name, audio if rate == 48_000 else resample_poly(audio, 160, 147, axis=-1)


def balance_tables():
    """Balance of all presets with noise, and with music."""
    rows, octaves = [], []
    songs = dict(music())
    for name in presets():
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
    write("balance", "Balance of centre and sides", balance_tables(), text=BALANCE_TEXT)
    write("panning", "Where panned sounds are heard", panning_tables(), text=PANNING_TEXT)
