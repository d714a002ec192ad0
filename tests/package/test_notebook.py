"""What prompts, notebooks and pools make of objects: one line, a table, a copy."""

import copy
import dataclasses
import importlib
import pickle
import pkgutil

import numpy as np
import pytest

import forestage
from designs import designed
from forestage import load_device
from forestage.acoustics.device import Device
from forestage.acoustics.device_in_room import DeviceInRoom
from forestage.acoustics.driver import Driver
from forestage.acoustics.seat import Listener
from forestage.design.cancel import CancelTarget
from forestage.design.virtual_pair import VirtualPair
from forestage.short_repr import ShortRepr


@pytest.fixture(scope="module")
def made():
    return {name: designed(name) for name in ("smart-speaker", "headphones")}


def reached(value, seen):
    """All that a value holds, by their types."""
    if type(value) in seen or isinstance(value, str | np.ndarray | type):
        return
    if dataclasses.is_dataclass(value):
        seen[type(value)] = value
        inner = [getattr(value, each.name) for each in dataclasses.fields(value)]
    else:
        inner = list(value) if isinstance(value, tuple | list) else []
    for each in inner:
        reached(each, seen)


@pytest.mark.slow
def test_all_that_a_design_holds_is_told_in_one_short_line(made):
    seen = {}
    for each in made.values():
        reached(each, seen)
        reached(each.simulate(frequency_hz=[100.0, 200.0]), seen)
    reached(DeviceInRoom(load_device("laptop"), "kitchen", (1.0, 1.5, 1.0)), seen)
    assert len(seen) > 15
    for value in seen.values():
        assert len(repr(value)) < 200, repr(value)
        assert "\n" not in repr(value)
    assert repr(made["headphones"]) == "<Design 'Your Own Headphones', 2 drivers, 44.1, 48, 88.2, 96, 176.4, 192 kHz>"
    assert "response=array(2, 3, " in repr(made["smart-speaker"].plant)


def public_dataclasses():
    for module in pkgutil.walk_packages(forestage.__path__, "forestage."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            is_own = dataclasses.is_dataclass(value) and value.__module__ == module.name
            if is_own and not name.startswith("_"):
                yield value


def test_no_public_dataclass_prints_its_arrays():
    for kind in public_dataclasses():
        shown = [each.type for each in dataclasses.fields(kind) if each.repr]
        if any(word in text for text in shown for word in ("Array", "Taps", "Spline")):
            assert kind.__repr__ is ShortRepr.__repr__, kind


def test_short_lines_tell_what_differs_and_no_more():
    assert repr(Driver("l", "left", (0.0, 0.1, 0.0), low_hz=200)) == (
        "Driver(name='l', channel='left', position_m=(0.0, 0.1, 0.0), low_hz=200.0)"
    )
    many = tuple(Driver(f"{side} {k}", side, ear=side) for side in ("left", "right") for k in range(8))
    assert len(repr(Device("x" * 100, many, Listener(1.0), text="y" * 1000))) < 200
    curve = tuple((100.0 + k, 10.0) for k in range(200))
    assert len(repr(CancelTarget(separation_db=curve))) < 200
    assert repr(VirtualPair(width_deg=40.0)) == "VirtualPair(width_deg=40.0)"


@pytest.mark.slow
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_designs_and_devices_can_be_copied(made, copied):
    for name, each in made.items():
        assert copied(load_device(name)) == load_device(name)
        twin = copied(each)
        assert (twin.name, twin.device, repr(twin)) == (each.name, each.device, repr(each))
        np.testing.assert_array_equal(twin.filter_set().cancel, each.filter_set().cancel)
        np.testing.assert_array_equal(twin.plant.response, each.plant.response)


@pytest.mark.slow
def test_notebooks_show_tables_of_designs_presets_and_renderers(made):
    html = made["headphones"]._repr_html_()
    assert html.startswith("<table><caption>Your Own Headphones</caption>")
    assert "<th>virtual pair</th><td>±30°</td>" in html
    preset = forestage.load_preset("laptop")
    assert "<th>drivers</th><td>left, right</td>" in preset._repr_html_()
    html = forestage.Renderer(preset, amount=50)._repr_html_()
    assert "&lt;Renderer A: &#x27;Laptop&#x27; at 48000 Hz, 2 outputs&gt;" in html
    assert "<th>amount</th><td>50</td>" in html
    assert "<th>status</th><td>OK</td>" in html
