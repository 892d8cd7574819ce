"""Installing a `file` release: every file staged beside its target first, then put in place one rename each."""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from . import crash
from .documents import Artifact, Chunk, Deployment
from .download import local
from .durable import write_all
from .executors import Done, Found, Leave
from .ledger import Intent, Target
from .orders import read_orders
from .reasons import Failure, Reason
from .targets import READ_ONLY, STAGED, check, digest_of, parent_of, parts_of

BLOCK = 1024 * 1024
STAGE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
MODE = 0o644
KIND = "file"


@dataclass(frozen=True)
class Placement:
    """One artifact and the path below root/ where it goes."""

    path: str
    artifact: Artifact


def place(deployment: Deployment) -> list[Placement]:
    """Where each artifact goes; raises Failure for other kinds, unsafe or doubled paths, and for nothing at all."""
    placements = [item for chunk in deployment.chunks for item in _place_chunk(chunk)]
    if not placements:
        raise Failure(Reason.UNSUPPORTED, "unsupported: the release holds no file")
    paths = [item.path for item in placements]
    if len(set(paths)) != len(paths):
        raise Failure(Reason.UNSAFE_PATH, "unsafe path: two files of the release have the same target")
    return placements


class Installer:
    """Writes below one root; keeps `minimum_free` bytes of its disk free."""

    def __init__(self, root: Path, minimum_free: int) -> None:
        self._root = root
        self._minimum_free = minimum_free

    def artifacts(self, deployment: Deployment) -> list[Artifact]:
        """The files of the release; raises Failure."""
        return [item.artifact for item in place(deployment)]

    def check(self, deployment: Deployment, to_fetch: int) -> None:
        """Raise Failure if it is plain beforehand that installing cannot work. `to_fetch` in bytes."""
        placements = place(deployment)
        if (self._root / READ_ONLY).exists():
            raise Failure(Reason.WRITE, "root is marked read-only")
        with local("root"):
            for item in placements:
                check(self._root, item.path)
        self._check_space(to_fetch + sum(item.artifact.size for item in placements))

    def intent(self, deployment: Deployment, fetched: list[Path], pulse: Callable[[], None]) -> Intent:
        """What is about to be written, with what is there now."""
        targets = (
            Target(item.path, item.artifact.sha256, digest_of(self._root, item.path, pulse))
            for item in place(deployment)
        )
        checks = tuple(check for chunk in deployment.chunks for check in read_orders(chunk).after)
        return Intent(deployment.action, deployment.release, tuple(targets), checks=checks)

    def carry_out(self, intent: Intent, fetched: list[Path], leave: Leave) -> Done:
        """Stage every file, put each in its place, read it back. Raises Failure, and what `leave.ask` raises."""
        try:
            for number, source in enumerate(fetched):
                if intent.targets[number].before != intent.targets[number].sha256:
                    self.stage(intent, number, source, leave.watch)
            crash.point("staged")
            leave.ask()
            leave.begin()
            self.commit(intent)
        except BaseException:
            self.discard(intent)
            raise
        self.verify(intent, leave.check_stop)
        return Done(f"{len(intent.targets)} files installed")

    def stage(self, intent: Intent, number: int, source: Path, pulse: Callable[[], None]) -> None:
        """Copy one verified file beside its target, on disk when this returns; raises Failure."""
        target = intent.targets[number]
        parts = parts_of(target.path)
        with local(target.path), parent_of(self._root, parts, create=True) as folder:
            name = _staged(intent, number)
            with suppress(FileNotFoundError):
                os.unlink(name, dir_fd=folder)
            descriptor = os.open(name, STAGE, MODE, dir_fd=folder)
            try:
                os.fchmod(descriptor, MODE)
                _copy(source, descriptor, target, pulse)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def commit(self, intent: Intent) -> None:
        """Put every staged file in its place; raises Failure, saying how far it came."""
        done = 0
        try:
            for number, target in enumerate(intent.targets):
                if target.before != target.sha256:
                    self._put(intent, number, target)
                done += 1
        except Failure as failure:
            words = f"{failure}; {done} of {len(intent.targets)} files are in place"
            raise Failure(failure.reason, words) from None

    def verify(self, intent: Intent, pulse: Callable[[], None]) -> None:
        """Read every file back; raises Failure if one is not what it should be."""
        for target in intent.targets:
            if digest_of(self._root, target.path, pulse) != target.sha256:
                raise Failure(Reason.DIGEST, f"{target.path!r} differs on disk after it was written")

    def discard(self, intent: Intent) -> None:
        """Remove whatever was staged for the intent."""
        for number, target in enumerate(intent.targets):
            parts = parts_of(target.path)
            with suppress(OSError, Failure), parent_of(self._root, parts, create=False) as folder:
                os.unlink(_staged(intent, number), dir_fd=folder)

    def inspect(self, intent: Intent, has_begun: bool, pulse: Callable[[], None]) -> Found:
        """Look at the files; what was staged is removed, nothing is written."""
        found = self._look(intent, pulse)
        self.discard(intent)
        wanted = [target.sha256 for target in intent.targets]
        if found == wanted:
            return Found("success", "interrupted, found installed on inspection")
        if found == [target.before for target in intent.targets]:
            return Found("void", "interrupted before anything was written")
        done = sum(now == then for now, then in zip(found, wanted, strict=True))
        words = f"interrupted, found {done} of {len(wanted)} files installed on inspection"
        return Found("failure", words, Reason.WRITE)

    def _look(self, intent: Intent, pulse: Callable[[], None]) -> list[str | None]:
        """What is on disk now, target by target, made durable before anybody relies on it."""
        for target in intent.targets:
            parts = parts_of(target.path)
            with suppress(OSError, Failure), parent_of(self._root, parts, create=False) as folder:
                os.fsync(folder)
        return [digest_of(self._root, target.path, pulse) for target in intent.targets]

    def _put(self, intent: Intent, number: int, target: Target) -> None:
        parts = parts_of(target.path)
        with local(target.path):
            check(self._root, target.path)
            with parent_of(self._root, parts, create=False) as folder:
                os.replace(_staged(intent, number), parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
                crash.point("renamed")
                os.fsync(folder)

    def _check_space(self, needed: int) -> None:
        disk = os.statvfs(self._root)
        free = disk.f_bavail * disk.f_frsize
        if free - needed < self._minimum_free:
            words = f"no space: {free} bytes free, {needed} needed and {self._minimum_free} to be kept free"
            raise Failure(Reason.NO_SPACE, words)


def _place_chunk(chunk: Chunk) -> list[Placement]:
    if chunk.part != KIND:
        raise Failure(Reason.UNSUPPORTED, f"unsupported kind {chunk.part!r}")
    path = chunk.metadata.get("path", "./")
    into_folder = path.endswith("/") or len(chunk.artifacts) > 1
    return [_placement(path, artifact, into_folder) for artifact in chunk.artifacts]


def _placement(path: str, artifact: Artifact, into_folder: bool) -> Placement:
    if into_folder:
        if "/" in artifact.filename:
            raise Failure(Reason.UNSAFE_PATH, f"unsafe path: file name {artifact.filename!r}")
        path = f"{path.removesuffix('/')}/{artifact.filename}".removeprefix("./")
    parts_of(path)
    return Placement(path, artifact)


def _staged(intent: Intent, number: int) -> str:
    return f"{STAGED}{intent.action}-{number}"


def _copy(source: Path, descriptor: int, target: Target, pulse: Callable[[], None]) -> None:
    digest = hashlib.sha256()
    with source.open("rb") as file:
        while block := file.read(BLOCK):
            write_all(descriptor, block)
            crash.point("staging-begun")
            digest.update(block)
            pulse()
    if digest.hexdigest() != target.sha256:
        raise Failure(Reason.DIGEST, f"{target.path!r} changed between download and installation")
