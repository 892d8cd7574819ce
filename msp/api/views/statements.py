"""Monthly statements."""

from typing import Any

from apiflask import FileSchema
from flask import Response
from marshmallow import RAISE

from contracts.statements import queries
from contracts.statements.models import Credit
from msp.api.blueprint import bp
from msp.api.references import tenant_filter
from msp.api.rights import allow
from msp.api.schemas.common import page_of
from msp.api.schemas.statements import StatementOut, StatementQuery
from msp.api.views.listing import page_document
from msp.reports import pages
from msp.web.access import require
from msp.web.limits import printed
from msp.web.months import read_month
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of

_SHOWN = ("number", "closed_at", "line_count", "sha256")


@bp.get("/statements")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CONTRACTS, client=Permission.VIEW_OWN_CONTRACT)
@bp.input(StatementQuery, location="query", unknown=RAISE)
@bp.output(page_of(StatementOut))
@bp.doc(tags=["Contracts"])
def list_statements(query_data: dict[str, Any]) -> Any:
    """List statements, the latest month first."""
    after, limit = pages.asked_page()
    rows = queries.list_statements(
        tenant_id=tenant_filter(query_data["tenant"]),
        month=read_month(query_data["month"]) if query_data["month"] else None,
        after=after,
        limit=limit + 1,
    )
    slugs = names_of([one.statement.tenant_id for one in rows])
    return page_document(
        rows,
        limit,
        pages.page_key,
        lambda one: _document(one.statement, one.credit, slugs[one.statement.tenant_id].slug),
    )


@bp.get("/statements/<id>")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CONTRACTS, client=Permission.VIEW_OWN_CONTRACT)
@bp.output(StatementOut)
@bp.doc(tags=["Contracts"])
def find_statement(id: str) -> Any:
    """Find one statement."""
    statement = queries.find_statement(id)
    slug = names_of([statement.tenant_id])[statement.tenant_id].slug
    return _document(statement, queries.find_credit(statement), slug)


def _document(statement: Any, credit: Credit | None, slug: str) -> dict[str, Any]:
    head = pages.head_of(statement)
    return {name: getattr(statement, name) for name in _SHOWN} | {
        "id": statement.public_id,
        "tenant": slug,
        "contract": head["contract"]["id"],
        "month": f"{statement.month:%Y-%m}",
        "reason": head["reason"],
        "figures": head["figures"],
        "totals": head["totals"],
        "credit": credit,
    }


@bp.get("/statements/<id>.pdf")
@printed
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CONTRACTS, client=Permission.VIEW_OWN_CONTRACT)
@bp.output(FileSchema, content_type="application/pdf")
@bp.doc(tags=["Contracts"])
def download_statement_pdf(id: str) -> Response:
    """Download a statement as PDF."""
    return pages.as_pdf(queries.find_statement(id))


@bp.get("/statements/<id>.csv")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CONTRACTS, client=Permission.VIEW_OWN_CONTRACT)
@bp.output(FileSchema, content_type="text/csv")
@bp.doc(tags=["Contracts"])
def download_statement_csv(id: str) -> Response:
    """Download a statement's lines as CSV."""
    return pages.as_csv(queries.find_statement(id))
