"""Claiming ports: bound and listening before anything slow begins, so that early callers wait instead of failing."""

import socket

from msp.demo.options import HOST, DemoRefused

BACKLOG = 256


def claim(port: int) -> socket.socket:
    """Listen on this machine's own address. Raises DemoRefused."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise DemoRefused(
            f"Port {port} can't be used ({error.strerror}). Choose another: make demo PORT=…"
        ) from None
    return listening


def claim_near(port: int) -> socket.socket:
    """Listen on the next port, or on any that is free."""
    try:
        return claim(port + 1 if port < 65535 else 0)
    except DemoRefused:
        return claim(0)
