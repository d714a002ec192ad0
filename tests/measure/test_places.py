"""Where microphones were, by the times between drivers."""

from types import SimpleNamespace

import numpy as np
import pytest

from forestage import load_device
from forestage.measure.places import aside_m, expected_s
from forestage.measure.plan import Plan, as_by_ruler, places_for
from forestage.measure.words import _places

DEVICE = as_by_ruler(load_device("laptop"))
PLAN = Plan(DEVICE, places_for(DEVICE, count=5, is_ears=False))


def times_s(aside):
    """As measured with the microphone of place 3 so far to the listener's left of it."""
    places = np.array(PLAN.places_m)
    places[2, 1] += aside
    return expected_s(PLAN, places)


@pytest.mark.parametrize("aside", [-0.1, -0.03, 0.03, 0.1])
def test_a_microphone_aside_is_found(aside):
    assert aside_m(PLAN, times_s(aside)) == pytest.approx([0.0, 0.0, aside, 0.0, 0.0], abs=1e-4)


@pytest.mark.parametrize(
    ("aside", "said"),
    [(-0.03, "3.0 cm farther to the listener's right"), (0.2, "12 cm or more farther to the listener's left"),
     (-0.2, "12 cm or more farther to the listener's right")],
)  # fmt: skip
def test_farther_than_is_sought_is_said_so(aside, said):
    measurement = SimpleNamespace(off_m=aside_m(PLAN, times_s(aside)), repeatability_db=np.zeros((2, 5)))
    text = "\n".join(map(str, _places(measurement)))
    assert f"place 3 is {said}" in text
