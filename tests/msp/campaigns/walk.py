"""Random people, devices and clocks against one campaign, and what has to hold after every step."""

import contextlib
import random
from collections import Counter
from datetime import datetime, timedelta

from flask import Flask
from sqlalchemy import select

from msp.campaigns import services
from msp.campaigns.models import Action, ActionEvent
from msp.campaigns.phases import OPEN
from msp.campaigns.plans import plan_hash
from tenants.assets.models import Asset
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Refused
from tests import personas
from tests.msp.campaigns import fleet

REPORTS = (
    ("proceeding", "none"),
    ("closed", "success"),
    ("closed", "failure"),
    ("closed", "none"),
    ("rejected", "none"),
    ("canceled", "none"),
    ("scheduled", "none"),
)


class Walk:
    """One campaign, one seed, one step at a time; the clock only goes forward."""

    def __init__(self, app: Flask, cast: personas.Cast, seed: int) -> None:
        self.app, self.chance, self.now = app, random.Random(seed), time.now()
        self.agents = []
        for slug, count in (("provider", 1), ("acme", 3), ("globex", 2)):
            names = [f"{slug}-{n}" for n in range(count)]
            self.agents += fleet.enrol(app, cast.tenants[slug], slug, names)
        gate = fleet.replace_gate(max_bad=2, pass_pct=60, max_gone_pct=60)
        self.rollout = fleet.start(fleet.draft(app, cast, percents=(5, 50, 100), gate=gate))
        self.steps: Counter[str] = Counter()
        self.outcomes: dict[int, str] = {}
        self.lanes: dict[int, str] = {}

    def step(self) -> None:
        """Something happens, at some later moment."""
        self.now += timedelta(seconds=self.chance.choice((0, 1, 5, 30, 130, 400)))
        verb = self.chance.choices(
            (self.cycle, self.report, self.tick, self.act, self.flush), (10, 4, 6, 2, 1)
        )[0]
        self.steps[verb.__name__] += 1
        with time.frozen(self.now):
            verb()
        self.check()

    def cycle(self) -> None:
        agent = self.chance.choice(self.agents)
        agent.fails = self.chance.random() < 0.15
        agent.cycle()

    def report(self) -> None:
        """Any device says anything about any action."""
        agent, (execution, finished) = self.chance.choice(self.agents), self.chance.choice(REPORTS)
        number = self.chance.choice(self.rollout.actions()).id
        channel = self.chance.choice(("deploymentBase", "cancelAction"))
        agent.report(str(number), execution, finished, channel=channel)

    def tick(self) -> None:
        self.rollout.tick(at=self.now)

    def flush(self) -> None:
        self.app.extensions["redis"].flushdb()

    def act(self) -> None:
        who, verb = self.chance.choice(
            (
                ("Tina", services.pause_campaign),
                ("Nadia", services.resume_campaign),
                ("Owen", services.resume_campaign),
            )
        )
        if self.chance.random() < 0.05:
            who, verb = "Nadia", services.abort_campaign
        with contextlib.suppress(Refused):
            self.rollout.act(who, verb, reason="because", at=self.now)

    def check(self) -> None:
        """What must hold at every moment, read from the rows."""
        with self.app.app_context(), self.rollout.seen():
            campaign = self.rollout.load()
            actions = db.session.scalars(select(Action).where(Action.campaign_id == campaign.id)).all()
            self._check_actions(actions)
            self._check_lanes()
            assert plan_hash(campaign.plan) == campaign.plan_sha256

    def _check_actions(self, actions: list[Action]) -> None:
        open_ = Counter((one.tenant_id, one.asset_id) for one in actions if one.phase in OPEN)
        assert all(count == 1 for count in open_.values())
        told = set(db.session.scalars(select(ActionEvent.action_id)))
        for one in actions:
            if one.phase == "closed":
                assert one.id in told, one.outcome
            if one.outcome == "success":
                self._check_success(one)
            self._check_outcome(one)

    def _check_success(self, one: Action) -> None:
        asset = db.session.get_one(Asset, (one.tenant_id, one.asset_id))
        assert asset.facts_at is not None
        assert asset.facts_at > (one.started_at or one.retrieved_at or one.offered_at)

    def _check_outcome(self, one: Action) -> None:
        """An end stays, but for the one way in which a guess is corrected."""
        before = self.outcomes.get(one.id)
        if one.outcome != before and before is not None:
            assert before in ("timeout", "indeterminate", "cancelled", "unreachable")
            assert one.outcome in ("success", "failed")
        if one.outcome is not None:
            self.outcomes[one.id] = one.outcome

    def _check_lanes(self) -> None:
        lanes = self.rollout.lanes_in_scope()
        by_wave: dict[int, set[str]] = {}
        for lane in lanes:
            by_wave.setdefault(lane.ordinal, set()).add(lane.state)
        for lane in lanes:
            was = self.lanes.get(lane.id, lane.state)
            if was in ("planned", "waiting") and lane.state in ("open", "soaking", "passed"):
                below = [state for wave in range(1, lane.ordinal) for state in by_wave.get(wave, ())]
                assert set(below) <= {"passed", "skipped"}
            self.lanes[lane.id] = lane.state


def at_rest(walk: Walk, hours: int = 30) -> datetime:
    """The clock runs out for everybody; returns when."""
    for _ in range(6):
        walk.now += timedelta(hours=hours / 6)
        walk.rollout.tick(at=walk.now)
        walk.check()
    return walk.now
