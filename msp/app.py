"""Builds the application: knows everything, decides nothing."""

from importlib import import_module
from pathlib import Path
from typing import Any

import redis
from apiflask import APIFlask
from flask import Flask
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import OperationalError

from msp import reactions
from msp.background import doorbell
from msp.settings import Settings, flask_config, load
from msp.threads import invitations
from msp.threads.around import build_around
from msp.threads.clocks import build_clocks, build_side_clocks
from msp.threads.rated import build_rating
from msp.threads.tier_panels import build_cases, build_path, build_remote, build_visits
from msp.threads.worked import build_worked
from msp.web import (
    access,
    assets,
    errors,
    headers,
    health,
    languages,
    limits,
    logs,
    look,
    navigation,
    panels,
    proxies,
    sessions,
    unusable,
)
from tenants.foundation import connections, events, guard, kinds
from tenants.foundation.db import db
from tenants.foundation.rowsecurity import refuse_powerful_role
from tenants.tenancy.models import Tenant

ROOT = Path(__file__).parent.parent
MIGRATIONS = ROOT / "msp" / "migrations"
BLUEPRINTS = (
    "msp.account",
    "msp.portal",
    "msp.desk",
    "msp.console",
    "msp.campaigns",
    "msp.upkeep",
    "msp.staff",
    "msp.figures",
    "msp.knowledge",
    "msp.training",
    "msp.agents",
    "msp.intake",
    "msp.reports",
    "msp.search",
    "msp.follow",
    "msp.intake.chats",
    "msp.intake.texts",
    "msp.api",
)
MODELS = (
    "tenants.foundation.work",
    "tenants.audit.models",
    "tenants.files.models",
    "tenants.tenancy.models",
    "tenants.people.models",
    "tenants.assets.models",
    "tenants.tickets.models",
    "tenants.tickets.texts",
    "tenants.tickets.ratings",
    "tenants.tickets.remote_models",
    "tenants.tickets.vendor_models",
    "tenants.tickets.visit_models",
    "tenants.tickets.category_models",
    "tenants.tickets.relation_models",
    "contracts.terms.models",
    "contracts.timers.models",
    "contracts.statements.models",
    "msp.mail.models",
    "msp.intake.mail.models",
    "msp.intake.calls.models",
    "msp.intake.chats.models",
    "msp.intake.texts.models",
    "msp.api.models",
    "msp.campaigns.models",
    "msp.windows.models",
    "msp.upkeep.models",
    "msp.knowledge.models",
    "msp.training.models",
    "msp.agents.models",
    "msp.staff.models",
    "msp.staff.roster_models",
)


def import_models() -> None:
    """Import every module of tables, so that the registry is whole."""
    for name in MODELS:
        import_module(name)


def create_app(settings: Settings | None = None) -> Flask:
    """The whole portal. Raises when settings, views, tables or the database role are not fit to serve."""
    settings = settings or load()
    logs.configure(settings.log_level)
    app = APIFlask(
        "msp",
        root_path=str(ROOT / "msp"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "msp" / "static"),
        enable_openapi=False,
    )
    app.config.update(flask_config(settings))
    app.extensions["settings"] = settings
    _install_mechanics(app, settings)
    _install_features(app)
    _check(app)
    return app


def _install_mechanics(app: APIFlask, settings: Settings) -> None:
    import_models()
    db.init_app(app)
    with app.app_context():
        connections.install(db.engine)
    Migrate(app, db, directory=str(MIGRATIONS))
    guard.install(Tenant)
    app.extensions["redis"] = redis.Redis.from_url(
        settings.redis_url, socket_timeout=1, socket_connect_timeout=1, retry=None
    )
    app.extensions["migration_head"] = _migration_head()
    proxies.install(app, settings.trusted_proxies)
    headers.install(
        app,
        https=settings.public_url.startswith("https://"),
        files_at=settings.artifacts_url,
        live_at=settings.live_url,
    )
    logs.install(app)
    sessions.install(app)
    access.install(app)
    unusable.install(app)
    languages.install(app)
    CSRFProtect(app)
    limits.install(app)
    errors.install(app)
    assets.install(app)
    look.install(app)
    navigation.install(app)
    access._declare(access.Access(public="static files"))(app.view_functions["static"])


def _migration_head() -> str | None:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(MIGRATIONS)).get_current_head() if MIGRATIONS.exists() else None


def _install_features(app: APIFlask) -> None:
    app.extensions["credentials"]["metrics"] = health.resolve_metrics_token
    app.register_blueprint(health.bp)
    for package in BLUEPRINTS:
        routes = import_module(f"{package}.routes")
        app.register_blueprint(routes.bp)
        install: Any = getattr(routes, "install", None)
        if install is not None:
            install(app)
    panels.add(app, "ticket", build_clocks)
    panels.add(app, "ticket", build_side_clocks)
    for build in (
        build_remote,
        build_visits,
        build_cases,
        build_around,
        build_path,
        build_worked,
        build_rating,
    ):
        panels.add(app, "ticket", build)
    invitations.install()
    events.connect(reactions.WITHIN, reactions.AFTER)
    doorbell.install(app)
    commands = import_module("msp.cli")
    commands.install(app)


def _check(app: Flask) -> None:
    """Refuse to serve with an undeclared view, a table of no kind, or a database role that sees through the wall."""
    access.check_declared(app)
    kinds.check_all()
    with app.app_context():
        try:
            with db.engine.connect() as connection:
                refuse_powerful_role(connection)
        except OperationalError as error:
            app.logger.warning("the database does not answer yet: %s", type(error.orig).__name__)
