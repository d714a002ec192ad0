"""The picture from above: everything is where the preset says, to scale, and said in words."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from forestage import factory_presets
from forestage.plots import Scene, scene_of, top_view

SVG = "{http://www.w3.org/2000/svg}"
WITH_SPEAKERS = [name for name in factory_presets() if name != "headphones"]


def preset(name):
    return json.loads(factory_presets()[name].read_text(encoding="utf-8"))


def drawn(scene):
    return ElementTree.fromstring(top_view(scene))


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def test_places_are_those_of_the_preset():
    scene = scene_of(preset("smart-speaker"))
    assert {name: np.round(place, 6).tolist() for name, place in scene.drivers.items()} == {
        "left": [0.0, 0.09],
        "right": [0.0, -0.09],
        "center": [0.09, 0.0],
    }
    assert scene.seat == (2.0, 0.0)
    np.testing.assert_allclose(scene.pair, [(2 - 3**0.5, 1.0), (2 - 3**0.5, -1.0)])
    assert (scene.body_radius_m, scene.pair_deg, scene.zone_width_m, scene.zone_db) == (0.09, 30.0, 0.11, 6.0)


def test_zone_is_where_the_map_says():
    content = preset("smart-speaker")
    found = next(each for each in content["maps"] if each["name"] == "separation_processed")
    found["values"] = [12.0 if abs(y) < 0.2 else 0.0 for _ in found["distance_m"] for y in found["lateral_m"]]
    (outline,) = scene_of(content).zone
    low, high = (max(y for y in found["lateral_m"] if y < 0.2), min(y for y in found["lateral_m"] if y >= 0.2))
    assert np.abs(outline[:, 1]).max() == pytest.approx((low + high) / 2)
    assert (outline[:, 0].min(), outline[:, 0].max()) == (found["distance_m"][0], found["distance_m"][-1])


@pytest.mark.parametrize("name", WITH_SPEAKERS)
def test_picture_is_to_scale_and_nothing_is_cut(name):
    scene = scene_of(preset(name))
    root = drawn(scene)
    width, height = map(float, root.get("viewBox").split()[2:])
    for circle in root.iter(f"{SVG}circle"):
        x, y, radius = numbers(circle, "cx", "cy", "r")
        is_in_legend = x == 0.0
        assert is_in_legend or radius <= x <= width - radius
        assert is_in_legend or radius <= y <= height - radius
    dots = np.array([numbers(c, "cx", "cy") for c in root.iter(f"{SVG}circle") if c.get("r") == "3.5"])
    places = np.array(list(scene.drivers.values()))
    lines = [line for line in root.iter(f"{SVG}line") if line.get("stroke-dasharray")]
    seat = numbers(lines[0], "x1", "y1")
    ends = [numbers(line, "x2", "y2") for line in lines]
    scale = np.hypot(*np.subtract(ends[0], seat)) / 2.0  # the pair is 2 m away
    # the listener is below, so that their left is on the left
    wanted = np.stack([seat[0] - scale * places[:, 1], seat[1] + scale * (places[:, 0] - scene.seat[0])], axis=1)
    np.testing.assert_allclose(dots, wanted, atol=0.2)
    assert ends[0][0] < seat[0] < ends[1][0]
    for driver in scene.drivers:
        assert any(driver in (text.text or "") for text in root.iter(f"{SVG}text"))
    assert all(float(text.get("y")) < height for text in root.iter(f"{SVG}text"))


def test_picture_has_its_words():
    root = drawn(scene_of(preset("asymmetric-pair")))
    text = root.find(f"{SVG}desc").text
    assert "left 45 cm left; right 15 cm in front and 25 cm right" in text
    assert "The listener sits 100 cm in front." in text
    assert "2 m from the listener at ±30°" in text
    assert text in root.get("aria-label")
    assert root.find(f"{SVG}title").text in root.get("aria-label")
    assert root.get("role") == "img"


def test_drivers_at_one_place_share_a_label():
    scene = Scene("Tower", {"woofer": (0.0, 0.0), "tweeter": (0.0, 0.0), "side": (0.0, 0.2)}, (1.0, 0.0))
    assert [text.text for text in drawn(scene).iter(f"{SVG}text") if re.fullmatch(r"[\d,]+", text.text)][-2:] == [
        "1,2",
        "3",
    ]


@pytest.mark.parametrize(
    "content", [{}, {"design": {}}, {"design": {"device": "a box"}}, {"design": {"device": {"driver": [{}]}}}]
)
def test_presets_that_do_not_say_where_things_are_have_no_picture(content):
    assert scene_of(content) is None


def test_headphones_have_no_picture():
    assert scene_of(preset("headphones")) is None


def test_names_cannot_become_markup():
    evil = "<script>alert(1)</script>"
    root = drawn(Scene(evil, {evil: (0.0, 0.1)}, (1.0, 0.0)))
    assert not list(root.iter(f"{SVG}script"))
