"""A preset in the forms other programs read.

The plugin plays all of a preset: hosts get a file that it loads (`export_vstpreset`), PipeWire a sink that runs it
(`export_pipewire`). Programs that only convolve get the linear part (`linear_filters`): virtual pair, cancellation and
driver equaliser, with all of left and right in the pair, as there is no upmix that could take a centre out of them.
"""

from .camilladsp import export_camilladsp
from .easyeffects import export_easyeffects
from .equalizer_apo import export_equalizer_apo
from .filters import export_wav
from .hosts import export_vstpreset
from .linear import LinearFilters, linear_filters
from .pipewire import export_pipewire
from .sofa import export_sofa

__all__ = [
    "LinearFilters",
    "export_camilladsp",
    "export_easyeffects",
    "export_equalizer_apo",
    "export_pipewire",
    "export_sofa",
    "export_vstpreset",
    "export_wav",
    "linear_filters",
]
