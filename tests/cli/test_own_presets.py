"""Presets of one's own: one folder for the plugin, the command line and scripts."""

import os

import pytest

from command_line import run
from forestage import load_preset
from forestage.catalogue import user_preset_folder, user_presets
from make_preset import small


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "forestage" / "presets"
    folder.mkdir(parents=True)
    return folder


def put(folder, name, preset_name):
    path = folder / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(load_preset(small(preset_name, 1.0)).to_json())
    return path


def test_presets_are_found_by_name_in_folders_too(folder):
    mine, front = put(folder, "mine", "Mine"), put(folder, "car/front", "Front")
    (folder / "notes.txt").write_text("no preset")
    (folder / "car" / "again").symlink_to(folder)  # a circle
    assert user_presets() == {"car/front": front, "mine": mine}
    assert user_preset_folder() == folder
    assert (load_preset("mine").name, load_preset("car/front").name) == ("Mine", "Front")


def test_factory_presets_go_first(folder):
    path = put(folder, "laptop", "Not the factory's")
    assert load_preset("laptop").name == "Laptop"
    assert f"{path}  Not the factory's" in run("presets").stdout


def test_they_are_listed_after_the_factory_presets_and_broken_ones_say_why(folder):
    put(folder, "mine", "Mine")
    (folder / "broken.json").write_text("{}")
    lines = run("presets").stdout.splitlines()
    assert lines[-2].startswith("broken")
    assert "cannot be read" in lines[-2]
    assert lines[-1].startswith("mine")
    assert "Mine: " in lines[-1]


def test_no_folder_and_no_home_are_no_presets(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nothing"))
    assert user_presets() == {}
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    monkeypatch.delenv("HOME")
    assert user_presets() == {}
    with pytest.raises(FileNotFoundError, match="HOME is not set"):
        user_preset_folder()


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_cannot_be_read_is_left_out(folder):
    put(folder, "mine", "Mine")
    (folder / "closed").mkdir(mode=0)
    assert list(user_presets()) == ["mine"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "-o FILE, or --install NAME"),
        (["-o", "a.json", "--install", "a"], "one of the two would be right"),
        (["--install", "../../a"], "--install '../../a': not a name"),
        (["--install", ""], "not a name"),
    ],
)
def test_a_design_needs_one_place_to_go(folder, options, message):
    result = run("design", "laptop", *options)
    assert result.returncode == 2
    assert message in result.stderr


@pytest.mark.slow
def test_an_installed_design_is_there_by_its_name(folder):
    assert run("design", "laptop", "--install", "car/my-laptop").returncode == 0
    assert load_preset("car/my-laptop").device == "laptop"
    assert run("design", "laptop", "--install", "car/my-laptop").returncode != 0  # not without --overwrite
