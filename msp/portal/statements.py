"""The client's statements: what was kept each month, every line behind it, and the credit that follows."""

from typing import Any

from flask import Response, render_template
from flask_babel import lazy_gettext as _l

from contracts.statements import queries
from contracts.statements.models import Statement
from msp.portal.blueprint import bp
from msp.reports import pages, words
from msp.reports.view import read
from msp.web import navigation
from msp.web.access import require, tenant
from msp.web.limits import printed
from tenants.foundation.permissions import Permission

PLACE = navigation.Place(
    _l("Statements"),
    "portal.list_statements",
    "file-earmark-check",
    Permission.VIEW_OWN_CONTRACT,
    staff=False,
    order=42,
)


def _own(statement_id: str) -> Statement:
    return queries.find_statement(statement_id, tenant_id=tenant())


@bp.get("/statements")
@require(Permission.VIEW_OWN_CONTRACT)
def list_statements() -> Any:
    """Every statement of the company, the latest month first."""
    after, limit = pages.asked_page()
    rows = queries.list_statements(tenant_id=tenant(), after=after, limit=limit + 1)
    page = pages.cut_page(rows, limit)
    views = {one.statement.id: read(one.statement) for one in page.items}
    return render_template(
        "portal/list_statements.html", page=page, views=views, credit_word=words.credit_state
    )


@bp.get("/statements/<statement_id>")
@require(Permission.VIEW_OWN_CONTRACT)
def show_statement(statement_id: str) -> Any:
    """One month: figures, what was missed and why, the credit, the digest."""
    return render_template("portal/show_statement.html", **pages.statement_context(_own(statement_id)))


@bp.get("/statements/<statement_id>/lines")
@require(Permission.VIEW_OWN_CONTRACT)
def list_statement_lines(statement_id: str) -> Any:
    """Every target behind a figure."""
    return render_template("portal/list_statement_lines.html", **pages.lines_context(_own(statement_id)))


@bp.get("/statements/<statement_id>.pdf")
@printed
@require(Permission.VIEW_OWN_CONTRACT)
def download_statement_pdf(statement_id: str) -> Response:
    """The statement as PDF."""
    return pages.as_pdf(_own(statement_id))


@bp.get("/statements/<statement_id>.csv")
@require(Permission.VIEW_OWN_CONTRACT)
def download_statement_csv(statement_id: str) -> Response:
    """The statement's lines as CSV."""
    return pages.as_csv(_own(statement_id))
