"""Making, changing, pausing and ending plans of recurring maintenance. What happens on their days is in opening.py."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select

from msp.upkeep.models import MaintenancePlan, MaintenancePlanAsset
from msp.upkeep.queries import recurring
from msp.upkeep.rules import BECOMES, LONGEST_LEAD_DAYS, TIERS, look_again
from msp.windows.rules import Recurring, UnfitRule, check_rule
from msp.windows.services import UNFIT
from tenants.assets.models import Asset
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, InvalidMany
from tenants.tenancy.models import Site
from tenants.tickets.assignments import list_engineers

LONGEST_TITLE = 120
MOST_LINES = 50
LONGEST_LINE = 300
MOST_ASSETS = 200


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What people say about a plan: what, when, where, who, and how many days ahead it becomes a ticket."""

    title: str
    rule: Recurring
    checklist: Sequence[str] = ()
    becomes: str = "request"
    tier: str = "L1"
    user_id: int | None = None
    site: Site | None = None
    assets: Collection[Asset] = ()
    lead_days: int = 7


def add_plan(tenant_id: int, plan: Plan, *, by: Actor, at: datetime) -> MaintenancePlan:
    """Plan upkeep at a client. Raises InvalidMany naming what is unfit."""
    row = MaintenancePlan(tenant_id=tenant_id, created_by=by.name, created_at=at, settled_until=at, rev=0)
    _fill(row, plan, at)
    db.session.add(row)
    _put_assets(row, plan.assets)
    _audit("upkeep.add", row, by, at, _detail(row))
    return row


def change_plan(row: MaintenancePlan, plan: Plan, *, by: Actor, at: datetime) -> None:
    """Change what has not become a ticket yet; tickets that are open stay as they are. Raises InvalidMany, Conflict."""
    _hold(row)
    before = _detail(row)
    _fill(row, plan, at)
    row.rev += 1
    _put_assets(row, plan.assets)
    _audit("upkeep.change", row, by, at, {"before": before, "after": _detail(row)})


def pause_plan(row: MaintenancePlan, *, by: Actor, at: datetime) -> None:
    """Let nothing come of it until it is resumed. Raises Conflict."""
    _hold(row)
    row.paused_at = row.paused_at or at
    row.look_at, row.rev = None, row.rev + 1
    _audit("upkeep.pause", row, by, at, {"title": row.title})


def resume_plan(row: MaintenancePlan, *, by: Actor, at: datetime) -> None:
    """Go on from now; what fell into the pause is not made up for. Raises Conflict."""
    _hold(row)
    if row.paused_at is not None:
        row.paused_at, row.rev = None, row.rev + 1
        row.settled_until = max(row.settled_until, at)
        _look_again(row)
    _audit("upkeep.resume", row, by, at, {"title": row.title})


def end_plan(row: MaintenancePlan, *, by: Actor, at: datetime) -> None:
    """It never comes back; its history stays. Raises Conflict."""
    _hold(row)
    row.ended_at, row.look_at, row.rev = at, None, row.rev + 1
    _audit("upkeep.end", row, by, at, {"title": row.title})


def _hold(row: MaintenancePlan) -> None:
    """Lock the plan, which must not have ended."""
    db.session.refresh(row, with_for_update=True)
    if row.ended_at is not None:
        raise Conflict(_l("This plan has ended."))


def _fill(row: MaintenancePlan, plan: Plan, at: datetime) -> None:
    wrong = list(_problems(row.tenant_id, plan, at))
    if wrong:
        raise InvalidMany(wrong)
    row.title = _one_line(plan.title)
    row.rule, row.first_on = plan.rule.rule, plan.rule.first_on
    row.starts_at, row.minutes = plan.rule.starts_at.strftime("%H:%M"), plan.rule.minutes
    row.time_zone = plan.rule.time_zone
    row.checklist = [line for line in map(_one_line, plan.checklist) if line]
    row.becomes, row.lead_days = plan.becomes, plan.lead_days
    row.site_id = plan.site.id if plan.site else None
    row.user_id, row.user_name, row.tier = _who(row.tenant_id, plan)
    row.settled_until = max(row.settled_until, at)
    if row.paused_at is None:
        _look_again(row)


def _look_again(row: MaintenancePlan) -> None:
    lead = timedelta(days=row.lead_days)
    row.look_at = look_again(recurring(row), settled_until=row.settled_until, lead=lead)


def _who(tenant_id: int, plan: Plan) -> tuple[int | None, str | None, str]:
    """The person with their own tier, else nobody and the tier that was chosen."""
    found = next((one for one in list_engineers(tenant_id) if one.user_id == plan.user_id), None)
    if plan.user_id is None or found is None:
        return None, None, plan.tier
    return found.user_id, found.name, found.tier or plan.tier


def _problems(tenant_id: int, plan: Plan, at: datetime) -> Iterator[tuple[str, Any]]:
    if not 1 <= len(_one_line(plan.title)) <= LONGEST_TITLE:
        yield "title", _l("Give it a title of at most 120 characters.")
    if len(plan.checklist) > MOST_LINES or any(len(line) > LONGEST_LINE for line in plan.checklist):
        yield "checklist", _l("Write at most 50 lines of at most 300 characters.")
    if not 0 <= plan.lead_days <= LONGEST_LEAD_DAYS:
        yield "lead_days", _l("A ticket is opened at most 60 days ahead.")
    try:
        check_rule(plan.rule, since=at)
    except UnfitRule as unfit:
        yield "rule", UNFIT[str(unfit)]
    yield from _unknown(plan)
    yield from _foreign(tenant_id, plan)


def _unknown(plan: Plan) -> Iterator[tuple[str, Any]]:
    if plan.becomes not in BECOMES:
        yield "becomes", _l("Choose what it becomes.")
    if plan.tier not in TIERS:
        yield "tier", _l("Choose a tier.")
    if plan.becomes == "visit" and plan.site is None:
        yield "site", _l("Choose the site of the visit.")
    if len(plan.assets) > MOST_ASSETS:
        yield "assets", _l("Choose at most 200 assets.")


def _foreign(tenant_id: int, plan: Plan) -> Iterator[tuple[str, Any]]:
    if plan.site is not None and plan.site.tenant_id != tenant_id:
        yield "site", _l("This site is not known.")
    if any(asset.tenant_id != tenant_id for asset in plan.assets):
        yield "assets", _l("This asset is not known.")
    known = [one.user_id for one in list_engineers(tenant_id)] if plan.user_id is not None else []
    if plan.user_id is not None and plan.user_id not in known:
        yield "person", _l("This person does not work for this client.")


def _put_assets(row: MaintenancePlan, assets: Collection[Asset]) -> None:
    db.session.flush()
    mine = (MaintenancePlanAsset.tenant_id == row.tenant_id, MaintenancePlanAsset.plan_id == row.id)
    wanted = {asset.id for asset in assets}
    there = set(db.session.scalars(select(MaintenancePlanAsset.asset_id).where(*mine)))
    if there - wanted:
        gone = MaintenancePlanAsset.asset_id.in_(sorted(there - wanted))
        db.session.execute(delete(MaintenancePlanAsset).where(*mine, gone))
    for asset_id in sorted(wanted - there):
        db.session.add(MaintenancePlanAsset(tenant_id=row.tenant_id, plan_id=row.id, asset_id=asset_id))
    db.session.flush()


def _detail(row: MaintenancePlan) -> dict[str, Any]:
    return {
        "title": row.title,
        "rule": row.rule,
        "at": row.starts_at,
        "zone": row.time_zone,
        "becomes": row.becomes,
        "tier": row.tier,
        "person": row.user_name,
        "lead_days": row.lead_days,
    }


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _audit(action: str, row: MaintenancePlan, by: Actor, at: datetime, detail: dict[str, Any]) -> None:
    db.session.flush()
    object_ = f"maintenance_plan:{row.public_id}"
    audit.record(action, tenant_id=row.tenant_id, by=by, object=object_, at=at, detail=detail)
