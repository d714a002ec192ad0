"""The report: one file, complete, safe, and with the values that the presets hold."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from plotly.offline import get_plotlyjs

from forestage import load_preset
from forestage.metrics.summary import design_metrics
from forestage.metrics.zone import zone_maps
from forestage.report import report_html, write_report
from forestage.report.charts import charts
from forestage.report.figures import rows
from make_preset import fir_text, make_preset
from stub_design import shipped
from test_cli import run


@pytest.fixture(scope="module")
def presets():
    """Two factory presets with the maps and figures of today's code, as their files hold them."""
    found = []
    for name in ("smart-speaker", "laptop"):
        preset = json.loads(load_preset(name).to_json())
        design = shipped(name)
        preset["maps"] = zone_maps(design)
        preset["design"]["metrics"] = design_metrics(design)
        found.append(preset)
    return found


@pytest.fixture(scope="module")
def page(presets):
    return report_html(presets)


class Page(HTMLParser):
    """What a browser would fetch, what it would run, and what a reader sees."""

    def __init__(self, text):
        super().__init__()
        self.fetched, self.scripts, self.cells, self.titles = [], [], [], []
        self.inside = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.inside.append(tag)
        self.fetched += [value for key, value in attrs if key in ("src", "srcset") or (tag == "link" and key == "href")]
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_endtag(self, tag):
        if tag in self.inside:
            while self.inside.pop() != tag:
                pass

    def handle_data(self, data):
        if "script" in self.inside:
            self.scripts.append(data)
        elif self.inside and self.inside[-1] in ("td", "th"):
            self.cells[-1] += data.strip()
        elif self.inside and self.inside[-1] in ("h1", "h3"):
            self.titles.append(data)


def traces(found, title):
    (chart,) = [chart for chart in found if chart.title == title]
    return {trace.name: trace for trace in chart.figure.data}


def test_page_loads_nothing_and_holds_plotly_once(page):
    parsed = Page(page)
    assert parsed.fetched == []
    assert sum(script.strip() == get_plotlyjs().strip() for script in parsed.scripts) == 1
    assert "@import" not in page.replace(get_plotlyjs(), "")


def test_every_chart_has_a_place_and_a_call_of_its_own(page, presets):
    found = charts(presets)
    for index in range(len(found)):
        assert page.count(f'<div id="chart-{index}"') == 1
    assert len(re.findall(r"Plotly\.newPlot\(\s*\"chart-", page)) == len(found)


def test_curves_are_those_of_the_files(presets):
    found = traces(charts(presets), "Separation of the ears")
    for label, preset in zip("AB", presets, strict=True):
        curve = next(curve for curve in preset["analysis"] if curve["name"] == "separation_processed")
        np.testing.assert_array_equal(found[f"{label} · design"].y, curve["values"])
        np.testing.assert_array_equal(found[f"{label} · design"].x, curve["frequency_hz"])
    assert found["A · design"].line.dash != found["B · design"].line.dash


def test_every_curve_of_a_file_is_drawn(presets):
    drawn = [
        np.asarray(trace.y) for chart in charts(presets[:1]) for trace in chart.figure.data if trace.type == "scatter"
    ]
    for curve in presets[0]["analysis"]:
        assert any(np.array_equal(values, curve["values"]) for values in drawn), curve["name"]


def test_maps_are_those_of_the_files(presets):
    for label, preset in zip("AB", presets, strict=True):
        each = next(each for each in preset["maps"] if each["name"] == "separation_processed")
        (chart,) = [chart for chart in charts(presets) if chart.title == f"{label} · Separation, design"]
        contour = chart.figure.data[0]
        assert contour.z.shape == (len(each["distance_m"]), len(each["lateral_m"]))
        np.testing.assert_array_equal(np.ravel(contour.z), each["values"])


def test_filters_are_those_of_the_files(presets):
    preset = presets[1]
    found = traces(charts([preset]), "The same in time")
    taps = load_preset(preset).filters(48_000).cancel
    for name, row in zip(("left", "right"), taps, strict=True):
        np.testing.assert_allclose(found[name].y, row[0], rtol=1e-6)
    assert found["left"].x[np.argmax(np.abs(found["left"].y))] == pytest.approx(0.0, abs=0.05)


def test_differences_are_second_minus_first(presets, page):
    first, second = (preset["design"]["metrics"]["zone"]["sweet_spot_m"]["processed"] for preset in presets)
    (row,) = [row for row in rows(presets) if row.name == "sweet spot" and row.version == "design"]
    assert row.values == (first, second)
    assert row.difference == pytest.approx(second - first)
    cells = Page(page).cells
    at = cells.index("sweet spot", cells.index("sweet spot") + 1)
    assert cells[at + 1 : at + 4] == ["design", f"{first:.2f}", f"{second:.2f}"]
    assert cells[at + 4] == f"{second - first:+.2f}".replace("-", "−")


def test_figure_that_one_preset_lacks_is_a_dash_without_difference(presets):
    bare = {**presets[1], "design": {}}
    for row in rows([presets[0], bare]):
        assert row.values[1] is None
        assert row.difference is None
    assert "–" in Page(report_html([presets[0], bare])).cells


def test_one_preset_has_no_letters_and_no_differences(presets):
    parsed = Page(report_html(presets[:1]))
    assert parsed.titles[0] == presets[0]["name"]
    assert "B − A" not in parsed.cells
    assert not any(title.startswith("A · ") for title in parsed.titles)


@pytest.mark.parametrize("missing", [(), ("design",), ("design", "analysis", "maps", "text")])
def test_any_valid_preset_has_a_report(missing):
    preset = {key: value for key, value in make_preset().items() if key not in missing}
    titles = Page(report_html([preset])).titles
    assert "Filters of the left channel, per driver" in titles
    assert ("Separation of the ears" in titles) == ("analysis" in preset)


def test_curves_and_maps_with_unknown_names_are_drawn_under_their_names():
    preset = make_preset()
    preset["analysis"][0]["name"] = "warmth"
    preset["maps"][0]["name"] = "cosiness"
    found = charts([json.loads(load_preset(preset).to_json())])
    assert "warmth" in traces(found, "Other curves")
    assert "Cosiness".lower() in [chart.title.lower() for chart in found]


def test_texts_of_a_preset_cannot_become_markup():
    evil = "</script><script>alert(1)</script><b>"
    preset = make_preset()
    preset["name"] = preset["text"] = preset["analysis"][0]["name"] = evil
    preset["drivers"][0]["name"] = evil
    preset["filters"][1]["cancel"][0][0] = fir_text([0.0] * 5 + [1.0])
    preset["design"]["note"] = evil
    parsed = Page(report_html([preset]))
    assert not any(script.strip().startswith("alert") for script in parsed.scripts)
    assert parsed.titles[0] == evil


def test_same_presets_give_the_same_page(presets, page):
    assert report_html(presets) == page


def test_report_is_written_and_asks_before_it_replaces(tmp_path, presets):
    target = write_report(presets[:1], tmp_path / "report.html")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(FileExistsError, match="overwrite"):
        write_report(presets[:1], target)
    write_report(presets[:1], target, overwrite=True)


@pytest.mark.parametrize("count", [0, 3])
def test_wrong_number_of_presets_is_named(count):
    with pytest.raises(ValueError, match=f"presets: {count} of them; a report is on 1, or on 2"):
        report_html(["laptop"] * count)


def test_command_writes_one_preset_against_another(tmp_path):
    target = tmp_path / "report.html"
    result = run("report", "smart-speaker", "laptop", "-o", target)
    assert result.returncode == 0, result.stderr
    assert Page(target.read_text(encoding="utf-8")).titles[0] == "Smart Speaker against Laptop"
    again = run("report", "laptop", "-o", target)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
    unknown = run("report", "boombox", "-o", tmp_path / "other.html")
    assert unknown.returncode == 1
    assert "no preset 'boombox'" in unknown.stderr
