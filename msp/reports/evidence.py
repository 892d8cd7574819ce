"""What a statement says of promises beside the clocks: what was promised, and what was measured of it."""

from datetime import date
from typing import Any

from contracts.statements.evidence import Period
from contracts.statements.rules import following
from contracts.terms.document import read_promise
from contracts.terms.models import Contract
from contracts.terms.queries import find_last_version, list_versions
from msp.reports.patches import gather_patches
from tenants.tickets.times import TimeLine, list_time_between

MEASURED = "measured"


def gather_evidence(contract: Contract, month: date) -> dict[str, Any]:
    """The promises of the terms in force on the month's last day, each with what was measured and what is behind it."""
    period = Period.of(contract, month)
    version = find_last_version(contract, period.end)
    if version is None:
        return {}
    promise = read_promise(version.terms)
    found: dict[str, Any] = {}
    if promise.patch_promise_days is not None:
        days = promise.patch_promise_days
        found["patch_days"] = _promised(days) | gather_patches(contract, period, days)
    if promise.included_hours is not None:
        found["included_hours"] = _promised(promise.included_hours) | gather_hours(contract, month)
    return found


def _promised(value: int) -> dict[str, Any]:
    return {"promised": value, "state": MEASURED}


def gather_hours(contract: Contract, month: date) -> dict[str, Any]:
    """Time worked in a month on the tickets that a contract measures; what is billable uses none of its hours."""
    versions = [one.id for one in list_versions(contract)]
    lines = list_time_between(contract.tenant_id, month, following(month), version_ids=versions)
    return {
        "used_minutes": sum(one.minutes for one in lines if not one.is_billable),
        "billable_minutes": sum(one.minutes for one in lines if one.is_billable),
        "lines": [_line(one) for one in lines],
    }


def _line(one: TimeLine) -> dict[str, Any]:
    return {
        "ticket": one.ticket,
        "on": one.on.isoformat(),
        "minutes": one.minutes,
        "by": one.person,
        "what": one.what,
        "billable": one.is_billable,
    }
