"""Planning duty: single shifts, weekly patterns that lay shifts out, and absences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select

from msp.staff.checks import (
    LONGEST_NOTE,
    audited,
    check_days,
    check_duty,
    check_span,
    check_zone,
    one_line,
)
from msp.staff.patterns import LONGEST_SPAN, Pattern, countries, holidays_of, spans_of, whole_days
from msp.staff.roster_models import NO_OVERLAP, Absence, Shift, ShiftPattern
from msp.staff.rules import ABSENCES
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.spans import Span
from tenants.people.models import StaffMember
from tenants.tenancy.clashes import naming_clashes
from tenants.tickets.rules import may_hold

LONGEST_ABSENCE = timedelta(days=366)
TOO_LONG = _l("A note has at most 200 characters.")
OVERLAPS = _l("This person is on duty at that time already.")
CLASHES = {NO_OVERLAP: ("begins_at", OVERLAPS)}
AWAY = _l("This person is away at that time.")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What is said of a shift, besides when it is."""

    person: StaffMember
    kind: str
    tier: str
    time_zone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What came of a pattern: how many shifts, and which days were left out because of what."""

    pattern: ShiftPattern
    count: int
    on_holidays: tuple[date, ...]
    away: tuple[date, ...]
    taken: tuple[date, ...]


def add_shift(said: Planned, begins_at: datetime, ends_at: datetime, *, by: Actor, at: datetime) -> Shift:
    """Plan one shift. Raises Invalid naming what is unfit, `begins_at` where it overlaps another of the person."""
    shift = Shift(created_by=by.name, created_at=at)
    _check_shift(said, begins_at, ends_at)
    # PostgreSQL decides whether it overlaps: two who plan at once cannot both be right.
    with naming_clashes(CLASHES):
        _fill(shift, said, begins_at, ends_at)
        db.session.add(shift)
    audited("shift.add", f"shift:{shift.public_id}", by, at, **_detail(shift))
    return shift


def change_shift(
    shift: Shift, said: Planned, begins_at: datetime, ends_at: datetime, *, by: Actor, at: datetime
) -> None:
    """Plan a shift differently. Raises Invalid."""
    before = _detail(shift)
    _check_shift(said, begins_at, ends_at)
    with naming_clashes(CLASHES):
        _fill(shift, said, begins_at, ends_at)
        shift.pattern_id = None
    audited("shift.change", f"shift:{shift.public_id}", by, at, before=before, after=_detail(shift))


def remove_shift(shift: Shift, *, by: Actor, at: datetime) -> None:
    """Take a shift out of the roster."""
    object_, detail = f"shift:{shift.public_id}", _detail(shift)
    db.session.delete(shift)
    audited("shift.remove", object_, by, at, **detail)


def _check_shift(said: Planned, begins_at: datetime, ends_at: datetime) -> None:
    _check(said)
    check_span(begins_at, ends_at)
    if _absences(said.person.user_id, begins_at, ends_at):
        raise Invalid("begins_at", AWAY)


def _fill(shift: Shift, said: Planned, begins_at: datetime, ends_at: datetime) -> None:
    shift.user_id, shift.kind, shift.tier = said.person.user_id, said.kind, said.tier
    shift.begins_at, shift.ends_at, shift.time_zone = begins_at, ends_at, said.time_zone
    shift.note = one_line(said.note, "note", LONGEST_NOTE, TOO_LONG, required=False)


def _check(said: Planned) -> None:
    check_zone(said.time_zone)
    check_duty(said.kind, said.tier)
    if not may_hold(said.person.tier, said.tier):
        raise Invalid(
            "tier",
            _l(
                "%(name)s works in %(own)s and cannot stand in for %(tier)s.",
                name=said.person.name,
                own=said.person.tier,
                tier=said.tier,
            ),
        )


def _absences(user_id: int, begins_at: datetime, ends_at: datetime) -> Sequence[Absence]:
    overlapping = select(Absence).where(
        Absence.user_id == user_id, Absence.begins_at < ends_at, Absence.ends_at > begins_at
    )
    return db.session.scalars(overlapping.order_by(Absence.begins_at)).all()


def add_pattern(said: Planned, pattern: Pattern, *, country: str = "", by: Actor, at: datetime) -> LaidOut:
    """Lay a pattern's shifts out. Days that are holidays, of absence or taken already are left out and told.

    Raises Invalid naming what is unfit, also where no day is left.
    """
    _check(said)
    check_days(pattern.first_on, pattern.last_on, LONGEST_SPAN)
    if country and country not in countries():
        raise Invalid("country", _l("Choose a country from the list."))
    row = _pattern_row(said, pattern, country, by, at)
    db.session.add(row)
    db.session.flush()
    found = _lay_out(row, said, pattern, by, at)
    if not found.count:
        raise Invalid(
            "weekdays", _l("No day is left: all of them are holidays, of absence, or taken already.")
        )
    told = {"days": found.count, "left_out": len(found.on_holidays + found.away + found.taken)}
    audited("shift_pattern.add", f"shift_pattern:{row.public_id}", by, at, rule=row.rule, **told)
    return found


def _pattern_row(said: Planned, pattern: Pattern, country: str, by: Actor, at: datetime) -> ShiftPattern:
    return ShiftPattern(
        user_id=said.person.user_id,
        kind=said.kind,
        tier=said.tier,
        rule=pattern.rule,
        first_on=pattern.first_on,
        last_on=pattern.last_on,
        starts_at=pattern.starts_at.strftime("%H:%M"),
        ends_at=pattern.ends_at.strftime("%H:%M"),
        time_zone=pattern.time_zone,
        country=country,
        created_by=by.name,
        created_at=at,
    )


def _lay_out(row: ShiftPattern, said: Planned, pattern: Pattern, by: Actor, at: datetime) -> LaidOut:
    resting = holidays_of(row.country, row.first_on, row.last_on) if row.kind != "on_call" else frozenset()
    spans = list(spans_of(pattern))
    working = [(on, span) for on, span in spans if on not in resting]
    lie = _busy(said.person.user_id, [span for _on, span in working])
    away = [on for on, span in working if _hits(span, lie["away"])]
    taken = [on for on, span in working if on not in away and _hits(span, lie["taken"])]
    left = [span for on, span in working if on not in {*away, *taken}]
    with naming_clashes({NO_OVERLAP: ("starts_at", OVERLAPS)}):
        db.session.add_all(_shift_of(row, *span, by, at) for span in left)
    on_holidays = tuple(on for on, _span in spans if on in resting)
    return LaidOut(row, len(left), on_holidays, tuple(away), tuple(taken))


def _shift_of(row: ShiftPattern, begins_at: datetime, ends_at: datetime, by: Actor, at: datetime) -> Shift:
    return Shift(
        user_id=row.user_id,
        begins_at=begins_at,
        ends_at=ends_at,
        time_zone=row.time_zone,
        kind=row.kind,
        tier=row.tier,
        pattern_id=row.id,
        created_by=by.name,
        created_at=at,
    )


def _busy(user_id: int, spans: Sequence[Span]) -> dict[str, list[Span]]:
    """When the person is away or on duty already, around these spans: two statements."""
    if not spans:
        return {"away": [], "taken": []}
    begin, end = spans[0][0], max(span[1] for span in spans)
    planned = select(Shift.begins_at, Shift.ends_at).where(
        Shift.user_id == user_id, Shift.begins_at < end, Shift.ends_at > begin
    )
    return {
        "away": [(one.begins_at, one.ends_at) for one in _absences(user_id, begin, end)],
        "taken": [(one.begins_at, one.ends_at) for one in db.session.execute(planned)],
    }


def _hits(span: Span, others: Sequence[Span]) -> bool:
    return any(begin < span[1] and end > span[0] for begin, end in others)


def end_pattern(row: ShiftPattern, *, by: Actor, at: datetime) -> int:
    """Take the pattern's shifts that have not begun out of the roster; returns how many. What was stays."""
    gone = delete(Shift).where(Shift.pattern_id == row.id, Shift.begins_at > at).returning(Shift.id)
    count = len(db.session.execute(gone).all())
    object_ = f"shift_pattern:{row.public_id}"
    db.session.delete(row)
    audited("shift_pattern.end", object_, by, at, shifts=count)
    return count


def add_absence(
    person: StaffMember,
    kind: str,
    first_on: date,
    last_on: date,
    time_zone: str,
    *,
    note: str = "",
    by: Actor,
    at: datetime,
) -> tuple[Absence, int]:
    """Note that somebody is not there; also how many of their shifts fall into it, for others to be found.

    Raises Invalid naming what is unfit.
    """
    if kind not in ABSENCES:
        raise Invalid("kind", _l("Choose leave or sickness."))
    check_zone(time_zone)
    check_days(first_on, last_on, LONGEST_ABSENCE)
    words = one_line(note, "note", LONGEST_NOTE, TOO_LONG, required=False)
    begin, end = whole_days(first_on, last_on, time_zone)
    if _absences(person.user_id, begin, end):
        raise Invalid("first_on", AWAY)
    row = Absence(
        user_id=person.user_id,
        kind=kind,
        begins_at=begin,
        ends_at=end,
        time_zone=time_zone,
        note=words,
        created_by=by.name,
        created_at=at,
    )
    db.session.add(row)
    detail = {"kind": kind, "first_on": first_on.isoformat(), "last_on": last_on.isoformat()}
    audited("absence.add", f"staff:{person.public_id}", by, at, **detail)
    return row, _count_shifts(person.user_id, begin, end)


def _count_shifts(user_id: int, begin: datetime, end: datetime) -> int:
    within = select(func.count(Shift.id)).where(
        Shift.user_id == user_id, Shift.begins_at < end, Shift.ends_at > begin
    )
    return db.session.scalar(within) or 0


def remove_absence(row: Absence, *, by: Actor, at: datetime) -> None:
    """The person is there after all."""
    object_, kind = f"absence:{row.public_id}", row.kind
    db.session.delete(row)
    audited("absence.remove", object_, by, at, kind=kind)


def _detail(shift: Shift) -> dict[str, Any]:
    return {
        "person": shift.user_id,
        "from": shift.begins_at.isoformat(),
        "to": shift.ends_at.isoformat(),
        "kind": shift.kind,
        "tier": shift.tier,
    }
