"""Streams of changes: a page hears that its campaign moved, and fetches itself anew. Served by a process of its own.

Run `gunicorn --worker-class gthread --threads 120 'msp.campaigns.live:create_live_app()'`; LIVE_URL says where browsers
find it. A stream carries no content, only a version: a digest of what the board shows of the clients that the listener
is granted. PostgreSQL is read once a second for each campaign that somebody watches, however many do.
"""

import hashlib
import threading
import time as seconds
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response, current_app, jsonify, request
from flask_login import current_user
from sqlalchemy import func, null, select
from sqlalchemy.exc import SQLAlchemyError

from msp.campaigns import queries
from msp.campaigns.models import Action, Campaign, CampaignTenant, Decision, WaveLane
from msp.settings import Settings, flask_config, load
from msp.web import access, errors, headers, logs, sessions
from msp.web.access import SecondFactorNeeded, SignInNeeded, actor, public, require
from tenants.foundation import guard, time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound
from tenants.foundation.permissions import Permission
from tenants.foundation.scope import Role, Scope, enter, gate, narrowed
from tenants.people import principals
from tenants.tenancy.models import Tenant

bp = Blueprint("streams", __name__)
LOOK_SECONDS = 1.0
BEAT_SECONDS = 15.0
LONGEST_SECONDS = 600.0
PER_PERSON = 6
MOST = 100
Digests = Mapping[int | None, str]


def address_of(campaign: Campaign) -> str:
    """Where a page listens: on its own host, or where LIVE_URL says."""
    settings = current_app.extensions["settings"]
    return f"{settings.live_url}/streams/campaigns/{campaign.public_id}"


def version_of(campaign_id: int) -> str:
    """The version of what the board shows to whoever is in scope."""
    return combine(read(campaign_id), narrowed())


def combine(digests: Digests, tenants: Collection[int]) -> str:
    """One version from the campaign's own digest and those of some tenants."""
    known = sorted((one for one in digests if one in tenants), key=str)
    said = "/".join([digests.get(None, ""), *(f"{one}:{digests[one]}" for one in known)])
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def read(campaign_id: int) -> Digests:
    """A digest of what counts of the campaign itself (None), and of each tenant in scope; five statements."""
    parts: dict[int | None, list[Any]] = defaultdict(list)
    for statement in _looks(campaign_id):
        for row in db.session.execute(statement):
            parts[row[0]].append(tuple(row[1:]))
    return {one: hashlib.sha256(repr(rows).encode()).hexdigest() for one, rows in parts.items()}


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


class Full(Exception):
    """Nobody else can listen: this person has too many streams open, or the process has."""

    def __init__(self, *, is_person: bool) -> None:
        super().__init__("too many streams")
        self.is_person = is_person


@dataclass(slots=True)
class Topic:
    """A campaign that somebody watches."""

    listeners: int = 0
    digests: Digests | None = None


@dataclass
class Hub:
    """Who listens to what in this process; one thread reads for all of them, while there is anybody."""

    app: Flask
    most: int = MOST
    is_serving: Callable[[], bool] = lambda: True
    _topics: dict[int, Topic] = field(default_factory=dict)
    _people: Counter[int] = field(default_factory=Counter)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None

    def sit(self, campaign_id: int, person_id: int, first: Digests) -> None:
        """Take a seat. Raises Full."""
        with self._changed:
            if self._people[person_id] >= PER_PERSON or self._people.total() >= self.most:
                raise Full(is_person=self._people[person_id] >= PER_PERSON)
            self._people[person_id] += 1
            topic = self._topics.setdefault(campaign_id, Topic(digests=first))
            topic.listeners += 1
            if self._reader is None:
                self._reader = threading.Thread(target=self._read_on, name="streams", daemon=True)
                self._reader.start()

    def rise(self, campaign_id: int, person_id: int) -> None:
        """Leave a seat."""
        with self._changed:
            self._people[person_id] -= 1
            self._people += Counter()
            topic = self._topics[campaign_id]
            topic.listeners -= 1
            if not topic.listeners:
                del self._topics[campaign_id]

    @property
    def listeners(self) -> int:
        """How many listen."""
        return self._people.total()

    def wait(self, campaign_id: int, known: str, tenants: Collection[int], patience: float) -> str | None:
        """The version once it is another than `known`, or that same one when patience is over; None: lost."""
        until = seconds.monotonic() + patience
        with self._changed:
            while self.is_serving():
                digests = self._topics[campaign_id].digests
                if digests is None:
                    return None
                version = combine(digests, tenants)
                left = until - seconds.monotonic()
                if version != known or left <= 0:
                    return version
                self._changed.wait(min(left, LOOK_SECONDS))
        return None

    def _read_on(self) -> None:
        while True:
            seconds.sleep(LOOK_SECONDS)
            with self._changed:
                if not self._topics:
                    self._reader = None
                    return
                watched = list(self._topics)
            found = {one: self._read(one) for one in watched}
            with self._changed:
                for campaign_id, digests in found.items():
                    if campaign_id in self._topics:
                        self._topics[campaign_id].digests = digests
                self._changed.notify_all()

    def _read(self, campaign_id: int) -> Digests | None:
        """What a worker of all member tenants reads; None when the database does not answer."""
        try:
            with self.app.app_context():
                with enter(Scope(Role.WORKER, frozenset())):
                    members = queries.find_campaign_by_id(campaign_id).tenant_ids
                with enter(Scope(Role.WORKER, frozenset(members))):
                    return read(campaign_id)
        except (SQLAlchemyError, NotFound):
            self.app.logger.exception("a campaign that is watched could not be read")
            return None


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens: the session by which they may, and the clients that they are granted."""

    hub: Hub
    token: str
    person_id: int
    campaign_id: int
    public_id: str
    tenants: frozenset[int]

    def stream(self, version: str) -> Iterator[str]:
        """The version now and whenever it changes, and a beat so that silence can be told from loss."""
        ends = seconds.monotonic() + LONGEST_SECONDS
        yield f"retry: 3000\n\n{_event('version', version)}"
        while seconds.monotonic() < ends:
            found = self.hub.wait(self.campaign_id, version, self.tenants, BEAT_SECONDS)
            if found is None:
                return
            if found == version and not self._still_may():
                yield _event("end", "")
                return
            yield _event("version", found) if found != version else _event("beat", "")
            version = found

    def _still_may(self) -> bool:
        """Whether the session still stands and still shows the same clients of this campaign."""
        with self.hub.app.app_context(), suppress(NotFound, SQLAlchemyError):
            with enter(gate()):
                found = principals.by_session(self.token, time.now())
            if found is None or not found.actor.may(Permission.VIEW_CAMPAIGNS):
                return False
            with enter(found.actor.scope()):
                queries.find_campaign(self.public_id)
            return found.actor.tenants == self.tenants
        return False


def _event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"


@bp.get("/streams/healthz")
@public("liveness: says only that the process answers")
def show_liveness() -> Response:
    """The process answers."""
    return jsonify({"state": "alive", "listeners": current_app.extensions["streams"].listeners})


@bp.get("/streams/campaigns/<campaign>")
@require(Permission.VIEW_CAMPAIGNS)
def stream_campaign(campaign: str) -> Response:
    """The versions of a campaign's board, as they come."""
    found, hub = queries.find_campaign(campaign), current_app.extensions["streams"]
    who = actor()
    digests = read(found.id)
    listener = Listener(hub, current_user.get_id(), who.id or 0, found.id, campaign, who.tenants)
    try:
        hub.sit(found.id, listener.person_id, digests)
    except Full as full:
        return Response(status=429 if full.is_person else 503, headers={"Retry-After": "30"})
    answer = Response(listener.stream(combine(digests, who.tenants)), content_type="text/event-stream")
    # Also when the listener is gone before anything was sent.
    answer.call_on_close(lambda: hub.rise(listener.campaign_id, listener.person_id))
    # A server in front must pass each event on at once.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


@bp.errorhandler(SignInNeeded)
@bp.errorhandler(SecondFactorNeeded)
def _nobody(_error: Exception) -> Response:
    return Response(status=401)


@bp.after_request
def _let_pages_listen(answer: Response) -> Response:
    """Only the portal's own pages may read a stream that another port or host serves."""
    pages: str = current_app.extensions["settings"].public_url
    if request.headers.get("Origin") == pages:
        answer.headers["Access-Control-Allow-Origin"] = pages
        answer.headers["Access-Control-Allow-Credentials"] = "true"
    answer.headers["Vary"] = "Origin"
    return answer


def add_streams(app: Flask, *, most: int = MOST) -> None:
    """Serve streams from an application beside what else it serves; `most` is how many of its threads they may take."""
    sessions.install(app)
    app.extensions["streams"] = Hub(app, most)
    app.register_blueprint(bp)
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
    headers.install(app, https=settings.public_url.startswith("https://"))
    access.install(app)
    errors.install(app)
    add_streams(app)
    return app
