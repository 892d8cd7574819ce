"""Signing in: the right person gets in, everybody else gets one and the same answer."""

import re

import pytest

from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people.models import SignInSession
from tests.personas import PASSWORD, email


def enter_as(client, name, password=PASSWORD, **more):
    return client.post("/sign-in", data={"email": email(name), "password": password, **more})


def plain(answer):
    """The page without what differs by design: the typed address and the form's own token."""
    text = re.sub(r'name="csrf_token" value="[^"]+"', "", answer.get_data(as_text=True))
    return re.sub(r"[\w.]+@example\.test", "typed", text)


def cookie_of(client):
    with client.session_transaction() as cookie:
        return dict(cookie)


@pytest.mark.parametrize("name", ["Alice", "Bob", "Mallory", "Tina", "Leo", "Nadia", "Dana", "Mia", "Owen"])
def test_a_right_password_opens_the_person_s_own_home(client, cast, name):
    answer = enter_as(client, name)
    assert answer.status_code == 302
    assert answer.location == "/"
    home = client.get("/", follow_redirects=True)
    assert home.status_code == 200
    assert name in home.get_data(as_text=True)


def test_the_address_is_read_as_people_type_it(client, cast):
    answer = client.post("/sign-in", data={"email": "  ALICE@Example.Test ", "password": PASSWORD})
    assert answer.location == "/"


def test_unknown_addresses_and_wrong_passwords_answer_alike(client, cast):
    known = enter_as(client, "Alice", password="wrong wrong wrong")
    unknown = enter_as(client, "Nobody", password="wrong wrong wrong")
    assert known.status_code == unknown.status_code == 401
    assert plain(known) == plain(unknown)
    assert "_user_id" not in cookie_of(client)


def test_missing_fields_are_named(client, cast):
    answer = client.post("/sign-in", data={"email": "", "password": ""})
    assert answer.status_code == 422
    assert "Type your e-mail address." in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    "typed", ["a\x00b@example.test", "x" * 300, "'; DROP TABLE users; --", "\u202eevil@example.test"]
)
def test_odd_addresses_are_only_wrong(client, cast, typed):
    answer = client.post("/sign-in", data={"email": typed, "password": "x" * 500})
    assert answer.status_code in (401, 422)


def test_a_fixed_session_never_survives(client, cast):
    with client.session_transaction() as cookie:
        cookie["_user_id"] = "planted by somebody"
        cookie["planted"] = "yes"
    enter_as(client, "Alice")
    first = cookie_of(client)
    assert "planted" not in first
    assert first["_user_id"] != "planted by somebody"
    enter_as(client, "Alice")
    assert cookie_of(client)["_user_id"] != first["_user_id"]


def test_signing_in_again_ends_the_session_before(app, client, cast):
    enter_as(client, "Alice")
    before = cookie_of(client)["_user_id"]
    enter_as(client, "Bob")
    stolen = app.test_client()
    with stolen.session_transaction() as cookie:
        cookie["_user_id"] = before
    assert stolen.get("/account").status_code == 302


def test_a_stolen_cookie_is_worth_nothing_after_sign_out(app, client, cast):
    enter_as(client, "Alice")
    stolen = app.test_client()
    with stolen.session_transaction() as cookie:
        cookie.update(cookie_of(client))
    assert stolen.get("/account").status_code == 200
    assert client.post("/sign-out").status_code == 302
    assert stolen.get("/account").location.startswith("/sign-in")
    assert client.get("/account").location.startswith("/sign-in")


def test_signing_out_works_for_nobody_too(client, cast):
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/sign-out").status_code == 405


def test_the_token_is_not_in_the_database(app, client, cast):
    enter_as(client, "Alice")
    token = cookie_of(client)["_user_id"]
    with app.app_context(), enter(gate()):
        stored = [bytes(one.token_hash) for one in db.session.query(SignInSession)]
    assert stored
    assert all(token.encode() not in one for one in stored)


def test_the_page_asked_for_is_opened_after_sign_in(client, cast):
    asked = client.get("/account/security")
    assert asked.location == "/sign-in?next=/account/security"
    assert 'value="/account/security"' in client.get(asked.location).get_data(as_text=True)
    assert enter_as(client, "Alice", next="/account/security").location == "/account/security"
    assert client.get("/sign-in?next=/account/security").location == "/account/security"


def test_a_person_without_a_company_is_told_so_after_a_right_password_only(superuser, client, cast):
    superuser.execute("UPDATE tenants SET state = 'suspended' WHERE slug = 'acme'")
    assert enter_as(client, "Alice").status_code == 403
    assert enter_as(client, "Alice", password="wrong wrong wrong").status_code == 401
    assert "_user_id" not in cookie_of(client)


def test_every_sign_in_is_audited(superuser, client, cast):
    enter_as(client, "Alice")
    client.post("/sign-out")
    rows = superuser.execute("SELECT action, actor FROM system_audit_entries ORDER BY seq").fetchall()
    who = f"user:{cast.users['Alice']}"
    assert rows == [("account.signed_in", who), ("account.signed_out", who)]


def test_language_is_kept_in_cookie_and_row(superuser, client, cast):
    client.post("/language", data={"language": "id", "next": "/sign-in"})
    assert '<html lang="id"' in client.get("/sign-in").get_data(as_text=True)
    enter_as(client, "Alice")
    client.post("/language", data={"language": "id"})
    assert superuser.execute("SELECT language FROM users WHERE name = 'Alice'").fetchone() == ("id",)
    assert client.post("/language", data={"language": "xx"}).status_code == 422
