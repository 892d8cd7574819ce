"""Terms: read strictly, versioned by date, never rewritten."""

import copy
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from contracts.clock.calendar import ALWAYS
from contracts.terms import queries, services
from contracts.terms.document import TermsInvalid, default_terms, read_terms
from contracts.terms.models import ContractVersion
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound

NOW = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)
TERMS = default_terms("Asia/Jakarta")


def _changed(path, value):
    document = copy.deepcopy(TERMS)
    *way, last = path
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    return document


def test_default_terms_are_read():
    terms = read_terms(TERMS)
    assert terms.response.targets["P1"].seconds == 1800
    assert terms.response.targets["P1"].calendar == ALWAYS
    assert terms.resolution.targets["P3"].calendar.time_zone == "Asia/Jakarta"
    assert terms.resolution.pause_reasons == {"requester"}
    assert terms.response.pause_reasons == frozenset()
    assert terms.update.targets == {}


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("calendar",), "sometimes", "calendar"),
        (("calendar", "time_zone"), "Asia/Atlantis", "calendar.time_zone"),
        (("calendar", "hours", 0, "from"), "25:00", "calendar.hours.0.from"),
        (("calendar", "hours", 0, "to"), "08:00", "calendar.hours.0"),
        (("service_levels", "P1", "response_minutes"), 0, "service_levels.P1.response_minutes"),
        (("service_levels", "P1", "resolution_minutes"), 1.5, "service_levels.P1.resolution_minutes"),
        (("service_levels", "P1", "always"), "yes", "service_levels.P1.always"),
        (("service_levels", "P2"), None, "service_levels.P2"),
        (("pause_reasons", "resolution"), ["lunch"], "pause_reasons.resolution.0"),
        (("reopen",), "sometimes", "reopen"),
        (("warn_at_percent",), [50, 101], "warn_at_percent.1"),
        (("warn_at_percent",), [90, 50], "warn_at_percent"),
        (("surprise",), 1, "surprise"),
    ],
)
def test_wrong_terms_name_the_field(path, value, field):
    with pytest.raises(TermsInvalid) as refused:
        read_terms(_changed(path, value))
    assert any(named.startswith(field) for named, _ in refused.value.errors), refused.value.errors


@pytest.fixture
def contract(within, as_actor):
    owner = as_actor("Owen")
    with within("provider") as own:
        made = services.add_contract(
            own,
            name="Managed services",
            time_zone="Asia/Jakarta",
            starts_on=date(2026, 1, 1),
            ends_on=date(2027, 12, 31),
            terms=TERMS,
            by=owner,
            at=NOW - timedelta(days=300),
        )
        db.session.commit()
        yield made


def _version(contract, on, as_actor, terms=TERMS):
    return services.add_version(contract, in_force_on=on, terms=terms, by=as_actor("Owen"), at=NOW)


def test_the_first_version_begins_with_the_contract(contract):
    (version,) = queries.list_versions(contract)
    assert version.number == 1
    assert version.in_force_from == datetime(2025, 12, 31, 17, 0, tzinfo=UTC)


def test_a_ticket_is_measured_by_the_version_in_force_then(contract, as_actor):
    later = _version(contract, date(2026, 12, 1), as_actor)
    begins = later.in_force_from
    find = queries.find_version_in_force
    assert find(contract.tenant_id, begins - timedelta(seconds=1)).number == 1
    assert find(contract.tenant_id, begins).number == 2
    assert find(contract.tenant_id, datetime(2025, 12, 31, 16, 59, 59, tzinfo=UTC)) is None
    assert find(contract.tenant_id, datetime(2027, 12, 31, 16, 59, 59, tzinfo=UTC)).number == 2
    assert find(contract.tenant_id, datetime(2027, 12, 31, 17, 0, tzinfo=UTC)) is None


@pytest.mark.parametrize("day", [date(2026, 12, 1), date(2026, 11, 25)])
def test_versions_follow_each_other_in_order(contract, as_actor, day):
    _version(contract, date(2026, 12, 1), as_actor)
    with pytest.raises(Invalid) as refused:
        _version(contract, day, as_actor)
    assert refused.value.field == "in_force_on"
    assert len(queries.list_versions(contract)) == 2


def test_terms_in_force_are_not_changed(contract, as_actor):
    with pytest.raises(Invalid) as refused:
        _version(contract, date(2026, 11, 19), as_actor)
    assert refused.value.field == "in_force_on"
    assert _version(contract, date(2026, 11, 20), as_actor).number == 2


def test_a_version_after_the_contract_s_end_is_refused(contract, as_actor):
    with pytest.raises(Invalid):
        _version(contract, date(2028, 1, 1), as_actor)


@pytest.mark.parametrize("who", ["Owen", "provider", "Alice"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE contract_versions SET terms = '{}'",
        "UPDATE contract_versions SET in_force_on = '2020-01-01'",
        "DELETE FROM contract_versions",
        "TRUNCATE contract_versions",
    ],
)
def test_the_database_keeps_a_version_as_it_is(contract, within, who, statement):
    with within(who), pytest.raises(DBAPIError, match="permission denied"):
        db.session.execute(text(statement))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"ends_on": date(2025, 1, 1)}, "ends_on"),
        ({"starts_on": date(1, 1, 1)}, "starts_on"),
        ({"monthly_fee": -1}, "monthly_fee"),
        ({"currency": "rupiah"}, "currency"),
        ({"terms": {}}, "calendar"),
    ],
)
def test_impossible_contracts_are_refused_whole(within, as_actor, change, field):
    given = {
        "name": "x",
        "time_zone": "Asia/Jakarta",
        "starts_on": date(2026, 1, 1),
        "ends_on": None,
        "terms": TERMS,
        "by": as_actor("Owen"),
        "at": NOW,
    }
    with within("provider") as own:
        with pytest.raises(Invalid) as refused:
            services.add_contract(own, **{**given, **change})
        assert refused.value.field == field
        assert queries.list_contracts(own) == []


def test_a_foreign_contract_is_not_found(contract, within):
    with within("globex"), pytest.raises(NotFound):
        queries.find_contract(str(contract.public_id))
    with within("globex"), pytest.raises(NotFound):
        queries.find_contract("not an id")


def test_two_versions_on_one_day_are_refused_by_the_schema(contract, as_actor):
    first = _version(contract, date(2026, 12, 1), as_actor)
    twin = {
        name: getattr(first, name)
        for name in (
            "tenant_id",
            "contract_id",
            "in_force_on",
            "in_force_from",
            "terms",
            "created_at",
            "created_by",
        )
    }
    db.session.add(ContractVersion(number=3, note="", **twin))
    with pytest.raises(DBAPIError, match="uq_contract_versions_day"):
        db.session.flush()


def test_what_is_remembered_of_one_version_is_never_said_of_another(within):
    """After a restore another version may have the number of one that this process has read."""
    with within("acme") as acme:
        key = db.session.execute(select(ContractVersion.tenant_id, ContractVersion.id)).one()
        right = queries.terms_by_id([key])[tuple(key)]
        queries._read.clear()
        queries._read[acme, key.id, datetime(1999, 1, 1, tzinfo=UTC)] = None
        assert queries.terms_by_id([key]) == {tuple(key): right}
        assert queries.terms_by_id([key]) == {tuple(key): right}
    queries._read.clear()
