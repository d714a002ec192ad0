"""Effects before and after Forestage, and what they play together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from forestage.constants import SAMPLE_RATE
from forestage.render import Renderer, aligned, stereo_block

from .effect import Effect
from .play import Audio, through

if TYPE_CHECKING:
    from forestage.presets import PresetLike


@dataclass(frozen=True)
class Chain:
    """Effects before and after Forestage.

    Attributes
    ----------
    before : sequence of Effect
        What the stereo goes through first: the mix bus.
    after : sequence of Effect
        What plays what Forestage made: ears, or driver feeds.

    Examples
    --------
    >>> chain = Chain(after=[Effect("Gain", parameters={"gain_db": -6.0})])
    >>> chain.play(np.zeros((2, 480), np.float32), "laptop").shape
    (2, 480)
    """

    before: tuple[Effect, ...] = ()
    after: tuple[Effect, ...] = ()

    def __post_init__(self) -> None:
        for key in ("before", "after"):
            object.__setattr__(self, key, tuple(getattr(self, key)))

    @property
    def effects(self) -> tuple[tuple[str, Effect], ...]:
        """All effects in the order in which they play, each with its place, such as ``before[0]``."""
        return tuple(
            (f"{key}[{index}]", effect)
            for key in ("before", "after")
            for index, effect in enumerate(getattr(self, key))
        )

    def play(self, x: ArrayLike, preset: PresetLike, *, sample_rate: float = SAMPLE_RATE, **settings: Any) -> Audio:
        """Play stereo through the effects and Forestage, with all latency taken out.

        Parameters
        ----------
        x : array_like, shape (2, frames)
            Floating point stereo.
        preset : str, Path, dict or Preset
            What Forestage plays.
        sample_rate : float
            In Hz.
        **settings
            As for `forestage.Renderer`.

        Returns
        -------
        numpy.ndarray, shape (drivers or 2, frames), float32
        """
        renderer = Renderer(preset, sample_rate=sample_rate, **settings)
        return np.concatenate(list(self.played([stereo_block(x)], renderer)), axis=1)

    def played(
        self, blocks: Iterable[Audio], renderer: Renderer, *, at: Callable[[str], object] = lambda place: None
    ) -> Iterator[Audio]:
        """Play a stream of blocks of any length; as many frames come out as went in, aligned with them.

        Parameters
        ----------
        blocks : iterable of arrays, shape (2, frames)
            Stereo.
        renderer : Renderer
            Forestage, fresh or reset.
        at : callable, optional
            Told each time which effect plays now, and an empty text when none does: what crashes is known by it.
        """
        sample_rate = renderer.sample_rate
        for place, effect in self.effects[: len(self.before)]:
            blocks = through(effect, place, blocks, sample_rate, at)
        blocks = aligned(renderer, blocks)
        for place, effect in self.effects[len(self.before) :]:
            blocks = through(effect, place, blocks, sample_rate, at)
        yield from blocks

    def __str__(self) -> str:
        names = [effect.title for effect in self.before] + ["Forestage"] + [effect.title for effect in self.after]
        return " → ".join(names)
