"""Commands on statements."""

import sys
from datetime import date
from typing import Any

import click
from flask.cli import AppGroup, with_appcontext

from contracts.statements.rules import following
from contracts.statements.services import close_month
from contracts.terms.queries import list_contracts
from msp.reports.evidence import gather_evidence
from msp.web.months import read_month
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.tenancy.queries import find_tenant

statements = AppGroup("statements", help="Monthly statements.")


class Month(click.ParamType[date]):
    """A month such as 2026-11."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: Any, ctx: Any) -> date:
        """Its first day."""
        try:
            return value if isinstance(value, date) else read_month(value)
        except Invalid:
            self.fail(f"{value!r} is not a month such as 2026-11", param, ctx)


@statements.command("close")
@click.option("--tenant", "slug", required=True, help="Slug of the client.")
@click.option("--from", "first", type=Month(), required=True, help="The first month.")
@click.option("--to", "last", type=Month(), help="The last month. Default: the first one only.")
@with_appcontext
def close(slug: str, first: date, last: date | None) -> None:
    """Close months of a client's contracts; those that are closed already stay as they are."""
    tenant_id, refused, month = _tenant_id(slug), 0, first
    while month <= (last or first):
        refused += _close(tenant_id, month)
        month = following(month)
    sys.exit(1 if refused else 0)


def _tenant_id(slug: str) -> int:
    with enter(gate()):
        try:
            return find_tenant(slug).id
        except NotFound:
            click.echo(f"refused: there is no client called {slug}", err=True)
            sys.exit(1)


def _close(tenant_id: int, month: date) -> int:
    """Each month in a transaction of its own; how many were refused."""
    refused = 0
    with enter(of_tenant(tenant_id)):
        for contract in list_contracts(tenant_id):
            try:
                by = Actor.system("command", via="command")
                made = close_month(
                    contract, month, evidence=gather_evidence(contract, month), by=by, at=time.now()
                )
                db.session.commit()
                click.echo(f"{month:%Y-%m} {contract.name}: {made.line_count} lines, {made.sha256}")
            except Invalid as why:
                db.session.rollback()
                refused += 1
                click.echo(f"refused: {month:%Y-%m} {contract.name}: {why.errors[0][1]}", err=True)
    return refused
