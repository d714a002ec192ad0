"""PipeWire's filter-chain: a sink for the whole system.

Source: PipeWire, "Filter-Chain" (module-filter-chain), with its nodes `lv2` and `builtin` `copy`, `convolver`, `mixer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import catalogue
from ..constants import SAMPLE_RATE
from ..params import Value, raw_value
from ..presets import PresetLike, load_preset, save_preset
from .linear import SIDES, LinearFilters, linear_filters, write_sides
from .target import checked_channels, checked_targets, text_target, write_text

_URI = "urn:forestage:forestage"
_OUTPUTS = (2, 3, 4, 5, 8, 16)  # what the LV2 comes with
_HOW_TO_START = (
    "In ~/.config/pipewire/pipewire.conf.d: systemctl --user restart pipewire",
    "In ~/.config/pipewire/filter-chain.conf.d: systemctl --user restart filter-chain, where there is this service",
)
_STEREO = ("FL", "FR")


def export_pipewire(
    preset: PresetLike,
    path: str | Path,
    *,
    convolvers: bool = False,
    card: str | None = None,
    channels: Sequence[str] | None = None,
    sample_rate: int = SAMPLE_RATE,
    overwrite: bool = False,
    **params: Value,
) -> list[Path]:
    """Write a filter-chain that plays what it is sent through a preset.

    Parameters
    ----------
    preset : str, Path, dict or Preset
        As for `load_preset`. The plugin finds presets by name, so one that is neither a factory preset nor one of your
        own is put among your own first, under the name of its file.
    path : str or Path
        A file, or a folder such as ``~/.config/pipewire/filter-chain.conf.d``.
    convolvers : bool
        Play the linear part by PipeWire's own convolvers, where there is no plugin; the filters lie beside the file.
    card : str, optional
        Node name of the sink that the drivers are connected to, as ``pw-cli ls Node`` has it; the default sink without.
    channels : sequence of str, optional
        Position of each driver on the card; ``FL``, ``FR`` for two drivers, else ``AUX0``, ``AUX1`` and so on.
    sample_rate : int
        Of the convolvers, in Hz.
    **params
        Parameters by their ids, such as ``amount=80``; for convolvers as far as `linear_filters` takes them.

    Returns
    -------
    list of Path
        What was written.
    """
    loaded = load_preset(preset)
    target = text_target(path, f"{file_stem(preset)}.conf")
    positions = _positions(channels, loaded.drivers)
    if convolvers:
        filters = linear_filters(loaded, sample_rate=sample_rate, **params)
        return _write_convolvers(filters, target, card=card, positions=positions, overwrite=overwrite)
    controls = {param_id: raw_value(param_id, value) for param_id, value in params.items()}
    checked_targets([target], overwrite=overwrite)
    written = [] if _is_listed(preset) else [_install(preset, overwrite=overwrite)]
    position = list(catalogue.plugin_presets()).index(_listed_name(written[0] if written else preset))
    graph = _plugin_graph(len(loaded.drivers), {"preset": position, "monitor": 0} | controls)
    lines = [f"Forestage: {loaded.name}, for {', '.join(loaded.drivers)}, in this order"]
    if position >= len(catalogue.factory_presets()):
        lines += ["The plugin finds your preset by its place among yours: when there are others, export this again"]
    write_text(target, _config(loaded.name, lines, graph, positions, card))
    return [*written, target]


def file_stem(preset: PresetLike) -> str:
    """A name for files: that of the preset's own file, or of the preset, as far as all systems take it."""
    given = Path(preset).stem if isinstance(preset, str | Path) else load_preset(preset).name
    return re.sub(r"[^\w.-]+", "-", given.lower()).strip("-.") or "preset"


def _positions(channels: Sequence[str] | None, drivers: Sequence[str]) -> list[str]:
    if channels is None:
        return list(_STEREO) if len(drivers) == 2 else [f"AUX{i}" for i in range(len(drivers))]
    checked_channels(channels, drivers, "PipeWire")
    return list(channels)


def _listed_name(preset: PresetLike) -> str:
    factory = catalogue.factory_presets()
    if isinstance(preset, str) and preset.lower() in factory:
        return preset.lower()
    path = Path(preset).resolve() if isinstance(preset, str | Path) and Path(preset).is_file() else None
    listed = catalogue.plugin_presets()
    by_path = {file.resolve(): name for name, file in listed.items()}
    return by_path[path] if path in by_path else str(preset)


def _is_listed(preset: PresetLike) -> bool:
    return isinstance(preset, str | Path) and _listed_name(preset) in catalogue.plugin_presets()


def _install(preset: PresetLike, *, overwrite: bool) -> Path:
    """Put a preset among the user's own, where the plugin finds it; the very same one may be there already."""
    folder = catalogue.user_preset_folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{file_stem(preset)}.json"
    if target.is_file() and load_preset(target).to_json() == load_preset(preset).to_json():
        return target
    return save_preset(preset, target, overwrite=overwrite)


def _plugin_graph(drivers: int, controls: dict[str, float]) -> dict[str, Any]:
    outputs = next(count for count in _OUTPUTS if count >= drivers)
    return {
        "nodes": [
            {
                "type": "lv2",
                "name": "forestage",
                "plugin": _URI if outputs == 2 else f"{_URI}:drivers{outputs}",
                "control": controls,
            }
        ],
        "inputs": ["forestage:audio_in_1", "forestage:audio_in_2"],
        "outputs": [f"forestage:audio_out_{i + 1}" for i in range(drivers)],
    }


def _write_convolvers(
    filters: LinearFilters, target: Path, *, card: str | None, positions: list[str], overwrite: bool
) -> list[Path]:
    sides = [target.with_name(f"{target.stem}-{side}.wav") for side in SIDES]
    checked_targets([target, *sides], overwrite=overwrite)
    write_sides(filters, sides)
    graph = _convolver_graph(filters, [side.resolve() for side in sides])
    write_text(target, _config(filters.name, filters.summary(), graph, positions, card))
    return [target, *sides]


def _convolver_graph(filters: LinearFilters, files: Sequence[Path]) -> dict[str, Any]:
    nodes: list[dict[str, Any]] = [{"type": "builtin", "name": side, "label": "copy"} for side in SIDES]
    links = []
    for driver in range(len(filters.drivers)):
        mixer = f"driver{driver + 1}"
        nodes.append({"type": "builtin", "name": mixer, "label": "mixer"})
        for i, (side, file) in enumerate(zip(SIDES, files, strict=True)):
            name = f"{side}{driver + 1}"
            config = {"filename": str(file), "channel": driver}
            nodes.append({"type": "builtin", "name": name, "label": "convolver", "config": config})
            links += [
                {"output": f"{side}:Out", "input": f"{name}:In"},
                {"output": f"{name}:Out", "input": f"{mixer}:In {i + 1}"},
            ]
    return {
        "nodes": nodes,
        "links": links,
        "inputs": [f"{side}:In" for side in SIDES],
        "outputs": [f"driver{i + 1}:Out" for i in range(len(filters.drivers))],
    }


def _config(name: str, lines: Sequence[str], graph: dict[str, Any], positions: Sequence[str], card: str | None) -> str:
    """One module of a configuration; JSON is a form of PipeWire's own notation."""
    playback: dict[str, Any] = {
        "node.name": "forestage.out",
        "audio.channels": len(positions),
        "audio.position": list(positions),
        "stream.dont-remix": True,
        "node.passive": True,
    }
    if card is not None:
        playback |= {"target.object": card, "node.target": card}
    module = {
        "name": "libpipewire-module-filter-chain",
        "args": {
            "node.description": f"Forestage: {name}",
            "filter.graph": graph,
            "capture.props": {
                "node.name": "forestage",
                "media.class": "Audio/Sink",
                "audio.channels": 2,
                "audio.position": list(_STEREO),
            },
            "playback.props": playback,
        },
    }
    comments = "".join(f"# {line}\n" for line in [*lines, *_HOW_TO_START])
    return f"{comments}context.modules = [\n{json.dumps(module, indent=2, ensure_ascii=False)}\n]\n"
