"""Hours used and the patch promise: what a statement says of them, and that it stays so."""

import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from contracts.statements.models import Statement
from contracts.statements.services import amend_statement, close_month, is_intact
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.services import add_version
from msp.reports.evidence import gather_evidence
from msp.reports.patches import Attempt, decide
from msp.reports.view import read
from tenants.foundation.db import db
from tenants.tickets.models import Ticket, TimeEntry
from tenants.tickets.times import Worked, correct_time, record_time
from tests.msp.campaigns import fleet
from tests.tickets import open_in_scope

MORNING = datetime(2026, 11, 2, 2, 0, tzinfo=UTC)
NOVEMBER, ENDED = date(2026, 11, 1), datetime(2026, 11, 30, 17, 0, tzinfo=UTC)
BEGUN = datetime(2026, 10, 31, 17, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def promise(within, as_actor):
    """Terms since February that promise this too."""

    def say(slug="acme", **members):
        with within(slug):
            contract = db.session.scalars(select(Contract)).one()
            terms = db.session.scalars(select(ContractVersion)).one().terms | members
            early = datetime(2026, 1, 5, tzinfo=UTC)
            add_version(contract, in_force_on=date(2026, 2, 1), terms=terms, by=as_actor("Mia"), at=early)
            db.session.commit()

    return say


@pytest.fixture
def close(within, as_actor):
    """Close a month with its evidence; the statement's public id."""

    def closing(month=NOVEMBER, at=ENDED, slug="acme"):
        with within(slug):
            contract = db.session.scalars(select(Contract)).one()
            evidence = gather_evidence(contract, month)
            made = close_month(contract, month, evidence=evidence, by=as_actor("Mia"), at=at)
            db.session.commit()
            assert is_intact(made)
            return str(made.public_id)

    return closing


def evidence_of(within, public_id, slug="acme"):
    with within(slug):
        return json.loads(_statement(public_id).head)["evidence"]


def _statement(public_id):
    return db.session.scalars(select(Statement).where(Statement.public_id == public_id)).one()


def words_of(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


# -- hours ------------------------------------------------------------------------------------------------


@pytest.fixture
def work(within, cast, as_actor):
    """A ticket, and time worked on it."""

    def enter(minutes, on=date(2026, 11, 3), *, slug="acme", billable=False, who="Leo"):
        with within(slug):
            ticket = db.session.scalars(select(Ticket)).first()
            if ticket is None:
                name = "Bob" if slug == "acme" else "Mallory"
                ticket = open_in_scope(cast, as_actor(name), slug=slug, at=MORNING)
            worked = Worked(minutes, on, f"Worked {minutes} minutes", billable)
            record_time(ticket, worked, today=date(2026, 12, 31), by=as_actor(who), at=ENDED)
            db.session.commit()
            return ticket.code

    return enter


def test_hours_used_are_those_of_the_month_with_every_entry_behind_them(promise, work, close, within):
    promise(included_hours=2)
    code = work(45, date(2026, 11, 1))
    work(90, date(2026, 11, 30))
    work(20, billable=True)
    work(500, date(2026, 10, 31))
    work(500, date(2026, 12, 1))
    hours = evidence_of(within, close())["included_hours"]
    assert (hours["promised"], hours["used_minutes"], hours["billable_minutes"]) == (2, 135, 20)
    assert [(one["on"], one["minutes"], one["billable"]) for one in hours["lines"]] == [
        ("2026-11-01", 45, False),
        ("2026-11-03", 20, True),
        ("2026-11-30", 90, False),
    ]
    assert hours["lines"][0] == {
        "ticket": code,
        "on": "2026-11-01",
        "minutes": 45,
        "by": "Leo",
        "what": "Worked 45 minutes",
        "billable": False,
    }


def test_a_closed_month_keeps_what_it_said_of_hours(promise, work, close, within, as_actor):
    promise(included_hours=2)
    work(45)
    public_id = close()
    before = evidence_of(within, public_id)
    work(60)
    with within("acme"):
        ticket = db.session.scalars(select(Ticket)).one()
        entry = db.session.scalars(select(TimeEntry).order_by(TimeEntry.id)).first()
        correct_time(
            ticket,
            entry,
            Worked(1, entry.worked_on, "Less"),
            because="Mistyped",
            today=date(2026, 12, 1),
            by=as_actor("Leo"),
            at=ENDED + DAY,
        )
        db.session.commit()
    assert close() == public_id
    assert evidence_of(within, public_id) == before
    with within("acme"):
        assert is_intact(_statement(public_id))


def test_what_was_corrected_or_struck_out_before_closing_counts_as_corrected(
    promise, work, close, within, as_actor
):
    promise(included_hours=2)
    work(45)
    with within("acme"):
        ticket = db.session.scalars(select(Ticket)).one()
        (entry,) = db.session.scalars(select(TimeEntry)).all()
        given = {"today": date(2026, 12, 1), "by": as_actor("Leo"), "at": ENDED, "because": "Mistyped"}
        second = correct_time(ticket, entry, Worked(30, entry.worked_on, "Less"), **given)
        db.session.commit()
        contract = db.session.scalars(select(Contract)).one()
        assert gather_evidence(contract, NOVEMBER)["included_hours"]["used_minutes"] == 30
        correct_time(ticket, second, Worked(0, entry.worked_on, "Nothing"), **given)
        db.session.commit()
    hours = evidence_of(within, close())["included_hours"]
    assert (hours["used_minutes"], hours["lines"]) == (0, [])


def test_hours_of_other_clients_never_appear(promise, work, close, within):
    promise(included_hours=2)
    promise("globex", included_hours=2)
    work(45)
    work(77, slug="globex")
    assert evidence_of(within, close())["included_hours"]["used_minutes"] == 45
    theirs = evidence_of(within, close(slug="globex"), "globex")["included_hours"]
    assert [one["minutes"] for one in theirs["lines"]] == [77]


# -- patches ----------------------------------------------------------------------------------------------


@pytest.fixture
def rollout(app, cast, superuser):
    """A critical release, published on 3 November, for two machines of Acme and one of Globex."""
    at = BEGUN - 100 * DAY
    fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1", "acme-pc-2"], at=at)
    fleet.enrol(app, cast.tenants["globex"], "globex", ["globex-pc-1"], at=at)
    made = fleet.draft(app, cast, slugs=("acme", "globex"), version="1")
    fleet.start(made)
    superuser.execute("UPDATE assets SET created_at = %s", [at])
    superuser.execute("UPDATE campaigns SET decided_at = %s", [MORNING + DAY])
    superuser.execute("UPDATE releases SET severity = 'critical', published_at = %s", [MORNING + DAY])
    return superuser


def done(superuser, name, at, outcome="success"):
    superuser.execute(
        "UPDATE actions SET phase = 'closed', outcome = %s, verified_at = %s, closed_at = %s FROM assets"
        " WHERE assets.id = actions.asset_id AND assets.name = %s",
        [outcome, at if outcome in ("success", "noop") else None, at, name],
    )


def test_kept_for_those_in_time_and_the_late_ones_by_name(promise, close, within, rollout):
    promise(patch_promise_days=14)
    done(rollout, "acme-pc-1", MORNING + 5 * DAY)
    patches = evidence_of(within, close())["patch_days"]
    assert (patches["promised"], patches["kept"], patches["due"]) == (14, 1, 2)
    (release,) = patches["releases"]
    assert (release["release"], release["published_at"]) == ("motd/1", "2026-11-03T02:00:00Z")
    assert [(one["asset"], one["days"], one["kept"]) for one in release["machines"]] == [
        ("acme-pc-1", 4.0, True),
        ("acme-pc-2", None, False),
    ]


def test_a_late_one_counts_in_the_month_in_which_its_days_ran_out_and_only_there(
    promise, close, within, rollout
):
    promise(patch_promise_days=14)
    done(rollout, "acme-pc-1", MORNING + 5 * DAY)
    public_id = close()
    before = evidence_of(within, public_id)
    done(rollout, "acme-pc-2", ENDED + DAY)
    december = close(date(2026, 12, 1), datetime(2026, 12, 31, 17, 0, tzinfo=UTC))
    assert evidence_of(within, december)["patch_days"]["due"] == 0
    assert close() == public_id
    assert evidence_of(within, public_id) == before
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        assert gather_evidence(contract, NOVEMBER) == before


@pytest.mark.parametrize("severity", ["low", "medium", "high"])
def test_none_due_when_nothing_critical_was(promise, close, within, rollout, sign_in, severity):
    promise(patch_promise_days=14)
    rollout.execute("UPDATE releases SET severity = %s", [severity])
    public_id = close()
    assert evidence_of(within, public_id)["patch_days"]["due"] == 0
    assert "within 14 days: none due." in words_of(sign_in("Alice").get(f"/portal/statements/{public_id}"))


def test_a_rollback_promises_nothing(promise, close, within, rollout):
    promise(patch_promise_days=14)
    rollout.execute("UPDATE campaigns SET kind = 'rollback', rollback_of_id = id")
    assert evidence_of(within, close())["patch_days"]["due"] == 0


def attempt(**changes):
    usual = {
        "asset_id": 1,
        "asset": "pc",
        "release_id": 1,
        "release": "x/1",
        "published_at": BEGUN,
        "asset_since": BEGUN - 100 * DAY,
        "known_at": BEGUN,
        "outcome": None,
        "done_at": None,
    }
    return Attempt(**{**usual, **changes})


class Month:
    begin, end = BEGUN, ENDED


@pytest.mark.parametrize(
    ("attempts", "verdict"),
    [
        ([attempt()], False),
        ([attempt(outcome="success", done_at=BEGUN + 14 * DAY)], True),
        ([attempt(outcome="success", done_at=BEGUN + 14 * DAY + timedelta(seconds=1))], False),
        ([attempt(outcome="noop", done_at=BEGUN + DAY)], True),
        ([attempt(outcome="failed", done_at=BEGUN + DAY)], False),
        ([attempt(outcome="cancelled", done_at=BEGUN + DAY)], False),
        ([attempt(outcome="failed"), attempt(outcome="success", done_at=BEGUN + 2 * DAY)], True),
        ([attempt(outcome="skipped", done_at=BEGUN + DAY)], None),
        ([attempt(outcome="skipped", done_at=BEGUN + 20 * DAY)], False),
        ([attempt(published_at=ENDED - DAY)], None),
        ([attempt(published_at=BEGUN - 20 * DAY)], False),
        ([attempt(published_at=BEGUN - 20 * DAY, known_at=BEGUN - DAY)], None),
        ([attempt(published_at=BEGUN - 20 * DAY, asset_since=ENDED - DAY)], None),
    ],
    ids=[
        "open", "on the last second", "a second late", "there already", "failed", "cancelled", "second attempt",
        "left in time", "left too late", "days left", "planned when late", "late before", "new machine",
    ],
)  # fmt: skip
def test_who_is_decided_in_the_month(attempts, verdict):
    found = list(decide(attempts, BEGUN - 300 * DAY, Month, 14))
    assert [one.is_kept for one in found] == ([] if verdict is None else [verdict])


def test_nothing_is_late_before_the_contract_began():
    assert list(decide([attempt()], ENDED - DAY, Month, 14)) == []


# -- pages, paper and spreadsheets ------------------------------------------------------------------------


@pytest.fixture
def closed(promise, work, close, rollout):
    promise(included_hours=1, patch_promise_days=14)
    done(rollout, "acme-pc-1", MORNING + 5 * DAY)
    work(45)
    work(30)
    work(20, billable=True)
    return close()


@pytest.mark.parametrize(("who", "place"), [("Alice", "portal"), ("Mia", "console")])
def test_the_page_says_it_with_the_formula_and_the_lines(closed, sign_in, who, place):
    words = words_of(sign_in(who).get(f"/{place}/statements/{closed}"))
    assert "kept for 1 of 2 machines" in words
    assert "acme-pc-2" in words
    assert "still open at the month's end" in words.replace("&#39;", "'")
    assert "after 4.0 days" in words
    assert "1 h 15 min used of 1 h included" in words
    assert "15 min more than included" in words
    assert "Billable beside the contract: 20 min" in words
    assert "globex" not in words


def test_the_csv_has_the_same_lines(closed, sign_in):
    with sign_in("Alice").get(f"/portal/statements/{closed}.csv") as answer:
        rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))
    machines = [row for row in rows if row["promise"] == "patch_days"]
    assert [(row["asset"], row["verdict"], row["days"]) for row in machines] == [
        ("acme-pc-1", "met", "4.0"),
        ("acme-pc-2", "missed", ""),
    ]
    hours = [row for row in rows if row["promise"] == "included_hours"]
    assert [(row["minutes"], row["person"]) for row in hours] == [("45", "Leo"), ("30", "Leo"), ("20", "Leo")]


def test_the_paper_says_it_too(closed, sign_in, monkeypatch):
    printed = []
    monkeypatch.setattr("msp.reports.printing.press", lambda document: printed.append(document) or b"%PDF-")
    sign_in("Alice").get(f"/portal/statements/{closed}.pdf")
    (document,) = printed
    assert "kept for 1 of 2 machines" in document["patches"]["sentences"][0]
    assert [row[0] for row in document["patches"]["rows"]] == ["acme-pc-2", "acme-pc-1"]
    assert len(document["hours"]["rows"]) == 3


def test_the_press_sets_it(closed, sign_in):
    with sign_in("Alice").get(f"/portal/statements/{closed}.pdf") as answer:
        assert answer.data.startswith(b"%PDF-")


def test_an_amendment_keeps_the_evidence(closed, within, as_actor):
    """The ticket on which the time was entered was never answered: two misses, one of them set aside."""
    with within("acme"):
        first = _statement(closed)
        second = amend_statement(first, set_aside=[1], reason="Power cut", by=as_actor("Mia"), at=ENDED + DAY)
        assert json.loads(second.head)["evidence"] == json.loads(first.head)["evidence"]
        view = read(second)
        assert (view.hours.over_minutes, [one.asset for one in view.patches.late]) == (15, ["acme-pc-2"])


def test_the_contracts_page_says_the_months_hours_so_far(promise, work, sign_in):
    promise(included_hours=2)
    work(45)
    words = words_of(sign_in("Alice").get("/portal/contract?month=2026-11"))
    assert "45 min used of 2 h included." in words
    assert "0 h used of 2 h included." in words_of(sign_in("Alice").get("/portal/contract?month=2026-10"))
