"""Dependencies point down only, in C++ and in Python: nothing knows what is above it, and nothing goes in a circle."""

import ast
import re
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from places import ROOT

FORBIDDEN = {
    "cpp/core": [
        "pybind11",
        "nlohmann",
        "juce",
        "preset_io",
        "room/",
        "state.hpp",
        "iostream",
        "thread",
        "mutex",
        "Python.h",
    ],
    "cpp/room": ["pybind11", "nlohmann", "juce", "preset_io", "iostream", "thread", "mutex", "Python.h"],
    "cpp/preset_io": ["pybind11", "juce", "room/", "Python.h", "engine.hpp", "graph.hpp"],
    "cpp/bindings": ["juce"],
    "plugin": ["pybind11", "room/", "Python.h"],
}
# From the bottom up. A module may import what is in its own layer or below, for its types and inside functions as well.
LAYERS = {
    "ground": [
        "_core",
        "apart",
        "arrays",
        "blas",
        "constants",
        "short_repr",
        "choices",
        "files",
        "levels",
        "catalogue",
        "extras",
    ],
    "filters": ["firs"],
    "sound files": ["whole_file", "wav_file", "audio_file"],
    "playing": ["params", "headphone_eq", "presets", "notebook", "match", "render", "center", "chain", "render_file"],
    "hosts": ["vst3", "host", "export"],
    "acoustics": ["acoustics"],
    "metrics": ["metrics"],
    "pictures": ["plots"],
    "design": ["design"],
    "what commands share": ["command"],
    "what pages share": ["page"],
    "pages": ["report", "demo", "measure", "audition"],
    "many at once": ["batch", "sweep"],
    "commands": ["cli", "__main__"],
    "front door": [""],
}
PACKAGE = ROOT / "python" / "forestage"


def modules():
    """Path of every module of the package, by its name inside of it; the package itself has an empty one."""
    found = {}
    for path in [*sorted(PACKAGE.rglob("*.py")), PACKAGE / "_core.pyi"]:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(name, path, known):
    """Names of the modules that a module imports anywhere in its text."""
    folder = path.parent.relative_to(PACKAGE).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = ["forestage", *folder[: len(folder) + 1 - node.level]] if node.level else []
            start = above + (node.module.split(".") if node.module else [])
            names = [[*start, alias.name] for alias in node.names]
        for parts in names:
            if parts[0] == "forestage":
                inside = [".".join(parts[1:]), ".".join(parts[1:-1])]  # a module, or what one holds
                found.add(next(each for each in inside if each in known))
    return found - {name}


@cache
def arrows():
    """Which modules each module imports."""
    known = modules()
    return {name: imported(name, path, known) for name, path in known.items()}


def layer(name):
    """Position of a module's layer, from the bottom up."""
    home = name.split(".")[0]
    return next((index for index, homes in enumerate(LAYERS.values()) if home in homes), None)


def test_every_module_has_a_layer():
    assert not [name for name in modules() if layer(name) is None]


def test_no_import_points_up():
    wrong = [
        f"{name or 'forestage'} imports {other or 'forestage'}"
        for name, others in arrows().items()
        for other in sorted(others)
        if layer(other) > layer(name)
    ]
    assert not wrong


def check_no_circle(graph, verb):
    """Fail with the circle there is, each name followed by one that it needs."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"circle: {f' {verb} '.join(reversed(error.args[1]))}", pytrace=False)


def test_no_imports_go_in_a_circle():
    check_no_circle(arrows(), "imports")


def test_no_includes_go_in_a_circle():
    """A header and its source are one; not in the plugin, where JUCE asks the processor for its editor."""
    folders = [folder for folder in FORBIDDEN if folder != "plugin"]
    found = [(path.stem, Path(name)) for folder in folders for path, name in includes(folder)]
    own = {stem for stem, _ in found}
    graph = {}
    for stem, name in found:
        graph.setdefault(stem, set()).update({name.stem} & own - {stem} if name.suffix == ".hpp" else ())
    check_no_circle(graph, "includes")


def includes(folder):
    for path in sorted((ROOT / folder).rglob("*.[hc]pp")):
        for match in re.finditer(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', path.read_text(), re.MULTILINE):
            yield path.relative_to(ROOT), match[1]


# What instances share is found while they are built, never while they play
LOCKS_OFF_THE_AUDIO_THREAD = {"cpp/core/shared_by_content.hpp", "cpp/core/preset/preset_at_rate.cpp"}


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_no_include_points_up(folder):
    found = list(includes(folder))
    assert found, f"no sources in {folder}"
    wrong = [
        f"{path}: {name}"
        for path, name in found
        for word in FORBIDDEN[folder]
        if re.search(rf"(^|/){word}", name) and not (word == "mutex" and str(path) in LOCKS_OFF_THE_AUDIO_THREAD)
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
