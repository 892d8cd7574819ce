"""`flask sla …`: what is stored checked against its history, and terms tried out on the past."""

import json
import sys
from datetime import date
from pathlib import Path

import click
from flask.cli import AppGroup, with_appcontext

from contracts.statements.what_if import MOST_MONTHS, MonthCredit, Outcome, Period, replay_tenant
from contracts.terms.document import TermsInvalid
from contracts.timers.verifying import SAMPLE, verify_tenant
from msp.intake.servicenow import Unreadable
from msp.reports.commands import Month
from msp.reports.what_if import document_of, read_draft, replay_file, sentences
from tenants.foundation import time
from tenants.foundation.scope import enter, gate, of_tenant
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


@sla.command("what-if")
@click.option("--tenant", "slug", help="The client whose tickets are replayed, beside what was.")
@click.option("--from", "first", type=Month(), required=True, help="The first month.")
@click.option("--to", "last", type=Month(), help="The last month. Default: the first one only.")
@click.option(
    "--terms",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="Draft terms, JSON.",
)
@click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another system's log, instead of a client: for a prospect.",
)
@click.option("--format", "format_", type=click.Choice(["servicenow"]), help="What wrote the file.")
@click.option("--json", "as_json", is_flag=True, help="A document instead of words.")
@with_appcontext
def what_if(
    slug: str | None,
    first: date,
    last: date | None,
    terms: Path,
    file: Path | None,
    format_: str | None,
    as_json: bool,
) -> None:
    """Replay draft terms over a past period: what would have been, beside what was. Stores nothing."""
    if (slug is None) == (file is None) or (file is None) != (format_ is None):
        raise click.UsageError("give either --tenant, or --file with --format")
    last = last or first
    if not 0 <= (last.year - first.year) * 12 + last.month - first.month < MOST_MONTHS:
        raise click.UsageError(f"--to must not lie before --from, nor {MOST_MONTHS} months after it")
    try:
        draft = read_draft(terms.read_text())
        if slug is not None:
            told = _of_client(slug, draft, first, last)
        else:
            assert file is not None
            told = _of_file(file, draft, first, last)
    except TermsInvalid as wrong:
        for field, message in wrong.errors:
            click.echo(f"refused: {field}: {message}", err=True)
        sys.exit(1)
    except (ValueError, Unreadable) as wrong:
        click.echo(f"refused: {wrong}", err=True)
        sys.exit(1)
    click.echo(json.dumps(document_of(*told), indent=1) if as_json else "\n".join(sentences(*told)))


Told = tuple[Outcome, list[MonthCredit], str]


def _of_client(slug: str, draft: dict[str, object], first: date, last: date) -> Told:
    with enter(gate()):
        clients = {one.slug: (one.id, one.time_zone) for one in list_all_tenants()}
    if slug not in clients:
        raise ValueError(f"no client is called {slug}")
    tenant_id, zone = clients[slug]
    with enter(of_tenant(tenant_id)):
        return replay_tenant(tenant_id, draft, Period.of(first, last, zone, time.now()))


def _of_file(file: Path, draft: dict[str, object], first: date, last: date) -> Told:
    outcome, faults = replay_file(file, draft, first, last, time.now())
    for line, reason in faults:
        click.echo(f"line {line}: {reason}", err=True)
    return outcome, [], ""
