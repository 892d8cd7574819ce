"""Who is on duty when; the number of statements does not depend on how many people there are."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from msp.staff.roster_models import Absence, Shift, ShiftPattern
from msp.staff.rules import Duty
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.spans import Span
from tenants.people.models import StaffMember
from tenants.people.queries import list_staff
from tenants.tenancy.queries import as_uuid

Row = TypeVar("Row", Shift, Absence, ShiftPattern)


def people_by_id() -> dict[int, StaffMember]:
    """The provider's active people by account, in order of their names."""
    return {one.user_id: one for one in list_staff()}


def _find(model: type[Row], public_id: str) -> Row:
    found = db.session.scalar(select(model).where(model.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def find_shift(public_id: str) -> Shift:
    """A shift. Raises NotFound."""
    return _find(Shift, public_id)


def find_absence(public_id: str) -> Absence:
    """An absence. Raises NotFound."""
    return _find(Absence, public_id)


def find_pattern(public_id: str) -> ShiftPattern:
    """A pattern. Raises NotFound."""
    return _find(ShiftPattern, public_id)


def list_patterns() -> list[ShiftPattern]:
    """Patterns, the latest first."""
    return list(
        db.session.scalars(select(ShiftPattern).order_by(ShiftPattern.first_on.desc(), ShiftPattern.id))
    )


def list_shifts(begin: datetime, end: datetime, user_id: int | None = None) -> list[Shift]:
    """Shifts that overlap `[begin, end)`, in order."""
    found = select(Shift).where(Shift.begins_at < end, Shift.ends_at > begin)
    if user_id is not None:
        found = found.where(Shift.user_id == user_id)
    return list(db.session.scalars(found.order_by(Shift.begins_at, Shift.tier, Shift.id)))


def list_absences(begin: datetime, end: datetime, user_id: int | None = None) -> list[Absence]:
    """Absences that overlap `[begin, end)`, in order."""
    found = select(Absence).where(Absence.begins_at < end, Absence.ends_at > begin)
    if user_id is not None:
        found = found.where(Absence.user_id == user_id)
    return list(db.session.scalars(found.order_by(Absence.begins_at, Absence.id)))


def away_spans(absences: Sequence[Absence]) -> dict[int, list[Span]]:
    """By person, when they are away."""
    found: dict[int, list[Span]] = {}
    for one in absences:
        found.setdefault(one.user_id, []).append((one.begins_at, one.ends_at))
    return found


def list_on_duty(at: datetime) -> list[Shift]:
    """Shifts that are running, without those of people who are away: shifts first, then on call."""
    running = list_shifts_at(at)
    away = {one.user_id for one in list_absences_at(at)}
    present = [one for one in running if one.user_id not in away]
    return sorted(present, key=lambda one: (one.tier, one.kind != "shift", one.begins_at, one.id))


def list_shifts_at(at: datetime) -> list[Shift]:
    """Shifts that are running at a moment, absent people's among them."""
    return list(db.session.scalars(select(Shift).where(Shift.begins_at <= at, Shift.ends_at > at)))


def list_absences_at(at: datetime) -> list[Absence]:
    """Absences that are running at a moment."""
    return list(db.session.scalars(select(Absence).where(Absence.begins_at <= at, Absence.ends_at > at)))


def next_duties(user_ids: Sequence[int], at: datetime) -> dict[int, Duty]:
    """By person, the first time on duty that begins after a moment."""
    first = (
        select(Shift.user_id, Shift.kind, Shift.begins_at, Shift.ends_at)
        .where(Shift.user_id.in_(user_ids), Shift.begins_at > at)
        .ext(distinct_on(Shift.user_id))
        .order_by(Shift.user_id, Shift.begins_at)
    )
    return {row.user_id: Duty(row.kind, row.begins_at, row.ends_at) for row in db.session.execute(first)}
