"""With the protection on, as in production: no form of an account works without its own token."""

import re

import pytest

from tests.personas import PASSWORD, email


@pytest.fixture(autouse=True)
def protected(app):
    app.config["WTF_CSRF_ENABLED"] = True
    yield
    app.config["WTF_CSRF_ENABLED"] = False


def token_in(client, path):
    page = client.get(path).get_data(as_text=True)
    return re.search(r'name="csrf_token" (?:type="hidden" )?value="([^"]+)"', page)[1]


def test_signing_in_with_the_page_s_own_token(client, cast):
    form = {"email": email("Alice"), "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 400
    assert client.post("/sign-in", data={**form, "csrf_token": "wrong"}).status_code == 400
    right = {**form, "csrf_token": token_in(client, "/sign-in")}
    assert client.post("/sign-in", data=right).status_code == 302


def test_another_session_s_token_is_worth_nothing(app, sign_in, cast):
    stolen = token_in(sign_in("Mallory"), "/account")
    alice = sign_in("Alice")
    form = {"name": "Eve", "language": "", "time_zone": ""}
    assert alice.post("/account", data={**form, "csrf_token": stolen}).status_code == 400
    assert alice.post("/account", data={**form, "csrf_token": token_in(alice, "/account")}).status_code == 302


def test_the_token_from_before_signing_in_is_worth_nothing_after(client, cast):
    before = token_in(client, "/sign-in")
    client.post("/sign-in", data={"email": email("Alice"), "password": PASSWORD, "csrf_token": before})
    form = {"name": "Eve", "language": "", "time_zone": "", "csrf_token": before}
    assert client.post("/account", data=form).status_code == 400


@pytest.mark.parametrize(
    "path",
    [
        "/sign-out",
        "/language",
        "/company",
        "/account",
        "/account/password",
        "/account/email",
        "/account/tokens",
        "/account/recovery-codes",
        "/account/second-factor/remove",
        "/account/sessions/end-others",
        "/account/sessions/00000000-0000-0000-0000-000000000000/end",
        "/account/tokens/00000000-0000-0000-0000-000000000000/revoke",
        "/password/forgotten",
        "/password/reset/x",
        "/invitations/x",
        "/sign-in/second-factor",
        "/sign-in/second-factor/lost",
        "/portal/people",
        "/portal/people/00000000-0000-0000-0000-000000000000/remove",
    ],
)
def test_every_form_asks_for_its_token(sign_in, path):
    assert sign_in("Alice").post(path).status_code == 400
