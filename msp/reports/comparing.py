"""The nightly comparison of stored with recomputed timers, client by client."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from contracts.timers.checks import find_check, record_check
from contracts.timers.verifying import verify_tenant
from msp.background.jobs import job
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.foundation.work import Claimed, request_work
from tenants.tenancy.queries import find_tenant_by_id, list_all_tenants

log = structlog.get_logger()
VERIFY = "timers.verify"
NIGHT = timedelta(hours=2, minutes=30)
"""When, after local midnight of the client."""


def ask_for_checks() -> None:
    """Periodic: let one comparison wait for each client's next night; a waiting one absorbs the repeat."""
    with enter(gate()):
        clients = [(one.id, one.time_zone) for one in list_all_tenants()]
    for tenant_id, time_zone in clients:
        with enter(of_tenant(tenant_id)):
            request_work(VERIFY, tenant_id=tenant_id, key="nightly", due_at=next_night(time.now(), time_zone))
            db.session.commit()


def next_night(now: datetime, time_zone: str) -> datetime:
    """The first half past two at night, in the zone, that is not over."""
    local = now.astimezone(ZoneInfo(time_zone))
    night = local.replace(hour=0, minute=0, second=0, microsecond=0) + NIGHT
    return night if night > local else night + timedelta(days=1)


@job(VERIFY)
def verify_timers(work: Claimed) -> None:
    """Compare, keep and log; a day's comparison is made once, however often it is asked for."""
    now = time.now()
    client = find_tenant_by_id(work.tenant_id)
    today = now.astimezone(ZoneInfo(client.time_zone)).date()
    if find_check(work.tenant_id, today) is not None:
        return
    check = verify_tenant(work.tenant_id, now=now)
    record_check(work.tenant_id, check, on=today, at=now)
    for one in check.differences:
        log.error("timer differs", tenant=client.slug, **one._asdict())
    log.info(
        "timers compared",
        tenant=client.slug,
        open=check.open_tickets,
        closed=check.closed_tickets,
        differences=len(check.differences),
    )
