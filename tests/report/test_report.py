"""The report: one file, complete, safe, and with the values that the presets hold."""

import contextlib
import copy
import json
import pickle
import random
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import escape
from plotly.offline import get_plotlyjs

from browser import CUT_ON_A_TELEPHONE, evaluate, needs_browser
from command_line import run
from designs import preset_of
from forestage import load_preset
from forestage.chain import Chain, Effect
from forestage.design.preset_device import preset_device
from forestage.plots.top_view import scene_of, top_view
from forestage.presets import has_designed_filters
from forestage.report import report_html, write_report
from forestage.report.alternatives import table_of, words_of
from forestage.report.carried import carried
from forestage.report.chained import THIRDS_HZ, through_chain
from forestage.report.charts import charts
from forestage.report.figures import conditions, rows
from forestage.report.verdict import caveats, shortfall_lines, verdict
from kinds import first_fast
from make_preset import fir_text, make_preset, taps_of
from trees import places_in


@pytest.fixture(scope="module")
def presets():
    """A factory preset as it was made, and one of today's code."""
    return [json.loads(load_preset(preset).to_json()) for preset in ("smart-speaker", preset_of("laptop"))]


@pytest.fixture(scope="module")
def drawn(presets):
    """Charts of both."""
    return charts(presets)


@pytest.fixture(scope="module")
def alone(presets):
    """Charts of the first."""
    return charts(presets[:1])


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


def test_every_chart_has_a_place_and_a_call_of_its_own(page, drawn):
    for index in range(len(drawn)):
        assert page.count(f'<div id="chart-{index}"') == 1
    assert len(re.findall(r"Plotly\.newPlot\(\s*\"chart-", page)) == len(drawn)


def test_curves_are_those_of_the_files(presets, drawn):
    found = traces(drawn, "Separation of the ears")
    for label, preset in zip("AB", presets, strict=True):
        curve = next(curve for curve in preset["analysis"] if curve["name"] == "separation_processed")
        np.testing.assert_array_equal(found[f"{label} · design"].y, curve["values"])
        np.testing.assert_array_equal(found[f"{label} · design"].x, curve["frequency_hz"])
    assert found["A · design"].line.dash != found["B · design"].line.dash


def test_every_curve_of_a_file_is_drawn(presets, alone):
    seen = [np.asarray(trace.y) for chart in alone for trace in chart.figure.data if trace.type == "scatter"]
    for curve in presets[0]["analysis"]:
        assert any(np.array_equal(values, curve["values"]) for values in seen), curve["name"]


def test_maps_are_those_of_the_files(presets, drawn):
    for label, preset in zip("AB", presets, strict=True):
        each = next(each for each in preset["maps"] if each["name"] == "separation_processed")
        (chart,) = [chart for chart in drawn if chart.title == f"{label} · Separation, design"]
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


def test_report_opens_with_its_verdicts_and_shortfalls(presets, page):
    first_chart = page.index('id="chart-0"')
    for preset in presets:
        judgements = verdict(preset)
        assert len(judgements) == 6
        for judgement in judgements:
            assert page.index(f'<li class="{judgement.grade}">{escape(judgement)}</li>') < first_chart
        for line in shortfall_lines(preset):
            assert page.index(f"<li>{line}</li>") < first_chart


def test_report_shows_the_device_from_above(presets, page):
    for preset in presets:
        assert f"<title>{preset['name']} from above</title>" in page
    assert "from above" not in report_html([{**presets[0], "design": {}}])


def test_every_chart_is_said_in_words_and_numbers(drawn, page):
    for chart in drawn:
        assert chart.title in words_of(chart)
        assert re.search(r"from −?[\d.]+k? to −?[\d.]+k?", words_of(chart))
        assert len(table_of(chart).rows) >= 4
    assert page.count('role="img" tabindex="0" aria-label=') == page.count("<summary>As a table") == len(drawn)


def test_table_of_a_chart_has_the_values_of_its_curves(presets, alone):
    (chart,) = [chart for chart in alone if chart.title == "Separation of the ears"]
    table = table_of(chart)
    curve = next(curve for curve in presets[0]["analysis"] if curve["name"] == "separation_processed")
    row = dict(table.rows)["1k"]
    assert row[table.columns.index("design")] == pytest.approx(
        np.interp(1000.0, curve["frequency_hz"], curve["values"])
    )


def test_table_of_a_map_has_the_values_of_the_map(presets, alone):
    each = next(each for each in presets[0]["maps"] if each["name"] == "separation_processed")
    (chart,) = [chart for chart in alone if chart.title == "Separation, design"]
    values = np.reshape(each["values"], (len(each["distance_m"]), -1))
    assert table_of(chart).rows[0][1][0] == values[0, 0]
    assert table_of(chart).rows[-1][1][-1] == values[-1, -1]


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("count", [1, 2])
def test_nothing_is_cut_on_a_telephone(presets, tmp_path, count):
    target = write_report(presets[:count], tmp_path / "report.html")
    assert evaluate(target, CUT_ON_A_TELEPHONE, folder=tmp_path, size=(390, 900)) == [0, 390, []]


@pytest.mark.slow
@needs_browser
def test_keys_do_what_the_mouse_does_on_a_chart(presets, tmp_path):
    target = write_report(presets[:1], tmp_path / "report.html")
    script = """
    const chart = document.querySelector(".chart"), plot = chart.querySelector(".js-plotly-plot");
    const press = async key => {
      chart.focus();
      document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
      await new Promise(done => setTimeout(done, 100));
      return [...plot._fullLayout.xaxis.range, plot.data[0].visible ?? true];
    };
    const seen = [];
    for (const key of ["0", "+", "ArrowRight", "1", "1", "0"]) seen.push(await press(key));
    return seen;"""
    start, nearer, moved, hidden, shown, back = evaluate(target, script, folder=tmp_path)
    low, high, _ = start
    assert nearer[1] - nearer[0] == pytest.approx((high - low) / 1.5)
    assert moved[0] - nearer[0] == pytest.approx((high - low) / 7.5)
    assert [row[2] for row in (start, hidden, shown)] == [True, "legendonly", True]
    assert back[:2] == pytest.approx(start[:2])


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
    lean = [each | {"analysis": [], "maps": []} for each in (presets[0], bare)]
    assert "–" in Page(report_html(lean)).cells


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


@pytest.mark.slow
def test_same_presets_give_the_same_page(presets, page):
    assert report_html(presets) == page


def test_report_is_written_and_asks_before_it_replaces(tmp_path):
    presets = [make_preset()]
    target = write_report(presets, tmp_path / "report.html")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    with pytest.raises(FileExistsError, match="overwrite"):
        write_report(presets, target)
    write_report(presets, target, overwrite=True)


@pytest.mark.parametrize("count", [0, 3])
def test_wrong_number_of_presets_is_named(count):
    with pytest.raises(ValueError, match=f"presets: {count} of them; a report is on 1, or on 2"):
        report_html(["laptop"] * count)


@pytest.mark.slow
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


# -- what people and other versions write into a design ---------------------------------------------------------------

ODD = [None, True, "x", 0, -1.5, 1e300, 10**30, [], [1], [[1]], [1, "x"], {}, {"x": 1}, {"plain": [1, 2]}, [0.5] * 7]


def edited(rng: random.Random, preset: dict, places: list[tuple]) -> dict:
    design = pickle.loads(pickle.dumps(preset["design"]))  # a deep copy in a tenth of the time
    for _ in range(rng.choice((1, 1, 2, 4))):
        path = rng.choice(places)
        owner = design
        with contextlib.suppress(LookupError, TypeError):  # where an edit before took the place away
            for key in path[:-1]:
                owner = owner[key]
            if rng.random() < 0.3:
                del owner[path[-1]]
            else:
                owner[path[-1]] = copy.deepcopy(rng.choice(ODD))
    return preset | {"design": design}


def look_at(preset: dict, second: dict) -> None:
    """All that reads designs, without the drawing."""
    first = carried(preset)
    for row in rows([first, second]):
        assert row.group
        assert row.difference is None or row.is_per_octave == isinstance(row.difference, list)
    judgements = verdict(first)
    assert len(judgements) <= 6
    assert "\n" not in " ".join([*map(str, judgements), *conditions(first).values(), *shortfall_lines(first)])
    scene = scene_of(first)
    assert scene is None or top_view(scene)
    with contextlib.suppress(ValueError):
        preset_device(first)


@pytest.mark.filterwarnings("ignore:.* is left out of the report:UserWarning")
@pytest.mark.parametrize("edits", first_fast([500, 4000]))
def test_designs_with_any_values_are_reported_on(presets, edits):
    rng = random.Random(5)
    small = [preset | {"filters": [], "maps": [], "analysis": preset["analysis"][:3]} for preset in presets]
    places, other = places_in(small[1]["design"]), carried(small[0])
    for _ in range(edits):
        look_at(edited(rng, small[1], places), other)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.* is left out of the report:UserWarning")
@pytest.mark.filterwarnings("ignore:.* no chart of the centre:UserWarning")
def test_edited_designs_make_a_page(presets):
    rng = random.Random(6)
    for _ in range(4):
        assert "Verdict" in report_html([edited(rng, preset, places_in(preset["design"])) for preset in presets])


def test_figure_of_another_shape_is_left_out_by_name(presets):
    preset = copy.deepcopy(presets[1])
    preset["design"]["metrics"]["width"]["azimuth_by_time_deg"]["processed"] = "wide"
    with pytest.warns(
        UserWarning, match=r"^Laptop: design\.metrics\.width\.azimuth_by_time_deg\.processed is left out"
    ):
        kept = carried(preset)
    assert "processed" not in kept["design"]["metrics"]["width"]["azimuth_by_time_deg"]
    assert kept["design"]["metrics"]["effort"] == preset["design"]["metrics"]["effort"]


@pytest.mark.parametrize("name", ["laptop", "smart-speaker", "five-driver-speaker", "headphones"])
def test_shipped_designs_are_whole_and_their_filters_their_own(name):
    preset = json.loads(load_preset(name).to_json())
    assert carried(preset)["design"] == preset["design"]
    assert has_designed_filters(preset)


def test_filters_that_were_changed_since_the_design_are_said(presets, tmp_path):
    preset = copy.deepcopy(presets[1])
    cancel = preset["filters"][0]["cancel"]
    cancel[0][0] = fir_text(0.5 * taps_of(cancel[0][0]))
    assert caveats(preset, verdict(preset)) == ["Its filters were changed since: figures are those of its design."]
    assert caveats(presets[1], verdict(presets[1])) == []
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(preset))
    told = run("validate", path).stdout.splitlines()[0]
    assert told == f"{path}: OK, Laptop, 2 drivers, filters changed since the design"


def test_a_chain_is_shown_by_what_it_does_at_the_ears(tmp_path):
    """A gain of -6 dB before and a peak of 6 dB at 1 kHz after, which thirds of octaves see as they are."""
    chain = Chain(
        before=[Effect("Gain", parameters={"gain_db": -6.0})],
        after=[Effect("PeakFilter", parameters={"cutoff_frequency_hz": 1000.0, "gain_db": 6.0, "q": 0.5})],
    )
    (found,) = through_chain(["laptop"], chain)
    at_1k = int(np.argmin(np.abs(THIRDS_HZ - 1000)))
    assert found.gain_db["before Forestage"][at_1k] == pytest.approx(-6.0, abs=0.1)
    assert found.gain_db["after Forestage"][at_1k] == pytest.approx(6.0, abs=0.2)
    assert found.gain_db["whole chain"] == pytest.approx(
        found.gain_db["before Forestage"] + found.gain_db["after Forestage"]
    )
    without, chained = found.levels[:2]
    assert -6.0 < chained - without < 0.0
    file = tmp_path / "chain.toml"
    file.write_text('[[before]]\neffect = "Gain"\nparameters = { gain_db = -6 }\n')
    result = run("report", "laptop", "-o", tmp_path / "report.html", "--chain", file)
    assert result.returncode == 0, result.stderr
    text = (tmp_path / "report.html").read_text()
    assert "Gain → Forestage" in text
    assert "What the chain changes" in text
