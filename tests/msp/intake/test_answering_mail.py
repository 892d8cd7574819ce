"""Automatic answers to mails: few to one address, and never many in all, whoever is forged."""

from collections import deque
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.intake.mail import rules
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tests import mails

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE, FIVE, HOUR = timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1)


class Sent:
    """What was answered so far, in memory: (moment, mailbox) in order."""

    def __init__(self):
        self.given = deque()

    def counted(self, at, mailbox):
        recent = [one for one in self.given if one[0] > at - HOUR]
        return rules.Answered(
            mailbox_minute=sum(moment > at - MINUTE and box == mailbox for moment, box in recent),
            all_five_minutes=sum(moment > at - FIVE for moment, _box in recent),
            all_hour=len(recent),
        )

    def ask(self, at, *, is_verified=False, mailbox=1):
        if rules.may_acknowledge(self.counted(at, mailbox), is_verified=is_verified):
            self.given.append((at, mailbox))
            return True
        return False


def test_ten_thousand_forged_senders_get_few_answers_and_the_proven_still_theirs():
    sent = Sent()
    answered = sum(sent.ask(NOON + timedelta(milliseconds=300) * number) for number in range(10_000))
    assert 0 < answered <= rules.MOST_OF_ALL_AN_HOUR // 2
    end = NOON + timedelta(milliseconds=300) * 10_000
    assert sent.ask(end, is_verified=True)


def test_in_one_minute_a_mailbox_gives_at_most_fifty():
    sent = Sent()
    at = [NOON + timedelta(milliseconds=5) * number for number in range(10_000)]
    assert sum(sent.ask(one) for one in at) == rules.MOST_OF_A_MAILBOX // 2
    assert sum(sent.ask(one, is_verified=True) for one in at[-1000:]) == rules.MOST_OF_A_MAILBOX // 2
    assert sent.ask(at[-1], is_verified=True, mailbox=2), "another mailbox has its own"
    assert rules.MOST_OF_A_MAILBOX == 50


def test_many_mailboxes_have_one_budget():
    sent = Sent()
    moments = [NOON + timedelta(seconds=0.02) * number for number in range(10_000)]
    given = sum(sent.ask(one, is_verified=True, mailbox=number % 40) for number, one in enumerate(moments))
    assert given == rules.MOST_OF_ALL_FIVE_MINUTES


@pytest.mark.parametrize(
    ("counted", "is_verified", "may"),
    [
        (rules.Answered(sender_hour=0), False, True),
        (rules.Answered(sender_hour=1), False, False),
        (rules.Answered(sender_hour=4), True, True),
        (rules.Answered(sender_hour=5), True, False),
        (rules.Answered(sender_day=5), False, False),
        (rules.Answered(mailbox_minute=25), False, False),
        (rules.Answered(mailbox_minute=49), True, True),
        (rules.Answered(mailbox_minute=50), True, False),
        (rules.Answered(all_five_minutes=120), True, False),
        (rules.Answered(all_hour=600), True, False),
        (rules.Answered(all_hour=300), False, False),
        (rules.Answered(all_hour=300), True, True),
    ],
)
def test_each_limit_holds_by_itself(counted, is_verified, may):
    assert rules.may_acknowledge(counted, is_verified=is_verified) is may


@pytest.mark.parametrize("name", ["MOST_OF_A_MAILBOX", "MOST_OF_ALL_FIVE_MINUTES", "MOST_OF_ALL_AN_HOUR"])
def test_over_the_budget_mails_are_taken_in_and_not_answered(app, cast, box_of_acme, monkeypatch, name):
    monkeypatch.setattr(rules, name, 6)
    raws = [mails.write(f"eve{number}@elsewhere.test", dmarc=None) for number in range(8)]
    proven = [mails.write(f"ann{number}@honest.test") for number in range(8)]
    rows = mails.bring(app, cast, box_of_acme, *raws)
    assert {one.outcome for one in rows} == {"ticket"}
    assert len(answered(app, cast)) == 3, "strangers get half"
    mails.bring(app, cast, box_of_acme, *proven)
    told = answered(app, cast)
    assert len([one for one in told if one.endswith("honest.test")]) == 3
    assert len(told) == 6


def answered(app, cast):
    with app.app_context():
        run_all_due()
        with enter(of_tenant(cast.tenants["acme"])):
            return sorted(db.session.scalars(select(OutgoingMail.to_address)))


def test_what_was_answered_long_ago_counts_no_more(app, cast, box_of_acme, monkeypatch):
    monkeypatch.setattr(rules, "MOST_OF_ALL_AN_HOUR", 2)
    mails.bring(app, cast, box_of_acme, mails.write("eve1@elsewhere.test", dmarc=None))
    assert len(answered(app, cast)) == 1
    later = time.now() + timedelta(minutes=61)
    monkeypatch.setattr(time, "now", lambda: later)
    mails.bring(app, cast, box_of_acme, mails.write("eve2@elsewhere.test", dmarc=None))
    assert len(answered(app, cast)) == 2
