"""Draft terms over the past: those that held give what was, others what would have been, and nothing is stored."""

import json
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, update

from contracts.statements.rules import figures_of
from contracts.statements.what_if import Period, replay_tenant
from contracts.terms.document import default_terms
from contracts.terms.models import Contract
from contracts.timers import sweep
from contracts.timers.models import TimerMark
from msp.intake.histories import read_histories
from msp.intake.servicenow import read_log
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.tickets import services
from tests.guarantees import isolation
from tests.msp.intake.incidents import course, row, write
from tests.tickets import MONDAY, later, leo, open_in_scope, tina

NOW = later(days=40)
MARCH = date(2026, 3, 1)
TABLE = {"table": [{"clock": "resolution", "below_percent": 95, "credit_percent": 10}], "cap_percent": 20}


def _terms(**levels):
    terms = default_terms("Asia/Jakarta")
    return terms | {"service_levels": terms["service_levels"] | levels, "credits": TABLE}


@pytest.fixture
def codes(within, cast):
    """Three P2 tickets of March: solved in 1, 5 and 12 hours of business time; one waits a day for its requester."""
    found = []
    with within("acme") as acme:
        db.session.execute(update(Contract).where(Contract.tenant_id == acme).values(monthly_fee=1_000_000))
        for number, span in enumerate((timedelta(hours=1), timedelta(hours=5), timedelta(days=1, hours=3))):
            ticket = open_in_scope(cast, tina(cast), at=later(days=number * 7))
            services.add_message(ticket, body="Hello.", by=tina(cast), at=later(days=number * 7, minutes=30))
            services.resolve_ticket(ticket, solution="", by=leo(cast), at=later(days=number * 7) + span)
            found.append(ticket.code)
        db.session.commit()
        with time.frozen(NOW):
            sweep.sweep_due_timers()
    return found


def _replayed(within, draft, first=MARCH, last=MARCH):
    with within("acme") as acme:
        return replay_tenant(acme, draft, Period.of(first, last, "Asia/Jakarta", NOW))


def _counts(outcome):
    return {
        (was.clock, was.priority): ((was.met, was.missed), (would.met, would.missed))
        for was, would in outcome.figures()
    }


def test_the_terms_that_held_give_what_was_recorded(within, codes):
    outcome, _credits, _currency = _replayed(within, default_terms("Asia/Jakarta"))
    assert (outcome.changed, outcome.changes, outcome.was) == (0, [], outcome.would)
    with within("acme"):
        marks = select(TimerMark.clock, TimerMark.priority, TimerMark.mark, func.count())
        grouped = marks.where(TimerMark.mark != "warning").group_by(
            TimerMark.clock, TimerMark.priority, TimerMark.mark
        )
        rows = db.session.execute(grouped).all()
    recorded = [tuple(one[:3]) for one in rows for _time in range(one[3])]
    assert {(one.clock, one.priority): (one.met, one.missed) for one in figures_of(recorded)} == {
        key: was for key, (was, _would) in _counts(outcome).items() if key[1]
    }


def test_shorter_targets_would_have_been_missed(within, codes):
    draft = _terms(P2={"response_minutes": 20, "resolution_minutes": 240})
    outcome, given, currency = _replayed(within, draft)
    counts = _counts(outcome)
    assert counts["resolution", "P2"] == ((2, 1), (1, 2))
    assert counts["response", ""] == ((3, 0), (0, 3))
    assert outcome.changed == 3
    assert {(one.code, one.clock, one.was, one.would) for one in outcome.changes} >= {
        (codes[1], "resolution", "met", "missed"),
        (codes[0], "response", "met", "missed"),
    }
    assert [(one.was_amount, one.would_percent, one.would_amount) for one in given] == [(0, 10, 100_000)]
    assert currency == "IDR"


def test_a_pause_reason_that_is_taken_away_counts(within, cast):
    with within("acme"):
        ticket = open_in_scope(cast, tina(cast), at=MONDAY)
        services.take_ticket(ticket, by=tina(cast), at=later(minutes=5))
        waits = {"to": "waiting", "reason": "requester", "by": tina(cast)}
        services.change_state(ticket, at=later(minutes=10), **waits)
        services.resolve_ticket(ticket, solution="", by=tina(cast), at=later(days=2))
        db.session.commit()
    never = _terms() | {"pause_reasons": {"response": [], "update": [], "resolution": []}}
    outcome, _credits, _currency = _replayed(within, never)
    assert _counts(outcome)["resolution", "P2"] == ((1, 0), (0, 1))


def test_a_target_belongs_to_the_month_in_which_it_was_decided(within, codes):
    outcome, _credits, _currency = _replayed(within, _terms(), date(2026, 4, 1), date(2026, 4, 1))
    assert outcome.figures() == []


@pytest.mark.parametrize("changed", ["response", "resolution"])
def test_a_clock_of_which_the_draft_says_the_same_is_judged_as_it_was(within, codes, changed):
    draft = default_terms("Asia/Jakarta")
    for level in draft["service_levels"].values():
        level[f"{changed}_minutes"] = 1
    counts = _counts(_replayed(within, draft)[0])
    assert counts["response", ""] == ((3, 0), (0, 3) if changed == "response" else (3, 0))
    assert counts["resolution", ""] == ((2, 1), (0, 3) if changed == "resolution" else (2, 1))


def test_what_a_draft_does_not_promise_is_not_due(within, codes):
    nothing = {priority: {"response_minutes": None} for priority in ("P1", "P2", "P3", "P4")}
    levels = {priority: level | nothing[priority] for priority, level in _terms()["service_levels"].items()}
    outcome, _credits, _currency = _replayed(within, _terms(**levels))
    assert _counts(outcome)["response", ""] == ((3, 0), (0, 0))
    assert {(one.clock, one.was, one.would) for one in outcome.changes} == {("response", "met", "none")}


def test_replaying_stores_nothing(within, cast, codes, superuser):
    before = isolation.fingerprint(superuser, cast.tenants["acme"])
    _replayed(within, _terms(P2={"resolution_minutes": 1}))
    assert isolation.fingerprint(superuser, cast.tenants["acme"]) == before


# The command and the file


def _command(app, tmp_path, draft, *arguments):
    file = tmp_path / "terms.json"
    file.write_text(json.dumps(draft) if isinstance(draft, dict) else draft)
    with time.frozen(NOW):
        return app.test_cli_runner().invoke(
            args=["sla", "what-if", "--from", "2026-03", "--terms", str(file), *arguments]
        )


def test_the_command_gives_a_document(app, codes, tmp_path):
    found = _command(app, tmp_path, _terms(P2={"resolution_minutes": 240}), "--tenant", "acme", "--json")
    assert found.exit_code == 0, found.output
    answer = json.loads(found.output)
    (row_,) = [one for one in answer["figures"] if (one["clock"], one["priority"]) == ("resolution", "P2")]
    assert row_["was"] == {"met": 2, "missed": 1, "attained": "2/3"}
    assert row_["would"] == {"met": 1, "missed": 2, "attained": "1/3"}
    assert (answer["tickets"], answer["changed"], answer["from"]) == (3, 3, "2026-03")
    words = _command(app, tmp_path, _terms(), "--tenant", "acme").output
    assert "3 tickets replayed" in words


@pytest.mark.parametrize(
    ("draft", "arguments", "code", "said"),
    [
        ("{", ["--tenant", "acme"], 1, "refused: Expecting"),
        ("[]", ["--tenant", "acme"], 1, "a JSON object"),
        ({"calendar": "always"}, ["--tenant", "acme"], 1, "refused: service_levels: "),
        (_terms(P1={"response_minutes": 0}), ["--tenant", "acme"], 1, "service_levels.P1.response_minutes: "),
        (_terms(), ["--tenant", "nobody"], 1, "no client is called nobody"),
        (_terms(), [], 2, "--tenant"),
        (_terms(), ["--tenant", "acme", "--to", "2026-02"], 2, "--to"),
        (_terms(), ["--tenant", "acme", "--to", "2036-02"], 2, "24 months"),
        (_terms(), ["--tenant", "acme", "--to", "soon"], 2, "is not a month"),
    ],
)
def test_the_command_refuses_bad_input(app, cast, tmp_path, draft, arguments, code, said):
    found = _command(app, tmp_path, draft, *arguments)
    assert (found.exit_code, said in found.output) == (code, True), found.output


STEPS = (
    ("New", "02-03-2026 10:05"),
    ("Active", "02-03-2026 11:00"),
    ("Awaiting User Info", "02-03-2026 12:00"),
    ("Active", "03-03-2026 09:00"),
    ("Resolved", "03-03-2026 16:00"),
    ("Closed", "09-03-2026 10:00"),
)


def _log(tmp_path):
    other = course(
        "INC2",
        STEPS[0],
        ("Resolved", "02-03-2026 10:30"),
        ("Active", "04-03-2026 10:00"),
        priority="2 - High",
    )
    late = row(number="INC2", incident_state="Resolved", sys_updated_at="06-03-2026 10:00", sys_mod_count="9")
    return write(tmp_path / "log.csv", *course("INC1", *STEPS), *other, late)


def test_a_prospect_s_file_is_what_its_import_would_give(app, within, tmp_path):
    log = _log(tmp_path)
    draft = default_terms("Asia/Jakarta")
    found = _command(app, tmp_path, draft, "--file", str(log), "--format", "servicenow", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    with time.frozen(NOW):
        imported = app.test_cli_runner().invoke(
            args=["tickets", "import", "--tenant", "acme", "--format", "servicenow", str(log)]
        )
    assert imported.exit_code == 0, imported.output
    outcome, _credits, _currency = _replayed(within, draft)
    theirs = {
        (one["clock"], one["priority"]): (one["would"]["met"], one["would"]["missed"])
        for one in told["figures"]
    }
    assert theirs == {
        (clock, priority or "all"): was for (clock, priority), (was, _would) in _counts(outcome).items()
    }
    assert theirs["resolution", "all"] != (0, 0)


def test_rows_that_do_not_fit_are_named(tmp_path):
    log = write(tmp_path / "log.csv", *course("INC1", *STEPS, ("Active", "10-03-2026 10:00")))
    with log.open() as lines:
        rows, faults = read_log(lines, "Asia/Jakarta", NOW)
    assert faults == []
    incidents, misfits = read_histories(rows)
    assert [len(one.entries) for one in incidents] == [6]
    assert "no way from closed" in misfits[0].reason


def test_the_command_refuses_a_file_that_is_no_log(app, cast, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    found = _command(app, tmp_path, _terms(), "--file", str(other), "--format", "servicenow")
    assert (found.exit_code, "has no column" in found.output) == (1, True)


# The page


FORM = {
    "first": "2026-03",
    "last": "2026-03",
    "P2_response": "20",
    "P2_resolution": "240",
    "pause_resolution_requester": "y",
    "holidays": "2026-03-20",
    **{f"hours_{day}": "08:00-17:00" for day in ("monday", "tuesday", "wednesday", "thursday", "friday")},
}
PAGE = "/console/tenants/acme/what-if"


def _post(client, **changes):
    with time.frozen(NOW):
        return client.post(PAGE, data=FORM | changes)


def test_managers_try_terms_on_a_page(sign_in, codes):
    manager = sign_in("Mia")
    with time.frozen(NOW):
        start = manager.get(PAGE)
    assert 'value="2026-01"' in start.text
    assert 'value="480"' in start.text
    page = _post(manager)
    assert page.status_code == 200
    assert codes[1] in page.text
    assert "3 tickets were replayed" in page.text


def test_only_managers_do(sign_in, cast):
    assert sign_in("Tina").get(PAGE).status_code == 403
    assert sign_in("Alice").get(PAGE).status_code == 403
    assert sign_in("Mia").get("/console/tenants/nobody/what-if").status_code == 404


def test_a_pasted_document_counts_instead(sign_in, codes):
    page = _post(
        sign_in("Owen"), document=json.dumps(_terms(P2={"resolution_minutes": 5})), P2_resolution="9999"
    )
    assert page.status_code == 200
    assert codes[0] in page.text


@pytest.mark.parametrize(
    ("name", "typed", "field", "said"),
    [
        ("first", "soon", "first", "Write a month as"),
        ("last", "2026-02", "last", "cannot come before"),
        ("last", "2030-02", "last", "at most 24"),
        ("P2_resolution", "0", "P2_resolution", "whole number"),
        ("hours_monday", "always", "hours_monday", "Write hours as"),
        ("hours_tuesday", "08:00-12:00, 11:00-13:00", "hours_tuesday", "overlaps"),
        ("holidays", "Christmas", "holidays", "date such as"),
        ("document", "{", "document", "no JSON"),
        ("document", "[]", "document", "JSON object"),
        ("document", '{"calendar": "always"}', "document", "service_levels: This member is required"),
    ],
)
def test_each_fault_stands_beside_its_field(sign_in, cast, name, typed, field, said):
    page = _post(sign_in("Mia"), **{name: typed})
    assert page.status_code == 422
    assert said in page.text
    assert f'id="{field}-error"' in page.text or "invalid-feedback" in page.text
    assert 'id="answer"' not in page.text
