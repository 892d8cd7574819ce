"""What every adapter does when a machine asks for work: offer it, pick its files, remember which client asks."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, update

from msp.agents import enrolment
from msp.agents.credentials import Caller, Waiting
from msp.agents.models import AgentCredential
from msp.campaigns import actions, capabilities
from msp.campaigns.models import Action, Artifact, WaveLane
from msp.campaigns.writes import write
from tenants.assets.models import Asset
from tenants.foundation.db import db


def make_offer(asks: Caller, waiting: Waiting, at: datetime) -> tuple[Waiting | None, datetime | None]:
    """The action, offered if it may be now, and else when its window opens, if that is known. Commits."""
    offered = actions.offer(asks.asset_id, waiting.id, waiting.campaign_id, at)
    db.session.commit()
    if offered:
        shown = Waiting(waiting.id, "offered", waiting.campaign_id, False, waiting.offers + 1, "running")
        return shown, None
    return None, _opening(waiting.id, at)


def standing_offer(asks: Caller, waiting: Waiting | None, at: datetime) -> Waiting | None:
    """What waits, less an offer that would not be handed out now, as its client or the calendar came between."""
    is_unfetched = waiting is not None and waiting.phase == "offered" and not waiting.is_retrieved
    if waiting is not None and is_unfetched and not actions.may_fetch(asks.asset_id, waiting.id, at):
        return None
    return waiting


def _opening(action_id: int, at: datetime) -> datetime | None:
    """When the room of the action's lane begins next."""
    asked = (
        select(WaveLane.room)
        .join(Action, (Action.tenant_id == WaveLane.tenant_id) & (Action.lane_id == WaveLane.id))
        .where(Action.id == action_id)
    )
    return next_opening(db.session.scalar(asked) or (), at)


def next_opening(room: Iterable[Sequence[str]], at: datetime) -> datetime | None:
    """The earliest begin after now among pairs of moments; None while one is open, or none is left."""
    begins = [(datetime.fromisoformat(pair[0]), datetime.fromisoformat(pair[1])) for pair in room]
    if any(begin <= at < end for begin, end in begins):
        return None
    return min((begin for begin, _ in begins if begin > at), default=None)


def files_of(asks: Caller, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """The files that the asset's client is to have; a client that takes one file only gets the first."""
    stored = db.session.scalar(select(Asset.capabilities).where(Asset.id == asks.asset_id)) or {}
    names = capabilities.files_for(
        capabilities.client_named(stored), [artifact.filename for artifact in artifacts]
    )
    chosen = [artifact for artifact in artifacts if artifact.filename in names]
    is_one = capabilities.client_named(stored) == capabilities.RAUC
    return chosen[:1] if is_one else chosen


def note_client(asks: Caller, client: str | None) -> None:
    """Remember a client that names itself otherwise than before. Commits; writes nothing when nothing changed."""
    if client is None or client == asks.client or asks.credential_id is None:
        return
    asset = db.session.get_one(Asset, (asks.tenant_id, asks.asset_id), with_for_update=True)
    enrolment.note_client(asset, client)
    write(update(AgentCredential).where(AgentCredential.id == asks.credential_id).values(client=client))
    db.session.commit()
