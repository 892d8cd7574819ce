"""Applying the version in force to open tickets: what that would change is said before it is done."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from contracts.terms import queries
from contracts.terms.models import Contract, ContractVersion
from contracts.timers.applying import check_in_force, foresee_version
from msp.console.blueprint import bp
from msp.timers.applying import begin_applying
from msp.web.access import actor, require
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of


@bp.route("/contracts/<contract_id>/apply", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def apply_version(contract_id: str) -> Any:
    """Say to how many tickets, and what would move; then have the version in force measure them."""
    contract = queries.find_contract(contract_id)
    owner = names_of([contract.tenant_id])[contract.tenant_id]
    version = queries.find_version_of(contract, time.now())
    back = url_for("console.show_contract", slug=owner.slug)
    if version is None:
        flash(_("No terms of this contract are in force today, so none can be applied."), "warning")
        return redirect(back)
    if request.method == "POST" and _is_of(version) and _applied(contract, version):
        return redirect(back)
    page = render_template(
        "console/apply_version.html",
        tenant=owner,
        contract=contract,
        version=version,
        foreseen=foresee_version(version, at=time.now()),
        stale=request.method == "POST",
    )
    return page, 409 if request.method == "POST" else 200


def _is_of(version: ContractVersion) -> bool:
    """Whether the page that was sent spoke of this version: another may have come into force since."""
    return request.form.get("version") == str(version.number)


def _applied(contract: Contract, version: ContractVersion) -> bool:
    try:
        check_in_force(contract, version, at=time.now())
        applied = begin_applying(version, by=actor(), at=time.now())
    except Conflict:
        db.session.rollback()
        return False
    db.session.commit()
    if applied.waiting:
        flash(
            ngettext(
                "Version %(version)s is being applied to %(num)s open ticket.",
                "Version %(version)s is being applied to %(num)s open tickets.",
                applied.waiting,
                version=version.number,
            ),
            "good",
        )
    else:
        flash(
            ngettext(
                "Version %(version)s measures %(num)s more open ticket from now on.",
                "Version %(version)s measures %(num)s more open tickets from now on.",
                applied.done,
                version=version.number,
            ),
            "good",
        )
    return True
