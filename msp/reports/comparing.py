"""The nightly comparison of stored with recomputed timers, client by client."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from contracts.timers.checks import add_to_check, find_check, record_check
from contracts.timers.verifying import Check, verify_closed, verify_open
from msp.background.jobs import job
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.foundation.work import Claimed, request_work
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant_by_id, list_all_tenants

log = structlog.get_logger()
VERIFY, VERIFY_OPEN = "timers.verify", "timers.verify_open"
PIECE = 500
"""Open tickets that one row of work compares: seconds, where a lease is a minute."""
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
    """Begin a day's comparison with some closed tickets; made once a day, however often it is asked for."""
    now = time.now()
    client = find_tenant_by_id(work.tenant_id)
    today = now.astimezone(ZoneInfo(client.time_zone)).date()
    if find_check(work.tenant_id, today) is not None:
        return
    check = verify_closed(work.tenant_id, now=now)
    kept = record_check(work.tenant_id, check, on=today, at=now)
    _tell(client, check)
    _go_on(work.tenant_id, kept.id, after=0)


@job(VERIFY_OPEN)
def verify_open_timers(work: Claimed) -> None:
    """Compare the next open tickets, keep and log, and ask for those after them: a piece stays inside its lease."""
    check_id = int(work.arguments["check"])
    after = int(work.arguments["after"])
    check, last = verify_open(work.tenant_id, now=time.now(), after=after, limit=PIECE)
    add_to_check(work.tenant_id, check_id, check)
    _tell(find_tenant_by_id(work.tenant_id), check)
    if last is not None:
        _go_on(work.tenant_id, check_id, after=last)


def _go_on(tenant_id: int, check_id: int, *, after: int) -> None:
    request_work(VERIFY_OPEN, tenant_id=tenant_id, arguments={"check": check_id, "after": after})


def _tell(client: Tenant, check: Check) -> None:
    for one in check.differences:
        log.error("timer differs", tenant=client.slug, **one._asdict())
    log.info(
        "timers compared",
        tenant=client.slug,
        open=check.open_tickets,
        closed=check.closed_tickets,
        differences=len(check.differences),
    )
