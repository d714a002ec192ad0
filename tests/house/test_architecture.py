"""Dependencies point down only: plugin, bindings -> preset_io -> core; nothing below knows what is above."""

import re

import pytest

from places import ROOT

FORBIDDEN = {
    "cpp/core": ["pybind11", "nlohmann", "juce", "preset_io", "state.hpp", "iostream", "thread", "mutex", "Python.h"],
    "cpp/preset_io": ["pybind11", "juce", "Python.h", "engine.hpp", "graph.hpp"],
    "cpp/bindings": ["juce"],
    "plugin": ["pybind11", "Python.h"],
}


def includes(folder):
    for path in sorted((ROOT / folder).rglob("*.[hc]pp")):
        for match in re.finditer(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE):
            yield path.relative_to(ROOT), match[1]


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_include_points_up(folder):
    found = list(includes(folder))
    assert found, f"no sources in {folder}"
    wrong = [
        f"{path}: {name}" for path, name in found for word in FORBIDDEN[folder] if re.search(rf"(^|/){word}", name)
    ]
    assert not wrong


def test_library_code_does_not_print():
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "python/forestage").rglob("*.py")
        if re.search(r"^\s*print\(", path.read_text(), re.MULTILINE)
    ]
    assert not wrong


def test_no_fast_math_and_no_native_code_in_what_ships():
    for path in [ROOT / "CMakeLists.txt", ROOT / "cpp/CMakeLists.txt", ROOT / "plugin/CMakeLists.txt"]:
        assert not re.search(r"-ffast-math|-Ofast|-march=native", path.read_text()), path


def test_benches_take_nothing_from_tests():
    modules = {path.stem for path in (ROOT / "tests").rglob("*.py")}
    for path in (ROOT / "bench").rglob("*.py"):
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", path.read_text(), re.MULTILINE))
        assert not imported & modules, path
