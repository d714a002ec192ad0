"""What the package brings along, by name: factory presets and devices."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

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
    """File of a preset, by its factory name (in any case) or its path.

    Raises
    ------
    FileNotFoundError
        When it is neither; the message lists the names.
    """
    return _path(name, factory_presets(), "preset")


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
