"""Steinberg's .vstpreset container around the plugin's state.

Layout (little endian): 'VST3', version 1, class id as 32 hex digits, offset of the chunk list; then the chunks; then
'List', number of entries, and per entry id, offset and size. Source: VST 3 SDK, "VST 3 preset file format".
"""

import struct

from . import _core

_HEADER = struct.Struct("<4si32sq")
_ENTRY = struct.Struct("<4sqq")
_LIST = struct.Struct("<4si")
_COMPONENT = b"Comp"  # the chunk with the state of the processor
_JUCE_PRIVATE = b"JUCEPrivateData"  # ends what JUCE appends to a state, after its length in 8 bytes


def class_id() -> str:
    """VST3 class id: JUCE's fixed first half, then manufacturer and plugin code."""
    codes = (_core.MANUFACTURER_CODE + _core.PLUGIN_CODE).encode("ascii")
    return "ABCDEF019182FAEB" + codes.hex().upper()


def vstpreset(state: str) -> bytes:
    """Wrap a plugin state as a .vstpreset file, packed as the plugin packs it."""
    body = _core.pack_state(state)
    list_offset = _HEADER.size + len(body)
    header = _HEADER.pack(b"VST3", 1, class_id().encode("ascii"), list_offset)
    chunk_list = _LIST.pack(b"List", 1) + _ENTRY.pack(_COMPONENT, _HEADER.size, len(body))
    return header + body + chunk_list


def state_of(vstpreset: bytes) -> bytes:
    """Take the plugin's state out of a .vstpreset file, of ours or as hosts save it.

    Raises
    ------
    ValueError
        When it is no .vstpreset file, or another plugin's.
    """
    if len(vstpreset) < _HEADER.size or vstpreset[:4] != b"VST3":
        raise ValueError("not a VST3 preset: it does not begin with VST3")
    _, _, owner, list_offset = _HEADER.unpack_from(vstpreset)
    if owner.decode("ascii", "replace").upper() != class_id():
        raise ValueError(f"a preset of another plugin: class {owner.decode('ascii', 'replace')}, not {class_id()}")
    for name, offset, size in _entries(vstpreset, list_offset):
        if name == _COMPONENT and 0 <= offset <= offset + size <= len(vstpreset):
            return _without_juce_data(vstpreset[offset : offset + size])
    raise ValueError("not a whole VST3 preset: the state of the plugin is missing")


def _entries(vstpreset: bytes, list_offset: int) -> list[tuple[bytes, int, int]]:
    if not _HEADER.size <= list_offset <= len(vstpreset) - _LIST.size:
        return []
    name, count = _LIST.unpack_from(vstpreset, list_offset)
    begin = list_offset + _LIST.size
    whole = range(begin, len(vstpreset) - _ENTRY.size + 1, _ENTRY.size)
    if name != b"List":
        return []
    return [_ENTRY.unpack_from(vstpreset, at) for at in whole[: max(count, 0)]]


def _without_juce_data(state: bytes) -> bytes:
    if not state.endswith(_JUCE_PRIVATE):
        return state
    end = len(state) - len(_JUCE_PRIVATE) - 8
    (size,) = struct.unpack_from("<q", state, end)
    return state[: end - size]
