"""What each process of the demo does. All but the hosts are forks of one process that has built the application."""

import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask_babel import force_locale, format_datetime, get_translations
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from jinja2 import FileSystemBytecodeCache
from sqlalchemy.orm import configure_mappers

import msp.gunicorn
from msp import app as wiring
from msp import schedule, worker
from msp.agents.artifacts import create_artifacts_app
from msp.background import application, doorbell, sweeper
from msp.campaigns import live
from msp.demo.child import Recipe
from msp.demo.folder import Folder
from msp.demo.options import HOST, Options
from msp.demo.servers import Servers
from tenants.foundation import time
from tenants.foundation.db import db

PROVIDER = "Nusantara Managed Services"
GRACE_SECONDS = 3
THREADS = 32


def environment(options: Options, folder: Folder, servers: Servers, artifacts_port: int) -> dict[str, str]:
    """The settings of every process, as in production."""
    return folder.secrets() | {
        "DATABASE_URL": servers.application_url,
        "REDIS_URL": servers.valkey.url(),
        "PUBLIC_URL": options.url,
        "ARTIFACTS_URL": f"http://{HOST}:{artifacts_port}",
        "LIVE_URL": f"http://{HOST}:{artifacts_port}",
        "FILES_DIR": str(folder.files),
        "MAIL_URL": f"file://{folder.mail}",
        "MAIL_FROM": "portal@nusantara.example",
        "PROVIDER_NAME": PROVIDER,
        "PORTAL_DEMO": "1",
    }


def build(templates: Path) -> Flask:
    """The application, built once for every process; no connection is kept over a fork."""
    app = wiring.create_app()
    application.use(app)
    _warm_up(app, templates)
    with app.app_context():
        db.engine.dispose()
    return app


def _warm_up(app: Flask, templates: Path) -> None:
    """Have ready before the forks what each would else make for itself at somebody's first click."""
    configure_mappers()
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(templates))
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)
    for language in app.config["LANGUAGES"]:
        with app.test_request_context(), force_locale(language):
            format_datetime(time.now())
            get_translations()


class _Served(BaseApplication):
    """gunicorn over an application that exists already or is built by the process itself."""

    def __init__(self, load: Any, listening: socket.socket, **settings: Any) -> None:
        self._load = load
        self._settings = {"bind": f"fd://{listening.fileno()}", "graceful_timeout": GRACE_SECONDS, **settings}
        super().__init__()

    def load_config(self) -> None:
        own = {name: value for name, value in vars(msp.gunicorn).items() if name in self.cfg.settings}
        for name, value in (own | self._settings).items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._load()


def web(app: Flask, listening: socket.socket) -> Recipe:
    """The portal's pages, its API and what agents poll."""
    return Recipe("web", partial(_serve, lambda: app, listening, workers=2), keeps=(listening,))


def artifacts(listening: socket.socket) -> Recipe:
    """The files of releases and the streams of live pages, in threads of one process; built before the fork, too."""
    app = create_artifacts_app()
    live.add_streams(app, most=THREADS - 8)
    served = partial(_serve, lambda: app, listening, workers=1, worker_class="gthread", threads=THREADS)
    return Recipe("artifacts", served, keeps=(listening,))


def _serve(load: Any, listening: socket.socket, **settings: Any) -> None:
    Arbiter(_Served(load, listening, **settings)).run()


def workers() -> list[Recipe]:
    """One process for each queue."""
    return [Recipe(f"worker-{name}", partial(worker.run, name)) for name in doorbell.QUEUES]


def sweeping(app: Flask) -> Recipe:
    """The sweeper."""
    return Recipe("sweeper", lambda: sweeper.run(app, schedule.table()))


def hosts(folder: Folder, options: Options) -> Recipe:
    """The demo hosts' agents: a program that knows nothing of the portal."""
    return Recipe("hosts", program=(sys.executable, "-m", "msp.demo.hosts", str(folder.hosts), options.url))
