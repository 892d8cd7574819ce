"""Which mails a person may do without: one list of kinds, each named for its template, and what was chosen."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from msp.mail.models import UnwantedNotice
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission


@dataclass(frozen=True, slots=True)
class Notice:
    """A kind of mail: its template, what people call it, and who gets it at all."""

    template: str
    label: Any
    permission: Permission


# What guards an account (invitations, links, changes of a password) is always sent.
NOTICES = (
    Notice("ticket_opened", _l("We have your ticket, with its code"), Permission.OPEN_OWN_TICKETS),
    Notice(
        "ticket_replied",
        _l("A reply on a ticket of yours, or one that you watch"),
        Permission.OPEN_OWN_TICKETS,
    ),
    Notice("ticket_resolved", _l("A ticket of yours is resolved"), Permission.OPEN_OWN_TICKETS),
    Notice("statement", _l("The monthly statement"), Permission.VIEW_OWN_CONTRACT),
    Notice("maintenance_asked", _l("Maintenance waits for your decision"), Permission.DECIDE_OWN_LANES),
    Notice("ticket_answered", _l("A requester answered on a ticket that you hold"), Permission.WORK_TICKETS),
    Notice("timer_warned", _l("A target is running out"), Permission.WORK_TICKETS),
    Notice("timer_missed", _l("A target was missed"), Permission.WORK_TICKETS),
)


def notices_for(by: Actor) -> list[Notice]:
    """What this person gets, or would get."""
    return [one for one in NOTICES if by.may(one.permission)]


def list_unwanted(by: Actor) -> frozenset[str]:
    """What this person does without, in the person's own scope."""
    return frozenset(db.session.scalars(select(UnwantedNotice.notice).where(UnwantedNotice.user_id == by.id)))


def choose_notices(wanted: Collection[str], *, by: Actor) -> None:
    """Keep which of the kinds that concern this person are wanted; others stay as they were."""
    concerned = {one.template for one in notices_for(by)}
    assert by.id is not None
    db.session.execute(
        delete(UnwantedNotice).where(UnwantedNotice.user_id == by.id, UnwantedNotice.notice.in_(concerned))
    )
    db.session.add_all(UnwantedNotice(user_id=by.id, notice=one) for one in sorted(concerned - set(wanted)))
    db.session.flush()
