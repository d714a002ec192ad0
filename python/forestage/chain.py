"""What plays before and after Forestage, as on a track of a DAW: VST3 plugins, and effects that pedalboard has.

A plugin of someone else may crash. `forestage.render_file` therefore plays a chain in a process of its own; what is
here runs where it is called.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .constants import SAMPLE_RATE
from .files import read_text
from .render import Renderer, stereo_block

if TYPE_CHECKING:
    import pedalboard

    from .presets import PresetLike

Audio = NDArray[np.float32]
Setting = float | int | bool | str

BLOCK_FRAMES = 65_536  # several of pedalboard's own blocks of 8192, so that one long call gives the same samples
LONGEST_DELAY_S = 30.0
EFFECTS = (
    "Bitcrush",
    "BrickwallLimiter",
    "Chorus",
    "Clipping",
    "Compressor",
    "Delay",
    "Distortion",
    "Gain",
    "HighShelfFilter",
    "HighpassFilter",
    "Invert",
    "Limiter",
    "LowShelfFilter",
    "LowpassFilter",
    "MP3Compressor",
    "NoiseGate",
    "PeakFilter",
    "Phaser",
    "Reverb",
)
"""Effects of pedalboard that play alike in one piece and in blocks."""

FILES = ("plugin", "preset")
PLUGIN_FOLDERS = (Path("~/.vst3"), Path("/usr/lib/vst3"), Path("/usr/local/lib/vst3"))


@dataclass(frozen=True)
class Effect:
    """One effect: either one of pedalboard's own, or a VST3 plugin.

    Attributes
    ----------
    effect : str, optional
        One of `EFFECTS`, such as ``"Compressor"``.
    plugin : Path, optional
        A VST3 by its path; a name alone is sought where plugins are installed.
    name : str, optional
        Which one, of a file that holds several plugins.
    preset : Path, optional
        A ``.vstpreset`` file that the plugin loads first.
    parameters : mapping
        Values by the names that pedalboard gives to parameters, such as ``threshold_db``.
    """

    effect: str | None = None
    plugin: Path | None = None
    name: str | None = None
    preset: Path | None = None
    parameters: Mapping[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.effect is None) == (self.plugin is None):
            raise ValueError('either effect = "Compressor" (one of pedalboard\'s) or plugin = "….vst3" would be right')
        for key in FILES:
            value = getattr(self, key)
            if value is not None:
                object.__setattr__(self, key, Path(value).expanduser())
        for key in ("name", "preset"):
            if getattr(self, key) is not None and self.plugin is None:
                raise ValueError(f"{key} = {str(getattr(self, key))!r} goes with a plugin; {self.effect} has none")
        for name, value in self.parameters.items():
            if not isinstance(value, float | int | str):
                raise ValueError(f"parameters.{name} = {value!r}; a number, a text, true or false would be right")
        if self.plugin is not None:
            object.__setattr__(self, "plugin", _found_plugin(self.plugin))
            if self.preset is not None and not self.preset.is_file():
                raise FileNotFoundError(f"preset = {str(self.preset)!r}: no such file")
        else:
            _check_effect(str(self.effect), self.parameters)

    @property
    def title(self) -> str:
        """What messages and reports call it."""
        if self.plugin is None:
            return str(self.effect)
        return self.name or self.plugin.stem

    def load(self) -> pedalboard.Plugin:
        """Make an instance, with its preset and its parameters.

        Raises
        ------
        ValueError
            When a plugin cannot be loaded, or has no such parameter or value; the message says what would be right.
        """
        import pedalboard

        if self.plugin is None:
            return getattr(pedalboard, str(self.effect))(**self.parameters)
        try:
            plugin = pedalboard.VST3Plugin(str(self.plugin), plugin_name=self._name_inside())
        except ImportError as error:
            raise ValueError(f"{self.plugin}: {error}") from None
        if not plugin.is_effect:
            raise ValueError(f"{self.plugin}: an instrument; an effect would be right")
        if self.preset is not None:
            try:
                plugin.load_preset(str(self.preset))
            except RuntimeError:
                raise ValueError(f"{self.preset}: not a preset of {self.title}") from None
        known = plugin.parameters  # type: ignore[attr-defined]
        for name, value in self.parameters.items():
            if name not in known:
                raise ValueError(f"{self.title} has no parameter {name!r}; there are: {', '.join(known)}")
            try:
                setattr(plugin, name, value)
            except (TypeError, ValueError) as error:
                raise ValueError(f"{self.title}: {error}") from None
        return plugin

    def _name_inside(self) -> str | None:
        """Name of the plugin wanted; pedalboard takes a wrong one without a word where there is but one."""
        import pedalboard

        if self.name is None:
            return None
        names = pedalboard.VST3Plugin.get_plugin_names_for_file(str(self.plugin))
        if self.name not in names:
            raise ValueError(f"{self.plugin}: holds no plugin {self.name!r}; there are: {', '.join(names)}")
        return self.name


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
            blocks = _through(effect, place, blocks, sample_rate, at)
        blocks = aligned(renderer, blocks)
        for place, effect in self.effects[len(self.before) :]:
            blocks = _through(effect, place, blocks, sample_rate, at)
        yield from blocks

    def __str__(self) -> str:
        names = [effect.title for effect in self.before] + ["Forestage"] + [effect.title for effect in self.after]
        return " → ".join(names)


def load_chain(path: str | Path) -> Chain:
    """Read a chain from a TOML file: tables ``[[before]]`` and ``[[after]]``, each with the fields of `Effect`.

    Files that it names are sought beside it.

    Raises
    ------
    FileNotFoundError
        When there is no such file, or no such plugin.
    ValueError
        When it is not TOML, or an effect, a parameter or a value is not right; the message has its place.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"{file}: no such file; a chain (.toml) would be right")
    try:
        table = tomllib.loads(read_text(file))
        unknown = [key for key in table if key not in ("before", "after")]
        if unknown or not table:
            wrong = ", ".join(unknown) or "nothing in it"
            raise ValueError(f"{wrong}; [[before]] and [[after]] would be right")
        return Chain(**{key: tuple(_effects(table[key], key, file.parent)) for key in table})
    except RecursionError:
        raise ValueError(f"{file}: not TOML that can be read: too many levels of nesting") from None
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{file}: {error}") from None
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def aligned(renderer: Renderer, blocks: Iterable[Audio]) -> Iterator[Audio]:
    """Play a stream, with the latency taken out at the begin and made up for at the end."""
    late = early = renderer.latency_frames
    for block in blocks:
        played = renderer.process(block)[:, early:]
        early = max(0, early - block.shape[1])
        if played.shape[1]:
            yield played
    if late:
        yield renderer.process(np.zeros((2, late), np.float32))[:, early:]


def _effects(rows: Any, key: str, folder: Path) -> list[Effect]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{key} = {rows!r}; tables [[{key}]] would be right")
    known = [each.name for each in fields(Effect)]
    found = []
    for index, row in enumerate(rows):
        place = f"{key}[{index}]"
        try:
            unknown = [name for name in row if name not in known]
            if unknown:
                raise ValueError(f"unknown: {', '.join(unknown)}; there are: {', '.join(known)}")
            _check_types(row)
            found.append(Effect(**row | {name: _beside(folder, row[name]) for name in FILES if name in row}))
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{place}: {error}") from None
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
    return found


def _check_types(row: Mapping[str, Any]) -> None:
    for name, value in row.items():
        wanted = dict if name == "parameters" else str
        if not isinstance(value, wanted):
            raise ValueError(f"{name} = {value!r}; {'a table' if wanted is dict else 'a text'} would be right")


def _beside(folder: Path, name: str) -> Path:
    """A file by the name that a chain has for it: beside the chain when it is there."""
    beside = folder / Path(name).expanduser()
    return beside if beside.exists() else Path(name)


def _found_plugin(path: Path) -> Path:
    if path.exists():
        return path
    folders = [folder.expanduser() for folder in PLUGIN_FOLDERS]
    if path.parent == Path():
        for folder in folders:
            if (folder / path).exists():
                return folder / path
    there = sorted({each.name for folder in folders if folder.is_dir() for each in folder.rglob("*.vst3")})
    known = f"; installed are: {', '.join(there)}" if there else "; no VST3 is installed where they usually are"
    raise FileNotFoundError(f"plugin = {str(path)!r}: no such plugin{known}")


def _check_effect(name: str, parameters: Mapping[str, Setting]) -> None:
    if name not in EFFECTS:
        raise ValueError(f"effect = {name!r}; one of pedalboard's would be right: {', '.join(EFFECTS)}")
    import pedalboard

    kind = getattr(pedalboard, name)
    known = [key for key, value in vars(kind).items() if isinstance(value, property)]
    for key, value in parameters.items():
        if key not in known:
            raise ValueError(f"{name} has no parameter {key!r}; there are: {', '.join(known) or 'none'}")
        try:
            kind(**{key: value})
        except TypeError:
            raise ValueError(f"parameters.{key} = {value!r}; a number would be right") from None
        except ValueError as error:
            raise ValueError(f"parameters.{key} = {value!r}: {error}") from None


def _through(
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
