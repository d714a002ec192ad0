"""The command line, as a user starts it."""

import subprocess
import sys


def run(*arguments, **options):
    words = [sys.executable, "-m", "forestage", *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=False, **options)
