"""Mails about classes: invitations, changes, cancellations, and one reminder on the day before."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import structlog
from flask import current_app
from sqlalchemy import exists, select, update

from msp.background.jobs import job
from msp.mail.addresses import address_of
from msp.mail.enclosures import named
from msp.mail.readers import Reader, list_readers
from msp.mail.services import queue_mail
from msp.training.invitations import KIND, KIND_OFF, KIND_TRAINER, find_trainer, read_class
from msp.training.models import TrainingClass, TrainingSeat
from msp.training.services import hold_row
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Claimed
from tenants.people.models import Membership, StaffMember
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant_by_id

BATCH = 200
RETRY = timedelta(minutes=5)
log = structlog.get_logger()


@job("tell_training", queue="mail")
def tell_training(work: Claimed) -> None:
    """Queue the mails about a class as it stands; what a later change has overtaken is told with that one."""
    asked = work.arguments
    row = read_class(asked["class"])
    letters = _Letters(row)
    if asked.get("left") is not None:
        letters.to_trainer(find_trainer(asked["left"]), "handed_on", encloses=KIND_OFF)
    # Once it was held there is nobody to invite any more.
    if row.sequence == asked["sequence"] and row.state != "held":
        since = row.sequence if asked.get("is_new") else 0
        letters.to_trainer(find_trainer(row.trainer_user_id), letters.what(since))
        for seat in _invited(row):
            letters.to_seat(seat, letters.what(seat.invited_sequence))
    letters.send()


def _invited(row: TrainingClass, *, but_no: bool = False) -> Collection[TrainingSeat]:
    """Who is invited and still belongs to the client."""
    stays = exists().where(
        Membership.tenant_id == TrainingSeat.tenant_id,
        Membership.user_id == TrainingSeat.user_id,
        Membership.state == "active",
    )
    asked = select(TrainingSeat).where(
        TrainingSeat.tenant_id == row.tenant_id,
        TrainingSeat.class_id == row.id,
        TrainingSeat.invited_at.is_not(None),
        stays,
    )
    if but_no:
        asked = asked.where(TrainingSeat.answer != "no")
    return db.session.scalars(asked.order_by(TrainingSeat.id)).all()


class _Letters:
    """The mails about one class: collected, so that their readers' languages are read at once."""

    def __init__(self, row: TrainingClass) -> None:
        self.row = row
        self.tenant: Tenant = find_tenant_by_id(row.tenant_id)
        self._mails: list[dict[str, Any]] = []

    def what(self, invited_sequence: int) -> str:
        """What to say to somebody who was invited when the class had this sequence."""
        if self.row.state == "cancelled":
            return "cancelled"
        return "invited" if invited_sequence == self.row.sequence else "changed"

    def to_trainer(self, person: StaffMember | None, what: str, *, encloses: str = KIND_TRAINER) -> None:
        if person is not None:
            place = "left" if encloses == KIND_OFF else "trainer"
            self._add(person, what, place, named(encloses, self.row.id), staff=True)

    def to_seat(self, seat: TrainingSeat, what: str) -> None:
        self._add(seat, what, str(seat.id), named(KIND, seat.id), staff=False)

    def _add(self, person: Any, what: str, place: str, encloses: str, *, staff: bool) -> None:
        step = f"remind:{self.row.begins_at.isoformat()}" if what == "tomorrow" else f"{self.row.sequence}"
        page = "training.show_class" if staff else "training.read_class"
        self._mails.append(
            {
                "user_id": person.user_id,
                "to": person.email,
                "key": f"training:{self.row.id}:{step}:{place}",
                # A reminder brings nothing: the calendar has it already.
                "encloses": None if what == "tomorrow" else encloses,
                "context": {
                    "class": self.row,
                    "what": what,
                    "staff": staff,
                    "name": person.name,
                    "action_url": address_of(page, class_id=self.row.public_id),
                },
            }
        )

    def send(self) -> None:
        """Write them into the outbox; one that is there already is absorbed."""
        readers = list_readers(mail["user_id"] for mail in self._mails)
        for mail in self._mails:
            self._queue(mail, readers[mail["user_id"]])

    def _queue(self, mail: dict[str, Any], reader: Reader) -> None:
        more = {
            "zone": reader.time_zone or self.row.time_zone,
            "current_tenant": self.tenant,
            "provider_name": current_app.extensions["settings"].provider_name,
        }
        queue_mail(
            self.row.tenant_id,
            to=mail["to"],
            template="training",
            language=reader.language or self.tenant.language,
            context=mail["context"] | more,
            key=mail["key"],
            thread=f"training-{self.row.public_id}",
            encloses=mail["encloses"],
        )


def sweep_due_reminders() -> int:
    """Periodic: remind of classes that begin within a day. Each in its own transaction; returns how many."""
    due = select(TrainingClass.tenant_id, TrainingClass.id).where(TrainingClass.remind_at <= time.now())
    with enter(sweeper()):
        found = db.session.execute(due.order_by(TrainingClass.remind_at).limit(BATCH)).all()
    return sum(_remind(tenant_id, class_id) for tenant_id, class_id in found)


def _remind(tenant_id: int, class_id: int) -> bool:
    """One bad class never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            reminded = remind(class_id)
            db.session.commit()
    except Exception as error:
        log.exception("not reminded", tenant=tenant_id, training=class_id, error=type(error).__name__)
        _look_later(tenant_id, class_id)
        return False
    return reminded


def remind(class_id: int) -> bool:
    """Tell the trainer and everybody who did not say no; False where it was told, moved, or is over."""
    row = read_class(class_id)
    hold_row(row)
    now = time.now()
    if row.remind_at is None or row.remind_at > now:
        return False
    row.remind_at = None
    if row.state != "planned" or row.begins_at <= now:
        return False
    letters = _Letters(row)
    letters.to_trainer(find_trainer(row.trainer_user_id), "tomorrow")
    for seat in _invited(row, but_no=True):
        letters.to_seat(seat, "tomorrow")
    letters.send()
    return True


def _look_later(tenant_id: int, class_id: int) -> None:
    mine = (
        TrainingClass.tenant_id == tenant_id,
        TrainingClass.id == class_id,
        TrainingClass.remind_at.is_not(None),
    )
    with enter(of_tenant(tenant_id)):
        later = time.now() + RETRY
        db.session.execute(update(TrainingClass).where(*mine).values(remind_at=later))
        db.session.commit()
