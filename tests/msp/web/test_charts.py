"""Charts as SVG: well-formed, escaped, without styles, and with their values in words."""

from xml.etree.ElementTree import Element, fromstring

import pytest
from markupsafe import Markup

from msp.web.charts import (
    Bar,
    Part,
    Series,
    Stack,
    bars,
    heat_map,
    legend,
    line,
    meter,
    round_up,
    spread,
    stacked_bars,
)
from tests.msp.web.samples import HOSTILE

PARTS = [Part("Met", 6, "good"), Part("Missed", 2, "missed"), Part("None due", 0, "quiet")]


def tree(drawing: Markup) -> Element:
    root = fromstring(drawing)  # noqa: S314 - our own output
    assert not [each for each in root.iter() if "style" in each.attrib]
    return root


def of_class(root: Element, name: str) -> list[Element]:
    return [each for each in root.iter() if name in each.attrib.get("class", "").split()]


def test_bars_are_in_proportion_to_the_largest() -> None:
    root = tree(bars([Bar("Acme", 50, "50 min"), Bar("Globex", 200)], title="Minutes"))
    assert [each.attrib["width"] for each in of_class(root, "fill")] == ["25%", "100%"]
    assert [each.text for each in of_class(root, "value")] == ["50 min", "200"]
    assert (root.find("title"), root.attrib["role"], root.attrib["aria-label"]) == (root[0], "img", "Minutes")


def test_stacks_share_one_scale_and_skip_nothing_at_all() -> None:
    root = tree(stacked_bars([Stack("P1", PARTS), Stack("P2", [Part("Met", 16, "good")])], title="Promises"))
    assert [each.attrib["width"] for each in of_class(root, "fill")] == ["37.5%", "12.5%", "100%"]
    assert [each.attrib["x"] for each in of_class(root, "fill")] == ["0%", "37.5%", "0%"]


def test_a_share_fills_the_width() -> None:
    root = tree(stacked_bars([Stack("P1", PARTS)], title="Promises", share=True))
    assert [each.attrib["width"] for each in of_class(root, "fill")] == ["75%", "25%"]


def test_a_meter_is_one_line_high_and_a_legend_names_each_part_once() -> None:
    assert tree(meter(PARTS, title="6 met, 2 missed")).attrib["height"] == "8"
    assert legend([*PARTS, *PARTS]) == [("Met", "good"), ("Missed", "missed"), ("None due", "quiet")]


def test_a_line_breaks_where_there_is_no_value() -> None:
    root = tree(
        line(
            [Series("P1", [10, None, 20, 30]), Series("P2", [40, 30, 20, 29], "b")],
            labels=list("abcd"),
            title="Weeks",
        )
    )
    assert len(of_class(root, "stroke-a")) == 1
    assert len(of_class(root, "stroke-b")) == 3
    assert [each.text for each in of_class(root, "label")] == ["P1", "P2"]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_any_number_of_points_can_be_drawn(count: int) -> None:
    root = tree(
        line(
            [Series("P1", [0.0] * count)], labels=[str(each) for each in range(count)], title="x", unit="min"
        )
    )
    assert len([each for each in of_class(root, "axis") if each.attrib["y"] == "218"]) in (0, 1, 3)


def test_names_at_the_ends_of_lines_keep_their_distance() -> None:
    placed = spread([100, 102, None, 50])
    assert placed == [100, 115, None, 50]


@pytest.mark.parametrize(("value", "above"), [(0, 1), (1, 1), (31, 50), (51, 100), (0.3, 0.5), (2000, 2000)])
def test_the_ceiling_is_a_round_number(value: float, above: float) -> None:
    assert round_up(value) == pytest.approx(above)


def test_a_heat_map_has_five_steps_and_none() -> None:
    root = tree(
        heat_map(
            rows=["Mon"],
            columns=list("abcdefg"),
            values=[[None, 0, 1, 3, 5, 7, 10]],
            title="Load",
            unit="tickets",
        )
    )
    steps = [each.attrib["class"].split()[-1] for each in of_class(root, "heat-cell")]
    assert steps == ["heat-0", "heat-0", "heat-1", "heat-2", "heat-3", "heat-4", "heat-5"]
    assert [each.findtext("title") for each in of_class(root, "heat-cell")][-1] == "Mon g: 10 tickets"


def test_empty_charts_are_still_drawings() -> None:
    for drawing in (
        bars([], title="x"),
        stacked_bars([], title="x"),
        meter([], title="x"),
        heat_map(rows=[], columns=[], values=[], title="x"),
    ):
        assert tree(drawing).tag == "svg"


def test_names_cannot_break_out() -> None:
    drawings = [
        bars([Bar(HOSTILE, 1, HOSTILE)], title=HOSTILE, desc=HOSTILE),
        stacked_bars([Stack(HOSTILE, [Part(HOSTILE, 1, '"><x')])], title=HOSTILE),
        line([Series(HOSTILE, [1, 2])], labels=[HOSTILE, HOSTILE], title=HOSTILE, unit=HOSTILE),
        heat_map(rows=[HOSTILE], columns=[HOSTILE], values=[[1]], title=HOSTILE, unit=HOSTILE),
    ]
    for drawing in drawings:
        assert "<script" not in drawing
        assert tree(drawing).findtext("title") == HOSTILE
