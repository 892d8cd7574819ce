"""Contracts for staff: what is in force, every earlier version, new terms, and attainment over all clients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from contracts.terms import queries, services
from contracts.terms.document import PRIORITIES
from contracts.terms.models import Contract, ContractVersion
from contracts.timers.queries import list_attainment, month_bounds
from msp.console.blueprint import bp
from msp.console.contract_drafts import Draft, beside_fields, draft_of, fields_of, first_terms, settle_days
from msp.console.contract_forms import ContractForm, TermsForm, prepare
from msp.console.contract_rows import GROUPS, F, check_rows, form_with, rows_in, rows_of
from msp.promises.changes import Row, difference_words
from msp.promises.sheet import show_versions
from msp.promises.week import Week, week_of
from msp.promises.words import (
    CLOCK_WORDS,
    NOTIFY_SHORT,
    NOTIFY_WORDS,
    REASON_WORDS,
    TARGET_WORDS,
    WEEKDAY_WORDS,
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
    """A client's contracts with all their versions, each beside the one before, the one in force first."""
    tenant = find_tenant(slug)
    contracts = queries.list_contracts(tenant.id)
    current = queries.find_version_in_force(tenant.id, time.now())
    shown = [
        (one, show_versions(one, queries.list_versions(one), current, _today(one.time_zone)))
        for one in contracts
    ]
    return render_template("console/show_contract.html", tenant=tenant, contracts=shown)


def _today(time_zone: str) -> date:
    return time.now().astimezone(ZoneInfo(time_zone)).date()


@bp.route("/tenants/<slug>/contract/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_contract(slug: str) -> Any:
    """A new contract with its first terms, looked at before it is saved."""
    tenant = find_tenant(slug)
    today = _today(tenant.time_zone)
    terms = first_terms(tenant.time_zone, today)
    begun = fields_of(terms, tenant.time_zone) | {"in_force_on": today, "time_zone": tenant.time_zone}
    form = _form(ContractForm, begun)
    preview = None
    if _is_to_check() and form.validate_on_submit():
        draft = _checked(form, form.time_zone.data or "", terms, partial(_check_contract, form))
        if draft and not _is_preview():
            _add_contract(tenant.id, form, draft)
            db.session.commit()
            flash(_("The contract is in the book."), "good")
            return redirect(url_for("console.show_contract", slug=slug))
        preview = _preview(form, draft, None)
    return _form_page("add_contract", form, today, tenant=tenant, preview=preview)


def _contract_values(form: ContractForm) -> dict[str, Any]:
    return {
        "name": form.name.data or "",
        "time_zone": form.time_zone.data or "",
        "starts_on": form.in_force_on.data or date.min,
        "ends_on": form.ends_on.data,
        "monthly_fee": form.monthly_fee.data or 0,
        "currency": form.currency.data or "",
    }


def _check_contract(form: ContractForm, terms: dict[str, Any]) -> None:
    services.check_contract(**_contract_values(form), terms=terms)


def _add_contract(tenant_id: int, form: ContractForm, draft: Draft) -> None:
    values = _contract_values(form)
    services.add_contract(tenant_id, **values, terms=draft.document, by=actor(), at=time.now())


@bp.route("/contracts/<contract_id>/versions/new", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def add_version(contract_id: str) -> Any:
    """New terms from a day on, looked at before they are saved; those in force stay as they are."""
    contract = queries.find_contract(contract_id)
    owner = names_of([contract.tenant_id])[contract.tenant_id]
    latest = queries.list_versions(contract)[0]
    calendar = latest.terms["calendar"]
    zone = contract.time_zone if calendar == "always" else calendar["time_zone"]
    form = _form(TermsForm, fields_of(latest.terms, zone))
    preview = None
    if _is_to_check() and form.validate_on_submit():
        draft = _checked(form, zone, latest.terms, partial(_check_version, contract, form))
        if draft and not _is_preview() and _followed(contract, form, draft):
            flash(_("The new terms are in the book."), "good")
            return redirect(url_for("console.show_contract", slug=owner.slug))
        preview = _preview(form, draft, latest)
    today = _today(contract.time_zone)
    context = {"tenant": owner, "contract": contract, "latest": latest, "preview": preview}
    return _form_page("add_version", form, today, **context)


def _check_version(contract: Contract, form: TermsForm, terms: dict[str, Any]) -> None:
    services.check_version(
        contract, in_force_on=form.in_force_on.data or date.min, terms=terms, at=time.now()
    )


def _followed(contract: Contract, form: TermsForm, draft: Draft) -> bool:
    """Write and commit; somebody else's version may have come first since the check."""
    try:
        services.add_version(
            contract,
            in_force_on=form.in_force_on.data or date.min,
            terms=draft.document,
            note=form.note.data or "",
            by=actor(),
            at=time.now(),
        )
    except Invalid as refused:
        db.session.rollback()
        refuse_into_form(refused, form)
        return False
    db.session.commit()
    return True


def _form(kind: type[F], begun: dict[str, Any]) -> F:
    """The form with the rows that were sent, or those of the terms to begin with."""
    sent = request.method == "POST"
    form = form_with(kind, rows_in(request.form if sent else begun))(data=None if sent else begun)
    prepare(form)
    return form


def _adds() -> str:
    """The group of which the page's button asks for another row; empty for every other button."""
    return next((group for group in GROUPS if request.form.get("step") == f"add_{group}"), "")


def _is_to_check() -> bool:
    """Whether the form is to be looked at whole: not where it is sent for another row only."""
    return request.method == "POST" and not _adds()


def _shown(group: str) -> int:
    """How many rows of a group the page had that was sent, and the one that it asks for."""
    return rows_in(request.form)[group] + (_adds() == group)


def _is_preview() -> bool:
    return request.form.get("step") == "preview"


def _checked(
    form: TermsForm, time_zone: str, before: dict[str, Any], check: Callable[[dict[str, Any]], None]
) -> Draft | None:
    """The draft that may be saved, or None after each refusal was put beside its field."""
    draft = None
    try:
        check_rows(rows_in(name for name, value in request.form.items() if value.strip()))
        draft = draft_of(form, time_zone, before)
        check(draft.document)
    except Invalid as refused:
        named = [(_renamed(name), message) for name, message in beside_fields(refused.errors, draft)]
        refuse_into_form(InvalidMany(named), form)
        return None
    return draft


def _renamed(field: str) -> str:
    return "in_force_on" if field == "starts_on" else field


@dataclass(frozen=True)
class Preview:
    """What a draft would be: a week of it, and what it changes (None where nothing was before)."""

    week: Week
    changes: list[Row] | None


def _preview(form: TermsForm, draft: Draft | None, latest: ContractVersion | None) -> Preview | None:
    if draft is None:
        return None
    shown_on = form.week_on.data or form.in_force_on.data or date.min
    changes = difference_words(latest.terms, draft.document) if latest else None
    return Preview(week_of(draft.document, shown_on), changes)


def _form_page(page: str, form: TermsForm, today: date, **context: Any) -> Any:
    html = render_template(
        f"console/{page}.html",
        form=form,
        offered=settle_days(form, today),
        priorities=PRIORITIES,
        clocks=TARGET_WORDS,
        weekdays=WEEKDAY_WORDS,
        reasons=REASON_WORDS,
        pauses=CLOCK_WORDS,
        people=NOTIFY_WORDS,
        people_short=NOTIFY_SHORT,
        rows={group: rows_of(form, group, _shown(group)) for group in GROUPS},
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
        months=month_links(month, HOME_ZONE, "console.show_attainment"),
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
