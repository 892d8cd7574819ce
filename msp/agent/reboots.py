"""Restarting the machine: only where its own settings allow it, once for an action, and after the result is told."""

from collections.abc import Callable
from pathlib import Path

from . import process
from .ledger import Ledger
from .log import LOG

COMMAND = ("systemctl", "reboot")


class Reboots:
    """Decides whether an installation is followed by a reboot, and asks the system for it."""

    def __init__(
        self,
        ledger: Ledger,
        work: Path,
        is_required: Callable[[], bool],
        *,
        is_allowed: bool,
        command: tuple[str, ...] = COMMAND,
    ) -> None:
        self._ledger = ledger
        self._work = work
        self._is_required = is_required
        self._is_allowed = is_allowed
        self._command = command

    def decide(self, wish: str) -> tuple[bool, str]:
        """Whether the agent is to reboot for a release that wants `never`, `if_needed` or `always`; and in words."""
        is_required = self._is_required()
        if wish == "never" or (wish == "if_needed" and not is_required):
            return False, "a reboot is required" if is_required else ""
        if not self._is_allowed:
            return False, "a reboot is wanted; this machine's settings leave it to people"
        return True, "the machine reboots after this report"

    def act(self) -> None:
        """Reboot if a delivered result wants it; noted first, so that it is asked for once whatever comes of it."""
        action = self._ledger.reboot_due
        if action is None:
            return
        self._ledger.rebooting(action)
        LOG.info("action %s: rebooting the machine", action)
        try:
            done = process.run(self._command, self._work / "reboot.log", seconds=60)
        except OSError as error:
            LOG.error("cannot reboot: %s", error)
            return
        if done.code != 0:
            LOG.error("cannot reboot: %s", " ".join(done.tail))
