"""Finding contracts and the version that measures a ticket."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Date, DateTime, Select, and_, bindparam, case, cast, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from contracts.clock.history import Terms
from contracts.terms.document import read_terms
from contracts.terms.models import Contract, ContractVersion
from tenants.foundation.connections import PREPARED
from tenants.foundation.db import among, db
from tenants.foundation.errors import NotFound


def find_contract(public_id: str) -> Contract:
    """A contract by its public id. Raises NotFound."""
    try:
        key = UUID(public_id)
    except ValueError:
        raise NotFound from None
    found = db.session.scalar(select(Contract).where(Contract.public_id == key))
    if found is None:
        raise NotFound
    return found


def list_contracts(tenant_id: int | None = None) -> list[Contract]:
    """The contracts in scope, of one tenant if named, newest first."""
    listed = select(Contract).order_by(Contract.tenant_id, Contract.starts_on.desc(), Contract.id)
    if tenant_id is not None:
        listed = listed.where(Contract.tenant_id == tenant_id)
    return list(db.session.scalars(listed))


def list_versions(contract: Contract) -> list[ContractVersion]:
    """All versions of a contract, the latest first."""
    owned = select(ContractVersion).where(
        ContractVersion.tenant_id == contract.tenant_id, ContractVersion.contract_id == contract.id
    )
    return list(db.session.scalars(owned.order_by(ContractVersion.number.desc())))


def find_last_version(contract: Contract, before: datetime) -> ContractVersion | None:
    """The latest version of this contract that was in force before a moment; None where none was."""
    return next((one for one in list_versions(contract) if one.in_force_from < before), None)


def find_version_in_force(tenant_id: int, at: datetime) -> ContractVersion | None:
    """The version by which a ticket opened at this moment is measured; None where nothing is promised then."""
    return db.session.scalar(_in_force_statement(), {"asked_tenant": tenant_id, "at": at})


@cache
def _in_force_statement() -> Select[ContractVersion]:
    """Put together once: every ticket that is opened asks."""
    at = bindparam("at", type_=DateTime(timezone=True))
    return (
        select(ContractVersion)
        .join(
            Contract,
            and_(Contract.tenant_id == ContractVersion.tenant_id, Contract.id == ContractVersion.contract_id),
        )
        .where(
            ContractVersion.tenant_id == bindparam("asked_tenant"),
            ContractVersion.in_force_from <= at,
            or_(
                Contract.ends_on.is_(None),
                Contract.ends_on >= cast(func.timezone(Contract.time_zone, at), Date),
            ),
        )
        .order_by(ContractVersion.in_force_from.desc(), ContractVersion.id.desc())
        .limit(1)
        .execution_options(**PREPARED)
    )


def list_versions_in_force(at: datetime) -> list[ContractVersion]:
    """For each client in scope, the version by which a ticket opened at this moment is measured: one statement."""
    in_force = (
        select(ContractVersion)
        .join(
            Contract,
            and_(Contract.tenant_id == ContractVersion.tenant_id, Contract.id == ContractVersion.contract_id),
        )
        .where(
            ContractVersion.in_force_from <= at,
            or_(
                Contract.ends_on.is_(None),
                Contract.ends_on >= cast(func.timezone(Contract.time_zone, at), Date),
            ),
        )
        .ext(distinct_on(ContractVersion.tenant_id))
        .order_by(ContractVersion.tenant_id, ContractVersion.in_force_from.desc(), ContractVersion.id.desc())
    )
    return list(db.session.scalars(in_force))


def find_version_of(contract: Contract, at: datetime) -> ContractVersion | None:
    """The version of this contract that is in force at a moment; None before its start and after its end."""
    today = at.astimezone(ZoneInfo(contract.time_zone)).date()
    if contract.ends_on is not None and today > contract.ends_on:
        return None
    return next((one for one in list_versions(contract) if one.in_force_from <= at), None)


def terms_of(version: ContractVersion) -> Terms:
    """What the clock understands of a version, with its name."""
    return replace(read_terms(version.terms), id=version.id)


def versions_by_id(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], ContractVersion]:
    """Versions by `(tenant_id, id)`, in one statement."""
    wanted = set(keys)
    if not wanted:
        return {}
    ids = (version_id for _, version_id in wanted)
    asked = select(ContractVersion).where(among(ContractVersion.id, ids)).execution_options(**PREPARED)
    rows = db.session.scalars(asked)
    return {(row.tenant_id, row.id): row for row in rows}


def terms_of_client(tenant_id: int, ids: Iterable[int]) -> dict[int, Terms]:
    """What versions of one client say, by id."""
    found = terms_by_id((tenant_id, version_id) for version_id in ids)
    return {version_id: terms for (_tenant, version_id), terms in found.items()}


_read: dict[tuple[int, int, datetime], Terms] = {}
MOST_READ = 2048


def terms_by_id(keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Terms]:
    """What versions say, by `(tenant_id, id)`, in one statement.

    Versions never change, so what this process has read of them before is not sent again.
    """
    ids = {version_id for _, version_id in keys}
    if not ids:
        return {}
    cached = {key: terms for key, terms in _read.items() if key[1] in ids}
    known = [version_id for _, version_id, _ in cached]
    unread = case((among(ContractVersion.id, known), None), else_=ContractVersion.terms)
    columns = (ContractVersion.tenant_id, ContractVersion.id, ContractVersion.created_at, unread)
    asked = select(*columns).where(among(ContractVersion.id, ids)).execution_options(**PREPARED)
    rows = db.session.execute(asked)
    return {(row[0], row[1]): cached.get((row[0], row[1], row[2])) or _terms(*row) for row in rows}


def _terms(tenant_id: int, version_id: int, at: datetime, document: Any) -> Terms:
    """Read and remember; a version that only shares its number with a remembered one is asked for by itself."""
    if document is None:
        document = db.session.get_one(ContractVersion, (tenant_id, version_id)).terms
    if len(_read) >= MOST_READ:
        _read.clear()
    _read[tenant_id, version_id, at] = replace(read_terms(document), id=version_id)
    return _read[tenant_id, version_id, at]
