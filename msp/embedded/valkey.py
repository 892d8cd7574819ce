"""Valkey, the open continuation of Redis, as a private child process."""

import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from msp.embedded import storage
from msp.embedded.account import Account, server_account
from msp.embedded.binaries import valkey_server
from msp.embedded.errors import EmbeddedError
from msp.embedded.process import end_leftover, spawn, wait_until_ready
from msp.embedded.running import Running

SOCKET_NAME = "valkey.sock"
PID_NAME = "valkey.pid"


@dataclass
class Valkey(Running):
    """A running Valkey."""

    def url(self, database: int = 0) -> str:
        """A URL for redis-py and RQ."""
        return f"unix://{self.socket_dir / SOCKET_NAME}?db={database}"


def start_valkey(data_dir: Path, *, durable: bool) -> Valkey:
    """Start the server of a data folder, made when missing, and return when it answers.

    Durable means an append-only file synced every second. Without it nothing is kept. Call it from a thread
    that lives as long as the server shall. Raises InUse or EmbeddedError.
    """
    data_dir = data_dir.absolute()
    claim = storage.lock(data_dir)
    try:
        account = server_account()
        sockets = storage.socket_dir(data_dir, account)
        files = _files(data_dir, account, durable=durable)
        log = data_dir / "server.log"
        process = spawn(
            _command(files, sockets, account, durable=durable), account, log, death=signal.SIGTERM
        )
        wait_until_ready(process, lambda: _is_ready(sockets / SOCKET_NAME), log)
    except BaseException:
        claim.close()
        raise
    return Valkey(process, data_dir, sockets, durable, claim)


def _files(data_dir: Path, account: Account, *, durable: bool) -> Path:
    """The folder of the server's files, with no server on it."""
    files = storage.files_of(data_dir, account, durable=durable)
    if not files.exists():
        storage.private_folder(files, account)
    elif files.stat().st_uid != account.uid:
        raise EmbeddedError(f"{files} belongs to user {files.stat().st_uid}: start as before or begin anew")
    _end_leftover(files)
    return files


def _command(files: Path, sockets: Path, account: Account, *, durable: bool) -> list[str | Path]:
    return [
        *(valkey_server(account), "--dir", files, "--port", "0"),
        *("--unixsocket", sockets / SOCKET_NAME, "--unixsocketperm", "700"),
        *("--pidfile", files / PID_NAME, "--set-proc-title", "no", "--daemonize", "no"),
        *("--appendonly", "yes" if durable else "no", "--appendfsync", "everysec", "--save", ""),
        *("--maxmemory-policy", "noeviction", "--loglevel", "notice"),
    ]


def _is_ready(path: Path) -> bool:
    """Whether the server answers a ping; while it reads its file it answers with an error."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _end_leftover(files: Path) -> None:
    """Stop a server whose launcher was killed: two would ruin the file they append to."""
    pid_file = files / PID_NAME
    try:
        pid = int(pid_file.read_text())
    except (FileNotFoundError, ValueError):
        return
    end_leftover(pid, f" --dir {files} ", Valkey.stop_signals)
    pid_file.unlink(missing_ok=True)
