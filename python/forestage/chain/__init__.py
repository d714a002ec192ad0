"""What plays before and after Forestage, as on a track of a DAW: VST3 plugins, and effects that pedalboard has.

A plugin of someone else may crash. `forestage.render_file` therefore plays a chain in a process of its own; what is
here runs where it is called.
"""

from .chain import Chain
from .chain_file import load_chain
from .effect import EFFECTS, Effect

__all__ = ["EFFECTS", "Chain", "Effect", "load_chain"]
