"""Contracts for staff: what is in force, every earlier version, new terms, and attainment over all clients."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from contracts.clock.calendar import WEEKDAYS
from contracts.terms import queries, services
from contracts.terms.document import PAUSE_REASONS, PRIORITIES
from contracts.terms.models import Contract, ContractVersion
from contracts.timers.queries import list_attainment, month_bounds
from msp.console.blueprint import bp
from msp.console.contract_forms import (
    CLOCKS,
    ContractForm,
    TermsForm,
    beside_fields,
    document_of,
    fields_of,
    first_terms,
    prepare,
)
from msp.web import navigation
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.months import chosen_month, month_links
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, InvalidMany
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant, names_of

PLACE = navigation.Place(
    _l("Service levels"),
    "console.show_attainment",
    "file-earmark-text",
    Permission.VIEW_CONTRACTS,
    staff=True,
    order=60,
)
HOME_ZONE = "Asia/Jakarta"


@bp.get("/tenants/<slug>/contract")
@require(Permission.VIEW_CONTRACTS)
def show_contract(slug: str) -> Any:
    """A client's contracts with all their versions, the one in force first."""
    tenant = find_tenant(slug)
    contracts = queries.list_contracts(tenant.id)
    shown = [(one, queries.list_versions(one)) for one in contracts]
    current = queries.find_version_in_force(tenant.id, time.now())
    return render_template("console/show_contract.html", tenant=tenant, contracts=shown, current=current)


@bp.route("/tenants/<slug>/contract/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_contract(slug: str) -> Any:
    """A new contract with its first terms."""
    tenant = find_tenant(slug)
    today = time.now().astimezone(ZoneInfo(tenant.time_zone)).date()
    terms = first_terms(tenant.time_zone, today)
    form = ContractForm(data=None if request.method == "POST" else fields_of(terms) | {"in_force_on": today})
    prepare(form)
    if request.method == "GET":
        form.time_zone.data = tenant.time_zone
    if form.validate_on_submit() and _added(tenant.id, form, terms):
        flash(_("The contract is in the book."), "good")
        return redirect(url_for("console.show_contract", slug=slug))
    return _form_page("add_contract", form, tenant=tenant)


def _added(tenant_id: int, form: ContractForm, terms: dict[str, Any]) -> bool:
    def save(document: dict[str, Any]) -> None:
        services.add_contract(
            tenant_id,
            name=form.name.data or "",
            time_zone=form.time_zone.data or "",
            starts_on=form.in_force_on.data or date.min,
            ends_on=form.ends_on.data,
            monthly_fee=form.monthly_fee.data or 0,
            currency=form.currency.data or "",
            terms=document,
            by=actor(),
            at=time.now(),
        )

    return _saved(form, form.time_zone.data or "", terms, save)


@bp.route("/contracts/<contract_id>/versions/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_version(contract_id: str) -> Any:
    """New terms from a day on; those in force stay as they are."""
    contract = queries.find_contract(contract_id)
    latest = queries.list_versions(contract)[0]
    form = TermsForm(data=None if request.method == "POST" else fields_of(latest.terms))
    if form.validate_on_submit() and _followed(contract, latest, form):
        flash(_("The new terms are in the book."), "good")
        return redirect(
            url_for("console.show_contract", slug=names_of([contract.tenant_id])[contract.tenant_id].slug)
        )
    owner = names_of([contract.tenant_id])[contract.tenant_id]
    return _form_page("add_version", form, tenant=owner, contract=contract, latest=latest)


def _followed(contract: Contract, latest: ContractVersion, form: TermsForm) -> bool:
    def save(document: dict[str, Any]) -> None:
        services.add_version(
            contract,
            in_force_on=form.in_force_on.data or date.min,
            terms=document,
            note=form.note.data or "",
            by=actor(),
            at=time.now(),
        )

    return _saved(form, contract.time_zone, latest.terms, save)


def _saved(form: TermsForm, time_zone: str, before: dict[str, Any], save: Any) -> bool:
    """Write and commit, or put each refusal beside its field."""
    document: dict[str, Any] = before
    try:
        document = document_of(form, time_zone, before)
        save(document)
    except Invalid as refused:
        db.session.rollback()
        named = [(_renamed(field), message) for field, message in beside_fields(refused.errors, document)]
        refuse_into_form(InvalidMany(named), form)
        return False
    db.session.commit()
    return True


def _renamed(field: str) -> str:
    return "in_force_on" if field == "starts_on" else field


def _form_page(page: str, form: TermsForm, **context: Any) -> Any:
    html = render_template(
        f"console/{page}.html",
        form=form,
        priorities=PRIORITIES,
        clocks=CLOCKS,
        weekdays=WEEKDAYS,
        reasons=PAUSE_REASONS,
        **context,
    )
    return html, 422 if form.errors else 200


@bp.get("/attainment")
@require(Permission.VIEW_CONTRACTS)
def show_attainment() -> Any:
    """How far promises were kept, by client, in one month of the provider's home zone."""
    month = chosen_month(HOME_ZONE)
    figures = list_attainment(*month_bounds(month, HOME_ZONE))
    tenants = names_of(sorted({one.tenant_id for one in figures}))
    return render_template(
        "console/show_attainment.html",
        month=month,
        months=month_links(HOME_ZONE, "console.show_attainment"),
        rows=_by_tenant(figures),
        tenants=tenants,
        zone=HOME_ZONE,
    )


def _by_tenant(figures: Sequence[Any]) -> list[tuple[int, dict[str, tuple[int, int]]]]:
    """Met and missed of each clock, by client."""
    found: dict[int, dict[str, tuple[int, int]]] = {}
    for one in figures:
        clocks = found.setdefault(one.tenant_id, {})
        met, missed = clocks.get(one.clock, (0, 0))
        clocks[one.clock] = (met + one.met, missed + one.missed)
    return sorted(found.items())
