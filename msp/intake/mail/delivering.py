"""Putting a mail where it belongs: as a ticket, a reply, a vendor's answer or a note; in its client's scope."""

import io
from dataclasses import dataclass, replace
from datetime import datetime

from flask import current_app
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update

from msp.intake.mail import rules
from msp.intake.mail.models import IncomingMail
from msp.intake.mail.parsing import Enclosed, Parsed
from msp.intake.mail.people import actor_of, requester_of, staff_actor
from msp.intake.mail.routing import Route
from msp.intake.receiving import receive_ticket
from msp.mail.models import OutgoingMail
from tenants.files.models import StoredFile
from tenants.files.services import Store, Upload, keep_file
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tenancy.models import Tenant
from tenants.tickets import rules as ticket_rules
from tenants.tickets import services
from tenants.tickets.follow_ups import follow_up_request
from tenants.tickets.merging import current_of
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import Ticket
from tenants.tickets.vendor_models import VendorCase

MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Placed:
    """What became of a mail: one of the outcomes, and its ticket."""

    outcome: str
    ticket: Ticket | None = None


def deliver(row: IncomingMail, mail: Parsed, route: Route, *, at: datetime) -> Placed:
    """Put a mail where its route leads, in the scope of the route's client. Raises what tickets refuse."""
    assert route.tenant_id is not None
    tenant = db.session.scalars(select(Tenant).where(Tenant.id == route.tenant_id)).one()
    with force_locale(tenant.language):
        if route.to == "ticket":
            return _open(row, mail, tenant, at=at)
        if route.to == "bounce":
            return _note_bounce(row, mail, route, at=at)
        found = select(Ticket).where(Ticket.tenant_id == tenant.id, Ticket.id == route.ticket_id)
        ticket = current_of(db.session.scalars(found).one())
        if route.to == "vendor":
            return _answer_case(row, mail, ticket, route, at=at)
        return _reply(row, mail, tenant, ticket, side=route.side, at=at)


def _open(
    row: IncomingMail, mail: Parsed, tenant: Tenant, *, at: datetime, by: Actor | None = None
) -> Placed:
    address = mail.sender or ""
    writer = actor_of(tenant.id, address, mail.sender_name)
    asked = services.Request(
        subject=subject_of(mail),
        body=body_of(mail),
        impact="medium",
        urgency="medium",
        requester=requester_of(tenant.id, address, mail.sender_name),
        source=MAIL,
        files=keep_enclosed(row, mail, tenant.id, by=writer, at=at),
        request_key=f"mail:{row.id}",
    )
    return Placed("ticket", receive_ticket(tenant, asked, by=by or writer, at=at))


def _follow_up(row: IncomingMail, mail: Parsed, tenant: Tenant, first: Ticket, *, at: datetime) -> Placed:
    """What cannot be taken up again goes on as another ticket about the same things, asked for by whoever wrote."""
    address = mail.sender or ""
    writer = actor_of(tenant.id, address, mail.sender_name)
    asked = follow_up_request(
        first,
        body=body_of(mail),
        source=MAIL,
        requester=requester_of(tenant.id, address, mail.sender_name),
        request_key=f"mail:{row.id}",
    )
    files = keep_enclosed(row, mail, tenant.id, by=writer, at=at)
    return Placed("follow_up", receive_ticket(tenant, replace(asked, files=files), by=writer, at=at))


def open_for(row: IncomingMail, mail: Parsed, tenant: Tenant, *, by: Actor, at: datetime) -> Ticket:
    """A ticket of a client that a person chose for a mail. Raises Invalid."""
    with force_locale(tenant.language):
        ticket = _open(row, mail, tenant, at=at, by=by).ticket
    assert ticket is not None
    return ticket


def append_to(row: IncomingMail, mail: Parsed, tenant: Tenant, ticket: Ticket, *, at: datetime) -> Placed:
    """A reply on a ticket that a person chose for a mail; a follow-up where the ticket takes no more."""
    with force_locale(tenant.language):
        return _reply(row, mail, tenant, current_of(ticket), side="requester", at=at)


def _reply(
    row: IncomingMail, mail: Parsed, tenant: Tenant, ticket: Ticket, *, side: str, at: datetime
) -> Placed:
    """What a requester answers to a closed ticket takes it up again while that may be, else begins a follow-up."""
    by = actor_of(tenant.id, mail.sender or "", mail.sender_name)
    if side == "staff":
        staff = staff_actor(tenant.id, mail.sender or "")
        if staff is None or not ticket_rules.may_say(ticket.state, "public"):
            raise Conflict("staff_closed" if staff else "staff_unverified")
        by = staff
    reopens = side != "staff" and ticket_rules.is_reopenable(ticket.state, ticket.reopen_until, at)
    if not reopens and not ticket_rules.may_say(ticket.state, "public"):
        return _follow_up(row, mail, tenant, ticket, at=at)
    services.add_message(
        ticket,
        body=body_of(mail),
        by=by,
        at=at,
        files=keep_enclosed(row, mail, tenant.id, by=by, at=at),
        request_key=f"mail:{row.id}",
        via=MAIL,
        leads_to="in_progress" if reopens else None,
    )
    if reopens:
        services.change_state(ticket, to="in_progress", by=by, at=at)
    return Placed("reply", ticket)


def _answer_case(row: IncomingMail, mail: Parsed, ticket: Ticket, route: Route, *, at: datetime) -> Placed:
    """A note among the provider's people; the wait for the vendor ends unless a program answered."""
    case = db.session.scalars(
        select(VendorCase).where(
            VendorCase.tenant_id == ticket.tenant_id,
            VendorCase.ticket_id == ticket.id,
            VendorCase.id == route.case_id,
        )
    ).one()
    by = Actor.system(case.vendor or mail.sender_name or mail.sender or MAIL, via=MAIL)
    sender = f"{mail.sender_name} <{mail.sender}>" if mail.sender_name else mail.sender
    said = _("%(sender)s answered by mail:", sender=sender)
    services.add_message(
        ticket,
        body=f"{said}\n\n{body_of(mail)}"[:LONGEST_BODY],
        by=by,
        at=at,
        kind="internal",
        files=keep_enclosed(row, mail, ticket.tenant_id, by=by, at=at),
        request_key=f"mail:{row.id}",
        via=MAIL,
    )
    waits = ticket.state == "waiting" and ticket.waiting_reason == "vendor"
    if waits and case.answered_at is None and not rules.is_automatic(mail):
        services.answer_vendor(ticket, case, answer=body_of(mail)[:LONGEST_BODY], by=by, at=at)
    return Placed("vendor", ticket)


def _note_bounce(row: IncomingMail, mail: Parsed, route: Route, *, at: datetime) -> Placed:
    """Write down that a mail of ours came back, at that mail and on its ticket; a mere delay says nothing yet."""
    report = mail.report or {}
    sent = db.session.scalars(select(OutgoingMail).where(OutgoingMail.id == route.mail_id)).one()
    found = select(Ticket).where(Ticket.tenant_id == route.tenant_id, Ticket.id == route.ticket_id)
    ticket = db.session.scalars(found).one_or_none() if route.ticket_id is not None else None
    if report.get("action") not in ("failed", "") or sent.bounced_at is not None:
        return Placed("bounce", ticket)
    why = str(report.get("detail") or "")[:300]
    db.session.execute(
        update(OutgoingMail)
        .where(OutgoingMail.tenant_id == sent.tenant_id, OutgoingMail.id == sent.id)
        .values(bounced_at=at, bounce=why)
    )
    if ticket is not None:
        said = _("A mail to %(address)s came back: %(why)s", address=sent.to_address, why=why or "–")
        by = Actor.system(MAIL, via=MAIL)
        services.add_message(
            ticket, body=said, by=by, at=at, kind="internal", request_key=f"mail:{row.id}", via=MAIL
        )
    return Placed("bounce", ticket)


def subject_of(mail: Parsed) -> str:
    """A subject that a ticket can have."""
    return " ".join(mail.subject.split())[:200] or _("Mail without a subject")


def body_of(mail: Parsed) -> str:
    """The text that a message can have; what is longer stays readable in the mail itself."""
    text = mail.text.strip() or _("(The mail has no text.)")
    cut = "\n\n" + _("(Shortened. The whole text is in the mail.)")
    whole = text.replace("\x00", "")
    return whole if len(whole) <= LONGEST_BODY else whole[: LONGEST_BODY - len(cut)] + cut


def keep_enclosed(
    row: IncomingMail, mail: Parsed, tenant_id: int, *, by: Actor, at: datetime
) -> list[StoredFile]:
    """Store a mail's files with the client; dangerous ones are kept in quarantine, whence nobody gets them."""
    settings = current_app.extensions["settings"]
    store = Store(settings.files_dir, settings.upload_megabytes * 1024 * 1024)
    kept, inline = [], dict[str, str]()
    for one in mail.files:
        file = _keep_one(store, one, tenant_id, by=by, at=at)
        if file is None:
            continue
        kept.append(file)
        if one.cid and file.state == "stored" and file.media_type.startswith("image/"):
            inline[one.cid] = str(file.public_id)
    row.inline = inline
    return kept


def _keep_one(store: Store, one: Enclosed, tenant_id: int, *, by: Actor, at: datetime) -> StoredFile | None:
    try:
        upload = Upload(one.name, io.BytesIO(one.content))
        return keep_file(store, upload, tenant_id=tenant_id, by=by, at=at, danger=one.danger)
    except Invalid:
        # Empty, or larger than files may be here: it stays in the mail.
        return None


def without_sender(mail: Parsed, address: str) -> Parsed:
    """The same mail for somebody who was named by a person."""
    return replace(mail, sender=address)
