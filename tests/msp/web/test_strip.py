"""The strip of a clock: to scale, complete, readable without colour."""

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace as Thing
from xml.etree.ElementTree import fromstring

import pytest

from msp.web.strip import Span, coarsened, draw, spans, totals
from tests.msp.web.samples import HOSTILE, NOW, small_app, strip

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def reading() -> Iterator[None]:
    with small_app().app_context():
        yield


def rectangles(drawing: str) -> list[dict[str, str]]:
    root = fromstring(drawing)  # noqa: S314 - our own output
    return [each.attrib for each in root.iter() if each.attrib.get("class", "").startswith("span ")]


def test_totals_add_up_to_the_whole() -> None:
    parts = spans(strip())
    whole = (parts[-1].end - parts[0].start).total_seconds()
    assert sum(total.seconds for total in totals(parts)) == whole
    assert [total.kind for total in totals(parts)] == ["counted", "paused", "outside_hours", "holiday"]


def test_rectangles_are_to_scale_without_gaps() -> None:
    parts = [Span(NOW, NOW + HOUR, "counted"), Span(NOW + HOUR, NOW + 4 * HOUR, "paused", "vendor", "Leo")]
    drawn = rectangles(draw(parts, zone="Asia/Jakarta"))
    assert [(each["x"], each["width"]) for each in drawn] == [("0%", "25%"), ("25%", "75%")]
    assert drawn[1]["fill"].startswith("url(#p")
    assert "fill" not in drawn[0]


def test_a_due_time_ahead_makes_room_for_itself() -> None:
    parts = [Span(NOW, NOW + HOUR, "counted")]
    drawing = draw(parts, due_at=NOW + 2 * HOUR, now=NOW + HOUR, zone="Asia/Jakarta")
    assert rectangles(drawing)[0]["width"] == "50%"
    assert "due 15:30 WIB" in drawing
    assert "strip-due" in drawing
    assert "strip-now" in drawing


def test_the_words_say_what_the_colours_say() -> None:
    assert "Counted 13 h 30 min, Paused 3 h 30 min, Outside hours 1 d 4 h, Holiday 6 h" in draw(
        spans(strip())
    )


def test_a_strip_of_thousands_is_drawn_in_slices_and_keeps_its_ends() -> None:
    kinds = ["counted", "outside_hours"]
    many = [Span(NOW + each * HOUR, NOW + (each + 1) * HOUR, kinds[each % 2]) for each in range(5000)]
    few = coarsened(many)
    assert len(few) == 240
    assert (few[0].start, few[-1].end) == (many[0].start, many[-1].end)
    assert len(rectangles(draw(many))) == 240


def test_intervals_may_be_objects_or_dicts_and_empty_ones_are_dropped() -> None:
    thing = Thing(from_at=NOW, to_at=NOW + HOUR, kind="counted", reason=None, by=None)
    assert spans([thing, {"start": NOW, "end": NOW, "kind": "paused"}]) == [Span(NOW, NOW + HOUR, "counted")]
    with pytest.raises(TypeError):
        spans([{"kind": "counted"}])


def test_nothing_is_drawn_of_nothing() -> None:
    assert draw([]) == ""


def test_a_kind_and_a_title_cannot_break_out() -> None:
    drawing = draw([Span(NOW, NOW + HOUR, HOSTILE)], title=HOSTILE)
    assert "<script" not in drawing
