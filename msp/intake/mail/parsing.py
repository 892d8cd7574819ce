"""Reading mails in a child process that may be killed: whatever a mail does to it, the mail is kept and told apart."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from msp.intake.mail.child import give, take

ROOT = Path(__file__).parents[3]
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from msp.intake.mail.child import main; main()"
# A mail with 25 MB of files is 34 MB on the wire.
LARGEST = 36 * 1024 * 1024
PATIENCE = 30.0


class Unreadable(ValueError):
    """Nothing can be read from this mail; the text says why, for the provider's people."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A file of a mail: its cleaned name, its content id, why it is dangerous (or empty), its bytes."""

    name: str
    cid: str
    danger: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """What a mail says. Addresses are lower case; `sender` is None for none or several."""

    sender: str | None = None
    sender_name: str = ""
    to: tuple[str, ...] = ()
    delivered_to: tuple[str, ...] = ()
    subject: str = ""
    text: str = ""
    html: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    # The lines of Authentication-Results, the newest first.
    judged: tuple[str, ...] = ()
    null_path: bool = False
    auto_submitted: str = ""
    precedence: str = ""
    is_list: bool = False
    is_auto: bool = False
    suppresses: bool = False
    report: dict[str, Any] | None = None
    files: tuple[Enclosed, ...] = ()


class Reader:
    """A child that reads up to `mails` mails; another is started when it dies. Use as a context manager."""

    def __init__(self, mails: int = 1, *, patience: float = PATIENCE) -> None:
        self._mails, self._patience = mails, patience
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def read(self, raw: bytes) -> Parsed:
        """What a mail says. Raises Unreadable."""
        if len(raw) > LARGEST:
            raise Unreadable("larger than what is read")
        child = self._child or self._begin()
        watch = threading.Timer(self._patience, child.kill)
        watch.start()
        try:
            said, files = _ask(child, raw)
        except (OSError, ValueError) as wrong:
            self._end()
            raise Unreadable("the reader was stopped at its limits") from wrong
        finally:
            watch.cancel()
        if "refused" in said:
            raise Unreadable(said["refused"])
        return _parsed(said, files)

    def _begin(self) -> "subprocess.Popen[bytes]":
        self._child = subprocess.Popen(
            [sys.executable, "-I", "-c", START, str(ROOT), str(self._mails)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
            cwd="/",
        )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                _close(pipe)
            child.wait()


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except OSError:
        pass


def _ask(child: "subprocess.Popen[bytes]", raw: bytes) -> tuple[dict[str, Any], list[bytes]]:
    assert child.stdin is not None and child.stdout is not None
    give(child.stdin, raw)
    child.stdin.flush()
    said: dict[str, Any] = json.loads(_frame(child.stdout))
    return said, [_frame(child.stdout) for _file in said.get("files", ())]


def _frame(stream: IO[bytes]) -> bytes:
    content = take(stream)
    if content is None:
        raise ValueError("the child ended")
    return content


def _parsed(said: dict[str, Any], files: list[bytes]) -> Parsed:
    name, sender = said["from"] or ("", None)
    lists: dict[str, Any] = {key: tuple(said[key]) for key in ("to", "delivered_to", "references", "judged")}
    plain = (
        "subject text html message_id null_path auto_submitted precedence is_list is_auto suppresses report"
    )
    return Parsed(
        sender=sender,
        sender_name=name,
        files=tuple(
            Enclosed(one["name"], one["cid"], one["danger"], content)
            for one, content in zip(said["files"], files, strict=True)
        ),
        **lists,
        **{key: said[key] for key in plain.split()},
    )


def read_one(raw: bytes) -> Parsed:
    """What one mail says, read in a child of its own. Raises Unreadable."""
    with Reader() as reader:
        return reader.read(raw)
