"""A class in people's calendars."""

from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select

from msp.mail import enclosures
from msp.mail.enclosures import Enclosure
from msp.mail.invitations import Occasion, write_occasion
from msp.training.models import TrainingClass, TrainingSeat
from msp.training.services import ends_at
from tenants.foundation.db import db
from tenants.people.models import StaffMember

# By seat; by class for the trainer; by class for whoever gives it no more.
KIND, KIND_TRAINER, KIND_OFF = "training", "training-trainer", "training-off"
MAKER = "-//MSP Portal//Training//EN"
MEDIA_TYPE = "text/calendar"


def install() -> None:
    """Let mails bring invitations along."""
    enclosures.provide(KIND, _for_seat)
    enclosures.provide(KIND_TRAINER, lambda class_id, language: _for_trainer(class_id, language, off=False))
    enclosures.provide(KIND_OFF, lambda class_id, language: _for_trainer(class_id, language, off=True))


def read_class(class_id: int) -> TrainingClass:
    """A class by the row id that the server itself knows."""
    return db.session.scalars(select(TrainingClass).where(TrainingClass.id == class_id)).one()


def find_trainer(user_id: int | None) -> StaffMember | None:
    """One of the provider's active people."""
    asked = select(StaffMember).where(StaffMember.user_id == user_id, StaffMember.state == "active")
    return None if user_id is None else db.session.scalar(asked)


def _for_seat(seat_id: int, language: str) -> Enclosure:
    seat = db.session.scalars(select(TrainingSeat).where(TrainingSeat.id == seat_id)).one()
    row = read_class(seat.class_id)
    method = "CANCEL" if row.state == "cancelled" else "REQUEST"
    return _enclosure(row, language, method, (seat.name, seat.email))


def _for_trainer(class_id: int, language: str, *, off: bool) -> Enclosure:
    row = read_class(class_id)
    trainer = None if off else find_trainer(row.trainer_user_id)
    method = "CANCEL" if off or row.state == "cancelled" else "REQUEST"
    return _enclosure(row, language, method, *([(trainer.name, trainer.email)] if trainer else []))


def _enclosure(row: TrainingClass, language: str, method: str, *people: tuple[str, str]) -> Enclosure:
    with force_locale(language):
        content = write_file(row, method=method, people=people)
    return Enclosure("training.ics", MEDIA_TYPE, content, {"method": method, "charset": "utf-8"})


def write_file(row: TrainingClass, *, method: str, people: tuple[tuple[str, str], ...] = ()) -> bytes:
    """The file; nobody reads in it who else is invited."""
    occasion = Occasion(
        maker=MAKER,
        key=f"training-{row.public_id}",
        sequence=row.sequence,
        changed_at=row.changed_at,
        begins_at=row.begins_at,
        ends_at=ends_at(row),
        summary=_("Training: %(title)s", title=row.title),
        location=row.place or row.link,
        description="\n\n".join(filter(None, (row.teaches, row.link))),
        people=people,
    )
    return write_occasion(occasion, method=method)
