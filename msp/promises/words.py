"""A member of terms in words: its name, and what it says."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from babel.dates import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from contracts.clock.calendar import WEEKDAYS
from contracts.terms.difference import Path, Value
from contracts.terms.promise import MISS, Action
from msp.web.formats import NARROW_SPACE, duration_words, number, reader_locale, short_day

WEEKDAY_WORDS = dict(
    zip(
        WEEKDAYS,
        (
            _l("Monday"),
            _l("Tuesday"),
            _l("Wednesday"),
            _l("Thursday"),
            _l("Friday"),
            _l("Saturday"),
            _l("Sunday"),
        ),
        strict=True,
    )
)
CLOCK_WORDS = {"response": _l("First response"), "update": _l("Update"), "resolution": _l("Resolution")}
TARGET_WORDS = {
    "response": _l("First reply within"),
    "update": _l("Updates within"),
    "resolution": _l("Solved within"),
}
PAUSE_WORDS = {
    "response": _l("The first reply stands still while"),
    "update": _l("Updates stand still while"),
    "resolution": _l("Solving stands still while"),
}
REASON_WORDS = {
    "requester": _l("waiting for the requester"),
    "vendor": _l("waiting for a vendor"),
    "part": _l("waiting for a part"),
    "visit": _l("waiting for a visit"),
    "change": _l("waiting for a change"),
}
REOPEN_WORDS = {
    "continue": _l("the clock goes on without the time it was resolved"),
    "count": _l("the time it was resolved counts too"),
    "new_cycle": _l("a new clock starts"),
}
CHANGE_WORDS = {
    "from_creation": _l("the new target is measured from the ticket's creation"),
    "from_change": _l("the new target is measured from the change"),
}
UPDATE_WORDS = {
    "requester_reply": _l("when the requester writes after our last reply"),
    "staff_reply": _l("with our last reply"),
}
MAINTENANCE_WORDS = {
    "shown": _l("is shown apart and counts like other time"),
    "excluded": _l("is shown apart and left out of the figures"),
}
NOTIFY_WORDS = {
    "assignee": _l("whoever holds the ticket"),
    "lead": _l("the lead of the tier"),
    "admins": _l("the client's administrators"),
}

NOTIFY_SHORT = {
    "assignee": _l("Holder"),
    "lead": _l("Lead"),
    "admins": _l("Client admins"),
}


def percent_words(whole: int) -> str:
    """A whole percentage: "75 %"."""
    return f"{number(whole)}{NARROW_SPACE}%"


def named_day(on: date, name: str) -> str:
    """A date with what it is called: "1 Jan New Year's Day"."""
    words = str(format_date(on, "d MMM", locale=reader_locale()))
    return f"{words} {name}" if name else words


def joined(words: Sequence[Any]) -> str:
    """Words one after the other."""
    return ", ".join(map(str, words))


# -- names ------------------------------------------------------------------------------------------------


def label_of(path: Path) -> str:
    """What a member is called; holidays are named together by `difference_words`."""
    group, *rest = path
    named = _LABELS.get(group)
    return named(*rest) if named else str(_NAMES[group])


_NAMES = {
    "update_start": _l("The time for an update begins"),
    "always": _l("Business hours"),
    "time_zone": _l("Time zone"),
    "miss_warning": _l("When all of the time is used"),
    "reopen": _l("When a ticket is reopened"),
    "change": _l("When the priority changes"),
    "auto_close_days": _l("Solved tickets are closed"),
    "reopen_days": _l("Closed tickets can be reopened"),
    "statement_day": _l("The month's statement is mailed"),
    "maintenance": _l("Planned maintenance"),
    "included_hours": _l("Hours included a month"),
    "patch_promise_days": _l("Critical updates installed within"),
    "credit_cap": _l("Credits of one month at most"),
}


def _target_label(priority: str, clock: str) -> str:
    return f"{priority}: {TARGET_WORDS[clock]}"


def _acceptance_label(priority: str) -> str:
    return _("%(priority)s: hand-over accepted within", priority=priority)


def _around_label(priority: str) -> str:
    return _("%(priority)s: measured in", priority=priority)


def _action_label(percent: str) -> str:
    if percent == str(MISS):
        return _("When a target is missed")
    return _("When %(share)s of the time is used", share=percent_words(int(percent)))


def _hours_label(weekday: str) -> str:
    return _("Business hours on %(weekday)s", weekday=WEEKDAY_WORDS[weekday])


def _window_label(weekday: str) -> str:
    return _("Maintenance window on %(weekday)s", weekday=WEEKDAY_WORDS[weekday])


def _special_label(on: str) -> str:
    return _("Hours on %(day)s", day=short_day(date.fromisoformat(on)))


def _pause_label(clock: str) -> str:
    return str(PAUSE_WORDS[clock])


def credit_label(clock: str, below: str) -> str:
    """When a credit is due."""
    words = {
        "response": _("Credit when less than %(share)s of first replies were in time", share=below),
        "update": _("Credit when less than %(share)s of updates were in time", share=below),
        "resolution": _("Credit when less than %(share)s of solutions were in time", share=below),
    }
    return words[clock]


def _freeze_label(_first: str, _last: str, name: str) -> str:
    return _("Nothing is changed: %(name)s", name=name)


_LABELS: Mapping[str, Any] = {
    "target": _target_label,
    "acceptance": _acceptance_label,
    "around_the_clock": _around_label,
    "action": _action_label,
    "hours": _hours_label,
    "window": _window_label,
    "special_day": _special_label,
    "pause": _pause_label,
    "credit": lambda clock, below: credit_label(clock, percent_words(int(below))),
    "freeze": _freeze_label,
}


# -- values -----------------------------------------------------------------------------------------------


def value_words(path: Path, value: Value) -> str:
    """What a member says; None is what its absence says."""
    return str(_VALUES[path[0]](value) if path[0] != "freeze" else _freeze_words(path, value))


def target_words(minutes: int | None) -> str:
    """A target as business time."""
    return duration_words(minutes * 60, business=True) if minutes else _("not promised")


def around_words(always: bool | None) -> str:
    """In which hours a priority is measured."""
    return _("around the clock") if always else _("business hours")


def notify_words(action: Action) -> str:
    """Whom a warning or a miss tells."""
    return joined([NOTIFY_WORDS[who] for who in action.notify]) or _("nobody")


def action_words(action: Action | None) -> str:
    """What a warning or a miss does."""
    if action is None:
        return _("no warning")
    told = _("tells %(people)s", people=notify_words(action)) if action.notify else _("tells nobody")
    handed = _("hands the ticket to %(tier)s", tier=action.hand_to) if action.hand_to else ""
    return joined([words for words in (told, handed) if words])


def spans_words(spans: Sequence[str] | None) -> str:
    """Hours of a day; none at all is closed."""
    return joined(spans) if spans and spans != ("closed",) else _("closed")


def pause_words(reasons: Sequence[str] | None) -> str:
    """The reasons for which a clock stands still."""
    return joined([REASON_WORDS[one] for one in reasons]) if reasons else _("never")


def auto_close_words(days: int | None) -> str:
    """When a resolved ticket closes by itself."""
    if not days:
        return _("never by themselves")
    return ngettext("after %(num)s working day", "after %(num)s working days", days)


def reopen_days_words(days: int | None) -> str:
    """How long a closed ticket can be reopened."""
    return ngettext("for %(num)s day", "for %(num)s days", days) if days else _("at any time")


def _statement_words(on: int | None) -> str:
    return _("on day %(number)s of the month after", number=on)


def _hours_words(hours: int | None) -> str:
    return _("not agreed") if hours is None else _("%(count)s h", count=number(hours))


def _patch_words(days: int | None) -> str:
    return ngettext("%(num)s day", "%(num)s days", days) if days else _("not promised")


def fee_words(percent: int | None) -> str:
    """A credit as a share of the fee."""
    return _("%(share)s of the monthly fee", share=percent_words(percent)) if percent else _("none")


def _freeze_words(path: Path, value: Value) -> str:
    if not value:
        return "–"
    first, last = (short_day(date.fromisoformat(one)) for one in path[1:3])
    return f"{first} – {last}"


def _one(words: Mapping[str, Any], value: Value) -> str:
    return str(words[value]) if value is not None else "–"


_VALUES: Mapping[str, Any] = {
    "target": target_words,
    "acceptance": target_words,
    "around_the_clock": around_words,
    "update_start": partial(_one, UPDATE_WORDS),
    "action": action_words,
    "miss_warning": lambda value: _("kept as a warning and as a miss") if value else _("kept as a miss only"),
    "always": lambda value: _("around the clock, every day") if value else _("by weekday"),
    "time_zone": lambda value: value or "–",
    "hours": spans_words,
    "special_day": lambda value: spans_words(value) if value else _("as every week"),
    "pause": pause_words,
    "reopen": partial(_one, REOPEN_WORDS),
    "change": partial(_one, CHANGE_WORDS),
    "auto_close_days": auto_close_words,
    "reopen_days": reopen_days_words,
    "statement_day": _statement_words,
    "maintenance": partial(_one, MAINTENANCE_WORDS),
    "included_hours": _hours_words,
    "patch_promise_days": _patch_words,
    "credit": fee_words,
    "credit_cap": fee_words,
    "window": lambda value: joined(value) if value else _("none"),
}
