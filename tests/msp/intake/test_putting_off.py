"""Mail that comes too fast waits its turn without being read again, and what fails stays the client's it came for."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from msp.background.runner import run_all_due
from msp.intake.chats import services
from msp.intake.chats.ending import sweep_idle_chats
from msp.intake.mail import rules, sorting
from msp.intake.mail.parsing import Reader
from msp.mail.models import OutgoingMail
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.foundation.work import Work
from tests import mails

LONG_AGO = datetime(2026, 11, 2, 3, tzinfo=UTC)


@pytest.fixture
def box(app, cast):
    with app.app_context():
        return mails.add_mailbox(cast, default="acme")


def due(within):
    with within("provider"):
        rows = db.session.scalars(select(Work).where(Work.kind == "sort_mail").order_by(Work.id))
        return {one.arguments["mail"]: one.due_at for one in rows}


def test_each_waits_for_those_before_it_and_is_not_read_again(app, cast, box, within, monkeypatch):
    monkeypatch.setattr(rules, "PACE", 2)
    at = time.now()
    rows = mails.bring(app, cast, box, *(mails.write(subject=f"Mail {one}") for one in range(7)), at=at)
    assert [one.state for one in rows] == ["done"] * 2 + ["received"] * 5
    assert {one.sender for one in rows} == {"bob@example.test"}
    minutes = [int((due(within)[one.id] - at) / rules.PACE_WINDOW) for one in rows[2:]]
    assert minutes == sorted(minutes) and minutes[0] < minutes[-1]
    with app.app_context(), Reader() as reader:
        monkeypatch.setattr(reader, "read", lambda _raw: pytest.fail("it was read before its turn"))
        later = at + timedelta(seconds=30)
        assert (
            sorting.sort_one(rows[-1].id, own_id=cast.tenants["provider"], reader=reader, at=later)
            == "received"
        )


def test_what_fails_after_its_way_was_known_is_the_clients(app, cast, box, monkeypatch):
    def refuse(*_given, **_named):
        raise Conflict("Not now.")

    monkeypatch.setattr(sorting, "deliver", refuse)
    (row,) = mails.bring(app, cast, box, mails.write())
    assert (row.state, row.reason, row.for_tenant_id) == ("quarantined", "refused", cast.tenants["acme"])


def test_a_visitors_words_go_to_no_address_that_was_typed(app, cast, within, client):
    with within("acme"):
        start = services.Start(channel="website", name="Buy gold now", email="victim@elsewhere.test")
        services.begin_chat(cast.tenants["acme"], start, "Cheap gold at http://evil.test", at=LONG_AGO)
        db.session.commit()
    with app.app_context():
        assert sweep_idle_chats() == 1
        run_all_due()
    with within("acme"):
        (mail,) = db.session.scalars(
            select(OutgoingMail).where(OutgoingMail.to_address == "victim@elsewhere.test")
        )
    assert mail.template == "ticket_received"
    assert "gold" not in mail.text + mail.html + mail.subject
