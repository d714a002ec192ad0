"""Make a session: render all versions of all songs, make them equally loud, align them to the sample."""

from __future__ import annotations

import hashlib
import math
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import firwin, oaconvolve

from forestage.audio_file import open_stereo, read_stereo, write_wav
from forestage.chain import Chain
from forestage.files import no_file
from forestage.levels import to_dbfs
from forestage.match import integrated_lufs, matching_gains_db
from forestage.presets import PresetLike, load_preset
from forestage.render_file import Job, Rendered, render_jobs

from .session import LOW_ANCHOR, MID_ANCHOR, PLAIN, PRESET, REFERENCE, SOUNDS, Session, Song, Sound, Version

Audio = NDArray[np.float32]

TRIALS = 12
LONGEST_S = 300.0
MOST_S = 1200.0  # of all versions together, which browsers hold in memory
SHORTEST_S = 0.4  # a block of BS.1770
MOST_VERSIONS = 16  # 32 channels, as many as a sound of a browser may have
ANCHORS_HZ = {LOW_ANCHOR: 3500.0, MID_ANCHOR: 7000.0}  # BS.1534-3
SUBTYPE = "PCM_24"
SEARCHED_S = 0.005  # how far versions may be apart before they are aligned
CLIPPED_RUN = 3


@dataclass(frozen=True)
class Plan:
    """What a session is made of.

    Attributes
    ----------
    songs : sequence of Path
        Stereo or mono files.
    presets : sequence of str
        Factory names, or preset files.
    method : str
        "preference", "abx" or "mushra".
    trials : int, optional
        Per listener; 12 by default, in MUSHRA one a song.
    monitor : str
        What is heard: "Headphones", or "Speakers" for devices of two drivers.
    has_plain : bool
        Whether the unaided device of the first preset is compared, too.
    start_s, length_s : float
        Excerpt of each song; to its end without a length.
    settings : dict
        Parameters of the renderer, and the equaliser of the headphones.
    """

    songs: Sequence[Path]
    presets: Sequence[str]
    method: str = "preference"
    trials: int | None = None
    monitor: str = "Headphones"
    has_plain: bool = False
    start_s: float = 0.0
    length_s: float | None = None
    settings: dict[str, Any] | None = None
    chain: Chain | None = None


@dataclass(frozen=True)
class Source:
    """How a version is rendered: what preset, heard through which monitor; an anchor is made of the reference."""

    version: Version
    preset: PresetLike
    monitor: str


def made_of(plan: Plan) -> dict[str, Any]:
    """What tells whether a session is asked for again: contents of files, and all settings."""
    return {
        "songs": [[path.name, _sha256(path)] for path in plan.songs],
        "presets": [hashlib.sha256(load_preset(name).to_json().encode()).hexdigest() for name in plan.presets],
        "labels": _labels(plan.presets),
        "method": plan.method,
        "trials": _trials(plan),
        "monitor": plan.monitor,
        "plain": plan.has_plain,
        "excerpt": [plan.start_s, plan.length_s],
        "settings": {key: _content(value) for key, value in sorted((plan.settings or {}).items())},
        "chain": None if plan.chain is None else [repr(plan.chain), *_presets_of(plan.chain)],
    }


def _content(value: Any) -> str:
    """A setting as text; of a file what is in it."""
    return _sha256(value) if isinstance(value, Path) else str(value)


def _presets_of(chain: Chain) -> list[str]:
    return [_sha256(effect.preset) for _, effect in chain.effects if effect.preset is not None]


def make_session(
    plan: Plan,
    folder: Path,
    *,
    progress: Callable[[float], object] | None = None,
    say: Callable[[str], object] = lambda text: None,
) -> Session:
    """Render and write a session.

    Parameters
    ----------
    plan : Plan
        What it is made of.
    folder : Path
        Where to; made when it is not there.
    progress : callable, optional
        Called with the share that is done, 0..1.
    say : callable, optional
        Called with what is worth knowing: of songs that are left out, or clipped.

    Raises
    ------
    ValueError
        When what is compared cannot be, or no song is left.
    """
    sources, trials = _sources(plan), _trials(plan)
    files = made_of(plan)  # all of which are there, before any work is done
    is_new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".rendering-") as name:
            songs = _rendered(plan, sources, Path(name), progress, say)
            os.rename(Path(name) / SOUNDS, folder / SOUNDS)
    except BaseException:
        if is_new:
            folder.rmdir()
        raise
    versions = tuple(source.version for source in sources)
    session = Session(secrets.token_hex(8), plan.method, trials, versions, tuple(songs), files)
    session.save(folder)
    return session


def _rendered(
    plan: Plan,
    sources: Sequence[Source],
    work: Path,
    progress: Callable[[float], object] | None,
    say: Callable[[str], object],
) -> list[Song]:
    """Render everything, and write the sounds of songs of which nothing failed into a folder."""
    excerpts = _excerpts(plan, len(sources), work, say)
    jobs = {
        (index, source.version.id): Job(
            excerpt,
            work / f"{index}-{source.version.id}.wav",
            source.preset,
            {**(plan.settings or {}), "monitor": source.monitor},
            plan.chain,
        )
        for index, (_, excerpt) in enumerate(excerpts)
        for source in sources
        if source.version.kind not in ANCHORS_HZ
    }
    rendered = dict(zip(jobs, render_jobs(list(jobs.values()), progress=progress), strict=True))
    left = []
    for index, (song, _) in enumerate(excerpts):
        failed = {version: done for (of, version), done in rendered.items() if of == index and is_error(done)}
        for version, error in failed.items():
            label = next(source.version.label for source in sources if source.version.id == version)
            say(f"{song.name} is left out: {label}: {' '.join(str(error).replace(f'{work}/', '').split())}")
        if not failed:
            left.append((index, song))
    if not left:
        raise ValueError("no song is left to listen to")
    versions = [source.version for source in sources]
    (work / SOUNDS).mkdir()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda each: _song(each[1], work, each[0], versions, work / SOUNDS), left))


def is_error(result: Rendered | Exception) -> bool:
    """Whether a job came to nothing."""
    return isinstance(result, Exception)


def _trials(plan: Plan) -> int:
    """Trials of each listener, enough for all songs and pairs."""
    candidates = len(plan.presets) + plan.has_plain
    is_mushra = plan.method == "mushra"
    needed = len(plan.songs) * (1 if is_mushra else candidates * (candidates - 1) // 2)
    if plan.trials is None:
        return needed if is_mushra else max(TRIALS, needed)
    if plan.trials < needed:
        what = "songs" if is_mushra else "pairs of presets and songs"
        raise ValueError(f"--trials {plan.trials}: there are {needed} {what}; at least as many would be right")
    return plan.trials


def _labels(presets: Sequence[str]) -> list[str]:
    """What presets are called: the name without its folder and ending, where that tells them apart."""
    short = [Path(name).stem if name.endswith(".json") else name for name in presets]
    return short if len(set(short)) == len(short) else list(presets)


def _sources(plan: Plan) -> list[Source]:
    """All versions, checked."""
    labels = _labels(plan.presets)
    if len(set(labels)) < len(labels):
        raise ValueError(f"--presets {' '.join(plan.presets)}: each once would be right")
    for name in plan.presets:
        if Path(name).suffix[1:].upper() in soundfile.available_formats():
            raise ValueError(f"{name}: a song, where presets are listed; songs go in front of --presets")
    loaded = [load_preset(name) for name in plan.presets]
    if plan.monitor == "Speakers":
        for label, preset in zip(labels, loaded, strict=True):
            if len(preset.drivers) != 2:
                raise ValueError(
                    f"{label} has {len(preset.drivers)} drivers, and a browser plays two channels: "
                    "--monitor Headphones has them at the ears"
                )
    found = [
        Source(Version(f"preset-{index + 1}", label, PRESET), preset, plan.monitor)
        for index, (label, preset) in enumerate(zip(labels, loaded, strict=True))
    ]
    if plan.has_plain:
        if plan.monitor == "Speakers":
            raise ValueError("--plain goes with --monitor Headphones: there it is a monitor of its own")
        found.append(Source(Version("plain", f"{labels[0]} unaided", PLAIN), loaded[0], "Headphones Plain"))
    if plan.method == "mushra":
        if plan.monitor == "Speakers":
            raise ValueError("--method mushra goes with --monitor Headphones: its reference is the pair at the ears")
        found.append(Source(Version("reference", "reference pair", REFERENCE), loaded[0], "Headphones Reference"))
        for kind, hz in ANCHORS_HZ.items():
            found.append(Source(Version(kind.replace(" ", "-"), f"anchor {hz / 1000:g} kHz", kind), loaded[0], ""))
    elif len(found) < 2:
        raise ValueError(f"only {labels[0]} to listen to: a second one in --presets, or --plain, would be right")
    if len(found) > MOST_VERSIONS:
        raise ValueError(f"{len(found)} versions; at most {MOST_VERSIONS} would be right")
    return found


def _excerpts(plan: Plan, versions: int, work: Path, say: Callable[[str], object]) -> list[tuple[Song, Path]]:
    """Cut what is to be played out of each song; those that cannot be played are left out, with a word."""
    found, names = [], [path.name for path in plan.songs]
    longest_s = min(LONGEST_S, MOST_S / versions)
    for index, path in enumerate(plan.songs):
        name = path.name if names.count(path.name) == 1 else str(path)
        try:
            audio, sample_rate = _cut(path, plan, longest_s)
            if clipped := _clipped_places(audio):
                say(f"{name}: clipped in {clipped} places, as it is in the file")
        except (OSError, ValueError) as error:
            say(f"{name} is left out: {error}")
            continue
        excerpt = work / f"{index}.wav"
        write_wav(excerpt, audio, sample_rate=sample_rate)
        found.append((Song(name, sample_rate, audio.shape[1], {}), excerpt))
    return found


def _cut(path: Path, plan: Plan, longest_s: float) -> tuple[Audio, int]:
    with open_stereo(path) as reader:
        rate = reader.sample_rate
        there_s = (reader.frames or 0) / rate
        if plan.start_s >= there_s:
            raise ValueError(f"{path}: ends after {there_s:.1f} s, before --start {plan.start_s:g}")
        wanted_s = min(there_s - plan.start_s, plan.length_s or math.inf)
        if wanted_s > longest_s:
            raise ValueError(
                f"{path}: {wanted_s:.0f} s; at most {longest_s:.0f} s would be right for as many versions: choose an "
                "excerpt with --start and --seconds"
            )
        reader.skip(round(plan.start_s * rate))
        audio = np.concatenate(list(_first(reader.blocks(), round(wanted_s * rate))), axis=1)
    if audio.shape[1] < SHORTEST_S * rate:
        raise ValueError(f"{path}: {audio.shape[1] / rate:.2f} s; at least {SHORTEST_S:g} s have a loudness")
    if not math.isfinite(integrated_lufs(audio, sample_rate=rate)):
        raise ValueError(f"{path}: silent there; loudness can be made equal where there is sound")
    return audio, rate


def _first(blocks: Iterator[Audio], frames: int) -> Iterator[Audio]:
    for block in blocks:
        yield block[:, :frames]
        frames -= block.shape[1]
        if frames <= 0:
            return


def _clipped_places(audio: Audio) -> int:
    """Runs of samples at the highest value there is, when that is near full scale."""
    top = float(np.abs(audio).max())
    if top < 0.98:
        return 0
    flat = (np.abs(audio) >= top * (1 - 2**-15)).astype(np.int8)
    length = audio.shape[1] - CLIPPED_RUN + 1
    runs = np.min([flat[:, at : at + length] for at in range(CLIPPED_RUN)], axis=0)
    return int(np.count_nonzero(np.diff(runs, axis=1, prepend=0) == 1))


def _song(song: Song, work: Path, index: int, versions: Sequence[Version], folder: Path) -> Song:
    """Read the renderings of a song, make them equal, and write them."""
    heard = {
        version.id: read_stereo(work / f"{index}-{version.id}.wav")[0]
        for version in versions
        if version.kind not in ANCHORS_HZ
    }
    first = next(iter(heard))
    shifts = {name: lag_frames(heard[first], audio, song.sample_rate) for name, audio in heard.items()}
    heard = {name: shifted(audio, -shifts[name]) for name, audio in heard.items()}
    for version in versions:
        if version.kind in ANCHORS_HZ:
            reference = next(each.id for each in versions if each.kind == REFERENCE)
            heard[version.id] = anchor(heard[reference], ANCHORS_HZ[version.kind], song.sample_rate)
            shifts[version.id] = shifts[reference]
    gains = matched_gains_db(list(heard.values()), sample_rate=song.sample_rate)
    sounds = {}
    for (name, audio), gain_db in zip(heard.items(), gains, strict=True):
        played = audio * np.float32(10 ** (gain_db / 20))
        sound_id = secrets.token_hex(8)
        soundfile.write(folder / f"{sound_id}.flac", played.T, song.sample_rate, subtype=SUBTYPE)
        peak = to_dbfs(float(np.abs(played).max()))
        lufs = integrated_lufs(played, sample_rate=song.sample_rate)
        sounds[name] = Sound(sound_id, round(lufs, 3), round(peak, 2), round(gain_db, 3), -shifts[name])
    return Song(song.name, song.sample_rate, song.frames, sounds)


def matched_gains_db(heard: Sequence[Audio], *, sample_rate: int) -> list[float]:
    """Gains that make all equally loud, as little as that takes, and none higher than full scale."""
    gains = matching_gains_db([integrated_lufs(audio, sample_rate=sample_rate) for audio in heard])
    highest = max(float(np.abs(audio).max()) * 10 ** (gain / 20) for audio, gain in zip(heard, gains, strict=True))
    room_db = min(0.0, -to_dbfs(highest))
    return [gain + room_db for gain in gains]


def anchor(reference: Audio, cutoff_hz: float, sample_rate: int) -> Audio:
    """Low-pass after BS.1534-3: flat to 0.1 dB up to its cutoff, 25 dB down at 8/7 of it and 50 dB at 9/7; no delay."""
    if 1.15 * cutoff_hz >= sample_rate / 2:
        return reference.copy()  # nothing is above it
    frames = 2 * round(2.4 * sample_rate / cutoff_hz * 7) + 1
    taps = firwin(frames, cutoff_hz * 15 / 14, window=("kaiser", 6.2), fs=sample_rate)
    return np.asarray(oaconvolve(reference, taps[np.newaxis], mode="same", axes=1), dtype=np.float32)


def lag_frames(reference: Audio, audio: Audio, sample_rate: int) -> int:
    """How much later a version is than another: where the sums of their channels are most alike, in frames."""
    most = round(SEARCHED_S * sample_rate)
    size = 1 << (reference.shape[1] + most - 1).bit_length()
    first, second = (np.fft.rfft(each.sum(axis=0), size) for each in (reference, audio))
    likeness = np.fft.irfft(second * np.conj(first), size)
    near = np.concatenate([likeness[-most:], likeness[: most + 1]])
    return int(np.argmax(near)) - most


def shifted(audio: Audio, frames: int) -> Audio:
    """Move sound to later; what leaves the file is lost, what comes in is silence."""
    moved = np.zeros_like(audio)
    if frames >= 0:
        moved[:, frames:] = audio[:, : audio.shape[1] - frames]
    else:
        moved[:, :frames] = audio[:, -frames:]
    return moved


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise FileNotFoundError(no_file(path))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
