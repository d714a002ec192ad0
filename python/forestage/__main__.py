"""``python -m forestage`` is the command line."""

from .cli import main

main()
