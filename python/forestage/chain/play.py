"""Sound through one effect, in blocks and aligned with what went in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pedalboard

    from .effect import Effect

Audio = NDArray[np.float32]

BLOCK_FRAMES = 65_536  # several of pedalboard's own blocks of 8192, so that one long call gives the same samples
LONGEST_DELAY_S = 30.0


def through(
    effect: Effect, place: str, blocks: Iterable[Audio], sample_rate: float, at: Callable[[str], object]
) -> Iterator[Audio]:
    """Play a stream through one effect, with its latency taken out at the begin and made up for at the end."""
    name = f"{effect.title} ({place})"
    at(name)
    plugin = _Instances(effect, name)
    at("")
    taken = given = 0

    def sounding(block: Audio) -> Audio:
        at(name)
        played = plugin.process(block, sample_rate)
        at("")
        return played

    for block in _of_length(blocks, BLOCK_FRAMES):
        taken += block.shape[1]
        played = sounding(block)
        given += played.shape[1]
        if played.shape[1]:
            yield played
        channels = block.shape[0]
    silence = 0.0
    while taken and given < taken:
        if silence > LONGEST_DELAY_S:
            raise ValueError(f"{name}: keeps back more than {LONGEST_DELAY_S:g} s of sound")
        played = sounding(np.zeros((channels, 8192), np.float32))[:, : taken - given]
        silence += 8192 / sample_rate
        given += played.shape[1]
        if played.shape[1]:
            yield played


class _Instances:
    """One instance of an effect; of a mono plugin one for each channel, as hosts have it."""

    def __init__(self, effect: Effect, name: str) -> None:
        self._effect, self._name = effect, name
        self._plugins = [self._loaded()]
        self._early: int | None = None

    def _loaded(self) -> pedalboard.Plugin:
        try:
            return self._effect.load()
        except ValueError as error:
            raise ValueError(f"{self._name}: {error}") from None

    def process(self, block: Audio, sample_rate: float) -> Audio:
        """Play one block; the first ones come out shorter by the latency."""
        played = self._played(block, sample_rate)
        if self._early is None:  # plugins tell it once they have played
            self._early = getattr(self._plugins[0], "reported_latency_samples", 0)
        heard = played[:, self._early :]
        self._early -= played.shape[1] - heard.shape[1]
        if not np.isfinite(heard).all():
            raise ValueError(f"{self._name}: plays samples that are NaN or infinite")
        return heard

    def _played(self, block: Audio, sample_rate: float) -> Audio:
        if len(self._plugins) == 1:
            try:
                return self._plugins[0].process(block, sample_rate, reset=False)
            except ValueError as error:
                if "expects 1 input channels and 1 output" not in str(error) or self._early is not None:
                    raise ValueError(f"{self._name}: {error}") from None
            self._plugins = [self._loaded() for _ in block]  # all fresh: a refusal may leave its marks
        each = [
            plugin.process(row[np.newaxis], sample_rate, reset=False)
            for plugin, row in zip(self._plugins, block, strict=True)
        ]
        return np.concatenate(each)


def _of_length(blocks: Iterable[Audio], frames: int) -> Iterator[Audio]:
    """Cut a stream anew: what comes out does not depend on where it was cut before."""
    held: list[Audio] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += block.shape[1]
        if count >= frames:
            joined = np.concatenate(held, axis=1)
            whole = count - count % frames
            for start in range(0, whole, frames):
                yield np.ascontiguousarray(joined[:, start : start + frames])
            held, count = [joined[:, whole:]], count - whole
    if count:
        yield np.ascontiguousarray(np.concatenate(held, axis=1))
