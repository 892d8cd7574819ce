"""One week of a calendar as a picture drawn on the server, and the same as a table."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from xml.etree.ElementTree import Element

from babel.dates import format_date
from flask_babel import gettext as _
from markupsafe import Markup

from contracts.clock.calendar import WEEKDAYS, Calendar, Hours
from contracts.clock.wall import Kind
from contracts.terms.difference import span_words
from contracts.terms.document import calendar_of, read_promise
from contracts.terms.promise import Promise
from msp.promises.changes import holiday_country
from msp.promises.holidays import names_of_days
from msp.promises.words import WEEKDAY_WORDS, joined
from msp.web import svg
from msp.web.formats import reader_locale, short_day
from msp.web.strip import hatching

LEFT, ROW, BAR, FOOT = 18.0, 28, 14, 18
SECONDS, MINUTES = 86_400, 1_440
Span = tuple[int, int]
"""Minutes after a date's midnight, half-open."""


@dataclass(frozen=True)
class Day:
    """A date of the week: what is open and what is a window for maintenance, and why it differs from others."""

    on: date
    open: tuple[Span, ...]
    windows: tuple[Span, ...]
    is_holiday: bool
    note: str


@dataclass(frozen=True)
class Week:
    """A week's picture, with the lines behind it and the tones of its legend."""

    title: str
    picture: Markup
    lines: list[list[str]]
    legend: list[tuple[str, str]]


def week_of(terms: dict[str, Any], on: date) -> Week:
    """The week from Monday on in which a day lies, by terms that were read before."""
    monday = on - timedelta(days=on.weekday())
    calendar, promise = calendar_of(terms), read_promise(terms)
    dates = [monday + timedelta(days=after) for after in range(7)]
    names = _names(terms, calendar, promise, dates)
    days = tuple(_day(calendar, promise, each, names) for each in dates)
    title = _("Week from %(first)s to %(last)s", first=short_day(dates[0]), last=short_day(dates[-1]))
    return Week(title, draw(days, title), [_line(each) for each in days], _legend(days))


def _names(terms: dict[str, Any], calendar: Calendar, promise: Promise, dates: list[date]) -> dict[date, str]:
    closed = [on for on in dates if on in calendar.holidays]
    return names_of_days(holiday_country(terms), closed) | dict(promise.holiday_names)


def _day(calendar: Calendar, promise: Promise, on: date, names: dict[date, str]) -> Day:
    pieces = calendar.pieces_of(on)
    opened = tuple((start // 60, end // 60) for start, end, kind in pieces if kind is Kind.OPEN)
    is_holiday = on in calendar.holidays
    notes = [names.get(on) or _("Holiday")] if is_holiday else []
    if any(special.on == on for special in calendar.special_days):
        notes.append(_("hours of its own"))
    notes += [freeze.name for freeze in promise.freezes if freeze.first_on <= on <= freeze.last_on]
    return Day(on, opened, tuple(_windows(promise, on)), is_holiday, joined(notes))


def _windows(promise: Promise, on: date) -> Iterator[Span]:
    """The windows of a date, and of the night before where one reaches into it."""
    for window in promise.windows:
        start, end = window.hours.span
        if window.weekday == on.weekday():
            yield start, min(end, MINUTES)
        if (window.weekday + 1) % 7 == on.weekday() and end > MINUTES:
            yield 0, end - MINUTES


def _line(day: Day) -> list[str]:
    return [short_day(day.on), _spans(day.open) or _("closed"), _spans(day.windows) or "–", day.note or "–"]


def _spans(spans: tuple[Span, ...]) -> str:
    return joined([span_words(Hours(start, end)) for start, end in sorted(spans)])


def _legend(days: tuple[Day, ...]) -> list[tuple[str, str]]:
    """The picture's names and tones, each where the week has it."""
    parts = [
        (_("Business hours"), "span-counted", any(day.open for day in days)),
        (_("Outside hours"), "track", True),
        (_("Holiday"), "swatch-holiday", any(day.is_holiday for day in days)),
        (_("Maintenance window"), "swatch-paused", any(day.windows for day in days)),
    ]
    return [(name, look) for name, look, is_there in parts if is_there]


# -- the picture ------------------------------------------------------------------------------------------


def draw(days: tuple[Day, ...], title: str) -> Markup:
    """A row per day from midnight to midnight; open hours filled, holidays dotted, windows hatched below."""
    root = svg.drawing("week", ROW * len(days) + FOOT, title=title, desc=_sentence(days))
    fills = hatching(root, sha256(repr(days).encode()).hexdigest()[:8])
    for place, day in enumerate(days):
        _draw_day(root, day, place * ROW, fills)
    for hour in range(0, 25, 6):
        anchor = {0: "start", 24: "end"}.get(hour, "middle")
        svg.add(root, "text", f"{hour:02}:00", class_="axis", x=_x(hour * 60), text_anchor=anchor,
                y=ROW * len(days) + FOOT - 5)  # fmt: skip
    return svg.markup(root)


def _draw_day(root: Element, day: Day, top: int, fills: dict[str, str]) -> None:
    words = str(format_date(day.on, "EEE d", locale=reader_locale()))
    svg.add(root, "text", words, class_="label", x=0, y=top + BAR - 2)
    ground: dict[str, str] = {"fill": fills["holiday"]} if day.is_holiday else {"class_": "track"}
    svg.add(root, "rect", "", x=_x(0), y=top, width=_wide(MINUTES), height=BAR, **ground)
    for span in day.open:
        _bar(root, span, top, BAR, _("Business hours"), class_="span span-counted")
    if day.is_holiday and not day.open:
        svg.add(root, "text", day.note, class_="week-note", x=_x(20), y=top + BAR - 3)
    for span in day.windows:
        _bar(root, span, top + BAR + 2, 6, _("Maintenance window"), fill=fills["paused"])


def _bar(root: Element, span: Span, top: int, height: int, name: str, **look: svg.Value) -> None:
    start, end = span
    bar = svg.add(root, "rect", "", x=_x(start), y=top, width=_wide(end - start), height=height, **look)
    svg.add(bar, "title", f"{name}: {_spans((span,))}")


def _x(minute: int) -> str:
    return f"{svg.plain(LEFT + (100 - LEFT) * minute / MINUTES)}%"


def _wide(minutes: int) -> str:
    return f"{svg.plain((100 - LEFT) * minutes / MINUTES)}%"


def _sentence(days: tuple[Day, ...]) -> str:
    return "; ".join(
        f"{WEEKDAY_WORDS[WEEKDAYS[day.on.weekday()]]}: {_spans(day.open) or _('closed')}" for day in days
    )
