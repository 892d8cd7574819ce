"""A version's terms as a JSON document, read strictly into what the clock understands.

```
{"calendar": {…} | "always",
 "service_levels": {"P1": {"response_minutes": 30, "update_minutes": 60, "resolution_minutes": 240, "always": true}, …},
 "pause_reasons": {"response": [], "update": [], "resolution": ["requester"]},
 "reopen": "continue", "change": "from_creation", "update_start": "requester_reply", "warn_at_percent": [50, 75, 90]}
```
`always` measures that priority around the clock. A target left out or null is not promised. What may stand beside these
members is in `promise.py`; documents written before it was there are read with its defaults.
"""

import json
from functools import lru_cache
from typing import Any

from contracts.clock.calendar import ALWAYS, Calendar
from contracts.clock.calendar_document import read_calendar
from contracts.clock.document import Members, read_object, whole_number
from contracts.clock.faults import Faults, Invalid
from contracts.clock.history import ClockKind, Terms
from contracts.clock.maintenance import MaintenanceTerms
from contracts.clock.track import ChangeRule, ClockRules, ReopenRule, Target, UpdateStart
from contracts.terms import ola
from contracts.terms.promise import MEMBERS as PROMISED
from contracts.terms.promise import PERCENT, MaintenanceRule, Promise, one_of, promise_of

PRIORITIES = ("P1", "P2", "P3", "P4")
PAUSE_REASONS = ("requester", "vendor", "part", "visit", "change")
LONGEST_TARGET = 5_256_000
_MINUTES = whole_number(1, LONGEST_TARGET)
_LEVEL = tuple(f"{kind}_minutes" for kind in ClockKind)
_MEMBERS = ("service_levels", "pause_reasons", "reopen", "change", "update_start", "warn_at_percent")


class TermsInvalid(Invalid):
    """Terms that cannot be used; `errors` names the fields."""


def default_terms(time_zone: str) -> dict[str, Any]:
    """Terms to begin with: weekdays 08:00 to 17:00, P1 around the clock, waiting for the requester pauses solving."""
    week = ("monday", "tuesday", "wednesday", "thursday", "friday")
    levels = {
        "P1": (30, 240, True),
        "P2": (60, 480, False),
        "P3": (240, 1440, False),
        "P4": (480, 2880, False),
    }
    return {
        "calendar": {
            "time_zone": time_zone,
            "hours": [{"weekday": day, "from": "08:00", "to": "17:00"} for day in week],
            "holidays": [],
            "special_days": [],
        },
        "service_levels": {
            name: {"response_minutes": response, "resolution_minutes": resolution, "always": always}
            for name, (response, resolution, always) in levels.items()
        },
        "pause_reasons": {"response": [], "update": [], "resolution": ["requester"]},
        "reopen": "continue",
        "change": "from_creation",
        "update_start": "requester_reply",
        "warn_at_percent": [50, 75, 90],
    }


def read_terms(document: dict[str, Any]) -> Terms:
    """What the clock understands of a document. Raises TermsInvalid naming every field at fault."""
    return _read_cached(json.dumps(document, sort_keys=True))[0]


def read_promise(document: dict[str, Any]) -> Promise:
    """What a document promises beside its clocks. Raises TermsInvalid naming every field at fault."""
    return _read_cached(json.dumps(document, sort_keys=True))[1]


def calendar_of(document: dict[str, Any]) -> Calendar:
    """The calendar of a document that was read before."""
    found = read_calendar(document["calendar"], "calendar", Faults())
    assert found is not None
    return found


@lru_cache(maxsize=512)
def _read_cached(text: str) -> tuple[Terms, Promise]:
    """Versions never change, so one reading serves every ticket that is measured by it."""
    faults = Faults()
    known = [*PROMISED, ola.MEMBER]
    members = read_object(json.loads(text), "", faults, required=["calendar", *_MEMBERS], optional=known)
    percents = _percents(members) if members else []
    promise = promise_of(members, percents) if members else None
    terms = _terms(members, percents, promise) if members else None
    if members:
        members.take_optional(ola.MEMBER, ola.read_ola)
    if faults or terms is None or promise is None:
        raise TermsInvalid(faults)
    return terms, promise


def _percents(members: Members) -> list[int]:
    percents = [percent for _, percent in members.take_list("warn_at_percent", PERCENT)]
    if percents != sorted(set(percents)):
        members.faults.add("warn_at_percent", "not_ascending")
    return percents


def _terms(members: Members, percents: list[int], promise: Promise | None) -> Terms | None:
    calendar = members.take("calendar", read_calendar)
    levels = members.take("service_levels", _read_levels)
    reasons = members.take("pause_reasons", _read_pause_reasons)
    reopen = members.take("reopen", one_of(tuple(ReopenRule)))
    change = members.take("change", one_of(tuple(ChangeRule)))
    start = members.take("update_start", one_of(tuple(UpdateStart)))
    if None in (calendar, levels, reasons, reopen, change, start) or members.faults:
        return None
    assert calendar and levels is not None and reasons is not None and reopen and change and start
    maintenance = _maintenance(promise, calendar)
    rules = {
        kind: ClockRules(
            targets=_targets(levels, kind, calendar),
            pause_reasons=frozenset(reasons[kind]),
            reopen=ReopenRule(reopen),
            change=ChangeRule(change),
            update_start=UpdateStart(start),
            warn_at_percent=tuple(percents),
            maintenance=maintenance,
        )
        for kind in ClockKind
    }
    return Terms(rules[ClockKind.RESPONSE], rules[ClockKind.UPDATE], rules[ClockKind.RESOLUTION])


def _maintenance(promise: Promise | None, calendar: Calendar) -> MaintenanceTerms:
    """Left out inside the agreed windows; any planned time where there are none.

    Windows beside a calendar that never closes have no zone of their own here: then all that was planned counts.
    """
    if promise is None or promise.maintenance is not MaintenanceRule.EXCLUDED:
        return MaintenanceTerms()
    if not promise.windows or calendar == ALWAYS:
        return MaintenanceTerms(is_excluded=True)
    return MaintenanceTerms(True, Calendar(calendar.time_zone, promise.windows))


def _targets(levels: dict[str, dict[str, Any]], kind: ClockKind, calendar: Calendar) -> dict[str, Target]:
    return {
        priority: Target(level[f"{kind}_minutes"] * 60, ALWAYS if level.get("always") else calendar)
        for priority, level in levels.items()
        if level.get(f"{kind}_minutes")
    }


def _read_levels(value: object, field: str, faults: Faults) -> dict[str, dict[str, Any]] | None:
    members = read_object(value, field, faults, required=PRIORITIES)
    if members is None:
        return None
    read = {name: members.take(name, _read_level) for name in PRIORITIES}
    return {name: level for name, level in read.items() if level is not None}


def _read_level(value: object, field: str, faults: Faults) -> dict[str, Any] | None:
    members = read_object(value, field, faults, required=[], optional=[*_LEVEL, "always"])
    if members is None:
        return None
    level: dict[str, Any] = {name: members.take_optional(name, _MINUTES) for name in _LEVEL}
    return level | {"always": members.take_optional("always", _read_flag) or False}


def _read_flag(value: object, field: str, faults: Faults) -> bool | None:
    if isinstance(value, bool):
        return value
    faults.add(field, "not_a_flag")
    return None


def _read_pause_reasons(value: object, field: str, faults: Faults) -> dict[str, list[str]] | None:
    members = read_object(value, field, faults, required=[kind.value for kind in ClockKind])
    if members is None:
        return None
    return {kind: [one for _, one in members.take_list(kind, one_of(PAUSE_REASONS))] for kind in ClockKind}
