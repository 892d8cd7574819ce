"""Reports to the portal: progress once and best effort, results again and again until acknowledged."""

import time
from collections.abc import Callable
from typing import Any

from . import crash
from .backoff import Backoff, spread
from .controller import CANCEL, DEPLOYMENT, Controller
from .documents import feedback
from .facts import short
from .ledger import Ledger, Result
from .log import LOG
from .reasons import Reason
from .wire import Busy, Refused, Trouble

SOON, SOON_CAP = 2.0, 300.0
SLOW, SLOW_CAP = 60.0, 3600.0
LOCKED_OUT = (401, 403)


class Courier:
    """Delivers results of the ledger; between attempts it waits without holding up anything else."""

    def __init__(
        self,
        controller: Controller,
        ledger: Ledger,
        proof: Callable[[], dict[str, str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._controller = controller
        self._ledger = ledger
        self._proof = proof
        self._clock = clock
        self._due: dict[str, float] = {}
        self._soon: dict[str, Backoff] = {}
        self._slow: dict[str, Backoff] = {}
        self._quiet_until = 0.0
        self._told: set[tuple[str, str]] = set()

    def next_due(self) -> float | None:
        """When the next attempt is due by the clock; None if there is nothing to send or no credential."""
        if not self._controller.is_known:
            return None
        dues = [self._due.get(result.action, 0.0) for result in self._ledger.unreported]
        return min(dues, default=None)

    def deliver(self) -> None:
        """One attempt for each result that is due."""
        for result in self._ledger.unreported:
            if self._clock() >= self._due.get(result.action, 0.0):
                self._attempt(result)

    def progress(self, action: str, execution: str, words: str, reason: Reason = Reason.NONE) -> None:
        """Tell how the action is going: once for the same words, not repeated if lost."""
        if (action, words) in self._told or self._clock() < self._quiet_until:
            return
        document = feedback(action, execution, "none", code=reason, details=(words,), at=_now())
        if self._send(DEPLOYMENT, action, document):
            self._told.add((action, words))

    def tell_boot(self) -> None:
        """Which boot this is, before a release that wants another one afterwards; best effort."""
        try:
            self._controller.tell_facts(self._proof())
        except (Trouble, Refused) as error:
            LOG.info("facts not delivered: %s", error)

    def repeat(self, result: Result) -> None:
        """Tell a result again although it was acknowledged, because the portal still offers the action."""
        LOG.info("action %s: offered again after its result, reporting it again", result.action)
        self._send(DEPLOYMENT, result.action, _offered_again(result))

    def answer_cancel(self, result: Result) -> None:
        """Tell on the cancel channel that the action was cancelled already, or is over."""
        if result.outcome == "cancelled":
            document = terminal(result)[1]
        else:
            words = f"too late: the action ended as {result.outcome}"
            document = feedback(result.action, "rejected", "none", details=(words,), at=result.at)
        self._send(CANCEL, result.action, document)

    def _attempt(self, result: Result) -> None:
        try:
            if result.outcome == "success":
                self._tell_release(result)
            channel, document = terminal(result)
            self._controller.report(channel, result.action, document)
        except Busy as busy:
            self._postpone(result, spread(busy.retry_after), busy)
        except Refused as error:
            waits = self._slow.setdefault(result.action, Backoff(SLOW, SLOW_CAP))
            self._postpone(result, waits.next(), error)
        except Trouble as error:
            waits = self._soon.setdefault(result.action, Backoff(SOON, SOON_CAP))
            self._postpone(result, waits.next(), error)
        else:
            self._acknowledged(result)

    def _acknowledged(self, result: Result) -> None:
        crash.point("report-acknowledged")
        self._ledger.acknowledge(result.action)
        crash.point("reported-written")
        LOG.info("action %s: result %s acknowledged", result.action, result.outcome)
        for waiting in (self._due, self._soon, self._slow):
            waiting.pop(result.action, None)

    def _tell_release(self, result: Result) -> None:
        """The facts by which the portal verifies the claim; a portal that takes no facts still gets the report."""
        facts = {"installed_release": result.release, **self._proof()}
        try:
            self._controller.tell_facts({key: short(value) for key, value in facts.items() if value})
            crash.point("facts-sent")
        except Refused as error:
            if error.status in LOCKED_OUT:
                raise
            LOG.warning("facts refused: %s", error)

    def _postpone(self, result: Result, seconds: float, error: Exception) -> None:
        self._due[result.action] = self._clock() + seconds
        LOG.warning("action %s: report not delivered (%s), again in %.0f s", result.action, error, seconds)

    def _send(self, channel: str, action: str, document: dict[str, Any]) -> bool:
        try:
            self._controller.report(channel, action, document)
            return True
        except Busy as busy:
            self._quiet_until = self._clock() + busy.retry_after
        except (Trouble, Refused) as error:
            LOG.info("action %s: feedback not delivered: %s", action, error)
        return False


def terminal(result: Result) -> tuple[str, dict[str, Any]]:
    """Channel and document of a result: the same bytes each time, so that the portal knows a repetition."""
    channel = CANCEL if result.outcome == "cancelled" else DEPLOYMENT
    finished = "failure" if result.outcome == "failure" else "success"
    document = feedback(
        result.action, "closed", finished, code=result.code, details=result.details, at=result.at
    )
    return channel, document


def _offered_again(result: Result) -> dict[str, Any]:
    if result.outcome == "cancelled":
        return feedback(result.action, "canceled", "none", details=result.details, at=result.at)
    return terminal(result)[1]


def _now() -> int:
    return time.time_ns() // 1_000_000
