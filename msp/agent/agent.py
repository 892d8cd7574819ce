"""The agent's cycle: conclude what was interrupted, deliver results, poll, do what the poll says."""

import time
from collections.abc import Callable
from pathlib import Path

from . import crash
from .backoff import Backoff, spread
from .checks import Inspector
from .controller import Controller
from .courier import Courier
from .credential import Credential, Unenrolled
from .deb import DebExecutor
from .debian import Debian
from .documents import Malformed, Poll, action_of
from .download import Downloads
from .executors import Executor
from .facts import Machine, inventory_digest
from .folder import Folder
from .install import Installer
from .ledger import Ledger
from .log import LOG
from .reboots import Reboots
from .script import ScriptExecutor
from .settings import Settings
from .stop import Stop
from .watch import Watch
from .wire import Busy, Refused, Trouble, Wire
from .work import Workshop

LOOK_SECONDS = 10.0
RETRY_FIRST, RETRY_CAP, RETRY_CAP_LEAST = 2.0, 900.0, 10.0


class Agent:
    """One machine's agent in one folder."""

    def __init__(self, settings: Settings, folder: Folder, stop: Stop) -> None:
        wire = Wire(settings.url, stop, ca_file=settings.ca_file)
        self._settings = settings
        self._folder = folder
        self._stop = stop
        root = Path(settings.root)
        debian = Debian(root, folder.work)
        self._machine = Machine(folder.path, root, debian.upgradable)
        self._controller = Controller(wire, settings.base)
        self._credential = Credential(settings, folder, self._controller)
        self._ledger = Ledger(folder.ledger)
        self._downloads = Downloads(wire, folder.downloads, stop)
        self.courier = Courier(self._controller, self._ledger, self._machine.proof)
        self._reboots = Reboots(
            self._ledger,
            folder.work,
            lambda: self._machine.is_reboot_required,
            is_allowed=settings.allow_reboots and root == Path("/"),
        )
        executors: dict[str, Executor] = {
            "file": Installer(folder.root, settings.minimum_free_bytes),
            "deb": DebExecutor(debian),
            "script": ScriptExecutor(root, folder.path / "scripts"),
        }
        inspector = Inspector(root, folder.work, debian, self._machine.platform)
        self._workshop = Workshop(
            folder, self._ledger, self._downloads, executors, inspector, self._reboots, self.courier, stop
        )

    def close(self) -> None:
        """Let go of the ledger."""
        self._ledger.close()

    def cycle(self) -> float:
        """One poll and what follows; seconds until the next. Raises Trouble, Busy, Refused, Unenrolled."""
        is_free = self._workshop.recover()
        self._credential.identify()
        self.courier.deliver()
        poll = self._poll()
        LOG.info("polled: %s", _words(poll))
        if not is_free:
            LOG.info("something is still at work, nothing else is begun")
        elif poll.cancel is not None:
            self._cancel(poll.cancel)
        elif poll.deployment is not None:
            self._take(poll.deployment, self._interval(poll))
        self.courier.deliver()
        self._tell(poll)
        if poll.credential is not None:
            self._credential.replace(poll.credential)
        self._reboots.act()
        return self._interval(poll)

    def _interval(self, poll: Poll) -> float:
        return self._settings.poll_seconds or poll.sleep

    def _poll(self) -> Poll:
        try:
            return self._controller.poll()
        except Refused as error:
            if not self._credential.has_other(error):
                raise
            return self._controller.poll()

    def _take(self, href: str, interval: float) -> None:
        action = _action(href)
        if (result := self._ledger.result_of(action)) is not None:
            if self._ledger.is_reported(action):
                self.courier.repeat(result)
            return
        LOG.info("action %s: offered", action)
        crash.point("taken")
        try:
            deployment = self._controller.deployment(href)
        except Malformed as error:
            self._workshop.settle(action, "failure", error.reason, f"unusable offer: {error}", "")
            return
        except Refused as error:
            LOG.info("action %s: withdrawn: %s", action, error)
            return
        if deployment.action != action:
            raise Trouble(f"the offer {action} holds another action, {deployment.action}")
        every = min(LOOK_SECONDS, interval)
        self._workshop.carry_out(deployment, Watch(self._controller, action, self._stop, every=every))

    def _cancel(self, href: str) -> None:
        action = self._controller.cancellation(href)
        result = self._ledger.result_of(action)
        if result is None:
            LOG.info("action %s: cancelled before it was installed", action)
            self._workshop.cancel(action)
        elif result.outcome != "cancelled" or self._ledger.is_reported(action):
            self.courier.answer_cancel(result)

    def _tell(self, poll: Poll) -> None:
        try:
            if poll.facts is not None or poll.inventory is not None:
                self._tell_facts(poll)
        except Busy:
            raise
        except (Trouble, Refused) as error:
            LOG.warning("facts not delivered: %s", error)

    def _tell_facts(self, poll: Poll) -> None:
        facts = self._machine.facts(self._ledger.installed_release)
        if poll.facts is not None:
            self._controller.tell_facts(facts, poll.facts)
        if poll.inventory is None:
            return
        document = self._machine.inventory(facts)
        digest = inventory_digest(document)
        if digest != self._folder.sent_inventory:
            self._controller.tell_inventory(poll.inventory, document)
            self._folder.remember_inventory(digest)
            LOG.info("inventory sent: %d packages", len(document["packages"]))


class Loop:
    """Cycles until told to stop. No fault of the network, the portal or an action ends it."""

    def __init__(
        self,
        agent: Agent,
        stop: Stop,
        *,
        retry_cap: float = RETRY_CAP,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._agent = agent
        self._stop = stop
        self._clock = clock
        self._waits = Backoff(RETRY_FIRST, retry_cap)

    def run(self) -> None:
        """Poll, wait, poll again; returns only by StopRequested or Unenrolled."""
        next_poll = self._clock()
        while True:
            if self._clock() >= next_poll:
                next_poll = self._clock() + self.step()
            else:
                self._deliver()
            self._stop.wait(self._until(next_poll))

    def step(self) -> float:
        """One cycle; seconds until the next, longer after each failure in a row."""
        try:
            seconds = self._agent.cycle()
        except Busy as busy:
            LOG.warning("%s", busy)
            return spread(busy.retry_after)
        except (Trouble, Refused) as error:
            seconds = self._waits.next()
            LOG.warning("%s; again in %.0f s", error, seconds)
            return seconds
        except Unenrolled:
            raise
        except Exception as error:
            # Whatever it is: a machine that stops polling is out of reach for the repair.
            seconds = self._waits.next()
            LOG.exception("unexpected %s; again in %.0f s", type(error).__name__, seconds)
            return seconds
        self._waits.reset()
        return seconds

    def _deliver(self) -> None:
        try:
            self._agent.courier.deliver()
        except OSError as error:
            LOG.error("the ledger cannot be written: %s", error)
            self._stop.wait(self._waits.next())

    def _until(self, next_poll: float) -> float:
        report = self._agent.courier.next_due()
        return max(0.01, min(next_poll, next_poll if report is None else report) - self._clock())


def retry_cap(settings: Settings) -> float:
    """The longest wait between failed polls: short where polling itself was asked to be short."""
    if settings.poll_seconds is None:
        return RETRY_CAP
    return min(RETRY_CAP, max(RETRY_CAP_LEAST, 4 * settings.poll_seconds))


def _action(href: str) -> str:
    try:
        return action_of(href)
    except (Malformed, ValueError):
        raise Trouble("the offer's address holds no action id") from None


def _words(poll: Poll) -> str:
    links = {
        "cancel": poll.cancel,
        "deployment": poll.deployment,
        "facts": poll.facts,
        "inventory": poll.inventory,
        "credential": poll.credential,
    }
    return ", ".join(name for name, href in links.items() if href) or "nothing to do"
