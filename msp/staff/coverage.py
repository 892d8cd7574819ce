"""Where nobody of a tier is on duty although a contract promises service: the promises held against the roster."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from contracts.clock.calendar import ALWAYS, Calendar
from contracts.terms.document import calendar_of
from contracts.terms.queries import list_versions_in_force
from msp.staff.queries import away_spans
from msp.staff.roster_models import Absence, Shift
from msp.staff.rules import TIERS
from tenants.foundation.spans import Span, clipped, merged, without


def promised_spans(begin: datetime, end: datetime, *, at: datetime) -> list[Span]:
    """When some client in scope is promised service within `[begin, end)`: the hours of every contract in force.

    A contract that measures any priority around the clock needs somebody around the clock, if only on call.
    """
    calendars = {_calendar(version.terms) for version in list_versions_in_force(at)}
    return merged([span for one in calendars for span in one.open_spans(begin, end)])


def _calendar(terms: dict[str, Any]) -> Calendar:
    levels = terms.get("service_levels", {})
    return ALWAYS if any(level.get("always") for level in levels.values()) else calendar_of(terms)


def gaps(
    promised: Sequence[Span],
    shifts: Sequence[Shift],
    absences: Sequence[Absence],
    begin: datetime,
    end: datetime,
) -> dict[str, list[Span]]:
    """By tier, the promised moments in which nobody is planned for it, or only people who are away."""
    away = away_spans(absences)
    found = {}
    for tier in TIERS:
        planned = [
            span
            for one in shifts
            if one.tier == tier
            for span in without([(one.begins_at, one.ends_at)], away.get(one.user_id, []))
        ]
        found[tier] = clipped(without(promised, planned), begin, end)
    return found
