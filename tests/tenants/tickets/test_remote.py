"""Remote sessions: never without consent, one at a time, ended by either side, and told to both."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Forbidden, InvalidMany, NotFound
from tenants.tickets import remote, services, watching
from tenants.tickets.models import Ticket, TicketEvent
from tenants.tickets.remote_models import RemoteSession
from tests import personas
from tests.tickets import MONDAY, later, opened

CONSENT = remote.Consent("Bob", "phone")


@pytest.fixture
def code(app, cast):
    return opened(app, cast)


@pytest.fixture
def act(app, cast, code):
    """Somebody does something with the ticket, committed."""

    def do(who, verb, *given, at=MONDAY, session=False, **more):
        with personas.within(app, cast, who) as by:
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            found = [remote.list_sessions(ticket)[0]] if session else []
            done = verb(ticket, *found, *given, by=by, at=at, **more)
            db.session.commit()
            return done

    return do


@pytest.fixture
def rows(app, cast):
    def read(model=RemoteSession):
        with personas.within(app, cast, "acme"):
            return list(db.session.scalars(select(model).order_by(model.id)))

    return read


def lines(rows):
    return [
        (one.kind, one.data.get("what")) for one in rows(TicketEvent) if one.kind.startswith("remote_session")
    ]


def test_it_begins_with_consent_and_ends_with_words(act, rows):
    act("Leo", remote.begin_session, CONSENT, at=later(minutes=1))
    act("Leo", remote.end_session, session=True, done="Cleaned the spooler.", at=later(minutes=21, seconds=5))
    (session,) = rows()
    assert (session.state, session.minutes, session.done) == ("ended", 21, "Cleaned the spooler.")
    assert (session.consent_by, session.consent_way, session.staff_name) == ("Bob", "phone", "Leo")
    assert lines(rows) == [("remote_session_begun", "begun"), ("remote_session_ended", "ended")]


@pytest.mark.parametrize(
    ("consent", "field"),
    [
        (None, "consent_by"),
        (remote.Consent(" ", "phone"), "consent_by"),
        (remote.Consent("B\x00b", "phone"), "consent_by"),
        (remote.Consent("x" * 121, "phone"), "consent_by"),
        (remote.Consent("Bob", "portal"), "consent_way"),
        (remote.Consent("Bob", ""), "consent_way"),
    ],
)
def test_nothing_begins_without_consent(act, rows, consent, field):
    with pytest.raises(InvalidMany) as refused:
        act("Leo", remote.begin_session, consent)
    assert field in [name for name, _ in refused.value.errors]
    assert rows() == []


def test_the_database_too_begins_nothing_without_consent(app, cast, act, rows):
    act("Leo", remote.ask_for_consent)
    with personas.within(app, cast, "acme"):
        (session,) = db.session.scalars(select(RemoteSession))
        session.begun_at = MONDAY
        with pytest.raises(Exception, match="begins_with_consent"):
            db.session.flush()


def test_asked_in_the_portal_allowed_and_taken_back(act, rows):
    act("Leo", remote.ask_for_consent)
    with pytest.raises(InvalidMany):
        act("Leo", remote.begin_session, None)
    act("Bob", remote.answer_request, session=True, allow=True)
    act("Leo", remote.begin_session, None, at=later(minutes=2))
    act("Bob", remote.withdraw_consent, session=True, at=later(minutes=5))
    act("Bob", remote.withdraw_consent, session=True, at=later(minutes=6))
    (session,) = rows()
    assert (session.state, session.consent_way, session.ended_by) == ("withdrawn", "portal", "Bob")
    assert session.ended_at == later(minutes=5)
    act("Leo", remote.end_session, session=True, done="Looked only.", at=later(minutes=9))
    (session,) = rows()
    assert (session.state, session.done, session.minutes) == ("withdrawn", "Looked only.", 3)
    assert len(lines(rows)) == 5


def test_declined_is_over_and_another_may_be_asked_for(act, rows):
    act("Leo", remote.ask_for_consent)
    act("Bob", remote.answer_request, session=True, allow=False)
    with pytest.raises(Conflict):
        act("Bob", remote.answer_request, session=True, allow=True)
    act("Leo", remote.ask_for_consent)
    act("Leo", remote.drop_request, session=True)
    assert [one.state for one in rows()] == ["declined", "ended"]
    with pytest.raises(Conflict):
        act("Leo", remote.end_session, session=True, done="Nothing ran.")


def test_each_side_does_its_own_part_only(act):
    for verb, given in (
        (remote.ask_for_consent, ()),
        (remote.begin_session, (CONSENT,)),
    ):
        with pytest.raises(Forbidden):
            act("Bob", verb, *given)
    act("Leo", remote.ask_for_consent)
    with pytest.raises(Forbidden):
        act("Leo", remote.answer_request, session=True, allow=True)
    act("Bob", remote.answer_request, session=True, allow=True)
    with pytest.raises(Forbidden):
        act("Leo", remote.withdraw_consent, session=True)
    with pytest.raises(Forbidden):
        act("Bob", remote.drop_request, session=True)


@pytest.fixture
def watched(app, cast):
    """A ticket of Alice's that Bob watches."""
    code = opened(app, cast, who="Alice")
    with personas.within(app, cast, "Leo") as leo:
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        watching.watch_by_mail(ticket, "bob@example.test", by=leo, at=MONDAY)
        remote.ask_for_consent(ticket, by=leo, at=MONDAY)
        db.session.commit()
    return code


def test_whoever_only_follows_opens_nobodys_machine(rows, watched, sign_in):
    bob, page = sign_in("Bob"), f"/portal/tickets/{watched}"
    session = rows()[0].public_id
    shown = bob.get(page).text
    assert f"remote/{session}/allow" not in shown and f"remote/{session}/decline" in shown
    assert bob.post(f"{page}/remote/{session}/allow").status_code == 403
    assert rows()[0].state == "asked"
    alice = sign_in("Alice")
    assert f"remote/{session}/allow" in alice.get(page).text
    assert alice.post(f"{page}/remote/{session}/allow").status_code == 302
    assert bob.post(f"{page}/remote/{session}/withdraw").status_code == 302
    assert rows()[0].state == "withdrawn"


def test_the_companys_administrator_allows_for_others(act, rows):
    act("Leo", remote.ask_for_consent)
    act("Alice", remote.answer_request, session=True, allow=True)
    assert rows()[0].consent_by == "Alice"


def test_only_one_at_a_time_and_only_on_open_tickets_of_ones_tier(act):
    act("Leo", remote.begin_session, CONSENT)
    for verb, given in ((remote.begin_session, (CONSENT,)), (remote.ask_for_consent, ())):
        with pytest.raises(Conflict):
            act("Nadia", verb, *given)
    act("Leo", remote.end_session, session=True, done="Done.")
    with pytest.raises(Conflict):
        act("Leo", remote.end_session, session=True, done="Again.")
    briefing = services.Briefing("It burns", "Water", "Wait")
    act("Tina", services.hand_over, briefing, to_tier="L2")
    with pytest.raises(Conflict, match="L2"):
        act("Tina", remote.begin_session, CONSENT)
    act("Leo", services.cancel_ticket, reason="Sold")
    with pytest.raises(Conflict):
        act("Leo", remote.begin_session, CONSENT)


def test_a_stale_page_begins_nothing(act, rows):
    with pytest.raises(Conflict):
        act("Leo", remote.begin_session, CONSENT, rev=0)
    assert rows() == []


def test_two_people_at_once_begin_one(act, rows):
    met, refused = threading.Barrier(2), []

    def begin(who):
        met.wait()
        try:
            act(who, remote.begin_session, CONSENT)
        except Conflict as conflict:
            refused.append(conflict)

    both = [threading.Thread(target=begin, args=(who,)) for who in ("Leo", "Nadia")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(refused) == 1
    assert [one.state for one in rows()] == ["running"]


def test_others_sessions_are_not_found(app, cast, act, rows):
    act("Leo", remote.begin_session, CONSENT)
    (session,) = rows()
    other = opened(app, cast)
    with personas.within(app, cast, "Bob"):
        ticket = services_ticket(other)
        for key in (str(session.public_id), "x", "00000000-0000-0000-0000-000000000000"):
            with pytest.raises(NotFound):
                remote.find_session(ticket, key)


def services_ticket(code):
    return db.session.scalars(select(Ticket).where(Ticket.code == code)).one()


def test_minutes_count_begun_ones_whole():
    for seconds, minutes in ((1, 1), (60, 1), (61, 2), (0, 1)):
        session = RemoteSession(begun_at=MONDAY, ended_at=MONDAY + timedelta(seconds=seconds))
        assert session.minutes == minutes
    assert RemoteSession(begun_at=None, ended_at=MONDAY).minutes == 0
