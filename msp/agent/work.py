"""One action from its offer to its result."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from . import crash
from .checks import Inspector
from .courier import Courier
from .documents import Deployment
from .download import Downloads
from .executors import Done, Executor, Found, Held, Leave, TooLate
from .folder import Folder
from .heart import Heart
from .ledger import Intent, Ledger, Result
from .log import LOG
from .orders import read_orders
from .reasons import Failure, Reason
from .reboots import Reboots
from .stop import Stop, StopRequested
from .versions import compare
from .watch import Cancelled, Watch


class Workshop:
    """Carries out actions one at a time; every way out leaves the ledger true."""

    def __init__(
        self,
        folder: Folder,
        ledger: Ledger,
        downloads: Downloads,
        executors: Mapping[str, Executor],
        inspector: Inspector,
        reboots: Reboots,
        courier: Courier,
        stop: Stop,
    ) -> None:
        self._stop = stop
        self._folder = folder
        self._ledger = ledger
        self._downloads = downloads
        self._executors = executors
        self._inspector = inspector
        self._reboots = reboots
        self._courier = courier

    def carry_out(self, deployment: Deployment, watch: Watch) -> None:
        """Fetch, install and settle; no result yet if the action has to wait. Raises Busy, StopRequested."""
        action = deployment.action
        try:
            self._carry_out(deployment, watch)
        except Failure as failure:
            self._fail(action, failure, deployment.release)
        except Cancelled:
            self.cancel(action, deployment.release)
        except Held:
            LOG.info("action %s: held, nothing is done until release", action)
            self._courier.progress(action, "scheduled", "held", Reason.HELD)
        except TooLate as late:
            LOG.info("action %s: %s", action, late)
            self._courier.progress(action, "rejected", str(late), Reason.WINDOW)

    def cancel(self, action: str, release: str = "") -> None:
        """Settle the action as cancelled; nothing of it has been installed."""
        self.settle(action, "cancelled", Reason.NONE, "cancelled, nothing installed", release)

    def settle(
        self,
        action: str,
        outcome: str,
        code: int,
        words: str,
        release: str,
        *,
        output: tuple[str, ...] = (),
        reboots: bool = False,
    ) -> Result:
        """Record the result; reporting it is the courier's. The last detail says it in words."""
        result = self._ledger.settle(action, outcome, code, (*output, words), release, reboots=reboots)
        crash.point("result-written")
        self._downloads.forget(action)
        LOG.info("action %s: %s, code %d: %s", action, outcome, code, words)
        return result

    def recover(self) -> bool:
        """Inspect what an interrupted installation left behind; nothing is done a second time.

        False while something of it is still running: until then nothing else may begin.
        """
        self._downloads.keep(lambda name: self._ledger.result_of(name) is None)
        is_free = True
        for intent in self._ledger.open_intents:
            is_free = self._recover(intent) and is_free
        return is_free

    def _recover(self, intent: Intent) -> bool:
        executor = self._executors[intent.part]
        found = executor.inspect(intent, self._ledger.has_begun(intent.action), self._stop.check)
        if found.outcome == "wait":
            LOG.info("action %s: interrupted, %s", intent.action, found.words)
            return False
        self._conclude(intent, found)
        return True

    def _conclude(self, intent: Intent, found: Found) -> None:
        if found.outcome == "success":
            self._succeed(intent, Done(found.words, found.output))
        elif found.outcome == "void":
            LOG.info("action %s: %s", intent.action, found.words)
            self._ledger.void(intent.action)
        else:
            self._fail(intent.action, Failure(found.code, found.words, found.output), intent.release)

    def _carry_out(self, deployment: Deployment, watch: Watch) -> None:
        action = deployment.action
        self._refuse_if_held()
        self._downloads.keep(lambda name: name == action)
        executor = self._executor(deployment)
        artifacts = executor.artifacts(deployment)
        self._admit(deployment)
        executor.check(deployment, self._downloads.missing(action, artifacts))
        if deployment.download == "skip":
            self._courier.progress(action, "scheduled", "waiting for leave to download")
            return
        if any(read_orders(chunk).reboot == "always" for chunk in deployment.chunks):
            self._courier.tell_boot()
        self._courier.progress(action, "proceeding", f"taken up: {deployment.release}")
        crash.point("proceeding-sent")
        fetched = [self._downloads.fetch(action, n, artifact, watch) for n, artifact in enumerate(artifacts)]
        crash.point("downloaded")
        if fetched:
            self._courier.progress(action, "downloaded", f"{len(fetched)} files fetched and verified")
        if deployment.update != "skip":
            self._install(deployment, executor, fetched, watch)

    def _install(self, deployment: Deployment, executor: Executor, fetched: list[Path], watch: Watch) -> None:
        def ask() -> None:
            self._refuse_if_held()
            self._refuse_if_late(deployment)
            watch.look()

        action = deployment.action
        executor.check(deployment, 0)
        intent = executor.intent(deployment, fetched, watch)
        self._admit(deployment)
        ask()
        LOG.info("action %s: installing %s", action, deployment.release)
        self._ledger.intend(intent)
        crash.point("intent-written")
        heart = Heart(self._courier, action)
        leave = Leave(ask, watch, lambda: self._ledger.begin(action), heart, self._stop.check)
        try:
            done = executor.carry_out(intent, fetched, leave)
        except (Held, TooLate, StopRequested):
            if not self._ledger.has_begun(action):
                self._ledger.void(action)
            raise
        crash.point("installed")
        self._succeed(intent, done)

    def _succeed(self, intent: Intent, done: Done) -> None:
        """Settle as success, unless a check after the installation says otherwise."""
        try:
            self._inspector.confirm(intent.checks, self._stop.check)
        except Failure as failure:
            self._fail(intent.action, failure, intent.release)
            return
        reboots, words = self._reboots.decide(intent.reboot)
        output = (*done.output, words) if words else done.output
        self.settle(
            intent.action, "success", Reason.NONE, done.words, intent.release, output=output, reboots=reboots
        )

    def _fail(self, action: str, failure: Failure, release: str) -> None:
        self.settle(action, "failure", failure.reason, str(failure), release, output=failure.output)

    def _executor(self, deployment: Deployment) -> Executor:
        parts = {chunk.part for chunk in deployment.chunks}
        if not parts:
            raise Failure(Reason.UNSUPPORTED, "unsupported: the release holds nothing")
        for part in sorted(parts - self._executors.keys()):
            raise Failure(Reason.UNSUPPORTED, f"unsupported kind {part!r}")
        if len(parts) > 1:
            raise Failure(Reason.UNSUPPORTED, "unsupported: a release of several kinds")
        return self._executors[parts.pop()]

    def _admit(self, deployment: Deployment) -> None:
        """Raise Failure if the release is not for this machine as it is now, TooLate if not for this moment."""
        self._refuse_if_late(deployment)
        for chunk in deployment.chunks:
            orders = read_orders(chunk)
            if chunk.part == "file":
                self._refuse_downgrade(chunk.name, chunk.version, orders.granted(chunk.name))
            self._inspector.admit(orders)

    def _refuse_downgrade(self, name: str, version: str, granted: str | None) -> None:
        for label in (self._ledger.installed_release or "").split(","):
            known, _, now = label.rpartition("/")
            if known != name or compare(version, now) >= 0:
                continue
            if granted is None or compare(now, granted) > 0:
                words = f"downgrade of {name} from {now} to {version} is not allowed"
                raise Failure(Reason.DOWNGRADE, words)

    def _refuse_if_late(self, deployment: Deployment) -> None:
        for chunk in deployment.chunks:
            until = read_orders(chunk).begin_until
            if until is not None and datetime.now(UTC) > until:
                raise TooLate(f"too late to begin: allowed until {until.isoformat()}")

    def _refuse_if_held(self) -> None:
        if self._folder.is_held:
            raise Held
