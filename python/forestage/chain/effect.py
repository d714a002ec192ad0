"""One effect of a chain: a VST3 plugin, or one that pedalboard has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pedalboard

Setting = float | int | bool | str

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
