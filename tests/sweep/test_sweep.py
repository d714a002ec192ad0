"""A sweep designs each point of a space once, tells its figures, and finds the best."""

import json

import numpy as np
import pytest

pytest.importorskip("distributed", reason="forestage[scale] is not installed")

import forestage
from command_line import run
from forestage import load_device, load_preset
from forestage.acoustics.device_file import device_table
from forestage.sweep import best as choice
from forestage.sweep import runner, task
from forestage.sweep.page import page_html
from forestage.sweep.space import load_space, parse_space, set_field
from forestage.sweep.task import flat

SPACE = """
device = "laptop"

[[vary]]
name = "half_spacing_m"
from = 0.1
to = 0.2
count = 2
fields = { "driver.left.position_m[1]" = 1.0, "driver.right.position_m[1]" = -1.0 }

[[vary]]
name = "design.width_deg"
values = [20, 40]
"""
RANGE = {"name": "listener.distance_m", "from": 0.4, "to": 0.8}


@pytest.fixture(scope="module")
def space_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sweep") / "space.toml"
    path.write_text(SPACE)
    return path


@pytest.fixture(scope="module")
def swept(space_file):
    """Four designs, by the command."""
    output = space_file.parent / "out"
    result = run("sweep", space_file, "-o", output, "--workers", 1)
    assert result.returncode == 0, result.stderr
    assert "4 designed, 0 before, 0 failed" in result.stdout
    return output


def test_points_of_a_grid_are_devices(space_file):
    points = load_space(space_file).points()
    assert [tuple(point.values.values()) for point in points] == [(0.1, 20), (0.1, 40), (0.2, 20), (0.2, 40)]
    rows = points[2].device["driver"]
    assert [row["position_m"][1] for row in rows] == [0.2, -0.2]
    assert points[1].arguments == {"width_deg": 40}
    assert len({point.key for point in points}) == 4


def test_a_latin_hypercube_fills_the_range_the_same_on_every_run():
    table = {"device": "tv", "vary": [RANGE], "sample": {"kind": "latin", "count": 20, "seed": 3}}
    values, again = ([p.values["listener.distance_m"] for p in parse_space(table).points()] for _ in range(2))
    assert values == again
    assert sorted(np.floor((np.array(values) - 0.4) / 0.02).astype(int)) == list(range(20))


def test_a_list_takes_values_together():
    vary = [
        {"name": "listener.distance_m", "values": [1.0, 2.0]},
        {"name": "design.variant", "values": ["close", "standard"]},
    ]
    points = parse_space({"device": "tv", "vary": vary, "sample": {"kind": "list"}}).points()
    assert [tuple(point.values.values()) for point in points] == [(1.0, "close"), (2.0, "standard")]


def test_figures_are_those_of_the_design(swept, space_file):
    found = runner.swept(space_file, swept)
    row = next(row for row in found.rows if row["half_spacing_m"] == 0.2 and row["design.width_deg"] == 20)
    table = device_table(load_device("laptop"))
    for name, y in (("left", 0.2), ("right", -0.2)):
        set_field(table, f"driver.{name}.position_m[1]", y)
    from forestage.acoustics.device_file import parse_device
    from forestage.design.virtual_pair import VirtualPair

    made = forestage.design(parse_device(table), pair=VirtualPair(width_deg=20), sample_rates=(48_000,), render=None)
    figures = made.metrics()
    assert row["zone.sweet_spot_m.processed"] == figures["zone"]["sweet_spot_m"]["processed"]
    assert row["width.separation_db.processed.mean"] == pytest.approx(
        np.mean(figures["width"]["separation_db"]["processed"])
    )
    assert row["width.separation_db.processed.least"] == min(figures["width"]["separation_db"]["processed"])
    assert len(found.table()) == 4


def test_what_is_designed_is_not_designed_again(swept, space_file, tmp_path):
    wider = tmp_path / "space.toml"
    wider.write_text(SPACE.replace("[20, 40]", "[20, 40, 50]"))
    again = run("sweep", wider, "-o", swept, "--workers", 1)
    assert "2 designed, 4 before, 0 failed" in again.stdout
    assert len(runner.swept(wider, swept).rows) == 6
    assert len(runner.swept(space_file, swept).rows) == 4


def test_the_best_are_written_as_presets(swept, space_file, tmp_path):
    result = run("sweep", "best", space_file, swept, "--by", "zone_width", "--limit", "design.width_deg<=30",
                 "--count", 1, "-o", tmp_path / "best")  # fmt: skip
    assert result.returncode == 0, result.stderr
    rows = runner.swept(space_file, swept).rows
    expected = max(
        (row for row in rows if row["design.width_deg"] == 20), key=lambda r: r["zone.sweet_spot_m.processed"]
    )
    preset = load_preset(tmp_path / "best" / "space-1.json")
    drivers = json.loads(preset.to_json())["design"]["device"]["driver"]
    assert drivers[0]["position_m"][1] == expected["half_spacing_m"]
    assert preset.parameters["stage_width_deg"] == 20
    assert f"zone_width {expected['zone.sweet_spot_m.processed']:.2f}" in result.stdout


def test_the_page_shows_maps_and_the_front(swept, space_file):
    html = page_html(runner.swept(space_file, swept))
    assert html.count("plotly-graph-div") == 1 + 3
    assert "half_spacing_m" in html


def test_the_front_has_what_nothing_beats():
    names = [choice.NAMES[name][0] for name in ("separation", "drive", "zone_width")]
    rows = [
        dict(zip(names, row, strict=True))
        for row in [(10, 5, 0.2), (9, 6, 0.1), (12, 8, 0.2), (10, 5, 0.3), (5, 1, 0.1)]
    ]
    assert choice.front(rows) == [rows[2], rows[3], rows[4]]
    assert choice.best(rows, "drive") == [rows[4]]
    assert choice.best(rows, "separation", limits=["drive <= 5"], count=2) == [rows[0], rows[3]]


def test_a_point_that_cannot_be_designed_is_a_row(tmp_path, monkeypatch):
    from distributed import Client, LocalCluster

    monkeypatch.setattr(task, "designed", lambda *_, **__: 1 / 0)
    space = parse_space({"device": "laptop", "vary": [{"name": "design.width_deg", "values": [30]}]})
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        found = forestage.sweep(space, tmp_path / "out", client=client)
    assert (found.done, found.failed) == (0, 1)
    assert found.failures[0]["error"] == "division by zero"
    assert "division by zero" in page_html(found)


def test_lists_and_texts_are_flattened():
    assert flat({"a": {"b": [1, 3], "c": "x"}, "d": float("inf")}) == {
        "a.b.mean": 2, "a.b.least": 1, "a.b.most": 3, "a.c": "x", "d": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({}, "device = None: a factory name or a device file"),
        ({"device": "latpop", "vary": [RANGE]}, "no device 'latpop'"),
        ({"device": "laptop"}, "needs something to vary"),
        ({"device": "laptop", "vary": [{}]}, "a table with a name"),
        ({"device": "laptop", "vary": [RANGE]}, "count = None: a range needs 2 or more"),
        ({"device": "laptop", "vary": [RANGE | {"to": "far"}]}, "to"),
        ({"device": "laptop", "vary": [RANGE | {"values": [1]}]}, "either values, or from and to"),
        (
            {"device": "laptop", "vary": [{"name": "driver.middle.level_db", "values": [1]}]},
            "no 'middle'; there are left, right",
        ),
        ({"device": "laptop", "vary": [{"name": "driver[2].level_db", "values": [1]}]}, "counted from 0"),
        ({"device": "laptop", "vary": [{"name": "listner.distance_m", "values": [1]}]}, "no 'listner'"),
        ({"device": "laptop", "vary": [{"name": "design.color", "values": [1]}]}, "design has no 'color'"),
        ({"device": "laptop", "vary": [RANGE], "sample": {"kind": "random"}}, "grid, list, latin"),
        ({"device": "laptop", "vary": [RANGE], "sample": {"kind": "latin"}}, "1 to"),
        ({"device": "laptop", "vary": [RANGE | {"count": 10_000}] * 2}, "two of one name"),
        ({"device": "laptop", "vray": []}, "vray: unknown"),
    ],
)
def test_what_is_no_sweep_is_said(table, reason):
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        parse_space(table)


def test_a_point_that_is_no_device_is_named_by_its_values():
    space = parse_space({"device": "laptop", "vary": [{"name": "listener.distance_m", "values": [0.5, -1.0]}]})
    with pytest.raises(ValueError, match=r"listener\.distance_m = -1\.0: .*distance_m"):
        space.points()


@pytest.mark.parametrize(("limit", "reason"), [("drive<6", "such as drive<=6"), ("dirve<=6", "no such figure")])
def test_limits_that_say_nothing_are_refused(limit, reason):
    with pytest.raises(ValueError, match=reason):
        choice.within([{"effort.most_drive_db.staged": 1.0}], [limit])
