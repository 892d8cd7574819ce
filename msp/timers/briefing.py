"""What the next tier is told when the portal passes a ticket up: everything that was said and tried so far."""

from collections.abc import Sequence

from flask_babel import gettext as _
from sqlalchemy import select

from contracts.clock.history import Reading
from contracts.timers.models import TimerMark
from msp.web.formats import duration_words
from msp.web.words import name_of
from tenants.foundation.db import db
from tenants.tickets.hand_overs import LONGEST, Briefing
from tenants.tickets.models import HandOver, Message, Ticket


def write(ticket: Ticket, mark: TimerMark, reading: Reading) -> Briefing:
    """The briefing in the language in force: which target was used up how far, and what is known already."""
    said, earlier = _list_messages(ticket), _latest_hand_over(ticket)
    since = [one for one in said if earlier is None or one.at >= earlier.made_at]
    by_staff = [one for one in since if one.author_kind == "staff" and one.body]
    notes = _quoted(by_staff)
    return Briefing(
        symptoms=_shortened(earlier.symptoms if earlier else _opening(ticket, said)),
        tried=_shortened(
            _joined(earlier.tried if earlier else "", notes) or _("Nothing was written down so far.")
        ),
        told_requester=_shortened(
            _joined(
                earlier.told_requester if earlier else "",
                _quoted([one for one in by_staff if one.kind == "public"]),
            )
            or _("Nothing so far.")
        ),
        evidence=_shortened(_joined(_why(ticket, mark, reading), earlier.evidence if earlier else "")),
        suspected_cause=earlier.suspected_cause if earlier else "",
    )


def _why(ticket: Ticket, mark: TimerMark, reading: Reading) -> str:
    target = duration_words(reading.target.seconds if reading.target else 0, business=True)
    clock = name_of("timer", mark.clock)
    if mark.mark == "missed":
        words = _("The target “%(clock)s” (%(target)s) was missed.", clock=clock, target=target)
    else:
        words = _(
            "%(percent)s %% of the target “%(clock)s” (%(target)s) are used up.",
            percent=mark.percent,
            clock=clock,
            target=target,
        )
    held = ticket.assignee_name
    holder = _("%(name)s held the ticket until now.", name=held) if held else _("Nobody held the ticket.")
    return f"{words} {_('The portal passes the ticket up, as the contract says.')} {holder}"


def _list_messages(ticket: Ticket) -> Sequence[Message]:
    said = select(Message).where(Message.tenant_id == ticket.tenant_id, Message.ticket_id == ticket.id)
    return db.session.scalars(said.order_by(Message.id)).all()


def _latest_hand_over(ticket: Ticket) -> HandOver | None:
    made = select(HandOver).where(HandOver.tenant_id == ticket.tenant_id, HandOver.ticket_id == ticket.id)
    return db.session.scalars(made.order_by(HandOver.id.desc()).limit(1)).one_or_none()


def _opening(ticket: Ticket, said: Sequence[Message]) -> str:
    return said[0].body if said and said[0].body else ticket.subject


def _quoted(said: Sequence[Message]) -> str:
    """The latest words first, each with its author; what does not fit is on the ticket anyway."""
    return "\n\n".join(f"{one.author_name}: {one.body}" for one in reversed(said))


def _joined(*texts: str) -> str:
    return "\n\n".join(text for text in texts if text)


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"
