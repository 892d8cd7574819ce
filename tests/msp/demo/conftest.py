"""Demos by name, ended and swept up whatever happens."""

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.msp.demo.running import Demo, clear, free_port, pretend_seeded


@pytest.fixture
def make_demo() -> Iterator[Callable[..., Demo]]:
    """Make a demo that is not started yet; with `seeded=False` it has tables and nothing in them."""
    made: list[Demo] = []
    # Not pytest's own folder: the servers' user could not enter it.
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:

        def make(name: str = "a", *, seeded: bool = True) -> Demo:
            demo = Demo(Path(folder) / name, free_port())
            if not seeded:
                pretend_seeded(demo.folder)
            made.append(demo)
            return demo

        yield make
        for demo in made:
            clear(demo)
