"""How loud presets play on real drivers: the design against plain stereo and bypass, on loud music of six kinds."""

from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
import stempeg
from evidence import Table, write
from scipy.signal import fftconvolve
from upmix_corpus import synthetic_mix
from upmix_instruments import at_level
from upmix_recordings import SONGS, at_level_stereo, at_rate, excerpt, singing, speech

from forestage import Renderer, factory_presets
from forestage.constants import SAMPLE_RATE
from forestage.firs import decode_fir
from forestage.metrics.level import mastered
from forestage.metrics.loudness import loudness_lufs
from forestage.presets import preset_form

FILM = Path("/usr/share/games/asc/music")
SECONDS = 6
SETTLE_FRAMES = SAMPLE_RATE // 2
NOTABLE_DB = 1.0
# Of power: below, a gain cannot be told
QUIET = 1e-7
MATCHED_LU = 1.0
VERSIONS = {"design": {}, "plain": {"amount": 0}, "bypass": {"bypass": True}}

TEXT = """
Twenty pieces of six kinds, each at 0 dBTP and -9 LUFS as loud masters are: four of metal, four of rock, three of film
music, a pop mix, its rhythm and its vocal alone, speech alone, speech and singing over hard-panned guitars, and three
synthetic mixes of plucked and bowed sounds. They play through the Speakers monitor of every factory preset; what the
drivers get makes the ears of the listener, whose loudness (BS.1770) is compared: the design's, as it is by default,
over that of `amount` = 0 and over bypass. "Music" leaves out the two parts of the pop mix and the lone speech. "Spread"
is half the distance between the pieces of the most and the least difference: no gain that stays the same for all of
them could be closer. Pieces differ because the design has the colour and the balance of a pair of loudspeakers, and the
device unaided has its own: "of a real pair" is the spread of the Headphones Reference monitor over Headphones Plain, in
which there is no design at all. So where that is above 1 LU, a design that is in balance cannot be within 1 LU of plain
stereo for all pieces. The reduction is what the limiter takes beside the static gain, over all pieces.
"""


@cache
def pieces():
    """Twenty pieces by kind and name, each (2, frames)."""
    found = {}
    for song in sorted(SONGS.glob("*/*/song.ogg")):
        kind = "metal" if song.parts[-3] == "muldjord" else "rock"
        found[kind, song.parent.name] = excerpt(song) + excerpt(song.with_name("guitar.ogg"))
    found |= {("film", song.stem.replace("_", " ")): excerpt(song) for song in sorted(FILM.glob("*.mp3"))}
    stems, rate = stempeg.read_stems(stempeg.example_stem_path())
    drums, bass, other, vocal = (at_rate(stem.T, rate) for stem in stems[1:5])
    found |= {("pop", "mix"): drums + bass + other + vocal, ("part", "rhythm"): drums + bass, ("part", "vocal"): vocal}
    guitars = at_level_stereo(excerpt(SONGS / "muldjord/mutilated_mime/guitar.ogg"), -20)
    spoken, sung = (np.resize(at_level(lead, -17), guitars.shape[1]) for lead in (speech(), singing()))
    found |= {("part", "speech"): np.stack([spoken, spoken])}
    found |= {("voice", "speech over guitars"): spoken + guitars, ("voice", "singing over guitars"): sung + guitars}
    found |= {("acoustic", f"mix {seed}"): synthetic_mix(seed, seconds=SECONDS).x for seed in range(3)}
    return {name: mastered(audio) for name, audio in found.items()}


def level_row(name):
    """Figures of one preset over all pieces."""
    form = preset_form(factory_presets()[name])
    played = {version: Renderer(form, monitor="Speakers", **settings) for version, settings in VERSIONS.items()}
    unlimited = Renderer(form, monitor="Speakers", safe_headroom="Off")
    ears = ear_responses(form)
    over = {"plain": [], "bypass": []}
    reductions = []
    for audio in pieces().values():
        feeds = {version: settled(renderer, audio) for version, renderer in played.items()}
        loudness = {
            version: loudness_lufs(heard(each, ears), sample_rate=SAMPLE_RATE) for version, each in feeds.items()
        }
        for other, found in over.items():
            found.append(loudness["design"] - loudness[other])
        reductions.append(reduction_db(feeds["design"], settled(unlimited, audio), played["design"].gain_db))
    over = {other: np.array(found) for other, found in over.items()}
    is_music = np.array([kind != "part" for kind, _ in pieces()])
    worst = list(pieces())[int(np.argmax(np.abs(over["plain"])))]
    everywhere = np.concatenate(reductions)
    return {
        "preset": name,
        "gain (dB)": round(played["design"].gain_db, 1),
        "design - plain, all (LU)": f"{over['plain'].min():.1f} to {over['plain'].max():.1f}",
        "music (LU)": f"{over['plain'][is_music].min():.1f} to {over['plain'][is_music].max():.1f}",
        "spread (LU)": round(float(np.ptp(over["plain"])) / 2, 1),
        "of a real pair (LU)": round(real_spread_lu(form), 1),
        f"within {MATCHED_LU:g} LU": f"{np.count_nonzero(np.abs(over['plain']) <= MATCHED_LU)} of {len(is_music)}",
        "furthest off": worst[1],
        "design - bypass, at most (LU)": round(float(np.abs(over["bypass"]).max()), 1),
        "most reduction (dB)": round(float(everywhere.max()), 1),
        "reduced by more than 1 dB (% of time)": round(100 * float(np.mean(everywhere > NOTABLE_DB)), 2),
    }


def real_spread_lu(form):
    """Half the distance between pieces, of a real pair against the device unaided."""
    plain, real = (
        Renderer(form, monitor=monitor, safe_headroom="Off") for monitor in ("Headphones Plain", "Headphones Reference")
    )
    over = [
        np.subtract(*(loudness_lufs(settled(each, audio), sample_rate=SAMPLE_RATE) for each in (real, plain)))
        for audio in pieces().values()
    ]
    return float(np.ptp(over)) / 2


def settled(renderer, audio):
    """What a renderer plays, from half a second on."""
    renderer.reset()
    return renderer.process(audio)[:, renderer.latency_frames + SETTLE_FRAMES :].astype(np.float64)


def ear_responses(form):
    """Responses of the ears to driver feeds, shape (2, drivers, taps)."""
    rows = [[decode_fir(text) for text in row] for row in form["ears"]["device"]]
    taps = max(len(fir) for row in rows for fir in row)
    return np.array([[np.pad(fir, (0, taps - len(fir))) for fir in row] for row in rows])


def heard(feeds, ears):
    """Pressure at the ears, shape (2, frames)."""
    return np.stack([fftconvolve(feeds, ear, axes=-1).sum(axis=0) for ear in ears])[:, : feeds.shape[1]]


def reduction_db(feeds, unlimited, gain_db):
    """What the limiter takes at each frame that is not silent, shape (frames,)."""
    power = np.sum(unlimited**2, axis=0)
    is_told = power > QUIET
    gain = np.sum(feeds * unlimited, axis=0)[is_told] / (power[is_told] * 10.0 ** (gain_db / 20))
    reduction = np.zeros(len(power))
    reduction[is_told] = -20 * np.log10(np.clip(gain, 1e-3, 1.0))
    return reduction


def main():
    """Rows of all presets."""
    pieces()  # once, for all processes
    with ProcessPoolExecutor() as pool:
        rows = list(pool.map(level_row, factory_presets()))
    write("level", "Level on real drivers", [Table("Speakers, default settings, twenty loud pieces", rows)], text=TEXT)


if __name__ == "__main__":
    main()
