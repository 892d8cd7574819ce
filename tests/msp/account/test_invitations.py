"""Invitations: sent by who may, accepted once, worth no more than the inviter holds."""

import threading
from datetime import timedelta

import pytest

from tenants.foundation import time
from tests.personas import PASSWORD

NEW = "seven quiet herons at dawn"
DORA = {"email": "dora@example.test", "name": "Dora", "role": "client_user"}


def ids(superuser, table="invitations"):
    return [one for (one,) in superuser.execute(f"SELECT public_id FROM {table} ORDER BY id").fetchall()]


@pytest.mark.parametrize(
    ("name", "path"), [("Alice", "/portal/people"), ("Mia", "/console/tenants/acme/people")]
)
def test_a_newcomer_is_invited_and_comes_in(sign_in, browser, mailbox, superuser, name, path):
    assert sign_in(name).post(path, data=DORA).status_code == 302
    mail = mailbox.to("dora@example.test")[0]
    assert "Acme" in mail["Subject"]
    here, link = browser(), mailbox.link("dora@example.test")
    page = here.client.get(link).get_data(as_text=True)
    assert "Join Acme" in page
    assert name in page
    assert here.client.post(link, data={"name": "Dora", "password": "short"}).status_code == 422
    assert here.client.post(link, data={"name": "Dora D.", "password": NEW}).status_code == 302
    assert here.is_in()
    assert browser().client.post(link, data={"name": "Eve", "password": NEW}).status_code == 409
    found = superuser.execute(
        "SELECT name, role, state FROM memberships WHERE email = 'dora@example.test'"
    ).fetchall()
    assert found == [("Dora D.", "client_user", "active")]
    actions = [
        one
        for (one,) in superuser.execute(
            "SELECT action FROM audit_entries WHERE action LIKE '%invit%' ORDER BY seq"
        ).fetchall()
    ]
    assert actions == ["person.invited", "invitation.accepted"]


def test_the_token_stands_nowhere(sign_in, mailbox, superuser):
    sign_in("Alice").post("/portal/people", data=DORA)
    token = mailbox.link("dora@example.test").rsplit("/", 1)[1]
    secret = token.partition(".")[2]
    for table in ("invitations", "outgoing_mails", "work", "audit_entries"):
        for (row,) in superuser.execute(f"SELECT t::text FROM {table} t").fetchall():
            assert secret not in row, table


def test_who_has_an_account_joins_by_signing_in(sign_in, browser, mailbox, superuser):
    sign_in("Mallory").post("/portal/people", data={**DORA, "email": "bob@example.test"})
    link = mailbox.link("bob@example.test")
    here = browser()
    assert "You have an account" in here.client.get(link).get_data(as_text=True)
    assert here.client.post(link, data={"name": "Eve", "password": NEW}).status_code == 200
    assert "another account" in sign_in("Gus").get(link).get_data(as_text=True)
    assert sign_in("Gus").post(link).status_code == 200
    assert here.sign_in("Bob", next=link).location == link
    assert here.client.post(link).status_code == 302
    found = superuser.execute(
        "SELECT t.slug FROM memberships m JOIN tenants t ON t.id = m.tenant_id WHERE m.email = 'bob@example.test'"
        " ORDER BY t.slug"
    ).fetchall()
    assert found == [("acme",), ("globex",)]
    assert browser().sign_in("Bob", PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("name", "path", "form", "status"),
    [
        ("Alice", "/portal/people", {**DORA, "role": "owner"}, 422),
        ("Alice", "/portal/people", {**DORA, "role": "l1"}, 422),
        ("Alice", "/portal/people", {**DORA, "email": "no address"}, 422),
        ("Alice", "/portal/people", {**DORA, "email": "bob@example.test"}, 422),
        ("Bob", "/portal/people", DORA, 403),
        ("Tina", "/portal/people", DORA, 403),
        ("Tina", "/console/tenants/acme/people", DORA, 403),
        ("Dana", "/console/tenants/acme/people", DORA, 403),
        ("Alice", "/console/tenants/acme/people", DORA, 403),
        ("Mia", "/console/tenants/provider/people", DORA, 404),
        ("Mia", "/console/tenants/nowhere/people", DORA, 404),
        ("Dana", "/console/staff/invite", {**DORA, "role": "l1"}, 403),
        ("Mia", "/console/staff/invite", {**DORA, "role": "manager"}, 422),
        ("Mia", "/console/staff/invite", {**DORA, "role": "owner"}, 422),
        ("Mia", "/console/staff/invite", {**DORA, "role": "client_user"}, 422),
        ("Mia", "/console/staff/invite", {**DORA, "role": "l1", "tenants": ["nowhere"]}, 422),
        ("Mia", "/console/staff/invite", {**DORA, "role": "l1", "email": "tina@example.test"}, 422),
    ],
)
def test_who_may_not_invites_nobody(sign_in, superuser, name, path, form, status):
    assert sign_in(name).post(path, data=form).status_code == status
    assert ids(superuser) == []


def test_inviting_twice_says_so(sign_in, superuser):
    alice = sign_in("Alice")
    assert alice.post("/portal/people", data=DORA).status_code == 302
    again = alice.post("/portal/people", data={**DORA, "email": "DORA@example.test"})
    assert again.status_code == 422
    assert "invited already" in again.get_data(as_text=True)
    assert len(ids(superuser)) == 1


def test_one_address_may_be_invited_by_two_companies(sign_in, superuser):
    assert sign_in("Alice").post("/portal/people", data=DORA).status_code == 302
    assert sign_in("Mallory").post("/portal/people", data=DORA).status_code == 302
    assert len(ids(superuser)) == 2


def test_revoking_and_repeating(sign_in, browser, mailbox, superuser):
    alice = sign_in("Alice")
    alice.post("/portal/people", data=DORA)
    first = mailbox.link("dora@example.test")
    (one,) = ids(superuser)
    for name, status in (("Mallory", 404), ("Bob", 403)):
        assert sign_in(name).post(f"/portal/people/invitations/{one}/repeat").status_code == status
        assert sign_in(name).post(f"/portal/people/invitations/{one}/revoke").status_code == status
    assert alice.post(f"/portal/people/invitations/{one}/repeat").status_code == 302
    second = mailbox.link("dora@example.test")
    assert browser().client.get(first).status_code == 404
    assert browser().client.get(second).status_code == 200
    assert alice.post(f"/portal/people/invitations/{one}/revoke").status_code == 302
    assert browser().client.get(second).status_code == 409
    assert alice.post(f"/portal/people/invitations/{one}/revoke").status_code == 404


def test_an_invitation_runs_out_and_can_be_given_anew(sign_in, browser, mailbox):
    alice, at = sign_in("Alice"), time.now()
    alice.post("/portal/people", data=DORA)
    link = mailbox.link("dora@example.test")
    with time.frozen(at + timedelta(days=7, minutes=1)):
        assert browser().client.get(link).status_code == 409
        assert browser().client.post(link, data={"name": "Dora", "password": NEW}).status_code == 409
        assert sign_in("Alice").post("/portal/people", data=DORA).status_code == 302


def test_an_invitation_of_somebody_who_left_is_worth_nothing(sign_in, browser, mailbox, superuser):
    sign_in("Alice").post("/portal/people", data={**DORA, "role": "client_admin"})
    link = mailbox.link("dora@example.test")
    superuser.execute("UPDATE memberships SET role = 'client_user' WHERE name = 'Alice'")
    assert browser().client.post(link, data={"name": "Dora", "password": NEW}).status_code == 409
    assert superuser.execute("SELECT count(*) FROM users WHERE email = 'dora@example.test'").fetchone() == (
        0,
    )


def test_a_suspended_client_takes_nobody_in(sign_in, browser, mailbox, superuser):
    sign_in("Mia").post("/console/tenants/acme/people", data=DORA)
    link = mailbox.link("dora@example.test")
    superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
    answer = browser().client.post(link, data={"name": "Dora", "password": NEW})
    assert answer.status_code in (409, 422)
    assert superuser.execute("SELECT count(*) FROM users WHERE email = 'dora@example.test'").fetchone() == (
        0,
    )


def test_twenty_an_hour_for_a_company(sign_in, superuser):
    alice = sign_in("Alice")
    with time.frozen(time.now()):
        codes = [
            alice.post("/portal/people", data={**DORA, "email": f"p{one}@example.test"}).status_code
            for one in range(21)
        ]
        assert codes == [302] * 20 + [429]
        assert sign_in("Mallory").post("/portal/people", data=DORA).status_code == 302
    assert len(ids(superuser)) == 21


def test_of_many_who_accept_at_once_one_comes_in(app, sign_in, mailbox, superuser):
    sign_in("Alice").post("/portal/people", data=DORA)
    link, codes = mailbox.link("dora@example.test"), []

    def accept(number):
        form = {"name": f"Dora {number}", "password": NEW}
        codes.append(app.test_client().post(link, data=form).status_code)

    threads = [threading.Thread(target=accept, args=[number]) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert codes.count(302) == 1, codes
    assert set(codes) <= {302, 409, 422, 200}
    assert superuser.execute(
        "SELECT count(*) FROM memberships WHERE email = 'dora@example.test'"
    ).fetchone() == (1,)


def test_one_who_left_comes_back_by_the_password(sign_in, browser, mailbox, superuser):
    bob = superuser.execute("SELECT public_id FROM memberships WHERE name = 'Bob'").fetchone()[0]
    alice = sign_in("Alice")
    assert alice.post(f"/portal/people/{bob}/remove").status_code == 302
    assert browser().sign_in("Bob").status_code == 403
    assert alice.post("/portal/people", data={**DORA, "email": "bob@example.test"}).status_code == 302
    link, here = mailbox.link("bob@example.test"), browser()
    assert "from earlier" in here.client.get(link).get_data(as_text=True)
    assert here.client.post(link, data={"current": "wrong wrong wrong"}).status_code == 422
    assert here.client.post(link, data={"current": PASSWORD}).location == "/sign-in"
    assert browser().sign_in("Bob").status_code == 302
    assert superuser.execute("SELECT count(*) FROM memberships WHERE name = 'Bob'").fetchone() == (1,)


STAFF = {"email": "sam@example.test", "name": "Sam", "role": "l2"}


@pytest.mark.parametrize(
    ("reach", "sees"),
    [
        ({"all_tenants": "y"}, {"acme", "globex", "provider"}),
        ({"tenants": ["globex"]}, {"globex"}),
        ({}, set()),
    ],
)
def test_staff_are_invited_within_a_reach(app, cast, sign_in, browser, mailbox, superuser, reach, sees):
    assert sign_in("Mia").post("/console/staff/invite", data={**STAFF, **reach}).status_code == 302
    link, here = mailbox.link("sam@example.test"), browser()
    assert here.client.post(link, data={"name": "Sam", "password": NEW}).status_code == 302
    from tenants.foundation.scope import enter, gate
    from tenants.people.principals import by_user_id

    user_id = superuser.execute("SELECT id FROM users WHERE email = 'sam@example.test'").fetchone()[0]
    with app.app_context(), enter(gate()):
        actor = by_user_id(user_id).actor
    assert actor.role == "l2"
    assert actor.tenants == {cast.tenant(slug) for slug in sees}


def test_a_limited_manager_passes_on_what_is_held_only(sign_in, superuser, cast):
    superuser.execute("UPDATE staff_members SET all_tenants = false WHERE name = 'Mia'")
    superuser.execute(
        "INSERT INTO staff_grants (tenant_id, user_id, effect, granted_at) VALUES (%s, %s, 'allow', now())",
        [cast.tenant("acme"), cast.users["Mia"]],
    )
    mia = sign_in("Mia")
    assert mia.post("/console/staff/invite", data={**STAFF, "all_tenants": "y"}).status_code == 422
    assert mia.post("/console/staff/invite", data={**STAFF, "tenants": ["globex"]}).status_code == 422
    assert mia.post("/console/staff/invite", data={**STAFF, "tenants": ["acme"]}).status_code == 302
    (one,) = ids(superuser)
    assert sign_in("Dana").post(f"/console/staff/invitations/{one}/revoke").status_code == 403
    assert mia.post(f"/console/staff/invitations/{one}/repeat").status_code == 302
    assert mia.post(f"/console/staff/invitations/{one}/revoke").status_code == 302
    assert mia.post("/console/tenants/globex/people", data=DORA).status_code == 404


def test_staff_and_clients_stay_apart(sign_in, browser, mailbox):
    sign_in("Alice").post("/portal/people", data={**DORA, "email": "leo@example.test"})
    here = browser()
    here.sign_in("Leo")
    assert here.client.post(mailbox.link("leo@example.test")).status_code == 409
    sign_in("Owen").post("/console/staff/invite", data={**STAFF, "email": "bob@example.test"})
    there = browser()
    there.sign_in("Bob")
    assert there.client.post(mailbox.link("bob@example.test")).status_code == 409
