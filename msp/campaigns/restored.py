"""After a restore from a backup agents may be ahead of the database: what ran stands until people have looked.

Actions that were made after the backup have numbers that the database would give once more, and machines remember
them: in another database numbers go on far beyond (`enter_epoch`).

A campaign's ledger says in which database it ran. Restoring makes another one of it: a new cluster has another
identifier, a database made anew has another number, and a recovery or a promotion begins a new timeline.
"""

import hashlib

import structlog
from sqlalchemy import column, func, literal, select, table
from sqlalchemy.dialects.postgresql import REGCLASS

from msp.campaigns.models import Campaign, Decision, Numbering
from msp.campaigns.steps import decide
from tenants.audit import services as audit
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import Role, Scope, enter

REASON = "database restored"
# More actions than are made between a backup and the moment of its restore; 31 bits hold two thousand restores.
MARGIN = 1_000_000
NUMBERING_LOCK = 7_340_032
ACTION_NUMBERS = "actions_id_seq"
PORTAL = Actor.system("campaigns")
log = structlog.get_logger()
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


def enter_epoch() -> str:
    """The epoch; in one that was never seen, numbers of actions that may have been given already are left out.

    The very first one goes on with the next number. Safe to run twice, and at the same time.
    """
    epoch = read_epoch()
    if not _is_known(epoch):
        db.session.execute(select(func.pg_advisory_xact_lock(NUMBERING_LOCK)))
        if not _is_known(epoch):
            _begin(epoch)
    return epoch


def _is_known(epoch: str) -> bool:
    return db.session.scalar(select(Numbering.id).where(Numbering.epoch == epoch)) is not None


def _begin(epoch: str) -> None:
    if db.session.scalar(select(Numbering.id).limit(1)) is not None:
        # Drawn one by one: no role of the portal may set a sequence, and nobody who draws meanwhile is disturbed.
        number = func.nextval(literal(ACTION_NUMBERS).cast(REGCLASS))
        drawn = func.generate_series(1, MARGIN).table_valued("one")
        last = db.session.scalar(select(func.max(number)).select_from(drawn))
        log.warning("the database was restored", epoch=epoch, next_action=last)
    db.session.add(Numbering(epoch=epoch, begun_at=time.now()))
    db.session.flush()


def pause_restored() -> int:
    """Pause every running campaign that ran in another database; returns how many. Safe to run twice."""
    with enter(Scope(Role.WORKER, frozenset())):
        epoch = enter_epoch()
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
