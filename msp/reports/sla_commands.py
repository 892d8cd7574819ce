"""`flask sla …`: what is stored checked against its history, and terms tried out on the past."""

import sys

import click
from flask.cli import AppGroup, with_appcontext

from contracts.timers.verifying import SAMPLE, verify_tenant
from tenants.foundation import time
from tenants.foundation.scope import enter, gate
from tenants.tenancy.queries import list_all_tenants

sla = AppGroup("sla", help="Service levels: check what is stored, try out terms.")


@sla.command("verify")
@click.option("--tenant", "slug", help="Only this client's tickets. Default: every client's.")
@click.option(
    "--sample",
    default=SAMPLE,
    show_default=True,
    type=click.IntRange(0),
    help="How many closed tickets to read beside every open one.",
)
@with_appcontext
def verify(slug: str | None, sample: int) -> None:
    """Compare stored timers with what the tickets' histories say. Exit code 1 when any field differs."""
    with enter(gate()):
        clients = {one.slug: one.id for one in list_all_tenants()}
    if slug is not None and slug not in clients:
        click.echo(f"refused: no client is called {slug}", err=True)
        sys.exit(1)
    chosen = sorted(clients) if slug is None else [slug]
    differing = sum(_verify(name, clients[name], sample) for name in chosen)
    click.echo(f"{differing} differences")
    sys.exit(1 if differing else 0)


def _verify(name: str, tenant_id: int, sample: int) -> int:
    check = verify_tenant(tenant_id, now=time.now(), sample=sample)
    found = len(check.differences)
    click.echo(
        f"{name}: {check.open_tickets} open and {check.closed_tickets} closed tickets, {found} differences"
    )
    for one in check.differences:
        place = f"{one.clock} {one.field}".strip()
        click.echo(f"  {one.code} {place}: stored {one.stored}, recomputed {one.recomputed}")
    return found
