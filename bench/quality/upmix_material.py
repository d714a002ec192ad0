"""Sources to mix for training: speech, singing, stems of songs and whole music, of none of which the corpus knows.

    .venv/bin/pip install mido pyworld
    .venv/bin/python bench/quality/upmix_material.py FOLDER

Needs Debian's fillets-ng-data-cs and -nl (speech), fluidsynth, fluid-soundfont-gm, musescore-general-soundfont-small
and openttd-openmsx (songs), sonic-pi-samples, wesnoth-1.16-music and singularity-music, and ffmpeg. ``ROOT`` in the
environment says where they are unpacked if not installed. Takes five minutes of one core and leaves 38 MB.

Singing is speech whose pitch follows notes and whose vowels are held, by the WORLD vocoder (Morise et al. 2016).
"""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import mido
import numpy as np
import pyworld
import soundfile
from scipy import signal

ROOT = Path(os.environ.get("ROOT", "/")) / "usr/share"
SAMPLE_RATE = 48_000
CLIP_S = 14.0
BITRATE = "40k"
SOUNDFONTS = ("sounds/sf2/FluidR3_GM.sf2", "sounds/sf3/MuseScore_General_Lite.sf3")
MUSIC = ("games/wesnoth/1.16/data/core/music/*.ogg", "games/singularity/music/**/*.ogg")
SPEAKERS = ("cs", "nl")
KICKS = {35, 36}
DRUMS = 9  # channel
TICKS_PER_S = 960
SCALE = np.array([0, 2, 4, 5, 7, 9, 11])  # semitones


def at_rate(sound, rate):
    mono = sound.mean(axis=1) if sound.ndim == 2 else sound
    return signal.resample_poly(mono, SAMPLE_RATE // 50, rate // 50)


def said(language, rng):
    """Endless speech of one language's players, in pieces of a clip's length."""
    files = sorted((ROOT / "games/fillets-ng/sound").glob(f"**/{language}/*.ogg"))
    rng.shuffle(files)
    pieces = []
    for file in files:
        sound, rate = soundfile.read(file)
        pieces.append(at_rate(sound, rate))
        if sum(piece.size for piece in pieces) >= CLIP_S * SAMPLE_RATE:
            yield np.concatenate(pieces)[: round(CLIP_S * SAMPLE_RATE)]
            pieces = []


def melody_hz(rng, frames, low_hz, frame_s):
    """A random walk on a scale, with slides and vibrato."""
    pitch, at, steps = np.empty(frames), 0, 0
    while at < frames:
        length = round(rng.choice([0.15, 0.25, 0.4, 0.7, 1.2]) / frame_s)
        steps = int(np.clip(steps + rng.integers(-3, 4), -3, 9))
        pitch[at : at + length] = SCALE[steps % 7] + 12 * (steps // 7)
        at += length
    slide = frame_s / rng.uniform(0.02, 0.08)
    pitch = signal.lfilter([slide], [1, slide - 1], pitch)
    vibrato = rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(4.5, 6.5) * frame_s * np.arange(frames))
    return low_hz * 2 ** ((pitch + vibrato) / 12)


def sung(speech, rng):
    """Speech, held and on notes."""
    rate = SAMPLE_RATE // 2
    x = signal.resample_poly(speech, 1, 2)[: round(rate * CLIP_S / 1.8)]
    frame_s = 0.005
    f0, times_s = pyworld.dio(x, rate)
    f0 = pyworld.stonemask(x, f0, times_s, rate)
    envelope, aperiodicity = pyworld.cheaptrick(x, f0, times_s, rate), pyworld.d4c(x, f0, times_s, rate)
    speed = np.where(f0 > 0, 1 / rng.uniform(1.5, 3.0), 1.0)  # vowels are held, consonants are not
    stretched = np.cumsum(1 / speed)
    at = np.minimum(np.searchsorted(stretched, np.arange(int(stretched[-1]))), f0.size - 1)
    notes = melody_hz(rng, at.size, rng.uniform(90, 300), frame_s)
    song = pyworld.synthesize(np.where(f0[at] > 0, notes, 0.0), envelope[at], aperiodicity[at], rate)
    return signal.resample_poly(song, 2, 1)[: round(CLIP_S * SAMPLE_RATE)]


@dataclass
class Part:
    """What one channel plays in an excerpt of a song."""

    name: str
    channel: int
    program: int
    notes: list = field(default_factory=list)  # start_s, end_s, pitch, velocity


def parts_of(path, rng):
    """Of one song, those with enough notes; drums are two parts."""
    channels, now_s, programs, sounding = {}, 0.0, [0] * 16, {}
    for message in mido.MidiFile(path):
        now_s += message.time
        if message.type == "program_change":
            programs[message.channel] = message.program
        elif message.type in ("note_on", "note_off"):
            key = message.channel, message.note
            if key in sounding:
                start_s, velocity, program = sounding.pop(key)
                channels.setdefault((message.channel, program), []).append((start_s, now_s, message.note, velocity))
            if message.type == "note_on" and message.velocity:
                sounding[key] = now_s, message.velocity, programs[message.channel]
    for (channel, program), notes in channels.items():
        groups = {"instrument": notes}
        if channel == DRUMS:
            groups = {"kick": [note for note in notes if note[2] in KICKS],
                      "drums": [note for note in notes if note[2] not in KICKS]}  # fmt: skip
        elif 32 <= program < 40:
            groups = {"bass": notes}
        for name, some in groups.items():
            starts_s = [note[0] for note in some]
            if not starts_s:
                continue
            from_s = starts_s[rng.integers(len(starts_s))] - rng.uniform(0, 2)
            heard = [(a - from_s, min(b - from_s, CLIP_S - 0.5), pitch, velocity) for a, b, pitch, velocity in some
                     if from_s <= a < from_s + CLIP_S - 1]  # fmt: skip
            if len(heard) >= 8:
                yield Part(name, DRUMS if channel == DRUMS else 0, program, heard)


def random_parts(rng, count):
    """Random tunes and chords by instruments that songs do not use much."""
    for _ in range(count):
        program = int(rng.choice([p for p in range(112) if not 32 <= p < 40]))
        now_s, step, notes = rng.uniform(0, 1), 0, []
        typical_s, voices, low = rng.choice([0.12, 0.25, 0.5, 1.5]), rng.choice([1, 1, 2, 3]), rng.integers(45, 70)
        while now_s < CLIP_S - 1:
            length_s = typical_s * rng.choice([1, 1, 2, 0.5])
            step = int(np.clip(step + rng.integers(-3, 4), -4, 10))
            for voice in range(voices):
                tone = step + 2 * voice
                pitch = int(low + SCALE[tone % 7] + 12 * (tone // 7))
                notes.append((now_s, now_s + length_s * rng.uniform(0.5, 1.1), pitch, int(rng.integers(50, 120))))
            now_s += length_s * rng.choice([1, 1, 1, 2])
        yield Part("instrument", 0, program, notes)


def played(parts, soundfont):
    """Each part's sound: one after the other in one file, so that the soundfont is read once."""
    track, events = mido.MidiTrack(), []
    for k, part in enumerate(parts):
        base_s = k * CLIP_S
        events.append((base_s, 0, mido.Message("program_change", channel=part.channel, program=part.program)))
        for start_s, end_s, pitch, velocity in part.notes:
            note = {"channel": part.channel, "note": pitch}
            events.append((base_s + start_s, 2, mido.Message("note_on", velocity=velocity, **note)))
            events.append((base_s + min(end_s, CLIP_S - 0.3), 1, mido.Message("note_off", **note)))
    events.sort(key=lambda event: event[:2])
    before = 0
    for time_s, _, message in events:
        ticks = round(time_s * TICKS_PER_S)
        track.append(message.copy(time=ticks - before))
        before = ticks
    file = mido.MidiFile(ticks_per_beat=TICKS_PER_S // 2, tracks=[track])
    with tempfile.TemporaryDirectory() as folder:
        song, target = Path(folder) / "song.mid", Path(folder) / "song.wav"
        file.save(song)
        plain = ["-R", "0", "-C", "0", "-g", "0.5", "-r", str(SAMPLE_RATE)]
        subprocess.run(["fluidsynth", "-ni", *plain, "-F", target, soundfont, song], check=True, capture_output=True)
        sound, _ = soundfile.read(target, dtype="float32")
    frames = round(CLIP_S * SAMPLE_RATE)
    mono = np.pad(sound.mean(axis=1), (0, frames))
    for k, part in enumerate(parts):
        yield part.name, mono[k * frames : (k + 1) * frames]


def sampled():
    """Loops and single hits; hits are repeated."""
    for file in sorted((ROOT / "sonic-pi/samples").glob("*.flac")):
        sound, rate = soundfile.read(file)
        if sound.size < 1000:
            continue
        name = file.stem
        if name.startswith("bd_"):
            kind = "kick"
        elif name.startswith(("loop_", "drum_", "tabla_", "sn_", "perc_")):
            kind = "drums"
        elif name.startswith(("guit_", "ambi_", "elec_")):
            kind = "instrument"
        else:
            continue
        mono = at_rate(sound, rate)
        gap = np.zeros(max(0, round(0.4 * SAMPLE_RATE) - mono.size))
        long_s = CLIP_S if name.startswith(("loop_", "guit_", "ambi_")) else 4.0
        yield kind, np.resize(np.concatenate([mono, gap]), round(long_s * SAMPLE_RATE))


def music(rng):
    for pattern in MUSIC:
        for file in sorted(ROOT.glob(pattern)):
            with soundfile.SoundFile(file) as sound:
                if sound.frames < (CLIP_S + 4) * sound.samplerate:
                    continue
                sound.seek(int(rng.integers(sound.frames - int((CLIP_S + 2) * sound.samplerate))))
                some = sound.read(int(CLIP_S * sound.samplerate), always_2d=True)
                yield at_rate(some, sound.samplerate)


def keep(folder, kind, sound, count):
    """As Opus, at full level."""
    peak = np.max(np.abs(sound))
    if peak < 1e-3:
        return
    scaled = (sound * (0.7 / peak)).astype(np.float32)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "f32le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "-",
               "-c:a", "libopus", "-b:a", BITRATE, str(folder / f"{kind}-{count:04d}.opus")]  # fmt: skip
    subprocess.run(command, input=scaled.tobytes(), check=True)


def sources(rng):
    """Every clip, with its kind."""
    for language in SPEAKERS:
        for k, clip in enumerate(said(language, rng)):
            if k < 18:
                yield "voice", clip
            elif k < 62:
                yield "voice", sung(clip, rng)
            else:
                break
    songs = sorted((ROOT / "games/openttd/baseset/openmsx").glob("*.mid"))
    parts = [part for path in songs for part in parts_of(path, rng)] + [*random_parts(rng, 60)]
    for k, soundfont in enumerate(SOUNDFONTS):
        yield from played(parts[k :: len(SOUNDFONTS)], ROOT / soundfont)
    yield from sampled()
    for clip in music(rng):
        yield "music", clip


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for count, (kind, sound) in enumerate(sources(np.random.default_rng(0))):
        keep(folder, kind, sound, count)


if __name__ == "__main__":
    main()
