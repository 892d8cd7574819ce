"""A server that is up: what both servers have in common."""

import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, ClassVar, Self

from msp.embedded.process import end
from msp.embedded.storage import discard_files


@dataclass
class Running:
    """A started server and its claim on the data folder. Leaving its context stops it."""

    stop_signals: ClassVar[Sequence[signal.Signals]] = (signal.SIGTERM, signal.SIGKILL)

    process: subprocess.Popen[bytes]
    data_dir: Path
    socket_dir: Path
    durable: bool
    claim: IO[str]

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.data_dir / "server.log"

    def is_alive(self) -> bool:
        """Whether the server process still runs."""
        return self.process.poll() is None

    def stop(self) -> None:
        """End the server, gracefully at first and within 5 s in any case. Once stopped, nothing more happens.

        A server that is not durable loses its files here.
        """
        if self.claim.closed:
            return
        end(self.process, self.stop_signals)
        shutil.rmtree(self.socket_dir, ignore_errors=True)
        if not self.durable:
            discard_files(self.data_dir)
        self.claim.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
