"""Pictures: is everything there, named, and readable?"""

import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from designs import designed, figures_of
from forestage import plots
from kinds import first_fast
from stub_design import headphones, stub_design


@pytest.fixture(scope="module", params=first_fast(["headphones", "smart-speaker", "laptop"]))
def page(request):
    design = stub_design(headphones()) if request.param == "headphones" else designed(request.param)
    with pytest.MonkeyPatch.context() as patch:
        if request.param != "headphones":
            patch.setattr("forestage.plots.page.design_metrics", lambda _: figures_of(request.param))
        figure = plots.design_page(design)
    FigureCanvasAgg(figure).draw()
    return request.param, figure


def panels(figure):
    return [ax for ax in figure.axes if ax.get_title(loc="left")]


def test_page_has_a_panel_for_each_question(page):
    name, figure = page
    assert len(panels(figure)) == {"smart-speaker": 10, "laptop": 8, "headphones": 4}[name]
    titles = [ax.get_title(loc="left") for ax in panels(figure)]
    assert len(set(titles)) == len(titles)


@pytest.mark.slow
def test_every_axis_of_the_page_says_what_it_shows(page):
    for ax in panels(page[1]):
        assert "(" in ax.get_xlabel(), ax.get_title(loc="left")
        assert "(" in ax.get_ylabel() or ax.get_ylabel() == "tap", ax.get_title(loc="left")


@pytest.mark.slow
def test_panels_of_the_page_do_not_overlap_and_nothing_is_cut_off(page):
    figure = page[1]
    renderer = figure.canvas.get_renderer()
    boxes = [ax.get_tightbbox(renderer) for ax in figure.axes]
    paper = figure.bbox
    for box in boxes:
        assert paper.x0 - 1 <= box.x0 <= box.x1 <= paper.x1 + 1
        assert paper.y0 - 1 <= box.y0 <= box.y1 <= paper.y1 + 1
    for one, other in itertools.combinations(boxes, 2):
        shared = max(0.0, min(one.x1, other.x1) - max(one.x0, other.x0)) * max(
            0.0, min(one.y1, other.y1) - max(one.y0, other.y0)
        )
        assert shared < 25.0  # square pixels: edges may touch


@pytest.mark.slow
def test_texts_of_the_tables_stay_in_their_columns(page):
    figure = page[1]
    renderer = figure.canvas.get_renderer()
    for ax in figure.axes:
        for table in ax.tables:
            rows = {}
            for (row, column), cell in table.get_celld().items():
                rows.setdefault(row, {})[column] = cell.get_text().get_window_extent(renderer)
            for texts in rows.values():
                edges = [texts[column] for column in sorted(texts)]
                assert all(left.x1 < right.x0 for left, right in itertools.pairwise(edges))


def test_more_lines_than_colours_still_differ():
    frequency = np.geomspace(100.0, 10_000.0, 20)
    ax = plots.lines(frequency, {f"driver {i}": np.full(20, float(i)) for i in range(8)}, ylabel="gain (dB)")
    looks = {(line.get_color(), str(line._dash_pattern)) for line in ax.lines}
    assert len(looks) == 8


def test_zone_map_is_seen_from_above_with_the_device_beyond_the_upper_edge_and_left_on_the_left():
    values = np.outer([1.0, 2.0], [0.0, 5.0, 10.0])
    ax = plots.zone_map([-0.5, 0.0, 0.5], [1.0, 2.0], values, seat_m=(0.0, 1.5), vmax=15.0, level=6.0)
    assert ax.get_xlim()[0] > ax.get_xlim()[1]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    np.testing.assert_allclose(np.ravel(ax.collections[0].get_array()), np.ravel(values))
