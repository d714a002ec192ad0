"""A small LV2 host over ctypes, enough to run one plugin: audio ports, control ports, state."""

import ctypes as c
from pathlib import Path

import numpy as np

LV2 = "http://lv2plug.in/ns/"
JUCE_BASE64 = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"


class Feature(c.Structure):
    _fields_ = [("uri", c.c_char_p), ("data", c.c_void_p)]


class Option(c.Structure):
    _fields_ = [
        ("context", c.c_uint32), ("subject", c.c_uint32), ("key", c.c_uint32), ("size", c.c_uint32),
        ("type", c.c_uint32), ("value", c.c_void_p),
    ]  # fmt: skip


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


class Lv2Plugin:
    """One instance of a plugin made with JUCE: two inputs, two outputs, then control, latency and enabled ports."""

    def __init__(self, bundle: Path, *, sample_rate: float, max_block_frames: int) -> None:
        (binary,) = bundle.glob("*.so")
        library = c.CDLL(str(binary))
        library.lv2_descriptor.restype = c.POINTER(Descriptor)
        self._plugin = library.lv2_descriptor(0).contents
        self.uri = self._plugin.uri.decode()
        self._urids: dict[bytes, int] = {}
        self._keep_alive = [self._features(max_block_frames)]
        path = str(bundle).encode() + b"/"
        address = c.addressof(self._plugin)
        self._handle = self._plugin.instantiate(address, sample_rate, path, c.addressof(self._keep_alive[0]))
        self._sequences = [self._sequence(), self._sequence()]
        self._controls = {"latency": c.c_float(-1), "free_wheeling": c.c_float(0), "enabled": c.c_float(1)}
        for port, target in enumerate([*self._sequences, *self._controls.values()], start=4):
            self._plugin.connect_port(self._handle, port, c.addressof(target))
        self._plugin.activate(self._handle)

    def _urid(self, uri: str) -> int:
        return self._urids.setdefault(uri.encode(), len(self._urids) + 1)

    def _features(self, max_block_frames: int):
        self._map = UridMap(None, MapFunction(lambda _, uri: self._urids.setdefault(uri, len(self._urids) + 1)))
        self._block = c.c_int32(max_block_frames)
        key, kind = self._urid(LV2 + "ext/buf-size#maxBlockLength"), self._urid(LV2 + "ext/atom#Int")
        self._options = (Option * 2)(Option(0, 0, key, 4, kind, c.addressof(self._block)), Option())
        self._feature_list = [
            Feature(f"{LV2}ext/urid#map".encode(), c.addressof(self._map)),
            Feature(f"{LV2}ext/options#options".encode(), c.addressof(self._options)),
            Feature(f"{LV2}ext/buf-size#boundedBlockLength".encode(), None),
        ]
        return (c.c_void_p * 4)(*[c.addressof(feature) for feature in self._feature_list], None)

    def _sequence(self):
        empty = np.zeros(1 << 16, np.uint8)
        empty[:8].view(np.uint32)[:] = [8, self._urid(LV2 + "ext/atom#Sequence")]
        return (c.c_uint8 * len(empty)).from_buffer(bytearray(empty.tobytes()))

    def process(self, x: np.ndarray, *, enabled: bool = True) -> np.ndarray:
        """Play one block of at most `max_block_frames`."""
        lanes = np.ascontiguousarray(x, np.float32)
        y = np.zeros_like(lanes)
        for port, lane in enumerate([*lanes, *y]):
            self._plugin.connect_port(self._handle, port, lane.ctypes.data)
        self._controls["enabled"].value = float(enabled)
        output = np.frombuffer(self._sequences[1], np.uint8)
        output[:8].view(np.uint32)[:] = [len(output) - 8, self._urid(LV2 + "ext/atom#Chunk")]
        self._plugin.run(self._handle, lanes.shape[1])
        return y

    @property
    def latency_frames(self) -> float:
        return self._controls["latency"].value

    def _state(self) -> StateInterface:
        address = self._plugin.extension_data(f"{LV2}ext/state#interface".encode())
        return c.cast(address, c.POINTER(StateInterface)).contents

    @property
    def state(self) -> bytes:
        stored = {}

        def store(_, key, value, size, *__):
            stored[key] = c.string_at(value, size)
            return 0

        self._state().save(self._handle, StoreFunction(store), None, 0, None)
        return from_juce_base64(stored[self._urid(f"{self.uri}:StateString")].rstrip(b"\0").decode())

    @state.setter
    def state(self, data: bytes) -> None:
        text = c.create_string_buffer(to_juce_base64(data).encode())
        wanted = self._urid(f"{self.uri}:StateString")

        def retrieve(_, key, size, kind, flags):
            if key != wanted:
                return None
            size[0], kind[0], flags[0] = len(text), self._urid(LV2 + "ext/atom#String"), 3
            return c.addressof(text)

        self._state().restore(self._handle, RetrieveFunction(retrieve), None, 0, None)

    def close(self) -> None:
        self._plugin.deactivate(self._handle)
        self._plugin.cleanup(self._handle)
