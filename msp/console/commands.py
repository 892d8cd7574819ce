"""Commands on clients and on the audit log."""

import sys

import click
from flask.cli import AppGroup, with_appcontext

from tenants.audit import queries
from tenants.audit.queries import Flaw
from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid
from tenants.foundation.scope import Role, Scope, enter, gate, of_tenant
from tenants.tenancy.queries import list_all_tenants
from tenants.tenancy.rules import Onboarding, SitePlan, suggest_prefix, suggest_slug
from tenants.tenancy.services import onboard_tenant

tenants = AppGroup("tenants", help="Client companies.")
audit = AppGroup("audit", help="The audit log.")


@tenants.command("create")
@click.argument("name")
@click.option("--slug", help="Short name in addresses; never changes. Default: made of the name.")
@click.option("--prefix", help="Prefix of ticket codes; never changes. Default: made of the name.")
@click.option("--zone", default="Asia/Jakarta", show_default=True, help="Time zone.")
@click.option("--language", default="id", show_default=True, help="id or en.")
@click.option("--site", "sites", multiple=True, help="Name of a site; may be given several times.")
@click.option("--own", is_flag=True, help="The provider's own company: once in an installation.")
@with_appcontext
def create(
    name: str,
    slug: str | None,
    prefix: str | None,
    zone: str,
    language: str,
    sites: tuple[str, ...],
    own: bool,
) -> None:
    """Take on a client company called NAME."""
    plan = Onboarding(
        name=name.strip(),
        slug=slug or suggest_slug(name),
        prefix=prefix or suggest_prefix(name),
        time_zone=zone,
        language=language,
        sites=tuple(SitePlan(site.strip()) for site in sites),
        kind="own" if own else "client",
    )
    with enter(Scope(Role.STAFF, frozenset())):
        try:
            tenant = onboard_tenant(plan, by=Actor.system("command", via="command"), at=time.now())
            db.session.commit()
        except Invalid as refused:
            for field, message in refused.errors:
                click.echo(f"refused: {field}: {message}", err=True)
            sys.exit(1)
        click.echo(f"{tenant.slug} {tenant.prefix} {tenant.public_id}")


@audit.command("verify")
@click.option(
    "--tenant", "slug", help="Only this client's chain. Default: every chain, the system's included."
)
@with_appcontext
def verify(slug: str | None) -> None:
    """Compute the chains anew. Exit code 1 when one does not hold."""
    with enter(gate()):
        known = {tenant.slug: tenant.id for tenant in list_all_tenants()}
    if slug is not None and slug not in known:
        click.echo(f"refused: no client is called {slug}", err=True)
        sys.exit(1)
    flawed = 0
    for name in sorted(known) if slug is None else [slug]:
        with enter(of_tenant(known[name])):
            flawed += _tell(name, queries.verify_tenant(known[name]))
    if slug is None:
        with enter(Scope(Role.STAFF, frozenset())):
            flawed += _tell("(system)", queries.verify_system())
    sys.exit(1 if flawed else 0)


def _tell(name: str, flaws: list[Flaw]) -> int:
    click.echo(f"{name}: holds" if not flaws else f"{name}: {len(flaws)} flaws")
    for flaw in flaws:
        click.echo(f"  entry {flaw.seq}: {flaw.problem}", err=True)
    return len(flaws)
