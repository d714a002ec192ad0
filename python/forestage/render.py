"""Play audio through the same C++ engine that the plugin runs."""

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core, notebook
from ._core import BlindRun, Preset
from .constants import SAMPLE_RATE
from .headphone_eq import HeadphoneEqLike, load_headphone_eq
from .levels import to_dbfs
from .params import BY_ID, Value, raw_value, session_values, text_value
from .presets import PresetLike, load_preset

MATCHING_PASSES = 4
MATCHED_DB = 0.002


def stereo_block(x: ArrayLike) -> NDArray[np.float32]:
    """Check audio for the engine and return it as contiguous float32.

    Parameters
    ----------
    x : array_like, shape (2, frames)
        Floating point stereo, channel 0 left.

    Raises
    ------
    TypeError
        For integer or complex samples.
    ValueError
        For any other shape, or no frames at all.
    """
    block = np.asarray(x)
    if not np.issubdtype(block.dtype, np.floating):
        hint = "; divide by 32768 for 16-bit audio" if np.issubdtype(block.dtype, np.integer) else ""
        raise TypeError(f"x has dtype {block.dtype}; float32 within -1 to 1 would be right{hint}")
    if block.ndim == 1:
        raise ValueError(f"x has shape {block.shape}; (2, frames) would be right: for mono, pass numpy.stack([x, x])")
    if block.ndim != 2 or block.shape[0] != 2:
        hint = ": pass x.T" if block.ndim == 2 and block.shape[1] == 2 else ": stereo, channels first"
        raise ValueError(f"x has shape {block.shape}; (2, frames) would be right{hint}")
    if block.shape[1] == 0:
        raise ValueError("x has no frames; at least one would be right")
    return np.ascontiguousarray(block, dtype=np.float32)


class Renderer:
    """Plays stereo through a preset; state streams from call to call.

    Any thread may call. Calls of ``process`` and ``reset`` wait for each other, so that every block is whole and
    follows another whole one; so do calls of ``load`` and ``set_headphone_eq``, which do not hold up the sound.
    Nothing waits with the GIL held. Copies and pickles have the same presets, equaliser and parameters, and start from
    silence: past sound is not kept.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        What plays in slot A: a factory name, a path, or a preset in memory.
    b : same, optional
        What slot B holds.
    sample_rate : float
        In Hz. A rate the preset has no filters for is converted to; ``status`` says so.
    output_channels : int, optional
        Default: one per driver for ``monitor="Speakers"``, two otherwise.
    headphone_eq : str, Path or HeadphoneEq, optional
        Equaliser of the headphones, for the headphones monitors; see ``load_headphone_eq``.
    **params
        Any host parameter by its id, e.g. ``amount=50`` or ``monitor="Headphones Plain"``. What is not given has the
        preset's value, or the table's default.

    Examples
    --------
    >>> ears = Renderer("laptop", sample_rate=44_100).process(np.zeros((2, 512), np.float32))
    >>> ears.shape
    (2, 512)
    """

    def __init__(
        self,
        preset: PresetLike,
        b: PresetLike | None = None,
        *,
        sample_rate: float = SAMPLE_RATE,
        output_channels: int | None = None,
        headphone_eq: HeadphoneEqLike | None = None,
        **params: Value,
    ) -> None:
        first = load_preset(preset)
        other = None if b is None else load_preset(b)
        values = session_values(first, params)
        if output_channels is None:
            is_speakers = values["monitor"] == raw_value("monitor", "Speakers")
            drivers = [len(p.drivers) for p in (first, other) if p is not None]
            output_channels = max(2, *drivers) if is_speakers else 2
        self._engine = _core.Engine(float(sample_rate), output_channels=output_channels)
        self.set_headphone_eq(headphone_eq)
        self.load(first, slot="A")
        if other is not None:
            self.load(other, slot="B")
        for param_id, value in values.items():
            self._engine.set_param(param_id, value)

    def process(self, x: ArrayLike) -> NDArray[np.float32]:
        """Play one block of any length.

        Parameters
        ----------
        x : array_like, shape (2, frames)
            Floating point stereo. A block with NaN or Inf in it plays as silence; sound comes back with the next.

        Returns
        -------
        numpy.ndarray, shape (drivers or 2, frames), float32
            Driver feeds for ``monitor="Speakers"``, left and right ear otherwise, ``latency_frames`` late.
        """
        return self._engine.process(stereo_block(x))

    def set(self, **params: Value) -> None:
        """Change parameters; they glide to their new values in 20 ms while sound runs."""
        values = {param_id: raw_value(param_id, value) for param_id, value in params.items()}
        for param_id, value in values.items():
            self._engine.set_param(param_id, value)

    def load(self, preset: PresetLike, *, slot: str = "A") -> None:
        """Put another preset into a slot; while sound runs it takes over with a 20 ms cross-fade.

        Parameters stay as they are: they belong to the session, not to the slot.
        """
        self._engine.load(slot, load_preset(preset))

    def set_headphone_eq(self, eq: HeadphoneEqLike | None) -> None:
        """Play the headphones monitors through another equaliser, or through none; it stays when presets change.

        While sound runs it takes over with a 20 ms cross-fade. The latency and ``monitor="Speakers"`` stay as they are.
        """
        self._engine.set_headphone_eq(None if eq is None else load_headphone_eq(eq))

    def match(self, x: ArrayLike | Iterator[ArrayLike]) -> None:
        """Make both slots and all headphones monitors equally loud for this music, exactly, and keep it so.

        The music plays once through a copy that measures all of them together, and once more where the limiter had to
        act, as a gain changes what that takes. From then on `level_match` is Programme, with the gains that were found.

        Parameters
        ----------
        x : array_like of shape (2, frames), or an iterator of such blocks
            Floating point stereo, not silent.
        """
        blocks = [stereo_block(each) for each in (x if isinstance(x, Iterator) else [x])]
        self.match_passes(lambda: iter(blocks))

    def match_passes(self, music: Callable[[], Iterable[ArrayLike]]) -> None:
        """`match` for music that is read anew for each pass, so that memory does not grow with its length."""
        self._engine.set_param("level_match", raw_value("level_match", "Programme"))
        found = [[0.0] * 3, [0.0] * 3]
        for _ in range(MATCHING_PASSES):
            before, (found, limited_db) = found, self._measured(music(), found)
            if limited_db == 0.0 or np.abs(np.subtract(found, before)).max() < MATCHED_DB:
                break
        self._engine.hold_match(found)

    def _measured(self, music: Iterable[ArrayLike], found: list[list[float]]) -> tuple[list[list[float]], float]:
        """What makes all as loud as the input, played with what was found before, and the most that was limited."""
        engine = copy.deepcopy(self._engine)
        engine.hold_match(found)
        for block in music:
            engine.process(stereo_block(block))
        engine.process(np.zeros((2, engine.latency_frames), np.float32))
        return engine.match_found, engine.most_reduction_db

    @property
    def match_found_db(self) -> NDArray[np.float64]:
        """What makes each headphones monitor as loud as the input, as found so far; (2 slots, 3 monitors), in dB."""
        return np.array(self._engine.match_found, dtype=np.float64)

    def matched_preset(self, slot: str = "A") -> Preset:
        """The preset of a slot with the gains that `level_match` = Programme has found, for Calibrated to play.

        They are those of the room where `room` is on, and of the settings of now.
        """
        preset = self._engine.preset(slot)
        if preset is None:
            raise ValueError(f"slot {slot} is empty; one with a preset would be right")
        if self._engine.param("amount") != BY_ID["amount"].max_value:
            raise ValueError(f"amount is {self._engine.param('amount'):g}; 100 would be right: gains are of the design")
        found = self._engine.match_found["AB".index(slot)]
        return _core.matched_preset(preset, found, in_room=self._engine.param("room") > 0)

    def answer(self, choice: str) -> None:
        """Answer a blind trial: ``"X"`` or ``"Y"`` is liked better, or is A (``blind="ABX"``)."""
        for text in ("None", choice, "None"):
            self._engine.set_param("blind_answer", raw_value("blind_answer", text))
            self._engine.process(np.zeros((2, 0), np.float32))

    @property
    def blind_run(self) -> BlindRun:
        """The last blind trials with what is answered; the parameter `blind` begins them."""
        return self._engine.blind_run()

    def seed_draws(self, number: int) -> None:
        """Draw the same in blind trials for the same number; else they begin with a number of the system."""
        self._engine.seed_draws(number)

    def reset(self) -> None:
        """Forget all past sound; parameters stay."""
        self._engine.reset()

    @property
    def params(self) -> dict[str, Any]:
        """Current values as text, by parameter id."""
        return {param_id: text_value(param_id, self._engine.param(param_id)) for param_id in BY_ID}

    @property
    def status(self) -> str:
        """What the engine has to say about what is playing, e.g. that filters were converted to this rate."""
        return text_value("status", self._engine.param("status"))

    @property
    def gain_db(self) -> float:
        """What ``safe_headroom`` turns the chosen monitor down by, 0 or less."""
        return self._engine.param("gain_db")

    @property
    def most_reduction_db(self) -> float:
        """What the limiter took besides, at most since the last reset, 0 or more."""
        return self._engine.most_reduction_db

    @property
    def reduction_db(self) -> float:
        """The same of the last second only."""
        return self._engine.param("reduction_db")

    @property
    def peak_dbfs(self) -> float:
        """Highest sample that was played since the last reset, of all channels, in dBFS; -200 for silence."""
        return to_dbfs(self._engine.most_peak)

    @property
    def is_clipped(self) -> bool:
        """Whether anything went above full scale since the last reset."""
        return self._engine.param("clip") > 0

    @property
    def latency_frames(self) -> int:
        """Delay from input to output, equal for all monitors and settings but ``upmix_quality``."""
        return self._engine.latency_frames

    @property
    def tail_frames(self) -> int:
        """How long sound may go on after the input has ended."""
        return self._engine.tail_frames

    @property
    def sample_rate(self) -> float:
        """In Hz."""
        return self._engine.sample_rate

    @property
    def output_channels(self) -> int:
        """Number of rows that ``process`` returns."""
        return self._engine.output_channels

    def __copy__(self) -> Self:
        return copy.deepcopy(self)  # two that share one stream would be one

    def __repr__(self) -> str:
        loaded = {slot: self._engine.preset(slot) for slot in "AB"}
        names = ", ".join(f"{slot}: {preset.name!r}" for slot, preset in loaded.items() if preset is not None)
        return f"<Renderer {names} at {self.sample_rate:g} Hz, {self.output_channels} outputs>"

    def _repr_html_(self) -> str:
        rows = {"latency": f"{self.latency_frames} frames at {self.sample_rate:g} Hz", "status": self.status}
        return notebook.table(repr(self), rows | {name: self.params[name] for name in self.params if name != "status"})


def aligned(renderer: Renderer, blocks: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Play a stream, with the latency taken out at the begin and made up for at the end."""
    late = early = renderer.latency_frames
    for block in blocks:
        played = renderer.process(block)[:, early:]
        early = max(0, early - block.shape[1])
        if played.shape[1]:
            yield played
    if late:
        yield renderer.process(np.zeros((2, late), np.float32))[:, early:]
