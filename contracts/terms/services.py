"""Writing contracts: a version is added, never changed."""

from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from contracts.clock.faults import MESSAGES
from contracts.clock.zones import ZONE_NAMES
from contracts.terms.document import TermsInvalid, read_terms
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import list_versions
from tenants.audit import services as audit
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import InvalidMany

LONGEST_NAME = 120
YEARS = range(1970, 2101)
"""In which a contract and its versions can begin: what the clock reckons with (R14)."""


def add_contract(
    tenant_id: int,
    *,
    name: str,
    time_zone: str,
    starts_on: date,
    ends_on: date | None,
    terms: dict[str, Any],
    by: Actor,
    at: datetime,
    monthly_fee: int = 0,
    currency: str = "IDR",
) -> Contract:
    """A contract with its first version, in force from its start. Raises Invalid naming the field."""
    check_contract(
        name=name,
        time_zone=time_zone,
        starts_on=starts_on,
        ends_on=ends_on,
        terms=terms,
        monthly_fee=monthly_fee,
        currency=currency,
    )
    contract = Contract(
        tenant_id=tenant_id,
        name=name.strip(),
        time_zone=time_zone,
        starts_on=starts_on,
        ends_on=ends_on,
        monthly_fee=monthly_fee,
        currency=currency,
        created_at=at,
    )
    db.session.add(contract)
    db.session.flush()
    _write_version(contract, 1, starts_on, terms, "", by, at)
    audit.record(
        "contract.added",
        tenant_id=tenant_id,
        by=by,
        object=f"contract:{contract.public_id}",
        at=at,
        detail={"name": name},
    )
    return contract


def add_version(
    contract: Contract, *, in_force_on: date, terms: dict[str, Any], by: Actor, at: datetime, note: str = ""
) -> ContractVersion:
    """New terms from a day on. The day lies after the latest version's and not before today in the contract's zone.

    Raises Invalid naming the field.
    """
    db.session.refresh(contract, with_for_update=True)
    check_version(contract, in_force_on=in_force_on, terms=terms, at=at)
    latest = list_versions(contract)[0]
    version = _write_version(contract, latest.number + 1, in_force_on, terms, note, by, at)
    audit.record(
        "contract.amended",
        tenant_id=contract.tenant_id,
        by=by,
        object=f"contract:{contract.public_id}",
        at=at,
        detail={"version": version.number, "in_force_on": in_force_on.isoformat(), "note": note},
    )
    return version


def _write_version(
    contract: Contract,
    number: int,
    in_force_on: date,
    terms: dict[str, Any],
    note: str,
    by: Actor,
    at: datetime,
) -> ContractVersion:
    midnight = datetime.combine(in_force_on, time(), ZoneInfo(contract.time_zone))
    version = ContractVersion(
        tenant_id=contract.tenant_id,
        contract_id=contract.id,
        number=number,
        in_force_on=in_force_on,
        in_force_from=midnight.astimezone(UTC),
        terms=terms,
        note=note.strip(),
        created_at=at,
        created_by=by.name,
    )
    db.session.add(version)
    db.session.flush()
    return version


def check_contract(
    *,
    name: str,
    time_zone: str,
    starts_on: date,
    ends_on: date | None,
    terms: dict[str, Any],
    monthly_fee: int = 0,
    currency: str = "IDR",
) -> None:
    """What `add_contract` would refuse, all of it at once; writes nothing. Raises InvalidMany."""
    errors = _contract_errors(name, time_zone, starts_on, ends_on, monthly_fee, currency)
    _refuse([*errors, *_terms_errors(terms)])


def check_version(contract: Contract, *, in_force_on: date, terms: dict[str, Any], at: datetime) -> None:
    """What `add_version` would refuse, all of it at once; writes nothing. Raises InvalidMany."""
    _refuse([*_day_errors(contract, in_force_on, at), *_terms_errors(terms)])


def _refuse(errors: list[tuple[str, Any]]) -> None:
    if errors:
        raise InvalidMany(errors)


def _day_errors(contract: Contract, in_force_on: date, at: datetime) -> list[tuple[str, Any]]:
    today = at.astimezone(ZoneInfo(contract.time_zone)).date()
    if in_force_on <= list_versions(contract)[0].in_force_on:
        return [("in_force_on", _l("A version must begin after the latest one."))]
    if in_force_on < today:
        return [("in_force_on", _l("Terms in force are not changed: choose today or a later day."))]
    if in_force_on.year not in YEARS:
        return [("in_force_on", _too_far())]
    if contract.ends_on is not None and in_force_on > contract.ends_on:
        return [("in_force_on", _l("The contract ends before that day."))]
    return []


def _too_far() -> Any:
    return _l("Choose a day in the years %(first)s to %(last)s.", first=YEARS[0], last=YEARS[-1])


def _terms_errors(terms: dict[str, Any]) -> list[tuple[str, Any]]:
    try:
        read_terms(terms)
    except TermsInvalid as wrong:
        # The clock is pure and speaks English; its words are in the catalogue, to be said in the reader's language.
        return [(fault.field, gettext(MESSAGES[fault.code]).format(**fault.values)) for fault in wrong.faults]
    return []


def _contract_errors(
    name: str, time_zone: str, starts_on: date, ends_on: date | None, fee: int, currency: str
) -> list[tuple[str, Any]]:
    errors: list[tuple[str, Any]] = []
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        errors.append(("name", _l("Give the contract a name of at most 120 characters.")))
    if time_zone not in ZONE_NAMES:
        errors.append(("time_zone", _l("Choose a time zone from the list.")))
    if starts_on.year not in YEARS:
        errors.append(("starts_on", _too_far()))
    if ends_on is not None and ends_on < starts_on:
        errors.append(("ends_on", _l("The contract cannot end before it begins.")))
    if fee < 0:
        errors.append(("monthly_fee", _l("The fee cannot be negative.")))
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        errors.append(("currency", _l("Use a currency of three capital letters, such as IDR.")))
    return errors
