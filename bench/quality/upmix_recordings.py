"""Recordings, and what programs of others play, sing and say.

Needs Debian's fretsonfire-songs-muldjord, fretsonfire-songs-sectoid, espeak-ng, festival with a voice, lmms and ffmpeg;
from PyPI stempeg. Nothing of it is kept.
"""

import os
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import stempeg
from scipy import signal

from forestage.constants import SAMPLE_RATE

SONGS = Path("/usr/share/games/fretsonfire/data/songs")
PROJECTS = Path("/usr/share/lmms/projects")
SECONDS = 6
SAID = "The centre stays in the centre, and the guitars stay at the sides, whatever they may play."
SUNG = """<?xml version="1.0"?><!DOCTYPE SINGING PUBLIC "-//SINGING//DTD SINGING mark up//EN" "Singing.v0_1.dtd" []>
<SINGING BPM="70">{}</SINGING>"""
NOTES = ("G3", "A3", "B3", "D4", "C4", "B3", "A3", "G3")
WORDS = ("the", "cen", "ter", "of", "the", "sta", "ge", "sings")


def guitars():
    """Double-tracked guitars, one to the left and one to the right, by song."""
    return {song.parent.name: excerpt(song) for song in sorted((SONGS / "muldjord").glob("*/guitar.ogg"))}


@cache
def pop_stems():
    """A pop mix (Debian has none, stempeg's example is one): drums, bass, the rest and the vocal, each stereo."""
    stems, rate = stempeg.read_stems(stempeg.example_stem_path())
    return [at_rate(stem.T, rate) for stem in stems[1:5]]


@cache
def electronic_stems(project, start_s):
    """Every track of a demo project of LMMS by itself, six seconds from ``start_s``, each stereo."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"HOME": folder, "QT_QPA_PLATFORM": "offscreen"}
        source = str(PROJECTS / project)
        form = ["-s", str(SAMPLE_RATE), "-f", "wav", "-a", "-x", "1", "-o", folder]
        command = ["lmms", "--allowroot", "rendertracks", source, *form]
        for attempts_left in (3, 2, 1, 0):  # lmms crashes now and then, and is fine the next time
            if subprocess.run(command, env=environment, check=not attempts_left, capture_output=True).returncode == 0:
                break
        files = sorted(Path(folder).glob("*.wav"))
        if not files:
            raise RuntimeError(f"lmms rendered no track of {source}")
        return [soundfile.read(file, SECONDS * SAMPLE_RATE, start_s * SAMPLE_RATE, fill_value=0.0)[0].T
                for file in files]  # fmt: skip


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
