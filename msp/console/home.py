"""The console's first page: where it burns."""

from typing import Any

from flask import render_template

from msp.console.blueprint import bp
from msp.console.overview import list_lines
from msp.web.access import require
from tenants.foundation import time
from tenants.foundation.permissions import Permission


@bp.get("/")
@require(Permission.VIEW_CONSOLE)
def show_home() -> Any:
    """Clients with their numbers, the hottest first; engineers find the way to their queue."""
    lines = list_lines(time.now())
    own = [line for line in lines if line.tenant.kind == "own"]
    return render_template(
        "console/show_home.html",
        lines=[line for line in lines if line.tenant.kind != "own"] + own,
        clients=[line for line in lines if line.tenant.kind != "own"],
    )
