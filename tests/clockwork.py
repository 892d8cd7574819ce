"""A desk at Acme whose clock the tests turn: verbs commit, `sweep` looks at the timers and has the work done."""

import dataclasses
import functools
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from sqlalchemy import select

from contracts.terms.models import Contract
from contracts.terms.queries import list_versions
from contracts.terms.services import add_version
from contracts.timers import sweep
from msp.background.runner import run_all_due
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.models import Tenant
from tenants.tickets import services as tickets
from tenants.tickets.models import HandOver, Ticket, TicketEvent

# Told of what people do, not of clocks: `msp/threads/telling.py` has tests of its own.
OF_PEOPLE = ("ticket_assigned", "hand_over_waits", "hand_over_accepted", "hand_over_returned")
# A Tuesday, 09:00 in Jakarta; a P3 has 4 h for the response and 24 h of business time for the solution.
MORNING = datetime(2026, 11, 17, 2, 0, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, 5, 0, tzinfo=UTC)
# What a process has read of a version it knows again by the moment of its creation: each has one of its own.
moments = (timedelta(microseconds=number) for number in count(1))


def at(hours=0.0):
    return MORNING + timedelta(hours=hours)


@pytest.fixture
def desk(app, cast, as_actor, monkeypatch, tmp_path):
    """Acme's desk, with mail going to a folder."""
    settings = dataclasses.replace(app.extensions["settings"], mail_url=f"file://{tmp_path}/mail")
    monkeypatch.setitem(app.extensions, "settings", settings)
    return Desk(app, cast, as_actor)


def inside(method):
    """In an app context of its own: one that stays would remember whoever a request signed in."""

    @functools.wraps(method)
    def call(self, *given, **named):
        with self.app.app_context():
            return method(self, *given, **named)

    return call


class Desk:
    at = staticmethod(at)
    june = JUNE

    def __init__(self, app, cast, as_actor):
        self.app = app
        self.cast, self.as_actor, self.tenant_id = cast, as_actor, cast.tenants["acme"]

    @inside
    def open(self, hours=0.0, *, impact="medium", urgency="medium", **changes):
        request = tickets.Request(
            subject="Printer is on fire",
            body="Smoke comes out of it.",
            impact=impact,
            urgency=urgency,
            requester=tickets.Requester("Bob", "bob@example.test", self.cast.users["Bob"]),
            **changes,
        )
        with enter(of_tenant(self.tenant_id)):
            tenant = db.session.scalars(select(Tenant).where(Tenant.id == self.tenant_id)).one()
            ticket = tickets.open_ticket(tenant, request, by=self.as_actor("Bob"), at=at(hours))
            db.session.commit()
            return ticket.id

    @inside
    def do(self, ticket_id, verb, who, hours, **given):
        """A verb of the tickets' services by a person of the cast, at an hour."""
        with time.frozen(at(hours)), enter(of_tenant(self.tenant_id)):
            verb(self._ticket(ticket_id), by=self.as_actor(who), at=at(hours), **given)
            db.session.commit()

    def assign(self, ticket_id, name, hours=0.0):
        self.do(ticket_id, tickets.assign_ticket, "Leo", hours, to_user_id=self.cast.users[name])

    @inside
    def terms(self, **members):
        """From June on Acme's terms say this too."""
        with enter(of_tenant(self.tenant_id)):
            contract = db.session.scalars(select(Contract)).one()
            (latest, *_) = list_versions(contract)
            add_version(
                contract,
                in_force_on=JUNE.date(),
                terms={**latest.terms, **members},
                by=Actor.system("test"),
                at=JUNE + next(moments),
            )
            db.session.commit()

    @inside
    def look(self, hours):
        """The sweeper alone."""
        with time.frozen(at(hours)):
            return sweep.sweep_due_timers()

    def sweep(self, hours):
        """The sweeper, and then the workers; who was mailed, and what about."""
        self.look(hours)
        return self.work(hours)

    @inside
    def work(self, hours):
        seen = len(self.mails())
        with time.frozen(at(hours)):
            run_all_due()
        return [(one.to_address.partition("@")[0], one.template) for one in self.mails()[seen:]]

    @inside
    def mails(self):
        with enter(of_tenant(self.tenant_id)):
            of_clocks = select(OutgoingMail).where(OutgoingMail.template.not_in(OF_PEOPLE))
            return list(db.session.scalars(of_clocks.order_by(OutgoingMail.id)))

    def _ticket(self, ticket_id):
        return db.session.scalars(select(Ticket).where(Ticket.id == ticket_id)).one()

    @inside
    def ticket(self, ticket_id):
        with enter(of_tenant(self.tenant_id)):
            return self._ticket(ticket_id)

    @inside
    def history(self, ticket_id):
        with enter(of_tenant(self.tenant_id)):
            found = select(TicketEvent).where(TicketEvent.ticket_id == ticket_id).order_by(TicketEvent.seq)
            return list(db.session.scalars(found))

    @inside
    def act(self, statement):
        """Change rows of Acme's."""
        with enter(of_tenant(self.tenant_id)):
            db.session.execute(statement)
            db.session.commit()

    @inside
    def rows(self, found):
        """Rows of Acme's."""
        with enter(of_tenant(self.tenant_id)):
            return list(db.session.scalars(found))

    @inside
    def hand_overs(self, ticket_id):
        with enter(of_tenant(self.tenant_id)):
            found = select(HandOver).where(HandOver.ticket_id == ticket_id).order_by(HandOver.id)
            return list(db.session.scalars(found))
