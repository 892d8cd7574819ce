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
from tenants.foundation.errors import Invalid, InvalidMany

LONGEST_NAME = 120


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
    _check_contract(name, time_zone, starts_on, ends_on, monthly_fee, currency)
    _check_terms(terms)
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
    latest = list_versions(contract)[0]
    today = at.astimezone(ZoneInfo(contract.time_zone)).date()
    if in_force_on <= latest.in_force_on:
        raise Invalid("in_force_on", _l("A version must begin after the latest one."))
    if in_force_on < today:
        raise Invalid("in_force_on", _l("Terms in force are not changed: choose today or a later day."))
    if contract.ends_on is not None and in_force_on > contract.ends_on:
        raise Invalid("in_force_on", _l("The contract ends before that day."))
    _check_terms(terms)
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


def _check_terms(terms: dict[str, Any]) -> None:
    try:
        read_terms(terms)
    except TermsInvalid as wrong:
        # The clock is pure and speaks English; its words are in the catalogue, to be said in the reader's language.
        said = [(fault.field, gettext(MESSAGES[fault.code]).format(**fault.values)) for fault in wrong.faults]
        raise InvalidMany(said) from wrong


def _check_contract(
    name: str, time_zone: str, starts_on: date, ends_on: date | None, fee: int, currency: str
) -> None:
    errors: list[tuple[str, Any]] = []
    if not 1 <= len(name.strip()) <= LONGEST_NAME:
        errors.append(("name", _l("Give the contract a name of at most 120 characters.")))
    if time_zone not in ZONE_NAMES:
        errors.append(("time_zone", _l("Choose a time zone from the list.")))
    if ends_on is not None and ends_on < starts_on:
        errors.append(("ends_on", _l("The contract cannot end before it begins.")))
    if fee < 0:
        errors.append(("monthly_fee", _l("The fee cannot be negative.")))
    if len(currency) != 3 or not currency.isascii() or not currency.isupper():
        errors.append(("currency", _l("Use a currency of three capital letters, such as IDR.")))
    if errors:
        raise InvalidMany(errors)
