"""Checks before and after, and which machines a release is for."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from msp.agent.checks import Inspector
from msp.agent.debian import Debian
from msp.agent.orders import Orders, is_check
from msp.agent.reasons import Failure, Reason


@pytest.fixture
def inspector(tmp_path: Path) -> Inspector:
    def facts() -> dict[str, str]:
        return {"os_id": "debian", "architecture": "amd64"}

    (tmp_path / "there").touch()
    return Inspector(tmp_path, tmp_path, Debian(tmp_path, tmp_path), facts, patience=0.0)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def reason(inspector: Inspector, orders: Orders) -> Reason | None:
    try:
        inspector.admit(orders)
    except Failure as failure:
        return failure.reason
    return None


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (Orders(), None),
        (Orders(systems=("debian", "ubuntu"), architectures=("amd64",)), None),
        (Orders(systems=("ubuntu",)), Reason.UNSUPPORTED),
        (Orders(architectures=("arm64",)), Reason.UNSUPPORTED),
        (Orders(least_disk_mb=1), None),
        (Orders(least_disk_mb=10**9), Reason.NO_SPACE),
    ],
)
def test_a_release_is_for_some_machines(
    inspector: Inspector, orders: Orders, expected: Reason | None
) -> None:
    assert reason(inspector, orders) == expected


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        ({"kind": "disk_free_mb", "path": "/", "least": 1}, True),
        ({"kind": "disk_free_mb", "path": "/", "least": 10**9}, False),
        ({"kind": "disk_free_mb", "path": "/nowhere", "least": 1}, False),
        ({"kind": "file_present", "path": "/there"}, True),
        ({"kind": "file_present", "path": "/not/there"}, False),
        ({"kind": "service_active", "name": "msp-no-such.service"}, False),
        ({"kind": "tcp_port_open", "port": 1}, False),
    ],
)
def test_a_check_holds_or_does_not(inspector: Inspector, check: dict[str, Any], holds: bool) -> None:
    assert is_check(check)
    assert reason(inspector, Orders(before=(check,))) == (None if holds else Reason.CHECK_BEFORE)


def test_a_port_that_answers_is_open(inspector: Inspector, port: int) -> None:
    inspector.confirm(({"kind": "tcp_port_open", "port": port},), lambda: None)


def test_a_check_afterwards_is_given_time(tmp_path: Path) -> None:
    inspector = Inspector(tmp_path, tmp_path, Debian(tmp_path, tmp_path), dict, patience=20.0)
    asked = []

    def pulse() -> None:
        asked.append(1)
        (tmp_path / "late").touch()

    inspector.confirm(({"kind": "file_present", "path": "/late"},), pulse)
    assert asked == [1]
    with pytest.raises(Failure) as failure:
        Inspector(tmp_path, tmp_path, Debian(tmp_path, tmp_path), dict, patience=0.0).confirm(
            ({"kind": "file_present", "path": "/never"},), pulse
        )
    assert failure.value.reason == Reason.CHECK_AFTER


@pytest.mark.parametrize(
    "check",
    [
        None,
        {"kind": "shell", "run": "true"},
        {"kind": "service_active", "name": "--now"},
        {"kind": "service_active", "name": "a b"},
        {"kind": "file_present", "path": "relative"},
        {"kind": "tcp_port_open", "port": 70000},
        {"kind": "tcp_port_open", "port": "443"},
        {"kind": "package_at_least", "name": "-x", "version": "1"},
        {"kind": "package_at_least", "name": "x", "version": "1 || true"},
        {"kind": "disk_free_mb", "path": "/"},
    ],
)
def test_what_cannot_be_checked_is_no_check(check: object) -> None:
    assert not is_check(check)


def test_leave_to_come_down_by_name_or_for_all() -> None:
    assert Orders().granted("x") is None
    assert Orders(downgrade_from="7").granted("x") == "7"
    assert Orders(downgrade_from="motd/7").granted("x") == "7"
    assert Orders(downgrade_from='{"x":"7"}').granted("x") == "7"
    assert Orders(downgrade_from='{"x":"7"}').granted("y") is None
