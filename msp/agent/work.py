"""One action from its offer to its result."""

from pathlib import Path

from . import crash
from .courier import Courier
from .documents import Deployment
from .download import Downloads
from .folder import Folder
from .install import Installer, Placement, place
from .ledger import Intent, Ledger, Result
from .log import LOG
from .reasons import Failure, Reason
from .stop import Stop, StopRequested
from .watch import Cancelled, Watch


class Held(Exception):
    """Somebody at the machine told the agent to change nothing."""


class Workshop:
    """Carries out actions one at a time; every way out leaves the ledger true."""

    def __init__(
        self,
        folder: Folder,
        ledger: Ledger,
        downloads: Downloads,
        installer: Installer,
        courier: Courier,
        stop: Stop,
    ) -> None:
        self._stop = stop
        self._folder = folder
        self._ledger = ledger
        self._downloads = downloads
        self._installer = installer
        self._courier = courier

    def carry_out(self, deployment: Deployment, watch: Watch) -> None:
        """Fetch, install and settle; no result yet if the action has to wait. Raises Busy, StopRequested."""
        action = deployment.action
        try:
            self._carry_out(deployment, watch)
        except Failure as failure:
            self.settle(action, "failure", failure.reason, str(failure), deployment.release)
        except Cancelled:
            self.cancel(action, deployment.release)
        except Held:
            LOG.info("action %s: held, nothing is done until release", action)
            self._courier.progress(action, "scheduled", "held", Reason.HELD)

    def cancel(self, action: str, release: str = "") -> None:
        """Settle the action as cancelled; nothing of it has been installed."""
        self.settle(action, "cancelled", Reason.NONE, "cancelled, nothing installed", release)

    def settle(self, action: str, outcome: str, code: int, words: str, release: str) -> Result:
        """Record the result; reporting it is the courier's."""
        result = self._ledger.settle(action, outcome, code, (words,), release)
        crash.point("result-written")
        self._downloads.forget(action)
        LOG.info("action %s: %s, code %d: %s", action, outcome, code, words)
        return result

    def recover(self) -> None:
        """Inspect what an interrupted installation left behind; nothing is done a second time."""
        self._downloads.keep(lambda name: self._ledger.result_of(name) is None)
        for intent in self._ledger.open_intents:
            found = self._installer.inspect(intent, self._stop.check)
            self._installer.discard(intent)
            self._conclude(intent, found)

    def _conclude(self, intent: Intent, found: list[str | None]) -> None:
        wanted = [target.sha256 for target in intent.targets]
        if found == wanted:
            words = "interrupted, found installed on inspection"
            self.settle(intent.action, "success", Reason.NONE, words, intent.release)
        elif found == [target.before for target in intent.targets]:
            LOG.info("action %s: interrupted before anything was written", intent.action)
            self._ledger.void(intent.action)
        else:
            done = sum(now == then for now, then in zip(found, wanted, strict=True))
            words = f"interrupted, found {done} of {len(wanted)} files installed on inspection"
            self.settle(intent.action, "failure", Reason.WRITE, words, intent.release)

    def _carry_out(self, deployment: Deployment, watch: Watch) -> None:
        action = deployment.action
        self._refuse_if_held()
        self._downloads.keep(lambda name: name == action)
        placements = place(deployment)
        artifacts = [item.artifact for item in placements]
        self._installer.check(placements, self._downloads.missing(action, artifacts))
        if deployment.download == "skip":
            self._courier.progress(action, "scheduled", "waiting for leave to download")
            return
        self._courier.progress(action, "proceeding", f"taken up: {deployment.release}")
        crash.point("proceeding-sent")
        fetched = [self._downloads.fetch(action, n, artifact, watch) for n, artifact in enumerate(artifacts)]
        crash.point("downloaded")
        self._courier.progress(action, "downloaded", f"{len(fetched)} files fetched and verified")
        if deployment.update != "skip":
            self._install(deployment, placements, fetched, watch)

    def _install(
        self, deployment: Deployment, placements: list[Placement], fetched: list[Path], watch: Watch
    ) -> None:
        self._installer.check(placements, 0)
        intent = self._installer.intent(deployment, placements, watch)
        self._refuse_if_held()
        watch.look()
        LOG.info("action %s: installing %s", deployment.action, deployment.release)
        self._ledger.intend(intent)
        crash.point("intent-written")
        self._stage(intent, fetched, watch)
        self._commit(intent)
        self._installer.verify(intent, self._stop.check)
        crash.point("installed")
        words = f"{len(intent.targets)} files installed"
        self.settle(deployment.action, "success", Reason.NONE, words, deployment.release)

    def _stage(self, intent: Intent, fetched: list[Path], watch: Watch) -> None:
        try:
            for number, source in enumerate(fetched):
                if intent.targets[number].before != intent.targets[number].sha256:
                    self._installer.stage(intent, number, source, watch)
            crash.point("staged")
            self._refuse_if_held()
            watch.look()
        except (Held, StopRequested):
            self._installer.discard(intent)
            self._ledger.void(intent.action)
            raise
        except BaseException:
            self._installer.discard(intent)
            raise

    def _commit(self, intent: Intent) -> None:
        try:
            self._installer.commit(intent)
        except Failure:
            self._installer.discard(intent)
            raise

    def _refuse_if_held(self) -> None:
        if self._folder.is_held:
            raise Held
