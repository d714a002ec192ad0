"""A sweep designs each point of a space once, tells its figures, and finds the best."""

import json

import numpy as np
import pytest

pytest.importorskip("distributed", reason="forestage[scale] is not installed")

import forestage
from command_line import run
from forestage import load_device, load_preset
from forestage.acoustics.device_file import device_table
from forestage.batch.cluster import VersionError
from forestage.design.cancel import CancelTarget
from forestage.sweep import best as choice
from forestage.sweep import runner, task
from forestage.sweep.arguments import design_arguments
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
DEVICE = """
name = "Mine"
listener = { distance_m = 0.6, head_sofa = "one.sofa" }

[[driver]]
name = "left"
channel = "left"
position_m = [0.0, 0.14, 0.0]

[[driver]]
name = "right"
channel = "right"
position_m = [0.0, -0.14, 0.0]
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
    assert points[1].arguments == {"pair.width_deg": 40}
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
    frame = found.frame().set_index(list(found.axes))
    assert frame.loc[(0.2, 20), "zone.sweet_spot_m.processed"] == row["zone.sweet_spot_m.processed"]


@pytest.mark.slow
def test_what_is_designed_is_not_designed_again(swept, space_file, tmp_path):
    wider = tmp_path / "space.toml"
    wider.write_text(SPACE.replace("[20, 40]", "[20, 40, 50]"))
    again = run("sweep", wider, "-o", swept, "--workers", 1)
    assert "2 designed, 4 before, 0 failed" in again.stdout
    assert len(runner.swept(wider, swept).rows) == 6
    assert len(runner.swept(space_file, swept).rows) == 4


@pytest.mark.slow
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
    assert repr(found) == "Swept(done=0, skipped=0, failed=1, axes=('design.width_deg',))"
    assert found.failures[0]["error"] == "division by zero"
    assert "division by zero" in page_html(found)


def test_lists_and_texts_are_flattened():
    assert flat({"a": {"b": [1, 3], "c": "x"}, "d": float("inf")}) == {
        "a.b.mean": 2, "a.b.least": 1, "a.b.most": 3, "a.c": "x", "d": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({}, "device is missing: a factory name or a device file"),
        ({"device": "latpop", "vary": [RANGE]}, "no device 'latpop'"),
        ({"device": "laptop"}, "needs something to vary"),
        ({"device": "laptop", "vary": [{}]}, "a table with a name"),
        ({"device": "laptop", "vary": [RANGE]}, "count is missing: a range needs 2 or more"),
        ({"device": "laptop", "vary": [RANGE | {"to": "far"}]}, "to"),
        ({"device": "laptop", "vary": [RANGE | {"values": [1]}]}, "either values, or from and to"),
        (
            {"device": "laptop", "vary": [{"name": "driver.middle.level_db", "values": [1]}]},
            "no 'middle'; there are left, right",
        ),
        ({"device": "laptop", "vary": [{"name": "driver[2].level_db", "values": [1]}]}, "counted from 0"),
        ({"device": "laptop", "vary": [{"name": "listner.distance_m", "values": [1]}]}, "no 'listner'"),
        ({"device": "laptop", "vary": [{"name": "design.color", "values": [1]}]}, "design has no 'color'"),
        (
            {"device": "laptop", "vary": [{"name": "design.target.color", "values": [1]}]},
            "'color'; there are separation",
        ),
        ({"device": "laptop", "vary": [{"name": "design.target.separation_db[9][1]", "values": [1]}]}, r"no \[9\] in"),
        ({"device": "laptop", "vary": [{"name": "aim", "values": [{"design.color": 1}]}]}, "design has no 'color'"),
        (
            {"device": "laptop", "vary": [{"name": "design.width_deg", "values": [1, 2], "labels": ["a"]}]},
            "of 2 values",
        ),
        (
            {"device": "laptop", "vary": [{"name": "d", "values": ["far"], "fields": {"listener.distance_m": 1.0}}]},
            "values",
        ),
        ({"device": "laptop", "vary": [RANGE], "sample": {"kind": "random"}}, "grid, list, latin"),
        ({"device": "laptop", "vary": [RANGE], "sample": {"kind": "latin"}}, "1 to"),
        ({"device": "laptop", "vary": [RANGE | {"count": 10_000}] * 2}, "two of one name"),
        ({"device": "laptop", "vray": []}, "vray: unknown"),
    ],
)
def test_what_is_no_sweep_is_said(table, reason):
    with pytest.raises((ValueError, FileNotFoundError), match=reason):
        parse_space(table)


def test_what_is_no_path_is_named():
    with pytest.raises(TypeError, match=r"path is 3, of type int; that of a sweep \(\.toml\) would be right"):
        load_space(3)


def test_a_point_that_is_no_device_is_named_by_its_values():
    space = parse_space({"device": "laptop", "vary": [{"name": "listener.distance_m", "values": [0.5, -1.0]}]})
    with pytest.raises(ValueError, match=r"listener\.distance_m = -1\.0: .*distance_m"):
        space.points()


@pytest.mark.parametrize(("limit", "reason"), [("drive<6", "such as drive<=6"), ("dirve<=6", "no such figure")])
def test_limits_that_say_nothing_are_refused(limit, reason):
    with pytest.raises(ValueError, match=reason):
        choice.within([{"effort.most_drive_db.staged": 1.0}], [limit])


SOFT = [[100.0, 0.0], [500.0, 6.0], [1000.0, 12.0], [8000.0, 12.0]]
HARD = [[100.0, 0.0], [500.0, 12.0], [1000.0, 24.0], [8000.0, 24.0]]


def test_the_target_curve_is_varied_whole_and_point_by_point():
    vary = [{"name": "design.target.separation_db", "values": [SOFT, HARD], "labels": ["soft", "hard"]}]
    points = parse_space({"device": "laptop", "vary": vary}).points()
    assert [point.values for point in points] == [{"design.target.separation_db": name} for name in ("soft", "hard")]
    targets = [design_arguments(point.arguments)["target"] for point in points]
    assert [target.curve_db([1000.0])[0] for target in targets] == pytest.approx([12.0, 24.0])
    (at_1k,) = parse_space(
        {"device": "laptop", "vary": [{"name": "design.target.separation_db[3][1]", "values": [9]}]}
    ).points()
    target = design_arguments(at_1k.arguments)["target"]
    assert target.curve_db([1000.0, 500.0]) == pytest.approx([9.0, CancelTarget().curve_db([500.0])[0]])


def test_a_design_is_made_with_the_arguments_of_its_point(monkeypatch):
    vary = [
        {"name": "design.target.separation_db", "values": [SOFT]},
        {"name": "design.beam.on_off_db", "values": [7.0]},
        {"name": "design.width_deg", "values": [25]},
    ]
    (point,) = parse_space({"device": "laptop", "vary": vary}).points()
    made = []
    monkeypatch.setattr(task, "design", lambda device, **arguments: made.append((device, arguments)))
    task.designed(point, is_whole=False)
    ((device, arguments),) = made
    assert device == load_device("laptop")
    assert arguments["target"].separation_db == tuple(map(tuple, SOFT))
    assert arguments["beam"].on_off_db == 7.0
    assert arguments["pair"].width_deg == 25


def test_any_argument_of_a_design_may_be_varied():
    made = design_arguments(
        {
            "variant": "close",
            "target.drive_cap_db": 5,
            "target.room": "none",
            "target.zone.lateral_m": 0.05,
            "target.zone.distance_ratios": [0.8, 1.0],
            "beam.on_off_db": 6.5,
            "beam.null_deg[1]": 100.0,
            "pair.distance_m": 3.0,
            "pair.head_radius_m": 0.08,
        }
    )
    assert made["variant"] == "close"
    assert (made["target"].drive_cap_db, made["target"].room) == (5, None)
    assert (made["target"].zone.lateral_m, made["target"].zone.distance_ratios) == (0.05, (0.8, 1.0))
    assert (made["beam"].on_off_db, made["beam"].null_deg) == (6.5, (-90.0, 100.0))
    assert (made["pair"].distance_m, made["pair"].head.radius_m) == (3.0, 0.08)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("target.drive_cap_db", 99, r"design\.target\.drive_cap_db = 99: must be within 0\.\.40"),
        ("target.drive_cap_db", "much", r"design\.target\.drive_cap_db = .*much.*: a number would be right"),
        ("target.separation_db", 12, "a list would be right"),
        ("target.separation_db", [["a", "b"], ["c", "d"]], r"design\.target\.separation_db"),
        ("target.zone.yaw_deg", 200, r"design\.target\.zone\.yaw_deg = 200"),
        ("target.method", "magic", "must be one of exact, "),
        ("variant", "narrow", "must be one of standard, "),
        ("pair.width_deg", 3, r"design\.pair\.width_deg = 3: must be within 5\.\.90"),
    ],
)
def test_values_of_arguments_that_are_not_right_are_said(path, value, reason):
    space = parse_space({"device": "laptop", "vary": [{"name": f"design.{path}", "values": [value]}]})
    with pytest.raises(ValueError, match=reason):
        space.points()


def test_tables_set_several_fields_at_once():
    values = [
        {"listener.room_m3": 30.0, "listener.room_rt60_s": 0.2, "design.target.drive_cap_db": 4},
        {"listener.room_m3": 200.0, "listener.room_rt60_s": 0.8},
    ]
    vary = [{"name": "where", "values": values, "labels": ["study", "hall"]}]
    study, hall = parse_space({"device": "laptop", "vary": vary}).points()
    assert (study.values, hall.values) == ({"where": "study"}, {"where": "hall"})
    assert study.device["listener"]["room_m3"] == 30.0
    assert hall.device["listener"]["room_rt60_s"] == 0.8
    assert (study.arguments, hall.arguments) == ({"target.drive_cap_db": 4}, {})


def test_a_head_is_a_sphere_or_measured_and_what_its_file_holds_counts(tmp_path):
    from forestage.acoustics.device_file import parse_device
    from forestage.acoustics.measured_head import MeasuredHead
    from measurements import grid_directions, sphere_head, write_sofa

    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "mine.toml").write_text(DEVICE)
    write_sofa(tmp_path / "devices" / "one.sofa", sphere_head(grid_directions(15)))
    values = [{"listener.head_sofa": "devices/one.sofa"}, {"listener.head_radius_m": 0.09}, {}]
    table = {
        "device": "devices/mine.toml",
        "vary": [{"name": "head", "values": values, "labels": ["one", "ball", "own"]}],
    }
    points = parse_space(table, tmp_path).points()
    heads = [parse_device(point.device, point.folder).listener.head for point in points]
    assert [isinstance(head, MeasuredHead) for head in heads] == [True, False, True]
    assert heads[1].radius_m == 0.09
    keys = [point.key for point in points]
    write_sofa(tmp_path / "devices" / "one.sofa", sphere_head(grid_directions(12)))
    again = [point.key for point in parse_space(table, tmp_path).points()]
    assert [a == b for a, b in zip(keys, again, strict=True)] == [False, True, False]


def test_a_sweep_refuses_workers_of_another_version(tmp_path, monkeypatch):
    from distributed import Client, LocalCluster

    monkeypatch.setattr(runner, "__version__", "0.0.1")
    space = parse_space({"device": "laptop", "vary": [{"name": "design.width_deg", "values": [30]}]})
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
        pytest.raises(VersionError, match=rf"runs forestage {forestage.__version__}, this run is of 0\.0\.1"),
    ):
        forestage.sweep(space, tmp_path / "out", client=client)
