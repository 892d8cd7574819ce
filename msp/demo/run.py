"""The demo from its start to its end."""

import gc
import os
import socket
import time
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from typing import IO

from flask import Flask

from msp import database
from msp.demo import greeting, portal
from msp.demo.child import Closable, Recipe
from msp.demo.folder import Folder
from msp.demo.options import HOST, DemoRefused, Options, say
from msp.demo.servers import Servers
from msp.demo.signals import Signals
from msp.demo.supervisor import Supervisor
from msp.embedded.process import last_lines

READY_SECONDS = 60.0


@dataclass(frozen=True)
class Claims:
    """What makes the folder and the two ports ours."""

    folder: IO[str]
    web: socket.socket
    artifacts: socket.socket

    def all(self) -> tuple[Closable, ...]:
        """Everything that a child lets go of."""
        return self.folder, self.web, self.artifacts


def run(options: Options, folder: Folder, signals: Signals, claims: Claims, began: float) -> None:
    """Start everything, keep it running until told to stop, end everything. `began` is when the clock started.

    Raises DemoRefused, EmbeddedError and SettingsRefused.
    """
    servers = Servers.start(folder)
    supervisor = Supervisor(folder, servers, signals, claims.all())
    try:
        settings = portal.environment(options, folder, servers, claims.artifacts.getsockname()[1])
        folder.tell_environment(settings)
        os.environ.update(settings)
        app = _build(folder, servers)
        signals.interrupts = False
        _prepare(app, options, folder, servers, supervisor)
        if not supervisor.is_stopping:
            supervisor.add([portal.web(app, claims.web), portal.artifacts(claims.artifacts)])
            _wait_until_ready(options, supervisor)
        if not supervisor.is_stopping:
            supervisor.add([*portal.workers(), portal.sweeping(app)])
            print(greeting.ready(options, folder, time.monotonic() - began), flush=True)
            supervisor.add([portal.hosts(folder, options)])
        while not supervisor.is_stopping:
            supervisor.tick()
        say("Stopping …")
    finally:
        signals.interrupts = False
        supervisor.stop()


def _build(folder: Folder, servers: Servers) -> Flask:
    """The application, on a database that may still be empty."""
    is_seeded = folder.seeded.exists()
    if not is_seeded:
        say("Making a small world of fictional clients (only this once) …")
        folder.empty_seed()
        folder.make()
    servers.create_database(anew=not is_seeded)
    app = portal.build(folder.templates)
    gc.collect()
    gc.freeze()  # what is never collected is never copied into the forks
    return app


def _prepare(app: Flask, options: Options, folder: Folder, servers: Servers, supervisor: Supervisor) -> None:
    """Bring the database up to date, and seed it. Raises DemoRefused."""
    task = Recipe("prepare", partial(_bring_up_to_date, app, options, folder, servers))
    if supervisor.run_once(task) != 0 and not supervisor.is_stopping:
        raise DemoRefused(f"The database could not be prepared:\n{last_lines(supervisor.log_of('prepare'))}")
    folder.tell_address(options.url)


def _bring_up_to_date(app: Flask, options: Options, folder: Folder, servers: Servers) -> None:
    """Runs in a process of its own, which takes the memory it needed with it."""
    owner = servers.owner()
    database.upgrade(owner)
    owner.dispose()
    if not folder.seeded.exists():
        from msp.demo import seed

        seed.plant(app, options, folder)


def _wait_until_ready(options: Options, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not supervisor.is_stopping and not _is_ready(options):
        if time.monotonic() > deadline:
            raise DemoRefused(f"The portal does not answer:\n{last_lines(supervisor.log_of('web'))}")
        supervisor.tick()


def _is_ready(options: Options) -> bool:
    asking = HTTPConnection(HOST, options.port, timeout=5)
    try:
        asking.request("GET", "/readyz")
        return asking.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asking.close()
