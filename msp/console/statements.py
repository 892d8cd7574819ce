"""Statements for staff: over all clients, one client's, closing a month, amending, deciding credits."""

import re
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.validators import AnyOf, DataRequired, Length

from contracts.statements import queries, services
from contracts.statements.models import Statement
from contracts.terms.models import Contract
from contracts.terms.queries import find_contract, list_contracts
from msp.console.blueprint import bp
from msp.reports import pages, words
from msp.reports.evidence import gather_evidence
from msp.reports.view import read, read_lines
from msp.web import navigation
from msp.web.access import actor, require
from msp.web.errors import refuse_into_form
from msp.web.fields import plain_text
from msp.web.limits import printed
from msp.web.months import read_month
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import Conflict, Invalid, NotFound
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import find_tenant, find_tenant_by_id, names_of

PLACE = navigation.Place(
    _l("Statements"),
    "console.list_statements",
    "file-earmark-check",
    Permission.VIEW_CONTRACTS,
    staff=True,
    order=62,
)


_POSITION = re.compile(r"[1-9]\d{0,8}", re.ASCII)


class CloseForm(FlaskForm):
    """Which month of which contract."""

    contract = StringField(_l("Contract"), [DataRequired()])
    month = StringField(_l("Month"), [DataRequired(_l("Choose a month.")), plain_text])


class ReasonForm(FlaskForm):
    """A reason that the client reads."""

    reason = TextAreaField(
        _l("Reason"),
        [
            DataRequired(_l("Say why, in at most 2,000 characters: the client reads it.")),
            Length(max=2000, message=_l("Say why, in at most 2,000 characters: the client reads it.")),
        ],
    )


class CreditForm(ReasonForm):
    """What is decided about a credit, and why."""

    decision = StringField(
        _l("Decision"), [AnyOf(("approve", "decline"), message=_l("Approve the credit or decline it."))]
    )


@bp.get("/statements")
@require(Permission.VIEW_CONTRACTS)
def list_statements() -> Any:
    """The statements of every client one works for, the latest month first."""
    return _listed(None)


@bp.get("/tenants/<slug>/statements")
@require(Permission.VIEW_CONTRACTS)
def list_client_statements(slug: str) -> Any:
    """One client's statements, with the form that closes a month."""
    return _listed(slug)


def _listed(slug: str | None, form: CloseForm | None = None) -> Any:
    client = find_tenant(slug) if slug else None
    after, limit = pages.asked_page()
    rows = queries.list_statements(tenant_id=client.id if client else None, after=after, limit=limit + 1)
    page = pages.cut_page(rows, limit)
    html = render_template(
        "console/list_statements.html",
        client=client,
        contracts=list_contracts(client.id) if client else [],
        form=form or CloseForm(formdata=None),
        page=page,
        credit_word=words.credit_state,
        views={one.statement.id: read(one.statement) for one in page.items},
        clients=names_of([one.statement.tenant_id for one in page.items]),
    )
    return html, 422 if form is not None else 200


@bp.post("/tenants/<slug>/statements")
@require(Permission.MANAGE_CONTRACTS)
def close_month(slug: str) -> Any:
    """Close a month by hand; one that is closed already is shown."""
    client, form = find_tenant(slug), CloseForm()
    if form.validate_on_submit():
        try:
            contract = _contract_of(client.id, form.contract.data or "")
            month = read_month(form.month.data or "")
            statement = services.close_month(
                contract, month, evidence=gather_evidence(contract, month), by=actor(), at=time.now()
            )
            db.session.commit()
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
        else:
            flash(_("The month is closed."), "good")
            return redirect(url_for("console.show_statement", statement_id=statement.public_id))
    return _listed(slug, form)


def _contract_of(tenant_id: int, public_id: str) -> Contract:
    contract = find_contract(public_id)
    if contract.tenant_id != tenant_id:
        raise NotFound
    return contract


@bp.get("/statements/<statement_id>")
@require(Permission.VIEW_CONTRACTS)
def show_statement(statement_id: str) -> Any:
    """One month of one client."""
    return _shown(queries.find_statement(statement_id))


def _shown(statement: Statement, form: ReasonForm | None = None) -> Any:
    html = render_template(
        "console/show_statement.html",
        client=find_tenant_by_id(statement.tenant_id),
        form=form or ReasonForm(formdata=None),
        **pages.statement_context(statement),
    )
    return html, 422 if form is not None else 200


@bp.get("/statements/<statement_id>/lines")
@require(Permission.VIEW_CONTRACTS)
def list_statement_lines(statement_id: str) -> Any:
    """Every target behind a figure."""
    statement = queries.find_statement(statement_id)
    client = find_tenant_by_id(statement.tenant_id)
    return render_template(
        "console/list_statement_lines.html", client=client, **pages.lines_context(statement)
    )


@bp.get("/statements/<statement_id>.pdf")
@printed
@require(Permission.VIEW_CONTRACTS)
def download_statement_pdf(statement_id: str) -> Response:
    """The statement as PDF."""
    return pages.as_pdf(queries.find_statement(statement_id))


@bp.get("/statements/<statement_id>.csv")
@require(Permission.VIEW_CONTRACTS)
def download_statement_csv(statement_id: str) -> Response:
    """The statement's lines as CSV."""
    return pages.as_csv(queries.find_statement(statement_id))


@bp.route("/statements/<statement_id>/amend", methods=["GET", "POST"])
@require(Permission.MANAGE_CONTRACTS)
def amend_statement(statement_id: str) -> Any:
    """Set missed targets aside, or count them again, with a reason: another statement of the same month."""
    statement, form = queries.find_statement(statement_id), ReasonForm()
    chosen = _positions(statement)
    if form.validate_on_submit():
        try:
            amended = services.amend_statement(
                statement, set_aside=chosen, reason=form.reason.data or "", by=actor(), at=time.now()
            )
            db.session.commit()
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
        except Conflict as late:
            db.session.rollback()
            flash(str(late.message), "risk")
            return redirect(url_for("console.show_statement", statement_id=statement_id))
        else:
            flash(_("The amendment is written. The first statement stays as it was."), "good")
            return redirect(url_for("console.show_statement", statement_id=amended.public_id))
    missed = [
        line for verdict in ("missed", "set_aside") for line in queries.list_lines(statement, verdict=verdict)
    ]
    html = render_template(
        "console/amend_statement.html",
        client=find_tenant_by_id(statement.tenant_id),
        view=read(statement),
        lines=sorted(read_lines(missed), key=lambda line: line.position),
        chosen=chosen,
        form=form,
    )
    return html, 422 if request.method == "POST" else 200


def _positions(statement: Statement) -> set[int]:
    """The lines that are ticked; at first those that are set aside already."""
    if request.method == "GET":
        return {line.position for line in queries.list_lines(statement, verdict="set_aside")}
    return {int(one) for one in request.form.getlist("set_aside") if _POSITION.fullmatch(one)}


@bp.post("/statements/<statement_id>/credit")
@require(Permission.MANAGE_CONTRACTS)
def decide_credit(statement_id: str) -> Any:
    """Approve or decline the credit, with a reason that the client reads."""
    statement, form = queries.find_statement(statement_id), CreditForm()
    if form.validate_on_submit():
        approve = form.decision.data == "approve"
        try:
            services.decide_credit(
                statement, approve=approve, reason=form.reason.data or "", by=actor(), at=time.now()
            )
            db.session.commit()
        except Invalid as refused:
            db.session.rollback()
            refuse_into_form(refused, form)
        except Conflict as late:
            db.session.rollback()
            flash(str(late.message), "risk")
        else:
            flash(_("The credit is approved.") if approve else _("The credit is declined."), "good")
    if form.errors:
        return _shown(statement, form)
    return redirect(url_for("console.show_statement", statement_id=statement_id))
