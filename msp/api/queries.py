"""Rows that only the API asks for in this way."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select, tuple_

from contracts.terms.models import Contract, ContractVersion
from msp.campaigns.models import Release
from tenants.foundation.db import db
from tenants.people.models import Membership, StaffMember
from tenants.tickets.models import Ticket, TicketEvent


def find_member(tenant_id: int, email: str) -> Membership | None:
    """An active person of a client by e-mail address."""
    found = select(Membership).where(
        Membership.tenant_id == tenant_id,
        func.lower(Membership.email) == email.lower(),
        Membership.state == "active",
    )
    return db.session.scalars(found).first()


def find_staff_member(email: str) -> StaffMember | None:
    """One of the provider's people by e-mail address; staff's scope."""
    found = select(StaffMember).where(func.lower(StaffMember.email) == email.lower())
    return db.session.scalars(found).first()


def list_contracts(*, tenant_id: int | None, after: Sequence[Any] | None, limit: int) -> Sequence[Contract]:
    """Contracts by client, one more than `limit`."""
    page = select(Contract)
    if tenant_id is not None:
        page = page.where(Contract.tenant_id == tenant_id)
    if after is not None:
        page = page.where(tuple_(Contract.tenant_id, Contract.id) > tuple_(*after))
    return db.session.scalars(page.order_by(Contract.tenant_id, Contract.id).limit(limit + 1)).all()


def list_contract_versions(
    contract: Contract, *, after: Sequence[Any] | None, limit: int
) -> Sequence[ContractVersion]:
    """A contract's versions, the latest first, one more than `limit`."""
    page = select(ContractVersion).where(
        ContractVersion.tenant_id == contract.tenant_id, ContractVersion.contract_id == contract.id
    )
    if after is not None:
        page = page.where(ContractVersion.number < after[0])
    return db.session.scalars(page.order_by(ContractVersion.number.desc()).limit(limit + 1)).all()


def contract_of(version: ContractVersion) -> Contract:
    """The contract that a version belongs to."""
    return db.session.get_one(Contract, (version.tenant_id, version.contract_id))


# Lines of a history that clients may know of; the others are how the provider works.
CLIENTS_LINES = (
    "opened", "message_added", "state_changed", "reprioritised", "resolved", "reopened", "closed", "cancelled",
    "terms_applied",
)  # fmt: skip


def list_ticket_events(
    ticket: Ticket, *, after: Sequence[Any] | None, limit: int, for_clients: bool
) -> Sequence[TicketEvent]:
    """A ticket's history in order, one more than `limit`; for clients without the provider's own lines."""
    page = select(TicketEvent).where(
        TicketEvent.tenant_id == ticket.tenant_id, TicketEvent.ticket_id == ticket.id
    )
    if for_clients:
        internal = (TicketEvent.kind == "message_added") & (TicketEvent.data["kind"].astext == "internal")
        page = page.where(TicketEvent.kind.in_(CLIENTS_LINES), ~internal)
    if after is not None:
        page = page.where(TicketEvent.seq > after[0])
    return db.session.scalars(page.order_by(TicketEvent.seq).limit(limit + 1)).all()


def releases_by_id(ids: Collection[int]) -> dict[int, Release]:
    """Releases by row id, in one statement."""
    found = db.session.scalars(select(Release).where(Release.id.in_(ids))) if ids else ()
    return {one.id: one for one in found}
