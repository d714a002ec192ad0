"""The plugin: where it is, how it gets into pedalboard, and into the user's plugin folders."""

import os
import shutil
import threading
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from . import _core, vst3
from .headphone_eq import HeadphoneEqLike, load_headphone_eq
from .params import BY_ID, Value, session_values
from .presets import PresetLike, load_preset

if TYPE_CHECKING:
    import pedalboard

Format = Literal["vst3", "vst3-drivers", "lv2", "standalone"]

_BUNDLES: dict[Format, str] = {
    "vst3": "Forestage.vst3",
    "vst3-drivers": "Forestage Drivers.vst3",
    "lv2": "Forestage.lv2",
    "standalone": "Forestage",
}
_USER_FOLDERS: dict[Format, str] = {"vst3": ".vst3", "vst3-drivers": ".vst3", "lv2": ".lv2"}


def plugin_path(kind: Format = "vst3") -> Path:
    """Path of the plugin that was built with this package.

    Raises
    ------
    FileNotFoundError
        When the package was built without JUCE, and so without the plugin.
    """
    path = Path(str(resources.files("forestage"))) / "plugin" / _BUNDLES[kind]
    if not path.exists():
        raise FileNotFoundError(
            f"{path} does not exist: this package was built without the plugin. Install JUCE 7 "
            "(Debian: juce-modules-source) and install the package again."
        )
    return path


def plugin_state(
    preset: PresetLike,
    b: PresetLike | None = None,
    *,
    headphone_eq: HeadphoneEqLike | None = None,
    **params: Value,
) -> str:
    """State of the plugin with these presets in its slots; parameters as for ``Renderer``.

    Without ``headphone_eq`` it says nothing about headphones: where it is loaded, their equaliser stays.
    """
    return _core.write_state(*_contents(preset, b, headphone_eq, params))


def _contents(
    preset: PresetLike, b: PresetLike | None, headphone_eq: HeadphoneEqLike | None, params: Mapping[str, Value]
) -> tuple[_core.Preset, _core.Preset | None, dict[str, float], _core.HeadphoneEq | None]:
    a = load_preset(preset)
    other = None if b is None else load_preset(b)
    eq = None if headphone_eq is None else load_headphone_eq(headphone_eq)
    values = {param_id: value for param_id, value in session_values(a, params).items() if BY_ID[param_id].is_kept}
    return a, other, values, eq


# One instance a song or a track: packing takes longer than all that the plugin does with it
@lru_cache(maxsize=2)
def _packed(
    a: _core.Preset, b: _core.Preset | None, values: tuple[tuple[str, float], ...], eq: _core.HeadphoneEq | None
) -> bytes:
    return _core.packed_state(a, b, dict(values), eq)


def load_plugin(
    preset: PresetLike,
    b: PresetLike | None = None,
    *,
    headphone_eq: HeadphoneEqLike | None = None,
    **params: Value,
) -> "pedalboard.VST3Plugin":
    """Load the VST3 into pedalboard, playing a preset.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        What slot A holds: a factory name or a path, among others.
    b : same, optional
        What slot B holds.
    headphone_eq : str, Path or HeadphoneEq, optional
        Equaliser of the headphones; see ``load_headphone_eq``.
    **params
        Host parameters by id, e.g. ``monitor="Headphones"``.

    Returns
    -------
    pedalboard.VST3Plugin
        Ready to sit in a ``pedalboard.Pedalboard``. For driver feeds, process an array with one row per driver, the
        stereo in rows 0 and 1: pedalboard wants as many inputs as outputs. Driver i comes out in row i.
    """
    plugin = _unlisted(plugin_path("vst3"))
    a, other, values, eq = _contents(preset, b, headphone_eq, params)
    state = vst3.vstpreset(_packed(a, other, tuple(values.items()), eq))
    object.__setattr__(plugin, "preset_data", state)  # pedalboard's own asks for the list first
    return plugin


_making = threading.Lock()
_LISTING = "__set_initial_parameter_values__"  # where pedalboard makes its list, whether there are values or not


def _unlisted(path: Path) -> "pedalboard.VST3Plugin":
    """Load a VST3 without pedalboard's list of its parameters.

    For that list pedalboard asks for a thousand texts of each parameter, four fifths of what loading takes, by a
    wrapper that it throws away: whoever uses a parameter waits for a list of the plugin's own in any case.
    """
    import pedalboard

    kind = pedalboard.VST3Plugin
    with _making:
        listing = getattr(kind, _LISTING, lambda plugin, values: None)
        setattr(kind, _LISTING, lambda plugin, values: listing(plugin, values) if values else None)
        try:
            return kind(str(path))
        finally:
            delattr(kind, _LISTING)


def install_plugin(*, remove: bool = False) -> list[Path]:
    """Copy VST3 and LV2 to the user's plugin folders, or take them away again.

    Returns
    -------
    list of Path
        What was written or removed.
    """
    home = _home()
    targets = {kind: home / folder / _BUNDLES[kind] for kind, folder in _USER_FOLDERS.items()}
    if remove:
        for target in targets.values():
            _check_bundle(target)
        installed = [target for target in targets.values() if target.exists() or target.is_symlink()]
        for target in installed:
            _remove(target)
        return installed
    sources = {kind: plugin_path(kind) for kind in targets}  # all of them, before anything is touched
    for target in targets.values():
        _check_bundle(target)
    for kind, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + ".new")
        _remove(fresh)
        try:
            shutil.copytree(sources[kind], fresh)
            if kind == "lv2":
                _complete_lv2(fresh)
            _remove(target)
            fresh.rename(target)
        except BaseException:
            _remove(fresh)
            raise
    return list(targets.values())


def _complete_lv2(bundle: Path) -> None:
    """Give an LV2 bundle of its own what the package holds once, in the VST3 bundle: the binary and the presets."""
    contents = plugin_path("vst3") / "Contents"
    shutil.copy2(next(contents.glob("*/Forestage.so")), bundle / "libForestage.so")
    shutil.copytree(contents / "Resources" / "factory", bundle / "factory")


def _home() -> Path:
    """Return the user's folder, which services and containers may be without."""
    try:
        home = Path.home()
    except RuntimeError:
        home = Path()
    if os.environ.get("HOME") == "" or not home.is_absolute() or not home.is_dir():
        raise FileNotFoundError(f"no home folder ({home}) to install into: set HOME, or copy {plugin_path('vst3')}")
    return home


def _check_bundle(path: Path) -> None:
    """Refuse what no plugin is, and no link to one: it is someone's file."""
    if path.is_file() and not path.is_symlink():
        raise FileExistsError(f"{path}: is a file, where the plugin is a folder; move it away, or delete it")


def _remove(path: Path) -> None:
    """Take a bundle away; of a link only the link."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
