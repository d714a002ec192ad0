"""Does a preset hold the measurements of its device, so that it can be heard and drawn anywhere?"""

import base64
import copy
import hashlib
import importlib
import json
import shutil
import warnings
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import forestage
from forestage import _core
from forestage.acoustics.device import Device
from forestage.acoustics.device_file import device_table, load_device, parse_device
from forestage.acoustics.driver import Driver
from forestage.acoustics.measured_driver import load_directivity
from forestage.acoustics.measured_file import MOST_HELD_BYTES, MeasuredFile, measured_file
from forestage.acoustics.measured_head import load_head
from forestage.acoustics.plant import plant
from forestage.acoustics.seat import Listener
from forestage.acoustics.sofa import MeasurementWarning
from forestage.cli import cli
from forestage.design import preset_device as module
from forestage.design.beam import BeamTarget
from forestage.design.cancel import CancelTarget
from forestage.design.preset_device import device_form, preset_device
from forestage.design.result import Design
from forestage.design.virtual_pair import VirtualPair
from forestage.presets import preset_path
from forestage.report import report_html
from forestage.report.charts import charts
from measurements import directivity, grid_directions, sphere_head, write_impulses, write_sofa
from places import DEVICES

pytestmark = pytest.mark.slow

SPEAKER = load_device(DEVICES / "smart-speaker.toml")
CHART = "Centre around the device: beam"


def response(device):
    return plant(device, step_hz=2000.0).response


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Measurements of the smart speaker: files of one name for left and right, a directivity, and a head."""
    folder = tmp_path_factory.mktemp("measured")
    points = np.array([[2.0, y, 0.0] for y in (-0.3, -0.1, 0.1, 0.3)])
    rows = []
    for driver, field in zip(SPEAKER.drivers, SPEAKER.fields, strict=True):
        row = {"name": driver.name, "channel": driver.channel, "position_m": [0.0, 0.0, 0.0]}
        (folder / driver.name).mkdir()
        if driver.channel == "center":
            frequency = np.arange(200.0, 7001.0, 200.0)
            file = directivity(field, grid_directions(10.0), azimuth_deg=0.0, frequency_hz=frequency)
            write_sofa(folder / driver.name / "d.sofa", file)
            row["directivity_sofa"] = f"{driver.name}/d.sofa"
        else:
            entries = write_impulses(folder / driver.name, "mic", field, points)
            row["impulse_responses"] = [entry | {"file": f"{driver.name}/{entry['file']}"} for entry in entries]
        rows.append(row)
    write_sofa(folder / "me.sofa", sphere_head(grid_directions(15.0)))
    table = {"name": "Measured", "listener": {"distance_m": 2.0, "head_sofa": "me.sofa"}, "driver": rows}
    (folder / "table.json").write_text(json.dumps(table))
    return folder


@pytest.fixture(scope="module")
def measured(folder):
    return parse_device(json.loads((folder / "table.json").read_text()), folder)


@pytest.fixture(scope="module")
def form(folder):
    """What a preset holds of a head alone."""
    return device_form(replace(SPEAKER, listener=Listener(2.0, load_head(folder / "me.sofa"))))


@pytest.fixture(scope="module")
def preset(measured):
    """The smart speaker's preset, as if it were designed for the measured one."""
    preset = json.loads(preset_path("smart-speaker").read_text(encoding="utf-8"))
    return preset | {"design": device_form(measured)}


# What a preset holds


def test_preset_is_heard_in_a_room_when_the_files_of_its_device_are_gone(preset, measured, tmp_path, monkeypatch):
    """The command gives the room the very drivers and head, in the same place; what follows is that of any device."""
    heard = []

    def stop_at(scene, seat, **_):
        heard.append((scene, seat))
        raise ValueError("heard")

    (tmp_path / "measured.json").write_text(json.dumps(preset))
    monkeypatch.chdir("/")
    monkeypatch.setattr(importlib.import_module("forestage.design.room_preset"), "room_ear_firs", stop_at)
    arguments = ["ears", str(tmp_path / "measured.json"), "--room", "kitchen", "-o", str(tmp_path / "made.json")]
    assert str(CliRunner().invoke(cli, arguments).exception) == "heard"
    ((scene, seat),) = heard
    np.testing.assert_array_equal(response(scene.device), response(measured))
    points, frequency = np.array([[2.0, 0.1, 0.0]]), np.array([300.0, 3000.0])
    np.testing.assert_array_equal(seat.head.ears(frequency, points), measured.listener.head.ears(frequency, points))
    assert Path(seat.head.file).name == "me.sofa"


def test_provenance_of_a_design_holds_the_files(measured):
    design = Design(
        measured, "standard", CancelTarget(), BeamTarget(), VirtualPair(), plant(measured), None, None, (), None
    )
    assert design.provenance()["files"] == device_form(measured)["files"]


def test_preset_makes_the_very_device_again(preset, measured, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.testing.assert_array_equal(response(preset_device(preset)), response(measured))


def test_files_of_one_name_are_told_apart_and_folders_are_not_named(preset, measured, folder):
    names = ["me.sofa", *(f"mic-{n}.wav" for n in range(4)), *(f"mic-{n}-2.wav" for n in range(4)), "d.sofa"]
    assert list(preset["design"]["files"]) == names
    assert "/" not in "".join(names + [str(preset["design"]["device"])])
    assert device_table(measured)["driver"][0]["impulse_responses"][0]["file"] == "left/mic-0.wav"
    by_path = replace(measured, listener=Listener(2.0, load_head(folder / "me.sofa")))
    assert device_form(by_path) == device_form(measured)


def test_one_file_of_two_drivers_is_held_once(folder):
    driver = load_directivity(folder / "center" / "d.sofa")
    pair = tuple(Driver(side, side, (0.0, 0.0, 0.0), directivity=driver) for side in ("left", "right"))
    form = device_form(Device("Pair", pair, Listener(2.0)))
    assert [row["directivity_sofa"] for row in form["device"]["driver"]] == ["d.sofa", "d.sofa"]
    assert list(form["files"]) == ["d.sofa"]


def test_device_without_measurements_holds_no_files():
    assert device_form(SPEAKER) == {"device": device_table(SPEAKER)}


def test_report_draws_the_centre_of_a_measured_device(preset, tmp_path, monkeypatch):
    path = tmp_path / "preset.json"
    path.write_text(json.dumps(preset))
    monkeypatch.chdir("/")
    page = report_html([path])
    assert f"<h3>{CHART}" in page
    for file in preset["design"]["files"].values():
        assert file["sha256"] in page
        assert file["data"] not in page


def test_session_names_measured_files_and_leaves_their_bytes(preset):
    held, bare = (forestage.load_preset(form) for form in (preset, preset | {"design": {}}))
    sizes = [len(_core.write_state(each, each, {})) for each in (held, bare)]
    assert sizes[0] - sizes[1] < 10_000 < len(json.dumps(preset["design"]))
    kept = json.loads(_core.parse_state(_core.write_state(held, held, {}))["b"].to_json())["design"]
    files = preset["design"]["files"]
    assert kept == preset["design"] | {"files": {name: {"sha256": file["sha256"]} for name, file in files.items()}}
    assert json.loads(held.to_json())["design"] == preset["design"]


# Which file counts


def test_held_file_counts_over_one_of_its_name_beside_the_preset(preset, measured, tmp_path):
    (tmp_path / "me.sofa").write_text("not this one")
    np.testing.assert_array_equal(response(preset_device(preset, folder=tmp_path)), response(measured))


def test_given_head_counts_over_the_held_one(preset, tmp_path):
    head = load_head(write_sofa(tmp_path / "other.sofa", sphere_head(grid_directions(20.0))))
    assert preset_device(preset, head=head).listener == Listener(2.0, head)


def test_preset_without_files_finds_them_beside_itself_or_in_the_working_directory(
    folder, measured, tmp_path, monkeypatch
):
    shutil.copy(folder / "me.sofa", tmp_path)
    table = json.loads((folder / "table.json").read_text())
    monkeypatch.chdir(tmp_path)
    (folder / "me.sofa").rename(folder / "away.sofa")
    try:
        made = preset_device({"design": {"device": table}}, folder=folder)
    finally:
        (folder / "away.sofa").rename(folder / "me.sofa")
    np.testing.assert_array_equal(response(made), response(measured))


def test_file_that_is_too_large_is_named_with_its_hash_and_found_beside_the_preset(folder, tmp_path, monkeypatch):
    head = load_head(folder / "me.sofa")
    device = replace(SPEAKER, listener=Listener(2.0, head))
    monkeypatch.setattr(module, "MOST_HELD_BYTES", len(head.files[0].data) - 1)
    with pytest.warns(MeasurementWarning, match=r"me\.sofa: is not held by the preset, which takes \d+ MiB .* keep it"):
        form = {"design": device_form(device)}
    sha256 = head.files[0].sha256
    assert form["design"]["files"] == {"me.sofa": {"sha256": sha256}}
    write_sofa(tmp_path / "me.sofa", sphere_head(grid_directions(20.0)))
    with pytest.raises(ValueError, match=rf"needs the measured file me\.sofa \(SHA-256 {sha256}\); looked in "):
        preset_device(form, folder=tmp_path)
    shutil.copy(folder / "me.sofa", tmp_path)
    np.testing.assert_array_equal(response(preset_device(form, folder=tmp_path)), response(device))


def test_bytes_of_a_file_beyond_the_limit_are_not_kept(tmp_path):
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(MOST_HELD_BYTES + 1)
    assert measured_file(path) == MeasuredFile(hashlib.sha256(path.read_bytes()).hexdigest(), None)
    with path.open("wb") as file:
        file.truncate(MOST_HELD_BYTES)
    assert len(measured_file(path).data) == MOST_HELD_BYTES


def test_report_says_why_the_centre_is_not_drawn(preset, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bare = json.loads(forestage.load_preset(preset | {"design": {"device": preset["design"]["device"]}}).to_json())
    with pytest.warns(UserWarning, match=r"no chart of the centre .* mic-0\.wav, .*; looked in " + str(tmp_path)):
        found = charts([bare])
    assert CHART not in [chart.title for chart in found]


# Bad input


def damaged(form):
    return form | {"data": base64.b64encode(zlib.compress(b"other")).decode()}


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("me.sofa", damaged, r'"me\.sofa": data are not those that sha256 tells of: the preset is damaged'),
        ("me.sofa", lambda form: form | {"data": "?"}, r'"me\.sofa": data are not zlib in base64'),
        ("me.sofa", lambda form: form | {"data": 3}, r'"me\.sofa": data are not zlib in base64'),
        ("me.sofa", lambda form: form | {"data": form["data"][:400]}, r"the preset is damaged"),
        ("me.sofa", lambda form: {"data": form["data"]}, r"the preset is damaged"),
        ("../me.sofa", dict, r'"\.\./me\.sofa": must be the name of a file, without a folder'),
        ("..", dict, r'"\.\.": must be the name of a file, without a folder'),
        ("C:\\me.sofa", dict, "must be the name of a file, without a folder"),
    ],
)
def test_held_file_that_cannot_be_is_refused_by_name(form, name, change, words):
    form = copy.deepcopy(form)
    form["device"]["listener"]["head_sofa"] = name
    form["files"] = {name: change(form["files"]["me.sofa"])}
    with pytest.raises(ValueError, match=r"design\.files: " + ("" if words.startswith('"') else ".*") + words):
        preset_device({"design": form})


def test_held_file_that_unpacks_without_end_is_refused(form):
    form = copy.deepcopy(form)
    bomb = zlib.compress(bytes(64 << 20), 9)
    form["files"]["me.sofa"]["data"] = base64.b64encode(bomb).decode()
    with pytest.raises(ValueError, match="the preset is damaged"):
        preset_device({"design": form})


@pytest.mark.parametrize("files", [None, 3, [], {"me.sofa": 3}, {}])
def test_files_that_are_none_are_files_that_are_missing(form, files, tmp_path):
    form = form | {"files": files}
    with pytest.raises(ValueError, match=r"needs the measured file me\.sofa; looked in"):
        preset_device({"design": form}, folder=tmp_path)


def test_reading_a_preset_repeats_no_warnings_of_its_measurements(tmp_path):
    coarse = write_sofa(tmp_path / "coarse.sofa", directivity(
        SPEAKER.fields[0], grid_directions(15.0), azimuth_deg=90.0, frequency_hz=np.arange(200.0, 12_001.0, 200.0)
    ))  # fmt: skip
    with pytest.warns(MeasurementWarning):
        driver = load_directivity(coarse)
    pair = tuple(
        Driver(side, side, (0.0, 0.0, 0.0), azimuth_deg=aim, directivity=driver)
        for side, aim in (("left", 90.0), ("right", -90.0))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        preset_device({"design": device_form(Device("Pair", pair, Listener(2.0)))})
