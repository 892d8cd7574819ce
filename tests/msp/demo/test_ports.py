"""Ports are claimed before anything else."""

import socket

import pytest

from msp.demo import ports
from msp.demo.options import HOST, DemoRefused


def test_a_port_in_use_is_refused_in_words() -> None:
    with ports.claim(0) as taken, pytest.raises(DemoRefused, match=r"Port \d+ can't be used .*PORT="):
        ports.claim(taken.getsockname()[1])


def test_callers_wait_from_the_first_moment_on() -> None:
    with ports.claim(0) as listening:
        socket.create_connection(listening.getsockname(), timeout=5).close()


def test_the_second_port_gives_way_when_it_is_taken() -> None:
    with (
        ports.claim(0) as first,
        ports.claim_near(first.getsockname()[1]) as near,
        ports.claim_near(first.getsockname()[1]) as other,
    ):
        assert other.getsockname()[0] == HOST
        assert other.getsockname()[1] not in (first.getsockname()[1], near.getsockname()[1])
    with ports.claim_near(65535) as last:
        assert last.getsockname()[1] != 65535
