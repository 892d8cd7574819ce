"""Recurrence rules and the room they leave: pure.

W1. A window is a rule of RFC 5545 (section 3.3.10), a wall-clock time and a length; its zone is an IANA zone. Each
occurrence begins at that time of its own day, whatever the offset is then; a time that a change of offset leaves out
begins as much later as the clock was put forward, one that comes twice begins at the first. It lasts its minutes, not
its wall clock.
W2. Freezes beat windows: a moment inside a freeze is never in a window.
W3. Who has agreed no window has no limit but freezes.
W4. A change is begun only where it can end: there has to be the reserve left before the window closes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from tenants.foundation.spans import Span, without

LOOK_FOR = timedelta(days=3_660)
LONGEST_RULE = 300
# Seconds and minutes would ask for millions of occurrences; counts would end a window without a word.
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY")
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH", "UNTIL", "WKST")
_RULE = re.compile(r"[A-Z0-9=;,:+\-T]{1,300}", re.ASCII)
_LONGEST_INTERVAL = 52


class UnfitRule(ValueError):
    """A rule that can't be used: `unreadable`, `frequency`, `never` or `first day`."""


@dataclass(frozen=True, slots=True)
class Recurring:
    """A rule with its first day, time of day, length in minutes and zone."""

    rule: str
    first_on: date
    starts_at: time
    minutes: int
    time_zone: str


def check_rule(window: Recurring, *, since: datetime) -> None:
    """Raises UnfitRule for a rule that can't be read or has no occurrence in the ten years from `since`."""
    _parts(window.rule)
    begin = max(since, datetime.combine(window.first_on, time(), UTC) - timedelta(days=1))
    if next(occurrences(window, begin, begin + LOOK_FOR), None) is None:
        raise UnfitRule("never")


def _parts(rule: str) -> dict[str, str]:
    if not _RULE.fullmatch(rule):
        raise UnfitRule("unreadable")
    pairs = [part.partition("=") for part in rule.split(";")]
    found = {name: value for name, _, value in pairs}
    if len(found) != len(pairs) or not all(name in _PARTS and value for name, value in found.items()):
        raise UnfitRule("unreadable")
    if found.get("FREQ") not in _FREQUENCIES:
        raise UnfitRule("frequency")
    interval = found.get("INTERVAL", "1")
    if not interval.isdigit() or not 1 <= int(interval) <= _LONGEST_INTERVAL:
        raise UnfitRule("unreadable")
    return found


@lru_cache(maxsize=1024)
def _read(rule: str, first: datetime) -> rrule:
    parts = _parts(rule)
    try:
        # Without an end a rule that never fits would be looked for until the year 9999.
        read = rrulestr(rule, dtstart=first, cache=False)
    except (ValueError, TypeError, IndexError, KeyError) as wrong:
        raise UnfitRule("unreadable") from wrong
    if not isinstance(read, rrule) or ("UNTIL" in parts and read._until is None):
        raise UnfitRule("unreadable")
    return read


def occurrences(window: Recurring, begin: datetime, end: datetime) -> Iterator[Span]:
    """The window's spans that overlap `[begin, end)`, in order (W1). Raises UnfitRule."""
    zone, length = ZoneInfo(window.time_zone), timedelta(minutes=window.minutes)
    first = datetime.combine(window.first_on, window.starts_at)
    # A day more on both sides, since local and absolute time differ by less than that.
    earliest = (begin - length - timedelta(days=1)).astimezone(zone).replace(tzinfo=None)
    latest = (end + timedelta(days=1)).astimezone(zone).replace(tzinfo=None)
    rule = _read(window.rule, first)
    until = latest if rule._until is None else min(latest, rule._until.replace(tzinfo=None))
    for local in rule.replace(until=until):
        if local < earliest:
            continue
        opens = local.replace(tzinfo=zone).astimezone(UTC)
        if opens + length > begin and opens < end:
            yield opens, opens + length


def next_spans(window: Recurring, after: datetime, count: int) -> list[Span]:
    """The next occurrences that begin after a moment, of the ten years from then. Raises UnfitRule."""
    found = (span for span in occurrences(window, after, after + LOOK_FOR) if span[0] > after)
    return list(islice(found, count))


def frozen_days(first_on: date, last_on: date, time_zone: str) -> Span:
    """Both days whole, as their zone counts them."""
    zone = ZoneInfo(time_zone)
    begin = datetime.combine(first_on, time(), zone).astimezone(UTC)
    return begin, datetime.combine(last_on + timedelta(days=1), time(), zone).astimezone(UTC)


def room(windows: Sequence[Recurring], freezes: Sequence[Span], begin: datetime, end: datetime) -> list[Span]:
    """When changes may be made within `[begin, end)` (W1 to W3)."""
    found = [span for window in windows for span in occurrences(window, begin, end)]
    return without(found if windows else [(begin, end)], freezes)


def room_at(spans: Sequence[Span], at: datetime, reserve: timedelta) -> Span | None:
    """The span in which something may be begun now, with the reserve left before it closes (W4)."""
    return next(((begin, end) for begin, end in spans if begin <= at and at + reserve <= end), None)


def end_of_room(spans: Sequence[Span], wanted: datetime) -> datetime | None:
    """`wanted` if it lies in a span, else the end of the last span before it, or of the first after it."""
    for begin, end in spans:
        if wanted < end:
            return wanted if begin <= wanted else end
    return spans[-1][1] if spans else None
