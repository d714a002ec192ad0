"""Reading presets; the reading itself is the core's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import _core
from .catalogue import preset_path
from .files import read_text

PresetLike = _core.Preset | str | Path | Mapping[str, Any]


_NO_PRESETS = {
    ".toml": "a device, of which `forestage design` makes a preset",
    ".vstpreset": "a state of the plugin, which hosts load and `forestage validate` reads",
}


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
    path = preset_path(preset)
    if path.suffix.lower() in _NO_PRESETS:
        raise ValueError(f"{path}: {_NO_PRESETS[path.suffix.lower()]}; a preset (.json) would be right")
    return _core.load_preset(path)


def preset_form(path: str | Path) -> dict[str, Any]:
    """JSON form of a preset file, as it was written; errors are those of `load_preset`."""
    _core.load_preset(path)  # says what is wrong with it, and where
    form: dict[str, Any] = json.loads(read_text(path))
    return form
