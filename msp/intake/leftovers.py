"""Bytes on disk that nothing refers to any more, of every client and of the mails that came in."""

from collections.abc import Collection

import structlog
from flask import current_app
from sqlalchemy import select

from msp.intake.mail.models import IncomingMail
from tenants.files.leftovers import sweep_leftovers
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.tenancy.models import Tenant

log = structlog.get_logger()


def sweep_leftover_files() -> int:
    """Periodic: remove what has lain for a day without a row that owns it; how many files. Safe to run twice."""
    root, at = current_app.extensions["settings"].files_dir, time.now()
    with enter(gate()):
        tenants = list(db.session.execute(select(Tenant.id, Tenant.kind).order_by(Tenant.id)))
    removed = 0
    for tenant_id, kind in tenants:
        with enter(of_tenant(tenant_id)):
            owned = _owned_mails if kind == "own" else _none
            count = sweep_leftovers(root, tenant_id, owned=owned, at=at)
        if count:
            log.info("files without an owner removed", tenant=tenant_id, count=count)
        removed += count
    return removed


def _owned_mails(digests: Collection[str]) -> set[str]:
    """Raw mails lie with the provider's files."""
    found = select(IncomingMail.sha256).where(IncomingMail.sha256.in_(list(digests)))
    return set(db.session.scalars(found))


def _none(_digests: Collection[str]) -> set[str]:
    return set()
