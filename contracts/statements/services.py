"""Closing a month, amending it, and deciding about its credit."""

import json
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from flask_babel import lazy_gettext as _l
from sqlalchemy import insert, select

from contracts.statements import queries, rules
from contracts.statements.events import StatementClosed
from contracts.statements.evidence import Period, collect_lines, instant
from contracts.statements.models import Credit, Statement, StatementLine
from contracts.terms.models import Contract, ContractVersion
from contracts.terms.queries import list_versions
from contracts.timers.settling import settle_timers
from tenants.audit import services as audit
from tenants.foundation import events
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid
from tenants.tenancy.queries import find_tenant_by_id

LONGEST_REASON = 2000
Lines = list[dict[str, Any]]


def close_month(
    contract: Contract, month: date, *, evidence: Mapping[str, Any], by: Actor, at: datetime
) -> Statement:
    """Freeze a month of a contract; closing it again gives the statement that is there (S6).

    `evidence` is what others know of the month and goes into the head as it is. Raises Invalid on `month` for one
    that has not ended or in which the contract was not in force.
    """
    db.session.refresh(contract, with_for_update=True)
    month = month.replace(day=1)
    existing = queries.find_latest(contract, month)
    if existing is not None:
        return existing
    period = Period.of(contract, month)
    versions = _versions_in(contract, month, period, at)
    settle_timers(contract.tenant_id, before=period.end, by=by, at=at)
    head = _head(contract, month, period, versions, evidence, by, at)
    return _freeze(contract, head, collect_lines(contract, period), versions[0], by=by, at=at)


def _versions_in(contract: Contract, month: date, period: Period, at: datetime) -> list[ContractVersion]:
    """The versions in force during the month, the latest first. Raises Invalid."""
    if at < period.end:
        raise Invalid("month", _l("This month has not ended yet in the contract's time zone."))
    last = (period.end.astimezone(ZoneInfo(contract.time_zone)) - timedelta(days=1)).date()
    if contract.starts_on > last or (contract.ends_on is not None and contract.ends_on < month):
        raise Invalid("month", _l("The contract was not in force in this month."))
    begun = [one for one in list_versions(contract) if one.in_force_from < period.end]
    following = next((place for place, one in enumerate(begun) if one.in_force_from <= period.begin), None)
    return begun if following is None else begun[: following + 1]


def _head(
    contract: Contract,
    month: date,
    period: Period,
    versions: list[ContractVersion],
    evidence: Mapping[str, Any],
    by: Actor,
    at: datetime,
) -> dict[str, Any]:
    tenant = find_tenant_by_id(contract.tenant_id)
    return {
        "format": "sla statement",
        "format_version": 1,
        "number": 1,
        "replaces": None,
        "reason": None,
        "tenant": {"slug": tenant.slug, "name": tenant.name},
        "contract": {"id": str(contract.public_id), "name": contract.name},
        "time_zone": contract.time_zone,
        "month": f"{month:%Y-%m}",
        "from": instant(period.begin),
        "to": instant(period.end),
        "versions": [_version(one) for one in versions],
        "credits": versions[0].terms.get("credits"),
        "fee": contract.monthly_fee,
        "currency": contract.currency,
        "evidence": dict(evidence),
        "closed_at": instant(at),
        "closed_by": by.name,
    }


def _version(version: ContractVersion) -> dict[str, Any]:
    return {
        "number": version.number,
        "in_force_on": version.in_force_on.isoformat(),
        "sha256": sha256(rules.canonical(version.terms).encode()).hexdigest(),
    }


def _freeze(
    contract: Contract,
    head: dict[str, Any],
    lines: Lines,
    version: ContractVersion | None,
    *,
    by: Actor,
    at: datetime,
) -> Statement:
    """Write the statement, its lines and its credit; the figures are those of exactly these lines."""
    figures = rules.figures_of((one["clock"], one["priority"], one["verdict"]) for one in lines)
    totals = rules.totals_of(figures)
    proposal = rules.propose_credit(head["credits"], totals, fee=head["fee"], currency=head["currency"])
    text = rules.canonical(
        head
        | {
            "figures": [one.document() for one in figures],
            "totals": [one.document() for one in totals],
            "credit": proposal.document() if proposal else None,
            "lines": len(lines),
        }
    )
    bodies = [rules.canonical(one) for one in lines]
    statement = Statement(
        tenant_id=contract.tenant_id,
        contract_id=contract.id,
        month=date.fromisoformat(f"{head['month']}-01"),
        number=head["number"],
        head=text,
        sha256=rules.digest(text, bodies),
        line_count=len(lines),
        closed_at=at,
        closed_by=by.name[:120],
    )
    db.session.add(statement)
    db.session.flush()
    _write_lines(statement, lines, bodies)
    if proposal is not None and proposal.amount > 0:
        _propose(statement, proposal)
    _note(statement, "statement.closed" if statement.number == 1 else "statement.amended", by=by, at=at)
    events.record(
        StatementClosed(
            tenant_id=statement.tenant_id, at=at, by=by, statement_id=statement.id, number=statement.number
        )
    )
    return statement


def _write_lines(statement: Statement, lines: Lines, bodies: list[str]) -> None:
    if not lines:
        return
    place = {"tenant_id": statement.tenant_id, "statement_id": statement.id}
    rows = [
        place
        | {
            "position": position,
            "clock": line["clock"],
            "priority": line["priority"],
            "verdict": line["verdict"],
            "body": body,
        }
        for position, (line, body) in enumerate(zip(lines, bodies, strict=True), start=1)
    ]
    db.session.execute(insert(StatementLine), rows)


def _propose(statement: Statement, proposal: rules.Proposal) -> None:
    db.session.add(
        Credit(
            tenant_id=statement.tenant_id,
            statement_id=statement.id,
            amount=proposal.amount,
            currency=proposal.currency,
        )
    )
    db.session.flush()


def amend_statement(
    statement: Statement, *, set_aside: Collection[int], reason: str, by: Actor, at: datetime
) -> Statement:
    """The same month once more, with exactly these missed lines (by position) set aside; the first stays (S7).

    Raises Invalid on `reason` and `set_aside`, Conflict where a later amendment holds already.
    """
    contract = _held(statement)
    latest = queries.find_latest(contract, statement.month)
    if latest is None or latest.id != statement.id:
        raise Conflict(_l("This statement was amended meanwhile. Look at the latest one first."))
    why = _checked(reason)
    lines = [json.loads(one.body) for one in queries.list_lines(statement)]
    changed = _set_aside(lines, set(set_aside), why)
    if not changed:
        raise Invalid("set_aside", _l("Choose what is to change: nothing differs from the statement."))
    _replace_credit(statement)
    head = json.loads(statement.head) | {
        "number": statement.number + 1,
        "replaces": statement.sha256,
        "reason": why,
        "closed_at": instant(at),
        "closed_by": by.name,
    }
    return _freeze(contract, head, lines, None, by=by, at=at)


def _held(statement: Statement) -> Contract:
    """The contract's row, locked: closing, amending and deciding take their turns."""
    owned = select(Contract).where(
        Contract.tenant_id == statement.tenant_id, Contract.id == statement.contract_id
    )
    return db.session.scalars(owned.with_for_update()).one()


def _checked(reason: str) -> str:
    said = reason.strip()
    if not said or len(said) > LONGEST_REASON or "\x00" in said:
        raise Invalid("reason", _l("Say why, in at most 2,000 characters: the client reads it."))
    return said


def _set_aside(lines: Lines, wanted: set[int], reason: str) -> bool:
    """Turn missed lines into set-aside ones, and back where they are no longer wanted. Raises Invalid."""
    missed = {place for place, line in enumerate(lines, start=1) if line["verdict"] != "met"}
    if wanted - missed:
        raise Invalid("set_aside", _l("Only missed targets can be set aside."))
    changed = False
    for place in sorted(missed):
        line = lines[place - 1]
        verdict = "set_aside" if place in wanted else "missed"
        if line["verdict"] != verdict:
            line["verdict"], line["set_aside"] = verdict, reason if place in wanted else None
            changed = True
    return changed


def _replace_credit(statement: Statement) -> None:
    credit = queries.find_credit(statement)
    if credit is not None:
        credit.state = "replaced"


def decide_credit(statement: Statement, *, approve: bool, reason: str, by: Actor, at: datetime) -> Credit:
    """Approve or decline what was proposed, with a reason that the client reads. Raises Invalid and Conflict."""
    _held(statement)
    credit = queries.find_credit(statement)
    if credit is not None:
        db.session.refresh(credit)
    if credit is None or credit.state != "proposed":
        raise Conflict(_l("This credit was decided or replaced already."))
    credit.reason = _checked(reason)
    credit.state = "approved" if approve else "declined"
    credit.decided_by, credit.decided_at = by.name[:120], at
    _note(statement, f"credit.{credit.state}", by=by, at=at, amount=credit.amount, currency=credit.currency)
    return credit


def _note(statement: Statement, action: str, *, by: Actor, at: datetime, **detail: Any) -> None:
    audit.record(
        action,
        tenant_id=statement.tenant_id,
        by=by,
        object=f"statement:{statement.public_id}",
        at=at,
        detail={
            "month": f"{statement.month:%Y-%m}",
            "number": statement.number,
            "sha256": statement.sha256,
            **detail,
        },
    )


def is_intact(statement: Statement) -> bool:
    """Whether the digest still fits the head and every line."""
    bodies = (one.body for one in queries.list_lines(statement))
    return rules.digest(statement.head, bodies) == statement.sha256
