"""Finding and reading presets; the reading itself is the core's."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from . import _core
from .files import read_text

PresetLike = _core.Preset | str | Path | Mapping[str, Any]


def data_folder() -> Path:
    """Folder with ``factory``, ``devices`` and ``schema``: in the installed package, or in the source tree."""
    installed = Path(str(resources.files("forestage"))) / "presets"
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / "presets"


def factory_presets() -> dict[str, Path]:
    """Factory presets by name.

    >>> sorted(factory_presets())
    ['laptop', 'smart-speaker']
    """
    return {path.stem: path for path in sorted((data_folder() / "factory").glob("*.json"))}


def preset_path(name: str | Path) -> Path:
    """File of a preset, by its factory name or its path."""
    factory = factory_presets()
    if str(name) in factory:
        return factory[str(name)]
    path = Path(name)
    if not path.is_file():
        raise FileNotFoundError(f"no preset {str(name)!r}: not a file, and not one of {', '.join(factory)}")
    return path


def load_preset(preset: PresetLike) -> _core.Preset:
    """Read a preset.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        A factory name such as ``"laptop"``, the path of a preset file, or a preset already in memory.

    Raises
    ------
    PresetError
        When the preset is not right; the message has the place inside the file and the value.
    FileNotFoundError
        When there is no such factory preset or file.
    """
    if isinstance(preset, _core.Preset):
        return preset
    if isinstance(preset, Mapping):
        return _core.parse_preset(json.dumps(preset))
    return _core.load_preset(preset_path(preset))


def preset_form(path: str | Path) -> dict[str, Any]:
    """JSON form of a preset file, as it was written; errors are those of `load_preset`."""
    _core.load_preset(path)  # says what is wrong with it, and where
    form: dict[str, Any] = json.loads(read_text(path))
    return form
