"""Real material: stems with a known centre, and plain music without one.

Needs Debian's fretsonfire-songs-muldjord, fretsonfire-songs-sectoid, espeak-ng, festival with a voice, and ffmpeg; from
PyPI stempeg. Nothing of it is kept.
"""

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
import stempeg
from scipy import signal
from upmix_mixes import SAMPLE_RATE, Mix, at_level

SONGS = Path("/usr/share/games/fretsonfire/data/songs")
SECONDS = 6
SAID = "The centre stays in the centre, and the guitars stay at the sides, whatever they may play."
SUNG = """<?xml version="1.0"?><!DOCTYPE SINGING PUBLIC "-//SINGING//DTD SINGING mark up//EN" "Singing.v0_1.dtd" []>
<SINGING BPM="70">{}</SINGING>"""
NOTES = ("G3", "A3", "B3", "D4", "C4", "B3", "A3", "G3")
WORDS = ("the", "cen", "ter", "of", "the", "sta", "ge", "sings")


def real_mixes():
    """Vocals, speech and singing over hard-panned guitars, and a pop mix around its vocal."""
    stems, rate = stempeg.read_stems(stempeg.example_stem_path())
    drums, bass, other, vocals = (at_rate(stem.T, rate) for stem in stems[1:5])
    center = vocals.mean(axis=0)
    sides = drums + bass + other + vocals - center
    leads = {"vocal": center, "speech": speech(), "singing": singing()}
    mixes = [Mix("pop mix, its vocal", center, sides)]
    for song in sorted((SONGS / "muldjord").glob("*/guitar.ogg")):
        guitars = at_level_stereo(excerpt(song), -20)
        for name, lead in leads.items():
            lead = np.resize(at_level(lead, -17), guitars.shape[1])
            mixes.append(Mix(f"{name} over {song.parent.name}", lead, guitars))
    return mixes


def plain_music():
    """Whole mixes, by name."""
    return {song.parent.name: excerpt(song) for song in sorted((SONGS / "sectoid").glob("*/song.ogg"))}


def excerpt(path):
    """Six seconds from a third of the way in."""
    with soundfile.SoundFile(path) as file:
        file.seek(file.frames // 3)
        sound = file.read(SECONDS * file.samplerate, always_2d=True)
        return at_rate(sound.T, file.samplerate)


def at_rate(x, rate):
    return signal.resample_poly(x, SAMPLE_RATE, rate, axis=-1)


def at_level_stereo(x, level_db):
    return x * 10 ** (level_db / 20) / np.sqrt(np.mean(np.square(x)))


def speech():
    return spoken("espeak-ng", "-v", "en", "-w", "{target}", SAID)


def singing():
    notes = "".join(
        f'<PITCH NOTE="{note}"><DURATION BEATS="0.7">{word}</DURATION></PITCH>'
        for note, word in zip(NOTES, WORDS, strict=True)
    )
    return spoken("text2wave", "-mode", "singing", "-o", "{target}", "{source}", text=SUNG.format(notes))


def spoken(*command, text=""):
    """Run a program that writes a sound file."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "song.xml", Path(folder) / "voice.wav"
        source.write_text(text)
        subprocess.run([part.format(source=source, target=target) for part in command], check=True, capture_output=True)
        sound, rate = soundfile.read(target)
    return at_rate(sound, rate)
