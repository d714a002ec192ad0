"""The README is true: its tables are those in code; `test_pages.py` runs its examples.

``python tests/house/test_readme.py --write`` writes the tables and the picture anew.
"""

import json
import os
import re
import subprocess
import sys

import pytest

from forestage import PARAMS, Renderer, factory_presets
from forestage.params import text_value
from forestage.plots import scene_of, top_view
from places import ROOT

README = ROOT / "README.md"
PICTURE = ROOT / "docs/images/smart-speaker-from-above.svg"
FIGURES = re.compile(r"(<!-- figures: .*?-->\n)(.*?)(<!-- end of figures -->)", re.DOTALL)
TABLE = re.compile(r"(<!-- parameters:.*? -->\n)(.*?)(<!-- end of parameters -->)", re.DOTALL)


def parameter_table():
    lines = ["| id | values | default | what it does |", "|---|---|---|---|"]
    for row in PARAMS:
        if row.choices:
            values = ", ".join(row.choices)
        elif row.kind == "toggle":
            values = "Off, On"
        else:
            values = f"{row.min_value:g} to {row.max_value:g} {row.unit}".rstrip()
        lines.append(f"| `{row.id}` | {values} | {text_value(row.id, row.default_value)} | {row.text} |")
    return "\n".join(lines) + "\n"


def test_parameter_table_is_the_one_in_code():
    assert TABLE.search(README.read_text())[2] == parameter_table()


def degrees(angles):
    return ", ".join(f"{round(angle)}°" for angle in angles)


def figures_table():
    lines = [
        "| preset | left, centre and right are heard at, by time (unaided) | left and right by level "
        "| separation of the ears, 0.2-6.4 kHz | sweet spot of 6 dB | most drive: cancellation, with the pair |",
        "|---|---|---|---|---|---|",
    ]
    for name, path in factory_presets().items():
        figures = json.loads(path.read_text())["design"]["metrics"]
        heard = [figures["width"][f"{sound}azimuth_by_time_deg"] for sound in ("", "center_", "right_")]
        time = degrees(azimuth["processed"] for azimuth in heard)
        plain = f" ({degrees(azimuth['plain'] for azimuth in heard)})" if "zone" in figures else ""
        separation, spot = "–", "–"
        if "zone" in figures:
            versions = figures["width"]["separation_db"]
            mean = {version: sum(values) / len(values) for version, values in versions.items()}
            separation = f"{mean['processed']:.1f} dB ({mean['plain']:.1f} dB)"
            spot = f"{100 * figures['zone']['sweet_spot_m']['processed']:.0f} cm"
        level = degrees(figures["width"][f"{side}azimuth_by_level_deg"]["processed"] for side in ("", "right_"))
        drive = ", ".join(f"{value:.1f} dB" for value in figures["effort"]["most_drive_db"].values())
        lines.append(f"| `{name}` | {time}{plain} | {level} | {separation} | {spot} | {drive} |")
    return "\n".join(lines) + "\n"


def test_figures_are_those_of_the_presets():
    assert FIGURES.search(README.read_text())[2] == figures_table()


def seen():
    return scene_of(json.loads(factory_presets()["smart-speaker"].read_text()))


def test_picture_is_that_of_the_preset_and_has_its_words():
    assert PICTURE.read_text(encoding="utf-8") == top_view(seen())
    assert f"![Seen from above: {seen().text}](docs/images/{PICTURE.name})" in README.read_text()


def test_named_files_exist():
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("command", re.findall(r"^    forestage (.*)$", README.read_text(), re.MULTILINE))
def test_command_lines_name_what_there_is(command):
    words = command.split("#")[0].split()
    usage = subprocess.run(
        [sys.executable, "-m", "forestage", words[0], "--help"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    ).stdout
    for option in (word for word in words if word.startswith("--")):
        assert option in usage


def test_stated_latency_is_the_reported_one():
    stated = int(re.search(r"(\d+) frames \([\d.]+ ms\) at 48 kHz", README.read_text())[1])
    assert {Renderer(name).latency_frames for name in factory_presets()} == {stated}
    slower = int(re.search(r"(\d+) \(\d+ ms\) in `High Quality`", README.read_text())[1])
    assert {Renderer(name, upmix_quality="High Quality").latency_frames for name in factory_presets()} == {slower}


def test_debian_packages_are_the_ones_that_run_installs():
    wanted = set(re.search(r'build_packages="([^"]*)"', (ROOT / "run").read_text())[1].split())
    named = set(" ".join(re.findall(r"`([^`]*)`", README.read_text())).split())
    assert wanted <= named


if __name__ == "__main__" and "--write" in sys.argv:
    TEXT = TABLE.sub(lambda match: match[1] + parameter_table() + match[3], README.read_text())
    README.write_text(FIGURES.sub(lambda match: match[1] + figures_table() + match[3], TEXT))
    PICTURE.write_text(top_view(seen()), encoding="utf-8")
