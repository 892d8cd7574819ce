"""Which of the provider's people hear what: each once, never of what they did themselves, and only what they want."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from msp.background.runner import run_all_due
from msp.mail.models import OutgoingMail, UnwantedNotice
from msp.staff.roster_models import Shift
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.permissions import MemberRole
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.foundation.work import Work
from tenants.people.models import StaffGrant, StaffMember
from tenants.tickets import ratings, services
from tests.tickets import MONDAY, bob, later, leo, open_in_scope, person, tina

BRIEFING = services.Briefing(symptoms="Smoke.", tried="Water.", told_requester="Wait outside.")


def dana(cast):
    return person(cast, "Dana", MemberRole.DISPATCHER, "acme", "globex", "provider")


def choose(who, notice, *, wanted):
    with enter(who.scope()):
        db.session.add(UnwantedNotice(user_id=who.id, notice=notice, is_wanted=wanted))
        db.session.commit()


def become(cast, name, role):
    with enter(gate()):
        db.session.execute(
            update(StaffMember).where(StaffMember.user_id == cast.users[name]).values(role=role)
        )
        db.session.commit()


@pytest.fixture
def ticket(cast, mailing):
    with enter(leo(cast).scope()):
        made = open_in_scope(cast, bob(cast), at=MONDAY)
        db.session.commit()
        yield made


@pytest.fixture
def heard(cast, mailing):
    """`heard()`: to whom which mails went since the last time, without those of requesters."""

    def read():
        db.session.commit()
        run_all_due()
        told = {"bob@example.test", "alice@example.test"}
        found = [
            (one["To"].partition("@")[0], one["Subject"].partition("] ")[2].partition(":")[0])
            for one in mailing.received
            if one["To"] not in told
        ]
        texts.extend(one.get_body(("plain",)).get_content() for one in mailing.received)
        mailing.received.clear()
        return sorted(found)

    texts: list[str] = []
    read.texts = texts
    return read


def test_whoever_is_given_a_ticket_hears_of_it_and_nobody_of_what_they_took(ticket, cast, heard):
    services.take_ticket(ticket, by=leo(cast), at=later(minutes=1))
    assert heard() == []
    services.assign_ticket(ticket, to_user_id=cast.users["Tina"], by=leo(cast), at=later(minutes=2))
    assert heard() == [("tina", "Yours now")]
    assert any("Leo gave you the ticket" in one for one in heard.texts)
    services.assign_ticket(ticket, to_user_id=None, by=leo(cast), at=later(minutes=3))
    assert heard() == []


def test_nobody_hears_of_a_ticket_that_went_on_to_somebody_else(ticket, cast, heard):
    services.assign_ticket(ticket, to_user_id=cast.users["Tina"], by=dana(cast), at=later(minutes=2))
    services.assign_ticket(ticket, to_user_id=cast.users["Leo"], by=dana(cast), at=later(minutes=3))
    assert heard() == [("leo", "Yours now")]


def test_a_hand_over_is_told_to_the_next_tier_and_its_end_to_the_sender(ticket, cast, heard):
    services.take_ticket(ticket, by=tina(cast), at=later(minutes=1))
    services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
    assert heard() == [("leo", "Waits for L2")]
    assert any("Water." in one and "Wait outside." in one for one in heard.texts)
    services.return_hand_over(ticket, reason="Which fuser?", by=leo(cast), at=later(minutes=3))
    # Tina has it back, and is told once.
    assert heard() == [("tina", "Returned by Leo")]
    assert any("Which fuser?" in one for one in heard.texts)
    services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=4))
    services.accept_hand_over(ticket, by=leo(cast), at=later(minutes=5))
    # Accepted before anybody was told that it waits.
    assert heard() == [("tina", "Accepted by Leo")]


def test_whoever_did_it_is_not_told_of_it(ticket, cast, heard):
    become(cast, "Dana", "l2")
    services.hand_over(ticket, BRIEFING, to_tier="L2", by=leo(cast), at=later(minutes=2))
    assert heard() == [("dana", "Waits for L2")]


def test_the_job_run_again_tells_nobody_twice(ticket, cast, heard):
    services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
    assert len(heard()) == 1
    with enter(of_tenant(cast.tenants["acme"])):
        db.session.execute(update(Work).where(Work.kind == "tell_staff").values(state="due"))
        db.session.commit()
    assert heard() == []


def test_only_people_with_a_grant_hear(ticket, cast, heard):
    become(cast, "Dana", "l1")
    with enter(of_tenant(cast.tenants["acme"])):
        db.session.execute(delete(StaffGrant).where(StaffGrant.user_id == cast.users["Tina"]))
        db.session.commit()
    services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
    services.return_hand_over(ticket, reason="Why?", by=leo(cast), at=later(minutes=3))
    assert heard() == [], "Tina sent it, and works for this client no more"


class TestWhoIsOnDuty:
    """Two people of L2: Leo and Dana."""

    @pytest.fixture(autouse=True)
    def two(self, cast, ticket):
        become(cast, "Dana", "l2")

    def on_duty(self, cast, name, begins, ends):
        now = time.now()
        shift = {"tier": "L2", "kind": "shift", "time_zone": "Asia/Jakarta", "created_by": "Mia"}
        db.session.add(
            Shift(
                user_id=cast.users[name],
                begins_at=now + timedelta(hours=begins),
                ends_at=now + timedelta(hours=ends),
                created_at=now,
                **shift,
            )
        )

    def test_without_a_roster_all_of_the_tier_hear(self, ticket, cast, heard):
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
        assert heard() == [("dana", "Waits for L2"), ("leo", "Waits for L2")]

    def test_with_one_those_who_are_on_duty_hear(self, ticket, cast, heard):
        self.on_duty(cast, "Dana", -1, 1)
        self.on_duty(cast, "Leo", 2, 4)
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
        assert heard() == [("dana", "Waits for L2")]

    def test_where_nobody_of_the_tier_is_on_duty_all_of_it_hear(self, ticket, cast, heard):
        self.on_duty(cast, "Dana", 2, 4)
        services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
        assert len(heard()) == 2


def test_a_bad_rating_reaches_who_resolved_it_and_who_leads(ticket, cast, heard):
    services.take_ticket(ticket, by=leo(cast), at=later(minutes=1))
    services.resolve_ticket(ticket, solution="Put out.", by=leo(cast), at=later(minutes=2))
    ratings.rate_ticket(ticket, score="bad", comment="Still warm", by=bob(cast), at=later(minutes=3))
    assert heard() == [("dana", "Not satisfied"), ("leo", "Not satisfied"), ("mia", "Not satisfied")]
    assert any("Still warm" in one and "resolved by Leo" in one for one in heard.texts)


def test_a_good_rating_reaches_nobody(ticket, cast, heard):
    services.take_ticket(ticket, by=leo(cast), at=later(minutes=1))
    services.resolve_ticket(ticket, solution="Put out.", by=leo(cast), at=later(minutes=2))
    ratings.rate_ticket(ticket, score="good", comment="", by=bob(cast), at=later(minutes=3))
    assert heard() == []


def test_new_tickets_are_told_to_those_of_the_tier_who_asked_for_it(cast, mailing, heard):
    choose(tina(cast), "tier_opened", wanted=True)
    choose(leo(cast), "tier_opened", wanted=True)
    with enter(leo(cast).scope()):
        open_in_scope(cast, bob(cast), at=MONDAY)
        assert heard() == [("tina", "New in L1")]


def test_what_somebody_does_without_is_not_sent(ticket, cast, heard):
    choose(leo(cast), "hand_over_waits", wanted=False)
    services.hand_over(ticket, BRIEFING, to_tier="L2", by=tina(cast), at=later(minutes=2))
    assert heard() == []


class TestAskedOnce:
    """The rating of a solution."""

    def asked(self, cast):
        with enter(of_tenant(cast.tenants["acme"])):
            said = select(OutgoingMail.text).where(OutgoingMail.template == "ticket_resolved")
            return ["satisfied" in one for one in db.session.scalars(said.order_by(OutgoingMail.id))]

    def test_whoever_has_rated_is_not_asked_again(self, ticket, cast, heard):
        services.take_ticket(ticket, by=leo(cast), at=later(minutes=1))
        services.resolve_ticket(ticket, solution="Put out.", by=leo(cast), at=later(minutes=2))
        heard()
        ratings.rate_ticket(ticket, score="good", comment="", by=bob(cast), at=later(minutes=3))
        services.reopen_ticket(ticket, because="It burns again", by=bob(cast), at=later(minutes=4))
        services.resolve_ticket(ticket, solution="Put out again.", by=leo(cast), at=later(minutes=5))
        heard()
        assert self.asked(cast) == [True, False]


class TestThePage:
    """What one wants, chosen with ticks."""

    def ticks(self, page):
        lines = [line for line in page.text.splitlines() if 'name="wanted"' in line]
        return {line.split('value="')[1].split('"')[0]: " checked" in line for line in lines}

    def test_every_kind_that_reaches_one_has_its_tick(self, sign_in):
        staff = self.ticks(sign_in("Tina").get("/account/notifications"))
        assert {
            one: staff[one] for one in ("ticket_assigned", "visit", "certificate_expires", "tier_opened")
        } == {"ticket_assigned": True, "visit": True, "certificate_expires": True, "tier_opened": False}
        assert "remote_asked" not in staff
        client = self.ticks(sign_in("Bob").get("/account/notifications"))
        assert {"visit", "remote_asked"} < set(client)
        assert not {"ticket_assigned", "rated_bad", "certificate_expires"} & set(client)

    def test_a_choice_holds_in_both_directions(self, sign_in):
        browser = sign_in("Tina")
        kept = browser.post("/account/notifications", data={"wanted": ["tier_opened", "visit"]})
        assert kept.status_code == 302
        ticked = {one for one, on in self.ticks(browser.get("/account/notifications")).items() if on}
        assert ticked == {"tier_opened", "visit"}
