"""The client's contract: what was promised, in all its versions, and how far it was kept, ticket by ticket."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import render_template
from flask_babel import lazy_gettext as _l

from contracts.terms import queries
from contracts.terms.document import read_promise
from contracts.terms.models import Contract
from contracts.timers.queries import list_attainment, list_decisions, month_bounds
from msp.portal.blueprint import bp
from msp.promises.sheet import Shown, show_versions
from msp.reports.evidence import gather_hours
from msp.reports.promised import HoursView, hours_sentence
from msp.web import navigation
from msp.web.access import require, tenant
from msp.web.months import chosen_month, month_links
from msp.web.paging import asked, cut
from tenants.foundation import time
from tenants.foundation.permissions import Permission

PLACE = navigation.Place(
    _l("Contract"),
    "portal.show_contract",
    "file-earmark-text",
    Permission.VIEW_OWN_CONTRACT,
    staff=False,
    order=40,
)


@bp.get("/contract")
@require(Permission.VIEW_OWN_CONTRACT)
def show_contract() -> Any:
    """The contract in force with all earlier versions, and this month's attainment."""
    contracts = queries.list_contracts(tenant())
    zone = contracts[0].time_zone if contracts else "Asia/Jakarta"
    month = chosen_month(zone)
    return render_template(
        "portal/show_contract.html",
        contracts=_shown(contracts),
        hours=[_hours_used(one, month) for one in contracts],
        figures=list_attainment(*month_bounds(month, zone), tenant()),
        month=month,
        months=month_links(month, zone, "portal.show_contract"),
        zone=zone,
    )


def _shown(contracts: list[Contract]) -> list[tuple[Contract, list[Shown]]]:
    """Every contract with all its versions, each beside the one before."""
    now = time.now()
    current = queries.find_version_in_force(tenant(), now)
    days = [now.astimezone(ZoneInfo(one.time_zone)).date() for one in contracts]
    return [
        (one, show_versions(one, queries.list_versions(one), current, today))
        for one, today in zip(contracts, days, strict=True)
    ]


def _hours_used(contract: Contract, month: date) -> str:
    """A sentence about the month's hours so far; empty where none are included."""
    version = queries.find_last_version(contract, month_bounds(month, contract.time_zone)[1])
    included = read_promise(version.terms).included_hours if version else None
    if included is None:
        return ""
    found = gather_hours(contract, month)
    return hours_sentence(HoursView(included, found["used_minutes"], found["billable_minutes"], ()))


@bp.get("/contract/decisions")
@require(Permission.VIEW_OWN_CONTRACT)
def list_contract_decisions() -> Any:
    """Every ticket behind a month's figures."""
    contracts = queries.list_contracts(tenant())
    zone = contracts[0].time_zone if contracts else "Asia/Jakarta"
    month = chosen_month(zone)
    after, limit = asked(datetime, int)
    begin, end = month_bounds(month, zone)
    key = (after[0], after[1]) if after else None
    rows = list_decisions(begin, end, tenant_id=tenant(), after=key, limit=limit + 1)
    page = cut(rows, limit, lambda row: (row[0].at, row[0].id))
    return render_template("portal/list_contract_decisions.html", page=page, month=month, zone=zone)
