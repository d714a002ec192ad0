"""Forestage makes a compact loudspeaker sound like a hi-fi stereo pair, and lets mixers hear that in their DAW.

>>> import numpy as np, forestage
>>> renderer = forestage.Renderer("smart-speaker", sample_rate=48_000, monitor="Speakers")
>>> feeds = renderer.process(np.zeros((2, 480), np.float32))
>>> feeds.shape
(3, 480)
"""

from ._core import PARAMS, HeadphoneEq, PresetError, __version__
from .acoustics.device import Device
from .acoustics.device_file import load_device
from .design.designer import Design, design
from .headphone_eq import load_headphone_eq
from .host import load_plugin
from .presets import factory_presets, load_preset
from .render import Renderer
from .upmix import upmix

__all__ = [
    "PARAMS",
    "Design",
    "Device",
    "HeadphoneEq",
    "PresetError",
    "Renderer",
    "__version__",
    "design",
    "factory_presets",
    "load_plugin",
    "load_device",
    "load_headphone_eq",
    "load_preset",
    "upmix",
]
