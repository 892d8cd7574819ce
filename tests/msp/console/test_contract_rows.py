"""The form of terms loses nothing: it has as many rows as the terms, grows without JavaScript, and refuses aloud."""

import re
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import ClassVar

import pytest
from sqlalchemy import select

from contracts.terms.document import default_terms, read_terms
from contracts.terms.models import Contract
from contracts.terms.queries import list_versions
from contracts.terms.services import add_version
from msp.console.contract_rows import MOST_ROWS
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tests.msp.console.test_contracts import NEW, _address, _fields, _versions, acme_contract

__all__ = ["acme_contract"]
WARNINGS = list(range(5, 100, 4))
FULL = {
    "warn_at_percent": [*WARNINGS, 100],
    "actions": [
        {"at_percent": percent, "notify": ["assignee", "lead"][: percent % 3], "hand_to": "L2"}
        for percent in WARNINGS
    ]
    + [{"at_percent": 100, "notify": ["admins"], "hand_to": "L3"}],
    "credits": {
        "table": [
            {"clock": clock, "below_percent": 99 - step, "credit_percent": step + 1}
            for clock in ("response", "update", "resolution")
            for step in range(7)
        ],
        "cap_percent": 40,
    },
    "freezes": [
        {
            "from": f"2027-{month:02}-{day:02}",
            "to": f"2027-{month:02}-{day:02}",
            "name": f"Freeze {month}.{day}",
        }
        for month in range(1, 13)
        for day in (1, 15)
    ],
    "ola": {"acceptance_minutes": {"P1": 15}},
}


@pytest.fixture
def full(within, acme_contract):
    """Acme's terms with far more of everything than any page shows at first."""
    return _follow(within, FULL)


def _follow(within, members):
    with within("acme"):
        contract = db.session.scalars(select(Contract)).one()
        terms = list_versions(contract)[0].terms | members
        terms["calendar"] = {**default_terms("Asia/Makassar")["calendar"], "holidays": ["2027-01-01"]}
        add_version(
            contract,
            in_force_on=date(2026, 6, 1),
            terms=terms,
            by=Actor.system("test"),
            at=datetime(2026, 5, 1, tzinfo=UTC),
        )
        db.session.commit()
        return terms


def _sent(page, **changes):
    return {name: value for name, value in _fields(page).items() if name != "csrf_token"} | changes


def test_nothing_is_lost_on_the_way_through_the_form(sign_in, acme_contract, full, within):
    manager, address = sign_in("Mia"), _address(acme_contract)
    page = manager.get(address).text
    for name in ("warning_23_percent", "credit_20_below", "freeze_23_name"):
        assert f'name="{name}"' in page
    sent = _sent(page, in_force_on="2027-02-01")
    preview = manager.post(address, data=sent | {"step": "preview"}).text
    assert "Nothing: both versions say the same." in preview
    assert manager.post(address, data=sent).status_code == 302
    saved = _versions(within)[-1].terms
    for member in ("warn_at_percent", "credits", "freezes", "ola"):
        assert saved[member] == full[member], member
    assert sorted(saved["actions"], key=itemgetter("at_percent")) == full["actions"]
    assert saved["calendar"]["time_zone"] == "Asia/Makassar"
    assert read_terms(saved) == read_terms(full)


@pytest.mark.parametrize(
    ("group", "first"), [("warning", "percent"), ("credit", "clock"), ("freeze", "name")]
)
def test_a_button_gives_one_more_row_and_keeps_what_was_typed(sign_in, acme_contract, within, group, first):
    manager, address = sign_in("Mia"), _address(acme_contract)
    page, rows = manager.get(address).text, []
    typed = {"note": "Faster.", "P1_response": "soon", "warning_0_percent": "11"}
    for _ in range(3):
        rows.append(len(re.findall(rf'name="{group}_\d+_{first}"', page)))
        answer = manager.post(address, data=_sent(page, **typed, step=f"add_{group}"))
        assert answer.status_code == 200
        page = answer.text
        for value in typed.values():
            assert f'value="{value}"' in page
        assert "field-error" not in page
    assert rows == [rows[0], rows[0] + 1, rows[0] + 2]
    assert len(_versions(within)) == 1


def test_more_rows_than_twelve_are_saved(sign_in, acme_contract, within):
    rows = {f"freeze_{row}_name": f"Freeze {row}" for row in range(20)}
    for row in range(20):
        rows |= {f"freeze_{row}_from": f"2027-03-{row + 1:02}", f"freeze_{row}_to": f"2027-03-{row + 1:02}"}
    assert sign_in("Mia").post(_address(acme_contract), data=NEW | rows).status_code == 302
    assert [one["name"] for one in _versions(within)[-1].terms["freezes"]] == [
        f"Freeze {row}" for row in range(20)
    ]


class TestRefused:
    ROWS: ClassVar = {"warning": "percent", "credit": "below", "freeze": "name"}

    @pytest.mark.parametrize("group", list(ROWS))
    def test_more_than_the_form_holds(self, sign_in, acme_contract, within, group):
        over = {f"{group}_{MOST_ROWS + 5}_{self.ROWS[group]}": "7"}
        page = sign_in("Mia").post(_address(acme_contract), data=NEW | over)
        assert page.status_code == 422
        assert f"At most {MOST_ROWS} lines fit into this form." in page.text
        assert re.search(rf'href="#{group}_{MOST_ROWS - 1}_\w+"', page.text)
        assert len(_versions(within)) == 1

    @pytest.mark.parametrize(("field", "value"), [("warning_5_lead", "y"), ("warning_5_hand_to", "L2")])
    def test_a_warning_without_its_percentage(self, sign_in, acme_contract, within, field, value):
        page = sign_in("Mia").post(_address(acme_contract), data=NEW | {field: value})
        assert page.status_code == 422
        assert re.search(r'href="#warning_5_percent"[^<]*<[^<]*leave the whole line empty', page.text)
        assert len(_versions(within)) == 1

    def test_a_hundred_percent_typed_as_a_warning(self, sign_in, acme_contract):
        page = sign_in("Mia").post(_address(acme_contract), data=NEW | {"warning_0_percent": "100"})
        assert page.status_code == 422
        assert 'href="#warning_0_percent"' in page.text


class TestWarningAtAHundred:
    """Older terms may have one: the page shows it, and taking it away is a change that is said."""

    def test_the_page_offers_it_only_where_terms_have_it(self, sign_in, acme_contract, within):
        manager, address = sign_in("Mia"), _address(acme_contract)
        assert "miss_warning" not in manager.get(address).text
        _follow(within, {"warn_at_percent": [50, 100]})
        assert re.search(r'<input[^>]* checked[^>]*name="miss_warning"', manager.get(address).text)

    def test_taking_it_away_is_a_change(self, sign_in, acme_contract, within):
        _follow(within, {"warn_at_percent": [50, 100]})
        manager, address = sign_in("Mia"), _address(acme_contract)
        sent = _sent(manager.get(address).text, in_force_on="2027-02-01")
        del sent["miss_warning"]
        preview = manager.post(address, data=sent | {"step": "preview"}).text
        assert "kept as a warning and as a miss" in preview
        assert 'name="miss_warning"' in preview
        assert manager.post(address, data=sent).status_code == 302
        assert _versions(within)[-1].terms["warn_at_percent"] == [50]
