"""What a statement says of promises beside the clocks: only what somebody measured, and by name what nobody did."""

from datetime import date
from typing import Any

from contracts.statements.evidence import Period
from contracts.terms.document import read_promise
from contracts.terms.models import Contract
from contracts.terms.queries import find_last_version

NOT_MEASURED = "not_measured"


def gather_evidence(contract: Contract, month: date) -> dict[str, Any]:
    """The promises of the terms in force on the month's last day, each with what is known of it."""
    version = find_last_version(contract, Period.of(contract, month).end)
    if version is None:
        return {}
    promise = read_promise(version.terms)
    promised = {"patch_days": promise.patch_promise_days, "included_hours": promise.included_hours}
    return {
        name: {"promised": value, "state": NOT_MEASURED}
        for name, value in promised.items()
        if value is not None
    }
