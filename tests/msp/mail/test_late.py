"""Secret links of mails: bound to the one mail that they were written into, and to nobody's copy of it."""

import re
from types import SimpleNamespace

import pytest
from sqlalchemy import update

from msp.background.runner import run_all_due
from msp.mail import late
from msp.mail.models import OutgoingMail
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant
from tenants.tenancy.archive import exported_columns
from tests.msp.mail.test_mail import outbox, queue

LINK = "https://portal.test/secret/7"
MARK = re.compile(r"late-link/test/7/[0-9a-f]{32}")


@pytest.fixture(autouse=True)
def resolver(monkeypatch):
    monkeypatch.setattr(
        late, "_RESOLVERS", {"test": lambda _tenant_id, row_id: LINK if row_id == 7 else None}
    )


def write(cast, *, subject="Fire", **more):
    ticket = SimpleNamespace(subject=subject, code="ACME-1")
    queue(cast, context={"ticket": ticket, "name": "Bob", "action_url": late.mark("test", 7)}, **more)


def words(mail):
    return mail.get_body(("plain",)).get_content() + mail.get_body(("html",)).get_content()


def test_a_mail_gets_its_link_when_it_is_sent_and_not_before(cast, mailing):
    write(cast)
    (row,) = outbox(cast)
    assert LINK not in row.text + row.html
    assert len(set(MARK.findall(row.text + row.html))) == 1
    run_all_due()
    sent = words(mailing.received[0])
    assert LINK in sent
    assert "late-link" not in sent


def test_a_mark_copied_from_the_outbox_into_another_mail_stays_a_mark(cast, mailing):
    write(cast)
    (row,) = outbox(cast)
    mailing.received.clear()
    queue(
        cast,
        context={"ticket": SimpleNamespace(subject=MARK.search(row.text)[0], code="ACME-2"), "name": "B"},
    )
    run_all_due()
    copied = next(one for one in mailing.received if "ACME-2" in one["Subject"])
    assert LINK not in words(copied)
    assert MARK.search(words(copied))


@pytest.mark.parametrize(
    "changed", [{"to_address": "thief@example.test"}, {"message_id": "<other@portal.test>"}]
)
def test_a_mail_with_another_reader_or_name_gets_no_link(cast, mailing, changed):
    write(cast)
    with enter(of_tenant(cast.tenants["acme"])):
        db.session.execute(update(OutgoingMail).values(**changed))
        db.session.commit()
    run_all_due()
    assert LINK not in words(mailing.received[0])


def test_a_mark_of_another_making_is_nothing(cast, mailing, monkeypatch):
    mark = late.mark("test", 7)
    monkeypatch.setattr(late, "_MAKING", b"another process")
    queue(cast, context={"ticket": SimpleNamespace(subject=mark, code="ACME-1"), "name": "Bob"})
    run_all_due()
    assert LINK not in words(mailing.received[0])


def test_exports_hold_no_texts_of_mails():
    assert {"text", "html"} <= set(exported_columns(OutgoingMail, "staff")[1])
