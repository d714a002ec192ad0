"""A small LV2 host over ctypes, enough to run one plugin: audio ports, control ports, state."""

import ctypes as c
import itertools
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from forestage import PARAMS

URI = "urn:forestage:forestage"
LV2 = "http://lv2plug.in/ns/"
JUCE_BASE64 = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"


class Feature(c.Structure):
    _fields_ = [("uri", c.c_char_p), ("data", c.c_void_p)]


MapFunction = c.CFUNCTYPE(c.c_uint32, c.c_void_p, c.c_char_p)
StoreFunction = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_uint32, c.c_void_p, c.c_size_t, c.c_uint32, c.c_uint32)
RetrieveFunction = c.CFUNCTYPE(
    c.c_void_p, c.c_void_p, c.c_uint32, c.POINTER(c.c_size_t), c.POINTER(c.c_uint32), c.POINTER(c.c_uint32)
)


class UridMap(c.Structure):
    _fields_ = [("handle", c.c_void_p), ("map", MapFunction)]


class StateInterface(c.Structure):
    _fields_ = [
        ("save", c.CFUNCTYPE(c.c_int, c.c_void_p, StoreFunction, c.c_void_p, c.c_uint32, c.c_void_p)),
        ("restore", c.CFUNCTYPE(c.c_int, c.c_void_p, RetrieveFunction, c.c_void_p, c.c_uint32, c.c_void_p)),
    ]


class Descriptor(c.Structure):
    _fields_ = [
        ("uri", c.c_char_p),
        ("instantiate", c.CFUNCTYPE(c.c_void_p, c.c_void_p, c.c_double, c.c_char_p, c.c_void_p)),
        ("connect_port", c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_void_p)),
        ("activate", c.CFUNCTYPE(None, c.c_void_p)),
        ("run", c.CFUNCTYPE(None, c.c_void_p, c.c_uint32)),
        ("deactivate", c.CFUNCTYPE(None, c.c_void_p)),
        ("cleanup", c.CFUNCTYPE(None, c.c_void_p)),
        ("extension_data", c.CFUNCTYPE(c.c_void_p, c.c_char_p)),
    ]


def to_juce_base64(data: bytes) -> str:
    """Base64 the way JUCE writes a MemoryBlock: the size, a dot, then 6 bits at a time from the low end."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
    bits = np.concatenate([bits, np.zeros(-len(bits) % 6, np.uint8)]).reshape(-1, 6)
    return f"{len(data)}." + "".join(JUCE_BASE64[i] for i in bits @ (1 << np.arange(6)))


def from_juce_base64(text: str) -> bytes:
    size, _, digits = text.partition(".")
    values = np.array([JUCE_BASE64.index(digit) for digit in digits], np.uint8)
    bits = np.unpackbits(values[:, None], axis=1, bitorder="little")[:, :6].reshape(-1)
    return np.packbits(bits, bitorder="little").tobytes()[: int(size)]


NOT_EVENTS = bytes([0x55]) * 8192  # what a host's buffers of events hold between blocks is nobody's matter
PORTS_AFTER_AUDIO = ["in", "out", "latency", "freeWheeling", "enabled", "preset", *(row.id for row in PARAMS)]


class Lv2Plugin:
    """One instance of one of the plugin's layouts. `controls` are values of ports by symbol, set before `activate`.

    A bare host offers no feature at all, and so no messages and no state; one that connects late does so after
    `activate`.
    """

    def __init__(
        self,
        bundle: Path,
        *,
        sample_rate: float = 48_000,
        outputs: int = 2,
        controls: Mapping[str, float] | None = None,
        is_bare: bool = False,
        connects_late: bool = False,
        state: bytes | None = None,
    ) -> None:
        (binary,) = bundle.glob("*.so")
        library = c.CDLL(str(binary))
        library.lv2_descriptor.restype = c.POINTER(Descriptor)
        self.bundle = bundle
        self.uri = uri = URI if outputs == 2 else f"{URI}:drivers{outputs}"
        found = (library.lv2_descriptor(index) for index in itertools.count())
        self._plugin = next(entry for entry in found if entry.contents.uri.decode() == uri).contents
        self.outputs = outputs
        self._urids: dict[bytes, int] = {}
        self._map = UridMap(None, MapFunction(lambda _, name: self._urid(name.decode())))
        feature = Feature(f"{LV2}ext/urid#map".encode(), c.addressof(self._map))
        self._features = (c.c_void_p * 2)(None if is_bare else c.addressof(feature), None)
        self._keep_alive = feature
        path = str(bundle).encode() + b"/"
        self._handle = self._plugin.instantiate(
            c.addressof(self._plugin), sample_rate, path, c.addressof(self._features)
        )
        defaults = {row.id: row.default_value for row in PARAMS} | {"latency": -1, "freeWheeling": 0, "enabled": 1}
        defaults |= {"preset": 0}
        self.controls = {name: c.c_float((controls or {}).get(name, value)) for name, value in defaults.items()}
        self._sequences = {name: (c.c_uint8 * 8192).from_buffer_copy(NOT_EVENTS) for name in ("in", "out")}
        if state is not None:
            self.state = state
        if not connects_late:
            self._connect()
        self._plugin.activate(self._handle)
        if connects_late:
            self._connect()

    def _connect(self) -> None:
        for port, name in enumerate(PORTS_AFTER_AUDIO, start=2 + self.outputs):
            target = self._sequences.get(name) or self.controls[name]
            self._plugin.connect_port(self._handle, port, c.addressof(target))

    @property
    def handle(self) -> int:
        """For what a host's windows may have: the instance itself."""
        return self._handle

    def set_port(self, port: int, value: float) -> None:
        self.controls[PORTS_AFTER_AUDIO[port - 2 - self.outputs]].value = value

    def has_events_untouched(self) -> bool:
        """Nothing was written to buffers that are the plugin's only while it runs."""
        return all(bytes(sequence) == NOT_EVENTS for sequence in self._sequences.values())

    def _urid(self, uri: str) -> int:
        return self._urids.setdefault(uri.encode(), len(self._urids) + 1)

    def process(self, x: np.ndarray, *, files: Mapping[str, str] | None = None, **controls: float) -> np.ndarray:
        """Play one block, with controls from here on; `files` are sent by the names of the plugin's properties."""
        for name, value in controls.items():
            self.controls[name].value = value
        lanes = np.ascontiguousarray(x, np.float32)
        y = np.full((self.outputs, lanes.shape[1]), 9.0, np.float32)
        for port, lane in enumerate([*lanes, *y]):
            self._plugin.connect_port(self._handle, port, lane.ctypes.data)
        events = b"".join(self._set_path(f"{URI}:{name}", path) for name, path in (files or {}).items())
        sequence = struct.pack("<IIII", 8 + len(events), self._urid(LV2 + "ext/atom#Sequence"), 0, 0) + events
        c.memmove(self._sequences["in"], sequence, len(sequence))
        room = struct.pack("<II", 8184, self._urid(LV2 + "ext/atom#Chunk"))
        c.memmove(self._sequences["out"], room, len(room))
        self._plugin.run(self._handle, lanes.shape[1])
        return y

    @property
    def said(self) -> list[str]:
        """What the messages are that the last block brought."""
        names = {number: name.decode() for name, number in self._urids.items()}
        sequence = bytes(self._sequences["out"])
        end, found = 8 + struct.unpack_from("<I", sequence)[0], []
        at = 16
        while at < end:
            size, kind, _, what = struct.unpack_from("<IIII", sequence, at + 8)
            assert names[kind] == LV2 + "ext/atom#Object"
            found.append(names[what])
            at += 16 + size + -size % 8
        return found

    def _set_path(self, key: str, path: str) -> bytes:
        atom, patch = LV2 + "ext/atom#", LV2 + "ext/patch#"

        def entry(name: str, kind: str, body: bytes) -> bytes:
            head = struct.pack("<IIII", self._urid(name), 0, len(body), self._urid(atom + kind))
            return head + body + bytes(-len(body) % 8)

        body = struct.pack("<II", 0, self._urid(patch + "Set"))
        body += entry(patch + "property", "URID", struct.pack("<I", self._urid(key)))
        body += entry(patch + "value", "Path", path.encode() + b"\0")
        return struct.pack("<qII", 0, len(body), self._urid(atom + "Object")) + body

    def value(self, name: str) -> float:
        return self.controls[name].value

    def _state(self) -> StateInterface:
        address = self._plugin.extension_data(f"{LV2}ext/state#interface".encode())
        return c.cast(address, c.POINTER(StateInterface)).contents

    def save(self) -> dict[str, tuple[bytes, str]]:
        """All that a host keeps: value and type by key."""
        names = {number: name.decode() for name, number in self._urids.items()}
        stored = {}

        def store(_, key, value, size, kind, __):
            stored[names[key]] = (c.string_at(value, size), names[kind])
            return 0

        assert self._state().save(self._handle, StoreFunction(store), None, 0, None) == 0
        return stored

    def restore(self, stored: Mapping[str, tuple[bytes, str]]) -> int:
        buffers = {
            self._urid(key): (c.create_string_buffer(v, len(v)), self._urid(t)) for key, (v, t) in stored.items()
        }

        def retrieve(_, key, size, kind, flags):
            if key not in buffers:
                return None
            buffer, number = buffers[key]
            size[0], kind[0], flags[0] = len(buffer), number, 3
            return c.addressof(buffer)

        return self._state().restore(self._handle, RetrieveFunction(retrieve), None, 0, None)

    @property
    def state(self) -> bytes:
        return from_juce_base64(self.save()[f"{URI}:StateString"][0].rstrip(b"\0").decode())

    @state.setter
    def state(self, data: bytes) -> None:
        self.restore({f"{URI}:StateString": (to_juce_base64(data).encode() + b"\0", LV2 + "ext/atom#String")})

    def close(self) -> None:
        self._plugin.cleanup(self._handle)
