"""Contracts and their versions."""

from typing import Any

from marshmallow import RAISE

from contracts.terms.queries import find_contract
from msp.api import queries
from msp.api.blueprint import bp
from msp.api.references import tenant_filter
from msp.api.rights import allow
from msp.api.schemas.common import ListQuery, page_of
from msp.api.schemas.contracts import ContractOut, ContractQuery, ContractVersionOut
from msp.api.views.listing import page_document
from msp.web.access import require
from msp.web.paging import asked
from tenants.foundation.permissions import Permission
from tenants.tenancy.queries import names_of

_SHOWN = ("name", "time_zone", "starts_on", "ends_on", "monthly_fee", "currency")
_VERSION = ("number", "in_force_on", "in_force_from", "note", "terms", "created_at", "created_by")


@bp.get("/contracts")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CONTRACTS, client=Permission.VIEW_OWN_CONTRACT)
@bp.input(ContractQuery, location="query", unknown=RAISE)
@bp.output(page_of(ContractOut))
@bp.doc(tags=["Contracts"])
def list_contracts(query_data: dict[str, Any]) -> Any:
    """List contracts by client."""
    after, limit = asked(int, int)
    tenant_id = tenant_filter(query_data["tenant"])
    rows = queries.list_contracts(tenant_id=tenant_id, after=after, limit=limit)
    slugs = names_of([one.tenant_id for one in rows])
    return page_document(
        rows,
        limit,
        lambda one: (one.tenant_id, one.id),
        lambda one: (
            {name: getattr(one, name) for name in _SHOWN}
            | {"id": one.public_id, "tenant": slugs[one.tenant_id].slug}
        ),
    )


@bp.get("/contracts/<id>/versions")
@require(Permission.USE_API)
@allow(staff=Permission.VIEW_CONTRACTS, client=Permission.VIEW_OWN_CONTRACT)
@bp.input(ListQuery, location="query", unknown=RAISE)
@bp.output(page_of(ContractVersionOut))
@bp.doc(tags=["Contracts"])
def list_contract_versions(id: str, query_data: dict[str, Any]) -> Any:
    """List a contract's versions, the latest first."""
    after, limit = asked(int)
    rows = queries.list_contract_versions(find_contract(id), after=after, limit=limit)
    return page_document(
        rows,
        limit,
        lambda one: (one.number,),
        lambda one: {name: getattr(one, name) for name in _VERSION},
    )
