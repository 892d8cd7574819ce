"""After a restore from a backup agents may be ahead of the database: what ran stands until people have looked.

A campaign's ledger says in which database it ran. Restoring makes another one of it: a new cluster has another
identifier, a database made anew has another number, and a recovery or a promotion begins a new timeline.
"""

import hashlib

from sqlalchemy import column, func, select, table

from msp.campaigns.models import Campaign, Decision
from msp.campaigns.steps import decide
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter

REASON = "database restored"
PORTAL = Actor.system("campaigns")
_databases = table("pg_database", column("oid"), column("datname"))


def read_epoch() -> str:
    """What tells this database from the same one restored: 16 hex digits."""
    system = func.pg_control_system().table_valued("system_identifier")
    checkpoint = func.pg_control_checkpoint().table_valued("timeline_id")
    number = select(_databases.c.oid).where(_databases.c.datname == func.current_database())
    parts = (select(system.c.system_identifier), select(checkpoint.c.timeline_id), number)
    row = db.session.execute(select(*(part.scalar_subquery() for part in parts))).one()
    found = "/".join(map(str, row))
    return hashlib.sha256(found.encode()).hexdigest()[:16]


def pause_restored() -> int:
    """Pause every running campaign that ran in another database; returns how many. Safe to run twice."""
    with enter(Scope(Role.WORKER, frozenset())):
        epoch = read_epoch()
        running = select(Campaign).where(Campaign.state == "running").order_by(Campaign.id)
        moved = [one for one in db.session.scalars(running.with_for_update()) if _ran_elsewhere(one, epoch)]
        for campaign in moved:
            _pause(campaign, epoch)
        db.session.commit()
        return len(moved)


def _ran_elsewhere(campaign: Campaign, epoch: str) -> bool:
    known = (
        select(Decision.inputs["epoch"].astext)
        .where(Decision.campaign_id == campaign.id, Decision.inputs.has_key("epoch"))
        .order_by(Decision.id.desc())
        .limit(1)
    )
    return db.session.scalar(known) not in (None, epoch)


def _pause(campaign: Campaign, epoch: str) -> None:
    """From now on it belongs to this database, so that people can let it go on."""
    at = time.now()
    campaign.state, campaign.pause_cause, campaign.pause_reason = "paused", "restore", REASON
    campaign.rev += 1
    campaign.next_eval_at = at
    inputs = {"cause": "restore", "reason": REASON, "epoch": epoch}
    decide(campaign, at=at, actor="portal", kind="paused", inputs=inputs, result="paused")
    audit.record(
        "campaign.paused",
        tenant_id=None,
        by=PORTAL,
        object=f"campaign:{campaign.public_id}",
        at=at,
        detail={**inputs, "from": "running", "to": "paused"},
    )
