"""Reading and verifying the audit log."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, not_, select

from tenants.audit.models import AuditEntry, AuditHead, SystemAuditEntry, SystemAuditHead
from tenants.foundation.db import db


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where a chain does not hold: the entry's number and what is wrong with it."""

    seq: int
    problem: str


def verify_tenant(tenant_id: int) -> list[Flaw]:
    """Recompute a tenant's chain; an empty list means that it holds."""
    head = db.session.scalar(select(AuditHead).where(AuditHead.tenant_id == tenant_id))
    return list(_verify(select(AuditEntry).where(AuditEntry.tenant_id == tenant_id), head))


def verify_system() -> list[Flaw]:
    """Recompute the system's chain; an empty list means that it holds."""
    return list(_verify(select(SystemAuditEntry), db.session.scalar(select(SystemAuditHead))))


def _verify(entries: Select[Any], head: AuditHead | SystemAuditHead | None) -> Iterator[Flaw]:
    seq, previous = 0, b""
    model = entries.column_descriptions[0]["entity"]
    for row in db.session.scalars(entries.order_by(model.seq).execution_options(yield_per=1000)):
        seq += 1
        if row.seq != seq:
            yield Flaw(seq, "an entry is missing")
            seq = row.seq
        yield from _verify_entry(row, previous)
        previous = row.hash
    if head is not None and (head.seq, head.hash) != (seq, previous):
        yield Flaw(head.seq, "the head does not match the last entry: the tail was cut or replaced")


def _verify_entry(row: Any, previous: bytes) -> Iterator[Flaw]:
    if row.previous != previous:
        yield Flaw(row.seq, "the link to the entry before is broken")
    if row.hash != hashlib.sha256(row.previous + f"{row.seq}\n{row.body}".encode()).digest():
        yield Flaw(row.seq, "the entry was changed")
    body = json.loads(row.body)
    if (body["action"], body["object"], body["actor"]) != (row.action, row.object, row.actor):
        yield Flaw(row.seq, "the entry's columns differ from its body")


def list_entries(
    tenant_id: int, *, before: int | None = None, limit: int = 50, for_client: bool = False
) -> list[AuditEntry]:
    """A page of a tenant's audit log, newest first; `before` is the number to continue from.

    `for_client`: without what is the provider's own.
    """
    page = select(AuditEntry).where(AuditEntry.tenant_id == tenant_id)
    if for_client:
        page = page.where(AuditEntry.rows_for_client())
    if before is not None:
        page = page.where(AuditEntry.seq < before)
    return list(db.session.scalars(page.order_by(AuditEntry.seq.desc()).limit(limit)))


def count_providers_own(tenant_id: int) -> int:
    """How many entries of a tenant's log its own people do not read; reads the whole chain."""
    own = select(func.count()).where(AuditEntry.tenant_id == tenant_id, not_(AuditEntry.rows_for_client()))
    return db.session.scalar(own) or 0
