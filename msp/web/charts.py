"""Charts drawn on the server as SVG. Pure functions: data in, markup out; colours and fonts are classes in portal.css.

A chart carries its values as direct labels, so that it reads in print, without colour and without a mouse. The
figures themselves stand in a table behind it (`ui.chart_frame`). Tones of data: "a" to "f" for categories that keep
their colour everywhere, or "good", "risk", "missed" and "quiet" for verdicts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor, log10
from xml.etree.ElementTree import Element

from markupsafe import Markup

from msp.web import svg
from msp.web.formats import number

ROW, BAR, LABEL_BASE = 40, 14, 14
PLOT_HEIGHT, PLOT_TOP, PLOT_FOOT = 180, 20, 24
PLOT_LEFT, PLOT_RIGHT = 9.0, 74.0
CELL = 24


@dataclass(frozen=True)
class Bar:
    """One value with its name; `words` replaces the plain number ("3 h 20 min")."""

    label: str
    value: float
    words: str = ""
    tone: str = "a"


@dataclass(frozen=True)
class Part:
    """One layer of a stacked bar."""

    name: str
    value: float
    tone: str = "a"


@dataclass(frozen=True)
class Stack:
    """A bar of several parts; its name stands above it."""

    label: str
    parts: Sequence[Part]
    words: str = ""


@dataclass(frozen=True)
class Series:
    """A line: one value per label of the chart, None where there is none."""

    name: str
    values: Sequence[float | None]
    tone: str = "a"


def bars(rows: Sequence[Bar], *, title: str, desc: str = "", maximum: float | None = None) -> Markup:
    """Horizontal bars, one below the other, from zero, each with its name and value above it."""
    root = svg.drawing("bars", max(ROW * len(rows), 1), title=title, desc=desc)
    whole = maximum or max((row.value for row in rows), default=0)
    for place, row in enumerate(rows):
        top = place * ROW
        _row_words(root, top, row.label, row.words or _number(row.value))
        _track(root, top)
        svg.add(root, "rect", class_=f"fill fill-{row.tone}", x=0, y=top + LABEL_BASE + 6, height=BAR, rx=2,
                width=svg.across(row.value, whole))  # fmt: skip
    return svg.markup(root)


def stacked_bars(rows: Sequence[Stack], *, title: str, desc: str = "", share: bool = False) -> Markup:
    """Horizontal bars of parts. With `share` each bar is as wide as the drawing and shows the mix, not the size."""
    root = svg.drawing("bars", max(ROW * len(rows), 1), title=title, desc=desc)
    largest = max((_sum(row) for row in rows), default=0.0)
    for place, row in enumerate(rows):
        top = place * ROW
        _row_words(root, top, row.label, row.words or _number(_sum(row)))
        _track(root, top)
        _layers(root, row.parts, top + LABEL_BASE + 6, BAR, _sum(row) if share else largest)
    return svg.markup(root)


def meter(parts: Sequence[Part], *, title: str) -> Markup:
    """One thin bar of parts, for a cell of a table; the words stand beside it on the page."""
    root = svg.drawing("meter", 8, title=title)
    svg.add(root, "rect", class_="track", x=0, y=0, width="100%", height=8, rx=2)
    _layers(root, parts, 0, 8, sum(part.value for part in parts))
    return svg.markup(root)


def legend(parts: Sequence[Part]) -> list[tuple[str, str]]:
    """The names and tones of a chart's parts, each once, in the order of their first appearance."""
    return list(dict.fromkeys((part.name, part.tone) for part in parts))


def line(
    series: Sequence[Series],
    *,
    labels: Sequence[str],
    title: str,
    desc: str = "",
    unit: str = "",
    ceiling: float | None = None,
) -> Markup:
    """Lines from left to right over `labels`, from zero to a round ceiling, each named at its last point."""
    root = svg.drawing("lines", PLOT_TOP + PLOT_HEIGHT + PLOT_FOOT, title=title, desc=desc)
    top = ceiling or round_up(
        max((value for each in series for value in each.values if value is not None), default=0)
    )
    _grid(root, top, unit)
    _foot(root, labels)
    ends = spread([_height_of(_last(each), top) for each in series])
    for each, word_at in zip(series, ends, strict=True):
        _draw_series(root, each, labels, top, word_at)
    return svg.markup(root)


def heat_map(
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    title: str,
    desc: str = "",
    unit: str = "",
    words: Sequence[Sequence[str]] = (),
    framed: Sequence[Sequence[bool]] = (),
) -> Markup:
    """A grid whose cells darken with their value in five steps; every cell says its value when pointed at or read.

    `words` stand in the cells instead of the largest value; cells that are `framed` stand out.
    """
    root = svg.drawing("heat", PLOT_FOOT + CELL * len(rows), title=title, desc=desc)
    largest = max((value for row in values for value in row if value is not None), default=0)
    for place, name in enumerate(rows):
        svg.add(root, "text", name, class_="axis", x=0, y=PLOT_FOOT + CELL * place + 16)
        for column, value in enumerate(values[place]):
            word = words[place][column] if words else None
            _cell(root, place, column, len(columns), value, largest, f"{name} {columns[column]}", unit, word)
    for place, row in enumerate(framed):
        for column in (column for column, is_framed in enumerate(row) if is_framed):
            _frame(root, place, column, len(columns))
    _column_names(root, columns)
    return svg.markup(root)


# -- bars -------------------------------------------------------------------------------------------------


def _row_words(root: Element, top: int, label: str, words: str) -> None:
    svg.add(root, "text", label, class_="label", x=0, y=top + LABEL_BASE)
    svg.add(root, "text", words, class_="value", x="100%", y=top + LABEL_BASE, text_anchor="end")


def _track(root: Element, top: int) -> None:
    svg.add(root, "rect", class_="track", x=0, y=top + LABEL_BASE + 6, width="100%", height=BAR, rx=2)


def _layers(root: Element, parts: Sequence[Part], top: int, height: int, whole: float) -> None:
    start = 0.0
    for part in parts:
        if part.value <= 0:
            continue
        layer = svg.add(root, "rect", class_=f"fill fill-{part.tone}", x=svg.across(start, whole), y=top,
                        width=svg.across(part.value, whole), height=height)  # fmt: skip
        svg.add(layer, "title", f"{part.name}: {_number(part.value)}")
        start += part.value


def _sum(row: Stack) -> float:
    return sum(part.value for part in row.parts)


def _number(value: float) -> str:
    return number(value, 0 if value == int(value) else 1)


# -- lines ------------------------------------------------------------------------------------------------


def round_up(value: float) -> float:
    """The next round number: 1, 2, 5 or 10 times a power of ten; one for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** floor(log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def spread(heights: Sequence[float | None], apart: float = 15) -> list[float | None]:
    """Places for the names at the lines' ends: as near to them as may be, and `apart` pixels from each other."""
    order = sorted((height, place) for place, height in enumerate(heights) if height is not None)
    placed: list[float | None] = [None] * len(heights)
    lowest = float("-inf")
    for height, place in order:
        lowest = max(height, lowest + apart)
        placed[place] = lowest
    return placed


def _last(series: Series) -> float | None:
    return next((value for value in reversed(series.values) if value is not None), None)


def _height_of(value: float | None, top: float) -> float | None:
    return None if value is None else PLOT_TOP + PLOT_HEIGHT * (1 - min(value / top, 1))


def _left_of(place: int, count: int) -> str:
    share = place / (count - 1) if count > 1 else 0.0
    return f"{svg.plain(PLOT_LEFT + (PLOT_RIGHT - PLOT_LEFT) * share)}%"


def _grid(root: Element, top: float, unit: str) -> None:
    for share in (0.0, 0.5, 1.0):
        y = PLOT_TOP + PLOT_HEIGHT * (1 - share)
        svg.add(root, "line", class_="grid", x1=f"{PLOT_LEFT}%", x2=f"{PLOT_RIGHT}%", y1=y, y2=y)
        words = f"{_number(top * share)} {unit}" if unit and share == 1 else _number(top * share)
        anchor = "start" if unit and share == 1 else "end"
        x, rise = ("0%", -6) if anchor == "start" else (f"{PLOT_LEFT - 1}%", 4)
        svg.add(root, "text", words, class_="axis", x=x, y=y + rise, text_anchor=anchor)


def _foot(root: Element, labels: Sequence[str]) -> None:
    """Names below the axis: all of up to seven, else the first, the middle and the last."""
    count = len(labels)
    shown = range(count) if count <= 7 else sorted({0, count // 2, count - 1})
    for place in shown:
        svg.add(root, "text", labels[place], class_="axis", x=_left_of(place, count), text_anchor="middle",
                y=PLOT_TOP + PLOT_HEIGHT + PLOT_FOOT - 6)  # fmt: skip


def _draw_series(
    root: Element, series: Series, labels: Sequence[str], top: float, word_at: float | None
) -> None:
    # Segments and not a polyline, because only single lines may be placed in percents.
    count = len(labels)
    points = [(_left_of(place, count), _height_of(value, top)) for place, value in enumerate(series.values)]
    for (x1, y1), (x2, y2) in pairwise(points):
        if y1 is not None and y2 is not None:
            svg.add(root, "line", class_=f"stroke stroke-{series.tone}", x1=x1, x2=x2, y1=y1, y2=y2)
    for (x, y), label, value in zip(points, labels, series.values, strict=True):
        if y is not None and value is not None:
            point = svg.add(root, "circle", class_=f"fill fill-{series.tone}", cx=x, cy=y, r=3)
            svg.add(point, "title", f"{series.name}, {label}: {_number(value)}")
    if word_at is not None:
        svg.add(
            root, "text", series.name, class_=f"label ink-{series.tone}", x=points[-1][0], dx=8, y=word_at + 4
        )


# -- heat map ---------------------------------------------------------------------------------------------

HEAT_LEFT = 16.0


def _heat_x(column: int, count: int) -> float:
    return HEAT_LEFT + (100 - HEAT_LEFT) * column / count


def _cell(
    root: Element,
    row: int,
    column: int,
    count: int,
    value: float | None,
    largest: float,
    name: str,
    unit: str,
    word: str | None = None,
) -> None:
    step = 0 if not value or not largest else min(5, 1 + int(4.999 * value / largest))
    cell = svg.add(root, "rect", class_=f"heat-cell heat-{step}", x=f"{svg.plain(_heat_x(column, count))}%",
                   width=f"{svg.plain((100 - HEAT_LEFT) / count)}%", y=PLOT_FOOT + CELL * row, height=CELL)  # fmt: skip
    words = "–" if value is None else f"{_number(value)} {unit}".strip()
    svg.add(cell, "title", f"{name}: {words}")
    x = f"{svg.plain(_heat_x(column, count) + (100 - HEAT_LEFT) / count / 2)}%"
    place: dict[str, svg.Value] = {"x": x, "y": PLOT_FOOT + CELL * row + 16, "text_anchor": "middle"}
    if word is not None:
        svg.add(root, "text", word, class_=f"heat-note heat-note-{step}", **place)
    elif value == largest and value:
        svg.add(root, "text", _number(value), class_="heat-word", **place)


def _frame(root: Element, row: int, column: int, count: int) -> None:
    svg.add(root, "rect", class_="heat-frame", x=f"{svg.plain(_heat_x(column, count))}%",
            width=f"{svg.plain((100 - HEAT_LEFT) / count)}%", y=PLOT_FOOT + CELL * row, height=CELL)  # fmt: skip


def _column_names(root: Element, columns: Sequence[str]) -> None:
    every = max(1, -(-len(columns) // 6))
    for column in range(0, len(columns), every):
        x = _heat_x(column, len(columns))
        svg.add(root, "text", columns[column], class_="axis", x=f"{svg.plain(x)}%", y=14)
