"""Applying a version to open tickets: a few at once, many piece by piece in the background."""

from datetime import datetime
from typing import Any

from contracts.terms.models import ContractVersion
from contracts.timers.applying import PIECE, Applied, apply_version, count_awaiting, note_act
from msp.background.jobs import job
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.work import Claimed, request_work
from tenants.people.queries import list_granted

AT_ONCE = 25
"""How many tickets are moved on while the person waits."""


def begin_applying(version: ContractVersion, *, by: Actor, at: datetime) -> Applied:
    """Apply a version to the few tickets that wait for it, or ask for it to be done; nothing for none."""
    waiting = count_awaiting(version)
    if waiting <= AT_ONCE:
        return apply_version(version, by=by, at=at, piece=AT_ONCE)
    note_act("contract.terms_asked_for", version, tickets=waiting, by=by, at=at)
    _ask(version, by=by.id, done=0)
    return Applied(0, waiting)


def _ask(version: ContractVersion, *, by: int | None, done: int) -> None:
    request_work(
        "apply_version",
        tenant_id=version.tenant_id,
        arguments={"version": version.id, "by": by, "done": done},
        key=f"version {version.id}",
    )


@job("apply_version")
def apply_next_piece(work: Claimed) -> None:
    """Apply a version to the next piece of tickets, and ask for the one after it; a repeat finds nothing left.

    It asks no more whether the version is in force: tickets that a later one measures are left alone.
    """
    version = db.session.get_one(ContractVersion, (work.tenant_id, work.arguments["version"]))
    by = _actor(work)
    applied = apply_version(version, by=by, at=time.now(), done=work.arguments["done"], piece=PIECE)
    if applied.waiting:
        _ask(version, by=work.arguments["by"], done=applied.done)


def _actor(work: Claimed) -> Actor:
    """Who asked for it, as they are now; the portal for somebody who left meanwhile."""
    asked: Any = work.arguments["by"]
    found = next((one for one in list_granted(work.tenant_id) if one.user_id == asked), None)
    if found is None:
        return Actor.system("Portal")
    scope = frozenset({work.tenant_id})
    return Actor.person(
        user_id=found.user_id, name=found.name, role=MemberRole(found.role), tenants=scope, via="job"
    )
