"""Streams of changes: a page hears that its campaign moved, and fetches itself anew. Served by a process of its own.

Run `gunicorn --worker-class gthread --threads 120 'msp.campaigns.live:create_live_app()'`; LIVE_URL says where browsers
find it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify
from flask_login import current_user
from sqlalchemy import func, null, select

from msp.campaigns import queries
from msp.campaigns.models import Action, Campaign, CampaignTenant, Decision, WaveLane
from msp.intake.chats.doors import resolve_visitor
from msp.intake.chats.live import bp as chats
from msp.settings import Settings, flask_config, load
from msp.web import access, errors, headers, logs, proxies, sessions, streams
from msp.web.access import actor, public, require
from msp.web.streams import Digests
from tenants.foundation import guard, time
from tenants.foundation.db import db
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Role, Scope, enter, gate, narrowed
from tenants.people import principals
from tenants.tenancy.models import Tenant

bp = Blueprint("streams", __name__)
streams.prepare(bp)


def address_of(campaign: Campaign) -> str:
    """Where a page listens: on its own host, or where LIVE_URL says."""
    settings = current_app.extensions["settings"]
    return f"{settings.live_url}/streams/campaigns/{campaign.public_id}"


def version_of(campaign_id: int) -> str:
    """The version of what the board shows to whoever is in scope."""
    return streams.combine(read(campaign_id), narrowed())


def read(campaign_id: int) -> Digests:
    """A digest of what counts of the campaign itself (None), and of each tenant in scope; five statements."""
    parts: dict[int | None, list[Any]] = defaultdict(list)
    for statement in _looks(campaign_id):
        for row in db.session.execute(statement):
            parts[row[0]].append(tuple(row[1:]))
    return {one: streams.digest_of(rows) for one, rows in parts.items()}


def _looks(campaign_id: int) -> Iterator[Any]:
    """What changes on the board, by tenant; in an order that is the same for the same rows."""
    whole = Campaign.id == campaign_id
    yield select(null(), Campaign.rev, Campaign.state, Campaign.resume_asked_by).where(whole)
    decided = select(Decision.tenant_id, func.max(Decision.id)).where(Decision.campaign_id == campaign_id)
    yield decided.group_by(Decision.tenant_id)
    mine = CampaignTenant.campaign_id == campaign_id
    yield select(CampaignTenant.tenant_id, CampaignTenant.rev, CampaignTenant.begins_at).where(mine)
    lanes = (WaveLane.tenant_id, WaveLane.ordinal, WaveLane.state, WaveLane.reason, WaveLane.rev)
    yield select(*lanes).where(WaveLane.campaign_id == campaign_id).order_by(*lanes)
    kinds = (Action.tenant_id, Action.lane_id, Action.phase, Action.outcome, Action.is_last)
    counted = select(*kinds, func.count()).where(Action.campaign_id == campaign_id)
    yield counted.group_by(*kinds).order_by(*kinds)


@dataclass(frozen=True, slots=True)
class Watched:
    """A campaign that somebody watches."""

    campaign_id: int

    def read(self) -> Digests:
        """What a worker of all member tenants reads."""
        with enter(Scope(Role.WORKER, frozenset())):
            members = queries.find_campaign_by_id(self.campaign_id).tenant_ids
        with enter(Scope(Role.WORKER, frozenset(members))):
            return read(self.campaign_id)


def _still_may(token: str, campaign: str, tenants: frozenset[int]) -> bool:
    """Whether the session still stands and still shows the same clients of this campaign."""
    with enter(gate()):
        found = principals.by_session(token, time.now())
    if found is None or not found.actor.may(Permission.VIEW_CAMPAIGNS):
        return False
    with enter(found.actor.scope()):
        queries.find_campaign(campaign)
    return found.actor.tenants == tenants


@bp.get("/streams/healthz")
@public("liveness: says only that the process answers")
def show_liveness() -> Response:
    """The process answers."""
    return jsonify({"state": "alive", "listeners": current_app.extensions["streams"].listeners})


@bp.get("/streams/campaigns/<campaign>")
@require(Permission.VIEW_CAMPAIGNS)
def stream_campaign(campaign: str) -> Response:
    """The versions of a campaign's board, as they come."""
    found, who, token = queries.find_campaign(campaign), actor(), current_user.get_id()
    listener = streams.Listener(
        Watched(found.id), who.id, who.tenants, lambda: _still_may(token, campaign, who.tenants)
    )
    return streams.serve(listener, read(found.id))


def add_streams(app: Flask, *, most: int = streams.MOST) -> None:
    """Serve streams from an application beside what else it serves; `most` is how many of its threads they may take."""
    sessions.install(app)
    app.extensions["credentials"]["visitor"] = resolve_visitor
    app.extensions["streams"] = streams.Hub(app, most)
    app.register_blueprint(bp)
    app.register_blueprint(chats)
    access.check_declared(app)


def create_live_app(settings: Settings | None = None) -> Flask:
    """The application that serves streams and nothing else."""
    settings = settings or load()
    logs.configure(settings.log_level)
    app = Flask("msp-live", static_folder=None)
    app.config.update(flask_config(settings))
    app.extensions["settings"] = settings
    db.init_app(app)
    guard.install(Tenant)
    proxies.install(app, settings.trusted_proxies)
    headers.install(app, https=settings.public_url.startswith("https://"))
    access.install(app)
    errors.install(app)
    add_streams(app)
    return app
