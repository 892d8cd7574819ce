"""The durable record of what the agent was about to do, did, and has reported: JSON lines, appended and fsynced.

`intent` is on disk before anything is touched, `begun` before the first change that counts, `void` withdraws
an intent that touched nothing, `result` is how an action ended, `reported` that the portal acknowledged it, `rebooted`
that the system was asked for the reboot it wanted. A line torn by a crash was never relied upon and is cut off.
"""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import crash
from .durable import sync_folder, write_all

KINDS = ("intent", "begun", "void", "result", "reported", "rebooted")


class LedgerDamaged(Exception):
    """A line in the middle cannot be read: what was done is unknown, so nothing may be done."""


@dataclass(frozen=True)
class Target:
    """One file to be replaced: its content after, and before (None: absent), as SHA-256."""

    path: str
    sha256: str
    before: str | None


@dataclass(frozen=True)
class Intent:
    """The agent was about to write these files, or to do what `plan` says for another kind of release.

    `checks` and `reboot` are what the release demands afterwards.
    """

    action: str
    release: str
    targets: tuple[Target, ...] = ()
    part: str = "file"
    plan: dict[str, Any] = field(default_factory=dict)
    checks: tuple[dict[str, Any], ...] = ()
    reboot: str = "never"


@dataclass(frozen=True)
class Result:
    """How an action ended. `outcome`: success, failure or cancelled; `at` in milliseconds since 1970."""

    action: str
    outcome: str
    code: int
    details: tuple[str, ...]
    release: str
    at: int
    # A reboot is to follow once the portal has the result.
    reboots: bool = False


class Ledger:
    """All records of one folder, kept in memory and on disk. Raises LedgerDamaged on opening, OSError on writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._intents: dict[str, Intent] = {}
        self._results: dict[str, Result] = {}
        self._begun: set[str] = set()
        self._reported: set[str] = set()
        self._rebooted: set[str] = set()
        self.installed_release: str | None = None
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        sync_folder(path.parent)
        self._size = self._load()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def intend(self, intent: Intent) -> None:
        """Announce the files that will be written, before the first is touched."""
        if self.open_intents:
            raise ValueError("one action at a time")
        if intent.action in self._results:
            raise ValueError(f"action {intent.action} has a result already")
        self._append("intent", asdict(intent))

    def begin(self, action: str) -> None:
        """Announce that what cannot be looked up afterwards starts now."""
        self._append("begun", {"action": action})

    def has_begun(self, action: str) -> bool:
        """Whether the open intent's action was begun."""
        return action in self._begun

    def void(self, action: str) -> None:
        """Withdraw an intent of which nothing was carried out."""
        self._append("void", {"action": action})

    def settle(
        self,
        action: str,
        outcome: str,
        code: int,
        details: tuple[str, ...],
        release: str,
        *,
        reboots: bool = False,
    ) -> Result:
        """Record how the action ended; the first result stands."""
        if (known := self._results.get(action)) is not None:
            return known
        at = time.time_ns() // 1_000_000
        self._append("result", asdict(Result(action, outcome, code, details, release, at, reboots)))
        return self._results[action]

    def acknowledge(self, action: str) -> None:
        """The portal has the result."""
        if action not in self._reported:
            self._append("reported", {"action": action})

    def rebooting(self, action: str) -> None:
        """The system is asked to reboot for the action: once, whatever comes of it."""
        self._append("rebooted", {"action": action})

    @property
    def reboot_due(self) -> str | None:
        """The action whose delivered result wants a reboot that has not been asked for yet."""
        due = (
            action
            for action, result in self._results.items()
            if result.reboots and action in self._reported and action not in self._rebooted
        )
        return next(due, None)

    @property
    def open_intents(self) -> list[Intent]:
        """Intents without a result: a crash or an error lies in between."""
        return list(self._intents.values())

    @property
    def unreported(self) -> list[Result]:
        """Results that the portal has not acknowledged, oldest first."""
        return [result for action, result in self._results.items() if action not in self._reported]

    def result_of(self, action: str) -> Result | None:
        """How the action ended, if it did."""
        return self._results.get(action)

    def is_reported(self, action: str) -> bool:
        """Whether the portal acknowledged the action's result."""
        return action in self._reported

    def _append(self, kind: str, body: dict[str, Any]) -> None:
        line = json.dumps({"kind": kind, **body}, separators=(",", ":")).encode() + b"\n"
        self._cut()
        if crash.armed(f"{kind}-torn"):
            write_all(self._descriptor, line[: len(line) // 2])
            crash.point(f"{kind}-torn")
        write_all(self._descriptor, line)
        os.fsync(self._descriptor)
        self._size += len(line)
        self._take(kind, body)

    def _cut(self) -> None:
        # An earlier write may have failed half way, e.g. on a full disk.
        if os.fstat(self._descriptor).st_size != self._size:
            os.ftruncate(self._descriptor, self._size)

    def _load(self) -> int:
        content = self._path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):
            os.ftruncate(self._descriptor, whole)
            os.fsync(self._descriptor)
        for number, line in enumerate(content[:whole].splitlines(), 1):
            self._read(number, line)
        return whole

    def _read(self, number: int, line: bytes) -> None:
        try:
            body = json.loads(line)
            self._take(body.pop("kind"), body)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise LedgerDamaged(f"{self._path}, line {number}: {error!r}") from None

    def _take(self, kind: str, body: dict[str, Any]) -> None:
        action = body["action"]
        if kind == "intent":
            targets = tuple(Target(**target) for target in body["targets"])
            checks = tuple(body.get("checks", ()))
            self._intents[action] = Intent(**{**body, "targets": targets, "checks": checks})
        elif kind == "begun":
            self._begun.add(action)
        elif kind == "void":
            self._intents.pop(action, None)
            self._begun.discard(action)
        elif kind == "result":
            self._ended(Result(**{**body, "details": tuple(body["details"])}))
        elif kind == "reported":
            self._reported.add(action)
        elif kind == "rebooted":
            self._rebooted.add(action)
        else:
            raise ValueError(f"unknown kind {kind!r}")

    def _ended(self, result: Result) -> None:
        self._intents.pop(result.action, None)
        self._results.setdefault(result.action, result)
        if result.outcome == "success":
            self.installed_release = result.release
