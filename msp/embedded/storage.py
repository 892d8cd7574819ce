"""Where a server keeps its files, and who may use them at a time.

A data folder holds `lock`, `server.log` and `files/` (the server's own). As root below a folder that `nobody`
cannot enter, the files lie in a place of their own instead and `files.path` points there. A lost pointer means
that the data folder was deleted, and what it pointed to is worthless.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from msp.embedded.account import Account
from msp.embedded.errors import EmbeddedError, InUse

ORIGIN = "origin"
POINTER = "files.path"
SOCKET_PATH_LIMIT = 107  # bytes, Linux; the name of the socket file included
LONGEST_SOCKET_NAME = len("/.s.PGSQL.5432.lock")


def lock(data_dir: Path) -> IO[str]:
    """Claim a data folder, making it when missing, for as long as the returned file is open.

    The kernel frees the claim when we die, whatever way. Raises InUse when another process holds it.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    claim = (data_dir / "lock").open("a+")
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        claim.seek(0)
        holder = claim.read().strip() or "unknown"
        claim.close()
        raise InUse(f"{data_dir} is in use by process {holder}") from None
    claim.truncate(0)
    claim.write(f"{os.getpid()}\n")
    claim.flush()
    return claim


def files_of(data_dir: Path, account: Account, *, durable: bool) -> Path:
    """The folder for the server's own files; perhaps not there yet, but its parent is, open to the user."""
    pointer = data_dir / POINTER
    if pointer.exists():
        return Path(pointer.read_text().strip())
    if (data_dir / "files").exists() or account.reaches(data_dir):
        return data_dir / "files"
    return _place_elsewhere(data_dir, account, durable=durable)


def remove(data_dir: Path) -> None:
    """Delete a data folder and what its server keeps elsewhere. Raises InUse while a server runs on it."""
    if not data_dir.exists():
        return
    with lock(data_dir):
        discard_files(data_dir)
        _discard_sockets(data_dir)
        shutil.rmtree(data_dir)


def discard_files(data_dir: Path) -> None:
    """Delete the server's own files; the caller holds the lock and the server is down."""
    pointer = data_dir / POINTER
    if pointer.exists():
        place = Path(pointer.read_text().strip()).parent
        if (place / ORIGIN).exists():
            shutil.rmtree(place)
        pointer.unlink()
    shutil.rmtree(data_dir / "files", ignore_errors=True)


def socket_dir(data_dir: Path, account: Account) -> Path:
    """A private folder with a short name, the same for one data folder each time."""
    for path in _socket_dirs(data_dir):
        if len(os.fsencode(path)) + LONGEST_SOCKET_NAME <= SOCKET_PATH_LIMIT and account.reaches(path.parent):
            return private_folder(path, account)
    raise EmbeddedError("No folder for sockets: the path of TMPDIR is too long or not reachable")


def private_folder(path: Path, account: Account) -> Path:
    """Make a folder only this user may enter; an existing one must be exactly that."""
    try:
        path.mkdir(mode=0o700)
        account.own(path)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
            raise EmbeddedError(f"{path} is not a private folder of user {account.uid}: delete it") from None
    return path


def shared_folder(*, durable: bool) -> Path:
    """As root: a folder of ours that every user may enter and only root may change."""
    kept = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108
    base = next(path for path in (kept if durable else kept[1:]) if os.access(path, os.W_OK))
    path = base / "msp-portal"
    path.mkdir(mode=0o755, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise EmbeddedError(f"{path} belongs to someone else: delete it")
    path.chmod(0o755)  # whatever the umask was
    return path


def _place_elsewhere(data_dir: Path, account: Account, *, durable: bool) -> Path:
    base = shared_folder(durable=durable)
    if not durable:
        _sweep(base)
    place = base / f"data-{_digest(data_dir)}"
    shutil.rmtree(place, ignore_errors=True)
    (data_dir / POINTER).write_text(f"{place / 'files'}\n")
    private_folder(place, account)
    (place / ORIGIN).write_text(str(data_dir.resolve()))
    return place / "files"


def _sweep(base: Path) -> None:
    """Delete what test runs that were killed have left behind: nobody holds their lock."""
    for origin in base.glob(f"data-*/{ORIGIN}"):
        data_dir = Path(origin.read_text())
        if data_dir.exists():
            with suppress(InUse), lock(data_dir):
                discard_files(data_dir)
                _discard_sockets(data_dir)
        else:
            shutil.rmtree(origin.parent, ignore_errors=True)
            _discard_sockets(data_dir)


def _discard_sockets(data_dir: Path) -> None:
    for sockets in _socket_dirs(data_dir):
        shutil.rmtree(sockets, ignore_errors=True)


def _socket_dirs(data_dir: Path) -> list[Path]:
    bases = dict.fromkeys((Path(tempfile.gettempdir()), Path("/tmp")))  # noqa: S108
    return [base / f"msp-{_digest(data_dir)}" for base in bases]


def _digest(data_dir: Path) -> str:
    named = f"{os.geteuid()}:{data_dir.resolve()}"
    return hashlib.sha256(named.encode()).hexdigest()[:12]
