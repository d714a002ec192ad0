"""What the package brings along, by name: factory presets and devices."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_FIRST = ("smart-speaker", "laptop")  # what a new instance of the plugin holds in its slots

# Music of the demo
EXCERPT = Path(__file__).with_name("demo") / "excerpt.ogg"


def data_folder(name: str) -> Path:
    """Folder ``factory``, ``devices`` or ``schema``: in the installed package, or in the source tree.

    The plugin's bundle holds the only copy of the factory presets, unless the package was built without it.
    """
    package = Path(str(resources.files("forestage")))
    parents = (
        package / "plugin" / "Forestage.vst3" / "Contents" / "Resources",
        package / "presets",
        Path(__file__).resolve().parents[2] / "presets",
    )
    return next((parent / name for parent in parents if (parent / name).is_dir()), parents[-1] / name)


def factory_presets() -> dict[str, Path]:
    """Factory presets by name.

    Examples
    --------
    >>> sorted(factory_presets())[:2]
    ['asymmetric-pair', 'desktop-10']
    """
    return _named("factory", ".json")


def user_preset_folder() -> Path:
    """Where presets of your own are, for the plugin as well.

    Raises
    ------
    FileNotFoundError
        When there is no home to have it in.
    """
    from forestage import _core

    folder = _core.user_preset_folder()
    if folder == Path():
        raise FileNotFoundError("no folder for presets of your own: HOME is not set")
    return folder


def user_presets() -> dict[str, Path]:
    """Presets of your own by name: those in the folder that the plugin looks into, folders in it included.

    The folder is ``$XDG_DATA_HOME/forestage/presets``, usually ``~/.local/share/forestage/presets``.
    """
    from forestage import _core  # names of factory presets need not wait for it

    return _core.user_presets()


def listed_user_presets() -> dict[str, Path]:
    """Presets of your own by the name that finds them: one with the name of a factory preset by its path."""
    factory = factory_presets()
    return {str(path) if name in factory else name: path for name, path in user_presets().items()}


def plugin_presets() -> dict[str, Path]:
    """Presets in the order in which the plugin lists them, which is what its parameter ``preset`` counts from 0."""
    factory = factory_presets()
    first = {name: factory[name] for name in _FIRST if name in factory}
    return first | factory | listed_user_presets()


def factory_devices() -> dict[str, Path]:
    """Devices that the factory presets are designed for, by name.

    Examples
    --------
    >>> sorted(factory_devices())[:2]
    ['asymmetric-pair', 'desktop-10']
    """
    return _named("devices", ".toml")


def _named(folder: str, ending: str) -> dict[str, Path]:
    return {path.stem: path for path in sorted(data_folder(folder).glob(f"*{ending}"))}


def preset_path(name: str | Path) -> Path:
    """File of a preset, by its factory name (in any case), its path, or the name of one of your own.

    Raises
    ------
    FileNotFoundError
        When it is none of them; the message lists the names.
    """
    try:
        return _path(name, factory_presets(), "preset")
    except FileNotFoundError:
        own = user_presets()
        if str(name) not in own:
            raise
        return own[str(name)]


def device_path(name: str | Path) -> Path:
    """File of a device, by its factory name (in any case) or its path; raises as `preset_path` does."""
    return _path(name, factory_devices(), "device")


def _path(name: str | Path, factory: dict[str, Path], kind: str) -> Path:
    if str(name).lower() in factory:
        return factory[str(name).lower()]
    path = Path(name)
    if not path.is_file():
        what = "a folder" if path.is_dir() else "not a file"
        raise FileNotFoundError(f"no {kind} {str(name)!r}: {what}, and not one of {', '.join(factory)}")
    return path
