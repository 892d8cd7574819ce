"""Commands about people: the first owner of an installation, and the last way in when a second factor is lost."""

import sys
from collections.abc import Sequence

import click
from flask.cli import AppGroup, with_appcontext
from flask_babel import force_locale

from tenants.foundation import time
from tenants.foundation.actor import Actor
from tenants.foundation.db import db
from tenants.foundation.errors import Invalid, NotFound, Refused
from tenants.foundation.permissions import CLIENT_ROLES, MemberRole
from tenants.foundation.scope import enter, gate
from tenants.people import accounts, second_factor, sessions, staff
from tenants.people.rules import Reach
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant

users = AppGroup("users", help="People who may sign in.")
CONSOLE = Actor.system("console", via="command")


def refuse(refused: Refused) -> None:
    """Say why on standard error and end with exit code 1."""
    click.echo(f"refused: {refused.field + ': ' if refused.field else ''}{refused.message}", err=True)
    sys.exit(1)


def read_password() -> str:
    """From a prompt that shows nothing, or the first line of standard input when nobody types."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@users.command("create")
@click.option("--email", required=True, help="The address to sign in with.")
@click.option("--name", required=True, help="The person's name.")
@click.option("--role", required=True, type=click.Choice([str(one) for one in MemberRole]))
@click.option(
    "--tenant", "slugs", multiple=True, help="A client's slug: the company, or one that staff may see."
)
@click.option(
    "--all-tenants", is_flag=True, help="Staff only: all clients, those to come too. Owners have it."
)
@click.option("--language", type=click.Choice(["id", "en"]), default=None)
@with_appcontext
def create(
    email: str, name: str, role: str, slugs: tuple[str, ...], all_tenants: bool, language: str | None
) -> None:
    """Create a person with a role; the password comes from a prompt or from standard input."""
    password = read_password()
    with force_locale("en"):
        try:
            with enter(gate()):
                _create(email, name, MemberRole(role), slugs, all_tenants, language, password)
                db.session.commit()
        except Refused as refused:
            refuse(refused)
    click.echo(f"{email} is {role}")


def _create(
    email: str,
    name: str,
    role: MemberRole,
    slugs: Sequence[str],
    all_tenants: bool,
    language: str | None,
    password: str,
) -> None:
    tenants = [_tenant(slug) for slug in slugs]
    if role in CLIENT_ROLES and len(tenants) != 1:
        raise Invalid("tenant", "a client's person needs exactly one --tenant")
    everything = all_tenants or role is MemberRole.OWNER
    staff.create_person(
        email=email,
        name=name,
        password=password,
        role=role,
        reach=Reach(everything, frozenset() if everything else frozenset(one.id for one in tenants)),
        tenant_id=tenants[0].id if role in CLIENT_ROLES else None,
        language=language,
        by=CONSOLE,
        at=time.now(),
    )


def _tenant(slug: str) -> Tenant:
    try:
        return find_tenant(slug)
    except NotFound as unknown:
        raise Invalid("tenant", f"no client has the slug {slug}") from unknown


@users.command("let-in")
@click.option("--email", required=True, help="Whose second factor is lost.")
@with_appcontext
def let_in(email: str) -> None:
    """Remove a lost second factor and end all sessions: the way in when nobody else can vouch."""
    with enter(gate()):
        user = accounts.find_by_email(email)
        if user is None or not user.has_second_factor:
            refuse(Invalid("email", "no account with this address has a second factor"))
            return
        at = time.now()
        second_factor.remove(user, by=CONSOLE, at=at, reason="lost; let in from the console")
        sessions.end_sessions_of(user.id, at=at)
        db.session.commit()
    click.echo(f"{email} signs in with the password and sets up a new second factor")
