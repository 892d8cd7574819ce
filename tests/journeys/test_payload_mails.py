"""Hostile mails through the real reader onto a ticket: their names, text, files and HTML run and load nothing."""

from datetime import timedelta
from email.utils import formataddr

import pytest
from sqlalchemy import select

from msp.mail.replies import reply_address
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets.models import Ticket
from tests import mails, personas
from tests.guarantees.payloads import COMBINED, CORPUS
from tests.journeys.watching import Watch

# What the mail says its HTML is written in, whatever the bytes are.
CHARSETS = ("utf-7", "utf-16", "iso-2022-jp", "gb18030", "ibm037", "nonsense")


def hostile_mail(to: str, payload: str, number: int, charset: str = "utf-8") -> bytes:
    """A mail with the payload in its sender's name, subject, text, HTML and a file's name."""
    line = " ".join(payload.split())[:60] or "x"
    raw = mails.write(
        formataddr((line, "bob@example.test")),
        to=to,
        subject=f"{number} {line}",
        text=f"{number}\n{payload}",
        html=f"<html><head>{payload}<title>{payload}</title></head><body background=x><p>{payload}</p>{number}</body>",
        files=[(f"{line}.html", payload.encode())],
    )
    return raw.replace(b'text/html; charset="utf-8"', f'text/html; charset="{charset}"'.encode())


@pytest.fixture
def watch(portal, scene, visit):
    """Somebody of the staff, and the client's own."""
    settings = portal.app.extensions["settings"]
    hosts = {portal.url, settings.artifacts_url, settings.live_url}
    return {name: Watch(visit(name).sign_in(), hosts) for name in ("Nadia", "Alice")}


def _bring(portal, scene, payloads):
    """The addresses of pages that show these mails: each of its own, then the ticket's."""
    cast = personas.load()
    with personas.within(portal.app, cast, "acme"):
        ticket = db.session.scalars(select(Ticket).where(Ticket.code == scene.waiting)).one()
        to = reply_address(ticket, "bob@example.test")
    with portal.app.app_context():
        box = mails.add_mailbox(cast, paused=True, address="hostile@portal.test")
    raws = [
        hostile_mail(to, payload, number, *charset) for number, (payload, *charset) in enumerate(payloads)
    ]
    rows = mails.bring(portal.app, cast, box, *raws, at=time.now() - timedelta(hours=1), deferred=False)
    return [
        f"/desk/tickets/{scene.waiting}/mails/{row.public_id}"
        if row.outcome == "reply"
        else f"/desk/quarantine/{row.public_id}"
        for row in rows
    ]


def _wrong(watch, scene, paths):
    pages = [(watch["Nadia"], path) for path in paths]
    pages += [
        (watch["Nadia"], f"/desk/tickets/{scene.waiting}"),
        (watch["Alice"], f"/portal/tickets/{scene.waiting}"),
    ]
    return {path: found for one, path in pages if (found := one.look(path))}


def test_a_hostile_mail_runs_nothing(portal, scene, watch):
    paths = _bring(portal, scene, [(COMBINED,)])
    assert "/desk/tickets/" in paths[0]
    assert not _wrong(watch, scene, paths)


@pytest.mark.prove
def test_no_mail_of_the_corpus_runs_anything(portal, scene, watch):
    mailed = [(payload,) for payload in CORPUS] + [(COMBINED, charset) for charset in CHARSETS]
    paths = _bring(portal, scene, mailed)
    formatted = sum("/desk/tickets/" in path for path in paths)
    wrong = _wrong(watch, scene, paths)
    print(f"{len(mailed)} hostile mails, {formatted} shown as formatted on a ticket; wrong: {len(wrong)}")
    assert not wrong
    assert formatted > len(mailed) * 3 // 4
