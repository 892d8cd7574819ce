"""Demos as processes of their own, as `make demo` starts them."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from msp import embedded
from msp.demo import linux
from msp.demo.folder import Folder, write
from msp.demo.options import HOST, ROOT

SECONDS = 180.0
PAUSE = threading.Event()


class Demo:
    """A demo on a folder and a port of its own."""

    def __init__(self, data: Path, port: int) -> None:
        self.folder = Folder(data)
        self.port = port
        self.output = data.with_name(f"{data.name}-{port}.out")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, **environment: str) -> "Demo":
        """Start without waiting."""
        given = {"PORT": str(self.port), "DATA": str(self.folder.path), **environment}
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "msp.demo"],
                cwd=ROOT,
                env={**_environment(), **given},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return self

    def ready(self) -> "Demo":
        """Wait until it says that it is ready."""
        wait_for(lambda: "The portal is ready" in self.said() or self._has_ended(), self.said)
        assert not self._has_ended(), self.said()
        return self

    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def ask(self, path: str) -> tuple[int, str]:
        """Status and body of a page."""
        asking = HTTPConnection(HOST, self.port, timeout=30)
        asking.request("GET", path)
        answer = asking.getresponse()
        body = answer.read().decode()
        asking.close()
        return answer.status, body

    def processes(self) -> list[int]:
        """Everything below the supervisor."""
        assert self.process
        return linux.descendants(self.process.pid)

    def notes(self) -> dict[str, Any]:
        """Who runs, as the supervisor wrote it down."""
        read: dict[str, Any] = json.loads(self.folder.processes.read_text())
        return read

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the supervisor alone and wait for it; its exit code."""
        assert self.process
        self.process.send_signal(number)
        return self.process.wait(SECONDS)

    def wait(self) -> int:
        """Wait for a demo that ends by itself; its exit code."""
        assert self.process
        return self.process.wait(SECONDS)

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None


def _environment() -> dict[str, str]:
    """Ours without what the tests set for themselves."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TEST_", "PORTAL_", "COVERAGE_"))
    }


def wait_for(happened: Callable[[], object], explain: Callable[[], str]) -> None:
    """Look again and again; fails with an explanation after a while."""
    deadline = time.monotonic() + SECONDS
    while not happened():
        assert time.monotonic() < deadline, explain()
        PAUSE.wait(0.05)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def pretend_seeded(folder: Folder) -> None:
    """Let a demo believe that its world is there: it makes the tables and goes on."""
    folder.path.mkdir()
    (folder.path / "lock").touch()
    write(folder.credentials, {"url": "", "accounts": [], "tokens": [], "agents": []})
    write(folder.seeded, {"seed": 0})


def clear(demo: Demo) -> None:
    """End a demo and what its servers keep elsewhere."""
    if demo.process and demo.process.poll() is None:
        demo.end()
    for server in (demo.folder.postgres, demo.folder.valkey):
        embedded.remove(server)
