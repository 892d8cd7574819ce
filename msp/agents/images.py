"""What a Mender image says about itself: its name, and for which types of device it is. Read from its header."""

import json
import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from msp.campaigns import storage
from msp.campaigns.models import Artifact

SUFFIX = ".mender"
MOST_HEADER = 4 * 1024 * 1024
MOST_MEMBERS = 20


@dataclass(frozen=True, slots=True)
class Image:
    """The header of an image."""

    name: str
    device_types: tuple[str, ...]


def image_of(artifact: Artifact) -> Image | None:
    """What the stored file says; None if it is no image that can be read."""
    return _read(storage.path_of(artifact.sha256))


@lru_cache(maxsize=256)
def _read(path: Path) -> Image | None:
    """The file lies under its digest, so it never changes."""
    try:
        with tarfile.open(path, "r:") as outer:
            for _ in range(MOST_MEMBERS):
                member = outer.next()
                if member is None:
                    return None
                if member.name.startswith("header.tar") and member.size <= MOST_HEADER:
                    found = outer.extractfile(member)
                    return _header(found) if found else None
    except (tarfile.TarError, OSError, ValueError, EOFError, KeyError, TypeError):
        return None
    return None


def _header(file: IO[bytes]) -> Image | None:
    with tarfile.open(fileobj=file, mode="r:*") as inner:
        member = inner.next()
        if member is None or member.name != "header-info" or member.size > MOST_HEADER:
            return None
        content = inner.extractfile(member)
        told: dict[str, Any] = json.loads(content.read(MOST_HEADER)) if content else {}
    name = told["artifact_provides"]["artifact_name"]
    types = told["artifact_depends"]["device_type"]
    return Image(str(name), tuple(str(one) for one in types)) if name else None
