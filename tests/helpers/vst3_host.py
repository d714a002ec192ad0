"""A VST3 host of our own over ctypes (tests/cpp/vst3_host.*): raw channels, points inside a block, states."""

import ctypes as c
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from forestage import PARAMS
from forestage.host import plugin_path
from places import ROOT

CHECKS = ROOT / "build" / "release" / "tests" / "cpp"
STEREO = 3
SAMPLE_32, SAMPLE_64 = 0, 1

Point = tuple[str, int, float]  # id of a parameter, frame in the block, value from 0 to 1


class _Point(c.Structure):
    _fields_ = [("id", c.c_uint32), ("frame", c.c_int32), ("value", c.c_double)]


def plugin_binary() -> Path:
    return next((plugin_path("vst3") / "Contents").glob("*-linux/Forestage.so"))


def _library() -> c.CDLL:
    path = CHECKS / "libvst3_host.so"
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there; cmake --preset release && cmake --build build/release makes it")
    library = c.CDLL(str(path))
    library.vst3_open.restype = c.c_void_p
    library.vst3_arrangement.restype = c.c_uint64
    library.vst3_parameter.restype = c.c_uint32
    library.vst3_value.restype = c.c_double
    library.vst3_arrange.restype = library.vst3_set_state.restype = library.vst3_can_play.restype = c.c_bool
    return library


class Vst3Plugin:
    """One instance. Parameters go by our ids (and "program"), their values by VST3's range from 0 to 1."""

    def __init__(
        self,
        *,
        sample_rate: float = 48_000,
        max_block_frames: int = 8192,
        arrangements: tuple[int, int] = (STEREO, STEREO),
        state: bytes | None = None,
    ) -> None:
        self._library = _library()
        self._handle = c.c_void_p(self._library.vst3_open(str(plugin_binary()).encode()))
        if not self._handle:
            raise OSError(f"{plugin_binary()} does not open as a VST3")
        self.ids = self._parameter_ids()
        self.returned: list[Point] = []  # what the plugin told in the last block
        if state is not None:
            self.state = state
        if not self.arrange(*arrangements):
            raise ValueError(f"arrangements {arrangements[0]:#x} -> {arrangements[1]:#x} are refused")
        self.start(sample_rate, max_block_frames)

    def _parameter_ids(self) -> dict[str, int]:
        names = {row.name: row.id for row in PARAMS}
        title = (c.c_uint16 * 128)()
        ids = {}
        for index in range(self._library.vst3_parameter_count(self._handle)):
            number = self._library.vst3_parameter(self._handle, index, title)
            text = bytes(title).decode("utf-16-le").split("\0")[0]
            ids[names.get(text, text.lower())] = number
        return ids

    def arrange(self, inputs: int, outputs: int) -> bool:
        """Ask for speaker arrangements; only before `start`, or after `stop`."""
        return self._library.vst3_arrange(self._handle, c.c_uint64(inputs), c.c_uint64(outputs))

    @property
    def arrangements(self) -> tuple[int, int]:
        return tuple(self._library.vst3_arrangement(self._handle, is_input) for is_input in (True, False))

    def set_up(self, sample_rate: float, max_block_frames: int) -> None:
        """Say how it will play, without activating it; only before `start`, or after `stop`."""
        self._library.vst3_set_up(self._handle, c.c_double(sample_rate), max_block_frames)

    def start(self, sample_rate: float, max_block_frames: int) -> None:
        self._library.vst3_start(self._handle, c.c_double(sample_rate), max_block_frames)

    def stop(self) -> None:
        self._library.vst3_stop(self._handle)

    def close(self) -> None:
        self._library.vst3_close(self._handle)

    def can_play(self, sample_size: int) -> bool:
        return self._library.vst3_can_play(self._handle, sample_size)

    @property
    def latency_frames(self) -> int:
        return self._library.vst3_latency_frames(self._handle)

    @property
    def tail_frames(self) -> int:
        return self._library.vst3_tail_frames(self._handle)

    def value(self, name: str) -> float:
        """What the controller shows."""
        return self._library.vst3_value(self._handle, c.c_uint32(self.ids[name]))

    def set_value(self, name: str, value: float) -> None:
        """Tell the controller, as hosts do beside sending a point."""
        self._library.vst3_set_value(self._handle, c.c_uint32(self.ids[name]), c.c_double(value))

    @property
    def state(self) -> bytes:
        memory = c.create_string_buffer(self._library.vst3_get_state(self._handle, None))
        return memory.raw[: self._library.vst3_get_state(self._handle, memory)]

    @state.setter
    def state(self, data: bytes) -> None:
        self._library.vst3_set_state(self._handle, data, len(data))

    def process(
        self,
        x: np.ndarray,
        points: Iterable[Point] = (),
        *,
        channels: int | None = None,
        order: Iterable[int] | None = None,
        sample_size: int = SAMPLE_32,
    ) -> np.ndarray:
        """Play one block. With `order` output i is written over input order[i]; ids that are numbers go as they are."""
        lanes = np.array(x, np.float32, order="C")
        places = list(order) if order is not None else None
        y = lanes if places is not None else np.full((channels or len(lanes), lanes.shape[1]), 9.0, np.float32)
        inputs = (c.c_void_p * len(lanes))(*[lane.ctypes.data for lane in lanes])
        outputs = (c.c_void_p * len(y))(*[y[i].ctypes.data for i in places or range(len(y))])
        sent = [_Point(self.ids.get(name, name), frame, value) for name, frame, value in points]
        returned, count = (_Point * 64)(), c.c_int(64)
        result = self._library.vst3_process(
            self._handle, inputs, len(lanes), outputs, len(y), lanes.shape[1],
            (_Point * len(sent))(*sent), len(sent), sample_size, returned, c.byref(count),
        )  # fmt: skip
        if result != 0:
            raise RuntimeError(f"process() returned {result}")
        names = {number: name for name, number in self.ids.items()}
        self.returned = [(names[point.id], point.frame, point.value) for point in returned[: count.value]]
        return y[places] if places is not None else y
