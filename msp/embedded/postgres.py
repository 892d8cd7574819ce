"""PostgreSQL as a private child process."""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, urlencode

from msp.embedded import storage
from msp.embedded.account import Account, server_account
from msp.embedded.binaries import postgres_bin
from msp.embedded.errors import EmbeddedError
from msp.embedded.process import command_line, end_leftover, server_environment, spawn, wait_until_ready
from msp.embedded.running import Running

PORT = 5432  # only part of the socket's name
SUPERUSER = "postgres"
SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT  # PostgreSQL's names for two kinds of shutdown


@dataclass
class Postgres(Running):
    """A running cluster. Whoever can open its socket may be any role, so name the one you mean."""

    stop_signals: ClassVar[Sequence[signal.Signals]] = (FAST, IMMEDIATE, signal.SIGKILL)

    superuser: str = SUPERUSER

    def url(self, role: str = SUPERUSER, database: str = "postgres") -> str:
        """An SQLAlchemy URL for a role and a database."""
        query = urlencode({"host": self.socket_dir, "port": PORT})
        return f"postgresql+psycopg://{quote(role, safe='')}@/{quote(database, safe='')}?{query}"


def start_postgres(data_dir: Path, *, durable: bool) -> Postgres:
    """Start the cluster of a data folder, made when missing, and return when it takes connections.

    Without `durable` it is quick, may lose everything in a crash, and deletes its files when stopped.
    Call it from a thread that lives as long as the server shall. Raises InUse or EmbeddedError.
    """
    data_dir = data_dir.absolute()
    claim = storage.lock(data_dir)
    try:
        account = server_account()
        sockets = storage.socket_dir(data_dir, account)
        cluster = _cluster(data_dir, account, durable=durable)
        log = data_dir / "server.log"
        process = spawn(_command(cluster, sockets, account, durable=durable), account, log, death=FAST)
        wait_until_ready(process, lambda: _is_ready(cluster, process.pid), log)
    except BaseException:
        claim.close()
        raise
    return Postgres(process, data_dir, sockets, durable, claim)


def _cluster(data_dir: Path, account: Account, *, durable: bool) -> Path:
    """The cluster's folder, initialised, with no server on it."""
    cluster = storage.files_of(data_dir, account, durable=durable)
    if not cluster.exists():
        _initialise(cluster, account, durable=durable)
    elif cluster.stat().st_uid != account.uid:
        raise EmbeddedError(
            f"{cluster} belongs to user {cluster.stat().st_uid}: start as before or begin anew"
        )
    _end_leftover(cluster)
    return cluster


def _initialise(cluster: Path, account: Account, *, durable: bool) -> None:
    """Run initdb; the folder gets its name when that is done, so a killed start leaves no half cluster."""
    unfinished = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    storage.private_folder(unfinished, account)
    result = subprocess.run(
        [
            *(
                postgres_bin(account) / "initdb",
                "-D",
                unfinished,
                "-U",
                SUPERUSER,
                "-A",
                "trust",
                "-E",
                "UTF8",
            ),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(() if durable else ("--no-sync",)),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=server_environment(),
        **account.switch(),
    )
    if result.returncode != 0:
        raise EmbeddedError(f"initdb failed:\n{result.stderr}")
    unfinished.rename(cluster)


def _command(cluster: Path, sockets: Path, account: Account, *, durable: bool) -> list[str | Path]:
    settings = SETTINGS | ({} if durable else CARELESS)
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [postgres_bin(account) / "postgres", "-D", cluster, "-k", sockets, *options]


def _is_ready(cluster: Path, pid: int) -> bool:
    """PostgreSQL's own word for it: the eighth line of its pid file says when it takes connections."""
    try:
        lines = (cluster / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _end_leftover(cluster: Path) -> None:
    """Stop a server whose launcher was killed; the lock is ours, so nobody else uses it.

    A pid file whose number now belongs to a stranger would keep PostgreSQL from starting: it goes. That of
    a dead server stays: PostgreSQL sees by it whether sessions of that server still hold its memory.
    """
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if command_line(pid) and not end_leftover(pid, f" -D {cluster} ", Postgres.stop_signals):
        pid_file.unlink(missing_ok=True)
