"""Whether stored clocks are what the histories say: for managers, over all clients."""

from typing import Any

from flask import render_template

from contracts.timers.checks import MOST_SHOWN, list_differences, list_latest_checks
from msp.console.blueprint import bp
from msp.web.access import require
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of


@bp.get("/sla")
@require(Permission.MANAGE_CONTRACTS)
def show_clock_checks() -> Any:
    """The latest nightly comparison of each client, and every difference it found."""
    checks = list_latest_checks()
    return render_template(
        "console/show_clock_checks.html",
        checks=checks,
        differences=list_differences(checks),
        found=sum(one.differences for one in checks),
        most=MOST_SHOWN,
        tenants=names_of([one.tenant_id for one in checks]),
    )
