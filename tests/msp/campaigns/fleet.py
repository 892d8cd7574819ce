"""Machines that call the portal: assets with credentials, and simulated agents that speak DDI."""

import hashlib
import io
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from msp.agents.models import AgentCredential
from msp.background.runner import run_all_due
from msp.campaigns import consents, jobs, releases, services
from msp.campaigns.gates import Gate
from msp.campaigns.models import Action, Campaign, CampaignTenant, Decision, WaveLane
from msp.campaigns.pacing import Limits
from msp.campaigns.plans import Timing
from msp.campaigns.sightings import flush_sightings
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import Role, Scope, enter, of_tenant
from tenants.people.principals import digest
from tests import personas

BYTES = b"welcome to the machine\n"
QUICK = Timing(
    start_seconds=600,
    step_seconds=300,
    hard_seconds=900,
    verify_seconds=120,
    cancel_seconds=120,
    silent_seconds=300,
    grace_seconds=30,
)
OPEN_GATE = Gate(max_bad=1, min_sample=2, pass_pct=100, max_gone_pct=50, soak_seconds=0, lane_seconds=3600)


def replace_gate(**changes: int) -> Gate:
    """The open gate with other numbers."""
    return replace(OPEN_GATE, **changes)


@dataclass
class Agent:
    """A simulated machine: what it has installed, and how often it applied each action."""

    app: Flask
    slug: str
    name: str
    token: str
    asset_id: int = 0
    tenant_id: int = 0
    applied: dict[str, int] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    installed: str | None = None
    fails: bool = False
    is_dead: bool = False

    @property
    def base(self) -> str:
        return f"/ddi/{self.slug}/controller/v1/{self.name}"

    def ask(self, method: str, path: str = "", **more):
        headers = {"Authorization": f"TargetToken {self.token}", **more.pop("headers", {})}
        return self.app.test_client().open(self.base + path, method=method, headers=headers, **more)

    def poll(self) -> dict:
        answer = self.ask("GET")
        assert answer.status_code == 200, answer.data
        return answer.json

    def report(
        self, action: str, execution: str, finished: str = "none", *, channel="deploymentBase", **more
    ):
        body = {"id": action, "status": {"execution": execution, "result": {"finished": finished}, **more}}
        answer = self.ask("POST", f"/{channel}/{action}/feedback", json=body)
        assert answer.status_code == 200, answer.data
        return answer

    def tell_facts(self, **facts):
        data = {"installed_release": self.installed, "boot_id": "b-1", **facts}
        answer = self.ask("PUT", "/configData", json={"mode": "merge", "data": data})
        assert answer.status_code == 200, answer.data

    def offered(self) -> str | None:
        """The id of the action that the portal offers, if any."""
        link = self.poll()["_links"].get("deploymentBase")
        return link and link["href"].rsplit("/", 1)[-1].partition("?")[0]

    def take(self, action: str) -> dict:
        answer = self.ask("GET", f"/deploymentBase/{action}")
        assert answer.status_code == 200, answer.data
        return answer.json

    def cycle(self) -> None:
        """Poll, and carry out what is offered, whole."""
        if self.is_dead:
            return
        links = self.poll()["_links"]
        if "cancelAction" in links:
            action = links["cancelAction"]["href"].rsplit("/", 1)[-1]
            self.report(action, "closed", "success", channel="cancelAction")
        elif "deploymentBase" in links:
            self._carry_out(links["deploymentBase"]["href"].rsplit("/", 1)[-1].partition("?")[0])
        elif "configData" in links:
            self.tell_facts()

    def _carry_out(self, action: str) -> None:
        if action in self.results:
            self._tell_result(action)
            return
        answer = self.ask("GET", f"/deploymentBase/{action}")
        if answer.status_code == 404:
            return  # a freeze or a pause came between: like a real client, ask again at the next poll
        assert answer.status_code == 200, answer.data
        chunk = answer.json["deployment"]["chunks"][0]
        self.report(action, "proceeding")
        if self.fails:
            self.results[action] = "failure"
        else:
            self.applied[action] = self.applied.get(action, 0) + 1
            self.installed = f"{chunk['name']}/{chunk['version']}"
            self.results[action] = "success"
        self._tell_result(action)

    def _tell_result(self, action: str) -> None:
        if self.results[action] == "success":
            self.tell_facts()
        self.report(
            action, "closed", self.results[action], code=0 if self.results[action] == "success" else 4
        )


def enrol(
    app: Flask, tenant_id: int, slug: str, names: Sequence[str], at: datetime | None = None
) -> list[Agent]:
    """Assets of one tenant with a credential each."""
    at = at or time.now()
    agents = []
    with app.app_context(), enter(of_tenant(tenant_id)):
        for name in names:
            asset = db.session.scalar(select(Asset).where(Asset.controller_id == name)) or Asset(
                tenant_id=tenant_id, name=name, controller_id=name, created_at=at
            )
            asset.kind, asset.facts_at, asset.last_seen_at = "server", at, at
            db.session.add(asset)
            db.session.flush()
            token = secrets.token_urlsafe(16)
            db.session.add(
                AgentCredential(
                    tenant_id=tenant_id,
                    asset_id=asset.id,
                    controller_id=name,
                    token_hash=digest(token),
                    created_at=at,
                    facts_due_at=at + timedelta(days=1),
                )
            )
            agents.append(Agent(app, slug, name, token, asset.id, tenant_id))
        db.session.commit()
    return agents


@dataclass
class Rollout:
    """A campaign in a test, driven by hand: people act by name, ticks come when asked for."""

    app: Flask
    cast: personas.Cast
    id: int = 0

    def act(self, who: str, verb, **more):
        """A service call by a person, committed."""
        by = personas.actor(self.app, self.cast, who)
        with self.app.app_context(), enter(by.scope()):
            done = verb(self.load(), by=by, **more)
            db.session.commit()
            return done

    def let_in(self, *slugs: str) -> None:
        """The administrators of these clients consent, or those of all."""
        for slug in slugs or ("acme", "globex"):
            self.say(slug, consents.consent)

    def say(self, slug: str, verb, at: datetime | None = None, **more):
        """What a client's administrator decides about the client's part, if it has one."""
        tenant_id = self.cast.tenants[slug]
        by = Actor.person(
            user_id=1, name="Client", role=MemberRole.CLIENT_ADMIN, tenants=frozenset({tenant_id})
        )
        with self.app.app_context(), enter(by.scope()):
            mine = select(CampaignTenant).where(
                CampaignTenant.campaign_id == self.id, CampaignTenant.tenant_id == tenant_id
            )
            part = db.session.scalar(mine)
            if part is not None:
                verb(part, by=by, at=at or time.now(), **more)
                db.session.commit()

    def parts(self) -> dict[int, CampaignTenant]:
        with self.app.app_context(), self.seen():
            mine = select(CampaignTenant).where(CampaignTenant.campaign_id == self.id)
            return {part.tenant_id: part for part in db.session.scalars(mine)}

    def load(self) -> Campaign:
        return db.session.scalars(select(Campaign).where(Campaign.id == self.id)).one()

    def tick(self, at: datetime | None = None) -> str:
        """Ring for the campaign and do the work; the state afterwards."""
        with self.app.app_context():
            flush_sightings()
            with enter(Scope(Role.WORKER, frozenset())):
                campaign = self.load()
                members = sorted(campaign.tenant_ids)
            with enter(of_tenant(members[0])):
                from msp.campaigns.doorbell import ring

                ring(self.id, {members[0]})
                db.session.commit()
            if at is None:
                run_all_due()
            else:
                with time.frozen(at):
                    flush_sightings()
                    run_all_due()
        return self.state

    def seen(self):
        """Rows as a worker of all member tenants sees them."""
        with enter(Scope(Role.WORKER, frozenset())):
            members = frozenset(self.load().tenant_ids)
        return enter(Scope(Role.WORKER, members))

    @property
    def state(self) -> str:
        with self.app.app_context(), enter(Scope(Role.WORKER, frozenset())):
            return self.load().state

    @property
    def plan_sha256(self) -> str:
        with self.app.app_context(), enter(Scope(Role.WORKER, frozenset())):
            return self.load().plan_sha256

    def actions(self) -> list[Action]:
        with self.app.app_context(), self.seen():
            return list(
                db.session.scalars(select(Action).where(Action.campaign_id == self.id).order_by(Action.id))
            )

    def lanes(self) -> list[WaveLane]:
        with self.app.app_context(), self.seen():
            return self.lanes_in_scope()

    def lanes_in_scope(self) -> list[WaveLane]:
        mine = select(WaveLane).where(WaveLane.campaign_id == self.id)
        return list(db.session.scalars(mine.order_by(WaveLane.ordinal, WaveLane.tenant_id)))

    def decisions(self) -> list[Decision]:
        with self.app.app_context(), self.seen():
            return list(
                db.session.scalars(
                    select(Decision).where(Decision.campaign_id == self.id).order_by(Decision.id)
                )
            )

    def outcomes(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for action in self.actions():
            word = action.outcome or action.phase
            found[word] = found.get(word, 0) + 1
        return found


def draft(
    app: Flask,
    cast: personas.Cast,
    *,
    author: str = "Leo",
    slugs=("provider", "acme", "globex"),
    percents=(5, 100),
    gate=OPEN_GATE,
    timing=QUICK,
    version: str | None = None,
    files: Sequence[tuple[str, bytes]] = (("motd", BYTES),),
    assets: Sequence[uuid.UUID] | None = None,
    name: str = "motd",
    limits: Limits | None = None,
) -> Rollout:
    """A draft over every enrolled asset of these tenants, or over these assets."""
    by = personas.actor(app, cast, author)
    at = time.now()
    with app.app_context(), enter(by.scope()):
        release = releases.add_release(
            name=name,
            version=version or hashlib.sha256(secrets.token_bytes(8)).hexdigest()[:8],
            target_path="etc/motd",
            files=[(filename, io.BytesIO(content)) for filename, content in files],
            by=by,
            at=at,
        )
        campaign = services.draft_campaign(title="Welcome", release=release, by=by, at=at)
        chosen = assets if assets is not None else enrolled([cast.tenants[one] for one in slugs])
        services.add_assets(campaign, by=by, assets=chosen)
        services.wish(campaign, by=by, percents=percents, gates=[gate], timing=timing, limits=limits)
        db.session.commit()
        return Rollout(app, cast, campaign.id)


def enrolled(tenant_ids: list[int]) -> list[uuid.UUID]:
    """Assets with a credential: those that this module made, and not what stands around the cast."""
    with_credential = select(AgentCredential.asset_id).where(AgentCredential.tenant_id.in_(tenant_ids))
    return list(
        db.session.scalars(
            select(Asset.public_id).where(Asset.id.in_(with_credential), Asset.tenant_id.in_(tenant_ids))
        )
    )


def start(rollout: Rollout, *, author: str = "Leo", approver: str = "Nadia") -> Rollout:
    """Submitted by its author, approved by another person, started and looked at once."""
    release(rollout, author=author, approver=approver)
    rollout.tick()
    return rollout


def release(rollout: Rollout, *, author: str = "Leo", approver: str = "Nadia") -> None:
    """Submitted, approved and started; the looking at it is left to others."""
    approve(rollout, author=author, approver=approver)
    rollout.let_in()
    rollout.act(approver, services.start_campaign, at=time.now())


def approve(rollout: Rollout, *, author: str = "Leo", approver: str = "Nadia") -> Rollout:
    """Submitted by its author and approved by another person, so that the clients are asked."""
    rollout.act(author, services.submit_campaign, at=time.now())
    rollout.act(approver, services.approve_campaign, seen=rollout.plan_sha256, at=time.now())
    return rollout


def approved(app: Flask, cast: personas.Cast, **more) -> Rollout:
    """A draft over every enrolled asset, approved: nobody has consented yet."""
    return approve(draft(app, cast, **more))


def started(app: Flask, cast: personas.Cast, *let_in: str, **more) -> Rollout:
    """An approved campaign that these clients let in, or all, started and looked at once."""
    rollout = approved(app, cast, **more)
    rollout.let_in(*let_in)
    rollout.act("Nadia", services.start_campaign, at=time.now())
    rollout.tick()
    return rollout


assert jobs  # the kinds of work are declared by importing them
