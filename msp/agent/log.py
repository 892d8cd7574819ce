"""One line per step, to stderr and to agent.log; never a token, never a line break from outside."""

import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

LOG = logging.getLogger("msp_agent")
CONTROLS = {code: f"\\x{code:02x}" for code in [*range(32), 127, *range(128, 160), 0x2028, 0x2029]}


class OneLine(logging.Formatter):
    """UTC time, level, message; control characters are shown, not obeyed."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """The record as exactly one line."""
        line = super().format(record).translate(CONTROLS)
        return line.encode("utf-8", "backslashreplace").decode()


def write_to(path: Path) -> None:
    """Send the log to stderr and to the file, which is turned over at 1 MB and kept three times."""
    form = OneLine("%(asctime)sZ %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S")
    for handler in (logging.StreamHandler(), RotatingFileHandler(path, maxBytes=1_000_000, backupCount=3)):
        handler.setFormatter(form)
        LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
