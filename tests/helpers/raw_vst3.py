"""A VST3 host without a framework, over ctypes: what the plugin's component and controller say, call by call.

It calls the two as the interfaces of the SDK number their functions, and keeps what the plugin tells its host.
"""

import ctypes as c
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

OK, NO_INTERFACE = 0, -1
PROGRAM = 0x70727374
PLAYING = 1 << 1


def _iid(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


UNKNOWN = _iid("00000000 00000000 C0000000 00000046")
COMPONENT = _iid("E831FF31 F2D54301 928EBBEE 25697802")
PROCESSOR = _iid("42043F99 B7DA453C A569E79D 9AAEC33D")
CONTROLLER = _iid("DCD7BBE3 7742448D A874AACC 979C759E")
CONNECTION = _iid("70A4156F 6E6E4026 989148BF AA60D8D1")
HANDLER = _iid("93A0BEA3 0BD045DB 8E890B0C C1E46AC6")
STREAM = _iid("C3BF6EA2 30994752 9B6BF990 1EE33E9B")
CHANGES = _iid("A4779663 0BB64A56 B44384A8 466FEB9D")
QUEUE = _iid("01263A18 ED074F6F 98C9D356 4686F9BA")


class ClassInfo(c.Structure):
    _fields_ = [
        ("cid", c.c_char * 16), ("cardinality", c.c_int32), ("category", c.c_char * 32), ("name", c.c_char * 64),
    ]  # fmt: skip


class ParameterInfo(c.Structure):
    _fields_ = [
        ("id", c.c_uint32), ("title", c.c_uint16 * 128), ("short_title", c.c_uint16 * 128), ("units", c.c_uint16 * 128),
        ("step_count", c.c_int32), ("default", c.c_double), ("unit_id", c.c_int32), ("flags", c.c_int32),
    ]  # fmt: skip


class ProcessSetup(c.Structure):
    _fields_ = [
        ("mode", c.c_int32), ("sample_size", c.c_int32), ("most_frames", c.c_int32), ("sample_rate", c.c_double),
    ]  # fmt: skip


class Bus(c.Structure):
    _fields_ = [("channels", c.c_int32), ("silence", c.c_uint64), ("lanes", c.POINTER(c.c_void_p))]


class ProcessData(c.Structure):
    _fields_ = [
        ("mode", c.c_int32), ("sample_size", c.c_int32), ("frames", c.c_int32), ("inputs", c.c_int32),
        ("outputs", c.c_int32), ("input", c.POINTER(Bus)), ("output", c.POINTER(Bus)), ("changes_in", c.c_void_p),
        ("changes_out", c.c_void_p), ("events_in", c.c_void_p), ("events_out", c.c_void_p), ("context", c.c_void_p),
    ]  # fmt: skip


class ProcessContext(c.Structure):
    _fields_ = [("state", c.c_uint32), ("sample_rate", c.c_double), ("rest", c.c_uint8 * 256)]


class Remote:
    """An object of the plugin's, whose functions are called by their place in its table."""

    def __init__(self, address: int) -> None:
        self.address = address

    def call(self, place: int, *args, types=(), result=c.c_int32):
        table = c.cast(c.cast(self.address, c.POINTER(c.c_void_p))[0], c.POINTER(c.c_void_p))
        return c.CFUNCTYPE(result, c.c_void_p, *types)(table[place])(self.address, *args)

    def query(self, iid: bytes) -> "Remote":
        found = c.c_void_p()
        assert self.call(0, iid, c.byref(found), types=(c.c_char_p, c.c_void_p)) == OK
        return Remote(found.value)


class Local:
    """An object of the host's: Python functions in a table, behind the three that every object begins with."""

    def __init__(self, iid: bytes, *functions: tuple[type, Callable]) -> None:
        def query(_, wanted, found):
            known = c.string_at(wanted, 16) in (iid, UNKNOWN)
            c.cast(found, c.POINTER(c.c_void_p))[0] = self.address if known else None
            return OK if known else NO_INTERFACE

        count = c.CFUNCTYPE(c.c_uint32, c.c_void_p)(lambda _: 1)
        first = c.CFUNCTYPE(c.c_int32, c.c_void_p, c.c_void_p, c.c_void_p)(query)
        self._functions = [first, count, count, *(kind(function) for kind, function in functions)]
        self._table = (c.c_void_p * len(self._functions))(*[c.cast(f, c.c_void_p) for f in self._functions])
        self._object = c.c_void_p(c.addressof(self._table))
        self.address = c.addressof(self._object)


def _takes(*types: type, result: type = c.c_int32) -> type:
    return c.CFUNCTYPE(result, c.c_void_p, *types)


def _stream(data: bytearray) -> Local:
    place = 0

    def read(_, target, size, count):
        nonlocal place
        part = bytes(data[place : place + size])
        c.memmove(target, part, len(part))
        place += len(part)
        if count:
            c.cast(count, c.POINTER(c.c_int32))[0] = len(part)
        return OK

    def write(_, source, size, count):
        data.extend(c.string_at(source, size))
        if count:
            c.cast(count, c.POINTER(c.c_int32))[0] = size
        return OK

    def seek(_, where, mode, result):
        nonlocal place
        place = where + (0, place, len(data))[mode]
        if result:
            c.cast(result, c.POINTER(c.c_int64))[0] = place
        return OK

    moves = _takes(c.c_void_p, c.c_int32, c.c_void_p)
    tell = _takes(c.c_void_p)
    return Local(
        STREAM, (moves, read), (moves, write), (_takes(c.c_int64, c.c_int32, c.c_void_p), seek), (tell, lambda *_: -1)
    )


def _changes(values: list[tuple[int, float]]) -> tuple[Local, list[Local]]:
    def queue(param_id: int, value: float) -> Local:
        def point(_, index, offset, target):
            c.cast(offset, c.POINTER(c.c_int32))[0] = 0
            c.cast(target, c.POINTER(c.c_double))[0] = value
            return OK

        return Local(
            QUEUE,
            (_takes(result=c.c_uint32), lambda _: param_id),
            (_takes(), lambda _: 1),
            (_takes(c.c_int32, c.c_void_p, c.c_void_p), point),
            (_takes(c.c_int32, c.c_double, c.c_void_p), lambda *_: OK),
        )

    queues = [queue(*value) for value in values]
    return Local(
        CHANGES,
        (_takes(), lambda _: len(queues)),
        (_takes(c.c_int32, result=c.c_void_p), lambda _, index: queues[index].address),
        (_takes(c.c_void_p, c.c_void_p, result=c.c_void_p), lambda *_: None),
    ), queues


class RawVst3:
    """One instance, stereo in and out; `told` has every value that the plugin told its host by itself."""

    def __init__(self, bundle: Path, *, sample_rate: float = 48_000, most_frames: int = 512) -> None:
        (binary,) = bundle.glob("Contents/*-linux/*.so")
        library = c.CDLL(str(binary))
        library.ModuleEntry(c.c_void_p(library._handle))
        library.GetPluginFactory.restype = c.c_void_p
        factory = Remote(library.GetPluginFactory())
        infos = [ClassInfo() for _ in range(factory.call(4))]
        for index, info in enumerate(infos):
            factory.call(5, index, c.byref(info), types=(c.c_int32, c.c_void_p))
        made = [self._create(factory, info) for info in infos[:2]]  # the component, then its controller
        self.component, self.controller = made[0].query(COMPONENT), made[1].query(CONTROLLER)
        self.processor = self.component.query(PROCESSOR)
        self.told: dict[int, float] = {}
        self.restarts: list[int] = []
        edit = _takes(c.c_uint32)
        self._handler = Local(
            HANDLER,
            (edit, lambda *_: OK),
            (_takes(c.c_uint32, c.c_double), self._take_edit),
            (edit, lambda *_: OK),
            (_takes(c.c_int32), lambda _, flags: self.restarts.append(flags) or OK),
        )
        pointer = (c.c_void_p,)
        self.component.call(3, None, types=pointer)
        self.controller.call(3, None, types=pointer)
        self.controller.call(16, self._handler.address, types=pointer)
        ends = [part.query(CONNECTION) for part in (self.component, self.controller)]
        ends[0].call(3, ends[1].address, types=pointer)
        ends[1].call(3, ends[0].address, types=pointer)
        for direction in (0, 1):
            self.component.call(10, 0, direction, 0, 1, types=(c.c_int32, c.c_int32, c.c_int32, c.c_uint8))
        self.activate(sample_rate, most_frames)
        self.rows = {row.id: row for row in self._parameter_infos()}
        self.ids = {bytes(row.title).decode("utf-16").split("\0")[0]: row.id for row in self.rows.values()}

    @staticmethod
    def _create(factory: Remote, info: ClassInfo) -> Remote:
        made, cid = c.c_void_p(), bytes(bytearray(c.string_at(c.addressof(info), 16)))
        factory.call(6, cid, UNKNOWN, c.byref(made), types=(c.c_char_p, c.c_char_p, c.c_void_p))
        return Remote(made.value)

    def _take_edit(self, _, param_id: int, value: float) -> int:
        self.told[param_id] = value
        return OK

    def _parameter_infos(self) -> list[ParameterInfo]:
        infos = [ParameterInfo() for _ in range(self.controller.call(8))]
        for index, info in enumerate(infos):
            self.controller.call(9, index, c.byref(info), types=(c.c_int32, c.c_void_p))
        return infos

    def activate(self, sample_rate: float, most_frames: int) -> None:
        self.component.call(11, 0, types=(c.c_uint8,))
        setup = ProcessSetup(0, 0, most_frames, sample_rate)
        self.processor.call(7, c.byref(setup), types=(c.c_void_p,))
        self.component.call(11, 1, types=(c.c_uint8,))

    def process(self, values: Mapping[int, float] | list[tuple[int, float]] = (), *, frames=64, playing=False):
        """Play silence-free input, with one point per value at the block's start, and return both channels."""
        x = np.tile(0.1 * np.sin(np.arange(frames, dtype=np.float32)), (2, 1)).astype(np.float32)
        y = np.zeros_like(x)
        buses = [Bus(2, 0, (c.c_void_p * 2)(*[lane.ctypes.data for lane in lanes])) for lanes in (x, y)]
        changes, queues = _changes(list(dict(values).items()))
        context = ProcessContext(PLAYING if playing else 0, 48_000)
        data = ProcessData(
            0, 0, frames, 1, 1, c.pointer(buses[0]), c.pointer(buses[1]), changes.address, None, None, None,
            c.addressof(context),
        )  # fmt: skip
        self.processor.call(9, c.byref(data), types=(c.c_void_p,))
        del queues
        return y

    def get(self, param_id: int) -> float:
        return self.controller.call(14, param_id, types=(c.c_uint32,), result=c.c_double)

    def set(self, param_id: int, value: float) -> None:
        self.controller.call(15, param_id, value, types=(c.c_uint32, c.c_double))

    def text(self, param_id: int, value: float) -> str:
        text = (c.c_uint16 * 128)()
        self.controller.call(10, param_id, value, text, types=(c.c_uint32, c.c_double, c.c_void_p))
        return bytes(text).decode("utf-16").split("\0")[0]

    @property
    def state(self) -> bytes:
        data = bytearray()
        stream = _stream(data)
        assert self.component.call(13, stream.address, types=(c.c_void_p,)) == OK
        return bytes(data)

    @state.setter
    def state(self, value: bytes) -> None:
        for part, place in ((self.component, 12), (self.controller, 5)):
            stream = _stream(bytearray(value))
            part.call(place, stream.address, types=(c.c_void_p,))

    def close(self) -> None:
        self.component.call(11, 0, types=(c.c_uint8,))
        ends = [part.query(CONNECTION) for part in (self.component, self.controller)]
        ends[0].call(4, ends[1].address, types=(c.c_void_p,))
        ends[1].call(4, ends[0].address, types=(c.c_void_p,))
        self.controller.call(4)
        self.component.call(4)
