"""Classes: planned, changed, cancelled. Whoever is invited is told of each; calendars keep the latest sequence."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from msp.training.models import TrainingClass, TrainingSeat
from msp.training.rules import FARTHEST, LANGUAGES, LEAST_MINUTES, MOST_MINUTES, reminder_for
from tenants.assets.rules import is_link
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, Invalid, InvalidMany
from tenants.foundation.permissions import Permission
from tenants.foundation.work import request_work
from tenants.people.models import StaffMember
from tenants.people.queries import list_granted
from tenants.tickets.category_models import Category

SCHEMES = ("http", "https")
LONGEST_TITLE, LONGEST_TEACHES, LONGEST_PLACE, LONGEST_WHY = 160, 5000, 300, 500


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a class is about, when, where and with whom; `begins_at` is an aware moment."""

    title: str
    teaches: str
    language: str
    begins_at: datetime
    minutes: int
    time_zone: str
    place: str = ""
    link: str = ""
    site_id: int | None = None
    trainer_user_id: int | None = None


def plan_class(
    tenant_id: int,
    category: Category,
    plan: Plan,
    *,
    by: Actor,
    at: datetime,
    request_key: str | None = None,
) -> TrainingClass:
    """Plan a class; the same `request_key` again gives the one that is there. Raises InvalidMany, Forbidden."""
    if not by.may(Permission.MANAGE_TRAINING):
        raise Forbidden
    written = _checked(tenant_id, plan, at)
    values = {
        "tenant_id": tenant_id,
        "category_id": category.id,
        "state": "planned",
        "sequence": 0,
        "remind_at": reminder_for(plan.begins_at, at),
        "planned_by": by.name[:120],
        "planned_at": at,
        "changed_at": at,
        "request_key": request_key,
        **written,
    }
    made = insert(TrainingClass).values(public_id=uuid4(), why="", **values).on_conflict_do_nothing()
    class_id = db.session.scalar(made.returning(TrainingClass.id))
    mine = TrainingClass.id == class_id if class_id else TrainingClass.request_key == request_key
    row = db.session.scalars(select(TrainingClass).where(TrainingClass.tenant_id == tenant_id, mine)).one()
    if class_id is not None:
        noted(row, "planned", by=by, at=at, title=row.title, begins_at=row.begins_at.isoformat())
        tell(row)
    return row


def change_class(row: TrainingClass, plan: Plan, *, by: Actor, at: datetime, seen: int | None = None) -> None:
    """Another time, place, trainer or content; who answered before answers anew where the time is another.

    The same again changes nothing. Raises InvalidMany, Conflict where it is over or the page was old, Forbidden.
    """
    _hold_planned(row, by)
    if seen is not None and seen != row.sequence:
        raise Conflict(_l("Somebody changed this class in the meantime. Reload the page and look again."))
    written = _checked(row.tenant_id, plan, at)
    before = {name: getattr(row, name) for name in written}
    if before == written:
        return
    for name, value in written.items():
        setattr(row, name, value)
    row.sequence, row.changed_at = row.sequence + 1, at
    if before["begins_at"] != row.begins_at:
        row.remind_at = reminder_for(row.begins_at, at)
        _ask_anew(row)
    db.session.flush()
    changed = sorted(name for name in written if before[name] != written[name])
    noted(row, "changed", by=by, at=at, changed=changed, begins_at=row.begins_at.isoformat())
    is_new = before["trainer_user_id"] != row.trainer_user_id
    tell(row, left=before["trainer_user_id"] if is_new else None, is_new=is_new)


def cancel_class(row: TrainingClass, *, why: str, by: Actor, at: datetime) -> None:
    """It does not take place. Raises Invalid without a reason, Conflict where it is over, Forbidden."""
    _hold_planned(row, by)
    words = " ".join(why.split())
    if not 1 <= len(words) <= LONGEST_WHY or not words.isprintable():
        raise Invalid("why", _l("Say why it is cancelled, in at most 500 characters: the client reads it."))
    row.state, row.why, row.over_at, row.changed_at = "cancelled", words, at, at
    row.sequence, row.remind_at = row.sequence + 1, None
    db.session.flush()
    noted(row, "cancelled", by=by, at=at, reason=words)
    tell(row)


def may_run(row: TrainingClass, by: Actor) -> bool:
    """Whether somebody may write down who came and keep the materials: who plans classes, and its trainer."""
    return by.may(Permission.MANAGE_TRAINING) or (by.is_staff and row.trainer_user_id == by.id)


def hold_row(row: TrainingClass) -> None:
    """Lock a class and read it anew."""
    mine = (TrainingClass.tenant_id == row.tenant_id, TrainingClass.id == row.id)
    locked = select(TrainingClass).where(*mine).with_for_update()
    db.session.scalars(locked.execution_options(populate_existing=True)).one()


def noted(row: TrainingClass, what: str, *, by: Actor, at: datetime, **detail: Any) -> None:
    """The audit's line, which is also the class's history."""
    named = object_of(row)
    audit.record(f"training.{what}", tenant_id=row.tenant_id, by=by, object=named, at=at, detail=detail)


def object_of(row: TrainingClass) -> str:
    """What the audit calls a class."""
    return f"training class {row.public_id}"


def tell(row: TrainingClass, *, left: int | None = None, is_new: bool = False) -> None:
    """Ask for the mails about the class as it is now; `left` gives it no more, and its trainer may be a new one."""
    asked = {"class": row.id, "sequence": row.sequence, "left": left, "is_new": is_new}
    request_work("tell_training", tenant_id=row.tenant_id, arguments=asked, queue="mail")


def _hold_planned(row: TrainingClass, by: Actor) -> None:
    if not by.may(Permission.MANAGE_TRAINING):
        raise Forbidden
    hold_row(row)
    if row.state != "planned":
        raise Conflict(_l("This class is over: it was held or cancelled."))


def _ask_anew(row: TrainingClass) -> None:
    mine = (TrainingSeat.tenant_id == row.tenant_id, TrainingSeat.class_id == row.id)
    db.session.execute(update(TrainingSeat).where(*mine).values(answer="none", answered_at=None))


def _checked(tenant_id: int, plan: Plan, at: datetime) -> dict[str, Any]:
    """The columns of a plan, cleaned. Raises InvalidMany."""
    granted = {one.user_id: one for one in list_granted(tenant_id)} if plan.trainer_user_id else {}
    trainer: StaffMember | None = granted.get(plan.trainer_user_id or 0)
    wrong = list(_wrong(plan, at))
    if plan.trainer_user_id and trainer is None:
        wrong.append(("trainer", _l("Choose somebody who works for this client.")))
    if wrong:
        raise InvalidMany(wrong)
    return {
        "title": _line(plan.title),
        "teaches": _words(plan.teaches),
        "language": plan.language,
        "begins_at": plan.begins_at,
        "minutes": plan.minutes,
        "time_zone": plan.time_zone,
        "site_id": plan.site_id,
        "place": _line(plan.place),
        "link": plan.link.strip(),
        "trainer_user_id": trainer.user_id if trainer else None,
        "trainer_name": trainer.name if trainer else None,
    }


def _line(text: str) -> str:
    return " ".join(text.split())


def _words(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _wrong(plan: Plan, at: datetime) -> Iterator[tuple[str, Any]]:
    """Every field at fault with a sentence that says what to do."""
    title = _line(plan.title)
    if not 1 <= len(title) <= LONGEST_TITLE or not title.isprintable():
        yield "title", _l("Write a title of at most 160 characters.")
    if not 1 <= len(_words(plan.teaches)) <= LONGEST_TEACHES or "\x00" in plan.teaches:
        yield "teaches", _l("Say what people learn, in at most 5,000 characters.")
    if plan.language not in LANGUAGES:
        yield "language", _l("Choose a language.")
    if not at < plan.begins_at <= at + FARTHEST:
        yield "on", _l("Choose a day and a time that are ahead, within the next 400 days.")
    if not LEAST_MINUTES <= plan.minutes <= MOST_MINUTES:
        yield "minutes", _l("A class lasts from 10 minutes to a day.")
    yield from _wrong_place(_line(plan.place), plan.link.strip())


def _wrong_place(place: str, link: str) -> Iterator[tuple[str, Any]]:
    if len(place) > LONGEST_PLACE or not place.isprintable():
        yield "place", _l("Write one line of at most 300 characters.")
    elif not place and not link:
        yield "place", _l("Say where people go, or give a link.")
    if link and not is_link(link, SCHEMES):
        yield "link", _l("Enter a link such as https://…, without a password in it.")


def ends_at(row: TrainingClass) -> datetime:
    """When a class is over."""
    return row.begins_at + timedelta(minutes=row.minutes)
