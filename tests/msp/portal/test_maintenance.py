"""Maintenance in the portal: what comes when on which machines, the client's word, and the mail that asks for it."""

from datetime import time as wall
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import ProgrammingError

from msp.background.runner import run_all_due
from msp.campaigns import services
from msp.mail.models import OutgoingMail
from msp.windows import services as windows
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import Role, enter, gate, of_tenant
from tenants.people.models import User
from tests import personas
from tests.msp.campaigns import fleet

ZONE = ZoneInfo("Asia/Jakarta")


@pytest.fixture
def machines(app, cast):
    agents = []
    for slug, count in (("provider", 1), ("acme", 3), ("globex", 2)):
        agents += fleet.enrol(app, cast.tenants[slug], slug, [f"{slug}-{n}" for n in range(count)])
    return agents


@pytest.fixture
def rollout(app, cast, machines):
    """Approved, so that the clients are asked."""
    found = fleet.draft(app, cast)
    found.act("Leo", services.submit_campaign, at=time.now())
    found.act("Nadia", services.approve_campaign, seen=found.plan_sha256, at=time.now())
    return found


def page_of(rollout, cast, slug="acme"):
    return f"/portal/maintenance/{rollout.parts()[cast.tenants[slug]].public_id}"


def consent_of(rollout, cast, slug="acme"):
    return rollout.parts()[cast.tenants[slug]].consent


def day(days):
    return (time.now().astimezone(ZONE).date() + timedelta(days=days)).isoformat()


def test_before_the_approval_the_client_is_told_nothing(app, cast, machines, sign_in):
    rollout = fleet.draft(app, cast)
    rollout.act("Leo", services.submit_campaign, at=time.now())
    alice = sign_in("Alice")
    assert "Welcome" not in alice.get("/portal/maintenance").text
    assert alice.get(page_of(rollout, cast)).status_code == 404
    assert "about maintenance" not in alice.get("/portal/").text


def test_what_asks_for_a_decision_stands_on_top_and_at_home(rollout, cast, sign_in):
    alice = sign_in("Alice")
    assert "1 decision about maintenance waits for you." in alice.get("/portal/").text
    listed = alice.get("/portal/maintenance").text
    assert listed.index("Waits for your decision") < listed.index("Next and under way")
    assert page_of(rollout, cast) in listed
    rollout.let_in("acme")
    assert "about maintenance" not in alice.get("/portal/").text
    assert "Allowed, not begun" in alice.get("/portal/maintenance").text


def test_the_page_says_what_when_and_on_which_of_its_own_machines(rollout, cast, sign_in):
    shown = sign_in("Alice").get(page_of(rollout, cast)).text
    for said in ("motd", "Severity", "Asia/Jakarta", "At any time: you have agreed on no windows with us."):
        assert said in shown, said
    assert all(f"acme-{n}" in shown for n in range(3))
    assert "globex" not in shown.lower()
    assert "provider-0" not in shown


def test_windows_are_told_in_the_client_s_zone(app, cast, rollout, sign_in, as_actor):
    tomorrow = time.now().astimezone(ZONE).date() + timedelta(days=1)
    with app.app_context(), enter(of_tenant(cast.tenants["acme"])):
        windows.add_window(
            tenant_id=cast.tenants["acme"],
            name="Nights",
            rule="FREQ=DAILY",
            first_on=tomorrow,
            starts_at=wall(22),
            minutes=120,
            time_zone="Asia/Jakarta",
            by=as_actor("Nadia"),
            at=time.now(),
        )
        db.session.commit()
    shown = sign_in("Alice").get(page_of(rollout, cast)).text
    assert "Your next windows" in shown
    assert shown.count("22:00 WIB until") == 3
    assert "agreed on no windows" not in shown
    asked = sign_in("Alice").get(f"{page_of(rollout, cast)}/consent").text
    assert "It comes in your windows only. The next one:" in asked


def test_the_provider_s_freeze_is_told_too(app, cast, rollout, sign_in, as_actor):
    now = time.now()
    with app.app_context(), enter(as_actor("Owen").scope()):
        windows.add_provider_freeze(
            name="Year end of the provider",
            begins_at=now - timedelta(hours=1),
            ends_at=now + timedelta(days=3),
            by=as_actor("Owen"),
            at=now,
        )
        db.session.commit()
    for page in (page_of(rollout, cast), "/portal/maintenance", "/portal/windows"):
        shown = sign_in("Alice").get(page).text
        assert "Year end of the provider" in shown, page
        assert "We change nothing at any client in this time" in shown, page
        assert "Owen" not in shown, "who added it is the provider's business"
    assert "a change freeze is in force" in sign_in("Alice").get(page_of(rollout, cast)).text


def test_each_freeze_says_why_nothing_is_changed(app, cast, rollout, sign_in, as_actor):
    now = time.now()
    span = {"begins_at": now + timedelta(days=1), "ends_at": now + timedelta(days=2)}
    for slug in ("acme", "globex"):
        tenant_id = cast.tenants[slug]
        with app.app_context(), enter(of_tenant(tenant_id)):
            windows.add_freeze(
                tenant_id=tenant_id, name=f"Books of {slug}", by=as_actor("Mia"), at=now, **span
            )
            db.session.commit()
    shown = sign_in("Alice").get("/portal/maintenance").text
    assert "Books of acme" in shown
    assert "It was agreed that nothing is changed at your company in this time." in shown
    assert "Books of globex" not in shown
    assert "at any client" not in shown


def test_a_lifted_freeze_of_the_provider_is_told_no_more(app, cast, rollout, sign_in, as_actor):
    now, owen = time.now(), as_actor("Owen")
    with app.app_context(), enter(owen.scope()):
        span = {"begins_at": now, "ends_at": now + timedelta(days=3)}
        found = windows.add_provider_freeze(name="Public holidays", by=owen, at=now, **span)
        db.session.flush()
        windows.lift_provider_freeze(found, by=owen, at=now)
        db.session.commit()
    for page in (page_of(rollout, cast), "/portal/maintenance", "/portal/windows"):
        assert "Public holidays" not in sign_in("Alice").get(page).text, page


def test_a_client_s_role_reads_of_the_provider_s_freezes_only_what_it_may_know(app, cast, as_actor):
    with app.app_context(), enter(as_actor("Alice").scope()):
        db.session.execute(db.text("SELECT name, begins_at, ends_at FROM provider_freezes"))
        with pytest.raises(ProgrammingError, match="permission denied"):
            db.session.execute(db.text("SELECT created_by FROM provider_freezes"))
        db.session.rollback()
        with pytest.raises(ProgrammingError, match="permission denied"):
            db.session.execute(db.text("UPDATE provider_freezes SET name = 'x'"))


def test_consent_is_given_behind_a_page_that_says_to_how_many(rollout, cast, sign_in):
    alice, page = sign_in("Alice"), page_of(rollout, cast)
    asked = alice.get(f"{page}/consent").text
    assert "Let it in on 3 machines" in asked
    assert consent_of(rollout, cast) == "asked", "looking decides nothing"
    done = alice.post(f"{page}/consent", follow_redirects=True).text
    assert "You let it in. Thank you." in done
    assert "Alice decided it" in done
    assert (consent_of(rollout, cast), consent_of(rollout, cast, "globex")) == ("consented", "asked")


def test_postponing_takes_a_day_of_the_client_s_own_zone(rollout, cast, sign_in):
    alice, page = sign_in("Alice"), page_of(rollout, cast)
    sent = {"until": day(5), "reason": "Stock taking"}
    shown = alice.post(f"{page}/postpone", data=sent, follow_redirects=True).text
    assert "Postponed until" in shown
    assert "Stock taking" in shown
    until = rollout.parts()[cast.tenants["acme"]].postponed_until.astimezone(ZONE)
    assert (until.date().isoformat(), until.hour) == (day(5), 0)
    assert "about maintenance" not in alice.get("/portal/").text
    with time.frozen(time.now() + timedelta(days=6)):
        assert "1 decision about maintenance waits for you." in sign_in("Alice").get("/portal/").text


@pytest.mark.parametrize(
    ("verb", "sent", "said"),
    [
        ("postpone", {"until": ""}, "Choose a day within the next 90 days."),
        (
            "postpone",
            {"until": "1999-01-01", "reason": "kept words"},
            "Choose a day within the next 90 days.",
        ),
        ("postpone", {"until": "tomorrow"}, "Choose a day within the next 90 days."),
        ("decline", {"reason": " "}, "Say why."),
        ("decline", {"reason": "x" * 1001}, "1000"),
    ],
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_decided(rollout, cast, sign_in, verb, sent, said):
    answer = sign_in("Alice").post(f"{page_of(rollout, cast)}/{verb}", data=sent)
    assert answer.status_code == 422
    assert said in answer.text
    assert sent.get("reason", "").strip() in answer.text
    assert consent_of(rollout, cast) == "asked"


def test_declining_is_for_good(rollout, cast, sign_in):
    alice, page = sign_in("Alice"), page_of(rollout, cast)
    assert "Decline it for 3 machines" in alice.get(f"{page}/decline").text
    shown = alice.post(f"{page}/decline", data={"reason": "We replace them"}, follow_redirects=True).text
    assert "You declined it" in shown
    assert "Let it in…" not in shown
    assert alice.get(f"{page}/consent").status_code == 409
    assert alice.post(f"{page}/consent").status_code == 409
    assert consent_of(rollout, cast) == "declined"


def test_a_word_may_be_taken_back_until_it_is_over(rollout, cast, sign_in):
    alice, page = sign_in("Alice"), page_of(rollout, cast)
    alice.post(f"{page}/consent")
    alice.post(f"{page}/postpone", data={"until": day(2)})
    assert consent_of(rollout, cast) == "postponed"
    alice.post(f"{page}/consent")
    assert consent_of(rollout, cast) == "consented"


@pytest.mark.parametrize("verb", ["", "/consent", "/postpone", "/decline"])
def test_another_client_s_part_is_not_there_and_users_may_not_decide(rollout, cast, sign_in, verb):
    page = page_of(rollout, cast) + verb
    assert sign_in("Mallory").get(page).status_code == 404
    assert sign_in("Bob").get(page).status_code == 403
    if verb:
        assert sign_in("Mallory").post(page, data={"reason": "x", "until": day(2)}).status_code == 404
        assert sign_in("Bob").post(page).status_code == 403
    assert consent_of(rollout, cast) == "asked"


def test_what_happened_to_each_machine_is_said_in_words(app, cast, machines, rollout, sign_in):
    rollout.let_in()
    rollout.act("Nadia", services.start_campaign, at=time.now())
    for agent in machines:
        agent.fails = agent.name == "acme-1"
    alice, page = sign_in("Alice"), page_of(rollout, cast)
    rollout.tick()
    assert "Waits until earlier machines have proven it" in alice.get(page).text
    for _ in range(2):
        for agent in machines:
            agent.cycle()
        rollout.tick()
    shown = alice.get(page).text
    assert shown.count("Updated, and proven") == 2
    assert shown.count("Could not be updated") == 1
    assert "2 of 3 done" in shown
    assert "1 machine could not be updated." in shown
    assert "1 machine was not updated" in alice.get("/portal/maintenance").text, "its lane is over"


def test_what_is_done_here_is_no_longer_to_come_while_others_wait(app, cast, machines, rollout, sign_in):
    rollout.let_in("acme")
    rollout.act("Nadia", services.start_campaign, at=time.now())
    rollout.tick()
    alice, page = sign_in("Alice"), page_of(rollout, cast)
    listed = alice.get("/portal/maintenance").text
    assert listed.index(page) < listed.index("What happened")
    assert "Decline…" in alice.get(page).text
    for _ in range(2):
        for agent in machines:
            agent.cycle()
        rollout.tick()
    assert rollout.state == "running", "Globex has not decided"
    listed = alice.get("/portal/maintenance").text
    assert listed.index(page) > listed.index("What happened")
    shown = alice.get(page).text
    assert "3 of 3 done" in shown
    for gone in ("Postpone…", "Decline…", "At any time"):
        assert gone not in shown, gone


def mails(app, cast, slug):
    with app.app_context(), enter(of_tenant(cast.tenants[slug])):
        asked = select(OutgoingMail).where(OutgoingMail.template == "maintenance_asked")
        return list(db.session.scalars(asked))


def set_language(app, name, language):
    with app.app_context(), enter(gate()):
        db.session.execute(update(User).where(User.email == personas.email(name)).values(language=language))
        db.session.commit()


def test_administrators_are_asked_by_mail_in_their_language(app, cast, rollout):
    set_language(app, "Alice", "en")
    set_language(app, "Mallory", "id")
    with app.app_context():
        run_all_due()
    (to_acme,) = mails(app, cast, "acme")
    assert to_acme.to_address == personas.email("Alice"), "users are not asked"
    assert to_acme.subject == "Your decision is needed: Welcome"
    assert page_of(rollout, cast) in to_acme.text
    assert "3 machines of Acme" in to_acme.text
    (to_globex,) = mails(app, cast, "globex")
    assert to_globex.language == "id"
    assert page_of(rollout, cast, "globex") in to_globex.html
    assert "acme" not in to_globex.text.lower()
    assert not mails(app, cast, "provider"), "nobody consents for the provider's own machines"


def test_who_has_decided_already_is_not_asked_any_more(app, cast, rollout):
    rollout.let_in("acme")
    with app.app_context():
        run_all_due()
    assert not mails(app, cast, "acme")
    assert len(mails(app, cast, "globex")) == 1


def test_a_client_s_role_in_the_database_reads_its_own_members_only(app, cast, rollout, as_actor):
    alice = as_actor("Alice").scope()
    assert alice.role is Role.CLIENT
    with app.app_context(), enter(alice):
        seen = db.session.execute(db.text("SELECT DISTINCT tenant_id FROM campaign_members")).scalars().all()
    assert seen == [cast.tenants["acme"]]
