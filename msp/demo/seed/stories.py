"""Tickets as stories: what was said and done, each step some business minutes after the last; replayed, never sent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from contracts.clock.calendar import ALWAYS, Calendar
from contracts.terms.document import calendar_of
from contracts.timers.services import refresh_ticket
from msp.demo.seed.companies import COMPANIES, Company, terms_of
from msp.demo.seed.desk import category_for
from msp.demo.seed.people import CLIENTS, actor_of
from msp.demo.seed.times import Stage, after
from tenants.assets.models import Asset
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Tenant
from tenants.tickets.assignments import assign_ticket
from tenants.tickets.category_models import Category
from tenants.tickets.hand_overs import Briefing, accept_hand_over, hand_over
from tenants.tickets.messages import Requester, add_message
from tenants.tickets.models import Ticket
from tenants.tickets.opening import Request, open_ticket
from tenants.tickets.rules import is_open
from tenants.tickets.states import change_state, close_ticket, reopen_ticket, resolve_ticket

# What a priority is made of under the default matrix.
RANKS = {"P1": ("high", "high"), "P2": ("high", "medium"), "P3": ("medium", "medium"), "P4": ("low", "low")}


@dataclass(frozen=True)
class Step:
    """One act: `who` by key (empty: the portal), `minutes` of business time after the step before."""

    verb: str
    minutes: float
    who: str = ""
    words: str = ""


@dataclass(frozen=True)
class Story:
    """A ticket from its opening on."""

    home: str
    priority: str
    requester: str
    subject: str
    body: str
    steps: tuple[Step, ...] = ()
    asset: str = ""
    kind: str = "incident"
    source: str = "portal"


def company_of(slug: str) -> Company:
    """The company of this name."""
    return next(one for one in COMPANIES if one.slug == slug)


def calendar_for(slug: str, priority: str) -> Calendar:
    """The hours in which a client's tickets of a priority are measured."""
    terms = terms_of(company_of(slug))
    return ALWAYS if terms["service_levels"][priority]["always"] else calendar_of(terms)


class Player:
    """Plays stories of one client, in its worker's scope."""

    def __init__(self, stage: Stage, slug: str) -> None:
        self._stage = stage
        self._tenant_id = stage.tenants[slug]
        self._actors: dict[str, Actor] = {"": stage.by}
        self._calendars = {name: calendar_for(slug, name) for name in RANKS}

    def play(self, stories: list[tuple[datetime, Story]]) -> None:
        """Replay stories in the order of their opening; steps that lie ahead of now are left out."""
        for _, story in stories:
            for who in (story.requester, *(step.who for step in story.steps)):
                self._actor(who)
        with enter(of_tenant(self._tenant_id)):
            tenant = db.session.get_one(Tenant, self._tenant_id)
            for opened_at, story in sorted(stories, key=lambda one: one[0]):
                self._play_one(tenant, story, opened_at)
            db.session.commit()

    def _actor(self, key: str) -> Actor:
        if key not in self._actors:
            self._actors[key] = actor_of(self._stage, key)
        return self._actors[key]

    def _play_one(self, tenant: Tenant, story: Story, opened_at: datetime) -> None:
        by = self._actor(story.requester)
        asset = self._stage.assets.get(story.asset)
        impact, urgency = RANKS[story.priority]
        category = category_for(self._stage, story.subject)
        request = Request(
            subject=story.subject,
            body=story.body,
            impact=impact,
            urgency=urgency,
            requester=Requester(by.name, email=_email(story.requester), user_id=by.id),
            source=story.source,
            kind=story.kind,
            asset=db.session.get_one(Asset, (tenant.id, asset)) if asset else None,
            category=db.session.get_one(Category, category) if category else None,
        )
        ticket = open_ticket(tenant, request, by=by, at=opened_at, replay=True)
        at = opened_at
        for step in story.steps:
            at = after(self._calendars[story.priority], at, step.minutes)
            if at >= self._stage.now:
                break
            self._act(ticket, step, at)
        if is_open(ticket.state):
            refresh_ticket(ticket, as_of=self._stage.now, by=self._stage.by, replay=True)

    def _act(self, ticket: Ticket, step: Step, at: datetime) -> None:
        if step.verb == "assign":
            to = self._stage.people[step.who]
            assign_ticket(ticket, to_user_id=to, by=self._actor(step.who), at=at, replay=True)
            return
        VERBS[step.verb](ticket, step.words, self._actor(step.who), at)


def _email(key: str) -> str | None:
    return next((one.email for one in CLIENTS if one.key == key), None)


def _say(ticket: Ticket, words: str, by: Actor, at: datetime) -> None:
    add_message(ticket, body=words, by=by, at=at, replay=True)


def _note(ticket: Ticket, words: str, by: Actor, at: datetime) -> None:
    add_message(ticket, body=words, kind="internal", by=by, at=at, replay=True)


def _wait(ticket: Ticket, reason: str, by: Actor, at: datetime) -> None:
    change_state(ticket, to="waiting", reason=reason, by=by, at=at, replay=True)


def _go_on(ticket: Ticket, _words: str, by: Actor, at: datetime) -> None:
    change_state(ticket, to="in_progress", by=by, at=at, replay=True)


def _resolve(ticket: Ticket, words: str, by: Actor, at: datetime) -> None:
    resolve_ticket(ticket, solution=words, by=by, at=at, replay=True)


def _reopen(ticket: Ticket, words: str, by: Actor, at: datetime) -> None:
    reopen_ticket(ticket, because=words, by=by, at=at, replay=True)


def _close(ticket: Ticket, _words: str, by: Actor, at: datetime) -> None:
    close_ticket(ticket, by=by, at=at, replay=True)


def _hand_over(ticket: Ticket, words: str, by: Actor, at: datetime) -> None:
    """`words`: the tier and three sentences, parted by bars."""
    tier, symptoms, tried, told = words.split("|")
    briefing = Briefing(symptoms=symptoms, tried=tried, told_requester=told)
    hand_over(ticket, briefing, to_tier=tier, by=by, at=at, replay=True)


def _accept(ticket: Ticket, _words: str, by: Actor, at: datetime) -> None:
    accept_hand_over(ticket, by=by, at=at)


VERBS: dict[str, Callable[[Ticket, str, Actor, datetime], None]] = {
    "say": _say,
    "note": _note,
    "wait": _wait,
    "go on": _go_on,
    "resolve": _resolve,
    "reopen": _reopen,
    "close": _close,
    "hand over": _hand_over,
    "accept": _accept,
}
