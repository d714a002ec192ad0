"""Forestage makes a compact loudspeaker sound like a hi-fi stereo pair, and lets mixers hear that in their DAW.

>>> import numpy as np, forestage
>>> renderer = forestage.Renderer("smart-speaker", sample_rate=48_000, monitor="Speakers")
>>> feeds = renderer.process(np.zeros((2, 480), np.float32))
>>> feeds.shape
(3, 480)
"""

from ._core import PARAMS, PresetError, __version__
from .acoustics.device import Device
from .acoustics.device_file import load_device
from .design.designer import Design, design
from .host import load_plugin
from .presets import factory_presets, load_preset
from .render import Renderer
from .upmix import upmix

__all__ = [
    "PARAMS",
    "Design",
    "Device",
    "PresetError",
    "Renderer",
    "__version__",
    "design",
    "factory_presets",
    "load_plugin",
    "load_device",
    "load_preset",
    "upmix",
]
