"""What every kind of release is asked: what it needs, what it is about to do, to do it, and what a crash left of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from .documents import Artifact, Deployment
from .ledger import Intent
from .reasons import Reason

Pulse = Callable[[], None]


class Held(Exception):
    """Somebody at the machine told the agent to change nothing."""


class TooLate(Exception):
    """The time in which the action was to begin is over; the portal may name another."""


@dataclass(frozen=True)
class Done:
    """What was done, in words, and the end of what a program said."""

    words: str
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What an interrupted action turns out to be: success, failure, `void` (nothing done) or `wait` (still at it)."""

    outcome: str
    words: str
    code: Reason = Reason.NONE
    output: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leave:
    """What an executor may call while it works.

    `ask` raises Held, TooLate, Failure, Cancelled or StopRequested, `watch` the last two: both only while nothing is
    changed. `begin` notes durably that from now on something may be; after it `pulse` keeps the portal told and never
    raises, and `check_stop` raises StopRequested.
    """

    ask: Pulse
    watch: Pulse
    begin: Pulse
    pulse: Pulse
    check_stop: Pulse


class Executor(Protocol):
    """One kind of release."""

    def artifacts(self, deployment: Deployment) -> list[Artifact]:
        """What has to be fetched; raises Failure for an offer that cannot be used."""

    def check(self, deployment: Deployment, to_fetch: int) -> None:
        """Raise Failure if it is plain beforehand that installing cannot work. `to_fetch` in bytes."""

    def intent(self, deployment: Deployment, fetched: list[Path], pulse: Pulse) -> Intent:
        """What is about to be done; changes nothing that counts. `pulse` may raise."""

    def carry_out(self, intent: Intent, fetched: list[Path], leave: Leave) -> Done:
        """Do it; raises Failure, or whatever `leave.ask` raises while nothing is changed yet."""

    def inspect(self, intent: Intent, has_begun: bool, pulse: Pulse) -> Found:
        """What became of an action that was interrupted; finishes what is half done, never does it again."""
