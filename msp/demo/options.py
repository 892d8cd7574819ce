"""What `make demo` was asked for, and what it says when it refuses."""

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"


class DemoRefused(Exception):
    """The demo can't start; the message is a sentence for whoever typed the command."""


@dataclass(frozen=True)
class Options:
    """Port of the portal, folder of everything it keeps, and whether to begin anew."""

    port: int
    data: Path
    reset: bool

    @property
    def url(self) -> str:
        """The portal's address."""
        return f"http://{HOST}:{self.port}"


def read(environ: Mapping[str, str]) -> Options:
    """PORT, DATA and RESET from the environment. Raises DemoRefused."""
    data = Path(environ.get("DATA") or "var/demo").expanduser()
    return Options(
        port=_port(environ.get("PORT") or "8000"),
        data=(ROOT / data).resolve(),
        reset=_flag(environ.get("RESET") or "0"),
    )


def _port(typed: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", typed) or not 1 <= int(typed) <= 65535:
        raise DemoRefused(f"PORT must be a number from 1 to 65535, not {typed!r}.")
    return int(typed)


def _flag(typed: str) -> bool:
    if typed not in ("0", "1"):
        raise DemoRefused(f"RESET must be 0 or 1, not {typed!r}.")
    return typed == "1"


def say(words: str) -> None:
    """A line for whoever watches."""
    print(words, file=sys.stderr, flush=True)
