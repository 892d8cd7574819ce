"""What tests of accounts share: a mailbox, a phone with an authenticator, and typing into the sign-in page."""

import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest

from msp.background.runner import run_all_due
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, gate
from tenants.people import rules
from tenants.people import second_factor as factor
from tenants.people.accounts import find_user
from tests import personas
from tests.personas import PASSWORD, email


@dataclass
class Mailbox:
    """Everything that was sent."""

    app: object
    sent: list = field(default_factory=list)

    def collect(self):
        """Let the workers do what is due, mails included."""
        with self.app.app_context():
            run_all_due()
        return self.sent

    def to(self, address):
        self.collect()
        return [one for one in self.sent if one["To"] == address]

    def link(self, address):
        """The path of the link in the newest mail to an address."""
        text = self.to(address)[-1].get_body(("plain",)).get_content()
        found = re.search(r"http://portal\.test\S+", text)
        assert found, text
        return urlsplit(found[0]).path


@pytest.fixture
def mailbox(app, cast, monkeypatch):
    box = Mailbox(app)
    monkeypatch.setattr("msp.mail.transport.deliver", lambda _url, message: box.sent.append(message))
    return box


@dataclass
class Browser:
    """A browser in which people type."""

    client: object

    def sign_in(self, name, password=PASSWORD, address=None, **more):
        return self.client.post(
            "/sign-in", data={"email": address or email(name), "password": password, **more}
        )

    def token(self):
        with self.client.session_transaction() as cookie:
            return cookie.get("_user_id")

    def is_in(self):
        return self.client.get("/account").status_code == 200


@pytest.fixture
def browser(app, cast):
    return lambda: Browser(app.test_client())


@pytest.fixture
def phone(app, cast):
    """Set up a second factor for a person; returns a function of a moment that gives the code."""

    def set_up(name, at=None):
        at = at or time.now()
        with app.app_context(), enter(gate()):
            user = find_user(cast.users[name])
            factor.begin_set_up(user)
            secret = factor.secret_of(user)
            who = personas.actor(app, cast, name)
            codes = factor.confirm_set_up(user, rules.code_at(secret, at), by=who, at=at)
            user.totp_last_step -= 10
            db.session.commit()
        return Phone(secret, codes)

    return set_up


@dataclass
class Phone:
    secret: bytes
    recovery: list

    def code(self, at=None):
        return rules.code_at(self.secret, at or time.now())
