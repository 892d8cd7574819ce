"""Weekly patterns as spans of time: pure.

P1. A shift begins at its wall-clock time of each day of the rule, in the pattern's zone, whatever the offset is then;
its end is wall clock too, on the next day where it is not later. A night in which clocks change is an hour shorter or
longer; a time that a change leaves out is as much later as the clock was put forward.
P2. Public holidays of the country are left out by their date of beginning; being on call knows no holidays.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from dateutil.rrule import rrulestr

from tenants.foundation.spans import Span

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LONGEST_WEEKS = 4
LONGEST_SPAN = timedelta(days=366)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Pattern:
    """What comes back: on which days by a rule of RFC 5545, from when until when on the wall clock of a zone."""

    rule: str
    first_on: date
    last_on: date
    starts_at: time
    ends_at: time
    time_zone: str


def weekly(weekdays: Collection[str], every: int = 1) -> str:
    """The rule for days of the week, every so many weeks; ValueError without a day that there is."""
    chosen = [one for one in WEEKDAYS if one in weekdays]
    if not chosen or not 1 <= every <= LONGEST_WEEKS:
        raise ValueError("not a weekly rule")
    return f"FREQ=WEEKLY;INTERVAL={every};BYDAY={','.join(chosen)}"


def days_of(pattern: Pattern) -> list[date]:
    """The days on which a shift begins, first and last included."""
    begin = datetime.combine(pattern.first_on, time())
    rule = rrulestr(pattern.rule, dtstart=begin)
    return [one.date() for one in rule.between(begin, datetime.combine(pattern.last_on, time()), inc=True)]


def spans_of(pattern: Pattern, without: Collection[date] = ()) -> Iterator[tuple[date, Span]]:
    """Each day that is not left out, with its shift (P1)."""
    for on in days_of(pattern):
        if on not in without:
            yield on, span_on(on, pattern.starts_at, pattern.ends_at, pattern.time_zone)


def span_on(on: date, starts_at: time, ends_at: time, time_zone: str) -> Span:
    """From a wall-clock time of a day to another, of the next day where that is not later (P1)."""
    zone, last = ZoneInfo(time_zone), on if ends_at > starts_at else on + DAY
    begin = datetime.combine(on, starts_at, zone).astimezone(UTC)
    end = datetime.combine(last, ends_at, zone).astimezone(UTC)
    # Where clocks leap over a whole shift, it lasts what its wall clock says.
    return (begin, end) if end > begin else (begin, begin + (_plain(last, ends_at) - _plain(on, starts_at)))


def _plain(on: date, at: time) -> datetime:
    return datetime.combine(on, at)


def whole_days(first_on: date, last_on: date, time_zone: str) -> Span:
    """Both days whole, as their zone counts them."""
    zone = ZoneInfo(time_zone)
    begin = datetime.combine(first_on, time(), zone).astimezone(UTC)
    return begin, datetime.combine(last_on + DAY, time(), zone).astimezone(UTC)


@lru_cache(maxsize=1)
def countries() -> frozenset[str]:
    """Countries whose public holidays are known."""
    return frozenset(code for code in holidays.list_supported_countries(False) if len(code) == 2)


def holidays_of(country: str, first_on: date, last_on: date) -> frozenset[date]:
    """The public holidays of a country within these days (P2); none of an unknown one."""
    if country not in countries():
        return frozenset()
    years = range(first_on.year, last_on.year + 1)
    known = holidays.country_holidays(country, years=years)
    return frozenset(on for on in known if first_on <= on <= last_on)


def hours_of(spans: Sequence[Span]) -> float:
    """How many hours spans last together."""
    return sum((end - begin).total_seconds() for begin, end in spans) / 3600
