"""Statements on pages, on paper and in the post."""

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from contracts.statements.models import Statement
from contracts.statements.services import close_month
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.services import add_contract, add_version
from msp.background.runner import run_all_due
from msp.mail.models import OutgoingMail
from msp.reports import jobs
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter, sweeper
from tenants.foundation.work import Work
from tenants.tickets import services as tickets
from tests.tickets import open_in_scope

MORNING = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
NOVEMBER, ENDED = date(2026, 11, 1), datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
CREDITS = {"table": [{"clock": "resolution", "below_percent": 95, "credit_percent": 10}], "cap_percent": 20}


@pytest.fixture
def closed(within, as_actor, cast):
    """November of Acme: one solved in time, one late; the credit is proposed. Returns the statement's public id."""
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        contract.monthly_fee = 12_000_000
        db.session.commit()
        terms = db.session.scalars(select(ContractVersion)).one().terms | {"credits": CREDITS}
        early = datetime(2026, 1, 5, tzinfo=UTC)
        add_version(contract, in_force_on=date(2026, 2, 1), terms=terms, by=as_actor("Mia"), at=early)
        for hours, subject in ((2, "=1+1 Printer"), (200, '#read("/etc/passwd") <b>late</b>')):
            ticket = open_in_scope(
                cast, as_actor("Bob"), at=MORNING, impact="medium", urgency="medium", subject=subject
            )
            tickets.add_message(ticket, body="Yes", by=as_actor("Leo"), at=MORNING + timedelta(minutes=9))
            solved = MORNING + timedelta(hours=hours)
            tickets.change_state(ticket, to="resolved", by=as_actor("Leo"), at=solved)
        statement = close_month(contract, NOVEMBER, evidence={}, by=as_actor("Mia"), at=ENDED)
        db.session.commit()
        return str(statement.public_id)


def words_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def test_the_client_reads_figures_misses_and_the_credit(closed, sign_in):
    alice = sign_in("Alice")
    assert "November 2026" in words_of(alice.get("/portal/statements"))
    page = alice.get(f"/portal/statements/{closed}")
    words = words_of(page)
    assert "1 of 2 met" in words
    assert "10 % of " in words
    assert "<b>late</b>" not in page.text
    assert "not decided yet" in words
    lines = alice.get(f"/portal/statements/{closed}/lines?clock=resolution&verdict=missed")
    assert lines.text.count("the time ran out") == 1
    assert sign_in("Bob").get(f"/portal/statements/{closed}").status_code == 403
    for address in ("", "/lines", ".pdf", ".csv"):
        assert sign_in("Mallory").get(f"/portal/statements/{closed}{address}").status_code == 404


def test_the_pdf_is_a_pdf_in_the_readers_language(closed, sign_in):
    alice = sign_in("Alice")
    sizes = []
    for language in ("en", "id"):
        with alice.get(f"/portal/statements/{closed}.pdf?lang={language}") as answer:
            assert answer.status_code == 200
            assert answer.data.startswith(b"%PDF-")
            assert answer.headers["Content-Disposition"] == 'attachment; filename="sla-acme-2026-11-1.pdf"'
            sizes.append(len(answer.data))
    assert min(sizes) > 5_000


def test_the_csv_has_the_same_lines_and_no_formula(closed, sign_in):
    with sign_in("Mia").get(f"/console/statements/{closed}.csv") as answer:
        rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    assert len(rows) == 4
    assert {row["subject"] for row in rows} == {"'=1+1 Printer", '#read("/etc/passwd") <b>late</b>'}
    assert [row["verdict"] for row in rows if row["clock"] == "resolution"] == ["met", "missed"]


def test_a_manager_amends_and_both_statements_stay_readable(closed, sign_in):
    mia, alice = sign_in("Mia"), sign_in("Alice")
    page = f"/console/statements/{closed}"
    form = mia.get(f"{page}/amend").text
    (missed,) = re.findall(r'name="set_aside" value="(\d+)"', form)
    refused = mia.post(f"{page}/amend", data={"set_aside": missed, "reason": ""})
    assert refused.status_code == 422
    assert f'value="{missed}" id="line-{missed}" checked' in refused.text
    for hostile in ("9" * 5000, "-1", "0", "x", "\u0661"):
        answer = mia.post(f"{page}/amend", data={"set_aside": hostile, "reason": "Why"})
        assert answer.status_code == 422
    done = mia.post(f"{page}/amend", data={"set_aside": missed, "reason": "Power cut in the whole town"})
    assert done.status_code == 302
    latest = done.location.rsplit("/", 1)[1]
    assert "Power cut in the whole town" in alice.get(f"/portal/statements/{latest}").text
    first = words_of(alice.get(f"/portal/statements/{closed}"))
    assert "This month was amended later." in first
    assert "1 of 2 met" in first
    again = mia.post(f"{page}/amend", data={"set_aside": missed, "reason": "Again"})
    assert again.location.endswith(page)
    for who in ("Tina", "Leo"):
        assert sign_in(who).get(f"{page}/amend").status_code == 403


def test_the_first_statement_is_known_as_amended_on_a_page_of_its_own_too(closed, sign_in):
    mia = sign_in("Mia")
    (missed,) = re.findall(
        r'name="set_aside" value="(\d+)"', mia.get(f"/console/statements/{closed}/amend").text
    )
    mia.post(f"/console/statements/{closed}/amend", data={"set_aside": missed, "reason": "Why"})
    first = mia.get("/console/statements?limit=1")
    assert "amended later" not in first.text
    (after,) = set(re.findall(r"after=([\w-]+)", first.text))
    assert "amended later" in mia.get(f"/console/statements?limit=1&after={after}").text


def test_a_credit_is_decided_once_with_a_reason_that_the_client_reads(closed, sign_in):
    mia = sign_in("Mia")
    page = f"/console/statements/{closed}"
    assert mia.post(f"{page}/credit", data={"decision": "approve", "reason": " "}).status_code == 422
    for undecided in ({}, {"decision": "perhaps"}):
        answer = mia.post(f"{page}/credit", data={"reason": "Paid already", **undecided})
        assert answer.status_code == 422
        assert "Approve the credit or decline it." in answer.text
    assert "Paid already" not in sign_in("Alice").get(f"/portal/statements/{closed}").text
    assert (
        mia.post(f"{page}/credit", data={"decision": "decline", "reason": "Paid already"}).status_code == 302
    )
    assert "Paid already" in sign_in("Alice").get(f"/portal/statements/{closed}").text
    mia.post(f"{page}/credit", data={"decision": "approve", "reason": "No, do"})
    assert "No, do" not in mia.get(page).text
    assert (
        sign_in("Tina").post(f"{page}/credit", data={"decision": "approve", "reason": "x"}).status_code == 403
    )


@pytest.mark.parametrize(
    ("month", "says"),
    [
        ("2026-13", "Choose a month"),
        ("", "Choose a month"),
        ("2025-01", "not in force"),
        ("2099-01", "not ended"),
    ],
)
def test_months_that_cannot_be_closed_are_refused_beside_the_field(sign_in, within, month, says):
    with within("acme"):
        contract = str(db.session.scalars(select(Contract.public_id)).one())
    mia = sign_in("Mia")
    answer = mia.post("/console/tenants/acme/statements", data={"contract": contract, "month": month})
    assert answer.status_code == 422
    assert says in answer.text
    with within("acme"):
        assert db.session.scalars(select(Statement)).all() == []


def test_closing_by_hand(sign_in, within):
    with within("acme"):
        contract = str(db.session.scalars(select(Contract.public_id)).one())
    data = {"contract": contract, "month": "2026-03"}
    first, second = (sign_in("Mia").post("/console/tenants/acme/statements", data=data) for _ in "ab")
    assert first.location == second.location
    assert "not the same as having kept everything" in sign_in("Mia").get(first.location).text
    assert sign_in("Mia").post("/console/tenants/globex/statements", data=data).status_code == 404


@pytest.fixture
def at(monkeypatch):
    """Set the portal's clock."""
    return lambda moment: monkeypatch.setattr(time, "now", lambda: moment)


def run_due(app):
    with app.app_context():
        return run_all_due()


def months(within):
    with within("acme"):
        return [one.month for one in db.session.scalars(select(Statement).order_by(Statement.month))]


def test_ended_months_close_by_themselves_once_and_reach_the_admins_on_the_contracts_day(
    app, cast, within, at, superuser
):
    superuser.execute("UPDATE contracts SET created_at = '2026-12-15'")
    with within("acme"):
        db.session.execute(update(Contract).values(created_at=datetime(2026, 10, 15, tzinfo=UTC)))
        db.session.commit()
    at(datetime(2026, 11, 30, 17, 10, tzinfo=UTC))
    with app.app_context():
        assert jobs.ask_for_closings() == 1  # October; November only ended ten minutes ago
        at(datetime(2026, 11, 30, 17, 31, tzinfo=UTC))
        assert jobs.ask_for_closings() == 2
        assert jobs.ask_for_closings() == 2
    run_due(app)
    assert months(within) == [date(2026, 10, 1), NOVEMBER]
    with app.app_context():
        assert jobs.ask_for_closings() == 0
    with app.app_context(), enter(sweeper()):
        waiting = db.session.execute(
            select(Work.due_at).where(Work.kind == "send_statement", Work.state == "due")
        )
        assert waiting.scalars().all() == [datetime(2026, 12, 3, 1, 0, tzinfo=UTC)]
        db.session.execute(
            update(Work).where(Work.kind == "send_statement").values(due_at=MORNING, state="due")
        )
        db.session.commit()
    run_due(app)
    with within("acme"):
        mails = db.session.scalars(select(OutgoingMail).where(OutgoingMail.template == "statement")).all()
        subjects = sorted((one.to_address, one.subject) for one in mails)
    assert [address for address, _ in subjects] == ["alice@example.test"] * 2
    assert any("November 2026" in subject for _, subject in subjects)


def test_statements_of_a_long_past_are_not_mailed(within, as_actor):
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        close_month(contract, date(2026, 2, 1), evidence={}, by=as_actor("Mia"), at=ENDED)
        db.session.commit()
        assert db.session.scalars(select(Work).where(Work.kind == "send_statement")).all() == []


def test_statements_from_before_still_say_what_nobody_measured_then(within, as_actor, sign_in):
    old = {"patch_days": {"promised": 14, "state": "not_measured"}}
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        made = close_month(contract, date(2026, 3, 1), evidence=old, by=as_actor("Mia"), at=ENDED)
        db.session.commit()
        address = f"/portal/statements/{made.public_id}"
    assert "within 14 days: not measured" in sign_in("Alice").get(address).text


def test_printing_has_a_budget_and_says_when_to_come_back(closed, sign_in, monkeypatch):
    monkeypatch.setattr("msp.reports.printing.press", lambda _document: b"%PDF-")
    alice = sign_in("Alice")
    answers = [alice.get(f"/portal/statements/{closed}.pdf") for _ in range(21)]
    assert [one.status_code for one in answers] == [200] * 20 + [429]
    assert "Retry-After" in answers[-1].headers


def test_the_day_of_the_mail_is_that_of_the_statements_own_contract(app, within, as_actor):
    """A client may have two contracts, each with a day of its own."""
    with within("acme"):
        first = db.session.scalars(select(Contract)).one()
        terms = db.session.scalars(select(ContractVersion)).one().terms | {"statement_day": 20}
        at = datetime(2026, 10, 5, tzinfo=UTC)
        add_contract(
            first.tenant_id,
            name="Another",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 10, 1),
            ends_on=None,
            terms=terms,
            by=as_actor("Mia"),
            at=at,
        )
        close_month(first, NOVEMBER, evidence={}, by=as_actor("Mia"), at=ENDED)
        db.session.commit()
    with app.app_context(), enter(sweeper()):
        (due,) = db.session.scalars(select(Work.due_at).where(Work.kind == "send_statement")).all()
    assert due == datetime(2026, 12, 3, 1, 0, tzinfo=UTC)
