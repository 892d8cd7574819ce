"""The keeper of the whole demo: its children, and the servers under them."""

from collections.abc import Collection, Sequence

from msp.demo.child import Closable
from msp.demo.folder import Folder
from msp.demo.keeper import Keeper
from msp.demo.options import say
from msp.demo.servers import Servers
from msp.demo.signals import Signals
from msp.embedded import EmbeddedError


class Supervisor(Keeper):
    """Looks after the portal's processes, and mends the servers before it looks after anybody else."""

    def __init__(
        self, folder: Folder, servers: Servers, signals: Signals, closing: Sequence[Closable]
    ) -> None:
        super().__init__(logs=folder.logs, notes=folder.processes, signals=signals, closing=closing)
        self._servers = servers

    def not_for_children(self) -> Sequence[Closable]:
        return (*self._closing, self._servers.postgres.claim, self._servers.valkey.claim)

    def others(self) -> Collection[int]:
        return self._servers.pids

    def tick(self) -> None:
        """One look, at the servers too."""
        if not self.is_stopping:
            self._mend_servers()
        super().tick()

    def stop(self) -> None:
        """End every child, then the servers: within 9 s."""
        super().stop()
        self._servers.stop()

    def _mend_servers(self) -> None:
        try:
            for name in self._servers.mend():
                say(f"{name} had ended and was started again")
        except EmbeddedError as error:
            say(f"a server can't be started again: {error}")
