"""Making, pausing and resuming policies that propose campaigns."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from msp.campaigns.rules import SEVERITIES
from msp.upkeep.models import PatchPolicy
from msp.upkeep.queries import recurring
from msp.upkeep.rules import look_again
from msp.windows.rules import Recurring, UnfitRule, check_rule
from msp.windows.services import UNFIT
from tenants.assets.models import KINDS
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden, InvalidMany

AT_ONCE = timedelta()
OLDEST_DAYS = 365


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What people say about a policy: for whose assets, how grave, how old, and on which day."""

    name: str
    tenant_ids: Collection[int]
    rule: Recurring
    severity: str = "high"
    least_age_days: int = 7
    asset_kind: str = ""
    tag: str = ""


def add_policy(policy: Policy, *, by: Actor, at: datetime) -> PatchPolicy:
    """Propose campaigns by itself from now on. Raises InvalidMany naming what is unfit, Forbidden."""
    wrong = list(_problems(policy, at))
    if wrong:
        raise InvalidMany(wrong)
    if not set(policy.tenant_ids) <= by.tenants:
        raise Forbidden
    row = PatchPolicy(
        name=_one_line(policy.name),
        tenant_ids=sorted(policy.tenant_ids),
        asset_kind=policy.asset_kind,
        tag=policy.tag,
        severity=policy.severity,
        least_age_days=policy.least_age_days,
        rule=policy.rule.rule,
        first_on=policy.rule.first_on,
        starts_at=policy.rule.starts_at.strftime("%H:%M"),
        time_zone=policy.rule.time_zone,
        settled_until=at,
        created_by=by.name,
        created_at=at,
    )
    row.look_at = look_again(recurring(row), settled_until=at, lead=AT_ONCE)
    db.session.add(row)
    detail = {"name": row.name, "rule": row.rule, "severity": row.severity, "clients": row.tenant_ids}
    _audit("patch_policy.add", row, by, at, detail)
    return row


def pause_policy(row: PatchPolicy, *, by: Actor, at: datetime) -> None:
    """Propose nothing until it is resumed; what was proposed stays."""
    db.session.refresh(row, with_for_update=True)
    row.paused_at, row.look_at = row.paused_at or at, None
    _audit("patch_policy.pause", row, by, at, {"name": row.name})


def resume_policy(row: PatchPolicy, *, by: Actor, at: datetime) -> None:
    """Propose again from now on; days that fell into the pause are not made up for. Raises Forbidden."""
    db.session.refresh(row, with_for_update=True)
    if not set(row.tenant_ids) <= by.tenants:
        raise Forbidden
    if row.paused_at is not None:
        row.paused_at, row.settled_until = None, max(row.settled_until, at)
        row.look_at = look_again(recurring(row), settled_until=row.settled_until, lead=AT_ONCE)
    _audit("patch_policy.resume", row, by, at, {"name": row.name})


def _problems(policy: Policy, at: datetime) -> Iterator[tuple[str, Any]]:
    if not 1 <= len(_one_line(policy.name)) <= 80:
        yield "name", _l("Give it a name of at most 80 characters.")
    if not policy.tenant_ids:
        yield "tenants", _l("Choose at least one client.")
    if policy.severity not in SEVERITIES:
        yield "severity", _l("Choose a severity.")
    if policy.asset_kind and policy.asset_kind not in KINDS:
        yield "kind", _l("Choose a kind from the list.")
    if len(policy.tag) > 40:
        yield "tag", _l("A tag has at most 40 characters.")
    if not 0 <= policy.least_age_days <= OLDEST_DAYS:
        yield "least_age_days", _l("Enter from 0 to 365 days.")
    try:
        check_rule(policy.rule, since=at)
    except UnfitRule as unfit:
        yield "rule", UNFIT[str(unfit)]


def _one_line(words: str) -> str:
    return " ".join(words.split())


def _audit(action: str, row: PatchPolicy, by: Actor, at: datetime, detail: dict[str, Any]) -> None:
    db.session.flush()
    audit.record(action, tenant_id=None, by=by, object=f"patch_policy:{row.public_id}", at=at, detail=detail)
