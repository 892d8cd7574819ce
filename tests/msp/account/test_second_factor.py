"""The second factor: each code once, required of staff, recovered by codes or by a second person."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tenants.foundation import time
from tenants.people import rules


@pytest.fixture
def strict(app):
    """A real installation: staff need a second factor."""
    settings = app.extensions["settings"]
    app.extensions["settings"] = replace(settings, demo=False)
    yield
    app.extensions["settings"] = settings


def test_a_code_is_asked_for_and_opens(browser, phone):
    tina = phone("Tina")
    here = browser()
    assert here.sign_in("Tina").location == "/sign-in/second-factor"
    half = here.token()
    assert not here.is_in()
    assert here.client.get("/account").location == "/sign-in/second-factor"
    assert here.client.post("/sign-in/second-factor", data={"code": "000000"}).status_code == 422
    assert not here.is_in()
    assert here.client.post("/sign-in/second-factor", data={"code": tina.code()}).status_code == 302
    assert here.is_in()
    assert here.token() != half


def test_the_half_open_session_is_ended_by_the_second_step(app, browser, phone):
    tina = phone("Tina")
    here, stolen = browser(), browser()
    here.sign_in("Tina")
    with stolen.client.session_transaction() as cookie:
        cookie["_user_id"] = here.token()
    here.client.post("/sign-in/second-factor", data={"code": tina.code()})
    assert stolen.client.get("/sign-in/second-factor").location.startswith("/sign-in?")


def test_the_same_code_never_works_twice(browser, phone):
    tina, at = phone("Tina"), time.now()
    code = tina.code(at)
    with time.frozen(at):
        first, second = browser(), browser()
        first.sign_in("Tina")
        second.sign_in("Tina")
        assert first.client.post("/sign-in/second-factor", data={"code": code}).status_code == 302
        assert second.client.post("/sign-in/second-factor", data={"code": code}).status_code == 422
        earlier = tina.code(at - timedelta(seconds=30))
        assert second.client.post("/sign-in/second-factor", data={"code": earlier}).status_code == 422


def test_a_code_of_a_neighbouring_step_is_taken_and_an_old_one_not():
    secret, at = rules.new_secret(), time.now()
    for seconds, fits in ((0, True), (-30, True), (30, True), (-90, False), (90, False)):
        code = rules.code_at(secret, at + timedelta(seconds=seconds))
        assert (rules.matching_step(secret, code, at) is not None) is fits, seconds


def test_a_recovery_code_works_once(browser, phone):
    tina = phone("Tina")
    first, second = browser(), browser()
    first.sign_in("Tina")
    typed = tina.recovery[3].lower().replace("-", " ")
    assert first.client.post("/sign-in/second-factor", data={"code": typed}).status_code == 302
    assert "9 recovery codes are left" in first.client.get("/account/security").get_data(as_text=True)
    second.sign_in("Tina")
    assert second.client.post("/sign-in/second-factor", data={"code": typed}).status_code == 422


def test_ten_recovery_codes_of_eighty_bits_each(phone):
    codes = phone("Tina").recovery
    assert len(set(codes)) == 10
    assert all(len(rules.normal_code(one)) == 16 for one in codes)


def test_guessing_codes_ends_after_ten(browser, phone):
    phone("Tina")
    here = browser()
    here.sign_in("Tina")
    answers = [here.client.post("/sign-in/second-factor", data={"code": f"{one:06}"}) for one in range(11)]
    assert [one.status_code for one in answers] == [422] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_staff_of_a_real_installation_must_set_one_up(strict, superuser, browser):
    here = browser()
    assert here.sign_in("Leo").location == "/"
    assert here.client.get("/desk/", follow_redirects=False).status_code in (302, 404)
    assert here.client.get("/account").location == "/sign-in/second-factor"
    assert b"I have an app" in here.client.get("/sign-in/second-factor").data
    shown = here.client.post("/sign-in/second-factor", data={"step": "begin"}).get_data(as_text=True)
    assert "data:image/svg+xml" in shown
    words = re.search(r"<code>([A-Z2-7 ]+)</code>", shown)[1].replace(" ", "")
    import base64

    secret = base64.b32decode(words)
    before = here.token()
    done = here.client.post("/sign-in/second-factor", data={"code": rules.code_at(secret, time.now())})
    page = done.get_data(as_text=True)
    assert done.status_code == 200
    assert len(re.findall(r"\b(?:[A-Z2-7]{4}-){3}[A-Z2-7]{4}\b", page)) == 10
    assert here.token() != before
    assert here.is_in()
    stored = superuser.execute("SELECT totp_secret FROM users WHERE name = 'Leo'").fetchone()[0]
    assert secret not in bytes(stored)


def test_clients_may_do_without(strict, browser):
    here = browser()
    here.sign_in("Alice")
    assert here.is_in()


def test_a_sealed_secret_opens_for_its_owner_only(app, cast):
    from tenants.people.keys import seal, unseal

    with app.app_context():
        sealed = seal("totp", b"secret", owner=1)
        assert unseal("totp", sealed, owner=1) == b"secret"
        assert unseal("totp", sealed, owner=2) is None
        assert unseal("other", sealed, owner=1) is None
        assert unseal("totp", sealed[:-1] + bytes([sealed[-1] ^ 1]), owner=1) is None
        assert unseal("totp", b"", owner=1) is None


def test_new_recovery_codes_and_removal_ask_for_the_password(browser, phone):
    alice = phone("Alice")
    here = browser()
    here.sign_in("Alice")
    here.client.post("/sign-in/second-factor", data={"code": alice.code()})
    wrong = {"current": "wrong wrong wrong"}
    assert here.client.post("/account/recovery-codes", data=wrong).status_code == 422
    assert here.client.post("/account/second-factor/remove", data=wrong).status_code == 422
    right = {"current": "correct horse battery staple"}
    codes = here.client.post("/account/recovery-codes", data=right).get_data(as_text=True)
    assert alice.recovery[0] not in codes
    assert here.client.post("/account/second-factor/remove", data=right).status_code == 302
    assert browser().sign_in("Alice").location == "/"
    assert here.client.post("/account/second-factor/remove", data=right).status_code == 403


def lose(browser, name):
    here = browser()
    here.sign_in(name)
    assert here.client.post("/sign-in/second-factor/lost").status_code == 200
    return here


def test_a_second_person_lets_staff_in(sign_in, superuser, browser, phone, mailbox):
    phone("Tina")
    lose(browser, "Tina")
    tina = superuser.execute("SELECT public_id FROM staff_members WHERE name = 'Tina'").fetchone()[0]
    assert sign_in("Dana").post(f"/console/staff/{tina}/let-in").status_code == 403
    assert sign_in("Mia").post(f"/console/staff/{tina}/let-in").status_code == 302
    path = mailbox.link("tina@example.test")
    assert path.startswith("/sign-in/let-in/")
    there = browser()
    assert there.client.get(path).status_code == 200
    assert there.client.post(path).location == "/sign-in"
    assert there.client.post(path).status_code == 409
    assert there.sign_in("Tina").location == "/"
    actions = {one for (one,) in superuser.execute("SELECT action FROM system_audit_entries").fetchall()}
    assert {"account.second_factor_lost", "account.let_in", "account.second_factor_removed"} <= actions


def test_a_client_admin_lets_in_but_nobody_oneself(sign_in, superuser, browser, phone, mailbox):
    phone("Bob")
    phone("Alice")
    lose(browser, "Bob")
    lose(browser, "Alice")
    ids = dict(superuser.execute("SELECT name, public_id FROM memberships").fetchall())
    with_factor = browser()
    assert sign_in("Mallory").post(f"/portal/people/{ids['Bob']}/let-in").status_code == 404
    superuser.execute("UPDATE users SET totp_confirmed_at = NULL WHERE name = 'Alice'")
    alice = sign_in("Alice")
    assert alice.post(f"/portal/people/{ids['Alice']}/let-in").status_code == 403
    assert alice.post(f"/portal/people/{ids['Bob']}/let-in").status_code == 302
    assert alice.post(f"/portal/people/{ids['Bob']}/let-in").status_code == 409
    with_factor.client.post(mailbox.link("bob@example.test"))
    assert with_factor.sign_in("Bob").location == "/"


def test_a_link_nobody_vouched_for_is_not_there(app, superuser, browser, phone):
    phone("Bob")
    lose(browser, "Bob")
    from tenants.foundation.db import db
    from tenants.foundation.scope import enter, gate
    from tenants.people.links import token_of
    from tenants.people.models import OneTimeLink

    with app.app_context(), enter(gate()):
        token = token_of(db.session.query(OneTimeLink).one())
    assert browser().client.post(f"/sign-in/let-in/{token}").status_code == 404
