"""A version's terms as a sheet to read: tables and sentences, the same for staff and for the client."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

from flask_babel import gettext as _

from contracts.clock.calendar import WEEKDAYS
from contracts.clock.history import ClockKind
from contracts.terms.difference import Path, Value, laid_out
from contracts.terms.document import PRIORITIES, read_promise
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.promise import Promise
from msp.promises.changes import Row, difference_words, holiday_country
from msp.promises.holidays import names_of_days
from msp.promises.week import Week, week_of
from msp.promises.words import (
    CLOCK_WORDS,
    WEEKDAY_WORDS,
    around_words,
    fee_words,
    joined,
    label_of,
    notify_words,
    percent_words,
    spans_words,
    target_words,
    value_words,
)
from msp.web.formats import short_day

Pair = tuple[str, str]
Line = list[Any]
_RULES: tuple[Path, ...] = (
    ("pause", "response"),
    ("pause", "update"),
    ("pause", "resolution"),
    ("update_start",),
    ("reopen",),
    ("change",),
)
_DAYS: tuple[Path, ...] = (
    ("auto_close_days",),
    ("reopen_days",),
    ("statement_day",),
    ("included_hours",),
    ("patch_promise_days",),
    ("maintenance",),
)


@dataclass(frozen=True)
class Sheet:
    """Terms in words: lines of tables, and pairs of a name and what it says."""

    levels: list[Line]
    rules: list[Pair]
    time_zone: str
    is_always: bool
    week: list[Line]
    special_days: list[Line]
    holidays: list[tuple[str, list[str]]]
    actions: list[Line]
    credits: list[Line]
    credit_cap: str
    days: list[Pair]
    freezes: list[Line]


@dataclass(frozen=True)
class Shown:
    """A version on the page: its sheet, what it changed (None for the first), and this week where it is in force."""

    version: ContractVersion
    sheet: Sheet
    changes: list[Row] | None
    is_current: bool
    week: Week | None


def show_versions(
    contract: Contract, versions: Sequence[ContractVersion], current: ContractVersion | None, today: date
) -> list[Shown]:
    """All versions, the latest first, each beside the one before it."""
    before: list[ContractVersion | None] = [*versions[1:], None]
    return [_shown(contract, *pair, current, today) for pair in zip(versions, before, strict=True)]


def _shown(
    contract: Contract,
    version: ContractVersion,
    before: ContractVersion | None,
    current: ContractVersion | None,
    today: date,
) -> Shown:
    is_current = current is not None and current.id == version.id
    return Shown(
        version,
        sheet_of(version.terms, contract.time_zone),
        difference_words(before.terms, version.terms) if before else None,
        is_current,
        week_of(version.terms, today) if is_current else None,
    )


def sheet_of(terms: dict[str, Any], time_zone: str) -> Sheet:
    """Terms that were read before, in words; `time_zone` is the contract's."""
    members, promise = laid_out(terms), read_promise(terms)
    return Sheet(
        levels=[_level(members, priority) for priority in PRIORITIES],
        rules=_pairs(members, _RULES),
        time_zone=members.get(("time_zone",), time_zone),
        is_always=("always",) in members,
        week=[_weekday(members, weekday) for weekday in WEEKDAYS],
        special_days=_special_days(members),
        holidays=_holidays(terms, members),
        actions=[_action(promise, index) for index in range(len(promise.actions))],
        credits=_credits(promise),
        credit_cap=fee_words(promise.credits.cap_percent) if promise.credits else "",
        days=_pairs(members, (*_accepted(members), *_DAYS)),
        freezes=[
            [freeze.name, short_day(freeze.first_on), short_day(freeze.last_on)] for freeze in promise.freezes
        ],
    )


def _accepted(members: dict[Path, Value]) -> list[Path]:
    """What the provider promises itself about hand-overs; nothing in a client's terms."""
    return sorted(path for path in members if path[0] == "acceptance")


def _pairs(members: dict[Path, Value], paths: Sequence[Path]) -> list[Pair]:
    return [(label_of(path), value_words(path, members.get(path))) for path in paths]


def _level(members: dict[Path, Value], priority: str) -> Line:
    targets = [target_words(members.get(("target", priority, clock.value))) for clock in ClockKind]
    return [priority, *targets, around_words(members.get(("around_the_clock", priority)))]


def _weekday(members: dict[Path, Value], weekday: str) -> Line:
    hours = spans_words(members.get(("hours", weekday)))
    window = members.get(("window", weekday))
    always = _("around the clock") if ("always",) in members else hours
    return [WEEKDAY_WORDS[weekday], always, joined(window) if window else "–"]


def _special_days(members: dict[Path, Value]) -> list[Line]:
    days = sorted((path[1], value) for path, value in members.items() if path[0] == "special_day")
    return [[short_day(date.fromisoformat(on)), spans_words(value)] for on, value in days]


def _holidays(terms: dict[str, Any], members: dict[Path, Value]) -> list[tuple[str, list[str]]]:
    own = {date.fromisoformat(path[1]): name for path, name in members.items() if path[0] == "holiday"}
    known = names_of_days(holiday_country(terms), own)
    days = [(on, own[on] or known.get(on, "")) for on in sorted(own)]
    return [
        (year, [f"{short_day(on)}: {name}" if name else short_day(on) for on, name in group])
        for year, group in groupby(days, key=lambda day: f"{day[0]:%Y}")
    ]


def _action(promise: Promise, index: int) -> Line:
    action = promise.actions[index]
    label = label_of(("action", str(action.at_percent)))
    return [label, notify_words(action), action.hand_to or _("nobody")]


def _credits(promise: Promise) -> list[Line]:
    table = promise.credits.table if promise.credits else ()
    clocks = tuple(ClockKind)
    steps = sorted(table, key=lambda step: (clocks.index(step.clock), -step.below_percent))
    return [
        [
            CLOCK_WORDS[step.clock],
            _("below %(share)s", share=percent_words(step.below_percent)),
            fee_words(step.credit_percent),
        ]
        for step in steps
    ]
