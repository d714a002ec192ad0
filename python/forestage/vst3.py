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


def class_id() -> str:
    """VST3 class id: JUCE's fixed first half, then manufacturer and plugin code."""
    codes = (_core.MANUFACTURER_CODE + _core.PLUGIN_CODE).encode("ascii")
    return "ABCDEF019182FAEB" + codes.hex().upper()


def vstpreset(state: str | bytes) -> bytes:
    """Wrap a plugin state as a .vstpreset file, packed as the plugin packs it."""
    body = state if isinstance(state, bytes) else _core.pack_state(state)
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
    return _core.state_of_vstpreset(vstpreset)
