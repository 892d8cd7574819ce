"""Fetching an artifact: resumed after a cut, bounded in size, and believed only when its SHA-256 fits."""

import errno
import hashlib
import http.client
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urljoin, urlsplit

from . import crash
from .backoff import Backoff
from .documents import Artifact
from .log import LOG
from .reasons import Failure, Reason
from .stop import Stop
from .wire import Busy, Refused, Trouble, Wire, raise_for

ATTEMPTS = 5
REDIRECTS = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0
BLOCK = 1024 * 1024
PASSING = (401, 403, 409, 425)
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
FULL = (errno.ENOSPC, errno.EDQUOT)
Pulse = Callable[[], None]


@dataclass
class Effort:
    """How one fetch goes; `best` is the most bytes it ever had, so that going in circles is no progress."""

    waits: Backoff
    best: int

    def judge(self, have: int) -> None:
        """Begin counting anew if there is more than ever."""
        if have > self.best:
            self.best = have
            self.waits.reset()

    @property
    def is_vain(self) -> bool:
        """Whether the attempt just made was the last."""
        return self.waits.failures >= ATTEMPTS - 1


class Downloads:
    """Partly and wholly fetched artifacts, one folder per action."""

    def __init__(self, wire: Wire, folder: Path, stop: Stop) -> None:
        self._wire = wire
        self._folder = folder
        self._stop = stop

    def path(self, action: str, number: int) -> Path:
        """Where the action's artifact of this number lies."""
        return self._folder / action / f"{number}.part"

    def forget(self, action: str) -> None:
        """Remove what was fetched for the action."""
        shutil.rmtree(self._folder / action, ignore_errors=True)

    def keep(self, is_wanted: Callable[[str], bool]) -> None:
        """Remove what was fetched for any other action."""
        for folder in self._folder.iterdir():
            if not is_wanted(folder.name):
                self.forget(folder.name)

    def missing(self, action: str, artifacts: list[Artifact]) -> int:
        """Bytes still to fetch."""
        return sum(max(0, a.size - _size(self.path(action, n))) for n, a in enumerate(artifacts))

    def fetch(self, action: str, number: int, artifact: Artifact, pulse: Pulse) -> Path:
        """The verified file. Raises Failure for good, Busy to be tried again after the next poll.

        Only attempts in a row that brought nothing new count; `pulse` is called between blocks and may raise.
        """
        part = self.path(action, number)
        with local(str(part.name)):
            part.parent.mkdir(mode=0o700, exist_ok=True)
        effort = Effort(Backoff(FIRST_WAIT, LONGEST_WAIT), _size(part))
        while not self._attempt(artifact, part, effort, pulse):
            pulse()
        return part

    def _attempt(self, artifact: Artifact, part: Path, effort: Effort, pulse: Pulse) -> bool:
        before = _size(part)
        try:
            self._fill(artifact, part, pulse)
        except Busy:
            raise
        except Trouble as error:
            effort.judge(_size(part))
            if effort.is_vain:
                raise Failure(Reason.DOWNLOAD, f"download of {artifact.filename!r} failed: {error}") from None
            LOG.warning("download of %s interrupted: %s", artifact.filename, error)
            self._stop.wait(effort.waits.next())
            return False
        return self._verified(artifact, part, before, pulse)

    def _verified(self, artifact: Artifact, part: Path, before: int, pulse: Pulse) -> bool:
        if _size(part) == artifact.size and _digest(part, pulse) == artifact.sha256:
            return True
        part.unlink(missing_ok=True)
        if before:
            LOG.warning("%s: the resumed download does not fit, beginning anew", artifact.filename)
            return False
        raise Failure(Reason.DIGEST, f"{artifact.filename!r} differs from its announced size or SHA-256")

    def _fill(self, artifact: Artifact, part: Path, pulse: Pulse) -> None:
        have = _size(part)
        if have >= artifact.size and have > 0:
            return
        headers = {"Accept": "*/*", "Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
        with self._followed(artifact.href, headers) as response:
            if self._accepts(response, artifact, part):
                with local(part.name):
                    file = part.open("ab")
                with file:
                    self._copy(response, artifact, file, pulse)

    def _accepts(self, response: http.client.HTTPResponse, artifact: Artifact, part: Path) -> bool:
        """Whether the body continues the file at hand; cuts the file back to nothing where it begins anew."""
        if response.status == 416:
            part.unlink(missing_ok=True)
            raise Trouble("the server cannot resume there")
        try:
            raise_for(response, urlsplit(artifact.href).path)
        except Refused as error:
            if error.status in PASSING:
                raise Trouble(str(error)) from None
            raise Failure(Reason.DOWNLOAD, f"download of {artifact.filename!r}: {error}") from None
        have = _size(part)
        if response.status != 206 or _start(response) != have:
            part.unlink(missing_ok=True)
            if response.status == 206:
                raise Trouble("the server sent another range")
        return True

    def _copy(
        self, response: http.client.HTTPResponse, artifact: Artifact, file: BinaryIO, pulse: Pulse
    ) -> None:
        have = file.tell()
        while have <= artifact.size and (block := self._wire.block(response)):
            with local(artifact.filename):
                file.write(block)
                file.flush()
            have += len(block)
            crash.point("download-begun")
            pulse()
        if have < artifact.size:
            raise Trouble(f"cut off after {have} of {artifact.size} bytes")

    @contextmanager
    def _followed(self, href: str, headers: dict[str, str]) -> Iterator[http.client.HTTPResponse]:
        for _ in range(REDIRECTS):
            with self._wire.open("GET", href, headers) as response:
                target = response.headers.get("Location")
                if response.status not in (301, 302, 303, 307, 308) or target is None:
                    yield response
                    return
            href = urljoin(href, target)
        raise Trouble("too many redirects")


@contextmanager
def local(name: str) -> Iterator[None]:
    """Turn a fault of this machine's disk into a Failure, so that it is not taken for the network's."""
    try:
        yield
    except OSError as error:
        reason = Reason.NO_SPACE if error.errno in FULL else Reason.WRITE
        raise Failure(reason, f"cannot write {name!r}: {error.strerror}") from None


def _start(response: http.client.HTTPResponse) -> int | None:
    match = CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    return int(match.group(1)) if match else None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _digest(path: Path, pulse: Pulse) -> str:
    digest = hashlib.sha256()
    with local(path.name), path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            pulse()
    return digest.hexdigest()
