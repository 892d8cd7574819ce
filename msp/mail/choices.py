"""Which mails a person may do without: one list of kinds, each named for its template, and what was chosen."""

from collections.abc import Collection, Mapping
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
    """A kind of mail: its template, what people call it, who gets it at all, and whether without asking for it."""

    template: str
    label: Any
    permissions: tuple[Permission, ...]
    is_usual: bool = True


_REQUESTER = (Permission.OPEN_OWN_TICKETS,)
_STAFF = (Permission.WORK_TICKETS,)
# What guards an account (invitations, links, changes of a password) is always sent.
NOTICES = (
    Notice("ticket_opened", _l("We have your ticket, with its code"), _REQUESTER),
    Notice("ticket_replied", _l("A reply on a ticket of yours, or one that you watch"), _REQUESTER),
    Notice("ticket_resolved", _l("A ticket of yours is resolved"), _REQUESTER),
    Notice("remote_asked", _l("Somebody asks to work remotely on your machine"), _REQUESTER),
    Notice(
        "visit",
        _l("A visit that concerns you is planned, moved or cancelled, with an invitation for your calendar"),
        (*_REQUESTER, *_STAFF),
    ),
    Notice("statement", _l("The monthly statement"), (Permission.VIEW_OWN_CONTRACT,)),
    Notice("maintenance_asked", _l("Maintenance waits for your decision"), (Permission.DECIDE_OWN_LANES,)),
    Notice("ticket_assigned", _l("Somebody else gives you a ticket"), _STAFF),
    Notice("hand_over_waits", _l("A hand-over waits for your tier while you are on duty"), _STAFF),
    Notice("hand_over_accepted", _l("Your hand-over was accepted"), _STAFF),
    Notice("hand_over_returned", _l("Your hand-over came back, with the reason"), _STAFF),
    Notice("ticket_answered", _l("A requester answered on a ticket that you hold"), _STAFF),
    Notice("rated_bad", _l("A requester is not satisfied with a solution of yours or your people's"), _STAFF),
    Notice("tier_opened", _l("Every new ticket of your tier"), _STAFF, is_usual=False),
    Notice("timer_warned", _l("A target is running out"), _STAFF),
    Notice("timer_missed", _l("A target was missed"), _STAFF),
    Notice(
        "certificate_expires", _l("A certificate of yours or of your people expires"), (Permission.VIEW_DESK,)
    ),
)
# What is sent only to those who asked for it.
ASKED_FOR = frozenset(one.template for one in NOTICES if not one.is_usual)


def notices_for(by: Actor) -> list[Notice]:
    """What this person gets, or would get."""
    return [one for one in NOTICES if any(by.may(right) for right in one.permissions)]


def list_unwanted(by: Actor) -> frozenset[str]:
    """What this person does without, in the person's own scope."""
    chosen = select(UnwantedNotice.notice, UnwantedNotice.is_wanted).where(UnwantedNotice.user_id == by.id)
    return without({row.notice: row.is_wanted for row in db.session.execute(chosen)})


def without(chosen: Mapping[str, bool]) -> frozenset[str]:
    """The kinds that are not sent, from those that somebody decided on: whether each is wanted."""
    unwanted = {notice for notice, wanted in chosen.items() if not wanted}
    return frozenset(unwanted | {one for one in ASKED_FOR if one not in chosen})


def choose_notices(wanted: Collection[str], *, by: Actor) -> None:
    """Keep which of the kinds that concern this person are wanted; others stay as they were."""
    concerned = {one.template: one.is_usual for one in notices_for(by)}
    assert by.id is not None
    db.session.execute(
        delete(UnwantedNotice).where(UnwantedNotice.user_id == by.id, UnwantedNotice.notice.in_(concerned))
    )
    db.session.add_all(
        UnwantedNotice(user_id=by.id, notice=one, is_wanted=one in wanted)
        for one, is_usual in concerned.items()
        if is_usual is not (one in wanted)
    )
    db.session.flush()
