"""Play audio through the same C++ engine that the plugin runs."""

import copy
import math
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _core, notebook
from .constants import SAMPLE_RATE
from .headphone_eq import HeadphoneEqLike, load_headphone_eq
from .params import BY_ID, Value, raw_value, session_values, text_value
from .presets import PresetLike, load_preset


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
        """Highest sample that was played since the last reset, of all channels, in dB over full scale."""
        return 20 * math.log10(max(self._engine.most_peak, 1e-10))

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
