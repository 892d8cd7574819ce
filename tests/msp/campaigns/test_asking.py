"""Clients are asked again on the day until which they postponed, and reminded before their time ends: each once."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.campaigns import consents, services
from msp.campaigns.jobs import ring_due_campaigns
from msp.campaigns.rules import APPROVAL_HOLDS
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import personas
from tests.msp.campaigns import fleet
from tests.msp.campaigns.scenes import later

DAY = timedelta(days=1)


@pytest.fixture
def rollout(app, cast, machines):
    """Approved, so that the clients were asked, and by mail."""
    found = fleet.draft(app, cast)
    fleet.approve(found)
    work(app)
    return found


def work(app, at=None):
    """The portal does by itself what is due."""
    with app.app_context(), time.frozen(at or time.now()):
        ring_due_campaigns()
        run_all_due()


def mails(app, cast, slug):
    with app.app_context(), enter(of_tenant(cast.tenants[slug])):
        asked = select(OutgoingMail).where(OutgoingMail.template == "maintenance_asked")
        return [one.subject for one in db.session.scalars(asked.order_by(OutgoingMail.id))]


def asked(rollout, kind="asking"):
    return [(one.tenant_id, one.result) for one in rollout.decisions() if one.kind == kind]


def postpone(rollout, until, slug="acme", at=None):
    rollout.say(slug, consents.postpone, at=at, until=until, reason="Stock taking")


FIRST, AGAIN, REMINDER = (
    "Your decision is needed: Welcome",
    "Your decision is needed again: Welcome",
    "Reminder: your decision is needed: Welcome",
)


@pytest.mark.parametrize("is_started", [False, True])
def test_a_client_that_postponed_is_asked_again_on_its_day_and_once(app, cast, rollout, is_started):
    day = time.now() + 5 * DAY
    postpone(rollout, day)
    rollout.let_in("globex")
    if is_started:
        rollout.act("Nadia", services.start_campaign, at=time.now())
    work(app)
    work(app, day - timedelta(seconds=30))
    assert mails(app, cast, "acme") == [FIRST]
    assert asked(rollout) == []
    for minutes in (0, 1, 60):
        work(app, day + timedelta(minutes=minutes))
    assert mails(app, cast, "acme") == [FIRST, AGAIN]
    assert mails(app, cast, "globex") == [FIRST]
    assert asked(rollout) == [(cast.tenants["acme"], "asked again")]


def test_the_ledger_shows_it_with_the_day(app, cast, rollout, sign_in):
    postpone(rollout, later(days=5))
    work(app)
    work(app, later(days=5, minutes=1))
    with app.app_context(), rollout.seen():
        page = f"/console/campaigns/{rollout.load().public_id}/decisions"
    shown = sign_in("Leo").get(page).text
    assert "Client asked again" in shown
    assert "had postponed it until" in shown


def test_who_decided_or_postponed_anew_meanwhile_is_left_alone_until_then(app, cast, rollout):
    first, second = later(days=3), later(days=6)
    for slug in ("acme", "globex"):
        postpone(rollout, first, slug)
    work(app)
    rollout.say("globex", consents.decline, reason="We replace them")
    postpone(rollout, second)
    work(app)
    work(app, first + timedelta(minutes=1))
    assert asked(rollout) == []
    work(app, second + timedelta(minutes=1))
    work(app, second + timedelta(minutes=2))
    assert asked(rollout) == [(cast.tenants["acme"], "asked again")]
    postpone(rollout, second + 2 * DAY, at=second + DAY)
    work(app, second + DAY)
    work(app, second + 2 * DAY)
    assert mails(app, cast, "acme") == [FIRST, AGAIN, AGAIN]
    assert mails(app, cast, "globex") == [FIRST]


def test_a_decision_between_the_look_and_the_mail_is_enough(app, cast, rollout):
    day = later(days=5)
    postpone(rollout, day)
    work(app)
    with app.app_context(), time.frozen(day), rollout.seen():
        from msp.campaigns.evaluation import evaluate

        evaluate(rollout.id, at=day)
        db.session.commit()
    rollout.let_in("acme")
    work(app, day)
    assert asked(rollout) == [(cast.tenants["acme"], "asked again")]
    assert mails(app, cast, "acme") == [FIRST]


def test_who_has_not_decided_is_reminded_once_before_the_time_ends(app, cast, rollout):
    rollout.let_in("acme")
    rollout.act("Nadia", services.start_campaign, at=time.now())
    work(app)
    ends_at = rollout.parts()[cast.tenants["globex"]].deadline_at
    work(app, ends_at - 3 * DAY)
    assert asked(rollout) == []
    for hours in (47, 46, 1):
        work(app, ends_at - timedelta(hours=hours))
    assert asked(rollout) == [(cast.tenants["globex"], "reminded")]
    assert mails(app, cast, "globex") == [FIRST, REMINDER]
    assert mails(app, cast, "acme") == [FIRST]


def test_an_approval_that_nobody_acts_upon_reminds_too_and_then_expires(app, cast, rollout):
    with app.app_context(), rollout.seen():
        expires_at = rollout.load().decided_at + APPROVAL_HOLDS
    work(app, expires_at - DAY)
    assert asked(rollout) == [(cast.tenants[slug], "reminded") for slug in ("acme", "globex")]
    work(app, expires_at + timedelta(minutes=1))
    assert rollout.state == "expired"
    assert len(asked(rollout)) == 2


def test_after_its_time_nobody_is_asked_again(app, cast, rollout):
    rollout.let_in("globex")
    rollout.act("Nadia", services.start_campaign, at=time.now())
    work(app)
    ends_at = rollout.parts()[cast.tenants["acme"]].deadline_at
    postpone(rollout, ends_at + DAY)
    work(app, ends_at + 2 * DAY)
    assert asked(rollout) == []


def test_the_reminder_says_until_when(app, cast, rollout):
    rollout.let_in("acme")
    rollout.act("Nadia", services.start_campaign, at=time.now())
    work(app)
    ends_at = rollout.parts()[cast.tenants["globex"]].deadline_at
    work(app, ends_at - DAY)
    with app.app_context(), enter(of_tenant(cast.tenants["globex"])):
        last = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc())).first()
    assert "Without a decision until" in last.text
    assert "Without a decision until" in last.html
    assert personas.email("Mallory") == last.to_address
