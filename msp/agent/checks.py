"""What a machine has to show before and after a release: looked at, never run through a shell."""

import shutil
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from . import process
from .debian import Debian
from .orders import Check, Orders
from .reasons import Failure, Reason
from .versions import is_at_least

MEGABYTE = 1024 * 1024
PATIENCE_SECONDS = 30.0
STEP_SECONDS = 1.0
CONNECT_SECONDS = 3.0


class Inspector:
    """Makes the checks of one system; `work` is a folder for what programs say."""

    def __init__(
        self,
        root: Path,
        work: Path,
        debian: Debian,
        facts: Callable[[], dict[str, str]],
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._root = root
        self._work = work
        self._debian = debian
        self._facts = facts
        self._patience = patience

    def admit(self, orders: Orders) -> None:
        """Raise Failure if the release is not for this machine, or a check before it does not hold."""
        self._check_platform(orders)
        failed = self._failed(orders.before)
        if failed:
            raise Failure(Reason.CHECK_BEFORE, f"check before installing: {failed}")

    def confirm(self, checks: Sequence[Check], pulse: Callable[[], None]) -> None:
        """Raise Failure if a check after the installation does not hold within half a minute."""
        until = time.monotonic() + self._patience
        while failed := self._failed(checks):
            if time.monotonic() >= until:
                raise Failure(Reason.CHECK_AFTER, f"check after installing: {failed}")
            pulse()
            time.sleep(min(STEP_SECONDS, self._patience))

    def _check_platform(self, orders: Orders) -> None:
        facts = self._facts() if orders.systems or orders.architectures else {}
        for allowed, fact in ((orders.systems, "os_id"), (orders.architectures, "architecture")):
            if allowed and facts.get(fact) not in allowed:
                found = facts.get(fact, "unknown")
                raise Failure(Reason.UNSUPPORTED, f"unsupported: this machine's {fact} is {found}")
        if orders.least_disk_mb and (free := self._free_mb("/")) < orders.least_disk_mb:
            words = f"no space: {free} MB free, the release wants {orders.least_disk_mb}"
            raise Failure(Reason.NO_SPACE, words)

    def _failed(self, checks: Sequence[Check]) -> str | None:
        """The first check that does not hold, in words."""
        for check in checks:
            try:
                words = self._look(check)
            except OSError as error:
                words = f"{check['kind']} cannot be checked: {error.strerror or error}"
            if words is not None:
                return words
        return None

    def _look(self, check: Check) -> str | None:
        match check:
            case {"kind": "disk_free_mb", "path": path, "least": least}:
                free = self._free_mb(path)
                return None if free >= least else f"{free} MB free at {path}, {least} wanted"
            case {"kind": "service_active", "name": name}:
                return None if self._is_active(name) else f"service {name} is not active"
            case {"kind": "file_present", "path": path}:
                return None if self._below(path).exists() else f"{path} is not there"
            case {"kind": "tcp_port_open", "port": port}:
                return None if _is_open(port) else f"port {port} does not answer"
            case {"kind": "package_at_least", "name": name, "version": version}:
                found = self._debian.versions([name])[name]
                is_fine = found is not None and is_at_least(found, version)
                return None if is_fine else f"package {name} is {found or 'absent'}, {version} wanted"
        return f"{check.get('kind')} is not understood"

    def _is_active(self, name: str) -> bool:
        words = ["systemctl", "is-active", "--quiet", "--", name]
        if self._root != Path("/"):
            words[1:1] = [f"--root={self._root}"]
        return process.run(words, self._work / "check.log", seconds=30).code == 0

    def _free_mb(self, path: str) -> int:
        return shutil.disk_usage(self._below(path)).free // MEGABYTE

    def _below(self, path: str) -> Path:
        return self._root / path.lstrip("/")


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), CONNECT_SECONDS):
            return True
    except OSError:
        return False
