"""The table of all figures of a design."""

import json

import numpy as np
import pytest

from designs import designed, figures_of
from forestage.metrics import width, zone
from forestage.metrics.summary import design_metrics
from kinds import first_fast
from stub_design import headphones, pair, stub_design


@pytest.fixture(scope="module", params=first_fast(["laptop", "smart-speaker"]))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def design(name):
    return designed(name)


@pytest.fixture(scope="module")
def figures(name):
    return figures_of(name)


def leaves(value):
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def test_figures_survive_json_and_are_finite(figures):
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures
    numbers = [leaf for leaf in leaves(figures) if not isinstance(leaf, str)]
    assert len(numbers) > 60
    assert all(leaf == round(leaf, 2) for leaf in numbers)


@pytest.mark.slow
def test_same_design_gives_the_same_figures(design, figures):
    assert design.metrics() == figures


def test_every_group_has_its_baseline(figures):
    for group in ("width", "depth", "zone"):
        for key, versions in figures[group].items():
            if key != "azimuth_over_width_deg":
                assert {"plain", "processed"} <= set(versions), key
    assert {"plain", "processed"} <= set(figures["colour"]["center_ripple_db"])


def test_conditions_say_what_the_figures_hold_for(design, figures):
    conditions = figures["conditions"]
    assert conditions["seat_m"] == [design.device.listener.distance_m, 0.0, 0.0]
    assert conditions["head"] == "rigid sphere of 8.75 cm radius, ears at ±90°"
    assert conditions["stage_width_deg"] == design.width_deg
    assert len(conditions["octaves"]) == len(figures["width"]["separation_db"]["plain"])


def test_figures_are_those_of_the_single_functions(design, figures):
    np.testing.assert_allclose(
        figures["width"]["separation_db"]["processed"], width.separation(design)["processed"], atol=0.005
    )
    assert figures["zone"]["sweet_spot_m"]["processed"] == pytest.approx(
        zone.sweet_spot_m(design)["processed"], abs=0.005
    )


@pytest.mark.slow
def test_stage_of_unusual_width_is_judged_at_that_width():
    too_far_for_the_room = pair(distance_m=9.0)
    figures = design_metrics(stub_design(too_far_for_the_room, width_deg=37.0))["width"]
    over_width = figures["azimuth_over_width_deg"]
    at = over_width["stage_width"].index(37.0)
    assert over_width["time"][at] == figures["azimuth_by_time_deg"]["processed"]
    assert over_width["stage_width"] == sorted(over_width["stage_width"])


def test_headphones_have_what_makes_sense_for_them():
    """The virtual pair alone reaches the ears: heard at its own angle."""
    figures = design_metrics(stub_design(headphones()))
    assert set(figures) == {"conditions", "width", "effort", "colour"}
    azimuth = figures["width"]["azimuth_by_time_deg"]
    assert azimuth["processed"] == pytest.approx(30.0, abs=1.5)
    assert "plain" not in azimuth
    assert zone.zone_maps(stub_design(headphones())) == []
