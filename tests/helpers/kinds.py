"""Factory presets that stand for all, where a test takes long: one of each kind of device; and all monitors."""

import pytest

from forestage import PARAMS

FLAT = ("smart-speaker", "laptop", "headphones")  # without equalisers: plain stereo comes out as it went in
KINDS = (*FLAT, "five-driver-speaker")
MONITORS = next(row.choices for row in PARAMS if row.id == "monitor")
HEADPHONES = MONITORS[1:]


def first_fast(values, count=1):
    """Parameters of a test, of which the fast lane takes the first one or few."""
    values = list(values)
    slow = [value if isinstance(value, tuple) else (value,) for value in values[count:]]
    return [*values[:count], *(pytest.param(*value, marks=pytest.mark.slow) for value in slow)]
