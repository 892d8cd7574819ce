"""The child that reads mails: few resources, and no way to open a file or a connection.

It gets each mail as a frame (eight bytes of length, then the bytes) and answers with a frame of JSON followed by one
for each file. Standard library only.
"""

import importlib
import json
import pkgutil
import resource
import struct
import sys
from typing import IO, Any

from msp.intake.mail.reading import TooMuch, read_mail

MEMORY = 1024 * 1024 * 1024
SECONDS = 20
LENGTH = struct.Struct(">Q")


def main() -> None:
    """Answer until the input ends."""
    _load()
    limit(SECONDS * int(sys.argv[1] if len(sys.argv) > 1 else 1), MEMORY)
    while (raw := take(sys.stdin.buffer)) is not None:
        said, files = _read(raw)
        give(sys.stdout.buffer, json.dumps(said).encode())
        for content in files:
            give(sys.stdout.buffer, content)
        sys.stdout.buffer.flush()


def _load() -> None:
    """What the mail package and the codecs would load when they need it: later nothing can be opened."""
    for package in ("email", "encodings"):
        for one in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            if one.name.rpartition(".")[2] not in ("mbcs", "oem", "cp65001", "architecture"):
                importlib.import_module(one.name)


def limit(seconds: int, memory: int) -> None:
    """Give this process so many more seconds of a processor, so many bytes, and nothing that it could open."""
    used = int(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, used + seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        # Pipes that are open stay open; a file, a socket or another pipe cannot be opened any more.
        (resource.RLIMIT_NOFILE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (most, most))


def _read(raw: bytes) -> tuple[dict[str, Any], list[bytes]]:
    try:
        return read_mail(raw)
    except TooMuch as much:
        return {"refused": f"too many {much.args[0]}"}, []
    except MemoryError:
        return {"refused": "out of memory"}, []
    except Exception as wrong:
        return {"refused": f"{type(wrong).__name__}: {wrong}"[:200]}, []


def take(stream: IO[bytes]) -> bytes | None:
    """The next frame, or None at the end or when it is cut off."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None


def give(stream: IO[bytes], content: bytes) -> None:
    """Write a frame."""
    stream.write(LENGTH.pack(len(content)))
    stream.write(content)
