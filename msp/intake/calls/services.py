"""Taking a call down: beginning it, writing what is heard, saying whose it is, and ending it."""

from dataclasses import dataclass
from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from msp.intake.calls.models import Call
from msp.intake.codes import read_code
from msp.intake.receiving import receive_ticket
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.people.models import Membership
from tenants.people.phones import in_full
from tenants.tenancy.models import Tenant
from tenants.tickets import queries, services
from tenants.tickets.messages import LONGEST_BODY
from tenants.tickets.models import Ticket

LONGEST_REASON = 300


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What the caller said so far, as it was typed."""

    number: str = ""
    caller_name: str = ""
    company: str = ""
    wrong: str = ""


def begin_call(own_tenant_id: int, *, by: Actor, at: datetime) -> Call:
    """A call begins now. One that nobody has written anything into is used again."""
    blank = select(Call).where(
        Call.tenant_id == own_tenant_id,
        Call.taken_by_user_id == by.id,
        Call.state == "open",
        Call.number == "",
        Call.caller_name == "",
        Call.company_heard == "",
        Call.wrong == "",
    )
    call = db.session.scalars(blank.order_by(Call.id).limit(1).with_for_update()).one_or_none()
    if call is None:
        call = Call(tenant_id=own_tenant_id, state="open", taken_by_user_id=by.id, taken_by_name=by.name)
        db.session.add(call)
    call.started_at = at
    db.session.flush()
    return call


def hold(call: Call) -> None:
    """Lock the call's row and see its newest values. Raises NotFound when it was placed meanwhile."""
    newest = select(Call).where(Call.tenant_id == call.tenant_id, Call.id == call.id)
    locked = newest.with_for_update().execution_options(populate_existing=True)
    if db.session.execute(locked).one_or_none() is None:
        raise NotFound


def write_down(call: Call, heard: Heard, *, region: str) -> None:
    """Keep what was heard. Raises Invalid naming the field, Conflict once the call has ended."""
    hold(call)
    _refuse_ended(call)
    _check("number", heard.number, 40)
    _check("caller_name", heard.caller_name, 120)
    _check("company", heard.company, 120)
    _check("wrong", heard.wrong, LONGEST_BODY - 500, lines=True)
    call.number, call.company_heard = heard.number.strip(), heard.company.strip()
    call.wrong = heard.wrong.replace("\r\n", "\n").strip()
    # Whoever has an account is called as there: a look-up on its way may still bring what was typed before.
    if call.requester_user_id is None:
        call.caller_name = heard.caller_name.strip()
    call.phone = in_full(call.number, region)
    db.session.flush()


def _check(field: str, typed: str, longest: int, *, lines: bool = False) -> None:
    if len(typed) > longest:
        raise Invalid(field, _l("This text is too long."))
    if any(ord(one) < 32 and not (lines and one in "\r\n\t") for one in typed):
        raise Invalid(field, _l("Use plain text without control characters."))


def place_call(call: Call, tenant: Tenant, person: Membership | None, *, by: Actor, at: datetime) -> Call:
    """Say whose call it is: its row goes to that client, and nobody else's staff see it any more. Raises Conflict.

    With a person, name and number follow; a number that the person lacks is not written there by itself.
    """
    hold(call)
    _refuse_ended(call)
    if person is not None and person.tenant_id != tenant.id:
        raise NotFound
    if call.tenant_id != tenant.id:
        call = _move(call, tenant.id)
    call.is_placed = True
    call.requester_user_id = person.user_id if person else None
    if person is not None:
        call.caller_name = person.name
    db.session.flush()
    _audit("call.place", call, by=by, at=at, with_account=person is not None)
    return call


def _move(call: Call, tenant_id: int) -> Call:
    """A row never changes its tenant: it is written anew under the same public id."""
    kept = (
        "public_id",
        "state",
        "number",
        "phone",
        "caller_name",
        "company_heard",
        "wrong",
        "taken_by_user_id",
        "taken_by_name",
        "started_at",
    )
    moved = Call(tenant_id=tenant_id, **{name: getattr(call, name) for name in kept})
    db.session.delete(call)
    db.session.flush()
    db.session.add(moved)
    db.session.flush()
    return moved


def take_up(call: Call, *, by: Actor, at: datetime) -> None:
    """Go on with a colleague's call. Raises Conflict once it has ended."""
    hold(call)
    _refuse_ended(call)
    if call.taken_by_user_id == by.id:
        return
    call.taken_by_user_id, call.taken_by_name = by.id or 0, by.name
    db.session.flush()
    _audit("call.take_up", call, by=by, at=at)


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What staff make of the call; `email` is where a caller without an account is written to."""

    subject: str
    email: str = ""
    kind: str = "incident"
    impact: str = "low"
    urgency: str = "medium"


def end_as_ticket(call: Call, weighed: Weighed, *, by: Actor, at: datetime) -> Ticket:
    """Open a ticket for the caller; asked again it gives the same one. Raises Invalid, Conflict."""
    hold(call)
    if call.state == "ticket" and call.ticket_id is not None:
        return db.session.get_one(Ticket, (call.tenant_id, call.ticket_id))
    _refuse_ended(call)
    tenant = _client_of(call)
    if not call.wrong:
        raise Invalid("wrong", _l("Describe what happens."))
    request = services.Request(
        subject=weighed.subject,
        body=call.wrong,
        impact=weighed.impact,
        urgency=weighed.urgency,
        kind=weighed.kind,
        requester=_requester(call, weighed.email),
        source="phone",
        request_key=f"call-{call.public_id}",
    )
    ticket = receive_ticket(tenant, request, by=by, at=at, spoke_with_caller=True)
    _end(call, "ticket", by=by, at=at, ticket=ticket)
    return ticket


def end_on_ticket(call: Call, code: str, *, by: Actor, at: datetime) -> Ticket:
    """Write the call down on a ticket that is there; whose it is follows from the ticket. Raises Invalid, Conflict."""
    hold(call)
    if call.state == "ticket" and call.ticket_id is not None:
        return db.session.get_one(Ticket, (call.tenant_id, call.ticket_id))
    _refuse_ended(call)
    if not call.wrong:
        raise Invalid("wrong", _l("Write down what the caller said."))
    ticket = _ticket(call, code, by)
    if call.tenant_id != ticket.tenant_id:
        call = _move(call, ticket.tenant_id)
    call.is_placed = True
    said = f"{call.caller_name}: {call.wrong}" if call.caller_name else call.wrong
    key = f"call-{call.public_id}"
    services.add_message(
        ticket, body=said, by=by, at=at, spoke_with_caller=True, via="phone", request_key=key
    )
    _end(call, "ticket", by=by, at=at, ticket=ticket)
    return ticket


def _ticket(call: Call, typed: str, by: Actor) -> Ticket:
    """By code, of the client whose call it is, else of those that one is granted. Raises Invalid.

    A typing error is told as one. Another client's code is told as one that was never issued. What was merged goes on
    in the ticket that it was merged into.
    """
    code = read_code(typed)
    whose = by.tenants & {call.tenant_id} if call.is_placed else by.tenants
    try:
        found = queries.find_ticket(code, by=by)
    except NotFound:
        found = None
    if found is not None and found.tenant_id in whose:
        return services.current_of(found)
    if call.is_placed:
        raise Invalid("code", _l("This client has no ticket with this code."))
    raise Invalid("code", _l("There is no ticket with this code. Check the code with the caller."))


def end_without_ticket(call: Call, reason: str, *, by: Actor, at: datetime) -> None:
    """Nothing is to be done. Raises Invalid on `reason`, Conflict."""
    hold(call)
    _refuse_ended(call)
    words = " ".join(reason.split())
    if not 1 <= len(words) <= LONGEST_REASON or not words.isprintable():
        raise Invalid("reason", _l("Say in one line why there is nothing left to do."))
    call.reason = words
    _end(call, "none", by=by, at=at)


def _client_of(call: Call) -> Tenant:
    if not call.is_placed:
        raise Invalid("company", _l("Choose the company first: a ticket belongs to a client."))
    return db.session.get_one(Tenant, call.tenant_id)


def _requester(call: Call, email: str) -> services.Requester:
    known = queries.find_requester(call.tenant_id, call.requester_user_id)
    if known is not None:
        return known
    if not call.caller_name:
        raise Invalid("caller_name", _l("Say who asks."))
    return services.Requester(call.caller_name, _address(email))


def _address(typed: str) -> str | None:
    """Where a caller follows the ticket from. Raises Invalid for what cannot be an address."""
    if not typed.strip():
        return None
    try:
        found = validate_email(typed.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as wrong:
        raise Invalid("email", _l("This is not an e-mail address.")) from wrong
    return found.normalized.lower()


def _refuse_ended(call: Call) -> None:
    if call.state != "open":
        raise Conflict(_l("This call has ended."))


def _end(call: Call, state: str, *, by: Actor, at: datetime, ticket: Ticket | None = None) -> None:
    call.state, call.ended_at, call.ticket_id = state, at, ticket.id if ticket else None
    db.session.flush()
    _audit("call.end", call, by=by, at=at, state=state, ticket=ticket.code if ticket else None)


def _audit(action: str, call: Call, *, by: Actor, at: datetime, **detail: object) -> None:
    object_ = f"call:{call.public_id}"
    audit.record(action, tenant_id=call.tenant_id, by=by, object=object_, at=at, detail=detail)
