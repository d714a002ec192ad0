"""Sessions that tests listen to: small ones of tones, without any rendering."""

import json
from random import Random

import numpy as np
import soundfile

from forestage.audition.draw import trials
from forestage.audition.results import Results
from forestage.audition.session import SOUNDS, Session, Song, Sound, Version

KINDS = {"reference": "reference", "low-anchor": "low anchor", "mid-anchor": "mid anchor"}
RATE = 48_000


def tone_session(
    folder, method, *, presets=("laptop", "tablet"), songs=("song.wav",), trials=None, seconds=1.0, sample_rate=RATE
):
    """A session whose versions are tones of their own frequency: 400 Hz, 500 Hz, and so on."""
    versions = [Version(f"preset-{index + 1}", name, "preset") for index, name in enumerate(presets)]
    if method == "mushra":
        versions += [Version(key, kind, kind) for key, kind in KINDS.items()]
    (folder / SOUNDS).mkdir(parents=True)
    made = []
    frames = round(seconds * sample_rate)
    for song_index, song in enumerate(songs):
        sounds = {}
        for index, version in enumerate(versions):
            sound_id = f"{song_index:08x}{index:08x}"
            tone = 0.25 * np.sin(2 * np.pi * (400 + 100 * index) * np.arange(frames) / sample_rate)
            soundfile.write(
                folder / SOUNDS / f"{sound_id}.flac", np.stack([tone, -tone]).T, sample_rate, subtype="PCM_24"
            )
            sounds[version.id] = Sound(sound_id, -20.0, -12.0, 0.0, 0)
        made.append(Song(song, sample_rate, frames, sounds))
    count = trials or (len(songs) if method == "mushra" else 12)
    session = Session("0123456789abcdef", method, count, tuple(versions), tuple(made), {})
    session.save(folder)
    return session


def listened(folder, session, name, answer, *, seed=0, listener=None):
    """Ratings of a listener who answers each trial with what `answer(version_by_letter, index)` says."""
    plan = trials(session, Random(seed))
    with Results(folder, session) as results:
        key = listener or f"{name}-{seed}".ljust(8, "-")
        plan, _ = results.begin(key, name, plan)
        for index, trial in enumerate(plan):
            of = {letter: session.version_of(trial.song, sound) for letter, sound in trial.sounds.items()}
            results.rate(key, [{"trial": index, "seconds": 1.0} | answer(of, index)])
        return results.ratings(), results.listeners()


def written(path, form):
    path.write_text(form if isinstance(form, str) else json.dumps(form), encoding="utf-8")
    return path
