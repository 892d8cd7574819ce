"""Servers under measure: gunicorn with two sync workers on a Unix socket, and what the kernel says they cost."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
TICK = os.sysconf("SC_CLK_TCK")


@contextmanager
def serve(target: str, socket: Path, environment: Mapping[str, str]) -> Iterator[int]:
    """Serve an application for as long as the block lasts; yields the process id of its master."""
    command = [sys.executable, "-m", "gunicorn", "-c", "python:msp.gunicorn", "--bind", f"unix:{socket}"]
    command += ["--log-level", "warning", "--max-requests", "0", target]
    with (socket.parent / f"{socket.stem}.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **environment}, stdout=log, stderr=log
        )
        try:
            _wait(server, socket)
            yield server.pid
        finally:
            server.terminate()
            server.wait(20)


def _wait(server: "subprocess.Popen[bytes]", socket: Path) -> None:
    deadline, settled = time.monotonic() + 60, time.monotonic() + 2
    while not socket.exists() or time.monotonic() < settled:
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError((socket.parent / f"{socket.stem}.log").read_text()[-3000:])
        time.sleep(0.05)


def cpu_seconds(roots: list[int]) -> float:
    """User and system time of these processes and all that descend from them; ended children count too."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)] = int(fields[1])
            spent[int(folder.name)] = sum(int(fields[place]) for place in (11, 12, 13, 14)) / TICK
    return sum(seconds for pid, seconds in spent.items() if _descends(pid, roots, parents))


def _descends(pid: int, roots: list[int], parents: dict[int, int]) -> bool:
    while pid in parents and pid not in roots:
        pid = parents[pid]
    return pid in roots
