"""What comes of a plan on its days: a ticket with the checklist, once, whoever sweeps and however often."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from msp.intake.receiving import receive_ticket
from msp.upkeep.models import MaintenanceOccurrence, MaintenancePlan
from msp.upkeep.queries import assets_of, recurring
from msp.upkeep.rules import Settled, look_again, settle
from msp.web.formats import day, moment
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.people.models import StaffMember
from tenants.tenancy.models import Site, Tenant
from tenants.tenancy.queries import find_tenant_by_id, site_of
from tenants.tickets.assignments import assign_ticket, list_engineers
from tenants.tickets.messages import Requester
from tenants.tickets.models import Ticket
from tenants.tickets.opening import Request
from tenants.tickets.visits import Plan as Visiting
from tenants.tickets.visits import plan_visit

UPKEEP = Actor.system("Portal")
BATCH = 200
SHOWN_ASSETS = 40
RETRY = timedelta(minutes=5)
log = structlog.get_logger()


def sweep_due_plans() -> int:
    """Periodic: open what is due. Each plan in its own transaction; returns how many plans were looked at."""
    now = time.now()
    due = select(MaintenancePlan.tenant_id, MaintenancePlan.id).where(MaintenancePlan.look_at <= now)
    with enter(sweeper()):
        found = db.session.execute(due.order_by(MaintenancePlan.look_at).limit(BATCH)).all()
    return sum(_look(tenant_id, plan_id) for tenant_id, plan_id in found)


def _look(tenant_id: int, plan_id: int) -> bool:
    """One bad plan never stops the sweep."""
    try:
        with enter(of_tenant(tenant_id)):
            done = open_due(plan_id, at=time.now())
            db.session.commit()
    except Exception as error:
        log.exception("plan not opened", tenant=tenant_id, plan=plan_id, error=type(error).__name__)
        _look_later(tenant_id, plan_id)
        return False
    return done


def _look_later(tenant_id: int, plan_id: int) -> None:
    with enter(of_tenant(tenant_id)):
        mine = (MaintenancePlan.tenant_id == tenant_id, MaintenancePlan.id == plan_id)
        later = update(MaintenancePlan).where(*mine, MaintenancePlan.look_at.is_not(None))
        db.session.execute(later.values(look_at=time.now() + RETRY))
        db.session.commit()


def open_due(plan_id: int, *, at: datetime) -> bool:
    """Record what is due of a plan, and open its tickets; False where another sweeper was faster."""
    asked = select(MaintenancePlan).where(MaintenancePlan.id == plan_id, MaintenancePlan.look_at <= at)
    plan = db.session.scalar(asked.with_for_update(skip_locked=True))
    if plan is None:
        return False
    tenant = find_tenant_by_id(plan.tenant_id)
    if tenant.state != "active":
        # Nothing is done for a suspended client; what it misses is recorded once it is served again.
        plan.look_at = at + timedelta(hours=1)
        return False
    lead = timedelta(days=plan.lead_days)
    rule = recurring(plan)
    due = settle(rule, settled_until=plan.settled_until, lead=lead, at=at)
    _record_all(tenant, plan, due, at)
    plan.settled_until = max([plan.settled_until, *(one.span[0] for one in due)])
    plan.look_at = look_again(rule, settled_until=plan.settled_until, lead=lead)
    db.session.flush()
    return True


def _record_all(tenant: Tenant, plan: MaintenancePlan, due: Sequence[Settled], at: datetime) -> None:
    if not due:
        return
    recorded = _insert(plan, due, at)
    fresh = [one for one in due if one.occurs_on in recorded and one.state == "opened"]
    if not fresh:
        return
    assets, site = assets_of(plan), site_of(plan.tenant_id, plan.site_id)
    person = _person(plan)
    for one in fresh:
        ticket = _open(tenant, plan, one, (assets, site, person), at)
        recorded[one.occurs_on].ticket_id = ticket.id
    db.session.flush()


def _insert(plan: MaintenancePlan, due: Sequence[Settled], at: datetime) -> dict[Any, MaintenanceOccurrence]:
    """The rows of those days that had none yet: the unique key decides, not what was read before."""
    rows = [
        {
            "tenant_id": plan.tenant_id,
            "plan_id": plan.id,
            "occurs_on": one.occurs_on,
            "begins_at": one.span[0],
            "ends_at": one.span[1],
            "title": plan.title,
            "becomes": plan.becomes,
            "state": one.state,
            "rev": plan.rev,
            "recorded_at": at,
        }
        for one in due
    ]
    asked = insert(MaintenanceOccurrence).values(rows).on_conflict_do_nothing()
    found = db.session.scalars(asked.returning(MaintenanceOccurrence))
    return {one.occurs_on: one for one in found}


def _person(plan: MaintenancePlan) -> StaffMember | None:
    """Who is to do it, if they still work for the client."""
    if plan.user_id is None:
        return None
    return next((one for one in list_engineers(plan.tenant_id) if one.user_id == plan.user_id), None)


Where = tuple[Sequence[Asset], Site | None, StaffMember | None]


def _open(tenant: Tenant, plan: MaintenancePlan, one: Settled, where: Where, at: datetime) -> Ticket:
    assets, site, person = where
    with force_locale(tenant.language):
        subject, body = _subject(plan, one), _body(plan, one, assets, site)
    request = Request(
        subject=subject,
        body=body,
        impact="low",
        urgency="low",
        requester=Requester(name=plan.created_by),
        kind="request" if plan.becomes == "visit" else plan.becomes,
        asset=assets[0] if len(assets) == 1 else None,
        site=site,
        source="upkeep",
        request_key=f"upkeep:{plan.public_id}:{one.occurs_on}",
        tier=(person.tier if person else None) or plan.tier,
    )
    ticket = receive_ticket(tenant, request, by=UPKEEP, at=at)
    if person is not None:
        assign_ticket(ticket, to_user_id=person.user_id, by=UPKEEP, at=at)
    if plan.becomes == "visit" and one.span[1] > at:
        visit = Visiting(
            *one.span,
            technician_user_id=person.user_id if person else None,
            site_id=site.id if site else None,
            address="" if site else tenant.address.strip()[:300] or tenant.name,
        )
        plan_visit(ticket, visit, by=UPKEEP, at=at, calendar_key=f"plan-{plan.public_id}-{one.occurs_on}")
    return ticket


def _subject(plan: MaintenancePlan, one: Settled) -> str:
    return f"{plan.title} · {day(one.occurs_on)}"


def _body(plan: MaintenancePlan, one: Settled, assets: Sequence[Asset], site: Site | None) -> str:
    begins, ends = (moment(at, plan.time_zone) for at in one.span)
    lines = [_("Planned maintenance from %(begin)s until %(end)s.", begin=begins, end=ends)]
    if site is not None:
        lines.append(
            _("Visit at %(site)s.", site=site.name)
            if plan.becomes == "visit"
            else _("Site: %(site)s", site=site.name)
        )
    if assets:
        lines.append(_("Assets: %(names)s", names=_names(assets)))
    if plan.checklist:
        lines += ["", _("Checklist:"), *(f"[ ] {line}" for line in plan.checklist)]
    return "\n".join(lines)


def _names(assets: Sequence[Asset]) -> str:
    named = ", ".join(asset.name for asset in assets[:SHOWN_ASSETS])
    more = len(assets) - SHOWN_ASSETS
    return f"{named}, +{more}" if more > 0 else named
