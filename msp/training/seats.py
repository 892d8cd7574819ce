"""Who is invited to a class, what they answer, and who came."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from msp.training.models import TrainingClass, TrainingSeat
from msp.training.rules import MOST_SEATS
from msp.training.services import hold_row, may_run, noted, tell
from tenants.foundation.actor import Actor
from tenants.foundation.db import among, db
from tenants.foundation.errors import Conflict, Forbidden, Invalid
from tenants.foundation.permissions import Permission
from tenants.people.models import Membership


def invite_people(row: TrainingClass, user_ids: Collection[int], *, by: Actor, at: datetime) -> int:
    """Invite people of the client; who is invited already stays so. Returns how many are new.

    Raises Invalid on `people`, Conflict once it has begun or is over, Forbidden.
    """
    if not by.may(Permission.MANAGE_TRAINING):
        raise Forbidden
    hold_row(row)
    if row.state != "planned" or row.begins_at <= at:
        raise Conflict(_l("This class has begun or is over: nobody is invited any more."))
    people = _members(row, user_ids)
    if not people:
        raise Invalid("people", _l("Choose at least one person."))
    names = _sit_down(row, people, invited_at=at, invited_sequence=row.sequence)
    if _count(row) > MOST_SEATS:
        raise Invalid("people", _l("A class has at most 500 people."))
    if names:
        noted(row, "invited", by=by, at=at, count=len(names), people=sorted(names)[:20])
        tell(row)
    return len(names)


def answer_invitation(row: TrainingClass, *, yes: bool, by: Actor, at: datetime) -> None:
    """One's own answer, given again as often as one likes until it begins; the same again is nothing.

    Raises Conflict once it has begun or is over, Forbidden for whoever is not invited.
    """
    if row.state != "planned" or row.begins_at <= at:
        raise Conflict(_l("This class has begun or is over: there is nothing to answer any more."))
    mine = (
        TrainingSeat.tenant_id == row.tenant_id,
        TrainingSeat.class_id == row.id,
        TrainingSeat.user_id == by.id,
        TrainingSeat.invited_at.is_not(None),
    )
    answer = "yes" if yes else "no"
    said = update(TrainingSeat).where(*mine, TrainingSeat.answer != answer)
    if db.session.scalars(
        said.values(answer=answer, answered_at=at).returning(TrainingSeat.id)
    ).one_or_none():
        noted(row, "answered", by=by, at=at, answer=answer)
    elif db.session.scalar(select(TrainingSeat.id).where(*mine)) is None:
        raise Forbidden


def hold_class(row: TrainingClass, came: Collection[int], *, by: Actor, at: datetime) -> None:
    """Write down who came, also people whom nobody invited; the class is held then, and may be corrected later.

    Raises Invalid on `people`, Conflict before it begins and where it was cancelled, Forbidden.
    """
    if not may_run(row, by):
        raise Forbidden
    hold_row(row)
    if row.state == "cancelled" or row.begins_at > at:
        raise Conflict(_l("Attendance is written down once the class has begun, and not of a cancelled one."))
    if not came:
        raise Invalid("people", _l("Tick who came. If nobody came, cancel the class instead."))
    _sit_down(row, _members(row, came, but_seated=True))
    if _count(row) > MOST_SEATS:
        raise Invalid("people", _l("A class has at most 500 people."))
    mine = (TrainingSeat.tenant_id == row.tenant_id, TrainingSeat.class_id == row.id)
    db.session.execute(update(TrainingSeat).where(*mine).values(came=among(TrainingSeat.user_id, came)))
    again = row.state == "held"
    row.state, row.remind_at = "held", None
    row.over_at, row.changed_at = row.over_at or at, at
    db.session.flush()
    noted(row, "attendance_corrected" if again else "held", by=by, at=at, came=len(set(came)))


def _members(row: TrainingClass, user_ids: Collection[int], *, but_seated: bool = False) -> list[Any]:
    """The client's active people among these. Raises Invalid for anybody else."""
    people = db.session.execute(
        select(Membership.user_id, Membership.name, Membership.email).where(
            Membership.tenant_id == row.tenant_id,
            Membership.state == "active",
            among(Membership.user_id, user_ids),
        )
    ).all()
    known = {one.user_id for one in people}
    if but_seated:
        mine = (TrainingSeat.tenant_id == row.tenant_id, TrainingSeat.class_id == row.id)
        known |= set(db.session.scalars(select(TrainingSeat.user_id).where(*mine)))
    if not set(user_ids) <= known:
        raise Invalid("people", _l("Choose people of this client."))
    return list(people)


def _sit_down(row: TrainingClass, people: Collection[Any], **more: Any) -> list[str]:
    """Seats for those who have none, in one statement; their names."""
    if not people:
        return []
    seats = [
        {
            "tenant_id": row.tenant_id,
            "class_id": row.id,
            "user_id": one.user_id,
            "name": one.name,
            "email": one.email,
            "invited_sequence": 0,
            "answer": "none",
            **more,
        }
        for one in people
    ]
    made = insert(TrainingSeat).values(seats).on_conflict_do_nothing().returning(TrainingSeat.name)
    return list(db.session.scalars(made))


def _count(row: TrainingClass) -> int:
    mine = (TrainingSeat.tenant_id == row.tenant_id, TrainingSeat.class_id == row.id)
    return db.session.scalar(select(func.count(TrainingSeat.id)).where(*mine)) or 0
