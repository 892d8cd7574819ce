"""Papers that prove what people can, and the mails before they expire."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from msp.mail.addresses import address_of
from msp.mail.readers import Reader, list_readers
from msp.mail.services import queue_mail
from msp.staff.checks import audited, one_line
from msp.staff.models import Certificate
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.people.models import StaffMember
from tenants.people.queries import list_staff
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import as_uuid

REMIND_DAYS = (60, 30, 7)
BATCH = 200
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What stands on a certificate."""

    name: str
    issuer: str
    number: str = ""
    issued_on: date
    expires_on: date | None = None


def list_certificates(user_id: int | None = None) -> list[Certificate]:
    """Everybody's certificates or one person's, what expires first at the top, what never does last."""
    listed = select(Certificate).order_by(
        Certificate.expires_on.asc().nulls_last(), Certificate.name, Certificate.id
    )
    if user_id is not None:
        listed = listed.where(Certificate.user_id == user_id)
    return list(db.session.scalars(listed))


def find_certificate(public_id: str) -> Certificate:
    """A certificate. Raises NotFound."""
    found = db.session.scalar(select(Certificate).where(Certificate.public_id == as_uuid(public_id)))
    if found is None:
        raise NotFound
    return found


def add_certificate(person: StaffMember, said: Paper, *, by: Actor, at: datetime) -> Certificate:
    """Note a certificate. Raises Invalid naming what is unfit."""
    row = Certificate(user_id=person.user_id, added_by=by.name, added_at=at)
    _fill(row, said)
    db.session.add(row)
    db.session.flush()
    detail = {"person": person.name, "name": row.name}
    audited("certificate.add", f"certificate:{row.public_id}", by, at, **detail)
    return row


def change_certificate(row: Certificate, said: Paper, *, by: Actor, at: datetime) -> None:
    """Correct or renew a certificate; a new last day is reminded of anew. Raises Invalid."""
    before = row.expires_on
    _fill(row, said)
    if row.expires_on != before:
        row.reminded_days = None
    audited("certificate.change", f"certificate:{row.public_id}", by, at, name=row.name)


def remove_certificate(row: Certificate, *, by: Actor, at: datetime) -> None:
    """Forget a certificate."""
    object_, name = f"certificate:{row.public_id}", row.name
    db.session.delete(row)
    audited("certificate.remove", object_, by, at, name=name)


def _fill(row: Certificate, said: Paper) -> None:
    message = _l("Write at most 120 characters.")
    if said.expires_on is not None and said.expires_on <= said.issued_on:
        raise Invalid("expires_on", _l("It expires after it was issued."))
    row.name = one_line(said.name, "name", 120, message)
    row.issuer = one_line(said.issuer, "issuer", 120, message)
    row.number = one_line(said.number, "number", 80, _l("Write at most 80 characters."), required=False)
    row.issued_on, row.expires_on = said.issued_on, said.expires_on


def step_of(days_left: int) -> int | None:
    """Of which reminder it is time, by the days left: the latest that applies; None before all, and once it is over."""
    due = [step for step in REMIND_DAYS if 0 <= days_left <= step]
    return min(due) if due else None


def sweep_expiring() -> int:
    """Periodic: remind of certificates that expire soon; returns how many. Each reminder goes out once."""
    with enter(gate()):
        home = db.session.scalar(select(Tenant).where(Tenant.kind == "own"))
    if home is None:
        return 0
    today = time.now().astimezone(ZoneInfo(home.time_zone)).date()
    with enter(of_tenant(home.id)):
        due = [row.id for row in _list_due(today)]
    return sum(_remind(home, certificate_id, today) for certificate_id in due)


def _list_due(today: date) -> Iterator[Certificate]:
    soon = select(Certificate).where(
        Certificate.expires_on >= today,
        Certificate.expires_on <= today + timedelta(days=max(REMIND_DAYS)),
        or_(
            Certificate.reminded_days.is_(None),
            *(
                (Certificate.reminded_days > step) & (Certificate.expires_on <= today + timedelta(days=step))
                for step in REMIND_DAYS
            ),
        ),
    )
    yield from db.session.scalars(soon.order_by(Certificate.expires_on, Certificate.id).limit(BATCH))


def _remind(home: Tenant, certificate_id: int, today: date) -> bool:
    """One bad certificate never stops the sweep."""
    try:
        with enter(of_tenant(home.id)):
            reminded = remind(home, certificate_id, today)
            db.session.commit()
    except Exception as error:
        log.exception("not reminded", certificate=certificate_id, error=type(error).__name__)
        return False
    return reminded


def remind(home: Tenant, certificate_id: int, today: date) -> bool:
    """Tell the person and the managers; False where it was told, the certificate is gone, or its person has left."""
    row = db.session.scalar(select(Certificate).where(Certificate.id == certificate_id).with_for_update())
    if row is None or row.expires_on is None:
        return False
    step = step_of((row.expires_on - today).days)
    if step is None or (row.reminded_days is not None and row.reminded_days <= step):
        return False
    people = list_staff()
    holder = next((one for one in people if one.user_id == row.user_id), None)
    row.reminded_days = step
    if holder is None:
        return False
    receivers = {one.user_id: one for one in (holder, *_managers(people))}
    readers = list_readers(receivers)
    for one in receivers.values():
        _queue(home, row, holder, one, readers[one.user_id], step)
    return True


def _managers(people: list[StaffMember]) -> list[StaffMember]:
    """The managers, or the owners where there are none."""
    for role in (MemberRole.MANAGER, MemberRole.OWNER):
        if found := [one for one in people if one.role == role]:
            return found
    return []


def _queue(
    home: Tenant, row: Certificate, holder: StaffMember, to: StaffMember, reader: Reader, step: int
) -> None:
    queue_mail(
        home.id,
        to=to.email,
        template="certificate_expires",
        language=reader.language or home.language,
        unwanted=reader.unwanted,
        context={
            "certificate": row,
            "holder": holder,
            "is_own": to.user_id == holder.user_id,
            "provider_name": current_app.extensions["settings"].provider_name,
            "name": to.name,
            "action_url": address_of("staff.show_person", person=holder.public_id),
        },
        key=f"certificate:{row.id}:{row.expires_on}:{step}:{to.user_id}",
    )
