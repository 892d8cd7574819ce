"""A statement goes with its mail as a PDF: tried again while it cannot be made, never sent twice, and else a link."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from contracts.statements.services import close_month
from contracts.terms.models import Contract
from msp.background.runner import run_all_due, run_claimed
from msp.mail.models import OutgoingMail
from msp.reports import enclosing, pages
from msp.reports.printing import PressFailed
from tenants.foundation.db import db
from tenants.foundation.scope import enter, of_tenant, sweeper
from tenants.foundation.work import Work

PDF = b"%PDF-1.7 a sheet"
ENDED = datetime(2026, 11, 30, 17, 31, tzinfo=UTC)


@pytest.fixture
def sheet(monkeypatch):
    """What the press gives: bytes, or why it gives none; and in which languages it was asked."""

    class Press:
        def __init__(self):
            self.gives, self.asked = PDF, []

        def __call__(self, statement, language):
            self.asked.append(language)
            if isinstance(self.gives, str):
                raise PressFailed(self.gives)
            return self.gives

    press = Press()
    monkeypatch.setattr(pages, "as_sheet", press)
    return press


@pytest.fixture
def closed(app, within, cast, as_actor, mailing):
    """November of Acme; its mail is due."""
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        close_month(contract, date(2026, 11, 1), evidence={}, by=as_actor("Mia"), at=ENDED)
        db.session.commit()
    _at_once("send_statement")
    return mailing


def _at_once(kind, state="due"):
    with enter(sweeper()):
        past = datetime(2026, 1, 1, tzinfo=UTC)
        db.session.execute(
            update(Work).where(Work.kind == kind, Work.state == state).values(due_at=past, state="due")
        )
        db.session.commit()


def _run(kind):
    with enter(sweeper()):
        due = db.session.execute(
            select(Work.tenant_id, Work.id).where(Work.kind == kind, Work.state == "due")
        ).all()
    return [run_claimed(*one) for one in due]


def _mails(cast):
    with enter(of_tenant(cast.tenants["acme"])):
        return list(db.session.scalars(select(OutgoingMail)))


def test_the_statement_is_in_the_mail(closed, cast, monkeypatch):
    run_all_due()
    (mail,) = closed.received
    (attached,) = mail.iter_attachments()
    assert attached.get_filename() == "sla-acme-2026-11-1.pdf"
    assert attached.get_content_type() == "application/pdf"
    assert attached.get_content().startswith(b"%PDF-")
    assert "attached as a PDF" in mail.get_body(("plain",)).get_content()
    assert "/portal/statements/" in mail.get_body(("html",)).get_content()
    (row,) = _mails(cast)
    assert (row.state, row.attempts) == ("sent", 1)


def test_it_is_sent_once_however_often_the_jobs_run(closed, sheet, cast):
    run_all_due()
    for kind in ("send_statement", "send_mail"):
        _at_once(kind, state="done")
    run_all_due()
    assert len(closed.received) == len(_mails(cast)) == 1


def test_one_that_is_too_large_is_only_named(closed, sheet, monkeypatch):
    monkeypatch.setattr(enclosing, "LARGEST", len(PDF) - 1)
    run_all_due()
    (mail,) = closed.received
    assert list(mail.iter_attachments()) == []
    text = mail.get_body(("plain",)).get_content()
    assert "could not be attached" in text
    assert "/portal/statements/" in text


def test_the_limit_itself_fits(closed, sheet, monkeypatch):
    monkeypatch.setattr(enclosing, "LARGEST", len(PDF))
    run_all_due()
    assert [one.get_content() for one in closed.received[0].iter_attachments()] == [PDF]


def test_what_cannot_be_printed_at_all_is_only_named_after_some_tries(closed, sheet):
    sheet.gives = "no paper"
    for tried in range(3):
        assert closed.received == []
        assert _run("send_statement") == [tried == 2]
        _at_once("send_statement")
    _run("send_mail")
    (mail,) = closed.received
    assert list(mail.iter_attachments()) == []
    assert "could not be attached" in mail.get_body(("plain",)).get_content()


def test_while_it_cannot_be_made_the_mail_waits(closed, sheet, cast):
    _run("send_statement")
    sheet.gives = "no paper"
    _run("send_mail")
    (row,) = _mails(cast)
    assert (row.state, row.attempts, row.last_error) == ("queued", 1, "no paper")
    assert closed.received == []
    sheet.gives = PDF
    _at_once("send_mail")
    _run("send_mail")
    (row,) = _mails(cast)
    assert (row.state, row.attempts) == ("sent", 2)
    assert [one.get_content() for one in closed.received[0].iter_attachments()] == [PDF]


def test_whoever_dies_while_printing_has_not_sent_it(closed, sheet, cast, monkeypatch):
    _run("send_statement")

    def die(*_):
        raise SystemError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(pages, "as_sheet", die)
        _run("send_mail")
    assert [one.state for one in _mails(cast)] == ["queued"]
    _at_once("send_mail")
    _run("send_mail")
    assert len(closed.received) == 1


def test_each_language_is_printed_for_itself(closed, sheet, cast):
    _run("send_statement")
    assert sheet.asked == ["en"]
    _run("send_mail")
    assert sheet.asked == ["en", "en"]
