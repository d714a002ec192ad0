"""Design, render, measure, and write the page."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np

from forestage.acoustics.device_file import load_device
from forestage.audio_file import read_stereo
from forestage.catalogue import EXCERPT
from forestage.center import upmix
from forestage.design.designer import design
from forestage.design.result import Design
from forestage.design.room_preset import room_preset
from forestage.params import BY_ID
from forestage.presets import save_preset

from . import page
from .content import ROOM, Demo, DeviceDemo, Track
from .measure import measure_design
from .sound import Audio, Player, copy_with_gain, measure, write_blocks, write_script

# One of each kind: a body with a centre driver, and a pair in the open
DEVICES = ("smart-speaker", "laptop")
CEILING_DBFS = -1.0  # true peak of what is to be listened to
SPEAKERS = "Speakers"
SCRIPTS = "sounds"
UPMIX = "upmix"
LOW, HIGH = BY_ID["upmix_quality"].choices
PUBLISHED = "Center, Magnitude Difference"

Advance = Callable[[int], object]
# progress(text, steps) as a context: gives a function to call with the steps that were done
Progress = Callable[[str, int], AbstractContextManager[Advance]]


def make_demo(source: Path | None = None, output: Path = Path("demo"), *, progress: Progress | None = None) -> Demo:
    """Make the demo.

    Parameters
    ----------
    source : Path, optional
        Any stereo or mono file; by default the excerpt that comes with the package.
    output : Path
        Folder to write to; files of an earlier demo in it are replaced.
    progress : callable, optional
        ``progress(text, steps)`` is a context that gives a function to call with the steps done.
    """
    progress = progress or _silent
    source = source or EXCERPT
    music, sample_rate = read_stereo(source)
    for folder_name in ("presets", SCRIPTS):
        (output / folder_name).mkdir(parents=True, exist_ok=True)
    designs = _design_all(output / "presets", progress)
    with tempfile.TemporaryDirectory(dir=output) as folder:
        started = time.perf_counter()
        rendered = _render_all(designs, music, sample_rate, Path(folder), progress)
        render_speed = (len(rendered) - 1) * music.shape[1] / sample_rate / (time.perf_counter() - started)
        rendered |= _split(music, sample_rate, Path(folder))
        with progress("Measuring", len(rendered) + len(designs)) as advance:
            gains_db = _listening_gains_db(rendered)
            tracks = {name: _finish(output, name, rendered[name], gains_db.get(name), advance) for name in rendered}
            devices = []
            for preset, result in designs.items():
                facts = measure_design(preset, result)
                free, room = (_tracks_of(tracks, preset.stem, in_room=in_room) for in_room in (False, True))
                devices.append(DeviceDemo(result, preset, free, room, facts))
                advance(1)
    demo = Demo(
        output / "index.html",
        source,
        sample_rate,
        music.shape[1] / sample_rate,
        render_speed,
        tracks[ORIGINAL],
        _tracks_of(tracks, UPMIX),
        tuple(devices),
    )
    with progress("Drawing", 1) as advance:
        demo.page.write_text(page.render(demo), encoding="utf-8")
        advance(1)
    return demo


_Name = tuple[str, str, bool]  # preset, monitor, whether in the room
_Rendered = tuple[Path, str]  # file of floats, status
ORIGINAL: _Name = ("original", "", False)


def _design_all(folder: Path, progress: Progress) -> dict[Path, Design]:
    designs = {}
    for name in DEVICES:
        device = load_device(name)
        done = 0
        with progress(f"Designing {device.name}", 100) as advance:

            def report(fraction: float, _text: str, advance: Advance = advance) -> None:
                nonlocal done
                advance(round(100 * fraction) - done)
                done = round(100 * fraction)

            result = design(device, progress=report)
        with progress(f"Putting {device.name} into a room", 1) as advance:
            form = room_preset(result.preset(), ROOM)
            path = save_preset(form, folder / f"{device.slug}.json", overwrite=True)
            advance(1)
        designs[path] = result
    return designs


def _render_all(
    designs: dict[Path, Design], music: Audio, sample_rate: int, folder: Path, progress: Progress
) -> dict[_Name, _Rendered]:
    original = folder / "original.wav"
    write_blocks(original, iter([music]), sample_rate=sample_rate)
    rendered: dict[_Name, _Rendered] = {ORIGINAL: (original, "OK")}
    monitors = BY_ID["monitor"].choices
    heard = [(monitor, False) for monitor in monitors] + [
        (monitor, True) for monitor in monitors if monitor != SPEAKERS
    ]
    for preset in designs:
        for monitor, in_room in heard:
            place = f", {ROOM}" if in_room else ""
            path = folder / f"{preset.stem}-{_slug(monitor + place)}.wav"
            player = Player(preset, sample_rate=sample_rate, monitor=monitor, room=in_room)
            with progress(f"Rendering {preset.stem}, {monitor}{place}", music.shape[1]) as advance:
                write_blocks(path, player.aligned(music, advance=advance), sample_rate=sample_rate)
            rendered[preset.stem, monitor, in_room] = path, player.status
    return rendered


def _split(music: Audio, sample_rate: int, folder: Path) -> dict[_Name, _Rendered]:
    """Each path of the upmix alone, where it plays, left and right on their own sides; and what it is compared with."""
    left, right, center = upmix(music, sample_rate=sample_rate, quality=HIGH)
    silence = np.zeros_like(left)
    centers = {
        f"Center, {LOW}": upmix(music, sample_rate=sample_rate, quality=LOW)[2],
        PUBLISHED: upmix(music, sample_rate=sample_rate, quality=HIGH, gain_rule="magnitude_difference")[2],
        "Mid": music.mean(axis=0),
    }
    paths = {"Left": (left, silence), "Center": (center, center), "Right": (silence, right)}
    paths |= {name: (sound, sound) for name, sound in centers.items()}
    rendered: dict[_Name, _Rendered] = {}
    for name, pair in paths.items():
        path = folder / f"{UPMIX}-{_slug(name)}.wav"
        write_blocks(path, iter([np.stack(pair)]), sample_rate=sample_rate)
        rendered[UPMIX, name, False] = path, "OK"
    return rendered


def _slug(name: str) -> str:
    return name.lower().replace(", ", "-").replace(" ", "-")


def _listening_gains_db(rendered: dict[_Name, _Rendered]) -> dict[_Name, float]:
    """Gains at which everything for headphones is as loud as the original on this very music, and nothing clips.

    The paths of the upmix are parts of the original and keep its gain; so does what is too short or too quiet to have a
    loudness.
    """
    levels = {name: measure(path) for name, (path, _) in rendered.items() if name[1] != SPEAKERS}
    wanted = levels[ORIGINAL].loudness_lufs
    gains_db = {
        name: wanted - level.loudness_lufs
        if name[0] != UPMIX and wanted is not None and level.loudness_lufs is not None
        else 0.0
        for name, level in levels.items()
    }
    highest_dbfs = max(gains_db[name] + level.true_peak_dbfs for name, level in levels.items())
    together_db = min(0.0, CEILING_DBFS - highest_dbfs)
    return {name: gain_db + together_db for name, gain_db in gains_db.items()}


def _finish(output: Path, name: _Name, rendered: _Rendered, gain_db: float | None, advance: Advance) -> Track:
    """Write a file; one without a gain is for the device's drivers, not for the player."""
    source, status = rendered
    target = output / source.name
    _, monitor, in_room = name
    copy_with_gain(source, target, gain_db=gain_db or 0.0)
    script = None if gain_db is None else write_script(target, output / SCRIPTS)
    track = Track(target, monitor, measure(target), gain_db or 0.0, script, status, in_room)
    advance(1)
    return track


def _tracks_of(tracks: dict[_Name, Track], preset: str, *, in_room: bool = False) -> dict[str, Track]:
    return {monitor: track for (owner, monitor, room), track in tracks.items() if (owner, room) == (preset, in_room)}


def _silent(_text: str, _steps: int) -> AbstractContextManager[Advance]:
    return nullcontext(lambda _done: None)
