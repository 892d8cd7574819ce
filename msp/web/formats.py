"""How values are put into words: durations, moments, money, and what a clock says. All in the reader's language.

Every function is a Jinja filter of its own name (`msp.web.look.install`). None of them asks the database;
where "now" or the zone is left out, they come from `tenants.foundation.time` and from the reader's settings.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal

from msp.web.catalogues import gettext as _
from msp.web.catalogues import language, reader_zone
from tenants.foundation import time
from tenants.people.phones import as_written

NARROW_SPACE = "\u202f"
NO_BREAK = "\u00a0"
MINUS = "\u2212"
AT_RISK_PERCENT = 75


class Verdict(Protocol):
    """What a clock says at one instant, with the names of the SLA calculation.

    `remaining_seconds` is None where a list does not know it, as for a clock that stands still.
    """

    @property
    def state(self) -> str: ...
    @property
    def due_at(self) -> datetime | None: ...
    @property
    def elapsed_seconds(self) -> int: ...
    @property
    def remaining_seconds(self) -> int | None: ...


@dataclass(frozen=True)
class TimeBadge:
    """A clock in words: `words` for a line, `due` absolute with zone, `detail` the sentence behind it."""

    state: str
    words: str
    due: str
    detail: str
    tone: str
    icon: str


# -- language and zone ------------------------------------------------------------------------------------


def reader_locale() -> Locale:
    """The language of the page, or English where there is no page."""
    return language() or Locale("en")


def zone_of(zone: str | tzinfo | None) -> tzinfo:
    """A time zone from its IANA name; without one the reader's, else UTC."""
    if isinstance(zone, str):
        return ZoneInfo(zone)
    if zone is not None:
        return zone
    return _reader_zone()


def _reader_zone() -> tzinfo:
    # A plain zoneinfo, because pytz objects answer wrongly when attached to a datetime by hand.
    chosen = reader_zone() if language() else None
    return ZoneInfo(str(chosen)) if chosen else UTC


# -- durations --------------------------------------------------------------------------------------------


def duration_words(seconds: float, business: bool = False) -> str:
    """A length of time in two units at most. Business time never becomes days: a working day has no fixed length."""
    whole = int(abs(seconds))
    words = _span_words(whole, business)
    return f"{MINUS}{words}" if seconds < 0 and whole else words


def _span_words(seconds: int, business: bool) -> str:
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes == 0:
        return _("%(count)d s", count=seconds)
    if hours == 0:
        return _("%(count)d min", count=minutes)
    if days == 0 or business:
        return _pair(_("%(count)d h", count=hours), _("%(count)d min", count=minutes % 60), minutes % 60)
    return _pair(_("%(count)d d", count=days), _("%(count)d h", count=hours % 24), hours % 24)


def _pair(large: str, small: str, rest: int) -> str:
    return f"{large} {small}" if rest else large


def relative(at: datetime, now: datetime | None = None) -> str:
    """A moment seen from now: "in 2 h 10 min", "5 min ago", "just now"."""
    seconds = (at - (now or time.now())).total_seconds()
    if abs(seconds) < 60:
        return _("just now") if seconds <= 0 else _("in a moment")
    span = duration_words(abs(seconds))
    return _("in %(span)s", span=span) if seconds > 0 else _("%(span)s ago", span=span)


# -- moments and days -------------------------------------------------------------------------------------


def zone_words(at: datetime) -> str:
    """The zone's short name at that moment (WIB, WITA, WIT, CET), or its distance from UTC where it has none."""
    name = at.tzname()
    if name and name[0] not in "+-":
        return name
    offset = at.strftime("%z")
    return f"UTC{offset[:3]}:{offset[3:5]}"


def moment(at: datetime | None, zone: str | tzinfo | None = None, now: datetime | None = None) -> str:
    """A moment, absolute and with its zone. With `now`, what both have in common is left out: the day, the year."""
    if at is None:
        return "–"
    local = at.astimezone(zone_of(zone))
    pattern = _pattern(local, now.astimezone(local.tzinfo) if now else None)
    minute = local.replace(second=0, microsecond=0, tzinfo=None)
    return f"{_minute_words(minute, pattern, reader_locale())} {zone_words(local)}"


@lru_cache(maxsize=4096)
def _minute_words(local: datetime, pattern: str, locale: Locale) -> str:
    """Depends on nothing else, and lists say the same moments again and again."""
    return str(format_datetime(local, pattern, locale=locale))


def _pattern(local: datetime, today: datetime | None) -> str:
    if today and local.date() == today.date():
        return "HH:mm"
    if today and abs((local.date() - today.date()).days) < 300:
        return "EEE d MMM HH:mm"
    return "EEE d MMM y HH:mm"


def clock_time(at: datetime, zone: str | tzinfo | None = None) -> str:
    """Only hour and minute, with the zone: "15:40 WIB"."""
    local = at.astimezone(zone_of(zone))
    return f"{local:%H:%M} {zone_words(local)}"


def day(on: date | None) -> str:
    """A date in full: "Friday, 20 November 2026", "Jumat, 20 November 2026"."""
    return "–" if on is None else str(format_date(on, "EEEE, d MMMM y", locale=reader_locale()))


def short_day(on: date) -> str:
    """A date in short: "Fri, 25 Dec 2026"."""
    return str(format_date(on, "EEE, d MMM y", locale=reader_locale()))


def month(on: date) -> str:
    """The month of a date: "November 2026"."""
    return str(format_date(on, "MMMM y", locale=reader_locale()))


# -- numbers ----------------------------------------------------------------------------------------------


def number(value: float | Decimal, digits: int = 0) -> str:
    """A number with the reader's separators and a fixed count of decimals."""
    decimals = f".{'0' * digits}" if digits else ""
    return str(format_decimal(value, f"#,##0{decimals}", locale=reader_locale()))


def money(amount: Decimal | int, currency: str) -> str:
    """An amount with its currency; whole amounts are written without decimals."""
    decimals = "" if amount == int(amount) else ".00"
    pattern = f"¤{NO_BREAK}#,##0{decimals};{MINUS}¤{NO_BREAK}#,##0{decimals}"
    return str(format_currency(amount, currency, pattern, locale=reader_locale(), currency_digits=False))


def bytes_words(size: int) -> str:
    """A size of data in units of thousand: "1.4 MB"."""
    if size < 1000:
        return f"{size}{NO_BREAK}B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{number(value, 1 if value < 100 else 0)}{NO_BREAK}{unit}"


def percent(ratio: float | Decimal | None, digits: int = 1, none: str = "–") -> str:
    """A ratio of 0 to 1 as percent, rounded down so that 99.96 % never reads as 100 %."""
    if ratio is None:
        return none
    step = Decimal(10) ** -digits
    value = (Decimal(str(ratio)) * 100).quantize(step, rounding="ROUND_FLOOR")
    return f"{number(value, digits if value != int(value) else 0)}{NARROW_SPACE}%"


def initials(name: str) -> str:
    """One or two letters that stand for a name."""
    words = [word for word in name.split() if word[0].isalnum()]
    letters = [word[0] for word in words[:1] + words[1:][-1:]]
    return "".join(letters).upper() or "?"


# -- clocks -----------------------------------------------------------------------------------------------


def time_badge(
    verdict: Verdict,
    now: datetime | None = None,
    zone: str | tzinfo | None = None,
    *,
    reason: str = "",
    since: datetime | None = None,
    audience: str = "staff",
    long: bool = True,
) -> TimeBadge:
    """A clock in words. Red (`missed`) only for a miss, amber (`risk`) only when three quarters are used up.

    `reason` is the ticket's waiting reason and `since` when it began; to the audience `requester` it says "you".
    """
    now = now or time.now()
    state = str(verdict.state)
    reason = getattr(verdict, "reason", None) or reason
    words = _clock_words(verdict, state, reason, audience)
    tone, icon = _clock_tone(verdict, state)
    due = (
        moment(verdict.due_at, zone, now) if verdict.due_at and state not in ("met", "not_applicable") else ""
    )
    detail = _clock_detail(verdict, state, moment(since, zone, now) if since else "") if long else ""
    return TimeBadge(state, words, due, detail, tone, icon)


def _clock_words(verdict: Verdict, state: str, reason: str, audience: str) -> str:
    if state == "met":
        return _("Met")
    if state == "not_applicable":
        return _("No target")
    left = verdict.remaining_seconds
    if state == "missed":
        return _("Missed") if left is None else _missed_by(-left)
    if state == "paused":
        return _("Paused: %(reason)s", reason=waiting_words(reason, audience)) if reason else _("Paused")
    if verdict.due_at is None or left is None:
        return _("No due time")
    return _("%(span)s left", span=duration_words(left, business=True))


def _missed_by(seconds: int) -> str:
    return _("Missed by %(span)s", span=duration_words(seconds, business=True))


def waiting_words(reason: str, audience: str = "staff") -> str:
    """What a waiting ticket waits for, in the middle of a sentence."""
    if reason == "requester" and audience == "requester":
        return _("waiting for you")
    words = {
        "requester": _("waiting for the requester"),
        "vendor": _("waiting for the vendor"),
        "part": _("waiting for a part"),
        "visit": _("waiting for a visit"),
        "change": _("waiting for a change"),
        "maintenance": _("planned maintenance"),
    }
    return words.get(reason, _("waiting"))


def _clock_tone(verdict: Verdict, state: str) -> tuple[str, str]:
    plain = {
        "met": ("good", "check-circle"),
        "missed": ("missed", "exclamation-octagon-fill"),
        "paused": ("info", "pause-circle"),
        "not_applicable": ("", "dash-circle"),
    }
    if state in plain:
        return plain[state]
    if is_at_risk(verdict):
        return "risk", "exclamation-triangle-fill"
    return ("", "moon") if state == "outside_hours" else ("", "clock")


def is_at_risk(verdict: Verdict) -> bool:
    """Whether an undecided clock has used up three quarters of its target."""
    left = verdict.remaining_seconds
    if verdict.due_at is None or left is None or verdict.state not in ("running", "outside_hours"):
        return False
    target = verdict.elapsed_seconds + left
    return verdict.elapsed_seconds * 100 >= target * AT_RISK_PERCENT


def _clock_detail(verdict: Verdict, state: str, since: str) -> str:
    if state == "not_applicable":
        return _("No target applies here.")
    if state in ("running", "outside_hours") and verdict.due_at is None:
        return _("The calendar never reaches a due time.")
    if verdict.remaining_seconds is None:
        return ""
    used = duration_words(verdict.elapsed_seconds, business=True)
    target = duration_words(verdict.elapsed_seconds + verdict.remaining_seconds, business=True)
    if state == "met":
        return _("Used %(used)s of %(target)s business time.", used=used, target=target)
    if state == "paused" and since:
        return _(
            "Since %(since)s. The clock stands at %(used)s of %(target)s.",
            since=since,
            used=used,
            target=target,
        )
    if state == "paused":
        return _("The clock stands at %(used)s of %(target)s.", used=used, target=target)
    if state == "outside_hours":
        return _(
            "Outside business hours. The clock stands at %(used)s of %(target)s.", used=used, target=target
        )
    return _("%(used)s of %(target)s business time used.", used=used, target=target)


FILTERS: dict[str, Any] = {
    function.__name__: function
    for function in (
        duration_words, relative, moment, clock_time, day, short_day, month, number, money, bytes_words, percent,
        initials, waiting_words,
    )
} | {"phone": as_written}  # fmt: skip
