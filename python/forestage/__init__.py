"""Forestage makes a compact loudspeaker sound like a hi-fi stereo pair, and lets mixers hear that in their DAW.

Examples
--------
>>> import numpy as np, forestage
>>> renderer = forestage.Renderer("smart-speaker", sample_rate=48_000, monitor="Speakers")
>>> feeds = renderer.process(np.zeros((2, 480), np.float32))
>>> feeds.shape
(3, 480)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._core import PARAMS, HeadphoneEq, PresetError, __version__

if TYPE_CHECKING:
    from .acoustics.device import Device
    from .acoustics.device_file import load_device
    from .catalogue import factory_devices, factory_presets
    from .center import upmix
    from .chain import Chain, load_chain
    from .design.designer import design
    from .design.result import Design
    from .headphone_eq import load_headphone_eq
    from .host import load_plugin
    from .presets import load_preset
    from .render import Renderer
    from .sweep.runner import sweep

__all__ = [
    "PARAMS",
    "Chain",
    "Design",
    "Device",
    "HeadphoneEq",
    "PresetError",
    "Renderer",
    "__version__",
    "design",
    "factory_devices",
    "factory_presets",
    "load_chain",
    "load_plugin",
    "load_device",
    "load_headphone_eq",
    "load_preset",
    "sweep",
    "upmix",
]

_HOMES = {
    "Chain": "chain",
    "Design": "design.result",
    "Device": "acoustics.device",
    "Renderer": "render",
    "design": "design.designer",
    "factory_devices": "catalogue",
    "factory_presets": "catalogue",
    "load_chain": "chain",
    "load_device": "acoustics.device_file",
    "load_headphone_eq": "headphone_eq",
    "load_plugin": "host",
    "load_preset": "presets",
    "sweep": "sweep.runner",
    "upmix": "center",
}
_MODULES = (
    "acoustics",
    "audio_file",
    "batch",
    "chain",
    "export",
    "files",
    "headphone_eq",
    "host",
    "match",
    "metrics",
    "params",
    "plots",
    "presets",
    "render",
    "report",
    "vst3",
)


def __dir__() -> list[str]:
    return sorted([*__all__, *_MODULES])


if not TYPE_CHECKING:  # type checkers would believe any name of a module that has __getattr__
    from . import design, sweep

    # Loading a subpackage binds its name here, once: from now on these names are free for the functions
    del design, sweep

    def __getattr__(name: str) -> Any:
        """Load what is asked for, when it is: numpy, scipy and their like take their time."""
        if name in _MODULES:
            return import_module(f".{name}", __name__)
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        globals()[name] = value
        return value
