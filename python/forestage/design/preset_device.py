"""The device that a preset was designed for, with its measurements: written into the preset, and made again of it."""

from __future__ import annotations

import base64
import copy
import hashlib
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import chain, count, repeat
from pathlib import Path, PureWindowsPath
from tempfile import TemporaryDirectory
from typing import Any

from forestage.acoustics.device import Device
from forestage.acoustics.device_file import ROOM, device_table, parse_device
from forestage.acoustics.head import Head
from forestage.acoustics.measured_file import MOST_HELD_BYTES, MeasuredFile, measured_file
from forestage.acoustics.measured_head import MeasuredHead
from forestage.acoustics.sofa import MeasurementWarning

# Keys of a device table that name files
NAMES = ("head_sofa", "ears_sofa", "directivity_sofa", "file")


def device_form(device: Device) -> dict[str, Any]:
    """Keys of a preset's provenance of which `preset_device` makes the device again: its table and measured files.

    Files are named without their folders, and numbered where names are the same. Each is held once. What would be more
    than `MOST_HELD_BYTES` together is left out but for its hash, with a `MeasurementWarning`.
    """
    table = copy.deepcopy(device_table(device))
    listener = device.listener
    sources = [(listener.head, listener.ears), *((driver.directivity,) for driver in device.drivers)]
    files: dict[str, MeasuredFile] = {}
    known: dict[str, str] = {}
    for part, source in zip([table["listener"], *table["driver"]], sources, strict=True):
        kept = chain.from_iterable(getattr(each, "files", ()) for each in source)
        for (owner, key), file in zip(_references(part), chain(kept, repeat(None)), strict=False):
            which = owner[key] if file is None else file.sha256
            owner[key] = _own_name(owner[key], which, known)
            known[owner[key].casefold()] = which
            if file is not None:
                files[owner[key]] = file
    return {"device": table} | ({"files": _held(files)} if files else {})


def _references(node: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Dictionaries and their keys that name files, in a device table or a part of one."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in NAMES and isinstance(value, str):
                yield node, key
            else:
                yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def _own_name(name: str, which: str, known: Mapping[str, str]) -> str:
    """Name of a file, without folders of any system, that no other file of the device has."""
    plain = PureWindowsPath(name)
    names = chain([plain.name], (f"{plain.stem}-{number}{plain.suffix}" for number in count(2)))
    return next(each for each in names if known.get(each.casefold(), which) == which)


def _held(files: Mapping[str, MeasuredFile]) -> dict[str, dict[str, str]]:
    forms, left_bytes = {}, MOST_HELD_BYTES
    for name, file in files.items():
        forms[name] = {"sha256": file.sha256}
        if file.data is not None and len(file.data) <= left_bytes:
            left_bytes -= len(file.data)
            forms[name]["data"] = base64.b64encode(zlib.compress(file.data)).decode("ascii")
        else:
            warnings.warn(
                f"{name}: is not held by the preset, which takes {MOST_HELD_BYTES >> 20} MiB of measured files: keep "
                "it beside the preset, for its ears and its report",
                MeasurementWarning,
                stacklevel=3,
            )
    return forms


def preset_device(
    preset: Mapping[str, Any], *, folder: str | Path = ".", head: Head | MeasuredHead | None = None
) -> Device:
    """Device that a preset was designed for, with another head if one is given, which then needs no file.

    Measured files that the preset does not hold are sought in ``folder``, then in the working directory.
    """
    try:
        table = copy.deepcopy(preset["design"]["device"])
        listener = table["listener"]
        if head is not None:
            table["listener"] = {key: listener[key] for key in ("distance_m", *ROOM) if key in listener}
    except (KeyError, TypeError):
        raise ValueError("design.device: missing; must say which device the preset was designed for") from None
    with TemporaryDirectory(prefix="forestage-") as unpacked, warnings.catch_warnings():
        _place_files(table, preset["design"].get("files"), Path(unpacked), Path(folder))
        # Said when the device was designed
        warnings.simplefilter("ignore", MeasurementWarning)
        device = parse_device(table)
    return device if head is None else replace(device, listener=replace(device.listener, head=head))


def _place_files(table: Any, forms: Any, unpacked: Path, folder: Path) -> None:
    """Let a device name files where they are: those that the preset holds are unpacked."""
    folders = list(dict.fromkeys([folder.resolve(), Path.cwd()]))
    missing: list[str] = []
    for owner, key in list(_references(table)):
        name = owner[key]
        form = forms.get(name) if isinstance(forms, Mapping) else None
        form = form if isinstance(form, Mapping) else {}
        if "data" in form:
            owner[key] = str(_unpacked(name, form, unpacked))
            continue
        sha256 = form.get("sha256")
        found = next((place / name for place in folders if _is_file(place / name, sha256)), None)
        if found is None:
            missing.append(f"{name} (SHA-256 {sha256})" if sha256 else name)
        else:
            owner[key] = str(found)
    if missing:
        raise ValueError(
            f"design.device: needs the measured file {', '.join(dict.fromkeys(missing))}; looked in "
            f"{' and in '.join(map(str, folders))}, as the preset does not hold it"
        )


def _is_file(path: Path, sha256: str | None) -> bool:
    return path.is_file() and (sha256 is None or measured_file(path).sha256 == sha256)


def _unpacked(name: str, form: Mapping[str, Any], folder: Path) -> Path:
    if PureWindowsPath(name).name != name or name == "..":
        raise ValueError(f'design.files: "{name}": must be the name of a file, without a folder')
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(form["data"], validate=True), MOST_HELD_BYTES)
    except (ValueError, TypeError, zlib.error) as error:
        raise ValueError(f'design.files: "{name}": data are not zlib in base64 ({error})') from error
    if hashlib.sha256(data).hexdigest() != form.get("sha256"):
        raise ValueError(f'design.files: "{name}": data are not those that sha256 tells of: the preset is damaged')
    path = folder / name
    path.write_bytes(data)
    return path
