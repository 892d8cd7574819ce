"""What people do with their own account: profile, password, address, reset, sessions."""

import re

import pytest

from tenants.foundation import time
from tests.personas import PASSWORD, email

NEW = "seven quiet herons at dawn"


def plain(answer):
    return re.sub(rb'name="csrf_token" value="[^"]+"', b"", answer.data)


@pytest.mark.parametrize("name", ["Alice", "Tina", "Owen"])
def test_the_profile_is_saved_and_carried_to_lists(sign_in, superuser, name):
    me = sign_in(name)
    form = {"name": "  Ada Lovelace ", "language": "id", "time_zone": "Asia/Jayapura"}
    assert me.post("/account", data=form).status_code == 302
    saved = superuser.execute(
        "SELECT name, language, time_zone FROM users WHERE email = %s", [email(name)]
    ).fetchone()
    assert saved == ("Ada Lovelace", "id", "Asia/Jayapura")
    listed = superuser.execute(
        "SELECT name FROM memberships WHERE email = %s UNION SELECT name FROM staff_members WHERE email = %s",
        [email(name)] * 2,
    ).fetchall()
    assert listed == [("Ada Lovelace",)]


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "language": "id", "time_zone": ""},
        {"name": "x" * 121, "language": "id", "time_zone": ""},
        {"name": "a\x00b", "language": "id", "time_zone": ""},
        {"name": "Ada", "language": "fr", "time_zone": ""},
        {"name": "Ada", "language": "id", "time_zone": "Mars/Olympus"},
    ],
)
def test_a_profile_that_cannot_be_is_refused(sign_in, superuser, form):
    assert sign_in("Alice").post("/account", data=form).status_code == 422
    assert superuser.execute("SELECT count(*) FROM users WHERE name = 'Alice'").fetchone() == (1,)


def test_nobody_changes_what_the_form_does_not_have(sign_in, superuser):
    form = {
        "name": "Ada",
        "language": "id",
        "time_zone": "",
        "email": "x@example.test",
        "state": "left",
        "id": "1",
    }
    sign_in("Bob").post("/account", data=form)
    assert superuser.execute("SELECT email, state FROM users WHERE name = 'Ada'").fetchall() == [
        ("bob@example.test", "active")
    ]


def test_a_new_password_ends_the_other_sessions(sign_in, browser, mailbox):
    me, other = sign_in("Alice"), sign_in("Alice")
    assert me.post("/account/password", data={"current": PASSWORD, "password": NEW}).status_code == 302
    assert me.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert browser().sign_in("Alice").status_code == 401
    assert browser().sign_in("Alice", NEW).status_code == 302
    assert "password was changed" in mailbox.to("alice@example.test")[-1]["Subject"]


@pytest.mark.parametrize(
    ("current", "password"),
    [
        ("wrong wrong wrong", NEW),
        (PASSWORD, "short"),
        (PASSWORD, "x" * 201),
        (PASSWORD, "aaaaaaaaaaaaaaaa"),
        (PASSWORD, "alice@example.test"),
        (PASSWORD, ""),
    ],
)
def test_a_password_that_will_not_do_is_refused(sign_in, browser, current, password):
    me = sign_in("Alice")
    answer = me.post("/account/password", data={"current": current, "password": password})
    assert answer.status_code == 422
    assert browser().sign_in("Alice").status_code == 302


def test_guessing_the_present_password_in_a_stolen_session_ends_after_ten(sign_in):
    me = sign_in("Alice")
    form = {"current": "wrong wrong wrong", "password": NEW}
    codes = [me.post("/account/password", data=form).status_code for _one in range(11)]
    assert codes == [422] * 10 + [429]


def test_reset_by_mail(browser, sign_in, mailbox):
    elsewhere = sign_in("Alice")
    here = browser()
    assert here.client.post("/password/forgotten", data={"email": " Alice@Example.test"}).status_code == 200
    path = mailbox.link("alice@example.test")
    assert path.startswith("/password/reset/")
    assert here.client.get(path).status_code == 200
    assert here.client.post(path, data={"password": "short"}).status_code == 422
    assert here.client.post(path, data={"password": NEW}).location == "/sign-in"
    assert here.client.post(path, data={"password": NEW + "!"}).status_code == 409
    assert elsewhere.get("/account").status_code == 302
    assert here.sign_in("Alice", NEW).location == "/"


def test_asking_for_a_reset_tells_nothing(app, browser, mailbox, superuser):
    known = browser().client.post("/password/forgotten", data={"email": "alice@example.test"})
    unknown = browser().client.post("/password/forgotten", data={"email": "nobody@example.test"})
    assert plain(known) == plain(unknown)
    work = superuser.execute("SELECT kind, state FROM work").fetchall()
    assert work == [("account.begin_password_reset", "due")] * 2
    mailbox.collect()
    assert [one["To"] for one in mailbox.sent] == ["alice@example.test"]


def test_resets_are_limited_alike_for_all(browser):
    for address in ("alice@example.test", "nobody@example.test"):
        codes = [
            browser().client.post("/password/forgotten", data={"email": address}).status_code
            for _one in range(4)
        ]
        assert codes == [200, 200, 200, 429]


def test_links_in_mails_have_our_host_whatever_the_request_says(app, browser, mailbox):
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    browser().client.post("/password/forgotten", data={"email": "alice@example.test"}, headers=headers)
    text = mailbox.to("alice@example.test")[-1].as_string()
    assert "evil.example" not in text
    assert "http://portal.test/password/reset/" in text


def test_the_link_stands_in_no_table(browser, mailbox, superuser):
    browser().client.post("/password/forgotten", data={"email": "alice@example.test"})
    token = mailbox.link("alice@example.test").rsplit("/", 1)[1]
    text, html = superuser.execute("SELECT text, html FROM outgoing_mails").fetchone()
    assert token not in text + html
    assert token.partition(".")[2] not in text + html


def test_a_newer_link_makes_the_older_useless(browser, mailbox):
    here = browser()
    here.client.post("/password/forgotten", data={"email": "alice@example.test"})
    first = mailbox.link("alice@example.test")
    here.client.post("/password/forgotten", data={"email": "alice@example.test"})
    second = mailbox.link("alice@example.test")
    assert first != second
    assert here.client.get(first).status_code == 409
    assert here.client.get(second).status_code == 200


def test_a_link_runs_out(browser, mailbox):
    at = time.now()
    browser().client.post("/password/forgotten", data={"email": "alice@example.test"})
    path = mailbox.link("alice@example.test")
    from datetime import timedelta

    with time.frozen(at + timedelta(hours=1, minutes=1)):
        assert browser().client.post(path, data={"password": NEW}).status_code == 409


def test_a_link_for_one_purpose_opens_no_other_door(browser, sign_in, mailbox):
    browser().client.post("/password/forgotten", data={"email": "alice@example.test"})
    token = mailbox.link("alice@example.test").rsplit("/", 1)[1]
    me = sign_in("Alice")
    for door in ("/sign-in/let-in", "/account/email", "/invitations"):
        assert me.get(f"{door}/{token}").status_code == 404
        assert me.post(f"{door}/{token}").status_code == 404


@pytest.mark.parametrize(
    "token", ["x", "x.y", "0" * 32, "0" * 32 + ".", "0" * 32 + "." + "A" * 43, "é.é", "%00", "a" * 3000]
)
def test_malformed_and_unknown_links_answer_alike(client, cast, sign_in, token):
    me = sign_in("Alice")
    for door in ("/password/reset", "/sign-in/let-in", "/account/email", "/invitations"):
        answer = me.get(f"{door}/{token}")
        assert answer.status_code == 404
        assert answer.data == me.get(f"{door}/unknown").data


def test_moving_to_another_address(sign_in, browser, mailbox, superuser):
    me, other = sign_in("Alice"), sign_in("Alice")
    form = {"email": "Ada@Example.test", "current": PASSWORD}
    assert me.post("/account/email", data=form).status_code == 302
    path = mailbox.link("ada@example.test")
    assert "was asked for" in mailbox.to("alice@example.test")[-1]["Subject"]
    assert sign_in("Bob").get(path).status_code == 404
    assert sign_in("Bob").post(path).status_code == 404
    assert browser().client.post(path).location.startswith("/sign-in")
    assert me.get(path).status_code == 200
    assert browser().sign_in("Alice").status_code == 302
    assert me.post(path).status_code == 302
    assert me.get("/account").status_code == 200
    assert other.get("/account").status_code == 302
    assert me.post(path).status_code == 409
    assert browser().sign_in("Alice").status_code == 401
    assert browser().sign_in("Alice", address="ada@example.test").status_code == 302
    assert superuser.execute("SELECT email FROM memberships WHERE name = 'Alice'").fetchone() == (
        "ada@example.test",
    )
    assert "was changed" in mailbox.to("alice@example.test")[-1]["Subject"]


def test_an_address_in_use_is_not_told_before_it_is_proven(sign_in, mailbox):
    me = sign_in("Alice")
    taken = me.post("/account/email", data={"email": "bob@example.test", "current": PASSWORD})
    free = me.post("/account/email", data={"email": "free@example.test", "current": PASSWORD})
    assert taken.status_code == free.status_code == 302
    assert taken.location == free.location
    me.post("/account/email", data={"email": "bob@example.test", "current": PASSWORD})
    assert me.post(mailbox.link("bob@example.test")).status_code == 409


def test_changing_the_address_asks_for_the_password(sign_in, mailbox):
    form = {"email": "ada@example.test", "current": "wrong wrong wrong"}
    assert sign_in("Alice").post("/account/email", data=form).status_code == 422
    assert mailbox.to("ada@example.test") == []


def test_sessions_are_listed_and_ended(browser, sign_in):
    here, there = browser(), browser()
    here.sign_in("Alice")
    there.sign_in("Alice")
    page = here.client.get("/account/security").get_data(as_text=True)
    ids = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page)
    assert len(ids) == 2
    mallory = sign_in("Mallory")
    assert {mallory.post(f"/account/sessions/{one}/end").status_code for one in ids} == {404}
    assert here.is_in()
    assert there.is_in()
    assert here.client.post("/account/sessions/end-others").status_code == 302
    assert here.is_in()
    assert not there.is_in()
    page = here.client.get("/account/security").get_data(as_text=True)
    (own,) = re.findall(r"/account/sessions/([0-9a-f-]{36})/end", page)
    assert here.client.post(f"/account/sessions/{own}/end").location == "/sign-in"
    assert not here.is_in()


@pytest.mark.parametrize("public_id", ["1", "x", "00000000-0000-0000-0000-000000000000"])
def test_unknown_sessions_and_tokens_are_not_found(sign_in, public_id):
    me = sign_in("Alice")
    assert me.post(f"/account/sessions/{public_id}/end").status_code == 404
    assert me.post(f"/account/tokens/{public_id}/revoke").status_code == 404


def test_switching_between_companies(sign_in, superuser, cast):
    superuser.execute(
        "INSERT INTO memberships (tenant_id, user_id, public_id, name, email, role, state, joined_at)"
        " VALUES (%s, %s, gen_random_uuid(), 'Alice', 'alice@example.test', 'client_user', 'active', now())",
        [cast.tenant("globex"), cast.users["Alice"]],
    )
    me = sign_in("Alice")
    assert me.get("/portal/people").status_code == 200
    assert me.post("/company", data={"tenant": "globex"}).status_code == 302
    assert me.get("/portal/people").status_code == 403
    assert me.post("/company", data={"tenant": "provider"}).status_code == 404
    assert me.post("/company", data={"tenant": "acme"}).status_code == 302
    assert me.get("/portal/people").status_code == 200
    assert sign_in("Bob").post("/company", data={"tenant": "globex"}).status_code == 404
