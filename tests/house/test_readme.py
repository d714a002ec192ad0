"""The README is true: `test_generated.py` compares its tables, `test_pages.py` runs its examples."""

import re

import pytest

from command_line import run
from forestage import Renderer, factory_presets
from places import ROOT

README = ROOT / "README.md"


@pytest.mark.parametrize("command", re.findall(r"^    forestage (.*)$", README.read_text(), re.MULTILINE))
def test_command_lines_name_what_there_is(command):
    words = command.split("#")[0].split()
    usage = run(words[0], "--help").stdout
    for option in (word for word in words if word.startswith("--")):
        assert option in usage


def test_stated_latency_is_the_reported_one():
    stated = int(re.search(r"(\d+) frames \([\d.]+ ms\) at 48 kHz", README.read_text())[1])
    slower = int(re.search(r"(\d+) \(\d+ ms\) in `High Quality`", README.read_text())[1])
    for name in factory_presets():
        renderer = Renderer(name)
        assert renderer.latency_frames == stated, name
        renderer.set(upmix_quality="High Quality")
        assert renderer.latency_frames == slower, name


def test_debian_packages_are_the_ones_that_run_installs():
    wanted = set(re.search(r'build_packages="([^"]*)"', (ROOT / "run").read_text())[1].split())
    named = set(" ".join(re.findall(r"`([^`]*)`", README.read_text())).split())
    assert wanted <= named


def test_contributing_names_files_that_exist():
    """But for what a build makes; a recipe shortens what it has just named."""
    named = set(re.findall(r"`([\w.*-]+/[\w./*-]*)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert len(named) > 20
    assert {name for name in named if not any(ROOT.glob(name))} <= {"cancel/__init__.py", "build/site"}
