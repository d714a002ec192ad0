"""Sweeps played and recorded through a sound card (PortAudio, by `sounddevice`), a place after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from forestage.arrays import FloatArray
from forestage.audio_file import write_wav
from forestage.measure.clock import find_clock
from forestage.measure.plan import Plan
from forestage.measure.recording import read_recording

Card = int | str | None
# Of a recording after what was played, for what is still on its way
AFTER_S = 0.5


def record(
    plan: Plan,
    folder: Path,
    *,
    ready: Callable[[int, str], None],
    again: Callable[[int, str], bool],
    output: Card = None,
    source: Card = None,
) -> list[Path]:
    """Play and record the sweeps at every place of a plan.

    Parameters
    ----------
    plan : Plan
        What is played, and where.
    folder : Path
        Where ``place-1.wav`` and so on go; they are written as they are made.
    ready : callable
        Called as ``ready(place, text)`` before each place; returns when the microphone is there.
    again : callable
        Called as ``again(place, text)`` where a recording is no good; whether to make it again, else it is an error.
    output, source : int or str, optional
        Cards to play to and record from, as `sounddevice` has them; those of the system by default.

    Raises
    ------
    RuntimeError, OSError
        Without `sounddevice`, or PortAudio.
    ValueError
        When there is no card, it has too few channels, or a recording is no good.
    """
    sound = _sounddevice()
    drivers = list(range(len(plan.drivers)))
    channels = 2 if plan.is_ears else 1
    cards = _cards(sound, output, source, outputs=len(drivers), inputs=channels)
    quiet = np.zeros((len(drivers), round(AFTER_S * plan.sample_rate)), np.float32)
    played = np.concatenate([plan.audio(drivers), quiet], axis=1)
    paths = []
    for index, place in enumerate(plan.places_m, 1):
        path = folder / f"place-{index}.wav"
        ready(index, _where(plan, place))
        while True:
            write_wav(path, _take(sound, played, plan.sample_rate, channels, cards), sample_rate=plan.sample_rate)
            try:
                _check(path, plan, drivers)
                break
            except ValueError as error:
                if not again(index, str(error)):
                    raise
        paths.append(path)
    return paths


def _sounddevice() -> ModuleType:
    try:
        import sounddevice
    except ModuleNotFoundError:
        raise RuntimeError(
            "sounddevice is not installed: pip install 'forestage[live]' (and Debian's libportaudio2), or play and "
            "record the files of `forestage measure sweeps`"
        ) from None
    return sounddevice


def _cards(sound: ModuleType, output: Card, source: Card, *, outputs: int, inputs: int) -> tuple[Any, Any]:
    """Numbers of the cards to play to and to record from, which have channels enough."""
    found = []
    for kind, card, needed, option in (("output", output, outputs, "--output"), ("input", source, inputs, "--input")):
        try:
            told = sound.query_devices(card, kind)
        except (ValueError, sound.PortAudioError) as error:
            names = ", ".join(str(each["name"]) for each in sound.query_devices()) or "none"
            raise ValueError(
                f"no card for {kind} ({' '.join(str(error).split())}); there are: {names}. {option} NAME, or play and "
                "record the files of `forestage measure sweeps` elsewhere"
            ) from None
        has = int(told[f"max_{kind}_channels"])
        if has < needed:
            what = "drivers" if kind == "output" else "microphones"
            raise ValueError(
                f'card "{told["name"]}" has {has} {kind} channels for {needed} {what}; choose another with {option}'
            )
        found.append(told["index"])
    return found[1], found[0]


def _take(sound: ModuleType, played: Any, sample_rate: int, channels: int, cards: tuple[Any, Any]) -> Any:
    """What is recorded while something plays, shape (channels, frames)."""
    try:
        heard = sound.playrec(
            np.ascontiguousarray(played.T), sample_rate, channels=channels, dtype="float32", device=cards, blocking=True
        )
    except sound.PortAudioError as error:
        raise ValueError(
            f"the card does not play and record {sample_rate} Hz ({' '.join(str(error).split())}); another rate with "
            "--sample-rate, or other cards with --output and --input"
        ) from None
    return np.asarray(heard, dtype=np.float32).T


def _check(path: Path, plan: Plan, drivers: list[int]) -> None:
    """Whether a recording can be used, while it can be made again."""
    audio: FloatArray = read_recording(path, plan, frames=plan.frames(drivers))
    try:
        find_clock(audio[0], plan, drivers)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _where(plan: Plan, place: tuple[float, float, float]) -> str:
    x, y, z = place
    what = "middle of the head" if plan.is_ears else "microphone"
    side = "left" if y >= 0 else "right"
    aside = f"{100 * abs(y):.1f} cm to the {side} as the listener has it"
    return f"{what} {100 * x:.1f} cm ahead, {aside}, {100 * z:.1f} cm up"
