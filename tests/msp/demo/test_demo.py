"""The whole demo, for real: it starts, survives, ends and goes on."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from msp.demo import linux
from tests.msp.demo.running import Demo, free_port, wait_for

STOP_SECONDS = 10.0
SERVERS = ("postgres", "valkey")
MakeDemo = Callable[..., Demo]


def test_a_seeded_demo_shows_its_world_and_goes_on_where_it_was(make_demo: MakeDemo) -> None:
    demo = make_demo().start().ready()
    assert demo.ask("/readyz")[0] == 200
    assert 'name="password"' in demo.ask("/sign-in")[1]
    _check_credentials(demo)
    credentials, seeded = demo.folder.credentials.read_text(), demo.folder.seeded.read_text()
    wait_for(lambda: _has_polled(demo, "kopi-kasir-1"), lambda: _log(demo, "hosts"))

    below = demo.processes()
    began = time.monotonic()
    assert demo.end() == 0
    assert time.monotonic() - began < STOP_SECONDS
    assert linux.wait_gone(below, 0) == []
    assert not demo.folder.processes.exists()

    demo.port = _another_port(demo)
    demo.start().ready()
    assert demo.folder.seeded.read_text() == seeded
    found = json.loads(demo.folder.credentials.read_text())
    assert found == {**json.loads(credentials), "url": f"http://127.0.0.1:{demo.port}"}


def _check_credentials(demo: Demo) -> None:
    assert demo.folder.credentials.stat().st_mode & 0o777 == 0o600
    found = json.loads(demo.folder.credentials.read_text())
    roles = {"owner", "manager", "dispatcher", "l1", "l2", "l3", "client_admin", "client_user"}
    assert found["url"] == f"http://127.0.0.1:{demo.port}"
    for kind in ("accounts", "tokens"):
        assert {one["role"] for one in found[kind]} == roles
        for role in ("client_admin", "client_user"):
            assert len({one["tenant"] for one in found[kind] if one["role"] == role}) >= 2
    assert len({one["token"] for one in found["tokens"]}) == len(found["tokens"])
    assert len({one["controller_id"] for one in found["agents"]}) == 8


def _another_port(demo: Demo) -> int:
    return next(port for port in iter(free_port, None) if port != demo.port)


def _has_polled(demo: Demo, host: str) -> bool:
    return "polled" in _log(demo, f"host-{host}")


def _log(demo: Demo, name: str) -> str:
    path = demo.folder.logs / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_demos_run_side_by_side_and_survive_whatever_is_killed(make_demo: MakeDemo) -> None:
    demo, neighbour = make_demo("a", seeded=False).start(), make_demo("b", seeded=False).start()
    assert demo.ready().ask("/readyz")[0] == neighbour.ready().ask("/readyz")[0] == 200
    _refuses_twins(make_demo, demo)

    wait_for(lambda: "worker-mail" in demo.notes()["children"], demo.said)
    before = demo.notes()["children"]
    victims = [before["web"]["pid"], before["worker-mail"]["pid"], *(_server(demo, name) for name in SERVERS)]
    for victim in victims:
        os.kill(victim, signal.SIGKILL)
    wait_for(lambda: _is_all_new(demo, before, victims), demo.said)
    wait_for(lambda: demo.ask("/readyz")[0] == 200, demo.said)

    below = demo.processes()
    demo.end(signal.SIGKILL)
    demo.start().ready()
    assert linux.wait_gone(below, STOP_SECONDS) == []
    assert demo.ask("/readyz")[0] == neighbour.ask("/readyz")[0] == 200


def _refuses_twins(make_demo: MakeDemo, demo: Demo) -> None:
    twin, rival = make_demo("a"), make_demo("c", seeded=False)
    rival.port = demo.port
    assert twin.start().wait() == rival.start().wait() == 1
    assert "another demo runs there" in twin.said()
    assert f"Port {demo.port} can't be used" in rival.said()


def _server(demo: Demo, name: str) -> int:
    assert demo.process
    mine = [one.pid for one in linux.processes() if one.parent == demo.process.pid]
    return next(pid for pid in mine if name in Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0])


def _is_all_new(demo: Demo, before: dict[str, dict[str, int]], victims: list[int]) -> bool:
    now = demo.notes()["children"]
    again = all(name in now and now[name] != before[name] for name in ("web", "worker-mail"))
    return again and not any(linux.process(pid) for pid in victims)


def test_beginning_anew_forgets_everything_and_ctrl_c_ends_a_start(make_demo: MakeDemo) -> None:
    demo = make_demo(seeded=False)
    secret = demo.folder.secrets()
    demo.start(RESET="1")
    wait_for(lambda: (demo.folder.postgres / "server.log").exists(), demo.said)
    below = demo.processes()
    began = time.monotonic()
    assert demo.end(signal.SIGINT) == 0
    assert time.monotonic() - began < STOP_SECONDS
    assert linux.wait_gone(below, STOP_SECONDS) == []
    assert not demo.folder.seeded.exists()
    assert demo.folder.secrets() != secret
