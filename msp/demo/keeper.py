"""Keeps children running until told to stop, and then leaves none behind."""

import os
import signal
import time
from collections.abc import Collection, Sequence
from pathlib import Path

from msp.demo import leftovers, linux
from msp.demo.child import Child, Closable, Recipe
from msp.demo.options import say
from msp.demo.signals import Signals

GRACE_SECONDS = 3.5
TICK_SECONDS = 5.0


class Keeper:
    """Children by recipe, each with a log in `logs`; who runs is written down in `notes`."""

    def __init__(
        self, *, logs: Path, notes: Path, signals: Signals, closing: Sequence[Closable] = ()
    ) -> None:
        self._logs = logs
        self._notes = notes
        self._signals = signals
        self._closing = tuple(closing)
        self._children: list[Child] = []

    @property
    def is_stopping(self) -> bool:
        """Whether a signal asked us to end."""
        return self._signals.asked_to_stop > 0

    def log_of(self, name: str) -> Path:
        """Where a child's words go."""
        return self._logs / f"{name}.log"

    def not_for_children(self) -> Sequence[Closable]:
        """What a forked child lets go of."""
        return self._closing

    def others(self) -> Collection[int]:
        """Processes below us that somebody else looks after."""
        return ()

    def add(self, recipes: Sequence[Recipe]) -> None:
        """Start a child for each recipe and keep it running from now on."""
        for recipe in recipes:
            self._begin(recipe)
        self._write_down()

    def run_once(self, recipe: Recipe) -> int:
        """Run a child to its end; its exit code. One that was ended because we are to stop has failed."""
        child = self._begin(recipe)
        self._write_down()
        while not child.collect() and not self.is_stopping:
            self._signals.rest(TICK_SECONDS)
        if child.pid is None:
            self._children.remove(child)
        return 1 if child.exit_code is None else child.exit_code

    def tick(self) -> None:
        """One look: collect what has ended, and start again what may be started."""
        waits = [one.wait_seconds for one in self._children if not one.pid]
        was_woken = self._signals.rest(min([TICK_SECONDS, *waits]))
        if self.is_stopping:
            return
        changed = [self._look_after(child) for child in self._children]
        if was_woken:
            linux.reap_adopted([*(one.pid for one in self._children if one.pid), *self.others()])
        if any(changed):
            self._write_down()

    def stop(self) -> None:
        """End every child: a few seconds' grace, then none. A further signal ends the grace."""
        asked = self._signals.asked_to_stop
        for child in self._children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + GRACE_SECONDS
        while self._is_running() and time.monotonic() < deadline and self._signals.asked_to_stop == asked:
            self._signals.rest(0.05)
        spared = {one for pid in self.others() for one in (pid, *linux.descendants(pid))}
        linux.send(set(linux.descendants(os.getpid())) - spared, signal.SIGKILL)
        self._notes.unlink(missing_ok=True)

    def _begin(self, recipe: Recipe) -> Child:
        child = Child(recipe, self.log_of(recipe.name))
        child.start(self._signals, self.not_for_children())
        self._children.append(child)
        return child

    def _look_after(self, child: Child) -> bool:
        if ended := child.collect():
            # What a killed process started would go on for a while, with its sockets.
            linux.send(linux.session(ended), signal.SIGTERM)
            say(f"{child.recipe.name} ended ({child.ended_how()}) and starts again; see {child.log}")
        if child.pid is None and child.wait_seconds == 0:
            child.start(self._signals, self.not_for_children())
            return True
        return False

    def _is_running(self) -> bool:
        for child in self._children:
            child.collect()
        return any(child.pid for child in self._children)

    def _write_down(self) -> None:
        leftovers.write_down(self._notes, os.getpid(), self._children)
