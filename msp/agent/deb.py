"""Installing a `deb` release: packages at the versions that it names, from the system's own sources.

Nothing is ever removed, changed configuration files stay, and a lower version needs the release's leave.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import crash
from .debian import Debian, changes_of, reason_of
from .documents import Artifact, Deployment
from .executors import Done, Found, Leave, Pulse
from .ledger import Intent
from .log import LOG
from .orders import PACKAGE, VERSION, Orders, read_orders
from .reasons import Failure, Reason
from .versions import compare, is_at_least

KIND = "deb"
MATCHES = ("exact", "at_least", "")


@dataclass(frozen=True)
class Wish:
    """A package and its version. `match`: "exact" refuses a higher one that is installed, "at_least" lets a higher one
    of the sources do, without it exactly the version is installed and a higher one that is installed is left alone.
    """

    name: str
    version: str
    match: str = ""


class DebExecutor:
    """Drives one Debian system's apt."""

    def __init__(self, debian: Debian) -> None:
        self._debian = debian

    def artifacts(self, deployment: Deployment) -> list[Artifact]:
        """None: packages come from the system's own sources."""
        _wishes(deployment)
        return []

    def check(self, deployment: Deployment, to_fetch: int) -> None:
        """Raise Failure if another package manager is at work."""
        if self._debian.is_locked():
            raise Failure(Reason.BUSY, "busy: another package manager is at work")

    def intent(self, deployment: Deployment, fetched: list[Path], pulse: Pulse) -> Intent:
        """Simulated and downloaded: what is installed now, and what will be. Raises Failure."""
        orders, wishes = read_orders(deployment.chunks[0]), _wishes(deployment)
        before = self._debian.versions(one.name for one in wishes)
        is_due = any(_is_due(one, before[one.name], orders) for one in wishes)
        updated = self._debian.update(pulse) if is_due else None
        goals = {one.name: self._goal(one, before[one.name], orders) for one in wishes}
        pins = [f"{name}={version}" for name, version in goals.items() if version != before[name]]
        downgrades = any(_is_lower(goals[name], now) for name, now in before.items())
        if pins:
            self._try(pins, downgrades, pulse, is_updated=updated is not None and updated.code == 0)
        plan: dict[str, Any] = {"before": before, "goals": goals, "pins": pins, "downgrades": downgrades}
        return Intent(deployment.action, deployment.release, (), KIND, plan, orders.after, orders.reboot)

    def carry_out(self, intent: Intent, fetched: list[Path], leave: Leave) -> Done:
        """Install what was downloaded, unless everything is there already. Raises Failure."""
        leave.ask()
        pins = intent.plan["pins"]
        if not pins:
            return Done("nothing to do: the packages are there already")
        leave.begin()
        crash.point("deb-begun")
        done = self._debian.install(pins, downgrade=intent.plan["downgrades"], pulse=leave.pulse)
        crash.point("deb-ended")
        if done.code != 0:
            reason = reason_of(done, Reason.PACKAGES)
            raise Failure(reason, f"apt failed: {self._state(intent)}", done.tail)
        if missing := self._missing(intent):
            raise Failure(
                Reason.PACKAGES, f"apt ended well, but {', '.join(missing)} is not as wanted", done.tail
            )
        return Done(f"{len(pins)} packages installed", tuple(self._changes(intent)))

    def inspect(self, intent: Intent, has_begun: bool, pulse: Pulse) -> Found:
        """Ask dpkg; what is half done is configured to its end, nothing is installed anew."""
        if self._debian.is_locked():
            return Found("wait", "a package manager is still at work")
        try:
            if self._debian.is_half_done():
                LOG.info("action %s: finishing what dpkg left half done", intent.action)
                done = self._debian.configure(pulse)
                if done.code != 0:
                    words = f"interrupted, dpkg cannot finish: {self._state(intent)}"
                    return Found("failure", words, Reason.INTERRUPTED, done.tail)
            missing = self._missing(intent)
            now = self._debian.versions(intent.plan["before"])
        except Failure as failure:
            return Found("failure", f"interrupted: {failure}", Reason.INTERRUPTED, failure.output)
        if not missing:
            return Found("success", "interrupted, found installed on inspection")
        if now == intent.plan["before"]:
            return Found("void", "interrupted before anything was installed")
        return Found("failure", f"interrupted: {self._state(intent)}", Reason.INTERRUPTED)

    def _try(self, pins: Sequence[str], downgrade: bool, pulse: Pulse, *, is_updated: bool) -> None:
        """Simulate and download. Raises Failure saying what stands in the way."""
        simulated = self._debian.simulate(pins, downgrade=downgrade, pulse=pulse)
        if simulated.code != 0:
            otherwise = Reason.PACKAGES if is_updated else Reason.DOWNLOAD
            reason = reason_of(simulated, otherwise)
            raise Failure(reason, f"apt would not install {', '.join(pins)}", simulated.tail)
        for line in changes_of(simulated):
            LOG.info("apt will change: %s", line)
        crash.point("deb-simulated")
        fetched = self._debian.download(pins, downgrade=downgrade, pulse=pulse)
        if fetched.code != 0:
            raise Failure(
                reason_of(fetched, Reason.DOWNLOAD), "the packages could not be fetched", fetched.tail
            )

    def _goal(self, wish: Wish, now: str | None, orders: Orders) -> str:
        """Which version is to be there in the end. Raises Failure(DOWNGRADE) where that would need leave."""
        if not _is_due(wish, now, orders):
            return now or wish.version
        if wish.match != "at_least":
            return wish.version
        offered = self._debian.offered(wish.name)
        if wish.version in offered or not offered or not is_at_least(offered[0], wish.version):
            return wish.version
        return offered[0]

    def _missing(self, intent: Intent) -> list[str]:
        """The packages that are not at their goal."""
        goals: dict[str, str] = intent.plan["goals"]
        now = self._debian.versions(goals)
        return [
            name for name, goal in goals.items() if now[name] is None or compare(now[name] or "", goal) != 0
        ]

    def _changes(self, intent: Intent) -> list[str]:
        before, goals = intent.plan["before"], intent.plan["goals"]
        changed = [name for name in goals if goals[name] != before[name]]
        return [f"{name} {before[name] or '(absent)'} → {goals[name]}" for name in changed]

    def _state(self, intent: Intent) -> str:
        goals = intent.plan["goals"]
        return f"{len(goals) - len(self._missing(intent))} of {len(goals)} packages are as wanted"


def _wishes(deployment: Deployment) -> list[Wish]:
    """What the release names. Raises Failure(UNSUPPORTED)."""
    if len(deployment.chunks) != 1:
        raise Failure(Reason.UNSUPPORTED, "unsupported: packages come in one chunk")
    try:
        found = json.loads(deployment.chunks[0].metadata.get("packages", ""))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not found:
        raise Failure(Reason.UNSUPPORTED, "unsupported: the release names no packages")
    wishes = [_wish(one) for one in found]
    if len({one.name for one in wishes}) != len(wishes):
        raise Failure(Reason.UNSUPPORTED, "unsupported: the release names a package twice")
    return wishes


def _wish(one: object) -> Wish:
    match one:
        case {"name": str(name), "version": str(version), **more}:
            how = more.get("match", "")
            if PACKAGE.fullmatch(name) and VERSION.fullmatch(version) and how in MATCHES:
                return Wish(name, version, how)
    raise Failure(Reason.UNSUPPORTED, "unsupported: a package's name or version is not usable")


def _is_due(wish: Wish, now: str | None, orders: Orders) -> bool:
    """Whether the package has to change. Raises Failure(DOWNGRADE) if it would have to come down without leave."""
    if now is None or compare(now, wish.version) < 0:
        return True
    if compare(now, wish.version) == 0:
        return False
    granted = orders.granted(wish.name)
    if granted is not None and compare(now, granted) <= 0:
        return True
    if granted is not None or wish.match == "exact":
        words = f"downgrade of {wish.name} from {now} to {wish.version} is not allowed"
        raise Failure(Reason.DOWNGRADE, words)
    return False


def _is_lower(goal: str, now: str | None) -> bool:
    return now is not None and compare(goal, now) < 0
