"""A small LV2 host's side of a plugin's window: X11, in this process, worked by xdotool."""

import ctypes as c
import subprocess
import time

from lv2_host import LV2, Feature, Lv2Plugin

UI = LV2 + "extensions/ui#"
WriteFunction = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_uint32, c.c_uint32, c.c_void_p)
ResizeFunction = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_int, c.c_int)
TouchFunction = c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_bool)


class Descriptor(c.Structure):
    _fields_ = [
        ("uri", c.c_char_p),
        (
            "instantiate",
            c.CFUNCTYPE(
                c.c_void_p,
                *(c.c_void_p, c.c_char_p, c.c_char_p, WriteFunction, c.c_void_p),
                *(c.POINTER(c.c_void_p), c.c_void_p),
            ),
        ),
        ("cleanup", c.CFUNCTYPE(None, c.c_void_p)),
        ("port_event", c.CFUNCTYPE(None, c.c_void_p, c.c_uint32, c.c_uint32, c.c_uint32, c.c_void_p)),
        ("extension_data", c.CFUNCTYPE(c.c_void_p, c.c_char_p)),
    ]


class Resize(c.Structure):
    _fields_ = [("handle", c.c_void_p), ("ui_resize", ResizeFunction)]


class Touch(c.Structure):
    _fields_ = [("handle", c.c_void_p), ("touch", TouchFunction)]


class Idle(c.Structure):
    _fields_ = [("idle", c.CFUNCTYPE(c.c_int, c.c_void_p))]


# JUCE sets properties by names that only a window manager brings along, and X's own handler would end the process.
ON_ERROR = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p)(lambda display, error: 0)


def x11() -> c.CDLL:
    library = c.CDLL("libX11.so.6")
    library.XSetErrorHandler(ON_ERROR)
    library.XOpenDisplay.restype = library.XGetImage.restype = c.c_void_p
    library.XDefaultRootWindow.restype = library.XCreateSimpleWindow.restype = library.XGetPixel.restype = c.c_ulong
    return library


class ClientMessage(c.Structure):
    _fields_ = [
        ("type", c.c_int),
        ("serial", c.c_ulong),
        ("send_event", c.c_int),
        ("display", c.c_void_p),
        ("window", c.c_ulong),
        ("message_type", c.c_ulong),
        ("format", c.c_int),
        ("data", c.c_long * 5),
        ("padding", c.c_long * 16),  # an XEvent is larger
    ]


def ask_to_close(window: int) -> None:
    """As the cross in a window manager's frame does."""
    x = x11()
    x.XInternAtom.restype = c.c_ulong
    display = c.c_void_p(x.XOpenDisplay(None))
    protocols, delete = (x.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = ClientMessage(type=33, window=window, message_type=protocols, format=32)
    message.data[0] = delete
    assert x.XSendEvent(display, c.c_ulong(window), 0, c.c_long(0), c.byref(message))
    x.XCloseDisplay(display)


class Lv2Window:
    """The window of a plugin that plays; without `has_instance` the host keeps the plugin in another process."""

    def __init__(self, plugin: Lv2Plugin, *, has_instance: bool = True) -> None:
        self.plugin = plugin
        self.written: list[tuple[int, float]] = []  # (port, value)
        self.touched: list[tuple[int, bool]] = []
        self.asked_size: tuple[int, int] | None = None
        self._x = x11()
        self._display = c.c_void_p(self._x.XOpenDisplay(None))
        root = c.c_ulong(self._x.XDefaultRootWindow(self._display))
        self._parent = c.c_ulong(self._x.XCreateSimpleWindow(self._display, root, 0, 0, 1960, 1280, 0, 0, 0))
        self._x.XMapRaised(self._display, self._parent)
        self._x.XSync(self._display, 0)
        library = c.CDLL(str(next(plugin.bundle.glob("*.so"))))
        library.lv2ui_descriptor.restype = c.POINTER(Descriptor)
        self._ui = library.lv2ui_descriptor(0).contents
        self._callbacks = [WriteFunction(self._write), ResizeFunction(self._resize), TouchFunction(self._touch)]
        resize, touch = Resize(None, self._callbacks[1]), Touch(None, self._callbacks[2])
        offered = {"parent": self._parent.value, "resize": c.addressof(resize), "touch": c.addressof(touch)}
        features = [Feature((UI + name).encode(), data) for name, data in offered.items()]
        if has_instance:
            features.append(Feature((LV2 + "ext/instance-access").encode(), plugin.handle))
        pointers = (c.c_void_p * (len(features) + 1))(*map(c.addressof, features), None)
        self._keep_alive = [resize, touch, features, pointers]
        widget = c.c_void_p()
        self._handle = self._ui.instantiate(
            c.addressof(self._ui),
            self.plugin.uri.encode(),
            str(plugin.bundle).encode() + b"/",
            *(self._callbacks[0], None, c.byref(widget), c.addressof(pointers)),
        )
        self.widget = c.c_ulong(widget.value or 0)

    @property
    def is_open(self) -> bool:
        return self._handle is not None

    def _write(self, _, port, size, protocol, data):
        assert (size, protocol) == (4, 0)
        value = c.cast(data, c.POINTER(c.c_float))[0]
        self.written.append((port, value))
        self.plugin.set_port(port, value)

    def _resize(self, _, width, height):
        self.asked_size = (width, height)
        return 0

    def _touch(self, _, port, is_held):
        self.touched.append((port, is_held))

    def _extension(self, name: str, kind):
        return c.cast(self._ui.extension_data((UI + name).encode()), c.POINTER(kind)).contents

    def idle(self, seconds: float = 0.5) -> None:
        """What a host does thirty times a second."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self._extension("idleInterface", Idle).idle(self._handle) == 0
            time.sleep(0.01)

    def resize(self, width: int, height: int) -> None:
        self._extension("resize", Resize).ui_resize(self._handle, width, height)
        self.idle()

    def work(self, *actions: str | int) -> None:
        """What xdotool is told, and time for the window to do it."""
        subprocess.run(["xdotool", *map(str, actions)], check=True)
        self.idle()

    def work_at_once(self, actions: list[str | int]) -> None:
        """Many things one after the other, while the window lives."""
        with subprocess.Popen(["xdotool", *map(str, actions)]) as hands:
            while hands.poll() is None:
                self.idle(0.05)
        assert hands.returncode == 0
        self.idle()

    def click(self, x: int, y: int) -> None:
        self.work("mousemove", x, y, "click", 1)

    def size(self) -> tuple[int, int]:
        place = [c.c_ulong(), c.c_int(), c.c_int(), c.c_uint(), c.c_uint(), c.c_uint(), c.c_uint()]
        self._x.XGetGeometry(self._display, self.widget, *map(c.byref, place))
        return place[3].value, place[4].value

    def colours(self) -> set[int]:
        """Of all that is seen of it, looked at every third pixel."""
        width, height = self.size()
        image = c.c_void_p(self._x.XGetImage(self._display, self.widget, 0, 0, width, height, c.c_ulong(0xFFFFFF), 2))
        return {self._x.XGetPixel(image, x, y) & 0xFFFFFF for y in range(0, height, 3) for x in range(0, width, 3)}

    def close(self) -> None:
        self._ui.cleanup(self._handle)
        self._x.XDestroyWindow(self._display, self._parent)
        self._x.XCloseDisplay(self._display)
