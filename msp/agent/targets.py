"""Names below root/: which are safe, and reaching them without ever following a link.

Every folder on the way is opened relative to its parent and refused if it is a link, so no link, put there before or
meanwhile, leads outside.
"""

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .reasons import Failure, Reason

READ_ONLY = ".readonly"
STAGED = ".msp-agent-"
PART_LIMIT = 255
PATH_LIMIT = 1024
BLOCK = 1024 * 1024
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
OTHER = "other"


def parts_of(path: str) -> tuple[str, ...]:
    """The names of a relative path; raises Failure(UNSAFE_PATH) for anything that is not plainly inside root/."""
    parts = tuple(path.split("/"))
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        raise _unsafe(path, "is not text") from None
    if any(part in ("", ".", "..") for part in parts):
        raise _unsafe(path, "is absolute, empty or goes up")
    if "\\" in path or not all(char.isprintable() for char in path):
        raise _unsafe(path, "holds a backslash or a control character")
    if max(sizes) > PART_LIMIT or sum(sizes) + len(sizes) > PATH_LIMIT:
        raise _unsafe(path, "is too long")
    if parts == (READ_ONLY,) or any(part.startswith(STAGED) for part in parts):
        raise _unsafe(path, "is a name of the agent's own")
    return parts


@contextmanager
def parent_of(root: Path, parts: tuple[str, ...], *, create: bool) -> Iterator[int]:
    """The open folder that holds the target; raises Failure or OSError (FileNotFoundError unless `create`)."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parts[:-1]:
            folder = _step(folder, name, create=create)
        yield folder
    finally:
        os.close(folder)


def digest_of(root: Path, path: str, pulse: Callable[[], None] = lambda: None) -> str | None:
    """SHA-256 of the target: None if absent, OTHER if it is no plain file. `pulse` is called between blocks."""
    parts = parts_of(path)
    try:
        with parent_of(root, parts, create=False) as folder:
            return _digest_in(folder, parts[-1], pulse)
    except FileNotFoundError:
        return None
    except (OSError, Failure):
        return OTHER


def check(root: Path, path: str) -> None:
    """Raise Failure if the target cannot be written: a link on the way, a folder or something else in its place."""
    parts = parts_of(path)
    with suppress(FileNotFoundError), parent_of(root, parts, create=False) as folder:
        mode = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise _unsafe(path, "is a link")
        if not stat.S_ISREG(mode):
            raise Failure(Reason.WRITE, f"cannot write {path!r}: it is a folder or no plain file")


def _digest_in(folder: int, name: str, pulse: Callable[[], None]) -> str:
    descriptor = os.open(name, FILE, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return OTHER
        digest = hashlib.sha256()
        while block := os.read(descriptor, BLOCK):
            digest.update(block)
            pulse()
        return digest.hexdigest()
    finally:
        os.close(descriptor)


def _step(folder: int, name: str, *, create: bool) -> int:
    if create:
        with suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=folder)
        os.fsync(folder)
    try:
        below = os.open(name, FOLDER, dir_fd=folder)
    except NotADirectoryError:
        raise _in_the_way(folder, name) from None
    os.close(folder)
    return below


def _in_the_way(folder: int, name: str) -> Failure:
    if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        return _unsafe(name, "is a link")
    return Failure(Reason.WRITE, f"{name!r} is not a folder")


def _unsafe(path: str, why: str) -> Failure:
    return Failure(Reason.UNSAFE_PATH, f"unsafe path {ascii(path)[:200]}: {why}")
