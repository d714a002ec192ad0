"""The demo: two designs, real music through the plugin, and a page to hear and judge them by.

``python -m forestage.demo [FILE]`` runs it; ``make_demo`` is the same for programs.
"""

from forestage.demo.content import Demo

from .make import make_demo

__all__ = ["Demo", "make_demo"]
