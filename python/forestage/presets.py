"""Reading presets; the reading itself is the core's."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import _core
from .catalogue import data_folder, preset_path
from .catalogue import factory_presets as factory_presets  # at home here, too: scripts import it from where it was
from .files import checked_path, checked_target, read_text, written_whole

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
        A factory name such as ``"laptop"``, the path of a preset file, the name of one in your preset folder, or a
        preset already in memory.

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
    path = preset_path(checked_path(preset, "preset", "a name, a path, a dict or a Preset"))
    if path.suffix.lower() in _NO_PRESETS:
        raise ValueError(f"{path}: {_NO_PRESETS[path.suffix.lower()]}; a preset (.json) would be right")
    if path.parent == data_folder("factory"):
        told = path.stat()
        return _factory_preset(path, told.st_size, told.st_mtime_ns)
    return _core.load_preset(path)


# Programs load the same one again and again; nobody can change it
@lru_cache(maxsize=2)
def _factory_preset(path: Path, _bytes: int, _changed_ns: int) -> _core.Preset:
    return _core.load_preset(path)


def save_preset(preset: PresetLike, path: str | Path, *, overwrite: bool = False) -> Path:
    """Write a preset as the core writes it, `to_json()`; an existing file is only replaced when asked to.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        As for `load_preset`.
    path : str or Path
        The file, which is written whole or not at all.

    Raises
    ------
    PresetError
        When the preset is not right; what is written can be read back.
    FileExistsError
        When there is such a file, and ``overwrite`` was not asked for.
    """
    target = checked_target(path, overwrite=overwrite)
    text = load_preset(preset).to_json()
    with written_whole(target) as file:
        file.write(text.encode())
    return target


def preset_form(path: str | Path) -> dict[str, Any]:
    """JSON form of a preset file, as it was written; errors are those of `load_preset`."""
    _core.load_preset(path)  # says what is wrong with it, and where
    form: dict[str, Any] = json.loads(read_text(path))
    return form


def filters_sha256(forms: Iterable[Mapping[str, Any]]) -> str:
    """Hash of filters at all rates, in the form of a preset."""
    import hashlib  # OpenSSL; the next is numpy: whoever reads presets need not wait for them

    from .firs import FilterSet

    digest = hashlib.sha256()
    for form in forms:
        for key in fields(FilterSet):
            for text in _texts(form.get(key.name)):
                digest.update(text.encode("ascii") + b"\n")
    return digest.hexdigest()


def _texts(value: Any) -> Iterator[str]:
    """All texts in lists of lists, in their order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def has_designed_filters(preset: Mapping[str, Any]) -> bool:
    """Whether filters are those that the design made, as far as the preset tells."""
    told = preset.get("design", {}).get("filters_sha256")
    return not isinstance(told, str) or told == filters_sha256(preset["filters"])
