"""Commands: `flask --app wsgi …`; exit code 0, 1 (refused, says why) or 2 (usage)."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from msp.account import commands as people
from msp.console import commands as console
from msp.database import upgrade as upgrade_database
from msp.intake import commands as intake
from msp.reports import commands as reports
from msp.reports import sla_commands
from msp.search import commands as search
from tenants.foundation.errors import Refused

database = AppGroup("database", help="The database's structure and its wall.")


@contextmanager
def refusals() -> Iterator[None]:
    """A refusal becomes a sentence on standard error and exit code 1."""
    try:
        yield
    except Refused as refused:
        click.echo(f"refused: {refused.message}", err=True)
        sys.exit(1)


@database.command("upgrade")
def upgrade() -> None:
    """Run the migrations as DATABASE_OWNER_URL, then apply row security and grants."""
    upgrade_database()
    click.echo("the database is up to date")


@click.command("worker")
@click.argument("queue", default="default")
@with_appcontext
def worker(queue: str) -> None:
    """Work one queue until SIGTERM."""
    from msp import worker as entry
    from msp.background.application import use

    use(_app())
    entry.run(queue)


@click.command("sweeper")
@with_appcontext
def sweeper() -> None:
    """Find what is due and ring for it until SIGTERM."""
    from msp import schedule
    from msp.background import sweeper as loop

    loop.run(_app(), schedule.table())


@click.command("schedule")
@with_appcontext
def show_schedule() -> None:
    """Show the table of periodic work."""
    from msp import schedule

    for entry in schedule.table():
        click.echo(f"{entry.every_seconds:>8g} s  {entry.name}")


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app


def install(app: Flask) -> None:
    """Attach every command."""
    commands: tuple[Any, ...] = (
        database,
        worker,
        sweeper,
        show_schedule,
        console.tenants,
        console.audit,
        people.users,
        intake.tickets,
        search.search,
        intake.mail,
        sla_commands.sla,
        reports.statements,
    )
    for command in commands:
        app.cli.add_command(command)
