"""What an entry of the schedule is."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Periodic:
    """A function that finds what is due and asks for work, or does a small bounded piece itself."""

    name: str
    every_seconds: float
    run: Callable[[], object]
