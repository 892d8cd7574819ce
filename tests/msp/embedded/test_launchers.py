"""What becomes of the servers when their launcher is killed, and who may run a launcher where."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from msp.embedded import remove, start_postgres, start_valkey
from msp.embedded.account import Account
from msp.embedded.process import command_line

HERE = Path(__file__).parents[3]
SECONDS = 20.0
NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")

LAUNCH = """
import signal, sys
from pathlib import Path
from msp.embedded import postgres, valkey, start_postgres, start_valkey
data, words = Path(sys.argv[1]), sys.argv[2:]
if "loose" in words:
    for module in (postgres, valkey):
        spawn = module.spawn
        module.spawn = lambda *given, death, spawn=spawn: spawn(*given, death=0)
durable = "durable" in words
servers = start_postgres(data / "pg", durable=durable), start_valkey(data / "vk", durable=durable)
print(*(server.process.pid for server in servers))
print(*(server.socket_dir for server in servers))
print(servers[1].url(), flush=True)
signal.pause()
"""


class Launcher:
    """A process of its own that starts both servers and then waits to be killed."""

    def __init__(
        self,
        data: Path,
        *,
        tethered: bool = True,
        durable: bool = True,
        python: str = sys.executable,
        uid: int = 0,
    ) -> None:
        words = ["tethered" if tethered else "loose", "durable" if durable else "throw-away"]
        self.process = subprocess.Popen(
            [python, "-c", LAUNCH, str(data), *words],
            stdout=subprocess.PIPE,
            text=True,
            cwd=HERE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            **(Account(uid, uid, switches=True).switch() if uid else {}),
        )
        assert self.process.stdout
        self.pids = tuple(map(int, self.process.stdout.readline().split()))
        self.socket_dirs = self.process.stdout.readline().split()
        self.redis = redis.Redis.from_url(self.process.stdout.readline().strip())

    def execute(self, statement: str) -> None:
        """Run a statement on its PostgreSQL."""
        with psycopg.connect(host=self.socket_dirs[0], user="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def kill(self) -> None:
        """End it as the kernel would when memory runs out."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder below one that only we may enter."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "data"
        for name in ("pg", "vk"):
            remove(Path(folder) / "data" / name)


def gone(pids: tuple[int, ...]) -> bool:
    """Whether none of the servers runs any more, after at most SECONDS."""
    deadline = time.monotonic() + SECONDS
    while any(map(is_server, pids)) and time.monotonic() < deadline:
        os.sched_yield()
    return not any(map(is_server, pids))


def python_for_all() -> str:
    """A Python every user may run; that of a virtualenv may lie in a home folder."""
    everyone = Account(NOBODY, NOBODY, switches=True)
    for python in (sys.executable, "/usr/bin/python3"):
        if everyone.reaches(HERE) and everyone.reaches(Path(python)):
            return python
    pytest.skip("an ordinary user reaches no Python or not the project")


def is_server(pid: int) -> bool:
    """Whether a process is one of ours; a dead one that nobody buried has no command line."""
    return "postgres" in command_line(pid) or "valkey" in command_line(pid)


def test_servers_end_with_a_killed_launcher(data: Path) -> None:
    launcher = Launcher(data)
    launcher.kill()
    assert gone(launcher.pids)


@pytest.mark.parametrize("tethered", [True, False], ids=["ended-with-it", "left-behind"])
def test_the_next_launcher_goes_on_after_a_kill(data: Path, tethered: bool) -> None:
    launcher = Launcher(data, tethered=tethered)
    launcher.execute("CREATE TABLE kept AS SELECT 7 AS value")
    launcher.redis.set("kept", "7")
    launcher.kill()
    assert tethered or all(map(is_server, launcher.pids))
    with (
        start_postgres(data / "pg", durable=True) as postgres,
        start_valkey(data / "vk", durable=True) as valkey,
    ):
        assert gone(launcher.pids)
        with psycopg.connect(host=str(postgres.socket_dir), user="postgres") as connection:
            assert connection.execute("SELECT value FROM kept").fetchone() == (7,)
        assert redis.Redis.from_url(valkey.url()).get("kept") == b"7"


def test_ctrl_c_in_the_terminal_does_not_reach_the_servers(data: Path) -> None:
    with start_valkey(data / "vk", durable=False) as server:
        assert os.getsid(server.process.pid) != os.getsid(0)
        assert os.getpgid(server.process.pid) != os.getpgid(0)


@as_root
def test_root_runs_servers_as_nobody_where_nobody_may_not_enter(data: Path) -> None:
    data.mkdir(mode=0o700)
    with start_postgres(data / "pg", durable=False) as server:
        assert Path(f"/proc/{server.process.pid}").stat().st_uid == NOBODY
        assert server.socket_dir.stat().st_uid == NOBODY
        files = Path((data / "pg" / "files.path").read_text().strip())
        assert files.stat().st_uid == NOBODY
        assert files.stat().st_mode & 0o777 == 0o700
    assert data.stat().st_mode & 0o777 == 0o700
    assert data.stat().st_uid == (data / "pg").stat().st_uid == 0
    assert not files.parent.exists()


@as_root
def test_files_stay_in_the_data_folder_where_nobody_may_enter(data: Path) -> None:
    data.mkdir()
    data.parent.chmod(0o755)
    with start_valkey(data / "vk", durable=False):
        assert (data / "vk" / "files").stat().st_uid == NOBODY
        assert not (data / "vk" / "files.path").exists()


@as_root
def test_an_ordinary_user_needs_no_root(data: Path) -> None:
    data.mkdir()
    os.chown(data, NOBODY, NOBODY)
    data.parent.chmod(0o755)
    launcher = Launcher(data, python=python_for_all(), uid=NOBODY)
    launcher.execute("SELECT 1")
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in launcher.pids} == {NOBODY}
    launcher.kill()
    assert gone(launcher.pids)
    for folder in launcher.socket_dirs:
        shutil.rmtree(folder)


@as_root
def test_a_throw_away_run_sweeps_up_after_killed_ones(data: Path) -> None:
    launcher = Launcher(data, durable=False)
    files = Path((data / "vk" / "files.path").read_text().strip())
    launcher.kill()
    assert files.parent.exists()
    with start_valkey(data.parent / "other", durable=False):
        assert not files.parent.exists()
    remove(data.parent / "other")
