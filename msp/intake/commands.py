"""`flask tickets import` and `flask mail receive`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from msp.intake.mail import keeping
from msp.intake.mail.mailboxes import find_by_address
from msp.intake.replay import BadRows, Outcome, replay_log, report
from msp.intake.servicenow import Fault, Unreadable, read_log
from tenants.files.storage import TooLarge
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.errors import NotFound, Refused
from tenants.foundation.scope import enter, gate, of_tenant
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import find_tenant

tickets = AppGroup("tickets", help="Tickets as a whole.")


@tickets.command("import")
@click.option("--tenant", "slug", required=True, help="Slug of the client whose tickets these are.")
@click.option(
    "--format", "format_", required=True, type=click.Choice(["servicenow"]), help="What wrote the file."
)
@click.option("--strict", is_flag=True, help="Import all rows or none.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@with_appcontext
def import_tickets(slug: str, format_: str, strict: bool, file: Path) -> None:
    """Replay another system's incident log: one row per event, times in the client's zone.

    Nothing is sent for the past. Importing the same file again changes nothing. Bad rows are reported with their line.
    """
    try:
        outcome = _import(_find(slug), file, strict=strict)
    except (Refused, Unreadable) as refused:
        _tell(getattr(refused, "faults", ()))
        click.echo(f"refused: {getattr(refused, 'message', refused)}", err=True)
        sys.exit(1)
    _tell(outcome.faults)
    for sentence in report(outcome):
        click.echo(sentence)


mail = AppGroup("mail", help="Mail that comes in.")


@mail.command("receive")
@click.option("--mailbox", "address", required=True, help="Address of the mailbox that it came to.")
@with_appcontext
def receive_mail(address: str) -> None:
    """Take in one raw mail from standard input, as a mail server's pipe brings it; it is sorted by a worker."""
    own_id = keeping.own_tenant_id()
    try:
        with enter(of_tenant(own_id)):
            mailbox = find_by_address(address)
            raw = sys.stdin.buffer.read(keeping.most_bytes() + 1)
            kept = keeping.keep_mail(mailbox, raw, own_id=own_id, channel="command", at=time.now())
            db.session.commit()
    except (NotFound, TooLarge) as wrong:
        too_large = isinstance(wrong, TooLarge)
        reason = "this mail is too large" if too_large else f"there is no mailbox {address}"
        click.echo(f"refused: {reason}", err=True)
        sys.exit(1)
    click.echo("kept" if kept else "known already")


def _find(slug: str) -> Tenant:
    with enter(gate()):
        try:
            return find_tenant(slug)
        except NotFound as wrong:
            raise Refused(f"there is no client {slug}") from wrong


def _import(tenant: Tenant, file: Path, *, strict: bool) -> Outcome:
    at = time.now()
    # Bytes that are no UTF-8 are found out row by row.
    with file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        rows, faults = read_log(lines, tenant.time_zone, at)
    if strict and faults:
        raise BadRows(faults)
    with enter(of_tenant(tenant.id)):
        return replay_log(tenant, rows, faults, strict=strict, at=at)


def _tell(faults: Sequence[Fault]) -> None:
    for line, reason in faults:
        click.echo(f"line {line}: {reason}", err=True)
