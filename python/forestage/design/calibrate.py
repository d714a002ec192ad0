"""Static gains: all monitors, the design and the plain device equally loud, and loud music within full scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forestage.constants import SAMPLE_RATE
from forestage.metrics.level import loud_programme, programme_headroom_db
from forestage.metrics.loudness import loudness_lufs, programme
from forestage.render import Renderer

BINAURAL = ("Headphones", "Headphones Plain", "Headphones Reference")
UNLIMITED = {"safe_headroom": 0}
GAINS = ("processed_db", "device_ears_db", "reference_ears_db", "headroom_db")

Render = Callable[[Mapping[str, Any], NDArray[np.float32], str], NDArray[np.float32]]


@dataclass(frozen=True)
class Loudness:
    """Gains of a preset, in dB.

    Attributes
    ----------
    processed_db : float
        Brings the design to plain stereo on the same device, at the ears: as much too loud with some loud programme as
        too quiet with other.
    device_ears_db : float
        Brings plain stereo on the device, at the ears, to the loudness of the input.
    reference_ears_db : float
        The same for the reference pair.
    headroom_db : float, optional
        Turns all monitors down alike, so that loud music hardly ever needs the limiter; estimated by the engine if
        there is none.
    match_lu : float
        How far design and plain stereo are then apart in loudness, at most, over that programme; tells of the gains.
    limited_db : float
        What limiters take of its peaks.
    """

    processed_db: float = 0.0
    device_ears_db: float = 0.0
    reference_ears_db: float = 0.0
    headroom_db: float | None = None
    match_lu: float = 0.0
    limited_db: float = 0.0

    def form(self) -> dict[str, float]:
        """In the JSON form of a preset."""
        return {key: value for key in GAINS if (value := getattr(self, key)) is not None}


def render_with_core(preset: Mapping[str, Any], audio: NDArray[np.float32], monitor: str) -> NDArray[np.float32]:
    """Play audio at 48 kHz through the engine; the default of `calibrate`."""
    return Renderer(preset, sample_rate=SAMPLE_RATE, monitor=monitor).process(audio)


class _Core:
    """`render_with_core`, again and again: who has played the same preset in the same monitor only forgets it."""

    def __init__(self) -> None:
        self._players: list[tuple[Mapping[str, Any], str, Renderer]] = []

    def __call__(self, preset: Mapping[str, Any], audio: NDArray[np.float32], monitor: str) -> NDArray[np.float32]:
        for known, other, renderer in self._players:
            if known is preset and other == monitor:
                renderer.reset()
                return renderer.process(audio)
        renderer = Renderer(preset, sample_rate=SAMPLE_RATE, monitor=monitor)
        self._players.append((preset, monitor, renderer))
        return renderer.process(audio)


def calibrate(preset: Mapping[str, Any], *, render: Render = render_with_core) -> Loudness:
    """Measure the gains of a preset.

    Parameters
    ----------
    preset : mapping
        A preset in its JSON form; its gains do not matter.
    render : callable
        ``render(preset, audio, monitor)`` plays stereo at 48 kHz and returns what the ears or, on ``"Speakers"``, the
        drivers get.
    """
    render = _Core() if render is render_with_core else render
    neutral = _with(preset, Loudness())
    music = programme()
    source, plain, reference = (
        loudness_lufs(audio, sample_rate=SAMPLE_RATE)
        for audio in (music, *(render(neutral, music, monitor) for monitor in BINAURAL[1:]))
    )
    heard = {monitor: [render(neutral, audio, monitor) for audio in loud_programme()] for monitor in BINAURAL[:2]}
    design, device = ([loudness_lufs(audio, sample_rate=SAMPLE_RATE) for audio in each] for each in heard.values())
    over = [of_design - of_device for of_design, of_device in zip(design, device, strict=True)]
    processed_db = -(max(over) + min(over)) / 2
    gains = Loudness(*(round(float(gain_db), 3) for gain_db in (processed_db, source - plain, source - reference)))
    played = _loud(_with(preset, gains), render, _louder(heard, gains))
    headroom_db, limited_db = programme_headroom_db(played)
    match_lu = round(float(max(over) - min(over)) / 2, 2)
    return replace(gains, headroom_db=headroom_db, match_lu=match_lu, limited_db=limited_db)


def _with(preset: Mapping[str, Any], gains: Loudness) -> dict[str, Any]:
    """A preset with other gains, and without room for peaks."""
    return dict(preset) | {"loudness": gains.form(), "parameters": dict(preset.get("parameters", {})) | UNLIMITED}


def _louder(heard: dict[str, list[NDArray[np.float32]]], gains: Loudness) -> dict[str, list[NDArray[np.float32]]]:
    """What ears hear without gains, with them."""
    both_db = (gains.processed_db + gains.device_ears_db, gains.device_ears_db)
    factors = dict(zip(BINAURAL[:2], (np.float32(10.0 ** (gain_db / 20)) for gain_db in both_db), strict=True))
    return {monitor: [factors[monitor] * audio for audio in played] for monitor, played in heard.items()}


def _loud(
    preset: dict[str, Any], render: Render, heard: dict[str, list[NDArray[np.float32]]]
) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Loud programme in every monitor by name, the plain device on Speakers among them, and those that were heard."""
    plain = preset | {"parameters": preset["parameters"] | {"amount": 0}}
    for index, audio in enumerate(loud_programme()):
        for monitor in ("Speakers", *BINAURAL):
            yield monitor, heard[monitor][index] if monitor in heard else render(preset, audio, monitor)
        yield "Speakers, plain", render(plain, audio, "Speakers")
