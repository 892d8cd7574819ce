"""What a version promises beside its clocks: warnings that act, credits, days, windows; each member may be left out.

```
{"actions": [{"at_percent": 75, "notify": ["assignee"], "hand_to": null},
             {"at_percent": 100, "notify": ["assignee", "lead"], "hand_to": "L2"}],
 "credits": null | {"table": [{"clock": "resolution", "below_percent": 95, "credit_percent": 5}, …], "cap_percent": 20},
 "auto_close_days": 7, "reopen_days": 14, "statement_day": 3, "maintenance": "shown" | "excluded",
 "included_hours": null, "patch_promise_days": null, "country": "ID", "holiday_names": {"2027-03-12": "…"},
 "windows": [{"weekday": "saturday", "from": "22:00", "to": "04:00"}],
 "freezes": [{"from": "2026-12-20", "to": "2027-01-03", "name": "Year end"}]}
```
A member left out has its default; null means never, none or no limit. 100 percent is the miss.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import combinations

from contracts.clock.calendar import WeeklyHours, weekly_clashes
from contracts.clock.calendar_document import read_weekly_hours
from contracts.clock.document import Members, Reader, T, read_date, read_object, whole_number
from contracts.clock.faults import Faults
from contracts.clock.history import ClockKind

MISS = 100
TIERS = ("L1", "L2", "L3")
LONGEST_NAME = 120
MOST_DAYS, MOST_HOURS, LONGEST_PROMISE = 90, 10_000, 365
PERCENT = whole_number(1, 100)
_COUNTRY = re.compile(r"[A-Z]{2}", re.ASCII)


class Notified(StrEnum):
    """Whom a warning or a miss tells: who holds the ticket, the lead of that tier, the client's administrators."""

    ASSIGNEE = "assignee"
    LEAD = "lead"
    ADMINS = "admins"


class MaintenanceRule(StrEnum):
    """Whether planned maintenance inside a window only stands apart in figures, or is left out of them."""

    SHOWN = "shown"
    EXCLUDED = "excluded"


@dataclass(frozen=True)
class Action:
    """What a warning, or the miss at 100 percent, does; `hand_to` is a tier or None."""

    at_percent: int
    notify: tuple[Notified, ...]
    hand_to: str | None = None


@dataclass(frozen=True)
class CreditStep:
    """Below this attainment of a clock the client is owed this share of the monthly fee."""

    clock: ClockKind
    below_percent: int
    credit_percent: int


@dataclass(frozen=True)
class Credits:
    """The steps, and the most that one month can give back, in percent of the monthly fee."""

    table: tuple[CreditStep, ...]
    cap_percent: int


@dataclass(frozen=True)
class Freeze:
    """Days, both included and of the contract's zone, on which nothing is changed at the client's."""

    first_on: date
    last_on: date
    name: str


@dataclass(frozen=True)
class Promise:
    """The read members. `actions` has one for every warning and for the miss, ascending, defaults filled in.

    `auto_close_days` are working days after resolving (R23), `reopen_days` calendar days after closing; `windows` are
    in the contract's zone; `country` is whose holidays the calendar began with, `holiday_names` what staff called days
    of their own.
    """

    actions: tuple[Action, ...]
    credits: Credits | None
    auto_close_days: int | None
    reopen_days: int | None
    statement_day: int
    maintenance: MaintenanceRule
    included_hours: int | None
    patch_promise_days: int | None
    windows: tuple[WeeklyHours, ...]
    freezes: tuple[Freeze, ...]
    country: str | None
    holiday_names: tuple[tuple[date, str], ...]

    def action_at(self, percent: int) -> Action:
        """What happens at a warning's percentage, or at 100 for the miss."""
        found = [action for action in self.actions if action.at_percent == percent]
        return found[0] if found else _default_action(percent)


MEMBERS = tuple(Promise.__dataclass_fields__)


def promise_of(members: Members, warnings: Sequence[int]) -> Promise | None:
    """Read what these members promise beside the clocks, whose warnings come at these percentages; None for faults."""
    before = len(members.faults)
    days = whole_number(1, MOST_DAYS)
    promise = Promise(
        actions=_actions(members, warnings),
        credits=members.take_optional("credits", _read_credits),
        auto_close_days=_default(members, "auto_close_days", days, 7),
        reopen_days=_default(members, "reopen_days", days, 14),
        statement_day=members.take_optional("statement_day", whole_number(1, 28)) or 3,
        maintenance=MaintenanceRule(
            members.take_optional("maintenance", one_of(tuple(MaintenanceRule))) or MaintenanceRule.SHOWN
        ),
        included_hours=members.take_optional("included_hours", whole_number(0, MOST_HOURS)),
        patch_promise_days=members.take_optional("patch_promise_days", whole_number(1, LONGEST_PROMISE)),
        windows=_windows(members),
        freezes=tuple(freeze for _, freeze in members.take_list("freezes", _read_freeze)),
        country=members.take_optional("country", _read_country),
        holiday_names=members.take_optional("holiday_names", _read_names) or (),
    )
    return promise if len(members.faults) == before else None


def _default(members: Members, name: str, reader: Reader[T], default: T) -> T | None:
    """A member whose absence means its default, and whose null means never."""
    return members.take_optional(name, reader) if name in members.values else default


def one_of(words: Sequence[str]) -> Reader[str]:
    """Return a reader of one of these words."""

    def read(value: object, field: str, faults: Faults) -> str | None:
        if isinstance(value, str) and value in words:
            return value
        faults.add(field, "not_one_of")
        return None

    return read


# -- actions ----------------------------------------------------------------------------------------------


def _actions(members: Members, warnings: Sequence[int]) -> tuple[Action, ...]:
    """An action for each warning and for the miss: those given, and the defaults of the others."""
    percents = sorted({*warnings, MISS})
    given: dict[int, Action] = {}
    for place, action in members.take_list("actions", _read_action):
        field = f"actions.{place}.at_percent"
        if action.at_percent not in percents:
            members.faults.add(field, "not_a_warning")
        if action.at_percent in given:
            members.faults.add(field, "duplicate")
        given[action.at_percent] = action
    return tuple(given.get(percent) or _default_action(percent) for percent in percents)


def _default_action(percent: int) -> Action:
    told = (Notified.ASSIGNEE, Notified.LEAD) if percent == MISS else (Notified.ASSIGNEE,)
    return Action(percent, told)


def _read_action(value: object, field: str, faults: Faults) -> Action | None:
    members = read_object(value, field, faults, required=["at_percent", "notify"], optional=["hand_to"])
    if members is None:
        return None
    percent = members.take("at_percent", PERCENT)
    told = [word for _, word in members.take_list("notify", one_of(tuple(Notified)))]
    tier = members.take_optional("hand_to", one_of(TIERS))
    return None if percent is None else Action(percent, tuple(map(Notified, dict.fromkeys(told))), tier)


# -- credits ----------------------------------------------------------------------------------------------


def _read_credits(value: object, field: str, faults: Faults) -> Credits | None:
    members = read_object(value, field, faults, required=["table", "cap_percent"])
    if members is None:
        return None
    steps = members.take_list("table", _read_step)
    cap = members.take("cap_percent", PERCENT)
    if members.values.get("table") == []:
        faults.add(f"{field}.table", "empty_list")
    for earlier, later in combinations(steps, 2):
        _compare_steps(earlier[1], later[1], f"{field}.table.{later[0]}", faults)
    return None if cap is None else Credits(tuple(step for _, step in steps), cap)


def _read_step(value: object, field: str, faults: Faults) -> CreditStep | None:
    members = read_object(value, field, faults, required=["clock", "below_percent", "credit_percent"])
    if members is None:
        return None
    clock = members.take("clock", one_of(tuple(ClockKind)))
    below = members.take("below_percent", PERCENT)
    credit = members.take("credit_percent", PERCENT)
    if clock is None or below is None or credit is None:
        return None
    return CreditStep(ClockKind(clock), below, credit)


def _compare_steps(one: CreditStep, other: CreditStep, field: str, faults: Faults) -> None:
    """Steps of one clock differ, and the lower attainment never gives the smaller credit."""
    if one.clock != other.clock:
        return
    if one.below_percent == other.below_percent:
        faults.add(f"{field}.below_percent", "duplicate")
    elif (one.below_percent - other.below_percent) * (one.credit_percent - other.credit_percent) > 0:
        faults.add(f"{field}.credit_percent", "smaller_credit")


# -- windows, freezes, holidays ---------------------------------------------------------------------------


def _windows(members: Members) -> tuple[WeeklyHours, ...]:
    windows = members.take_list("windows", read_weekly_hours)
    members.faults.extend(weekly_clashes(windows, "windows"))
    return tuple(window for _, window in windows)


def _read_freeze(value: object, field: str, faults: Faults) -> Freeze | None:
    members = read_object(value, field, faults, required=["from", "to", "name"])
    if members is None:
        return None
    first, last = members.take("from", read_date), members.take("to", read_date)
    name = members.take("name", _read_name)
    if first is None or last is None or name is None:
        return None
    if last < first:
        faults.add(f"{field}.to", "ends_before_it_begins")
        return None
    return Freeze(first, last, name)


def _read_name(value: object, field: str, faults: Faults) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    if 1 <= len(text) <= LONGEST_NAME and not any(ord(one) < 32 or ord(one) == 127 for one in text):
        return text
    faults.add(field, "not_a_name", most=LONGEST_NAME)
    return None


def _read_country(value: object, field: str, faults: Faults) -> str | None:
    if isinstance(value, str) and _COUNTRY.fullmatch(value):
        return value
    faults.add(field, "not_a_country")
    return None


def _read_names(value: object, field: str, faults: Faults) -> tuple[tuple[date, str], ...] | None:
    if not isinstance(value, dict):
        faults.add(field, "not_an_object")
        return None
    read = [_named_day(on, name, f"{field}.{on}", faults) for on, name in value.items()]
    return tuple(sorted(pair for pair in read if pair is not None))


def _named_day(on: object, name: object, field: str, faults: Faults) -> tuple[date, str] | None:
    day, text = read_date(on, field, faults), _read_name(name, field, faults)
    return None if day is None or text is None else (day, text)
