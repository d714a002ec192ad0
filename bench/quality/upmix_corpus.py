"""Mixes of eight kinds with a known centre, for tuning and for judging the upmix.

A mix is made of a kind, a seed and a length, and is the same on every machine that has the same packages. Whatever is
tuned takes the seeds of `TUNE`, and is judged on those of `HELD_OUT`, of a kind that it was not tuned on.
"""

from dataclasses import dataclass

import numpy as np
from scipy import signal
from upmix_instruments import at_level, bass, beat, pad, pan, pluck, reverberate, rms, shake, sing
from upmix_recordings import at_level_stereo, electronic_stems, guitars, pop_stems, singing, speech

from forestage.acoustics.image_sources import Images
from forestage.acoustics.room import room_response
from forestage.acoustics.shoebox import Room
from forestage.constants import SAMPLE_RATE, SPEED_OF_SOUND_M_S

SECONDS = 4.0
TUNE = range(2)
HELD_OUT = range(100, 102)
# A stem whose side is below this, of its mid, is in the centre as a whole
CENTRAL_DB = -40.0
# LMMS projects of a few seconds to render: to tune on, and to judge by
PROJECTS = {
    0: ("shorties/Surrender-Main.mmpz", 2),
    1: ("demos/Skiessi/Skiessi-C64.mmpz", 2),
    100: ("demos/CapDan/CapDan-ReggaeTry.mmpz", 12),
    101: ("shorties/Skiessi-222.mmpz", 12),
}
STAGE = Room("Stage", (9.0, 7.0, 3.6), 0.22)


@dataclass(frozen=True)
class Mix:
    """A stereo mix and what it was made of.

    Attributes
    ----------
    x : array, shape (2, frames)
        The mix: ``center`` on both channels plus ``sides``.
    center : array, shape (frames,)
        What is alike on both channels.
    sides : array, shape (2, frames)
        Everything else.
    """

    name: str
    center: np.ndarray
    sides: np.ndarray
    sample_rate: int = SAMPLE_RATE

    @property
    def x(self):
        return self.center + self.sides


def synthetic_mix(seed, *, seconds=8.0, hard=0.7, least_deg=12.0):
    """A voice, two to five instruments at random pans, reverberation at -20 to -9 dB.

    ``hard`` is how probable it is that each of the first two is at one side alone; others are ``least_deg`` to 45 deg
    from the centre.
    """
    rng = np.random.default_rng(seed)
    frames = round(seconds * SAMPLE_RATE)
    voice = at_level(sing(rng, frames), -20)
    sides = np.zeros((2, frames))
    for k in range(rng.integers(2, 6)):
        play = (pluck, pad, shake)[rng.choice(3, p=[0.5, 0.35, 0.15])]
        is_hard = k < 2 and rng.random() < hard
        side = rng.choice([-1, 1])
        angle = side * (45.0 if is_hard else rng.uniform(least_deg, 45))
        sides += pan(at_level(play(rng, frames), -20 + rng.uniform(-8, 1)), angle)
    wet = in_room(rng, voice + sides, rng.uniform(-20, -9), (0.3, 1.2))
    return Mix(f"synthetic {seed}", voice, sides + wet)


def in_room(rng, dry, level_db, rt60_s):
    wet = reverberate(rng, dry, rt60_s=rng.uniform(*rt60_s))
    return wet * 10 ** (level_db / 20) * rms(dry) / rms(wet)


def hard_pans(seed, seconds):
    return synthetic_mix(seed, seconds=seconds)


def uniform_pans(seed, seconds):
    return synthetic_mix(seed + 1000, seconds=seconds, hard=0.0, least_deg=5.0)


def pop(seed, seconds):
    """Voice, bass and kick in the centre; guitars, keys, a snare and a shaker around them; stereo reverberation."""
    rng = np.random.default_rng(seed + 2000)
    frames = round(seconds * SAMPLE_RATE)
    kick, snare = beat(rng, frames)
    center = at_level(sing(rng, frames), -20)
    center += at_level(bass(rng, frames), -22 + rng.uniform(-3, 3)) + at_level(kick, -20 + rng.uniform(-3, 2))
    sides = pan(at_level(snare, -23), rng.uniform(-12, 12))
    for side in (-1, 1):
        sides += pan(at_level(pluck(rng, frames), -22 + rng.uniform(-4, 2)), side * rng.choice([22.5, 32, 45]))
    sides += pan(at_level(pad(rng, frames), -26 + rng.uniform(-4, 2)), rng.uniform(-45, 45))
    sides += pan(at_level(shake(rng, frames), -28), rng.choice([-1, 1]) * rng.uniform(15, 40))
    return Mix(f"pop {seed}", center, sides + in_room(rng, center + sides, rng.uniform(-24, -14), (0.6, 1.5)))


def orchestra(seed, seconds):
    """A soloist in the centre, sections of several players before a pair of spaced microphones, a long hall."""
    rng = np.random.default_rng(seed + 3000)
    frames = round(seconds * SAMPLE_RATE)
    center = at_level(sing(rng, frames), -20)
    sides = np.zeros((2, frames))
    for across_m in rng.uniform(-5, 5, rng.integers(3, 6)):
        section = np.zeros((2, frames))
        deep_m = rng.uniform(3, 8)
        for _ in range(3):
            section += spaced_pair(pad(rng, frames), across_m + rng.uniform(-1, 1), deep_m + rng.uniform(-0.5, 0.5))
        sides += section * 10 ** ((-24 + rng.uniform(-5, 2)) / 20) / rms(section)
    return Mix(f"orchestra {seed}", center, sides + in_room(rng, center + sides, rng.uniform(-14, -8), (1.5, 2.2)))


def spaced_pair(x, across_m, deep_m, *, apart_m=0.8):
    """What two microphones hear of a source, by time and by level."""
    heard = []
    for microphone_m in (-apart_m / 2, apart_m / 2):
        far_m = np.hypot(across_m - microphone_m, deep_m)
        late = round(far_m / SPEED_OF_SOUND_M_S * SAMPLE_RATE)
        heard.append(np.pad(x, (late, 0))[: x.size] / far_m)
    return np.stack(heard)


def wide_guitars(seed, seconds):
    """Recorded double-tracked guitars at both sides, and a lead between them that is sung, said or a vocal."""
    songs = list(guitars().values())
    rng = np.random.default_rng(seed + 4000)
    around = at_level_stereo(songs[seed % 2 + 2 * (seed in HELD_OUT)], -20)[:, : round(seconds * SAMPLE_RATE)]
    lead = (singing, speech, lambda: pop_stems()[3].mean(axis=0))[seed % 3]()
    lead = np.roll(np.resize(at_level(lead, -17 + rng.uniform(-3, 1)), around.shape[1]), rng.integers(SAMPLE_RATE))
    return Mix(f"wide guitars {seed}", lead, around)


def electronic(seed, seconds):
    """A demo project of LMMS, of its tracks those that are mono in the centre."""
    stems = electronic_stems(*PROJECTS[seed])
    return of_stems(f"electronic {seed}", stems, seconds)


def of_stems(name, stems, seconds):
    """A mix of stereo stems: in the centre is what has no side."""
    frames = round(seconds * SAMPLE_RATE)
    stems = [stem[:, :frames] for stem in stems]
    scale = 0.1 / rms(sum(stems))
    center, sides = np.zeros(frames), np.zeros((2, frames))
    for stem in stems:
        mid, side = stem.mean(axis=0), (stem[0] - stem[1]) / 2
        if rms(side) <= 10 ** (CENTRAL_DB / 20) * rms(mid):
            center += scale * mid
            sides += scale * (stem - mid)
        else:
            sides += scale * stem
    return Mix(name, center, sides)


def live_room(seed, seconds):
    """A band in a room, each player with a microphone that hears the others too, and a pair for the room.

    The singer's microphone is the centre, with all that leaks into it.
    """
    rng = np.random.default_rng(seed + 5000)
    frames = round(seconds * SAMPLE_RATE)
    players = [sing(rng, frames), pluck(rng, frames), pad(rng, frames), sum(beat(rng, frames))]
    places_m = np.array([[4.5, 3.0, 1.5], [2.0, 4.0, 1.0], [7.0, 4.0, 1.0], [4.3, 5.5, 0.8]])
    places_m[:, :2] += rng.uniform(-0.5, 0.5, (4, 2))
    microphones_m = [*(places_m + [0.0, -0.25, 0.05]), np.array([4.2, 1.0, 2.2]), np.array([4.8, 1.0, 2.2])]
    images = Images(until_s=0.06, scattering=0.2, jitter_m=0.1, seed=seed)
    heard = np.zeros((len(microphones_m), frames))
    for player, place_m in zip(players, places_m, strict=True):
        sound = at_level(player, -20)
        for channel, at_m in zip(heard, microphones_m, strict=True):
            response = room_response(STAGE, source_m=place_m, receiver_m=at_m, length_s=0.5, images=images)[0, 0]
            channel += signal.fftconvolve(sound, response)[:frames]
    voice, guitar, keys, drums = heard[:4] * 10 ** (rng.uniform(-3, 2, (4, 1)) / 20)
    sides = pan(guitar, rng.uniform(20, 45)) + pan(keys, -rng.uniform(20, 45)) + pan(drums, rng.uniform(-15, 15))
    scale = 0.1 / rms(voice)
    return Mix(f"live room {seed}", scale * voice, scale * (sides + heard[4:]))


def pop_recording(seed, seconds):
    """A recorded pop mix around its vocal: whole, without its bass, and without its drums."""
    drums, bass_guitar, rest, vocal = (stem[:, : round(seconds * SAMPLE_RATE)] for stem in pop_stems())
    center = vocal.mean(axis=0)
    sides = vocal - center + rest + (seed % 3 != 1) * bass_guitar + (seed % 3 != 2) * drums
    return Mix(f"pop recording {seed}", center, sides)


KINDS = {
    "hard pans": hard_pans,
    "uniform pans": uniform_pans,
    "pop": pop,
    "orchestra": orchestra,
    "wide guitars": wide_guitars,
    "electronic": electronic,
    "live room": live_room,
    "pop recording": pop_recording,
}


def corpus(seeds, *, seconds=SECONDS):
    """Mixes by kind; a kind may have fewer than there are seeds."""
    return {
        kind: [make(seed, seconds) for seed in seeds if make is not electronic or seed in PROJECTS]
        for kind, make in KINDS.items()
    }
