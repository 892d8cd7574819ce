"""Writing the audit log: entries wait until just before the commit, so the chain's lock is held shortest and last."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from tenants.audit.models import AuditEntry, SystemAuditEntry
from tenants.foundation import transaction
from tenants.foundation.actor import Actor

_UNSET = b""


def record(
    action: str,
    *,
    tenant_id: int | None,
    by: Actor,
    object: str,
    at: datetime,
    detail: dict[str, Any] | None = None,
) -> None:
    """Audit an act in the transaction in force.

    `tenant_id` None writes to the system's chain. `object` names what was acted on (kind and public id); `detail` holds
    what changed, without secrets. Bulk acts write one entry that summarises.
    """
    who = f"{by.kind}:{by.id}" if by.id is not None else f"{by.kind}:{by.name}"
    body = canonical(
        {
            "at": at.isoformat(timespec="microseconds"),
            "action": action,
            "object": object,
            "actor": who,
            "name": by.name,
            "role": by.role,
            "via": by.via,
            "detail": detail or {},
        }
    )
    row = {"at": at, "action": action, "object": object, "actor": who, "body": body}
    transaction.add("audit", (tenant_id, row))


def canonical(body: dict[str, Any]) -> str:
    """JSON with sorted keys and no spare spaces: the same facts are the same text."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def _write(session: Session, entries: list[tuple[int | None, dict[str, Any]]]) -> None:
    """Insert in one order over all chains, so that two transactions never wait for each other."""
    for tenant_id, row in sorted(entries, key=lambda entry: (entry[0] is None, entry[0] or 0)):
        linked = {**row, "seq": 0, "previous": _UNSET, "hash": _UNSET}
        if tenant_id is None:
            session.execute(insert(SystemAuditEntry.__table__).values(**linked).inline())  # type: ignore[arg-type]
        else:
            session.execute(insert(AuditEntry.__table__).values(tenant_id=tenant_id, **linked).inline())  # type: ignore[arg-type]


transaction.before_commit("audit", _write)
