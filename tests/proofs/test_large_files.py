"""A file of 2 GiB comes in without costing memory: measured on the process that keeps artifacts."""

import hashlib
import http.client
import re
import subprocess
import sys
import time as clock
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask

from msp.campaigns import releases, uploads
from tenants.foundation import time
from tenants.foundation.db import db
from tenants.foundation.scope import enter
from tests import personas
from tests.guarantees.processes import CHECKOUT, environment
from tests.msp.campaigns import fleet

pytestmark = pytest.mark.prove
GIBIBYTE = 1024**3
SIZE = 2 * GIBIBYTE
BLOCK = bytes(range(256)) * 4096
MOST_MEBIBYTES = 64
BOUNDARY = "----end-of-the-large-file"


@contextmanager
def store(app: Flask, socket: Path) -> Iterator[int]:
    """The process that keeps artifacts, with one worker; yields the worker's number."""
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "python:msp.gunicorn_files",
        "--bind",
        f"unix:{socket}",
    ]
    command += ["--workers", "1", "msp.agents.artifacts:create_artifacts_app()"]
    given = {**environment(app), "RELEASE_MEGABYTES": "4096"}
    with (socket.parent / "store.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=CHECKOUT, env=given, stdout=log, stderr=log)
        try:
            until = clock.monotonic() + 60
            while not (worker := _child(server.pid)) or ask(socket, "GET", "/healthz")[0] != 200:
                assert server.poll() is None and clock.monotonic() < until, log.name
                clock.sleep(0.1)
            yield worker
        finally:
            server.terminate()
            server.wait(20)


def _child(pid: int) -> int | None:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(found[0]) if found else None


def peak_mebibytes(pid: int) -> float:
    """The most memory that the process ever had, as the kernel counts it."""
    kibibytes = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(kibibytes[1]) / 1024 if kibibytes else 0


class OnSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=300)
        self._path = path

    def connect(self) -> None:
        import socket

        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


def ask(socket: Path, method: str, path: str, **more):
    connection = OnSocket(socket)
    try:
        connection.request(method, path, **more)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    except OSError:
        return 0, {}, b""
    finally:
        connection.close()


def blocks() -> Iterator[bytes]:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="image.bin"\r\n\r\n'
    yield head.encode()
    for _ in range(SIZE // len(BLOCK)):
        yield BLOCK
    yield f"\r\n--{BOUNDARY}--\r\n".encode()


def test_two_gibibytes_come_in(app, cast, tmp_path):
    fleet.enrol(app, cast.tenants["acme"], "acme", ["acme-pc-1"])
    by = personas.actor(app, cast, "Leo")
    with app.app_context(), enter(by.scope()):
        release = releases.add_release(
            name="image", version="1", target_path="opt/image", by=by, at=time.now(), files_later=True
        )
        db.session.commit()
        link = urlsplit(uploads.upload_link(release, by, time.now()))
    with store(app, tmp_path / "store.sock") as worker:
        before = peak_mebibytes(worker)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            "Content-Length": str(length()),
        }
        began = clock.monotonic()
        status, _headers, body = ask(
            tmp_path / "store.sock", "POST", f"{link.path}?{link.query}", body=blocks(), headers=headers
        )
        assert status == 303, body
        took = clock.monotonic() - began
        grown = peak_mebibytes(worker) - before
        with app.app_context(), enter(by.scope()):
            (kept,) = releases.artifacts_of(release.id)
        assert (kept.size, kept.sha256) == (SIZE, digest())
        print(f"2 GiB brought in {took:.0f} s; memory grew by {grown:.0f} MiB of {MOST_MEBIBYTES}")
        assert grown <= MOST_MEBIBYTES


def length() -> int:
    return sum(len(one) for one in (next(iter(blocks())), f"\r\n--{BOUNDARY}--\r\n".encode())) + SIZE


def digest() -> str:
    found = hashlib.sha256()
    for _ in range(SIZE // len(BLOCK)):
        found.update(BLOCK)
    return found.hexdigest()
