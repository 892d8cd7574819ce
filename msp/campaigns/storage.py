"""Artifacts on disk, each under its SHA-256 below FILES_DIR/artifacts: written aside, synced, then renamed."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from flask import current_app

BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stored:
    """What was stored: size in bytes and the digests in hex."""

    size: int
    sha256: str
    sha1: str
    md5: str


def folder() -> Path:
    """Where artifacts lie."""
    files: Path = current_app.extensions["settings"].files_dir
    return files / "artifacts"


def path_of(sha256: str) -> Path:
    """Where the bytes with this digest lie."""
    return folder() / sha256[:2] / sha256


def store(stream: IO[bytes]) -> Stored:
    """Keep the bytes of a stream; the same bytes are kept once."""
    folder().mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder(), prefix=".incoming-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            stored = _copy(stream, file)
            file.flush()
            os.fsync(file.fileno())
        _keep(Path(name), path_of(stored.sha256))
    finally:
        Path(name).unlink(missing_ok=True)
    return stored


def _copy(stream: IO[bytes], file: IO[bytes]) -> Stored:
    # SHA-1 and MD5 are what the wire protocol asks for; nothing here relies on them.
    sha256 = hashlib.sha256()
    sha1, md5 = hashlib.sha1(usedforsecurity=False), hashlib.md5(usedforsecurity=False)
    size = 0
    while block := stream.read(BLOCK):
        file.write(block)
        size += len(block)
        for one in (sha256, sha1, md5):
            one.update(block)
    return Stored(size, sha256.hexdigest(), sha1.hexdigest(), md5.hexdigest())


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(exist_ok=True)
    source.chmod(0o640)
    source.replace(target)
    parent = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)
