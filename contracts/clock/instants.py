"""Instants as whole seconds since 1970 in UTC, and as RFC 3339 text."""

import re
from datetime import UTC, datetime, timedelta, timezone

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1970, 2100

_RFC_3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:([Zz])|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


class InstantOutOfRange(ValueError):
    """A well-formed instant before 1970 or after 2100, in UTC."""


def seconds_of(at: datetime) -> int:
    """Return whole seconds since 1970, fractions dropped (R14); ValueError without an offset."""
    if at.utcoffset() is None:
        raise ValueError("an instant needs an offset from UTC")
    since = at - EPOCH
    return since.days * DAY + since.seconds


def instant_of(seconds: int) -> datetime:
    """Return the instant, in UTC, that lies so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def floored(at: datetime) -> datetime:
    """Return the same instant in UTC without its fraction of a second."""
    if at.tzinfo is UTC and not at.microsecond:
        return at
    return instant_of(seconds_of(at))


def format_instant(at: datetime) -> str:
    """Return an instant as `2026-11-20T09:30:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_instant(text: str) -> datetime:
    """Return the instant that RFC 3339 text with an offset names, in whole seconds.

    Raises InstantOutOfRange outside 1970 to 2100 and ValueError for anything else. A leap second is refused:
    time zones as everybody computes them have none.
    """
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 date and time with an offset")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    naive = datetime(max(year, 1), month, day, hour, minute, second)  # noqa: DTZ001 - the offset follows
    if not FIRST_YEAR - 1 <= year <= LAST_YEAR + 1:
        raise InstantOutOfRange(text)
    at = naive.replace(tzinfo=_offset(match)).astimezone(UTC)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise InstantOutOfRange(text)
    return at


def _offset(match: re.Match[str]) -> timezone:
    if match[7]:
        return UTC
    sign = -1 if match[8] == "-" else 1
    return timezone(sign * timedelta(hours=int(match[9]), minutes=int(match[10])))
