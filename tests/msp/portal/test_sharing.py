"""Who of a client reads whose tickets: four ways, every door, and nobody gains anything else."""

import re
from io import BytesIO

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from msp.timers.mails import list_receivers
from msp.upkeep import feeds
from msp.upkeep.calendar import list_entries
from tenants.audit.models import AuditEntry
from tenants.foundation.db import db
from tenants.foundation.errors import Forbidden
from tenants.foundation.permissions import CLIENT_ROLES, MemberRole, Permission
from tenants.foundation.scope import enter, gate
from tenants.people.principals import by_user_id
from tenants.people.rules import reads_company
from tenants.people.sharing import set_ticket_sharing
from tenants.tenancy.models import TICKET_SHARING, Tenant
from tenants.tickets import remote, visits
from tenants.tickets.models import Ticket
from tests import counting, personas
from tests.tickets import MONDAY, later, leo, opened

PAGE = "/portal/people/ticket-sharing"
# Cleo and Chandra are Bob's colleagues; Chandra is the one who is chosen.
READERS = {
    "own": {"Bob"},
    "admins": {"Bob", "Alice"},
    "chosen": {"Bob", "Alice", "Chandra"},
    "everyone": {"Bob", "Alice", "Chandra", "Cleo"},
}
PEOPLE = ("Bob", "Cleo", "Chandra", "Alice", "Mallory")


@pytest.fixture
def members(superuser, cast):
    """Two colleagues of Bob's; the public ids of all members by name."""
    for name in ("Cleo", "Chandra"):
        (cast.users[name],) = superuser.execute(
            "INSERT INTO users (public_id, email, name, state, language, created_at)"
            " VALUES (gen_random_uuid(), %s, %s, 'active', 'en', now()) RETURNING id",
            (personas.email(name), name),
        ).fetchone()
        superuser.execute(
            "INSERT INTO memberships (tenant_id, user_id, public_id, name, email, role, state, joined_at)"
            " VALUES (%s, %s, gen_random_uuid(), %s, %s, 'client_user', 'active', now())",
            (cast.tenants["acme"], cast.users[name], name, personas.email(name)),
        )
    return dict(superuser.execute("SELECT name, public_id::text FROM memberships").fetchall())


@pytest.fixture
def share(sign_in, members):
    """Alice says who reads; Chandra is ticked."""

    def say(mode, **more):
        return sign_in("Alice").post(PAGE, data={"mode": mode, "chosen": [members["Chandra"]], **more})

    return say


@pytest.fixture
def code(app, cast, sign_in, members):
    """Bob's ticket with a file, a note with a file, and a visit."""
    code = opened(app, cast)
    enclosed = {"body": "See the log", "kind": "public", "files": (BytesIO(b"seen by Bob"), "log.txt")}
    noted = {"body": "zebra secret", "kind": "internal", "files": (BytesIO(b"by staff only"), "trace.txt")}
    sign_in("Bob").post(f"/portal/tickets/{code}/messages", data=enclosed)
    sign_in("Leo").post(f"/desk/tickets/{code}/messages", data=noted)
    with personas.within(app, cast, "Leo"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        plan = visits.Plan(later(days=1), later(days=1, hours=2), address="Jl. Sudirman 1")
        visits.plan_visit(ticket, plan, by=leo(cast), at=MONDAY)
        db.session.commit()
    return code


def of(superuser, code, name):
    """The address of a file of the ticket, for clients."""
    (public_id,) = superuser.execute("SELECT public_id FROM stored_files WHERE name = %s", (name,)).fetchone()
    return f"/portal/tickets/{code}/files/{public_id}"


def doors(person, bearer, code, file):
    """By door, whether this ticket is behind it."""
    api = {"headers": {"Authorization": f"Bearer {bearer}"}}
    listed = person.get("/api/v1/tickets", **api).json["items"]
    with person.get(file) as handed:
        is_handed = handed.status_code == 200
    return {
        "page": person.get(f"/portal/tickets/{code}").status_code == 200,
        "home": code in person.get("/portal/").text,
        "list": code in person.get("/portal/tickets").text,
        "narrowed": code in person.get("/portal/tickets?q=printer").text,
        "search": code in person.get("/portal/search?q=printer").text,
        "code": person.get(f"/portal/search?q={code}", follow_redirects=True).status_code == 200,
        "file": is_handed,
        "answer": person.get(f"/portal/tickets/{code}/reopen").status_code == 200,
        "API list": code in [one["code"] for one in listed],
        "API ticket": person.get(f"/api/v1/tickets/{code}", **api).status_code == 200,
        "API history": person.get(f"/api/v1/tickets/{code}/events", **api).status_code == 200,
        "API clocks": person.get(f"/api/v1/tickets/{code}/timers", **api).status_code == 200,
    }


@pytest.mark.parametrize("mode", TICKET_SHARING)
def test_every_door_asks_the_same_rule(app, superuser, cast, sign_in, members, share, code, token, mode):
    share("everyone")
    # Made while everybody may: what a token opens follows what its maker may now.
    bearers = {name: token(name) for name in PEOPLE}
    sessions = {name: sign_in(name) for name in PEOPLE}
    assert share(mode).status_code == 302
    for name in PEOPLE:
        found = doors(sessions[name], bearers[name], code, of(superuser, code, "log.txt"))
        assert found == dict.fromkeys(found, name in READERS[mode]), f"{name}, {mode}"


@pytest.mark.parametrize("mode", TICKET_SHARING)
def test_what_staff_say_among_themselves_stays_with_them(superuser, sign_in, share, code, mode):
    share(mode)
    for name in PEOPLE:
        person = sign_in(name)
        page = person.get(f"/portal/tickets/{code}").text
        assert "zebra" not in page and "trace.txt" not in page
        assert code not in person.get("/portal/search?q=zebra").text
        assert person.get(of(superuser, code, "trace.txt")).status_code == 404


@pytest.mark.parametrize("mode", TICKET_SHARING)
def test_visits_in_the_calendar_and_in_its_link(sign_in, share, code, mode):
    alice, month = sign_in("Alice"), "/portal/calendar?month=2026-03"
    link = re.search(r"/calendar/[\w-]+\.ics", alice.post("/portal/calendar/link", data={}).text)[0]
    share(mode)
    assert ("Printer on fire" in alice.get(month).text) == ("Alice" in READERS[mode])
    assert "Printer on fire" not in sign_in("Mallory").get(month).text
    assert alice.get(link).status_code == 200
    for name in ("Bob", "Cleo", "Chandra"):
        assert sign_in(name).get(month).status_code == 403


def test_a_link_to_the_calendar_tells_no_more_than_the_page(app, cast, share, code):
    with personas.within(app, cast, "Alice") as alice:
        secret = feeds.issue_feed(cast.tenants["acme"], by=alice, at=MONDAY)
        db.session.commit()
    for mode, seen in (("own", []), ("admins", [code])):
        share(mode)
        with app.app_context(), enter(gate()):
            reader = feeds.resolve_feed(secret, at=MONDAY)
        with app.app_context(), enter(reader.scope):
            entries = list_entries([reader.tenant_id], MONDAY, later(days=7), by=reader.actor, at=MONDAY)
        assert [one.place for one in entries if one.kind == "visit"] == seen


def test_nobody_gains_anything_but_the_tickets(app, cast, superuser, members, share):
    def everybodys():
        with app.app_context(), enter(gate()):
            return {name: by_user_id(cast.users[name]).actor for name in (*PEOPLE, "Tina", "Owen")}

    usual = everybodys()
    for mode in TICKET_SHARING:
        share(mode)
        for name, one in everybodys().items():
            assert one.permissions ^ usual[name].permissions <= {Permission.VIEW_COMPANY_TICKETS}
            assert (one.tenants, one.role) == (usual[name].tenants, usual[name].role)
            gains = name in READERS[mode] - {"Bob"} or (name, mode) == ("Bob", "everyone")
            own_company = name not in ("Mallory", "Tina", "Owen")
            assert not own_company or one.may(Permission.VIEW_COMPANY_TICKETS) == gains
            assert own_company or one.permissions == usual[name].permissions


def test_the_rule_in_full():
    found = {
        (mode, role, chosen)
        for mode in TICKET_SHARING
        for role in MemberRole
        for chosen in (False, True)
        if reads_company(mode, role, chosen=chosen)
    }
    admin, user = MemberRole.CLIENT_ADMIN, MemberRole.CLIENT_USER
    assert found == {
        ("admins", admin, False),
        ("admins", admin, True),
        ("chosen", admin, False),
        ("chosen", admin, True),
        ("chosen", user, True),
        *(("everyone", role, chosen) for role in CLIENT_ROLES for chosen in (False, True)),
    }
    assert not reads_company("whatever", admin, chosen=True)


def test_who_reads_all_opens_nobodys_machine(app, cast, sign_in, share, code):
    share("everyone")
    with personas.within(app, cast, "Leo") as by:
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
        session = remote.ask_for_consent(ticket, by=by, at=MONDAY).public_id
        db.session.commit()
    allow = f"/portal/tickets/{code}/remote/{session}/allow"
    cleo = sign_in("Cleo")
    assert f"remote/{session}/allow" not in cleo.get(f"/portal/tickets/{code}").text
    assert cleo.post(allow).status_code == 403
    assert sign_in("Alice").post(allow).status_code == 302


def test_it_takes_no_further_statement(app, sign_in, share, members):
    counts = set()
    for mode in ("admins", "chosen", "everyone"):
        share(mode)
        alice = sign_in("Alice")
        alice.get("/portal/tickets")
        with counting.counted(app) as seen:
            alice.get("/portal/tickets")
            counts.add(seen())
    assert len(counts) == 1


def shared(superuser):
    (mode,) = superuser.execute("SELECT ticket_sharing FROM tenants WHERE slug = 'acme'").fetchone()
    chosen = superuser.execute("SELECT name FROM memberships WHERE reads_company ORDER BY name")
    return mode, [name for (name,) in chosen]


def audited(within):
    with within("acme"):
        found = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "tenant.ticket_sharing"))
        return [one.body for one in found]


def test_the_page_says_how_it_is_and_takes_what_is_said(superuser, sign_in, share, members, within):
    alice = sign_in("Alice")
    page = alice.get("/portal/people").text
    assert re.search(r'<input checked[^>]*value="admins"', page)
    assert share("chosen").status_code == 302
    assert shared(superuser) == ("chosen", ["Chandra"])
    page = alice.get("/portal/people").text
    assert re.search(r'<input checked[^>]*value="chosen"', page)
    assert re.search(rf'<input checked[^>]*value="{members["Chandra"]}"', page)
    assert members["Alice"] not in re.findall(r'name="chosen"[^>]*value="([^"]+)"', page)
    (body,) = audited(within)
    assert '"chosen":["chandra@example.test"]' in body and '"to":"chosen"' in body
    share("chosen")
    assert len(audited(within)) == 1, "the same again is no change"
    share("own")
    assert shared(superuser) == ("own", ["Chandra"])
    assert alice.get("/portal/people").status_code == 200, "nobody is signed out"


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"mode": "nobody"}, "mode", "Not a valid choice"),
        ({"chosen": []}, "chosen", "Choose at least one person"),
        ({"chosen": ["00000000-0000-0000-0000-000000000000"]}, "chosen", "valid choice"),
    ],
)
def test_what_is_unfit_is_said_beside_its_field(superuser, share, sent, field, words):
    answer = share(**{"mode": "chosen", **sent})
    assert answer.status_code == 422
    assert words in re.search(rf'id="{field}-error">(.*?)</p>', answer.text, re.DOTALL)[1]
    assert shared(superuser) == ("admins", [])


def test_people_of_others_are_no_choice(superuser, share, members):
    assert share("chosen", chosen=[members["Gus"]]).status_code == 422
    assert shared(superuser) == ("admins", [])


def test_only_who_manages_people_says_it(superuser, sign_in, share, members):
    data = {"mode": "everyone"}
    share("everyone")
    for name, status in (("Bob", 403), ("Chandra", 403), ("Owen", 403)):
        assert sign_in(name).post(PAGE, data={"mode": "own"}).status_code == status
    assert sign_in("Mallory").post(PAGE, data={"mode": "own"}).status_code == 302
    assert shared(superuser)[0] == "everyone"
    for name, status in (("Leo", 403), ("Dana", 403), ("Alice", 403), ("Mia", 302)):
        answer = sign_in(name).post("/console/tenants/acme/people/ticket-sharing", data={"mode": "own"})
        assert answer.status_code == status, name
    assert shared(superuser)[0] == "own"
    assert (
        sign_in("Mia").post("/console/tenants/provider/people/ticket-sharing", data=data).status_code == 404
    )
    page = sign_in("Mia").get("/console/tenants/acme/people").text
    assert re.search(r'<input checked[^>]*value="own"', page)


def test_the_database_lets_clients_change_this_and_nothing_else(app, cast, within):
    with within("Alice"):
        db.session.execute(text("UPDATE tenants SET ticket_sharing = 'own' WHERE true"))
        db.session.commit()
    with within("Mia"):
        found = dict(db.session.execute(select(Tenant.slug, Tenant.ticket_sharing)).all())
    assert (found["acme"], found["globex"]) == ("own", "admins")
    for column, value in (("name", "Mine"), ("state", "suspended"), ("kind", "own"), ("rev", "9")):
        with within("Alice"), pytest.raises(ProgrammingError) as refused:
            db.session.execute(text(f"UPDATE tenants SET {column} = '{value}'"))
        assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_the_service_asks_whose_company_it_is(app, cast, within):
    for name in ("Mallory", "Bob", "Leo"):
        by = personas.actor(app, cast, name)
        with within("acme"), pytest.raises(Forbidden):
            acme = db.session.scalars(select(Tenant).where(Tenant.slug == "acme")).one()
            set_ticket_sharing(acme, "everyone", [], by=by, at=MONDAY)


def test_who_left_is_not_chosen_any_more(superuser, sign_in, share, members):
    share("chosen")
    sign_in("Alice").post(f"/portal/people/{members['Chandra']}/remove")
    assert shared(superuser) == ("chosen", [])


def test_administrators_get_no_mail_about_what_they_may_not_read(app, cast, share, code):
    def told(code):
        with personas.within(app, cast, "acme"):
            ticket = db.session.scalars(select(Ticket).where(Ticket.code == code)).one()
            return [one.name for one in list_receivers(ticket, ["admins"])]

    alices = opened(app, cast, who="Alice")
    assert told(code) == told(alices) == ["Alice"]
    share("own")
    assert (told(code), told(alices)) == ([], ["Alice"])


def test_a_colleague_who_reads_may_answer_in_the_own_name(share, code, sign_in):
    share("everyone")
    answer = {"body": "It smokes here too", "kind": "public"}
    assert sign_in("Cleo").post(f"/portal/tickets/{code}/messages", data=answer).status_code == 302
    page = sign_in("Bob").get(f"/portal/tickets/{code}").text
    assert "It smokes here too" in page and "Cleo" in page
