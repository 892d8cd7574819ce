"""Both servers, started for real: they answer, keep what they promise, and end when told."""

import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
import sqlalchemy

from msp.embedded import EmbeddedError, InUse, Postgres, Running, remove, start_postgres, start_valkey
from msp.embedded.process import command_line


def ask(server: Postgres, statement: str) -> object:
    """The first value of a statement's first row."""
    with psycopg.connect(host=str(server.socket_dir), user="postgres", autocommit=True) as connection:
        cursor = connection.execute(statement)
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder nobody else may enter, as pytest's own are."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "data"
        remove(Path(folder) / "data")


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    """A throw-away cluster for tests that only look."""
    with tempfile.TemporaryDirectory() as folder, start_postgres(Path(folder), durable=False) as server:
        yield server


def test_postgres_answers_through_its_url(postgres: Postgres) -> None:
    ask(postgres, 'CREATE ROLE "portal app" LOGIN')
    ask(postgres, "CREATE DATABASE portal")
    engine = sqlalchemy.create_engine(postgres.url("portal app", "portal"))
    with engine.connect() as connection:
        who, where = connection.execute(sqlalchemy.text("SELECT current_user, current_database()")).one()
    engine.dispose()
    assert (who, where) == ("portal app", "portal")


def test_postgres_sorts_and_tells_time_the_same_on_every_machine(postgres: Postgres) -> None:
    assert ask(postgres, "SHOW timezone") == "UTC"
    assert ask(postgres, "SELECT datlocale FROM pg_database WHERE datname = 'template1'") == "C.UTF-8"
    assert ask(postgres, "SHOW server_encoding") == "UTF8"


@pytest.mark.parametrize(("durable", "fsync"), [(True, "on"), (False, "off")])
def test_only_a_throw_away_cluster_is_careless(data_dir: Path, durable: bool, fsync: str) -> None:
    with start_postgres(data_dir, durable=durable) as server:
        assert ask(server, "SHOW fsync") == fsync
        assert ask(server, "SHOW full_page_writes") == fsync


def test_no_server_listens_on_a_port(postgres: Postgres, data_dir: Path) -> None:
    assert ask(postgres, "SHOW listen_addresses") == ""
    with start_valkey(data_dir, durable=False) as valkey:
        assert redis.Redis.from_url(valkey.url()).config_get("port") == {"port": "0"}


def test_sockets_are_private_and_their_path_is_short(data_dir: Path) -> None:
    deep = data_dir / ("d" * 100) / ("e" * 100)
    with start_valkey(deep, durable=False) as server:
        assert server.socket_dir.stat().st_mode & 0o777 == 0o700
        assert len(os.fsencode(server.socket_dir / ".s.PGSQL.5432.lock")) < 107
    assert not server.socket_dir.exists()


def test_durable_servers_keep_what_they_were_told(data_dir: Path) -> None:
    with (
        start_postgres(data_dir / "pg", durable=True) as postgres,
        start_valkey(data_dir / "vk", durable=True) as valkey,
    ):
        ask(postgres, "CREATE TABLE kept AS SELECT 7 AS value")
        redis.Redis.from_url(valkey.url()).set("kept", "7")
        urls = postgres.url(), valkey.url()
    with (
        start_postgres(data_dir / "pg", durable=True) as postgres,
        start_valkey(data_dir / "vk", durable=True) as valkey,
    ):
        assert ask(postgres, "SELECT value FROM kept") == 7
        assert redis.Redis.from_url(valkey.url()).get("kept") == b"7"
        assert urls == (postgres.url(), valkey.url())


def test_a_throw_away_cluster_leaves_no_files(data_dir: Path) -> None:
    with start_postgres(data_dir, durable=False) as server:
        files = Path(str(ask(server, "SHOW data_directory")))
        assert files.exists()
    assert not files.exists()
    assert {path.name for path in data_dir.iterdir()} == {"lock", "server.log"}


def test_removed_data_is_gone_wherever_it_was(data_dir: Path) -> None:
    with start_postgres(data_dir, durable=True) as server:
        files = Path(str(ask(server, "SHOW data_directory")))
        with pytest.raises(InUse):
            remove(data_dir)
    remove(data_dir)
    assert not files.exists()
    assert not data_dir.exists()


def test_a_data_folder_deleted_by_hand_begins_anew(data_dir: Path) -> None:
    with start_valkey(data_dir, durable=True) as server:
        redis.Redis.from_url(server.url()).set("kept", "7")
    for path in data_dir.glob("*"):
        path.rename(data_dir.with_name(f"{path.name}.gone"))
    data_dir.rmdir()
    with start_valkey(data_dir, durable=True) as server:
        assert redis.Redis.from_url(server.url()).get("kept") is None


def test_one_data_folder_serves_one_launcher(data_dir: Path) -> None:
    with start_valkey(data_dir, durable=False), pytest.raises(InUse, match=f"process {os.getpid()}"):
        start_valkey(data_dir, durable=False)


def test_two_clusters_run_side_by_side(postgres: Postgres, data_dir: Path) -> None:
    with start_postgres(data_dir, durable=False) as other:
        ask(other, "CREATE TABLE mine ()")
        assert ask(postgres, "SELECT to_regclass('mine')") is None


def test_stopping_is_final_and_harmless_twice(data_dir: Path) -> None:
    server = start_valkey(data_dir, durable=False)
    assert server.is_alive()
    server.stop()
    server.stop()
    assert not server.is_alive()


def test_open_sessions_do_not_hold_up_the_stop(data_dir: Path) -> None:
    server = start_postgres(data_dir, durable=True)
    with psycopg.connect(host=str(server.socket_dir), user="postgres") as connection:
        connection.execute("SELECT 1")
        server.stop()
        connection.close()
    assert not server.is_alive()
    assert "fast shutdown" in server.log.read_text()


def test_a_hung_server_is_killed(data_dir: Path) -> None:
    server = start_valkey(data_dir, durable=False)
    server.process.send_signal(signal.SIGSTOP)
    server.stop()
    assert server.process.returncode == -signal.SIGKILL


def test_killed_servers_recover_what_was_committed(data_dir: Path) -> None:
    server = start_postgres(data_dir, durable=True)
    ask(server, "CREATE TABLE kept AS SELECT 7 AS value")
    kill(server)
    with start_postgres(data_dir, durable=True) as server:
        assert ask(server, "SELECT value FROM kept") == 7


def test_a_pid_file_naming_a_stranger_does_not_stop_the_start(data_dir: Path) -> None:
    server = start_postgres(data_dir, durable=True)
    pid_file = Path(str(ask(server, "SHOW data_directory"))) / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with start_postgres(data_dir, durable=True) as server:
        assert ask(server, "SELECT 1") == 1


def test_a_start_that_fails_says_why_and_frees_the_folder(data_dir: Path) -> None:
    with start_valkey(data_dir, durable=True) as server:
        manifest = next(Path(redis_dir(server)).glob("appendonlydir/*.manifest"))
    manifest.write_text("nonsense\n")
    for _ in range(2):
        with pytest.raises(EmbeddedError, match="manifest"):
            start_valkey(data_dir, durable=True)


def redis_dir(server: Running) -> str:
    """Where a Valkey works."""
    for part in command_line(server.process.pid).split(" --"):
        if part.startswith("dir "):
            return part.removeprefix("dir ")
    raise AssertionError("no --dir")


def kill(server: Running) -> None:
    """End a server the hard way."""
    server.process.kill()
    server.process.wait()
    server.stop()


def test_the_folder_of_sockets_must_be_ours(data_dir: Path) -> None:
    with start_valkey(data_dir, durable=False) as server:
        sockets = server.socket_dir
    sockets.mkdir(mode=0o755)
    try:
        with pytest.raises(EmbeddedError, match="not a private folder"):
            start_valkey(data_dir, durable=False)
    finally:
        sockets.rmdir()


def test_a_plain_client_sees_a_unix_socket(data_dir: Path) -> None:
    with start_valkey(data_dir, durable=False) as server, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.socket_dir / "valkey.sock"))
        client.sendall(b"PING\r\n")
        assert client.recv(7) == b"+PONG\r\n"
