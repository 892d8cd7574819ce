"""The calculator: anybody who is signed in can check a clock, second by second, with the function that decides."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import render_template, request
from flask_babel import lazy_gettext as _l

from contracts.clock import calculation
from contracts.clock.calculation import CalculationInvalid
from contracts.clock.calendar import WEEKDAYS
from contracts.clock.clock import ClockWarning, State, judge
from contracts.clock.strip import Interval, IntervalKind
from contracts.terms.models import ContractVersion
from contracts.terms.queries import find_version_in_force
from msp.reports.blueprint import bp
from msp.reports.calculator_form import (
    FEWEST_PAUSES,
    HOME_ZONES,
    CalculatorForm,
    beside_fields,
    calculator_form,
    calendar_fields,
    document_of,
    doubtful,
    local_words,
)
from msp.web import navigation
from msp.web.access import actor, principal, require
from msp.web.errors import refuse_into_form
from tenants.foundation import time
from tenants.foundation.errors import InvalidMany
from tenants.foundation.permissions import Permission
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant, find_tenant_by_id, list_all_tenants

PLACES = tuple(
    navigation.Place(
        _l("Calculator"),
        "reports.calculate_sla",
        "stopwatch",
        Permission.CALCULATE_SLA,
        staff=staff,
        order=order,
    )
    for staff, order in ((True, 65), (False, 45))
)
MORE = 4
_WEEK = {f"hours_{day}": "08:00-17:00" for day in WEEKDAYS[:5]}


@dataclass(frozen=True)
class Result:
    """What the clock says, and the exact wall time of each kind of interval; all in seconds."""

    state: State
    elapsed_seconds: int
    remaining_seconds: int
    paused_business_seconds: int
    target_seconds: int
    due_at: datetime | None
    missed_at: datetime | None
    warnings: Sequence[ClockWarning]
    intervals: Sequence[Interval]
    as_of: datetime
    zone: str
    document: str

    @property
    def totals(self) -> list[tuple[IntervalKind, int]]:
        """Wall time by kind; together they are the time from the start to the end."""
        return [
            (kind, sum(_length(one) for one in self.intervals if one.kind == kind)) for kind in IntervalKind
        ]

    @property
    def whole_seconds(self) -> int:
        """From the start to the end."""
        return sum(_length(one) for one in self.intervals)


def _length(interval: Interval) -> int:
    return int((interval.to_at - interval.from_at).total_seconds())


@bp.route("/calculator", methods=["GET", "POST"])
@require(Permission.CALCULATE_SLA)
def calculate_sla() -> Any:
    """A form for what `POST /api/v1/sla/calculations` takes, and its answer drawn; stores nothing."""
    owner = _chosen_client()
    form = _form(owner)
    result = None
    if request.method == "POST" and "more" not in request.form and form.validate():
        result = _calculated(form)
    page = render_template(
        "reports/calculate_sla.html",
        form=form,
        result=result,
        owner=owner,
        clients=list_all_tenants() if _may_choose() else (),
        may_take_own=owner is None and _own() is not None,
        days=[f"hours_{day}" for day in WEEKDAYS],
    )
    return page, 422 if form.errors else 200


def _form(owner: Tenant | None) -> CalculatorForm:
    if request.method == "POST":
        rows = sum(1 for name in request.form if name.startswith("pause_") and name.endswith("_from"))
        return calculator_form(rows + MORE if "more" in request.form else rows)
    return calculator_form(FEWEST_PAUSES, data=_first_values(owner))


def _first_values(owner: Tenant | None) -> dict[str, Any]:
    """A calendar to begin with, and a clock that started two hours ago."""
    now = time.now()
    version = find_version_in_force(owner.id, now) if owner else None
    calendar: dict[str, Any] = {"time_zone": owner.time_zone if owner else HOME_ZONES[0], **_WEEK}
    if owner is not None and version is not None:
        calendar = calendar_fields(version.terms["calendar"], owner.time_zone)
    zone = calendar["time_zone"]
    return calendar | {
        "target_minutes": "240",
        "warn_at_percent": ", ".join(map(str, _percents(version))),
        "started_at": local_words(now - timedelta(hours=2), zone),
        "as_of": local_words(now, zone),
    }


def _percents(version: ContractVersion | None) -> list[int]:
    return version.terms["warn_at_percent"] if version else [50, 75, 90]


def _may_choose() -> bool:
    return actor().is_staff and actor().may(Permission.VIEW_CONTRACTS)


def _chosen_client() -> Tenant | None:
    """Whose contract the form begins with: staff name a client, a client's person has one. Raises NotFound."""
    slug = request.args.get("client", "")
    if not slug:
        return None
    if actor().is_staff:
        return find_tenant(slug) if _may_choose() else None
    own = _own()
    return own if own is not None and own.slug == slug else find_tenant("")


def _own() -> Tenant | None:
    """The company of a client's person who may read its contract."""
    found = principal()
    if found.tenant_id is None or not actor().may(Permission.VIEW_OWN_CONTRACT):
        return None
    return find_tenant_by_id(found.tenant_id)


def _calculated(form: CalculatorForm) -> Result | None:
    """The answer, or None after each fault was put beside its field."""
    doubts = doubtful(form)
    if doubts:
        refuse_into_form(InvalidMany(doubts), form)
        return None
    document = document_of(form)
    try:
        return _result(document, form.time_zone.data or HOME_ZONES[0])
    except CalculationInvalid as wrong:
        refuse_into_form(InvalidMany(beside_fields(wrong.faults, form)), form)
        return None


def _result(document: dict[str, Any], zone: str) -> Result:
    """The very answer of the API. Raises CalculationInvalid."""
    read = calculation.parse(document)
    calculation.answer(read)  # refuses what needs too many intervals
    verdict = judge(read.clock)
    return Result(
        verdict.state,
        verdict.elapsed_seconds,
        verdict.remaining_seconds,
        verdict.paused_business_seconds,
        read.clock.target_seconds,
        verdict.due_at,
        verdict.missed_at,
        verdict.warnings,
        verdict.intervals,
        read.clock.as_of,
        zone,
        json.dumps(document, indent=1, ensure_ascii=False),
    )
